//! One fit under one loss: the global strategy or the starts that were given, and the best end certified.

use super::certify::{Fit, finish};
use super::design::residual_unit;
use super::saddle::beyond_saddles;
use super::spec::{FitSpec, StartSet};
use crate::dataset::Dataset;
use crate::error::{CoreError, ErrorKind};
use crate::executor::Control;
use crate::loss::Loss;
use crate::model::Model;
use crate::multistart::{self, Outcome, Run, Search};
use crate::objective::Objective;
use crate::start::Starts;

/// Fits a law whose parameters hold on all rows.
///
/// # Errors
/// Those of [`fit_by`].
pub(super) fn fit_level_free(
    spec: &FitSpec,
    model: &Model,
    data: &Dataset<'_>,
    loss: Loss,
    control: &Control,
) -> Result<Fit, CoreError> {
    fit_by(spec, model, data, loss, control, |_, found| Ok(found))
}

/// Fits a law; `more` adds to what the global strategy has found.
///
/// # Errors
/// `law-undefined` where the law has no value on the data from any start; an interruption; those of `more`.
pub(super) fn fit_by(
    spec: &FitSpec,
    model: &Model,
    data: &Dataset<'_>,
    loss: Loss,
    control: &Control,
    more: impl FnOnce(&Search<'_, '_>, Outcome) -> Result<Outcome, CoreError>,
) -> Result<Fit, CoreError> {
    let objective = Objective::new(model, data, spec.residual)?;
    let factors = Starts::factors(model);
    let search = Search {
        model,
        objective: &objective,
        residual: spec.residual,
        loss,
        factors: &factors,
        unit: residual_unit(spec.residual, data),
    };
    let found = match &spec.starts {
        StartSet::Global => more(&search, multistart::global(&search, data, control)?)?,
        StartSet::Given(values) => return fit_given(&search, values, control),
    };
    let found = beyond_saddles(&search, found, control)?;
    match found.runs.first().cloned() {
        Some(best) => finish(&search, best, found),
        None => Err(undefined()),
    }
}

fn undefined() -> CoreError {
    CoreError::new(
        ErrorKind::Law,
        "law-undefined",
        "the law has no finite, usable prediction on these rows from any start",
    )
    .with_hint("check the units and signs of the columns, or give starts and bounds")
}

fn fit_given(search: &Search<'_, '_>, values: &[f64], control: &Control) -> Result<Fit, CoreError> {
    let runs = multistart::given(search, values, control)?;
    let Some(best) = runs.best() else {
        if runs.solved() < runs.len() {
            control.check()?;
        }
        return Err(undefined());
    };
    let run = Run {
        start: runs.start(best).to_vec(),
        end: runs.end(best).clone(),
    };
    let (agreeing, spread) = runs.agreement(search, run.end.cost);
    let found = Outcome {
        runs: Vec::new(),
        starts: runs.solved(),
        agreeing,
        spread,
        evidence: None,
        confirmed: true,
    };
    let fit = finish(search, run, found)?;
    Ok(Fit { runs, ..fit })
}
