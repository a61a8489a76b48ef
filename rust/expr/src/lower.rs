//! Lowering: from the graph to the values that programs compute.
//!
//! Stage: after simplification, before scheduling. In: a graph, outputs, bindings; out: [`Values`] and the value of
//! each output.

use crate::binding::{Binding, Rate};
use crate::error::FormulaError;
use crate::eval::code::Code;
use crate::graph::{Graph, Node, NodeId};
use crate::op::Op;
use crate::values::{Stage, Term, Value, Values};

/// The values of a family of programs.
pub(crate) struct Lowered {
    pub(crate) values: Values,
    /// One value an output, grouped as the programs are.
    pub(crate) outputs: Vec<Vec<Value>>,
}

/// The code of a plain operator.
fn code(op: Op) -> Code {
    match op {
        Op::Add => Code::Add,
        Op::Sub => Code::Sub,
        Op::Mul => Code::Mul,
        Op::Div => Code::Div,
        Op::Pow => Code::Pow,
        Op::Min => Code::Min,
        Op::Max => Code::Max,
        Op::Neg => Code::Neg,
        Op::Exp => Code::Exp,
        Op::Log => Code::Log,
        Op::Log2 => Code::Log2,
        Op::Log10 => Code::Log10,
        Op::Log1p => Code::Log1p,
        Op::Expm1 => Code::Expm1,
        Op::Sqrt => Code::Sqrt,
        Op::Abs => Code::Abs,
        Op::Sin => Code::Sin,
        Op::Cos => Code::Cos,
        Op::Tan => Code::Tan,
        Op::Arctan => Code::Arctan,
        Op::Tanh => Code::Tanh,
        Op::Sigmoid => Code::Sigmoid,
        Op::Sign => Code::Sign,
        Op::LessEqual => Code::LessEqual,
    }
}

/// Lowers the outputs of all programs together, so that they share every value.
pub(crate) fn lower(
    graph: &Graph,
    output_sets: &[&[NodeId]],
    bindings: &[Binding],
) -> Result<Lowered, FormulaError> {
    let roots: Vec<NodeId> = output_sets.concat();
    let reached = graph.reachable(&roots);
    let mut values = Values::default();
    let mut lowered: Vec<Option<Value>> = vec![None; reached.len()];
    let mut positive = vec![false; reached.len()];
    for index in (0..reached.len()).filter(|&index| reached[index]) {
        let at = |id: NodeId, lowered: &[Option<Value>]| {
            lowered[id.index()].unwrap_or_else(|| unreachable!())
        };
        let (value, is_positive) = match graph.node(NodeId::from_index(index)) {
            Node::Constant(bits) => {
                let number = f64::from_bits(bits);
                (values.constant(number), number > 0.0)
            }
            Node::Symbol(symbol) => leaf(&mut values, graph.symbol_name(symbol), bindings)?,
            Node::Unary(op, a) => {
                let value = values.unary(code(op), at(a, &lowered));
                (
                    value,
                    op == Op::Exp || (op == Op::Sqrt && positive[a.index()]),
                )
            }
            Node::Binary(Op::Pow, a, b) => {
                let (base, exponent) = (at(a, &lowered), at(b, &lowered));
                let both = positive[a.index()] && values.stage(base) == Stage::Prepared;
                let value = if both {
                    let log = values.unary(Code::Log, base);
                    let product = values.binary(Code::Mul, log, exponent);
                    values.unary(Code::Exp, product)
                } else {
                    values.binary(Code::Pow, base, exponent)
                };
                (value, positive[a.index()])
            }
            Node::Binary(op, a, b) => {
                let value = values.binary(code(op), at(a, &lowered), at(b, &lowered));
                let both = positive[a.index()] && positive[b.index()];
                (value, both && matches!(op, Op::Add | Op::Mul | Op::Div))
            }
        };
        lowered[index] = Some(value);
        positive[index] = is_positive;
    }
    let outputs = output_sets
        .iter()
        .map(|set| set.iter().filter_map(|id| lowered[id.index()]).collect())
        .collect();
    Ok(Lowered { values, outputs })
}

/// The value of a symbol, and whether it is proven positive.
fn leaf(
    values: &mut Values,
    name: &str,
    bindings: &[Binding],
) -> Result<(Value, bool), FormulaError> {
    let Some(binding) = bindings.iter().find(|binding| binding.name == name) else {
        return Err(FormulaError::new(
            "unbound-symbol",
            format!("the symbol `{name}` has no value"),
        ));
    };
    let before = |varying: bool| {
        bindings
            .iter()
            .take_while(|other| other.name != name)
            .filter(|other| match other.rate {
                Rate::Varying => varying,
                Rate::Uniform => !varying,
                Rate::Constant(_) => false,
            })
            .count() as u32
    };
    let value = match binding.rate {
        Rate::Constant(number) => values.constant(number),
        Rate::Uniform => values.leaf(Term::Uniform(before(false)), Stage::Uniform),
        Rate::Varying if binding.prepared => {
            values.leaf(Term::Input(before(true)), Stage::Prepared)
        }
        Rate::Varying => values.leaf(Term::Input(before(true)), Stage::Varying),
    };
    Ok((value, binding.positive))
}
