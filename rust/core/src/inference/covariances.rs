//! The covariance of a fit by what its rows allow: the Jacobian at once, or sums over chunks of rows.

use super::rows::{all_residuals, chunks, linearise, normal_sums};
use crate::covariance::{self, Covariance, Method, Smoothing};
use crate::dataset::Dataset;
use crate::error::CoreError;
use crate::fit::{Fit, FitSpec};
use crate::model::Model;

pub(super) fn kept(
    spec: &FitSpec,
    fit: &Fit,
    data: &Dataset<'_>,
    model: &Model,
    open: &[usize],
) -> Result<Covariance, CoreError> {
    let found = linearise(spec, fit, data, model)?;
    let m = data.len();
    let columns: Vec<f64> = open
        .iter()
        .flat_map(|&j| found.jacobian[j * m..(j + 1) * m].iter().copied())
        .collect();
    if fit.loss.is_squared() && data.sigma().is_some() {
        let weights = data.weights.as_deref();
        return Ok(covariance::known_noise_from_rows(
            &columns,
            open.len(),
            m,
            weights,
        ));
    }
    Ok(covariance::covariance(
        &columns,
        open.len(),
        &found.residual,
        data.weights.as_deref(),
        fit.loss,
    ))
}

pub(super) fn streamed(
    spec: &FitSpec,
    fit: &Fit,
    data: &Dataset<'_>,
    model: &Model,
    open: &[usize],
) -> Result<Covariance, CoreError> {
    let (p, rows) = (open.len(), data.rows_in_use());
    if fit.loss.is_squared() && data.sigma().is_some() {
        let sums = chunks(spec, fit, data, model, |part, rows| {
            normal_sums(part, rows, open, |_, w| (w, w * w))
        })?;
        return Ok(covariance::known_noise(&sums.first, &sums.second, p));
    }
    if fit.loss.is_squared() {
        let sums = chunks(spec, fit, data, model, |part, rows| {
            normal_sums(part, rows, open, |r, w| (w, w * r * r))
        })?;
        return Ok(covariance::gauss_newton(
            &sums.first,
            p,
            2.0 * fit.objective,
            rows,
        ));
    }
    let residual = all_residuals(spec, fit, data, model)?;
    match Smoothing::new(fit.loss, &residual, data.weights.as_deref(), p) {
        Err(code) => Ok(Covariance {
            method: Method::Sandwich,
            matrix: None,
            code: Some(code),
        }),
        Ok(smoothing) => {
            drop(residual);
            let sums = chunks(spec, fit, data, model, |part, rows| {
                normal_sums(part, rows, open, |r, w| smoothing.row(r, w))
            })?;
            Ok(covariance::sandwich(
                &sums.first,
                &sums.second,
                p,
                smoothing.rows,
            ))
        }
    }
}
