//! Derivatives by dual numbers: the slow twin that the exact derivatives are tested against.
//!
//! In: a node, a value and a direction for every symbol. Out: the value and the directional
//! derivative. The rules are written from the definitions, apart from those in
//! [`crate::differentiate`], so that a mistake in one is seen by the other. Source: W. K. Clifford, 1873;
//! for forward differentiation Griewank and Walther, Evaluating Derivatives, 2008, chapter 3.

use crate::graph::{Graph, Node, NodeId, apply_binary, apply_unary};
use crate::op::Op;

/// A value and its derivative.
type Dual = (f64, f64);

impl Graph {
    /// The value of an expression and its derivative in a direction.
    ///
    /// `values` and `seed` have one number a symbol, by [`crate::graph::SymbolId`].
    ///
    /// ```
    /// use scalefast_expr::System;
    /// let system = System::formula("x*sin(y)")?;
    /// let product = system.outputs()[0].1;
    /// let (value, slope) = system.graph.evaluate_dual(product, &[3.0, 0.0], &[0.0, 1.0]);
    /// assert_eq!((value, slope), (0.0, 3.0));
    /// # Ok::<(), scalefast_expr::FormulaError>(())
    /// ```
    pub fn evaluate_dual(&self, root: NodeId, values: &[f64], seed: &[f64]) -> (f64, f64) {
        let mut results: Vec<Dual> = vec![(f64::NAN, f64::NAN); root.index() + 1];
        for id in self.topological(root) {
            results[id.index()] = match self.node(id) {
                Node::Constant(bits) => (f64::from_bits(bits), 0.0),
                Node::Symbol(symbol) => {
                    let at = |numbers: &[f64]| numbers.get(symbol as usize).copied();
                    (at(values).unwrap_or(f64::NAN), at(seed).unwrap_or(0.0))
                }
                Node::Unary(op, a) => unary(op, results[a.index()]),
                Node::Binary(op, a, b) => binary(op, results[a.index()], results[b.index()]),
            };
        }
        results[root.index()]
    }
}

/// A zero derivative stays zero even where the slope is infinite or undefined.
fn scaled(slope: f64, da: f64) -> f64 {
    if da == 0.0 { 0.0 } else { slope * da }
}

fn unary(op: Op, (a, da): Dual) -> Dual {
    let value = apply_unary(op, a);
    let slope = match op {
        Op::Neg => -1.0,
        Op::Exp | Op::Expm1 => a.exp(),
        Op::Log => a.recip(),
        Op::Log2 => (a * std::f64::consts::LN_2).recip(),
        Op::Log10 => (a * std::f64::consts::LN_10).recip(),
        Op::Log1p => (1.0 + a).recip(),
        Op::Sqrt => 0.5 / a.sqrt(),
        Op::Abs => {
            if a == 0.0 {
                0.0
            } else {
                a.signum()
            }
        }
        Op::Sin => a.cos(),
        Op::Cos => -a.sin(),
        Op::Tan => a.cos().powi(2).recip(),
        Op::Arctan => (1.0 + a * a).recip(),
        Op::Tanh => a.cosh().powi(2).recip(),
        Op::EdgeLog if a == 0.0 => 0.0,
        Op::EdgeLog => a.recip(),
        Op::EdgeReciprocal if a == 0.0 => 0.0,
        Op::EdgeReciprocal => -(a * a).recip(),
        Op::Sigmoid => (2.0 + a.exp() + (-a).exp()).recip(),
        _ => 0.0,
    };
    (value, scaled(slope, da))
}

fn binary(op: Op, (a, da): Dual, (b, db): Dual) -> Dual {
    let value = apply_binary(op, a, b);
    let derivative = match op {
        Op::Add => da + db,
        Op::Sub => da - db,
        Op::Mul => a * db + b * da,
        Op::Div => (da * b - a * db) / (b * b),
        Op::Pow => {
            // At zero a power that vanishes goes faster than its logarithm comes.
            let by_exponent = if a == 0.0 && b >= 0.0 {
                0.0
            } else {
                a.powf(b) * a.ln()
            };
            scaled(b * a.powf(b - 1.0), da) + scaled(by_exponent, db)
        }
        Op::EdgeProduct => scaled(a, db) + scaled(b, da),
        Op::Min => {
            if a <= b {
                da
            } else {
                db
            }
        }
        Op::Max => {
            if a >= b {
                da
            } else {
                db
            }
        }
        _ => 0.0,
    };
    (value, derivative)
}
