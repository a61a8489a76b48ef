//! Factors that a numerator and a denominator have in common.

use crate::graph::{Graph, Node, NodeId};
use crate::op::Op;

/// How deep in a product a factor is looked for to be cancelled.
pub(super) const DEPTH: u32 = 6;

impl Graph {
    /// `a/b` without `b`, where `b` is a factor of `a`; a power of one less cancels to `1/base`.
    pub(super) fn cancelled(
        &mut self,
        a: NodeId,
        b: NodeId,
        depth: u32,
        budget: u32,
    ) -> Option<NodeId> {
        if a == b {
            return Some(self.constant(1.0));
        }
        if depth == 0 {
            return None;
        }
        if let Node::Binary(Op::Mul, x, y) = self.node(b)
            && let Some(quotient) = self.cancelled(a, x, depth - 1, budget)
            && let Some(quotient) = self.cancelled(quotient, y, depth - 1, budget)
        {
            return Some(quotient);
        }
        match self.node(a) {
            Node::Unary(Op::Neg, x) => {
                let quotient = self.cancelled(x, b, depth - 1, budget)?;
                Some(self.unary_within(Op::Neg, quotient, budget))
            }
            Node::Binary(Op::Mul, x, y) => {
                if let Some(quotient) = self.cancelled(x, b, depth - 1, budget) {
                    return Some(self.binary_within(Op::Mul, quotient, y, budget));
                }
                let quotient = self.cancelled(y, b, depth - 1, budget)?;
                Some(self.binary_within(Op::Mul, x, quotient, budget))
            }
            Node::Binary(Op::EdgeProduct, x, y) => {
                let quotient = self.cancelled(y, b, depth - 1, budget)?;
                Some(self.binary_within(Op::EdgeProduct, x, quotient, budget))
            }
            Node::Binary(Op::Div, x, y) => {
                let quotient = self.cancelled(x, b, depth - 1, budget)?;
                Some(self.binary_within(Op::Div, quotient, y, budget))
            }
            Node::Binary(Op::Pow, base, less) => match self.node(b) {
                Node::Binary(Op::Pow, other, exponent)
                    if other == base && self.is_one_less(less, exponent) =>
                {
                    let one = self.constant(1.0);
                    Some(self.binary_within(Op::Div, one, base, budget))
                }
                _ => None,
            },
            _ => None,
        }
    }

    fn is_one_less(&self, less: NodeId, exponent: NodeId) -> bool {
        let (less, exponent) = (self.offset(less), self.offset(exponent));
        (less.negative, less.base) == (exponent.negative, exponent.base)
            && less.constant == exponent.constant - 1.0
    }
}
