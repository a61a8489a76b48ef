//! Exact derivatives against dual numbers: first and second, of laws and of random expressions.

use crate::common::{NAMES, agrees, build, magnitude, seeded, steps};
use proptest::prelude::*;
use scalefast_expr::{Graph, NodeId, System};

/// Laws and test problems from the literature, with a range in which every part is defined.
const FORMULAS: [&str; 26] = [
    "E + A/N**alpha + B/D**beta",
    "log(E + A/N**alpha + B/D**beta)",
    "E + (A/N**alpha + B/D**beta)**gamma",
    "E + A/N**a + B/D**b + F/(N**c*D**d)",
    "((Nc/N)**(aN/aD) + Dc/D)**aD",
    "b + c*x**-a*(1 + (x/d1)**(1/f1))**(-c1*f1)*(1 + (x/d2)**(1/f2))**(-c2*f2)",
    "exp(e) + exp(a - alpha*log(N)) + exp(b - beta*log(D))",
    "E + A/N**alpha + B/(U + U*R*(1 - exp(-max(D/U - 1, 0)/R)))**beta",
    "A*N**-alpha*(1 - exp(-P/g)) + E",
    "E + (a*M**eta + b*M**-eta)*C**-eta",
    "b1*(1 - exp(-b2*x))",
    "b1*exp(-b2*x) + b3*exp(-(x - b4)**2/b5**2) + b6*exp(-(x - b7)**2/b8**2)",
    "b1*(x**2 + b2*x)/(x**2 + x*b3 + b4)",
    "(b1 + b2*x + b3*x**2 + b4*x**3)/(1 + b5*x + b6*x**2 + b7*x**3)",
    "b1/((1 + exp(b2 - b3*x))**(1/b4))",
    "b1 + b2*cos(2*pi*x/12) + b5*cos(2*pi*x/b4) + b6*sin(2*pi*x/b4)",
    "b1 - b2*x - arctan(b3/(x - b4))/pi",
    "b1*(b2 + x)**(-1/b3)",
    "log2(x) + log10(y) + log1p(x*y) - expm1(x - y)",
    "sqrt(x*y) + abs(x - 2*y) + tan(x/10)",
    "tanh(a*x)*sigmoid(b - y)",
    "min(x, y, 1.5)*max(x/y, y/x)",
    "x**3 - 3*x**2 + x**-2 + x**0.5 + x**1 + x**0",
    "2**x + x**x + (x*y)**(x/y)",
    "x/y/x*y + (x - x) + x/x",
    "exp(log(x)*a)/x**a - -x*-y",
];

/// A value for each symbol that is no special number, in 0.5 to 2.
fn point(graph: &Graph, shift: usize) -> Vec<f64> {
    (0..graph.symbols().len())
        .map(|i| 0.5 + 1.5 * ((i * 7 + shift * 13 + 5) as f64 * 0.618_033_988_749_895).fract())
        .collect()
}

/// The same, with every order of the symbols' values among the shifts: some laws need one above another.
fn in_any_order(graph: &Graph, shift: usize) -> Vec<f64> {
    (0..graph.symbols().len())
        .map(|i| 0.5 + 1.5 * ((i * (7 + shift) + 5) as f64 * 0.618_033_988_749_895).fract())
        .collect()
}

fn direction(graph: &Graph, symbol: &str) -> Vec<f64> {
    let names = graph.symbols().iter();
    names
        .map(|name| f64::from(u8::from(name == symbol)))
        .collect()
}

/// The derivative of `root` by `symbol` must be the dual number's, to 1e-9 of the greatest part.
fn check(graph: &mut Graph, root: NodeId, symbol: &str, values: &[f64]) -> Option<NodeId> {
    check_up_to(1e6, graph, root, symbol, values)
}

/// The same where no part is above `limit`; `None` elsewhere.
fn check_up_to(
    limit: f64,
    graph: &mut Graph,
    root: NodeId,
    symbol: &str,
    values: &[f64],
) -> Option<NodeId> {
    let (_, expected) = graph.evaluate_dual(root, values, &direction(graph, symbol));
    let derivative = graph.derivative(root, symbol);
    let scale = magnitude(graph, derivative, values) + magnitude(graph, root, values);
    if !(scale <= limit && expected.abs() <= limit) {
        return None;
    }
    let actual = graph.evaluate(derivative, values);
    assert!(
        agrees(actual, expected, scale, 1e-9),
        "d/d{symbol} of {}: {actual} by the graph {}, {expected} by dual numbers",
        graph.print(root),
        graph.print(derivative),
    );
    Some(derivative)
}

#[test]
fn gradients_and_hessians_of_known_formulas() {
    for text in FORMULAS {
        let mut system = System::formula(text).unwrap_or_else(|error| panic!("{error}"));
        let (root, symbols) = (system.outputs()[0].1, system.symbols());
        for shift in 0..5 {
            let values = point(&system.graph, shift);
            for symbol in &symbols {
                let first = check(&mut system.graph, root, symbol, &values);
                let first = first.unwrap_or_else(|| panic!("{text} is not regular here"));
                for other in &symbols {
                    let second = check(&mut system.graph, first, other, &values);
                    assert!(second.is_some(), "{text} is not regular here");
                }
            }
        }
    }
}

/// The formulas of a law file of the catalogue: its outputs, with its definitions. Law files are TOML, of which the lines
/// `name = "formula"` and `name = { formula = "formula", … }` are read.
fn law_file(text: &str) -> System {
    let (mut outputs, mut definitions, mut section) = (Vec::new(), Vec::new(), "");
    for line in text.lines() {
        if line.starts_with('[') {
            section = line;
        }
        let quoted = line.split('"').nth(1).unwrap_or_default();
        match (section, line.split_once(" = ")) {
            ("", Some(("formula", _))) => outputs.push(("L", quoted)),
            ("[outputs]", Some((name, _))) => outputs.push((name, quoted)),
            ("[definitions]", Some((name, _))) => definitions.push((name, quoted)),
            _ => {}
        }
    }
    System::parse(&outputs, &definitions).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

#[test]
fn gradients_and_hessians_of_the_catalogue() {
    let folder = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../python/scalefast/catalogue"
    );
    let mut laws = 0;
    for entry in std::fs::read_dir(folder).expect("the catalogue is there") {
        let path = entry.expect("it can be listed").path();
        if path.extension().is_none_or(|suffix| suffix != "toml") {
            continue;
        }
        let mut system = law_file(&std::fs::read_to_string(&path).expect("it can be read"));
        let symbols = system.symbols();
        for (name, root) in system.outputs().to_vec() {
            let mut regular = 0;
            for shift in 0..24 {
                let values = in_any_order(&system.graph, shift);
                if !magnitude(&system.graph, root, &values).is_finite() {
                    continue;
                }
                let mut all = true;
                for symbol in &symbols {
                    let first = check_up_to(1e200, &mut system.graph, root, symbol, &values);
                    for other in &symbols {
                        all &= first
                            .and_then(|node| {
                                check_up_to(1e200, &mut system.graph, node, other, &values)
                            })
                            .is_some();
                    }
                }
                regular += usize::from(all);
            }
            assert!(
                regular >= 3,
                "{name} of {} is regular at {regular} points",
                path.display()
            );
        }
        laws += 1;
    }
    assert!(laws > 30);
}

proptest! {
    #![proptest_config(seeded(10_000))]

    #[test]
    fn random_expressions(
        steps in steps(prop::sample::select(vec![0.0, 1.0, 2.0, -1.0, 0.5, -3.0, 0.1])),
        values in prop::collection::vec(0.3f64..3.0, NAMES.len()),
    ) {
        let mut graph = Graph::new();
        let root = build(&mut graph, &steps);
        let symbol = NAMES[0];
        // A value of moderate size keeps the cancellation of random expressions within the tolerance.
        prop_assume!(magnitude(&graph, root, &values) <= 1e4);
        if let Some(first) = check(&mut graph, root, symbol, &values) {
            prop_assume!(magnitude(&graph, first, &values) <= 1e4);
            check(&mut graph, first, symbol, &values);
        }
    }

    #[test]
    fn simplification_keeps_the_value(
        steps in steps(prop::sample::select(vec![0.0, 1.0, 2.0, -1.0, 0.5, -3.0, 0.1])),
        values in prop::collection::vec(0.3f64..3.0, NAMES.len()),
    ) {
        let mut graph = Graph::new();
        let root = build(&mut graph, &steps);
        let scale = magnitude(&graph, root, &values);
        prop_assume!(scale <= 1e4);
        let simplified = graph.simplify(root);
        prop_assert!(
            agrees(graph.evaluate(simplified, &values), graph.evaluate(root, &values), scale, 1e-9),
            "{} became {}", graph.print(root), graph.print(simplified)
        );
    }
}

/// What the derivatives of a law share decides how fast it is fitted.
#[test]
fn derivatives_reuse_the_parts_of_the_original() {
    let slopes = [
        ("E + A/N**alpha", "A", "1/N**alpha"),
        ("E + A/N**alpha", "alpha", "-(A/N**alpha*edge_log(N))"),
        ("E + A/N**alpha", "N", "-(A/N**alpha*(alpha*(1/N)))"),
        ("F/(N**c*D**d)", "c", "-(F/(N**c*D**d)*edge_log(N))"),
        ("b1*exp(-b2*x)", "b2", "-(x*exp(-b2*x)*b1)"),
        ("x**2", "x", "2*x"),
        ("x**3", "x", "3*x**2"),
        ("x**-1", "x", "-x**-2"),
        ("x**n", "x", "n*x**(n - 1)"),
        ("10**x", "x", "2.302585092994046*10**x"),
        ("log(exp(a)*x)", "a", "1"),
        ("6*N*D", "N", "6*D"),
        ("a*b", "c", "0"),
    ];
    for (text, symbol, expected) in slopes {
        let mut system = System::formula(text).unwrap_or_else(|error| panic!("{error}"));
        let root = system.outputs()[0].1;
        let slope = system.graph.derivative(root, symbol);
        assert_eq!(system.graph.print(slope), expected, "d/d{symbol} of {text}");
    }
}

#[test]
fn sizes_stay_linear() {
    let mut system = System::formula("log(E + A/N**alpha + B/D**beta)")
        .unwrap_or_else(|error| panic!("{error}"));
    let root = system.outputs()[0].1;
    let parameters = ["E", "A", "B", "alpha", "beta"];
    let gradient: Vec<NodeId> = parameters
        .iter()
        .map(|name| system.graph.derivative(root, name))
        .collect();
    let parts = |graph: &Graph, roots: &[NodeId]| {
        let reached = graph.reachable(roots);
        reached.into_iter().filter(|reached| *reached).count()
    };
    assert!(parts(&system.graph, &gradient) <= 32);
    let mut second = gradient.clone();
    for &slope in &gradient {
        second.extend(parameters.map(|name| system.graph.derivative(slope, name)));
    }
    assert!(parts(&system.graph, &second) <= 90);
}

#[test]
fn a_power_of_zero_and_of_a_negative_number_has_its_derivative() {
    let mut system = System::formula("x**2 + x**3").unwrap_or_else(|error| panic!("{error}"));
    let root = system.outputs()[0].1;
    let first = system.graph.derivative(root, "x");
    let second = system.graph.derivative(first, "x");
    for (x, slope, curvature) in [(0.0, 0.0, 2.0), (-2.0, 8.0, -10.0)] {
        assert_eq!(system.graph.evaluate(first, &[x]), slope);
        assert_eq!(system.graph.evaluate(second, &[x]), curvature);
    }
}

#[test]
fn kinks_have_the_stated_slopes() {
    let slope = |text: &str, values: &[f64]| {
        let mut system = System::formula(text).unwrap_or_else(|error| panic!("{error}"));
        let root = system.outputs()[0].1;
        let slope = system.graph.derivative(root, "x");
        let dual = system.graph.evaluate_dual(root, values, &[1.0]).1;
        let exact = system.graph.evaluate(slope, values);
        assert_eq!(exact, dual, "{text}");
        exact
    };
    assert_eq!(slope("abs(x)", &[0.0]), 0.0);
    assert_eq!(slope("min(x, 3)", &[3.0]), 1.0);
    assert_eq!(slope("max(3, 2*x)", &[1.5]), 0.0);
    assert_eq!(slope("max(2*x, 3)", &[1.5]), 2.0);
    assert_eq!(slope("max(2*x, 3)", &[1.0]), 0.0);
}

/// Derivatives at the edge of a domain are the limits from inside it, wherever these are finite.
#[test]
fn derivatives_at_zero_are_their_limits() {
    // Formula, symbols, values, and the derivatives there by each symbol; NaN where the limit is not finite.
    let none = f64::NAN;
    let cases: [(&str, &str, &[f64], &[f64]); 13] = [
        ("b*x**c", "b x c", &[2.0, 0.0, 0.3], &[0.0, none, 0.0]),
        ("b*x**c", "b x c", &[2.0, 0.0, 1.0], &[0.0, 2.0, 0.0]),
        ("b*x**c", "b x c", &[2.0, 0.0, 1.7], &[0.0, 0.0, 0.0]),
        (
            "a/(1 + b*x**c)",
            "a b x c",
            &[3.0, 2.0, 0.0, 0.5],
            &[1.0, 0.0, none, 0.0],
        ),
        ("(x/k)**c", "x k c", &[0.0, 2.0, 0.5], &[none, 0.0, 0.0]),
        (
            "x**c/(k**c + x**c)",
            "x c k",
            &[0.0, 0.5, 2.0],
            &[none, 0.0, 0.0],
        ),
        ("sqrt(k*x)", "k x", &[2.0, 0.0], &[0.0, none]),
        ("k*x**0.5", "k x", &[2.0, 0.0], &[0.0, none]),
        ("max(0, a*log(x))", "a x", &[1.0, 0.0], &[0.0, 0.0]),
        ("0**c", "c", &[0.5], &[0.0]),
        ("a*abs(x)**c", "a x c", &[2.0, 0.0, 0.5], &[0.0, none, 0.0]),
        // Where the power is infinite the quotient is zero, and stays so.
        (
            "a/(1 + b*x**c)",
            "a b x c",
            &[3.0, 2.0, 0.0, -0.5],
            &[0.0, 0.0, none, 0.0],
        ),
        (
            "a/(b + x**(-c))",
            "a b x c",
            &[3.0, 2.0, 0.0, 0.5],
            &[0.0, 0.0, none, 0.0],
        ),
    ];
    for (text, names, values, expected) in cases {
        let mut system = System::formula(text).unwrap_or_else(|error| panic!("{error}"));
        let root = system.outputs()[0].1;
        assert_eq!(system.graph.symbols().join(" "), names, "{text}");
        let value = system.graph.evaluate(root, values);
        assert!(value.is_finite(), "{text} is {value}");
        for (symbol, expected) in names.split(' ').zip(expected) {
            if expected.is_nan() {
                continue;
            }
            let slope = system.graph.derivative(root, symbol);
            let found = system.graph.evaluate(slope, values);
            assert_eq!(found, *expected, "d/d{symbol} of {text} at {values:?}");
            // The symbols that are zero here by the data are no parameters, by which the second derivative is asked.
            for (other, value) in names.split(' ').zip(values) {
                if *value != 0.0 {
                    let second = system.graph.derivative(slope, other);
                    let found = system.graph.evaluate(second, values);
                    assert!(found.is_finite(), "d²/d{symbol}d{other} of {text}: {found}");
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(seeded(500))]

    /// What is computed at zero is what is approached from above.
    #[test]
    fn derivatives_at_zero_continue_those_beside_it(
        k in 0.3f64..3.0, c in 0.2f64..3.0, b in 0.3f64..3.0, form in 0usize..5,
    ) {
        let text = [
            "b*x**c", "k/(1 + b*x**c)", "b*(x/k)**c", "exp(-b*(x*k)**c)", "b*x**c/(k**c + x**c)",
        ][form];
        let mut system = System::formula(text).unwrap_or_else(|error| panic!("{error}"));
        let root = system.outputs()[0].1;
        let at = |graph: &Graph, x: f64| -> Vec<f64> {
            let names = graph.symbols().iter();
            names.map(|name| match name.as_str() { "x" => x, "k" => k, "b" => b, _ => c }).collect()
        };
        for symbol in system.symbols().iter().filter(|name| *name != "x") {
            let slope = system.graph.derivative(root, symbol);
            let (zero, beside) = (at(&system.graph, 0.0), at(&system.graph, 1e-120));
            let (found, limit) =
                (system.graph.evaluate(slope, &zero), system.graph.evaluate(slope, &beside));
            prop_assert!((found - limit).abs() <= 1e-9, "d/d{symbol} of {text}: {found}, {limit}");
            let seed = direction(&system.graph, symbol);
            let dual = system.graph.evaluate_dual(root, &zero, &seed).1;
            prop_assert!(agrees(found, dual, 1.0, 1e-12), "d/d{symbol} of {text}: {found}, dual {dual}");
        }
    }
}
