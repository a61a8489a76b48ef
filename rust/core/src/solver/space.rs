//! Internal coordinates of the solvers.
//!
//! Three spaces: the law's own parameters `θ`, the internal coordinates `u` in which steps are taken (`θ = u`, or
//! `θ = ±exp(u)` for parameters on a logarithmic scale), and the solver's scaling of `u` by the curvature. Bounds hold in
//! `θ` and, the transforms being monotone, become a box in `u`.

use crate::model::Model;
use crate::objective::{Evaluation, Order};
use crate::parameter::Transform;
use scalefast_expr::math;

/// How one parameter is represented internally.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Scale {
    /// `θ = u`.
    Identity,
    /// `θ = sign·exp(u)`; the number is the sign.
    Log(f64),
}

/// The internal coordinates of all free parameters (`p`).
#[derive(Clone, Debug)]
pub struct Space {
    /// The representation of each parameter.
    pub scales: Vec<Scale>,
    /// Lower corner of the box in `u`.
    pub lower: Vec<f64>,
    /// Upper corner of the box in `u`.
    pub upper: Vec<f64>,
}

impl Space {
    /// Every parameter on its own scale, save those that ask for a logarithmic one.
    pub fn plain(model: &Model) -> Self {
        let scales = model
            .free
            .iter()
            .map(|f| {
                if f.transform == Transform::Log {
                    Scale::Log(1.0)
                } else {
                    Scale::Identity
                }
            })
            .collect();
        Self::new(model, scales)
    }

    /// As [`Space::plain`], and on a signed logarithmic scale wherever `signed` says so and `theta` is not zero.
    pub fn around(model: &Model, theta: &[f64], signed: &[bool]) -> Self {
        let scales = model
            .free
            .iter()
            .zip(theta)
            .zip(signed)
            .map(|((f, &t), &log)| match f.transform {
                Transform::Log => Scale::Log(1.0),
                Transform::Auto if log && t != 0.0 => Scale::Log(t.signum()),
                _ => Scale::Identity,
            })
            .collect();
        Self::new(model, scales)
    }

    fn new(model: &Model, scales: Vec<Scale>) -> Self {
        let mut lower = Vec::with_capacity(scales.len());
        let mut upper = Vec::with_capacity(scales.len());
        for (free, scale) in model.free.iter().zip(&scales) {
            let (low, high) = free.bounds.unwrap_or((f64::NEG_INFINITY, f64::INFINITY));
            let (a, b) = match scale {
                Scale::Identity => (low, high),
                Scale::Log(sign) if *sign > 0.0 => (log_bound(low), log_bound(high)),
                Scale::Log(_) => (log_bound(-high), log_bound(-low)),
            };
            lower.push(a);
            upper.push(b);
        }
        Self {
            scales,
            lower,
            upper,
        }
    }

    /// `θ → u`, clamped into the box.
    pub fn internal(&self, theta: &[f64]) -> Vec<f64> {
        let mut u: Vec<f64> = theta
            .iter()
            .zip(&self.scales)
            .map(|(&t, scale)| match scale {
                Scale::Identity => t,
                Scale::Log(sign) => math::ln(t * sign),
            })
            .collect();
        self.clamp(&mut u);
        u
    }

    /// `u → θ`.
    pub fn external(&self, u: &[f64], theta: &mut [f64]) {
        for ((t, &v), scale) in theta.iter_mut().zip(u).zip(&self.scales) {
            *t = match scale {
                Scale::Identity => v,
                Scale::Log(sign) => sign * math::exp(v),
            };
        }
    }

    /// Moves `u` into the box.
    pub fn clamp(&self, u: &mut [f64]) {
        for ((v, &a), &b) in u.iter_mut().zip(&self.lower).zip(&self.upper) {
            *v = v.clamp(a, b);
        }
    }

    /// Turns derivatives by `θ` into derivatives by `u`.
    pub fn chain(&self, theta: &[f64], evaluation: &mut Evaluation, order: Order) {
        let p = theta.len();
        for (j, (scale, &t)) in self.scales.iter().zip(theta).enumerate() {
            if let Scale::Log(_) = scale {
                for k in 0..p {
                    evaluation.curvature[j * p + k] *= t;
                    evaluation.curvature[k * p + j] *= t;
                }
                evaluation.gradient[j] *= t;
                if order == Order::Newton {
                    evaluation.curvature[j * p + j] += evaluation.gradient[j];
                }
            }
        }
    }

    /// `dθ/du` of each parameter.
    pub fn slopes(&self, theta: &[f64]) -> Vec<f64> {
        self.scales
            .iter()
            .zip(theta)
            .map(|(s, &t)| if *s == Scale::Identity { 1.0 } else { t })
            .collect()
    }

    /// Whether parameter `j` sits on a side of the box that the downhill direction `-gradient` points out of.
    pub fn blocked(&self, u: &[f64], gradient: &[f64], j: usize) -> bool {
        (u[j] <= self.lower[j] && gradient[j] >= 0.0)
            || (u[j] >= self.upper[j] && gradient[j] <= 0.0)
    }

    /// Whether any coordinate lies on its box.
    pub fn at_bound(&self, u: &[f64]) -> Vec<bool> {
        u.iter()
            .zip(&self.lower)
            .zip(&self.upper)
            .map(|((&v, &a), &b)| v <= a || v >= b)
            .collect()
    }
}

fn log_bound(bound: f64) -> f64 {
    if bound <= 0.0 {
        f64::NEG_INFINITY
    } else if bound.is_infinite() {
        f64::INFINITY
    } else {
        math::ln(bound)
    }
}
