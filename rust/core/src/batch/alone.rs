//! The slow twin: one group at a time through the machinery of `fit`.
//!
//! In: a [`GroupSpec`] and the rows of one group. Out: its [`Row`]. Serves every loss and every law; the lanes of
//! `descend` must agree with it, and hand it the groups that they cannot settle.

use super::group::{GroupData, GroupSpec, Row, Status, unit};
use crate::dataset::Dataset;
use crate::error::{CoreError, ErrorKind};
use crate::executor::Control;
use crate::fit::{self, Fit, FitSpec, LossChoice, StartSet};
use crate::inference::Inference;
use crate::loss::Loss;
use crate::model::{Model, Residual};
use crate::multistart::{Outcome, Run, Search};
use crate::objective::Objective;
use crate::start::Starts;
use std::borrow::Cow;
use std::ops::Range;

/// Steps of a group that the lanes could not settle.
const STEPS: usize = 200;

/// Fits groups one by one: the specification and the model, settled once for all of them.
pub struct Alone<'m> {
    model: &'m Model,
    whole: FitSpec,
    polish: FitSpec,
}

impl<'m> Alone<'m> {
    /// For the model of `spec`.
    pub fn new(spec: &GroupSpec, model: &'m Model) -> Self {
        let whole = fit_spec(spec);
        Self {
            model,
            polish: FitSpec {
                loss: LossChoice::Given(Loss::Squared),
                ..whole.clone()
            },
            whole,
        }
    }

    /// The global fit of one group.
    ///
    /// # Errors
    /// What is wrong with the specification, or an interruption; what is wrong with the group is its status.
    pub fn fit(
        &self,
        data: &GroupData<'_>,
        rows: Range<usize>,
        control: &Control,
    ) -> Result<Row, CoreError> {
        let found = dataset(&self.whole, data, rows).and_then(|dataset| {
            let found = fit::fit_model(&self.whole, self.model, &dataset, control)?;
            self.row(&self.whole, &found, &dataset)
        });
        settle(&self.whole, found)
    }

    /// A local solve of one group under the squared loss from `start` (the free parameters), by orthogonal factors.
    ///
    /// # Errors
    /// As [`Alone::fit`].
    pub fn solve(
        &self,
        data: &GroupData<'_>,
        rows: Range<usize>,
        start: &[f64],
        control: &Control,
    ) -> Result<Row, CoreError> {
        let spec = &self.polish;
        let found = dataset(spec, data, rows).and_then(|dataset| {
            let objective = Objective::new(self.model, &dataset, spec.residual)?;
            let factors = Starts::factors(self.model);
            let search = Search {
                model: self.model,
                objective: &objective,
                residual: spec.residual,
                loss: Loss::Squared,
                factors: &factors,
                unit: unit(spec.residual, &dataset.response),
            };
            let end = search.solve(&mut objective.scratch(), start, STEPS, control)?;
            if !end.cost.is_finite() {
                return Ok(Row::without(spec.parameters.len(), Status::Undefined));
            }
            let run = Run {
                start: start.to_vec(),
                end,
            };
            let outcome = Outcome::of(&search, vec![run.clone()]);
            let found = fit::finish(&search, run, outcome)?;
            self.row(spec, &found, &dataset)
        });
        settle(spec, found)
    }

    fn row(&self, spec: &FitSpec, found: &Fit, data: &Dataset<'_>) -> Result<Row, CoreError> {
        let estimates = Inference::of(self.model, spec, found, data)?.estimates(0.9);
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
                "unbounded" => Status::Unbounded,
                "unconfirmed" => Status::Unconfirmed,
                "undefined" => Status::Undefined,
                _ => Status::NotConverged,
            },
        })
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
        clusters: None,
        threads: spec.threads,
    }
}

fn dataset<'a>(
    spec: &FitSpec,
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

/// Turns errors about the group into its status.
fn settle(spec: &FitSpec, found: Result<Row, CoreError>) -> Result<Row, CoreError> {
    found.or_else(|error| {
        let status = match (error.kind, error.code) {
            (ErrorKind::Data, "too-few-points" | "empty-data") => Status::TooFewPoints,
            (ErrorKind::Data, "too-few-values") => Status::TooFewValues,
            (ErrorKind::Data, "invalid-values" | "invalid-weights") => Status::InvalidValues,
            (ErrorKind::Law, "law-undefined") => Status::Undefined,
            _ => return Err(error),
        };
        Ok(Row::without(spec.parameters.len(), status))
    })
}
