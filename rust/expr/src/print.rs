//! Graph to text: the inverse of the parser.
//!
//! In: a node. Out: a formula with no more parentheses than it needs, which parses to the same
//! node bit for bit (unless it holds operators that appear only in derivatives, or numbers that are
//! not finite).

use crate::graph::{Graph, Node, NodeId};
use crate::lexer::is_plain_name;
use crate::op::{Notation, Op, PREFIX_PRECEDENCE};

/// Longest text that is written, in bytes. Shared subexpressions are written out each time, so a
/// small graph can have a text of astronomical length.
const MAX_LENGTH: usize = 1_000_000;

/// Binding strength of what needs no parentheses anywhere.
const ATOM: u8 = 5;

/// What is still to be written, last first.
enum Piece {
    Text(&'static str),
    /// A node, in parentheses if it binds less tightly than this.
    Node(NodeId, u8),
    /// A node in parentheses.
    Enclosed(NodeId),
}

impl Graph {
    /// The expression as text, which parses to the same node.
    ///
    /// A text beyond a million bytes is cut and ends with `…`.
    ///
    /// ```
    /// use scalefast_expr::System;
    /// let system = System::formula("E+(A / (N**alpha))")?;
    /// assert_eq!(system.graph.print(system.outputs()[0].1), "E + A/N**alpha");
    /// # Ok::<(), scalefast_expr::FormulaError>(())
    /// ```
    pub fn print(&self, root: NodeId) -> String {
        let mut text = String::new();
        let mut pieces = vec![Piece::Node(root, 0)];
        while let Some(piece) = pieces.pop() {
            if text.len() > MAX_LENGTH {
                text.push('…');
                break;
            }
            match piece {
                Piece::Text(piece) => text.push_str(piece),
                Piece::Enclosed(id) => {
                    text.push('(');
                    pieces.extend([Piece::Text(")"), Piece::Node(id, 0)]);
                }
                Piece::Node(id, least) if self.precedence(id) < least => {
                    pieces.push(Piece::Enclosed(id));
                }
                Piece::Node(id, _) => self.print_node(id, &mut text, &mut pieces),
            }
        }
        text
    }

    /// Writes what stands first and leaves the rest, in reverse order, on `pieces`.
    fn print_node(&self, id: NodeId, text: &mut String, pieces: &mut Vec<Piece>) {
        match self.node(id) {
            Node::Constant(bits) => text.push_str(&number(f64::from_bits(bits))),
            Node::Symbol(symbol) => text.push_str(&name(self.symbol_name(symbol))),
            Node::Unary(op, a) => match op.info().notation {
                Notation::Prefix { symbol, precedence } => {
                    text.push_str(symbol);
                    // A minus directly before a number would be read as part of the number.
                    let number = self.constant_value(a).is_some_and(f64::is_sign_positive);
                    pieces.push(if number {
                        Piece::Enclosed(a)
                    } else {
                        Piece::Node(a, precedence)
                    });
                }
                _ => {
                    text.push_str(op.info().name);
                    pieces.push(Piece::Enclosed(a));
                }
            },
            Node::Binary(op, a, b) => match op.info().notation {
                Notation::Infix {
                    symbol,
                    precedence,
                    right_associative,
                } => {
                    let loose = precedence + u8::from(!right_associative);
                    pieces.push(if self.keeps_minus_apart(op, b) {
                        Piece::Enclosed(b)
                    } else if right_associative {
                        Piece::Node(b, PREFIX_PRECEDENCE)
                    } else {
                        Piece::Node(b, loose)
                    });
                    let spaced = precedence == 1;
                    pieces.extend(spaced.then_some(Piece::Text(" ")));
                    pieces.push(Piece::Text(symbol));
                    pieces.extend(spaced.then_some(Piece::Text(" ")));
                    pieces.push(Piece::Node(a, precedence + u8::from(right_associative)));
                }
                _ => self.print_call(op, a, b, text, pieces),
            },
        }
    }

    /// A call of a function of several arguments; those that nest to the left are written as one.
    fn print_call(&self, op: Op, a: NodeId, b: NodeId, text: &mut String, pieces: &mut Vec<Piece>) {
        text.push_str(op.info().name);
        text.push('(');
        pieces.push(Piece::Text(")"));
        let (mut left, mut right) = (a, b);
        loop {
            pieces.extend([Piece::Node(right, 0), Piece::Text(", ")]);
            match self.node(left) {
                Node::Binary(inner, a, b) if inner == op && op.info().variadic => {
                    (left, right) = (a, b);
                }
                _ => break,
            }
        }
        pieces.push(Piece::Node(left, 0));
    }

    fn precedence(&self, id: NodeId) -> u8 {
        match self.node(id) {
            Node::Constant(bits) => {
                let value = f64::from_bits(bits);
                if value.is_finite() && value.is_sign_negative() {
                    PREFIX_PRECEDENCE
                } else {
                    ATOM
                }
            }
            Node::Symbol(_) => ATOM,
            Node::Unary(op, ..) | Node::Binary(op, ..) => match op.info().notation {
                Notation::Infix { precedence, .. } | Notation::Prefix { precedence, .. } => {
                    precedence
                }
                Notation::Function => ATOM,
            },
        }
    }

    /// Whether a right operand that begins with a minus is easier to read in parentheses.
    fn keeps_minus_apart(&self, op: Op, operand: NodeId) -> bool {
        match self.node(operand) {
            Node::Unary(Op::Neg, a) => op != Op::Pow || self.precedence(a) < ATOM,
            _ => op != Op::Pow && self.precedence(operand) == PREFIX_PRECEDENCE,
        }
    }
}

/// The shortest text that is read back as the same number.
fn number(value: f64) -> String {
    let size = value.abs();
    if size.to_bits() == std::f64::consts::PI.to_bits() {
        return if value < 0.0 { "-pi" } else { "pi" }.to_owned();
    }
    if value.is_nan() {
        return "(0/0)".to_owned();
    }
    if value.is_infinite() {
        return if value < 0.0 { "(-1/0)" } else { "(1/0)" }.to_owned();
    }
    if value == 0.0 || (1e-5..1e16).contains(&size) {
        format!("{value}")
    } else {
        format!("{value:e}")
    }
}

/// The name as it must be typed: in backquotes where it could be read as something else.
fn name(name: &str) -> String {
    if is_plain_name(name) && Op::function(name).is_none() && name != "pi" {
        name.to_owned()
    } else {
        format!("`{}`", name.replace('`', "``"))
    }
}
