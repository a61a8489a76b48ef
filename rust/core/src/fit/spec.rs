//! What to fit, and how.

use crate::error::CoreError;
use crate::loss::Loss;
use crate::model::{Model, Residual};
use crate::parameter::Parameter;
use scalefast_expr::System;
use std::sync::Arc;

/// The loss of a fit: given, or a Huber loss whose threshold is found from the residuals and then frozen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum LossChoice {
    /// This loss.
    Given(Loss),
    /// Huber with `d = 1.345 σ`, σ the normal-consistent median absolute residual (95 % efficiency; Huber 1981, table 4.1).
    HuberAuto,
}

/// Where the solvers begin.
#[derive(Clone, Debug, PartialEq)]
pub enum StartSet {
    /// The global strategy.
    Global,
    /// These only, each solved locally: rows of all parameters of the law in its order (fixed and tied ones are ignored), one
    /// row after the other.
    Given(Vec<f64>),
}

/// What to fit, and how.
#[derive(Clone)]
pub struct FitSpec {
    /// The law.
    pub system: System,
    /// The output that is compared with the response.
    pub output: String,
    /// Symbols that are columns of the data.
    pub variables: Vec<String>,
    /// Every other symbol of the law.
    pub parameters: Vec<Parameter>,
    /// Prediction minus datum, in which form.
    pub residual: Residual,
    /// The loss.
    pub loss: LossChoice,
    /// The starts.
    pub starts: StartSet,
    /// The cluster of each row (a run, say), numbered from 0 without gaps, where several rows share their noise; none: each
    /// row has its own.
    pub clusters: Option<Arc<[u32]>>,
    /// Threads; none means the environment's choice.
    pub threads: Option<usize>,
}

impl FitSpec {
    /// The law with the roles of its parameters settled.
    ///
    /// # Errors
    /// Those of [`Model::new`].
    pub fn model(&self) -> Result<Model, CoreError> {
        Model::new(
            &self.system,
            &self.output,
            &self.variables,
            &self.parameters,
        )
    }
}
