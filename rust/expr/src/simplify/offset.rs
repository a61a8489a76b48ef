//! Sums with a constant, so that constants meet: `(x - 1) - 1` is `x - 2`.

use crate::graph::{Graph, Node, NodeId};
use crate::op::Op;

/// `constant + base`, or `constant - base`; the base is missing where there is only the constant.
pub(super) struct Offset {
    pub(super) negative: bool,
    pub(super) base: Option<NodeId>,
    pub(super) constant: f64,
}

impl Graph {
    /// `x + value`, where `x` itself is a sum with a constant.
    pub(super) fn shifted(&mut self, x: NodeId, value: f64, budget: u32) -> Option<NodeId> {
        let Offset {
            negative,
            base: Some(base),
            constant,
        } = self.offset(x)
        else {
            return None;
        };
        if constant == 0.0 || !(constant + value).is_finite() {
            return None;
        }
        if negative {
            let constant = self.constant(constant + value);
            return Some(self.binary_within(Op::Sub, constant, base, budget));
        }
        if constant + value < 0.0 {
            let constant = self.constant(-(constant + value));
            return Some(self.binary_within(Op::Sub, base, constant, budget));
        }
        let constant = self.constant(constant + value);
        Some(self.binary_within(Op::Add, base, constant, budget))
    }

    /// An expression as a constant plus or minus something else.
    pub(super) fn offset(&self, id: NodeId) -> Offset {
        let plain = |negative, base, constant| Offset {
            negative,
            base: Some(base),
            constant,
        };
        if let Some(constant) = self.constant_value(id) {
            return Offset {
                negative: false,
                base: None,
                constant,
            };
        }
        match self.node(id) {
            Node::Unary(Op::Neg, x) => match self.offset_of_sum(x) {
                Some((base, constant)) => plain(true, base, -constant),
                None => plain(true, x, 0.0),
            },
            Node::Binary(Op::Sub, c, x) if self.constant_value(c).is_some() => {
                plain(true, x, self.constant_value(c).unwrap_or(0.0))
            }
            _ => match self.offset_of_sum(id) {
                Some((base, constant)) => plain(false, base, constant),
                None => plain(false, id, 0.0),
            },
        }
    }

    fn offset_of_sum(&self, id: NodeId) -> Option<(NodeId, f64)> {
        match self.node(id) {
            Node::Binary(Op::Sub, x, c) => Some((x, -self.constant_value(c)?)),
            Node::Binary(Op::Add, x, y) => match self.constant_value(x) {
                Some(constant) => Some((y, constant)),
                None => Some((x, self.constant_value(y)?)),
            },
            _ => None,
        }
    }
}
