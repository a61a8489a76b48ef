//! No text makes the language panic, exhaust the stack or take long: depth, length, any bytes.

use crate::common::seeded;
use proptest::prelude::*;
use scalefast_expr::{MAX_CHARACTERS, MAX_DEPTH, System, exercise};

/// Everything that walks over a graph, on one that is deep.
fn assert_survives(text: &str) {
    exercise::parse(text.as_bytes());
    exercise::compile_evaluate(format!("Mz{text}").as_bytes());
    let system = System::formula(text).unwrap_or_else(|error| panic!("{error}"));
    let root = system.outputs()[0].1;
    let values = vec![0.5; system.graph.symbols().len()];
    let (value, _) = system.graph.evaluate_dual(root, &values, &values);
    assert_eq!(
        value.to_bits(),
        system.graph.evaluate(root, &values).to_bits()
    );
}

#[test]
fn long_chains_need_no_stack() {
    for text in [
        vec!["a"; 5000].join("+"),
        vec!["a"; 5000].join("-"),
        vec!["a"; 5000].join("*"),
        vec!["a"; 5000].join("/"),
        vec!["a"; 3000].join("**"),
        "-".repeat(9_999) + "a",
        vec!["a"; 2_400].join("**-"),
        format!("min({})", vec!["a"; 4_900].join(",")),
        (0..1_600)
            .map(|i| format!("x{i}"))
            .collect::<Vec<_>>()
            .join("*"),
    ] {
        assert!(text.len() <= MAX_CHARACTERS);
        assert_survives(&text);
    }
}

#[test]
fn nesting_is_read_up_to_the_limit() {
    for (open, close) in [("(", ")"), ("exp(", ")"), ("-(1+", ")**2"), ("max(1,", ")")] {
        let nested = |depth: usize| open.repeat(depth) + "x" + &close.repeat(depth);
        assert_survives(&nested(MAX_DEPTH));
        let error = System::formula(&nested(MAX_DEPTH + 1)).err();
        assert_eq!(error.map(|error| error.code), Some("formula-too-deep"));
    }
    for text in ["(".repeat(10_000), ")".repeat(10_000), "exp(".repeat(2_500)] {
        assert!(System::formula(&text).is_err());
    }
}

#[test]
fn shared_definitions_do_not_explode() {
    let names: Vec<String> = (0..300).map(|i| format!("d{i}")).collect();
    let texts: Vec<String> = (0..300)
        .map(|i| match i {
            0 => "x*y".to_owned(),
            _ => format!("sin(d{0})*d{0} + d{0}", i - 1),
        })
        .collect();
    let definitions: Vec<(&str, &str)> = names
        .iter()
        .zip(&texts)
        .map(|(name, text)| (name.as_str(), text.as_str()))
        .collect();
    let mut system =
        System::parse(&[("L", "d299")], &definitions).unwrap_or_else(|error| panic!("{error}"));
    let root = system.outputs()[0].1;
    assert!(system.graph.len() < 1_000);
    assert_eq!(system.symbols(), ["x", "y"]);
    let slope = system.graph.derivative(root, "x");
    system.graph.derivative(slope, "y");
    assert!(system.graph.len() < 20_000, "{}", system.graph.len());
    // Written out, the formula would have about 3^300 terms.
    assert!(system.graph.print(root).ends_with('…'));
    assert!(system.graph.latex(root).ends_with("\\ldots"));
}

/// Pieces of formulas, put together with no regard for grammar.
fn scraps() -> impl Strategy<Value = String> {
    let scraps = vec![
        "x", "alpha", "1", "2.5", "1e9", ".", "e", "(", ")", ",", "+", "-", "*", "/", "**", "^",
        "exp", "exp(", "min(", "max(", "log(", "pi", " ", "`", "`a b`", "α", "×", "1e999", "_",
        "=", "x.y", "\u{0}", "😀",
    ];
    prop::collection::vec(prop::sample::select(scraps), 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(seeded(20_000))]

    #[test]
    fn any_bytes(data in prop::collection::vec(any::<u8>(), 0..200)) {
        exercise::parse(&data);
        exercise::compile_evaluate(&data);
    }

    #[test]
    fn any_text(text in "\\PC{0,60}") {
        exercise::parse(text.as_bytes());
    }

    #[test]
    fn any_scraps(text in scraps(), rates in any::<u8>(), rows in any::<u8>()) {
        exercise::parse(text.as_bytes());
        exercise::compile_evaluate(&[&[rates, rows], text.as_bytes()].concat());
    }
}
