//! What is wrong with a row, in words.

use std::fmt;

use super::signs::Signs;
use super::{Analysis, Part};
use crate::graph::{Node, NodeId};
use crate::op::{Domain, Op};

/// Why a formula is undefined.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Fault {
    /// The part whose value is at fault, as text.
    pub subject: String,
    /// Its name, where it is a symbol.
    pub symbol: Option<String>,
    /// What it must be: `positive`, `zero or positive`, `other than zero`, `above -1`.
    pub must: &'static str,
    /// What the formula does with it: `takes log(x)`.
    pub because: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Fault {
            subject,
            must,
            because,
            ..
        } = self;
        write!(f, "{subject} must be {must} because the law {because}")
    }
}

impl Analysis<'_> {
    /// The fault of a part that is undefined, given what is known of its arguments.
    pub(super) fn fault(&self, parts: &[Part], id: NodeId) -> Fault {
        let text = self.graph.print(id);
        let (argument, must, because) = match self.graph.node(id) {
            Node::Binary(Op::Div, _, divisor) => {
                let divisor_text = self.graph.print(divisor);
                (
                    divisor,
                    "other than zero",
                    format!("divides by {divisor_text}"),
                )
            }
            Node::Binary(_, base, exponent) => {
                let usual = parts[exponent.index()].usual;
                let must = if usual == Signs::NEGATIVE {
                    "positive"
                } else {
                    "zero or positive"
                };
                (base, must, format!("takes {text}"))
            }
            Node::Unary(op, argument) => {
                let must = match op.info().domain {
                    Domain::NonNegative => "zero or positive",
                    Domain::AboveMinusOne => "above -1",
                    _ => "positive",
                };
                (argument, must, format!("takes {text}"))
            }
            _ => (id, "a number", format!("takes {text}")),
        };
        let (subject, must) = self.cause(parts, argument, must);
        let symbol = match self.graph.node(subject) {
            Node::Symbol(symbol) => Some(self.graph.symbol_name(symbol).to_owned()),
            _ => None,
        };
        Fault {
            subject: self.graph.print(subject),
            symbol,
            must,
            because,
        }
    }

    /// What makes a part zero: the factor of a product, the base of a power.
    fn cause(&self, parts: &[Part], mut id: NodeId, must: &'static str) -> (NodeId, &'static str) {
        let mut must = must;
        let is_zero = |id: NodeId| parts[id.index()].signs == Signs::ZERO;
        while is_zero(id) {
            id = match self.graph.node(id) {
                Node::Binary(Op::Mul, a, b) => {
                    if is_zero(a) {
                        a
                    } else {
                        b
                    }
                }
                Node::Binary(Op::Div, a, _) | Node::Unary(Op::Neg, a) => a,
                Node::Binary(Op::Pow, base, _) => {
                    must = "positive";
                    base
                }
                _ => break,
            };
        }
        (id, must)
    }
}
