//! Lowering: from the graph to the values that programs compute.
//!
//! Stage: after simplification, before scheduling. In: a graph, the outputs of each program, bindings; out: [`Values`]
//! and the value of each output. In three steps: [`forms`] brings the graph into normal form, [`share`] finds what the
//! products have in common, [`emit`] writes both down as operations.
//!
//! All programs of a family are lowered together, so that an output has the same bits in each of them.

mod emit;
mod forms;
mod id;
mod plan;
mod product;
mod share;
#[cfg(test)]
mod tests;
pub(crate) mod values;

use crate::binding::{Binding, Rate};
use crate::error::FormulaError;
use crate::graph::{Graph, Node, NodeId};
use forms::{Form, Forms};
use id::FormId;
use values::{Stage, Value, Values};

/// The values of a family of programs.
pub(crate) struct Lowered {
    pub(crate) values: Values,
    /// One value an output, grouped as the programs are.
    pub(crate) outputs: Vec<Vec<Value>>,
}

/// Lowers the outputs of all programs.
pub(crate) fn lower(
    graph: &Graph,
    output_sets: &[&[NodeId]],
    bindings: &[Binding],
) -> Result<Lowered, FormulaError> {
    let reached = graph.reachable(&output_sets.concat());
    let mut forms = Forms::default();
    // Nodes that no output is made of keep the place of this one.
    let nothing = forms.constant(0.0);
    let mut place = vec![nothing; reached.len()];
    for index in (0..reached.len()).filter(|&index| reached[index]) {
        place[index] = match graph.node(NodeId::from_index(index)) {
            Node::Constant(bits) => forms.constant(f64::from_bits(bits)),
            Node::Symbol(symbol) => leaf(&mut forms, graph.symbol_name(symbol), bindings)?,
            Node::Unary(op, a) => forms.unary(op, place[a.index()]),
            Node::Binary(op, a, b) => forms.binary(op, place[a.index()], place[b.index()]),
        };
    }
    let outputs: Vec<Vec<FormId>> = output_sets
        .iter()
        .map(|set| set.iter().map(|id| place[id.index()]).collect())
        .collect();
    let (values, place) = emit::emit(&forms, &outputs);
    let outputs = outputs
        .iter()
        .map(|set| set.iter().map(|id| place[id.index()]).collect())
        .collect();
    Ok(Lowered { values, outputs })
}

/// The form of a symbol.
fn leaf(forms: &mut Forms, name: &str, bindings: &[Binding]) -> Result<FormId, FormulaError> {
    let Some(binding) = bindings.iter().find(|binding| binding.name == name) else {
        return Err(FormulaError::new(
            "unbound-symbol",
            format!("the symbol `{name}` has no value"),
        ));
    };
    let place = |like: fn(&Rate) -> bool| {
        let before = bindings.iter().take_while(|other| other.name != name);
        before.filter(|other| like(&other.rate)).count() as u32
    };
    let (form, stage) = match binding.rate {
        Rate::Constant(number) => return Ok(forms.constant(number)),
        Rate::Uniform => (
            Form::Uniform(place(|rate| matches!(rate, Rate::Uniform))),
            Stage::Uniform,
        ),
        Rate::Varying => (
            Form::Input(place(|rate| matches!(rate, Rate::Varying))),
            if binding.prepared {
                Stage::Prepared
            } else {
                Stage::Varying
            },
        ),
    };
    Ok(forms.leaf(form, stage, binding.positive))
}
