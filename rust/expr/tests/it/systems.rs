//! Systems of formulas and the passes over their graphs: definitions, substitution, symbols, steps.

use crate::common::{NAMES, build, seeded, steps};
use proptest::prelude::*;
use scalefast_expr::postfix::Token;
use scalefast_expr::{Graph, NodeId, Op, System};

fn system(outputs: &[(&str, &str)], definitions: &[(&str, &str)]) -> System {
    System::parse(outputs, definitions).unwrap_or_else(|error| panic!("{error}"))
}

/// The published law of data-limited training, whose check values the authors assert in their code
/// (Muennighoff et al. 2023, arXiv 2305.16264, repository huggingface/datablations).
#[test]
fn definitions_reproduce_a_published_law() {
    let system = system(
        &[("L", "E + A/N_effective**alpha + B/D_effective**alpha")],
        &[
            ("U_D", "min(U, D)"),
            ("R_D", "max(D/U_D - 1, 0)"),
            ("D_effective", "U_D + U_D*R_Dstar*(1 - exp(-R_D/R_Dstar))"),
            ("G", "(A/B)**(1/(2*alpha))"),
            ("U_N", "min(N, G*(U_D*G))"),
            ("R_N", "max(N/U_N - 1, 0)"),
            ("N_effective", "U_N + U_N*R_Nstar*(1 - exp(-R_N/R_Nstar))"),
        ],
    );
    let values: Vec<f64> = system
        .graph
        .symbols()
        .iter()
        .map(|name| match name.as_str() {
            "E" => 0.6254804f64.exp(),
            "A" => 6.255414f64.exp(),
            "B" => 7.3049974f64.exp(),
            "alpha" => 0.3526596,
            "R_Dstar" => 15.387756,
            "R_Nstar" => 5.309743,
            "N" => 6.34e9,
            "D" => 242e9,
            "U" => 25e9,
            other => panic!("unexpected symbol {other}"),
        })
        .collect();
    let loss = system.graph.evaluate(system.outputs()[0].1, &values);
    assert!((loss - 2.2256440889984477).abs() < 1e-9, "{loss}");
}

#[test]
fn outputs_share_one_graph_and_keep_their_order() {
    let system = system(
        &[("N", "G*(C/k)**a"), ("D", "(C/k)**b/G")],
        &[
            ("G", "(alpha*A/(beta*B))**(1/(alpha + beta))"),
            ("unused", "q"),
        ],
    );
    let names: Vec<&str> = system
        .outputs()
        .iter()
        .map(|(name, _)| name.as_str())
        .collect();
    assert_eq!(names, ["N", "D"]);
    assert_eq!(
        system.symbols(),
        ["alpha", "A", "beta", "B", "C", "k", "a", "b"]
    );
    assert_eq!(system.output("D"), Some(system.outputs()[1].1));
    assert_eq!(system.output("L"), None);
}

#[test]
fn a_quoted_name_is_a_symbol_whatever_it_says() {
    let system = system(&[("L", "`pi` + `exp`*`eval/loss` + pi")], &[]);
    assert_eq!(system.symbols(), ["pi", "exp", "eval/loss"]);
}

#[test]
fn substitution_is_simultaneous() {
    let mut graph = Graph::new();
    let (x, y) = (graph.symbol("x"), graph.symbol("y"));
    let quotient = graph.binary(Op::Div, x, y);
    let swapped = graph.substitute(quotient, &[(0, y), (1, x)]);
    assert_eq!(graph.print(swapped), "y/x");
    assert_eq!(graph.substitute(quotient, &[]), quotient);
}

#[test]
fn dependence_is_seen_through_shared_parts() {
    let mut system = system(&[("L", "E + A/N**alpha")], &[]);
    let root = system.outputs()[0].1;
    let graph = &mut system.graph;
    let id = |graph: &Graph, name: &str| graph.symbol_id(name).unwrap_or(u32::MAX);
    assert!(graph.depends_on(root, id(graph, "alpha")));
    let slope = graph.derivative(root, "A");
    assert!(!graph.depends_on(slope, id(graph, "A")));
    assert!(graph.depends_on(slope, id(graph, "N")));
    let curvature = graph.derivative(slope, "A");
    assert_eq!(graph.constant_value(curvature), Some(0.0));
}

/// Rebuilds an expression from its steps.
fn rebuild(graph: &mut Graph, tokens: &[Token]) -> Option<NodeId> {
    let mut made: Vec<NodeId> = Vec::new();
    for token in tokens {
        let id = match token {
            Token::Constant(value) => graph.constant(*value),
            Token::Symbol(name) => graph.symbol(name),
            Token::Operation { name, arguments } => {
                let op = *Op::ALL.iter().find(|op| op.info().name == *name)?;
                match arguments.as_slice() {
                    [a] => graph.unary(op, made[*a]),
                    [a, b] => graph.binary(op, made[*a], made[*b]),
                    _ => return None,
                }
            }
        };
        made.push(id);
    }
    made.last().copied()
}

proptest! {
    #![proptest_config(seeded(2000))]

    #[test]
    fn steps_rebuild_the_expression(steps in steps(-3.0f64..3.0)) {
        let mut graph = Graph::new();
        let root = build(&mut graph, &steps);
        let tokens = graph.postfix(root);
        prop_assert_eq!(rebuild(&mut graph, &tokens), Some(root));
    }

    #[test]
    fn substituting_a_number_is_evaluating_there(
        steps in steps(-3.0f64..3.0),
        values in prop::collection::vec(-3.0f64..3.0, NAMES.len()),
    ) {
        let mut graph = Graph::new();
        let root = build(&mut graph, &steps);
        let value = graph.evaluate(root, &values);
        let number = graph.constant(values[0]);
        let substituted = graph.substitute(root, &[(0, number)]);
        prop_assert!(!graph.depends_on(substituted, 0));
        let again = graph.evaluate(substituted, &values);
        prop_assert!(value.to_bits() == again.to_bits() || (value.is_nan() && again.is_nan()));
    }
}

fn typed_error(text: &str) -> String {
    match System::typed(text) {
        Ok(typed) => panic!("{text} was read as {}", typed.law),
        Err(error) => format!("{}: {error}", error.code),
    }
}

#[test]
fn a_typed_formula_may_name_its_parts() {
    let texts = [
        "r = D/U; s = r**a ; E + A*s + B*r**b",
        "r = D/U\ns = r**a\n\nE + A*s\n  + B*r**b",
        "r = (D\n/U); s = r**a; E + A*s + B*r**b;",
    ];
    for text in texts {
        let typed = System::typed(text).unwrap_or_else(|error| panic!("{error}"));
        let names: Vec<&str> = typed
            .definitions
            .iter()
            .map(|(name, _)| name.as_str())
            .collect();
        assert_eq!(names, ["r", "s"]);
        let (_, root) = typed.system.outputs()[0];
        assert_eq!(
            typed.system.graph.print(root),
            "E + A*(D/U)**a + B*(D/U)**b",
            "{text}"
        );
    }
    let plain = System::typed("E +\nA/N**alpha").unwrap_or_else(|error| panic!("{error}"));
    assert!(plain.definitions.is_empty());
    assert_eq!(plain.law, "E +\nA/N**alpha");
}

#[test]
fn faults_of_a_typed_formula_are_shown_where_they_are() {
    let cases = [
        (
            "r = D/U; E + A",
            "unused-definition",
            "  r = D/U; E + A\n  ^",
        ),
        (
            "r = D^2; E + r",
            "caret-power",
            "  r = D^2; E + r\n       ^",
        ),
        (
            "r = D; E + r*",
            "dangling-operator",
            "  r = D; E + r*\n              ^",
        ),
        (
            "r = s; s = D; r + s",
            "definition-order",
            "  r = s; s = D; r + s\n      ^",
        ),
        (
            "r = r; E + r",
            "circular-definition",
            "  r = r; E + r\n      ^",
        ),
        (
            "r = D; r = U; E + r",
            "duplicate-definition",
            "  r = D; r = U; E + r\n         ^",
        ),
        (
            "exp = D; E + exp",
            "bad-definition-name",
            "  exp = D; E + exp\n  ^^^",
        ),
        ("2r = D; E", "bad-definition-name", "  2r = D; E\n  ^^"),
        (" = D; E", "bad-definition-name", "   = D; E\n   ^"),
        (
            "E + A; r = D; r",
            "unnamed-part",
            "  E + A; r = D; r\n  ^^^^^",
        ),
        (
            "r = D; E + r; 2*r",
            "unnamed-part",
            "  r = D; E + r; 2*r\n         ^^^^^",
        ),
        (
            "r = D; s = 2*r",
            "missing-law",
            "  r = D; s = 2*r\n           ^",
        ),
        ("L = E", "unexpected-character", "  L = E\n    ^"),
        (
            "r = a == b; r",
            "unexpected-character",
            "  r = a == b; r\n        ^",
        ),
    ];
    for (text, code, shown) in cases {
        let error = typed_error(text);
        assert!(
            error.starts_with(code) && error.contains(shown),
            "{text}\n{error}"
        );
    }
}

proptest! {
    #![proptest_config(seeded(200))]

    /// A law with a definition is the law with the definition written out.
    #[test]
    fn a_definition_is_what_it_stands_for(
        steps in steps(prop::sample::select(vec![1.0, 2.0, -1.0, 0.5])),
    ) {
        let mut graph = Graph::new();
        let root = build(&mut graph, &steps);
        let part = graph.print(root);
        let written = System::formula(&format!("a*({part})**b + log(c + ({part}))"))
            .unwrap_or_else(|error| panic!("{error}"));
        let typed = System::typed(&format!("named = {part}; a*named**b + log(c + named)"))
            .unwrap_or_else(|error| panic!("{error}"));
        let show = |system: &System| system.graph.print(system.outputs()[0].1);
        prop_assert_eq!(show(&typed.system), show(&written));
    }
}
