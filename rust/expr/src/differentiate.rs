//! Exact derivatives, as graphs that share what they can with the original.
//!
//! In: a node and a symbol. Out: the node of the derivative. One pass in order of ids; each operator's
//! rule stands here and is named by its row of the operator table. The rules are written so that
//! values already present are used again: the derivative of `A/N**alpha` by `alpha` is
//! `-(A/N**alpha*log(N))`, with the same node `A/N**alpha`.
//!
//! At the edge of a domain, `x**c` at 0 say, a derivative is its limit from inside wherever that is finite: internal
//! operators stand for the logarithm beside a power and for products with an inner derivative that may vanish. Lowering
//! turns them into the plain ones where the base is proven to be other than zero.

use crate::graph::{Graph, Node, NodeId};
use crate::op::Op;

/// An operator applied to arguments, with the derivatives of these.
///
/// For an operator of one argument `b` repeats `a`. Rules are called only where some derivative is
/// not zero.
#[derive(Clone, Copy, Debug)]
pub struct Application {
    /// The node itself.
    pub this: NodeId,
    /// Its first argument.
    pub a: NodeId,
    /// Its second argument.
    pub b: NodeId,
    /// Derivative of the first argument.
    pub da: NodeId,
    /// Derivative of the second argument.
    pub db: NodeId,
}

/// A derivative rule: the derivative of `this`.
pub type Rule = fn(&mut Graph, Application) -> NodeId;

impl Graph {
    /// The derivative of an expression by a symbol, all other symbols held fixed.
    ///
    /// At a kink the derivative is that of the first argument of `min` and `max`, and 0 for `abs`.
    /// A name that does not appear gives 0.
    ///
    /// ```
    /// use scalefast_expr::System;
    /// let mut system = System::formula("E + A/N**alpha")?;
    /// let loss = system.outputs()[0].1;
    /// let slope = system.graph.derivative(loss, "alpha");
    /// assert_eq!(system.graph.print(slope), "-(A/N**alpha*edge_log(N))");
    /// # Ok::<(), scalefast_expr::FormulaError>(())
    /// ```
    pub fn derivative(&mut self, root: NodeId, symbol: &str) -> NodeId {
        let zero = self.constant(0.0);
        let Some(symbol) = self.symbol_id(symbol) else {
            return zero;
        };
        let one = self.constant(1.0);
        let order = self.topological(root);
        let mut derivatives = vec![zero; root.index() + 1];
        for id in order {
            derivatives[id.index()] = match self.node(id) {
                Node::Constant(_) => zero,
                Node::Symbol(other) if other == symbol => one,
                Node::Symbol(_) => zero,
                Node::Unary(op, a) => {
                    let da = derivatives[a.index()];
                    self.apply_rule(op, id, (a, a), (da, da), zero)
                }
                Node::Binary(op, a, b) => {
                    let (da, db) = (derivatives[a.index()], derivatives[b.index()]);
                    self.apply_rule(op, id, (a, b), (da, db), zero)
                }
            };
        }
        derivatives[root.index()]
    }

    fn apply_rule(
        &mut self,
        op: Op,
        this: NodeId,
        (a, b): (NodeId, NodeId),
        (da, db): (NodeId, NodeId),
        zero: NodeId,
    ) -> NodeId {
        if da == zero && db == zero {
            return zero;
        }
        (op.info().derivative)(self, Application { this, a, b, da, db })
    }

    /// Whether an expression is a sum with a power of an exponent that varies, which is infinite at zero for some.
    fn may_be_infinite(&self, id: NodeId) -> bool {
        matches!(self.node(id), Node::Binary(Op::Add | Op::Sub, ..))
            && self
                .topological(id)
                .into_iter()
                .any(|part| match self.node(part) {
                    Node::Binary(Op::Pow, base, exponent) => {
                        self.constant_value(base).is_none()
                            && self.constant_value(exponent).is_none()
                    }
                    _ => false,
                })
    }

    fn is_zero(&self, id: NodeId) -> bool {
        self.constant_value(id) == Some(0.0)
    }

    fn add(&mut self, a: NodeId, b: NodeId) -> NodeId {
        self.build_binary(Op::Add, a, b)
    }

    fn sub(&mut self, a: NodeId, b: NodeId) -> NodeId {
        self.build_binary(Op::Sub, a, b)
    }

    fn mul(&mut self, a: NodeId, b: NodeId) -> NodeId {
        self.build_binary(Op::Mul, a, b)
    }

    fn div(&mut self, a: NodeId, b: NodeId) -> NodeId {
        self.build_binary(Op::Div, a, b)
    }

    fn edge_product(&mut self, a: NodeId, b: NodeId) -> NodeId {
        self.build_binary(Op::EdgeProduct, a, b)
    }

    fn neg(&mut self, a: NodeId) -> NodeId {
        self.build_unary(Op::Neg, a)
    }

    /// `a/b`; where nothing cancels, as a product with `1/b`, which several derivatives can share.
    fn over_shared(&mut self, a: NodeId, b: NodeId) -> NodeId {
        let quotient = self.div(a, b);
        let plain = match self.node(quotient) {
            Node::Unary(Op::Neg, inner) => inner,
            _ => quotient,
        };
        match self.node(plain) {
            Node::Binary(Op::Div, _, divisor) if divisor == b => {
                let one = self.constant(1.0);
                let reciprocal = self.div(one, b);
                self.mul(a, reciprocal)
            }
            _ => quotient,
        }
    }
}

pub(crate) fn add(graph: &mut Graph, at: Application) -> NodeId {
    graph.add(at.da, at.db)
}

pub(crate) fn sub(graph: &mut Graph, at: Application) -> NodeId {
    graph.sub(at.da, at.db)
}

pub(crate) fn mul(graph: &mut Graph, at: Application) -> NodeId {
    let left = graph.mul(at.da, at.b);
    let right = graph.mul(at.a, at.db);
    graph.add(left, right)
}

/// `(a/b)' = a'/b − (a/b)·(b'/b)`. A divisor with a power in it may be infinite where the quotient is zero, as `1 + x**c` is
/// at `x = 0` for negative `c`: then so is the derivative.
pub(crate) fn div(graph: &mut Graph, at: Application) -> NodeId {
    let numerator = graph.over_shared(at.da, at.b);
    if graph.is_zero(at.db) {
        return numerator;
    }
    let relative = graph.over_shared(at.db, at.b);
    let product = if graph.may_be_infinite(at.b) {
        graph.edge_product(at.this, relative)
    } else {
        graph.mul(at.this, relative)
    };
    graph.sub(numerator, product)
}

/// `(u**v)' = v·u**(v−1)·u' + u**v·log(u)·v'`. The first term is not written `u**v·v/u`, since `u` may be
/// zero; the logarithm appears only where the exponent varies, and counts as 0 at `u = 0`, where `u**v·log(u)` tends to 0.
pub(crate) fn pow(graph: &mut Graph, at: Application) -> NodeId {
    let one = graph.constant(1.0);
    let zero = graph.constant(0.0);
    let mut by_base = zero;
    if !graph.is_zero(at.da) {
        let less = graph.sub(at.b, one);
        let power = graph.build_binary(Op::Pow, at.a, less);
        let slope = graph.mul(at.b, power);
        by_base = match graph.constant_value(at.b) {
            // No slope of such a power is infinite at zero.
            Some(exponent) if exponent >= 1.0 => graph.mul(slope, at.da),
            _ => graph.edge_product(at.da, slope),
        };
    }
    if graph.is_zero(at.db) {
        return by_base;
    }
    let logarithm = graph.build_unary(Op::EdgeLog, at.a);
    let slope = graph.mul(at.this, logarithm);
    let by_exponent = graph.mul(slope, at.db);
    graph.add(by_base, by_exponent)
}

pub(crate) fn min(graph: &mut Graph, at: Application) -> NodeId {
    let first = graph.build_binary(Op::LessEqual, at.a, at.b);
    choose(graph, first, at)
}

pub(crate) fn max(graph: &mut Graph, at: Application) -> NodeId {
    let first = graph.build_binary(Op::LessEqual, at.b, at.a);
    choose(graph, first, at)
}

/// The first derivative where `first` is 1, the second where it is 0.
fn choose(graph: &mut Graph, first: NodeId, at: Application) -> NodeId {
    let one = graph.constant(1.0);
    let second = graph.sub(one, first);
    let left = graph.edge_product(first, at.da);
    let right = graph.edge_product(second, at.db);
    graph.add(left, right)
}

pub(crate) fn neg(graph: &mut Graph, at: Application) -> NodeId {
    graph.neg(at.da)
}

pub(crate) fn exp(graph: &mut Graph, at: Application) -> NodeId {
    graph.mul(at.this, at.da)
}

pub(crate) fn log(graph: &mut Graph, at: Application) -> NodeId {
    graph.over_shared(at.da, at.a)
}

pub(crate) fn log2(graph: &mut Graph, at: Application) -> NodeId {
    scaled_log(graph, at, std::f64::consts::LOG2_E)
}

pub(crate) fn log10(graph: &mut Graph, at: Application) -> NodeId {
    scaled_log(graph, at, std::f64::consts::LOG10_E)
}

fn scaled_log(graph: &mut Graph, at: Application, scale: f64) -> NodeId {
    let slope = graph.over_shared(at.da, at.a);
    let scale = graph.constant(scale);
    graph.mul(scale, slope)
}

pub(crate) fn log1p(graph: &mut Graph, at: Application) -> NodeId {
    let one = graph.constant(1.0);
    let argument = graph.add(one, at.a);
    graph.over_shared(at.da, argument)
}

pub(crate) fn expm1(graph: &mut Graph, at: Application) -> NodeId {
    let exponential = graph.build_unary(Op::Exp, at.a);
    graph.mul(exponential, at.da)
}

pub(crate) fn sqrt(graph: &mut Graph, at: Application) -> NodeId {
    let half = graph.constant(0.5);
    if graph.constant_value(at.da).is_some() {
        let numerator = graph.mul(half, at.da);
        return graph.over_shared(numerator, at.this);
    }
    let slope = graph.over_shared(half, at.this);
    graph.edge_product(at.da, slope)
}

pub(crate) fn abs(graph: &mut Graph, at: Application) -> NodeId {
    let sign = graph.build_unary(Op::Sign, at.a);
    graph.mul(sign, at.da)
}

pub(crate) fn sin(graph: &mut Graph, at: Application) -> NodeId {
    let cosine = graph.build_unary(Op::Cos, at.a);
    graph.mul(cosine, at.da)
}

pub(crate) fn cos(graph: &mut Graph, at: Application) -> NodeId {
    let sine = graph.build_unary(Op::Sin, at.a);
    let product = graph.mul(sine, at.da);
    graph.neg(product)
}

/// `tan' = 1 + tan²`.
pub(crate) fn tan(graph: &mut Graph, at: Application) -> NodeId {
    let one = graph.constant(1.0);
    let square = graph.mul(at.this, at.this);
    let slope = graph.add(one, square);
    graph.mul(slope, at.da)
}

pub(crate) fn arctan(graph: &mut Graph, at: Application) -> NodeId {
    let one = graph.constant(1.0);
    let square = graph.mul(at.a, at.a);
    let divisor = graph.add(one, square);
    graph.over_shared(at.da, divisor)
}

/// `tanh' = 1 − tanh²`.
pub(crate) fn tanh(graph: &mut Graph, at: Application) -> NodeId {
    let one = graph.constant(1.0);
    let square = graph.mul(at.this, at.this);
    let slope = graph.sub(one, square);
    graph.mul(slope, at.da)
}

/// `σ' = σ·(1 − σ)`.
pub(crate) fn sigmoid(graph: &mut Graph, at: Application) -> NodeId {
    let one = graph.constant(1.0);
    let rest = graph.sub(one, at.this);
    let slope = graph.mul(at.this, rest);
    graph.mul(slope, at.da)
}

/// Zero wherever there is a derivative.
pub(crate) fn step(graph: &mut Graph, _at: Application) -> NodeId {
    graph.constant(0.0)
}

pub(crate) fn edge_log(graph: &mut Graph, at: Application) -> NodeId {
    let slope = graph.build_unary(Op::EdgeReciprocal, at.a);
    graph.mul(at.da, slope)
}

pub(crate) fn edge_reciprocal(graph: &mut Graph, at: Application) -> NodeId {
    let square = graph.mul(at.this, at.this);
    let product = graph.mul(square, at.da);
    graph.neg(product)
}

pub(crate) fn edge_product(graph: &mut Graph, at: Application) -> NodeId {
    let left = graph.edge_product(at.da, at.b);
    let right = graph.edge_product(at.a, at.db);
    graph.add(left, right)
}
