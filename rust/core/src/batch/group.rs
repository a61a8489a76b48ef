//! Groups: what to fit to each, their rows, and what became of them.

use super::lanes::LANES;
use crate::error::CoreError;
use crate::fit::{LossChoice, root_mean_square};
use crate::model::Residual;
use crate::parameter::Parameter;
use scalefast_expr::System;

/// Groups that one thread takes at a time.
pub(super) const PORTION: usize = 8 * LANES;

/// What standard errors rest on where the rows of a group stand in an order, such as the points of a curve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Errors {
    /// Residuals are independent.
    Independent,
    /// They are, unless a test of their autocorrelation or copies of rows say otherwise: then there are none.
    Checked,
    /// Blocks of rows.
    Block,
}

/// What to fit to every group, and how.
#[derive(Clone)]
pub struct GroupSpec {
    /// The law.
    pub system: System,
    /// The output that is compared with the response.
    pub output: String,
    /// Symbols that are columns of the data, in the order of [`GroupData::columns`].
    pub variables: Vec<String>,
    /// Every other symbol of the law.
    pub parameters: Vec<Parameter>,
    /// Prediction minus datum, in which form.
    pub residual: Residual,
    /// The loss.
    pub loss: LossChoice,
    /// What the standard errors rest on.
    pub errors: Errors,
    /// Threads; none means the environment's choice.
    pub threads: Option<usize>,
}

/// The rows of all groups, group after group.
#[derive(Clone, Copy)]
pub struct GroupData<'a> {
    /// One column for each variable.
    pub columns: &'a [&'a [f64]],
    /// The response.
    pub response: &'a [f64],
    /// Relative weights.
    pub weights: Option<&'a [f64]>,
    /// Where groups begin, and where the last one ends.
    pub offsets: &'a [usize],
    /// Which variables must be above zero.
    pub require_positive: &'a [bool],
}

/// How the fit of one group ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Status {
    /// At an optimum inside the bounds.
    Converged,
    /// At an optimum on a bound.
    AtBound,
    /// The rows do not determine all parameters.
    IllDetermined,
    /// No optimum was reached.
    NotConverged,
    /// The law has no finite value on these rows from any start.
    Undefined,
    /// Fewer distinct points than parameters plus one.
    TooFewPoints,
    /// A variable takes fewer than three values.
    TooFewValues,
    /// A value is missing, not finite, or not positive where it must be.
    InvalidValues,
    /// The response never changes.
    ConstantResponse,
    /// The call was stopped before this group was fitted.
    Interrupted,
    /// At an optimum that too few independent starts found.
    Unconfirmed,
    /// The objective falls towards parameters at infinity, or cannot tell them from there.
    Unbounded,
}

impl Status {
    /// All of them, by number.
    pub const ALL: [Status; 12] = [
        Status::Converged,
        Status::AtBound,
        Status::IllDetermined,
        Status::NotConverged,
        Status::Undefined,
        Status::TooFewPoints,
        Status::TooFewValues,
        Status::InvalidValues,
        Status::ConstantResponse,
        Status::Interrupted,
        Status::Unconfirmed,
        Status::Unbounded,
    ];

    /// The stable name used in frames.
    pub fn name(self) -> &'static str {
        match self {
            Status::Converged => "converged",
            Status::AtBound => "at-bound",
            Status::IllDetermined => "ill-determined",
            Status::NotConverged => "not-converged",
            Status::Undefined => "undefined",
            Status::TooFewPoints => "too-few-points",
            Status::TooFewValues => "too-few-values",
            Status::InvalidValues => "invalid-values",
            Status::ConstantResponse => "constant-response",
            Status::Interrupted => "interrupted",
            Status::Unconfirmed => "unconfirmed",
            Status::Unbounded => "unbounded",
        }
    }
}

/// The fit of one group. What does not exist is NaN.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// All parameters of the law, in its order.
    pub parameters: Vec<f64>,
    /// Their standard errors.
    pub std_errors: Vec<f64>,
    /// The weighted sum of the loss over the rows.
    pub objective: f64,
    /// How it ended.
    pub status: Status,
}

impl Row {
    /// A group without an estimate.
    pub(super) fn without(parameters: usize, status: Status) -> Row {
        let nothing = vec![f64::NAN; parameters];
        Row {
            parameters: nothing.clone(),
            std_errors: nothing,
            objective: f64::NAN,
            status,
        }
    }
}

/// The fits of `G` groups. What does not exist is NaN.
#[derive(Clone, Debug)]
pub struct GroupFits {
    /// One column of `G` a parameter of the law, in its order.
    pub parameters: Vec<Vec<f64>>,
    /// Their standard errors, in the same form.
    pub std_errors: Vec<Vec<f64>>,
    /// The weighted sums of the loss.
    pub objective: Vec<f64>,
    /// Numbers of [`Status`].
    pub status: Vec<u8>,
    /// Why not all groups were fitted, where that is so.
    pub stopped: Option<CoreError>,
    /// Numbers of [`Trust`].
    pub trust: Vec<u8>,
}

impl GroupFits {
    pub(super) fn new(groups: usize, parameters: usize) -> Self {
        Self {
            parameters: vec![vec![f64::NAN; groups]; parameters],
            std_errors: vec![vec![f64::NAN; groups]; parameters],
            objective: vec![f64::NAN; groups],
            status: vec![Status::Interrupted as u8; groups],
            stopped: None,
            trust: vec![Trust::None as u8; groups],
        }
    }

    pub(super) fn set(&mut self, group: usize, row: &Row) {
        for (column, value) in self.parameters.iter_mut().zip(&row.parameters) {
            column[group] = *value;
        }
        for (column, value) in self.std_errors.iter_mut().zip(&row.std_errors) {
            column[group] = *value;
        }
        self.objective[group] = row.objective;
        self.status[group] = row.status as u8;
    }
}

/// What the standard errors of a group rest on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Trust {
    /// There are none: no estimate, or refused by the fit.
    None,
    /// Independent residuals: taken for granted, or not refuted.
    Independent,
    /// Residuals follow each other: none are given.
    Autocorrelated,
    /// Many rows are copies of others: none are given.
    DuplicateRows,
    /// Blocks of rows.
    Block,
    /// Blocks were asked for and the group is too short for them: none are given.
    TooFewRows,
}

impl Trust {
    /// All of them, by number.
    pub const ALL: [Trust; 6] = [
        Trust::None,
        Trust::Independent,
        Trust::Autocorrelated,
        Trust::DuplicateRows,
        Trust::Block,
        Trust::TooFewRows,
    ];

    /// The stable name used in frames; none where there is nothing to trust.
    pub fn name(self) -> Option<&'static str> {
        match self {
            Trust::None => None,
            Trust::Independent => Some("independent"),
            Trust::Autocorrelated => Some("autocorrelated"),
            Trust::DuplicateRows => Some("duplicate-rows"),
            Trust::Block => Some("block"),
            Trust::TooFewRows => Some("too-few-rows"),
        }
    }
}

/// The size of residuals, as in `fit`: root mean square of the response, or one.
pub(super) fn unit(residual: Residual, response: &[f64]) -> f64 {
    if residual == Residual::Identity {
        root_mean_square(response)
    } else {
        1.0
    }
}
