use super::*;
use scalefast_expr::System;

/// The sum in words: its constant, then coefficient and exponents of every term, evaluated at a = 2, b = 3.
fn read(text: &str) -> Option<(f64, Vec<[f64; 3]>)> {
    let system = System::formula(text).unwrap();
    let root = system.outputs()[0].1;
    let mut graph = system.graph.clone();
    for name in ["N", "D", "a", "b"] {
        graph.symbol(name);
    }
    let id = |graph: &Graph, name: &str| graph.symbol_id(name).unwrap();
    let free = [id(&graph, "N"), id(&graph, "D")];
    let mut values = vec![f64::NAN; graph.symbols().len()];
    values[id(&graph, "a") as usize] = 2.0;
    values[id(&graph, "b") as usize] = 3.0;
    let reader = Reader::new(&mut graph, free, root);
    let sum = reader.sum(root)?.clone();
    let value = |node: NodeId| graph.evaluate(node, &values);
    let terms = sum.terms.iter().map(|term| {
        [
            value(term.coefficient),
            value(term.exponents[0]),
            value(term.exponents[1]),
        ]
    });
    Some((value(sum.constant), terms.collect()))
}

#[test]
fn reads_power_terms_in_many_spellings() {
    let expected = |c: f64, x: f64, y: f64| Some((0.0, vec![[c, x, y]]));
    assert_eq!(read("a/N**b"), expected(2.0, -3.0, 0.0));
    assert_eq!(read("a*N**(-b)"), expected(2.0, -3.0, 0.0));
    assert_eq!(read("(a/N)**b"), expected(8.0, -3.0, 0.0));
    assert_eq!(read("6*N*D"), expected(6.0, 1.0, 1.0));
    assert_eq!(read("-sqrt(4*N**2*D)"), expected(-2.0, 1.0, 0.5));
    assert_eq!(read("N*(a*D)/b"), expected(2.0 / 3.0, 1.0, 1.0));
    let (constant, terms) = read("exp(log(a) - b*log(N) + log(D**2)/2)").unwrap();
    assert_eq!(constant, 0.0);
    assert!((terms[0][0] - 2.0).abs() < 1e-15);
    assert_eq!(terms[0][1..], [-3.0, 1.0]);
}

#[test]
fn reads_sums_and_merges_equal_powers() {
    assert_eq!(
        read("b + a/N - 1/D + 1"),
        Some((4.0, vec![[2.0, -1.0, 0.0], [-1.0, 0.0, -1.0]]))
    );
    assert_eq!(
        read("a*(1/N + 3/N - b)"),
        Some((-6.0, vec![[8.0, -1.0, 0.0]]))
    );
    assert_eq!(read("a + b"), Some((5.0, vec![])));
}

#[test]
fn refuses_what_is_no_sum_of_powers() {
    for text in [
        "log(N)",
        "1/(1 + N)",
        "(N + D)**a",
        "N**D",
        "min(N, D)",
        "exp(N)",
        "abs(N)",
    ] {
        assert_eq!(read(text), None, "{text}");
    }
}
