//! Sums of power terms read from a graph: c₀ + Σ cᵢ·N^xᵢ·D^yᵢ, with coefficients and exponents free of N and D.
//!
//! In: a graph, a node, the two free symbols. Out: for each node that is such a sum, its terms, as nodes of the same
//! graph. `A/N**alpha`, `(N_c/N)**(aN/aD)` and `exp(a - alpha*log(N))` are all one power term. Terms are read under
//! the premise N > 0 and D > 0.

#[cfg(test)]
mod tests;

use std::collections::HashMap;

use scalefast_expr::{Graph, Node, NodeId, Op, SymbolId};

/// More terms than this are no law with a closed form; the limit keeps long sums from being copied for ever.
const MAX_TERMS: usize = 8;

/// One term: `coefficient · first**exponents[0] · second**exponents[1]`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Term {
    /// A node free of both symbols.
    pub coefficient: NodeId,
    /// Nodes free of both symbols.
    pub exponents: [NodeId; 2],
}

/// A constant and power terms.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Sum {
    /// A node free of both symbols.
    pub constant: NodeId,
    /// Terms that depend on a free symbol.
    pub terms: Vec<Term>,
}

/// One operation on the way from an inner expression to an outer one; the other argument is free of both symbols.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Layer {
    /// `op(inner)`.
    Unary(Op),
    /// `inner op other`.
    Left(Op, NodeId),
    /// `other op inner`.
    Right(Op, NodeId),
}

/// `constant + slopes[0]·ln(first) + slopes[1]·ln(second)`.
#[derive(Clone, Copy)]
struct LogAffine {
    constant: NodeId,
    slopes: [NodeId; 2],
}

/// Reads the nodes of one graph.
pub(super) struct Reader<'g> {
    graph: &'g mut Graph,
    free: [SymbolId; 2],
    zero: NodeId,
    one: NodeId,
    sums: HashMap<NodeId, Sum>,
    logs: HashMap<NodeId, LogAffine>,
}

impl<'g> Reader<'g> {
    /// Reads `root` and everything below it.
    pub fn new(graph: &'g mut Graph, free: [SymbolId; 2], root: NodeId) -> Self {
        let (zero, one) = (graph.constant(0.0), graph.constant(1.0));
        let order = graph.topological(root);
        let mut reader = Reader {
            graph,
            free,
            zero,
            one,
            sums: HashMap::new(),
            logs: HashMap::new(),
        };
        for id in order {
            if let Some(sum) = reader.read_sum(id) {
                reader.sums.insert(id, sum);
            }
            if let Some(log) = reader.read_log(id) {
                reader.logs.insert(id, log);
            }
        }
        reader
    }

    /// The node as a sum of power terms.
    pub fn sum(&self, id: NodeId) -> Option<&Sum> {
        self.sums.get(&id)
    }

    /// The node as one power term.
    pub fn term(&self, id: NodeId) -> Option<Term> {
        let sum = self.sums.get(&id)?;
        match sum.terms.as_slice() {
            [] => Some(Term {
                coefficient: sum.constant,
                exponents: [self.zero; 2],
            }),
            [term] if sum.constant == self.zero => Some(*term),
            _ => None,
        }
    }

    /// Whether a node depends on neither free symbol, as far as the sums show.
    pub fn is_constant(&self, id: NodeId) -> bool {
        self.sums.get(&id).is_some_and(|sum| sum.terms.is_empty())
    }

    /// The outermost operation of a node and what it acts on, where it is strictly monotone in that one argument on
    /// the argument's domain.
    pub fn layer(&self, id: NodeId) -> Option<(Layer, NodeId)> {
        match self.graph.node(id) {
            Node::Unary(op, a) => matches!(
                op,
                Op::Neg
                    | Op::Exp
                    | Op::Log
                    | Op::Log2
                    | Op::Log10
                    | Op::Log1p
                    | Op::Expm1
                    | Op::Sqrt
                    | Op::Arctan
                    | Op::Tanh
                    | Op::Sigmoid
            )
            .then_some((Layer::Unary(op), a)),
            Node::Binary(op @ (Op::Add | Op::Sub | Op::Mul | Op::Div | Op::Pow), a, b) => {
                match (self.is_constant(a), self.is_constant(b)) {
                    (false, true) => Some((Layer::Left(op, b), a)),
                    (true, false) => Some((Layer::Right(op, a), b)),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    /// Whether an exponent is the number 0.
    pub fn is_zero(&self, exponent: NodeId) -> bool {
        exponent == self.zero
    }

    fn constant_sum(&self, id: NodeId) -> Sum {
        Sum {
            constant: id,
            terms: Vec::new(),
        }
    }

    fn single(&self, coefficient: NodeId, exponents: [NodeId; 2]) -> Sum {
        if exponents == [self.zero; 2] {
            return self.constant_sum(coefficient);
        }
        Sum {
            constant: self.zero,
            terms: vec![Term {
                coefficient,
                exponents,
            }],
        }
    }

    fn build(&mut self, op: Op, a: NodeId, b: NodeId) -> NodeId {
        self.graph.build_binary(op, a, b)
    }

    fn negated(&mut self, a: NodeId) -> NodeId {
        self.graph.build_unary(Op::Neg, a)
    }

    fn read_sum(&mut self, id: NodeId) -> Option<Sum> {
        match self.graph.node(id) {
            Node::Constant(_) => Some(self.constant_sum(id)),
            Node::Symbol(symbol) => Some(match self.free.iter().position(|free| *free == symbol) {
                Some(0) => self.single(self.one, [self.one, self.zero]),
                Some(_) => self.single(self.one, [self.zero, self.one]),
                None => self.constant_sum(id),
            }),
            Node::Unary(op, a) => self.read_unary(id, op, a),
            Node::Binary(op, a, b) => self.read_binary(id, op, a, b),
        }
    }

    fn read_unary(&mut self, id: NodeId, op: Op, a: NodeId) -> Option<Sum> {
        if self.is_constant(a) {
            return Some(self.constant_sum(id));
        }
        match op {
            Op::Neg => {
                let sum = self.sums.get(&a)?.clone();
                let minus = self.graph.constant(-1.0);
                Some(self.scaled(sum, |reader, c| reader.build(Op::Mul, minus, c)))
            }
            Op::Sqrt => {
                let term = self.term(a)?;
                let half = self.graph.constant(0.5);
                Some(self.power(term, half))
            }
            Op::Exp => {
                let log = *self.logs.get(&a)?;
                let coefficient = self.graph.build_unary(Op::Exp, log.constant);
                Some(self.single(coefficient, log.slopes))
            }
            _ => None,
        }
    }

    fn read_binary(&mut self, id: NodeId, op: Op, a: NodeId, b: NodeId) -> Option<Sum> {
        if self.is_constant(a) && self.is_constant(b) {
            return Some(self.constant_sum(id));
        }
        match op {
            Op::Add | Op::Sub => {
                let (left, right) = (self.sums.get(&a)?.clone(), self.sums.get(&b)?.clone());
                let constant = self.build(op, left.constant, right.constant);
                let mut terms = left.terms;
                for mut term in right.terms {
                    if op == Op::Sub {
                        term.coefficient = self.negated(term.coefficient);
                    }
                    match terms
                        .iter()
                        .position(|other| other.exponents == term.exponents)
                    {
                        Some(k) => {
                            terms[k].coefficient =
                                self.build(Op::Add, terms[k].coefficient, term.coefficient);
                        }
                        None => terms.push(term),
                    }
                }
                (terms.len() <= MAX_TERMS).then_some(Sum { constant, terms })
            }
            Op::Mul | Op::Div => {
                if self.is_constant(b) {
                    let sum = self.sums.get(&a)?.clone();
                    return Some(self.scaled(sum, |reader, c| reader.build(op, c, b)));
                }
                if op == Op::Mul && self.is_constant(a) {
                    let sum = self.sums.get(&b)?.clone();
                    return Some(self.scaled(sum, |reader, c| reader.build(op, a, c)));
                }
                let (left, right) = (self.term(a)?, self.term(b)?);
                let coefficient = self.build(op, left.coefficient, right.coefficient);
                let joined = if op == Op::Mul { Op::Add } else { Op::Sub };
                let exponents =
                    [0, 1].map(|k| self.build(joined, left.exponents[k], right.exponents[k]));
                Some(self.single(coefficient, exponents))
            }
            Op::Pow if self.is_constant(b) => {
                let term = self.term(a)?;
                Some(self.power(term, b))
            }
            _ => None,
        }
    }

    fn scaled(&mut self, mut sum: Sum, factor: impl Fn(&mut Self, NodeId) -> NodeId) -> Sum {
        sum.constant = factor(self, sum.constant);
        for term in &mut sum.terms {
            term.coefficient = factor(self, term.coefficient);
        }
        sum
    }

    fn power(&mut self, term: Term, exponent: NodeId) -> Sum {
        let coefficient = self.build(Op::Pow, term.coefficient, exponent);
        let exponents = term.exponents.map(|e| self.build(Op::Mul, e, exponent));
        self.single(coefficient, exponents)
    }

    fn read_log(&mut self, id: NodeId) -> Option<LogAffine> {
        if self.is_constant(id) {
            return Some(LogAffine {
                constant: id,
                slopes: [self.zero; 2],
            });
        }
        match self.graph.node(id) {
            Node::Unary(Op::Log, a) => {
                let term = self.term(a)?;
                let constant = self.graph.build_unary(Op::Log, term.coefficient);
                Some(LogAffine {
                    constant,
                    slopes: term.exponents,
                })
            }
            Node::Unary(Op::Neg, a) => {
                let log = *self.logs.get(&a)?;
                let constant = self.negated(log.constant);
                Some(LogAffine {
                    constant,
                    slopes: log.slopes.map(|slope| self.negated(slope)),
                })
            }
            Node::Binary(op @ (Op::Add | Op::Sub), a, b) => {
                let (left, right) = (*self.logs.get(&a)?, *self.logs.get(&b)?);
                let constant = self.build(op, left.constant, right.constant);
                let slopes = [0, 1].map(|k| self.build(op, left.slopes[k], right.slopes[k]));
                Some(LogAffine { constant, slopes })
            }
            Node::Binary(op @ (Op::Mul | Op::Div), a, b) if self.is_constant(b) => {
                let log = *self.logs.get(&a)?;
                let constant = self.build(op, log.constant, b);
                Some(LogAffine {
                    constant,
                    slopes: log.slopes.map(|slope| self.build(op, slope, b)),
                })
            }
            Node::Binary(Op::Mul, a, b) if self.is_constant(a) => {
                let log = *self.logs.get(&b)?;
                let constant = self.build(Op::Mul, a, log.constant);
                Some(LogAffine {
                    constant,
                    slopes: log.slopes.map(|slope| self.build(Op::Mul, a, slope)),
                })
            }
            _ => None,
        }
    }
}
