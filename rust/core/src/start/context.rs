//! What a nonlinear parameter does in a formula: the place where it stands, read off the graph.
//!
//! In: a graph, its root, the symbols of variables and of parameters. Out: one [`Context`] for a parameter, in terms of the
//! monomial that it stands in (`parameter^degree × rest`) and of what that monomial is compared with.

use scalefast_expr::{Graph, Node, NodeId, Op, SymbolId};

/// Where a monomial or a bare number ends up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// In the argument of a function that saturates or explodes: `exp`, `sigmoid`, `tanh`, `log1p`, …
    Argument,
    /// In the argument of a function that oscillates.
    Phase,
    /// In an exponent.
    Exponent,
    /// In the base of a power, a divisor, a logarithm: compared with what it is added to.
    Base,
    /// In the value of the law itself.
    Value,
}

/// The power of a parameter that a term is proportional to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Degree {
    /// This number.
    Fixed(f64),
    /// What other parameters say, as `h` of `K^h`: read off the term's values.
    OfParameters,
}

impl Degree {
    /// That of a product.
    fn plus(self, other: Self) -> Self {
        match (self, other) {
            (Self::Fixed(x), Self::Fixed(y)) => Self::Fixed(x + y),
            _ => Self::OfParameters,
        }
    }

    /// That of a quotient.
    fn minus(self, other: Self) -> Self {
        match (self, other) {
            (Self::Fixed(x), Self::Fixed(y)) => Self::Fixed(x - y),
            _ => Self::OfParameters,
        }
    }

    /// That of a power, whose exponent is a number or not.
    fn times(self, exponent: Option<f64>) -> Self {
        match (self, exponent) {
            (Self::Fixed(0.0), _) => self,
            (Self::Fixed(x), Some(k)) => Self::Fixed(x * k),
            _ => Self::OfParameters,
        }
    }
}

/// How a nonlinear parameter is drawn.
#[derive(Clone, Debug)]
pub(super) enum Context {
    /// Multiplies something: `term = parameter^degree × rest`, where the term varies over the rows, or its degree is not 1;
    /// `sibling` is what the term is added to or compared with, where that varies or holds other parameters.
    Term {
        term: NodeId,
        degree: Degree,
        place: Place,
        sibling: Option<NodeId>,
    },
    /// Is added to, subtracted from (`sign` −1), or compared with `sibling`, which varies.
    Shift {
        sibling: NodeId,
        sign: f64,
        place: Place,
    },
    /// A pure number: an exponent, or what multiplies one.
    Number,
}

/// The facts about every node that the contexts of all parameters share.
pub(super) struct Reading<'g> {
    graph: &'g Graph,
    nodes: Vec<NodeId>,
    varies: Vec<bool>,
    parents: Vec<Vec<NodeId>>,
    root: NodeId,
}

impl<'g> Reading<'g> {
    pub(super) fn new(graph: &'g Graph, variables: &[SymbolId], root: NodeId) -> Self {
        let nodes = graph.topological(root);
        let mut varies = vec![false; graph.len()];
        let mut parents = vec![Vec::new(); graph.len()];
        for &node in &nodes {
            varies[node.index()] = match graph.node(node) {
                Node::Symbol(s) => variables.contains(&s),
                other => other.arguments().any(|a| varies[a.index()]),
            };
            for argument in graph.node(node).arguments() {
                parents[argument.index()].push(node);
            }
        }
        Self {
            graph,
            nodes,
            varies,
            parents,
            root,
        }
    }

    /// The context of one parameter: that of the first place that says most about its size.
    pub(super) fn context(&self, parameter: SymbolId) -> Context {
        let (depends, degree) = self.degrees(parameter);
        let monomial = |n: NodeId| {
            depends[n.index()] && degree[n.index()].is_some_and(|d| d != Degree::Fixed(0.0))
        };
        let mut shift = None;
        for &node in &self.nodes {
            if !monomial(node) {
                continue;
            }
            let above = &self.parents[node.index()];
            let maximal =
                node == self.root || above.iter().any(|&up| depends[up.index()] && !monomial(up));
            if !maximal {
                continue;
            }
            let degree = degree[node.index()].unwrap_or(Degree::Fixed(1.0));
            if self.varies[node.index()] {
                let (place, sibling) = self.place(node, &depends);
                return Context::Term {
                    term: node,
                    degree,
                    place,
                    sibling,
                };
            }
            if shift.is_none() {
                shift = self.shift(node, degree, &depends);
            }
        }
        shift.unwrap_or(Context::Number)
    }

    /// Which nodes depend on the parameter, and the power of it that each is proportional to.
    fn degrees(&self, parameter: SymbolId) -> (Vec<bool>, Vec<Option<Degree>>) {
        let mut degree: Vec<Option<Degree>> = vec![Some(Degree::Fixed(0.0)); self.graph.len()];
        let mut depends = vec![false; self.graph.len()];
        for &node in &self.nodes {
            let i = node.index();
            depends[i] = match self.graph.node(node) {
                Node::Symbol(s) => s == parameter,
                other => other.arguments().any(|a| depends[a.index()]),
            };
            if !depends[i] {
                continue;
            }
            degree[i] = match self.graph.node(node) {
                Node::Symbol(_) => Some(Degree::Fixed(1.0)),
                Node::Unary(Op::Neg, a) => degree[a.index()],
                Node::Binary(Op::Mul, a, b) => degree[a.index()]
                    .zip(degree[b.index()])
                    .map(|(x, y)| x.plus(y)),
                Node::Binary(Op::Div, a, b) => degree[a.index()]
                    .zip(degree[b.index()])
                    .map(|(x, y)| x.minus(y)),
                Node::Binary(Op::Pow, a, b) if !depends[b.index()] && !self.varies[b.index()] => {
                    degree[a.index()].map(|x| x.times(self.graph.constant_value(b)))
                }
                _ => None,
            };
        }
        (depends, degree)
    }

    /// The place of a monomial that does not vary, where it is added to or compared with something that does: a shift
    /// where it is the parameter times a number, else a term beside its sibling.
    fn shift(&self, node: NodeId, degree: Degree, depends: &[bool]) -> Option<Context> {
        for &up in &self.parents[node.index()] {
            let Node::Binary(op, a, b) = self.graph.node(up) else {
                continue;
            };
            if !matches!(op, Op::Add | Op::Sub | Op::Min | Op::Max) {
                continue;
            }
            let sibling = if a == node { b } else { a };
            if !self.varies[sibling.index()] {
                continue;
            }
            let place = if matches!(op, Op::Min | Op::Max) {
                Place::Value
            } else {
                self.place(up, depends).0
            };
            if degree != Degree::Fixed(1.0) {
                return Some(Context::Term {
                    term: node,
                    degree,
                    place,
                    sibling: Some(sibling),
                });
            }
            return Some(Context::Shift {
                sibling,
                sign: if op == Op::Add { 1.0 } else { -1.0 },
                place,
            });
        }
        None
    }

    /// Climbs from a node through sums and products to what its value is used for; what it is added to on the way.
    fn place(&self, from: NodeId, depends: &[bool]) -> (Place, Option<NodeId>) {
        let mut here = from;
        let mut sibling = None;
        loop {
            if here == self.root {
                return (Place::Value, sibling);
            }
            let above = &self.parents[here.index()];
            let Some(&up) = above
                .iter()
                .find(|up| depends[up.index()])
                .or(above.first())
            else {
                return (Place::Value, sibling);
            };
            match self.graph.node(up) {
                Node::Unary(op, _) => match op {
                    Op::Neg => {}
                    Op::Sin | Op::Cos | Op::Tan => return (Place::Phase, sibling),
                    Op::Log | Op::Log2 | Op::Log10 | Op::Sqrt => return (Place::Base, sibling),
                    Op::Abs => {}
                    _ => return (Place::Argument, sibling),
                },
                Node::Binary(Op::Pow, a, b) => {
                    if b == here && a != here {
                        return (Place::Exponent, sibling);
                    }
                    let even = self
                        .graph
                        .constant_value(b)
                        .is_some_and(|k| k.fract() == 0.0 && k > 0.0);
                    if !even {
                        return (Place::Base, sibling);
                    }
                }
                Node::Binary(Op::Div, _, b) if b == here => return (Place::Base, sibling),
                Node::Binary(Op::Add | Op::Sub | Op::Min | Op::Max, a, b) => {
                    let other = if a == here { b } else { a };
                    if sibling.is_none() && self.graph.constant_value(other) != Some(0.0) {
                        sibling = Some(other);
                    }
                }
                _ => {}
            }
            here = up;
        }
    }
}
