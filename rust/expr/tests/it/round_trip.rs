//! Printing and parsing are inverse to each other, bit for bit.

use crate::common::{build, seeded, steps};
use proptest::prelude::*;
use scalefast_expr::MAX_CHARACTERS;
use scalefast_expr::{Graph, System};

proptest! {
    #![proptest_config(seeded(4000))]

    #[test]
    fn what_is_printed_parses_to_the_same_node(
        steps in steps(any::<f64>().prop_filter("finite", |x| x.is_finite())),
    ) {
        let mut graph = Graph::new();
        let root = build(&mut graph, &steps);
        let text = graph.print(root);
        prop_assume!(text.chars().count() <= MAX_CHARACTERS);
        prop_assert_eq!(graph.parse(&text), Ok(root), "{}", text);
    }

    #[test]
    fn a_simplified_expression_prints_and_parses_too(
        steps in steps(prop::sample::select(vec![0.0, 1.0, 2.0, -1.0, 0.5, -3.0])),
    ) {
        let mut graph = Graph::new();
        let root = build(&mut graph, &steps);
        let simplified = graph.simplify(root);
        let text = graph.print(simplified);
        prop_assume!(text.chars().count() <= MAX_CHARACTERS);
        prop_assert_eq!(graph.parse(&text), Ok(simplified), "{}", text);
    }
}

/// What is typed, and how it is printed.
const SPELLINGS: [(&str, &str); 22] = [
    ("-x**2", "-x**2"),
    ("(-x)**2", "(-x)**2"),
    ("-2**2", "-2**2"),
    ("(-2)**2", "(-2)**2"),
    ("2**-x**2", "2**(-x**2)"),
    ("x**-2", "x**-2"),
    ("x**y**z", "x**y**z"),
    ("(x**y)**z", "(x**y)**z"),
    ("a-b-c", "a - b - c"),
    ("a-(b-c)", "a - (b - c)"),
    ("a/b/c", "a/b/c"),
    ("a/(b/c)", "a/(b/c)"),
    ("a/b*c", "a/b*c"),
    ("-a*b", "-a*b"),
    ("-(a*b)", "-(a*b)"),
    ("a- -b", "a - (-b)"),
    ("--x", "--x"),
    ("-(2)", "-(2)"),
    ("+x", "x"),
    ("min(a,min(b,c),d)", "min(a, min(b, c), d)"),
    ("ln(x)*pi", "log(x)*pi"),
    ("`exp`*1e300", "`exp`*1e300"),
];

#[test]
fn texts_have_one_spelling() {
    for (typed, printed) in SPELLINGS {
        let system = System::formula(typed).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(system.graph.print(system.outputs()[0].1), printed);
    }
}

#[test]
fn precedence_and_associativity_are_those_of_python() {
    let values = [
        ("-2**2", -4.0),
        ("(-2)**2", 4.0),
        ("2**3**2", 512.0),
        ("2**-1", 0.5),
        ("7 - 2 - 1", 4.0),
        ("8/4/2", 1.0),
        ("8/4*2", 4.0),
        ("-3*2", -6.0),
        ("1 + 2*3**2", 19.0),
        ("2*-3", -6.0),
        ("max(1, 5, 3) - min(4, 2)", 3.0),
    ];
    for (text, value) in values {
        let system = System::formula(text).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(
            system.graph.evaluate(system.outputs()[0].1, &[]),
            value,
            "{text}"
        );
    }
}

#[test]
fn numbers_that_are_not_finite_print_as_quotients() {
    let mut graph = Graph::new();
    for value in [f64::INFINITY, f64::NEG_INFINITY, f64::NAN] {
        let id = graph.constant(value);
        let text = graph.print(id);
        let parsed = graph.parse(&text).unwrap_or_else(|error| panic!("{error}"));
        let read = graph.evaluate(parsed, &[]);
        assert!(read == value || (read.is_nan() && value.is_nan()));
    }
}
