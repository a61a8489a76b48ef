//! What an evaluation is asked for, and what it gives.

/// What an evaluation should return.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// The cost alone.
    Cost,
    /// Cost, gradient and the Gauss–Newton matrix.
    GaussNewton,
    /// Cost, gradient and the Hessian.
    Newton,
    /// Cost, gradient and `Σ w ψ ∇²r`, the part of the Hessian that Gauss–Newton leaves out.
    SecondOrder,
}

/// Value and derivatives at one point.
#[derive(Clone, Debug, Default)]
pub struct Evaluation {
    /// `Σ w·ρ(r)`; not finite where the law is undefined on some row.
    pub cost: f64,
    /// `p` entries; empty for [`Order::Cost`].
    pub gradient: Vec<f64>,
    /// `p × p`, symmetric; empty for [`Order::Cost`].
    pub curvature: Vec<f64>,
}
