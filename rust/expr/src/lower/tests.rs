//! What lowering decides: which operations are left, and in which stage.

use super::values::Term;
use super::*;
use crate::eval::code::Code;
use crate::formula::System;

/// Lowers the formula and its derivatives by `parameters`; capitals are positive columns, all else is uniform.
fn lowered(text: &str, parameters: &[&str]) -> Lowered {
    let system = System::formula(text).unwrap();
    let root = system.outputs()[0].1;
    let bindings: Vec<Binding> = system
        .symbols()
        .iter()
        .map(|name| match name.as_str() {
            "N" | "D" | "L" | "X" => Binding::prepared(name, true),
            _ => Binding::uniform(name, false),
        })
        .collect();
    let mut graph = system.graph;
    let mut outputs = vec![root];
    outputs.extend(parameters.iter().map(|name| graph.derivative(root, name)));
    lower(&graph, &[&outputs], &bindings).unwrap()
}

/// How often an operation that the outputs need is done at a stage.
fn count(lowered: &Lowered, code: Code, stage: Stage) -> usize {
    let values = &lowered.values;
    let mut needed = vec![false; values.len()];
    for output in lowered.outputs.iter().flatten() {
        needed[output.index()] = true;
    }
    for value in values.all().rev() {
        if needed[value.index()] {
            for argument in values.arguments(value) {
                needed[argument.index()] = true;
            }
        }
    }
    let is_code = |value: &Value| matches!(values.term(*value), Term::Apply(c, _) if c == code);
    values
        .all()
        .filter(|value| needed[value.index()] && values.stage(*value) == stage)
        .filter(is_code)
        .count()
}

#[test]
fn a_term_and_its_derivatives_share_one_exponential() {
    let law = lowered("E + A/N**alpha", &["E", "A", "alpha"]);
    assert_eq!(count(&law, Code::Exp, Stage::Varying), 1);
    assert_eq!(count(&law, Code::Log, Stage::Prepared), 1);
    assert_eq!(count(&law, Code::Pow, Stage::Varying), 0);
    assert_eq!(count(&law, Code::Div, Stage::Varying), 0);
}

#[test]
fn powers_of_one_product_become_one_exponential() {
    let law = lowered("E + F/(N**c*D**d)", &["E", "F", "c", "d"]);
    assert_eq!(count(&law, Code::Exp, Stage::Varying), 1);
    let ratio = lowered("E + F*(N/D)**c", &["c"]);
    assert_eq!(count(&ratio, Code::Exp, Stage::Varying), 1);
}

#[test]
fn powers_that_exist_singly_are_multiplied() {
    let law = lowered("A*N**-a + B*D**-b + F*N**-a*D**-b", &[]);
    assert_eq!(count(&law, Code::Exp, Stage::Varying), 2);
}

#[test]
fn the_logarithm_of_a_power_needs_no_exponential() {
    let law = lowered("log((X/N)**a) - log(L)", &["a"]);
    assert_eq!(count(&law, Code::Exp, Stage::Varying), 0);
    assert_eq!(count(&law, Code::Log, Stage::Varying), 0);
}

#[test]
fn the_reciprocal_beside_a_logarithm_comes_with_it() {
    let residual = lowered(
        "log(E + A/N**alpha + B/D**beta) - log(L)",
        &["E", "A", "alpha", "B", "beta"],
    );
    assert_eq!(count(&residual, Code::Exp, Stage::Varying), 2);
    assert_eq!(count(&residual, Code::LogReciprocal, Stage::Varying), 1);
    assert_eq!(count(&residual, Code::Reciprocal, Stage::Varying), 0);
    assert_eq!(count(&residual, Code::Div, Stage::Varying), 0);
}

#[test]
fn whole_exponents_stay_multiplication() {
    let square = lowered("(a + X)**2 + (a + X)**-3", &[]);
    assert_eq!(count(&square, Code::Pow, Stage::Varying), 0);
    assert_eq!(count(&square, Code::Exp, Stage::Varying), 0);
}

#[test]
fn a_base_without_proof_keeps_the_power() {
    let law = lowered("(A/N**alpha + B/D**beta)**gamma", &[]);
    assert_eq!(count(&law, Code::Pow, Stage::Varying), 1);
}

#[test]
fn an_unbound_symbol_is_an_error() {
    let system = System::formula("a*x").unwrap();
    let outputs = [system.outputs()[0].1];
    let error = lower(&system.graph, &[&outputs], &[Binding::uniform("a", false)]).err();
    assert_eq!(error.map(|e| e.code), Some("unbound-symbol"));
}

#[test]
fn the_edge_costs_nothing_where_columns_are_positive() {
    let laws: [(&str, &[&str]); 6] = [
        (
            "log(E + A/N**alpha + B/D**beta) - log(L)",
            &["E", "A", "alpha", "B", "beta"],
        ),
        ("E + A*(X/d)**c", &["A", "d", "c"]),
        ("a/(1 + b*X**c)", &["a", "b", "c"]),
        ("b*(X + 2)**c", &["b", "c"]),
        ("E + A/max(N/D, 1)**alpha", &["E", "A", "alpha"]),
        ("sqrt(a*X + b) + exp(-a*X)", &["a", "b"]),
    ];
    for (text, parameters) in &laws {
        let law = lowered(text, parameters);
        for code in [Code::EdgeLog, Code::EdgeReciprocal, Code::EdgeProduct] {
            for stage in [Stage::Varying, Stage::Prepared] {
                assert_eq!(count(&law, code, stage), 0, "{text}");
            }
        }
    }
}
