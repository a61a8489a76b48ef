//! One fit from specification to result: data checks, strategy, certificate.
//!
//! In: a [`FitSpec`] (law, roles of its parameters, residual, loss, starts) and a data set of `m` rows. Out: a [`Fit`] with
//! the estimate of all parameters, every start, and a certificate of the optimum.

mod certify;
mod design;
mod levels;
mod saddle;
mod sensitivity;
mod solve;
mod spec;

use crate::dataset::Dataset;
use crate::error::CoreError;
use crate::executor::{Control, with_pool};
use crate::loss::Loss;
use crate::model::Model;

pub(crate) use certify::{CERTIFIED_OFFSET, finish};
pub use certify::{Certificate, Fit, STATUSES};
pub(crate) use design::{check_design, residual_unit, root_mean_square, rows_of, shares};
pub use spec::{FitSpec, LossChoice, StartSet};

/// Fits a law.
///
/// Where `control` asks to stop, given starts that are solved already make a fit of their own, in which the others have the
/// status `interrupted`; a search that has not ended says nothing about the optimum.
///
/// # Errors
/// `Data`: `too-few-points`, `too-few-values`. `Law`, `Settings`, `Formula`: what [`Model::new`] refuses. `Law`:
/// `law-undefined` when the law has no value on the data from any start. `Interrupted` when `control` asks to stop, save for
/// what was said.
pub fn fit(spec: &FitSpec, data: &Dataset<'_>, control: &Control) -> Result<Fit, CoreError> {
    with_pool(spec.threads, || {
        fit_model(spec, &spec.model()?, data, control)
    })
}

/// The same where the model of the specification is known, within a pool.
pub(crate) fn fit_model(
    spec: &FitSpec,
    model: &Model,
    data: &Dataset<'_>,
    control: &Control,
) -> Result<Fit, CoreError> {
    check_design(model, data)?;
    let mut found = fit_under(spec, model, data, control)?;
    if constant(data) {
        found.status = certify::CONSTANT_RESPONSE;
    }
    Ok(found)
}

/// Whether the response takes one value on the rows in use.
fn constant(data: &Dataset<'_>) -> bool {
    let mut values = (0..data.len())
        .filter(|&row| data.weight(row) > 0.0)
        .map(|row| data.response[row]);
    let first = values.next();
    values.all(|value| Some(value) == first)
}

fn fit_under(
    spec: &FitSpec,
    model: &Model,
    data: &Dataset<'_>,
    control: &Control,
) -> Result<Fit, CoreError> {
    match spec.loss {
        LossChoice::Given(loss) => {
            loss.validate()?;
            fit_with(spec, model, data, loss, control)
        }
        LossChoice::HuberAuto => fit_auto(spec, model, data, control),
    }
}

fn fit_auto(
    spec: &FitSpec,
    model: &Model,
    data: &Dataset<'_>,
    control: &Control,
) -> Result<Fit, CoreError> {
    let first = fit_with(spec, model, data, Loss::Squared, control)?;
    // The scale of a part of the starts is not that of all.
    complete(&first, control)?;
    let mut sigma = first.sigma;
    let mut found = first;
    // The scale of a fit with a breakdown point replaces that of the squared fit; two passes settle three digits.
    for _ in 0..2 {
        if sigma.is_nan() || sigma <= 0.0 {
            break;
        }
        found = fit_with(
            spec,
            model,
            data,
            Loss::Huber {
                delta: 1.345 * sigma,
            },
            control,
        )?;
        complete(&found, control)?;
        sigma = found.sigma;
    }
    Ok(found)
}

/// The reason why not all starts were solved, as an error.
fn complete(found: &Fit, control: &Control) -> Result<(), CoreError> {
    if found.solved() < found.runs.len() {
        control.check()
    } else {
        Ok(())
    }
}

/// Fits under a loss that is known, from separate fits of the levels too where the model has any.
pub(crate) fn fit_with(
    spec: &FitSpec,
    model: &Model,
    data: &Dataset<'_>,
    loss: Loss,
    control: &Control,
) -> Result<Fit, CoreError> {
    if model.free.iter().all(|free| free.level.is_none()) {
        return solve::fit_level_free(spec, model, data, loss, control);
    }
    solve::fit_by(spec, model, data, loss, control, |search, found| {
        levels::with_separate_starts(spec, search, data, found, control)
    })
}
