//! Random expressions and the one comparison of numbers that these tests share.

use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use scalefast_expr::{Graph, Node, NodeId, Op};

/// Names of the symbols in random expressions; the last ones need backquotes.
pub const NAMES: [&str; 6] = ["N", "alpha", "x_1", "a.b", "eval/loss", "exp"];

/// Reproducible cases: the same expressions in every run.
pub fn seeded(cases: u32) -> ProptestConfig {
    ProptestConfig {
        cases,
        max_global_rejects: 200_000,
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(20_240_229),
        ..ProptestConfig::default()
    }
}

/// Whether two numbers agree to a tolerance relative to `scale`; NaN agrees with nothing.
pub fn agrees(actual: f64, expected: f64, scale: f64, tolerance: f64) -> bool {
    (actual - expected).abs() <= tolerance * scale.abs().max(actual.abs()).max(expected.abs())
}

/// One step in the construction of a random expression.
#[derive(Clone, Debug)]
pub struct Step {
    kind: u8,
    op: usize,
    left: usize,
    right: usize,
    number: f64,
}

/// The construction of a random expression, possibly with shared parts.
pub fn steps(number: impl Strategy<Value = f64> + Clone) -> impl Strategy<Value = Vec<Step>> {
    let step = (0u8..8, 0usize..64, 0usize..4, 0usize..8, number);
    let step = step.prop_map(|(kind, op, left, right, number)| Step {
        kind,
        op,
        left,
        right,
        number,
    });
    prop::collection::vec(step, 1..24)
}

/// Builds the expression: each step makes a leaf, or applies an operator to recent results.
pub fn build(graph: &mut Graph, steps: &[Step]) -> NodeId {
    let ops: Vec<Op> = Op::ALL
        .iter()
        .copied()
        .filter(|op| !op.info().internal)
        .collect();
    let mut results = vec![graph.symbol(NAMES[0])];
    for step in steps {
        let recent = |back: usize| results[results.len() - 1 - back % results.len()];
        let made = match step.kind {
            0 => graph.constant(step.number),
            1 | 2 => graph.symbol(NAMES[step.op % NAMES.len()]),
            _ => {
                let op = ops[step.op % ops.len()];
                match op.info().arity {
                    1 => graph.unary(op, recent(step.left)),
                    _ => graph.binary(op, recent(step.left), recent(step.right)),
                }
            }
        };
        results.push(made);
    }
    results[results.len() - 1]
}

/// The greatest absolute value of any part of an expression, or NaN if a part is no finite number.
pub fn magnitude(graph: &Graph, root: NodeId, values: &[f64]) -> f64 {
    let mut greatest: f64 = 1.0;
    for id in graph.topological(root) {
        let value = graph.evaluate(id, values);
        let comparison = matches!(graph.node(id), Node::Binary(Op::LessEqual, ..));
        if !value.is_finite() && !comparison {
            return f64::NAN;
        }
        greatest = greatest.max(value.abs());
    }
    greatest
}

#[test]
fn agreement_sees_errors_of_both_signs() {
    assert!(agrees(1.0 + 1e-12, 1.0, 0.0, 1e-9) && agrees(1.0 - 1e-12, 1.0, 0.0, 1e-9));
    assert!(!agrees(1.0 + 1e-6, 1.0, 0.0, 1e-9) && !agrees(1.0 - 1e-6, 1.0, 0.0, 1e-9));
    assert!(!agrees(f64::NAN, 1.0, 1.0, 1.0) && !agrees(1.0, f64::NAN, 1.0, 1.0));
}
