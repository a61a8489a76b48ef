//! Local solvers: from one start to a stationary point of the objective.
//!
//! [`newton`] takes damped steps on the curvature matrix and serves every loss; [`levenberg_marquardt`] works on the
//! Jacobian itself, by orthogonal factors, and gives squared losses their last digits. [`termination`] holds the tests,
//! none of which depends on the units of the data or on the size of the objective.

pub mod levenberg_marquardt;
pub mod newton;
pub mod space;
pub mod termination;

/// How a local solve ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// The scale-free test holds: no step would lower the objective noticeably.
    Converged,
    /// Steps no longer lower the objective in double precision, though the test does not hold.
    Stalled,
    /// The limit on iterations was reached.
    Iterations,
    /// The law is undefined on the data at the start.
    Undefined,
    /// The call was stopped before this start was solved.
    Interrupted,
}

impl Status {
    /// All of them, by number.
    pub const ALL: [Self; 5] = [
        Self::Converged,
        Self::Stalled,
        Self::Iterations,
        Self::Undefined,
        Self::Interrupted,
    ];

    /// The stable name used in frames.
    pub fn name(self) -> &'static str {
        match self {
            Self::Converged => "converged",
            Self::Stalled => "stalled",
            Self::Iterations => "iterations",
            Self::Undefined => "undefined",
            Self::Interrupted => "interrupted",
        }
    }
}

/// Where a local solve ended.
#[derive(Clone, Debug)]
pub struct Solution {
    /// The free parameters (`p`) on their own scale.
    pub theta: Vec<f64>,
    /// The objective there.
    pub cost: f64,
    /// Why the solver stopped.
    pub status: Status,
    /// Evaluations of the objective, with or without derivatives.
    pub evaluations: usize,
    /// The decrease that the last quadratic model still promises, relative to the objective.
    pub offset: f64,
}

/// Limits of a local solve.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Most iterations.
    pub iterations: usize,
    /// Stop once the model promises no more than this share of the objective.
    pub offset: f64,
}
