//! The slow twin: one group at a time through the machinery of `fit`.
//!
//! In: a [`GroupSpec`] and the rows of one group. Out: its [`Row`]. Serves every loss and every law; the lanes of
//! `descend` must agree with it, and hand it the groups that they cannot settle.

use super::{GroupData, GroupSpec, Row, Status};
use crate::dataset::Dataset;
use crate::error::{CoreError, ErrorKind};
use crate::executor::Control;
use crate::fit::{self, Fit, FitSpec, LossChoice, StartSet};
use crate::inference::Inference;
use crate::model::{Model, Residual};
use crate::multistart::{Outcome, Run, Search};
use crate::objective::Objective;
use crate::start::Starts;
use std::borrow::Cow;
use std::ops::Range;

/// Steps of a group that the lanes could not settle.
const STEPS: usize = 200;

/// The global fit of one group.
///
/// # Errors
/// What is wrong with the specification, or an interruption; what is wrong with the group is its status.
pub fn fit_alone(
    spec: &GroupSpec,
    data: &GroupData<'_>,
    rows: Range<usize>,
    control: &Control,
) -> Result<Row, CoreError> {
    let whole = fit_spec(spec);
    let found = dataset(spec, data, rows).and_then(|dataset| {
        let found = fit::fit(&whole, &dataset, control)?;
        row(&whole, &found, &dataset)
    });
    settle(spec, found)
}

/// A local solve of one group from `start` (the free parameters), by orthogonal factors.
///
/// # Errors
/// As [`fit_alone`].
pub fn solve_alone(
    spec: &GroupSpec,
    model: &Model,
    data: &GroupData<'_>,
    rows: Range<usize>,
    start: &[f64],
    control: &Control,
) -> Result<Row, CoreError> {
    let whole = FitSpec {
        loss: LossChoice::Given(crate::loss::Loss::Squared),
        ..fit_spec(spec)
    };
    let found = dataset(spec, data, rows).and_then(|dataset| {
        let mut own = model.clone();
        let objective = Objective::new(&mut own, &dataset, spec.residual)?;
        let factors = Starts::factors(model);
        let search = Search {
            model,
            objective: &objective,
            residual: spec.residual,
            loss: crate::loss::Loss::Squared,
            factors: &factors,
            unit: unit(spec.residual, &dataset.response),
        };
        let end = search.solve(&mut objective.scratch(), start, STEPS, control)?;
        if !end.cost.is_finite() {
            return Ok(Row::without(spec, Status::Undefined));
        }
        let run = Run {
            start: start.to_vec(),
            end,
        };
        let outcome = Outcome::of(&search, vec![run.clone()]);
        let found = fit::finish(&search, run, outcome)?;
        row(&whole, &found, &dataset)
    });
    settle(spec, found)
}

/// The size of residuals, as in `fit`: root mean square of the response, or one.
pub fn unit(residual: Residual, response: &[f64]) -> f64 {
    if residual == Residual::Identity {
        fit::root_mean_square(response)
    } else {
        1.0
    }
}

fn fit_spec(spec: &GroupSpec) -> FitSpec {
    FitSpec {
        system: spec.system.clone(),
        output: spec.output.clone(),
        variables: spec.variables.clone(),
        parameters: spec.parameters.clone(),
        residual: spec.residual,
        loss: spec.loss,
        starts: StartSet::Global,
        threads: spec.threads,
    }
}

fn dataset<'a>(
    spec: &GroupSpec,
    data: &GroupData<'a>,
    rows: Range<usize>,
) -> Result<Dataset<'a>, CoreError> {
    Dataset::new(
        spec.variables.clone(),
        data.columns
            .iter()
            .map(|column| Cow::Borrowed(&column[rows.clone()]))
            .collect(),
        Cow::Borrowed(&data.response[rows.clone()]),
        data.weights.map(|w| Cow::Borrowed(&w[rows.clone()])),
        data.require_positive,
        spec.residual == Residual::Log,
    )
}

fn row(spec: &FitSpec, found: &Fit, data: &Dataset<'_>) -> Result<Row, CoreError> {
    let estimates = Inference::new(spec, found, data)?.estimates(0.9);
    Ok(Row {
        parameters: found.parameters.clone(),
        std_errors: estimates
            .iter()
            .map(|estimate| estimate.std_error.unwrap_or(f64::NAN))
            .collect(),
        objective: found.objective,
        status: match found.status {
            "converged" => Status::Converged,
            "at-bound" => Status::AtBound,
            "ill-determined" => Status::IllDetermined,
            "undefined" => Status::Undefined,
            _ => Status::NotConverged,
        },
    })
}

/// Turns errors about the group into its status.
fn settle(spec: &GroupSpec, found: Result<Row, CoreError>) -> Result<Row, CoreError> {
    found.or_else(|error| {
        let status = match (error.kind, error.code) {
            (ErrorKind::Data, "too-few-points" | "empty-data") => Status::TooFewPoints,
            (ErrorKind::Data, "too-few-values") => Status::TooFewValues,
            (ErrorKind::Data, "invalid-values" | "invalid-weights") => Status::InvalidValues,
            (ErrorKind::Law, "law-undefined") => Status::Undefined,
            _ => return Err(error),
        };
        Ok(Row::without(spec, status))
    })
}
