//! A law taken apart: monotone layers around a constant, one power term of N and one of D; and the copying of
//! expressions between graphs that puts it together again.

use std::collections::HashMap;

use scalefast_expr::{Graph, Node, NodeId};

use super::monomial::{Layer, Reader, Term};

/// A law taken apart: monotone layers around `constant + terms[0] + terms[1]`.
pub(super) struct Split {
    layers: Vec<Layer>,
    pub constant: NodeId,
    /// The term of the first free symbol, then that of the second.
    pub terms: [Term; 2],
}

impl Split {
    /// Takes `root` apart; `None` where it has another shape.
    pub fn find(graph: &mut Graph, symbols: [u32; 2], root: NodeId) -> Option<Split> {
        let reader = Reader::new(graph, symbols, root);
        let mut layers = Vec::new();
        let mut at = root;
        let (constant, terms) = loop {
            if let Some(sum) = reader.sum(at) {
                let pure = |own: usize, other: usize| {
                    sum.terms.iter().find(|term| {
                        reader.is_zero(term.exponents[other])
                            && !reader.is_zero(term.exponents[own])
                    })
                };
                match (sum.terms.len(), pure(0, 1), pure(1, 0)) {
                    (2, Some(left), Some(right)) => break (sum.constant, [*left, *right]),
                    _ => return None,
                }
            }
            let (layer, inside) = reader.layer(at)?;
            layers.push(layer);
            at = inside;
        };
        Some(Split {
            layers,
            constant,
            terms,
        })
    }

    /// The law with `inner` in place of the sum.
    pub fn rebuild(&self, graph: &mut Graph, inner: NodeId) -> NodeId {
        self.layers
            .iter()
            .rev()
            .fold(inner, |inside, layer| match *layer {
                Layer::Unary(op) => graph.build_unary(op, inside),
                Layer::Left(op, other) => graph.build_binary(op, inside, other),
                Layer::Right(op, other) => graph.build_binary(op, other, inside),
            })
    }
}

/// Copies an expression of another graph, with `meanings` in place of the symbols that it names.
pub(super) fn import(
    graph: &mut Graph,
    other: &Graph,
    root: NodeId,
    meanings: &HashMap<&str, NodeId>,
) -> NodeId {
    let mut copies: HashMap<NodeId, NodeId> = HashMap::new();
    let mut last = root;
    for id in other.topological(root) {
        let copy = match other.node(id) {
            Node::Constant(bits) => graph.constant(f64::from_bits(bits)),
            Node::Symbol(symbol) => {
                let name = other.symbol_name(symbol);
                match meanings.get(name) {
                    Some(&node) => node,
                    None => graph.symbol(name),
                }
            }
            Node::Unary(op, a) => graph.build_unary(op, copies[&a]),
            Node::Binary(op, a, b) => graph.build_binary(op, copies[&a], copies[&b]),
        };
        copies.insert(id, copy);
        last = copy;
    }
    last
}
