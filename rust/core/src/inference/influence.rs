//! What each row does to a fit: its residual, its leverage, and how far the estimate moves without it.
//!
//! Longer than the rule, because `row_statistics` passes twice over the rows, the second time with the sums of the
//! first.

use super::estimates::Inference;
use super::rows::{all_residuals, chunk_rows, chunks, normal_sums};
use crate::covariance::{Smoothing, scaled_inverse};
use crate::dataset::Dataset;
use crate::error::CoreError;
use crate::executor::with_pool;
use crate::fit::{Fit, FitSpec};
use crate::linalg::{dot, quadratic_form};

/// What each row does to a fit; `m` entries each.
#[derive(Clone, Debug, PartialEq)]
pub struct RowStatistics {
    /// Prediction minus datum, of logarithms under the log residual.
    pub residual: Vec<f64>,
    /// `w·gᵀ(Σ w g gᵀ)⁻¹g`, `g` the gradient of the residual; sums to `p`. NaN where the sum cannot be inverted.
    pub leverage: Vec<f64>,
    /// Largest change of a free parameter, in its standard errors, when the row is left out. NaN without a covariance.
    pub influence: Vec<f64>,
}

/// Residual, leverage and influence of every row.
///
/// # Errors
/// Those of the compiler.
pub fn row_statistics(
    spec: &FitSpec,
    fit: &Fit,
    data: &Dataset<'_>,
) -> Result<RowStatistics, CoreError> {
    with_pool(spec.threads, || {
        let model = spec.model()?;
        let p = model.p();
        let open: Vec<usize> = (0..p).filter(|&j| !fit.at_bound[j]).collect();
        let inference = Inference::within_pool(spec, fit, data)?;
        let residual = all_residuals(spec, fit, data, &model)?;
        let weights = data.weights.as_deref();
        let smoothing = Smoothing::new(fit.loss, &residual, weights, open.len()).ok();
        let sums = chunks(spec, fit, data, &model, |part, rows| {
            normal_sums(part, rows, &open, |r, w| {
                (
                    w,
                    if fit.loss.is_squared() {
                        w
                    } else {
                        smoothing.as_ref().map_or(f64::NAN, |s| s.row(r, w).0)
                    },
                )
            })
        })?;
        let design = scaled_inverse(&sums.first, open.len());
        let curvature = scaled_inverse(&sums.second, open.len());
        let errors: Vec<f64> = open
            .iter()
            .map(|&j| {
                inference
                    .covariance
                    .matrix
                    .as_ref()
                    .map_or(f64::NAN, |m| m[j * p + j].sqrt())
            })
            .collect();
        let parts = chunk_rows(spec, fit, data, &model, |part, rows| {
            let m = part.residual.len();
            (0..m)
                .map(|i| {
                    let g: Vec<f64> = open.iter().map(|&j| part.jacobian[j * m + i]).collect();
                    let w = rows.weight(i);
                    let leverage = design
                        .as_ref()
                        .map_or(f64::NAN, |d| w * quadratic_form(d, &g));
                    let influence = curvature.as_ref().map_or(f64::NAN, |h| {
                        let pull =
                            w * fit.loss.psi(part.residual[i]) / (1.0 - leverage).max(f64::EPSILON);
                        let n = open.len();
                        (0..n).fold(0.0, |most: f64, j| {
                            let change = pull * dot(&h[j * n..(j + 1) * n], &g) / errors[j];
                            if change.is_nan() {
                                f64::NAN
                            } else {
                                most.max(change.abs())
                            }
                        })
                    });
                    (leverage, influence)
                })
                .collect::<Vec<_>>()
        })?;
        let (leverage, influence) = parts.into_iter().flatten().unzip();
        let residual = match data.sigma() {
            Some(sigma) => residual.iter().zip(sigma).map(|(r, s)| r * s).collect(),
            None => residual,
        };
        Ok(RowStatistics {
            residual,
            leverage,
            influence,
        })
    })
}
