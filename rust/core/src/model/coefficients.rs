//! A law with coefficients in place of their logarithms: `A*exp(z)` for `exp(a + z)`.
//!
//! In: a [`Model`]. Out: the same law in parameters that are more often linear, and which of them are so, for the search of
//! starts; the law that is fitted keeps its own parameters.

use super::{Free, Model, Programs};
use crate::parameter::Transform;
use scalefast_expr::{Graph, Node, NodeId, Op, SymbolId, math};
use std::collections::HashMap;
use std::sync::Arc;

impl Model {
    /// The same law with `exp(a + z)` written `A*exp(z)` wherever `a` stands in such places alone: its parameters `a` are then
    /// logarithms of the new ones, which are positive and often linear. `None` where there are none.
    pub(crate) fn with_coefficients(&self) -> Option<(Model, Vec<bool>)> {
        let mut graph = self.graph.clone();
        let mut value = self.value;
        let mut logarithms = vec![false; self.p()];
        let mut free = self.free.clone();
        for (j, parameter) in self.free.iter().enumerate() {
            if parameter.level.is_some() || parameter.transform != Transform::Auto {
                continue;
            }
            let Some(symbol) = graph.symbol_id(&parameter.name) else {
                continue;
            };
            let name = format!("$exp {}", parameter.name);
            let coefficient = graph.symbol(&name);
            let pulled = pull_out(&mut graph, value, symbol, coefficient);
            if graph.depends_on(pulled, symbol) {
                continue;
            }
            value = pulled;
            logarithms[j] = true;
            let positive = |bounds: Option<(f64, f64)>| {
                bounds.map(|(low, high)| (math::exp(low), math::exp(high)))
            };
            free[j] = Free {
                name,
                bounds: Some(positive(parameter.bounds).unwrap_or((0.0, f64::INFINITY))),
                range: positive(parameter.range),
                ..parameter.clone()
            };
        }
        if !logarithms.contains(&true) {
            return None;
        }
        let mut model = Self {
            graph,
            value,
            free,
            compiled: Programs::default(),
            kinds: Arc::default(),
            ..self.clone()
        };
        model.linear = model.linear_block();
        Some((model, logarithms))
    }
}

/// The expression with every `exp(… ± symbol …)` replaced by `coefficient^±1 × exp(…)`.
fn pull_out(graph: &mut Graph, root: NodeId, symbol: SymbolId, coefficient: NodeId) -> NodeId {
    let nodes = graph.topological(root);
    let mut replaced: HashMap<NodeId, NodeId> = HashMap::new();
    for node in nodes {
        let of = |n: NodeId, replaced: &HashMap<NodeId, NodeId>| *replaced.get(&n).unwrap_or(&n);
        let new = match graph.node(node) {
            Node::Constant(_) | Node::Symbol(_) => node,
            Node::Unary(Op::Exp, argument) => {
                let inner = of(argument, &replaced);
                match without(graph, inner, symbol) {
                    Some((rest, sign)) => {
                        let kept = graph.build_unary(Op::Exp, rest);
                        if sign > 0.0 {
                            graph.build_binary(Op::Mul, coefficient, kept)
                        } else {
                            graph.build_binary(Op::Div, kept, coefficient)
                        }
                    }
                    None => graph.build_unary(Op::Exp, inner),
                }
            }
            Node::Unary(op, a) => {
                let a = of(a, &replaced);
                graph.build_unary(op, a)
            }
            Node::Binary(op, a, b) => {
                let (a, b) = (of(a, &replaced), of(b, &replaced));
                graph.build_binary(op, a, b)
            }
        };
        replaced.insert(node, new);
    }
    replaced.get(&root).copied().unwrap_or(root)
}

/// A sum without the symbol that stands in it once as a term of its own, and the sign of that term.
fn without(graph: &mut Graph, sum: NodeId, symbol: SymbolId) -> Option<(NodeId, f64)> {
    let zero = graph.constant(0.0);
    match graph.node(sum) {
        Node::Symbol(s) if s == symbol => Some((zero, 1.0)),
        Node::Unary(Op::Neg, a) => {
            let (rest, sign) = without(graph, a, symbol)?;
            Some((graph.build_unary(Op::Neg, rest), -sign))
        }
        Node::Binary(op @ (Op::Add | Op::Sub), a, b) => {
            let flip = if op == Op::Sub { -1.0 } else { 1.0 };
            match (graph.depends_on(a, symbol), graph.depends_on(b, symbol)) {
                (true, false) => {
                    let (rest, sign) = without(graph, a, symbol)?;
                    Some((graph.build_binary(op, rest, b), sign))
                }
                (false, true) => {
                    let (rest, sign) = without(graph, b, symbol)?;
                    Some((graph.build_binary(op, a, rest), flip * sign))
                }
                _ => None,
            }
        }
        _ => None,
    }
}
