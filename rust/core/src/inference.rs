//! What an estimate is worth: standard errors, intervals, leverage and influence, all by first order.
//!
//! In: a [`FitSpec`], its [`Fit`], the same `m` rows. Out: the covariance of the `p` free parameters (`statistics.md` F21:
//! Gauss–Newton for the squared loss, a sandwich for others), an estimate with its interval for any formula of the
//! parameters, and for each row how much it pulls. Rows are worked through in chunks, so that no `m × p` matrix is kept.

use std::borrow::Cow;

use rayon::prelude::*;
use scalefast_expr::{System, math};

use crate::covariance::{self, Covariance, Method, Smoothing};
use crate::dataset::Dataset;
use crate::derive::derive;
use crate::error::CoreError;
use crate::executor::with_pool;
use crate::fit::{Fit, FitSpec};
use crate::linalg::{cholesky_in_place, cholesky_inverse, dot, quadratic_form};
use crate::model::Model;
use crate::objective::{Linearisation, Objective};
use crate::parameter::{Role, Transform};
use crate::rng::normal_quantile;
use crate::student::two_sided_quantile;

/// Entries of a Jacobian up to which it is kept and factored by QR; beyond, sums over chunks take its place.
const KEPT_JACOBIAN: usize = 4_000_000;
/// Rows in one chunk.
const CHUNK: usize = 65_536;

/// An estimate with its interval; `None` where there is none, and then `method` holds the reason.
#[derive(Clone, Debug, PartialEq)]
pub struct Estimate {
    /// The value.
    pub value: f64,
    /// Its standard error.
    pub std_error: Option<f64>,
    /// The interval.
    pub interval: Option<(f64, f64)>,
    /// How they were computed, or why not.
    pub method: String,
}

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

/// The covariance of a fit and what follows from it.
pub struct Inference {
    /// Of the free parameters, on their own scale; zero where a parameter lies on a bound.
    pub covariance: Covariance,
    /// Rows in use minus parameters off their bounds; of clustered rows clusters minus one.
    pub degrees_of_freedom: usize,
    names: Vec<String>,
    values: Vec<f64>,
    scales: Vec<(Transform, f64, f64)>,
    kinds: Vec<&'static str>,
    full: Option<Vec<f64>>,
}

impl Inference {
    /// The covariance of `fit`.
    ///
    /// # Errors
    /// Those of the compiler; none that depend on the numbers, which lead to a refusal inside [`Covariance`].
    pub fn new(spec: &FitSpec, fit: &Fit, data: &Dataset<'_>) -> Result<Self, CoreError> {
        with_pool(spec.threads, || Inference::within_pool(spec, fit, data))
    }

    fn within_pool(spec: &FitSpec, fit: &Fit, data: &Dataset<'_>) -> Result<Self, CoreError> {
        Inference::of(&spec.model()?, spec, fit, data)
    }

    /// The same where the model of the specification is known.
    pub(crate) fn of(
        model: &Model,
        spec: &FitSpec,
        fit: &Fit,
        data: &Dataset<'_>,
    ) -> Result<Self, CoreError> {
        let p = model.p();
        let open: Vec<usize> = (0..p).filter(|&j| !fit.at_bound[j]).collect();
        let stated = fit.loss.is_squared() && data.sigma().is_some();
        let clusters = spec.clusters.as_deref().filter(|_| !stated);
        let found = if let Some(clusters) = clusters {
            clustered(spec, fit, data, model, &open, clusters)?
        } else if data.len() * p <= KEPT_JACOBIAN {
            kept(spec, fit, data, model, &open)?
        } else {
            streamed(spec, fit, data, model, &open)?
        };
        let covariance = Covariance {
            matrix: found.matrix.as_deref().map(|m| widen(m, &open, p)),
            ..found
        };
        let jacobian = model.expansion_jacobian(&fit.free);
        let n = spec.parameters.len();
        let full = covariance.matrix.as_deref().map(|matrix| {
            let row = |i: usize| &jacobian[i * p..(i + 1) * p];
            let mut full = vec![0.0; n * n];
            for i in 0..n {
                let half: Vec<f64> = (0..p)
                    .map(|k| dot(row(i), &matrix[k * p..(k + 1) * p]))
                    .collect();
                for j in 0..n {
                    full[i * n + j] = dot(&half, row(j));
                }
            }
            full
        });
        let mut kinds: Vec<&'static str> = spec
            .parameters
            .iter()
            .map(|parameter| match parameter.role {
                Role::Free => "free",
                Role::Fixed(_) => "fixed",
                Role::Tied(_) => "tied",
            })
            .collect();
        for (&position, &bound) in fit.positions.iter().zip(&fit.at_bound) {
            if bound {
                kinds[position] = "at-bound";
            }
        }
        Ok(Inference {
            covariance,
            degrees_of_freedom: match clusters {
                Some(clusters) => cluster_count(clusters).saturating_sub(1),
                None => data.rows_in_use().saturating_sub(open.len()),
            },
            names: spec
                .parameters
                .iter()
                .map(|parameter| parameter.name.clone())
                .collect(),
            values: fit.parameters.clone(),
            scales: spec
                .parameters
                .iter()
                .map(|q| (q.transform, q.lower(), q.upper()))
                .collect(),
            kinds,
            full,
        })
    }

    /// Covariance of all parameters of the law, row-major, in its order; `None` where refused.
    pub fn of_all(&self) -> Option<&[f64]> {
        self.full.as_deref()
    }

    /// How many standard errors a two-sided interval of this level extends to either side.
    pub fn quantile(&self, level: f64) -> f64 {
        match self.covariance.method {
            Method::GaussNewton | Method::ClusterSandwich => {
                two_sided_quantile(level, self.degrees_of_freedom.max(1))
            }
            Method::KnownNoise | Method::Sandwich => normal_quantile(0.5 + 0.5 * level),
        }
    }

    /// Every parameter of the law, in its order. Intervals of parameters with a logarithmic scale are symmetric there;
    /// all are cut at the bounds.
    pub fn estimates(&self, level: f64) -> Vec<Estimate> {
        let n = self.values.len();
        (0..n)
            .map(|i| {
                let value = self.values[i];
                if matches!(self.kinds[i], "fixed" | "at-bound") {
                    return Estimate {
                        value,
                        std_error: None,
                        interval: None,
                        method: self.kinds[i].to_owned(),
                    };
                }
                let error = self
                    .full
                    .as_ref()
                    .map(|full| full[i * n + i].max(0.0).sqrt());
                let (transform, lower, upper) = self.scales[i];
                let on_logs = transform == Transform::Log && value > 0.0 && self.kinds[i] == "free";
                self.estimate(value, error, level, on_logs, (lower, upper))
            })
            .collect()
    }

    /// Any formula of the parameters.
    ///
    /// # Errors
    /// `unbound-symbol` for a name that is no parameter.
    pub fn derive(&self, formula: &System, level: f64) -> Result<Estimate, CoreError> {
        let Some((output, _)) = formula.outputs().first() else {
            return Err(CoreError::settings("no-output", "there is no formula"));
        };
        let derived = derive(
            formula,
            output,
            &self.names,
            &self.values,
            self.full.as_deref(),
        )?;
        Ok(self.estimate(
            derived.value,
            derived.std_error,
            level,
            false,
            (f64::NEG_INFINITY, f64::INFINITY),
        ))
    }

    fn estimate(
        &self,
        value: f64,
        error: Option<f64>,
        level: f64,
        on_logs: bool,
        limits: (f64, f64),
    ) -> Estimate {
        let Some(error) = error else {
            let method = self.covariance.code.unwrap_or("no-covariance").to_owned();
            return Estimate {
                value,
                std_error: None,
                interval: None,
                method,
            };
        };
        let half = error * self.quantile(level);
        let (lower, upper) = if on_logs {
            let factor = math::exp(half / value);
            (value / factor, value * factor)
        } else {
            (value - half, value + half)
        };
        let scale = if on_logs { "-log" } else { "" };
        Estimate {
            value,
            std_error: Some(error),
            interval: Some((lower.max(limits.0), upper.min(limits.1))),
            method: format!("{}{scale}", self.covariance.method.name()),
        }
    }
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
        let design = invert(&sums.first, open.len());
        let curvature = invert(&sums.second, open.len());
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

fn kept(
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

fn streamed(
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

/// The covariance of rows that share noise within a cluster. Chunks are worked through one after the other, since a cluster
/// may have rows in several.
fn clustered(
    spec: &FitSpec,
    fit: &Fit,
    data: &Dataset<'_>,
    model: &Model,
    open: &[usize],
    clusters: &[u32],
) -> Result<Covariance, CoreError> {
    let (p, rows) = (open.len(), data.rows_in_use());
    let smoothing = if fit.loss.is_squared() {
        None
    } else {
        let residual = all_residuals(spec, fit, data, model)?;
        match Smoothing::new(fit.loss, &residual, data.weights.as_deref(), p) {
            Ok(smoothing) => Some(smoothing),
            Err(code) => {
                return Ok(Covariance {
                    method: Method::ClusterSandwich,
                    matrix: None,
                    code: Some(code),
                });
            }
        }
    };
    let mut curvature = vec![0.0; p * p];
    let mut scores = vec![0.0; p * cluster_count(clusters)];
    for chunk in 0..data.len().div_ceil(CHUNK) {
        let part = slice(data, chunk * CHUNK, data.len().min((chunk + 1) * CHUNK));
        let found = linearise(spec, fit, &part, model)?;
        let m = part.len();
        for i in 0..m {
            let (r, w) = (found.residual[i], part.weight(i));
            let bend = smoothing.as_ref().map_or(w, |s| s.row(r, w).0);
            let pull = w * fit.loss.psi(r);
            let own = p * clusters[chunk * CHUNK + i] as usize;
            for (j, &column) in open.iter().enumerate() {
                let left = found.jacobian[column * m + i];
                scores[own + j] += pull * left;
                for (k, &other) in open.iter().enumerate() {
                    curvature[j * p + k] += bend * left * found.jacobian[other * m + i];
                }
            }
        }
    }
    Ok(covariance::cluster_sandwich(&curvature, &scores, p, rows))
}

fn cluster_count(clusters: &[u32]) -> usize {
    clusters.iter().max().map_or(0, |&last| last as usize + 1)
}

/// Two sums over rows of a factor times `g gᵀ`, row-major and complete.
struct Sums {
    first: Vec<f64>,
    second: Vec<f64>,
}

fn normal_sums(
    part: &Linearisation,
    rows: &Dataset<'_>,
    open: &[usize],
    factors: impl Fn(f64, f64) -> (f64, f64),
) -> Sums {
    let (m, p) = (part.residual.len(), open.len());
    let mut sums = Sums {
        first: vec![0.0; p * p],
        second: vec![0.0; p * p],
    };
    for i in 0..m {
        let (a, b) = factors(part.residual[i], rows.weight(i));
        for (j, &column) in open.iter().enumerate() {
            let left = part.jacobian[column * m + i];
            for (k, &other) in open.iter().enumerate() {
                let product = left * part.jacobian[other * m + i];
                sums.first[j * p + k] += a * product;
                sums.second[j * p + k] += b * product;
            }
        }
    }
    sums
}

/// The sums of all chunks, added in their order.
fn chunks(
    spec: &FitSpec,
    fit: &Fit,
    data: &Dataset<'_>,
    model: &Model,
    work: impl Fn(&Linearisation, &Dataset<'_>) -> Sums + Sync,
) -> Result<Sums, CoreError> {
    let parts = chunk_rows(spec, fit, data, model, work)?;
    let mut parts = parts.into_iter();
    let mut total = parts.next().unwrap_or(Sums {
        first: Vec::new(),
        second: Vec::new(),
    });
    for part in parts {
        total
            .first
            .iter_mut()
            .zip(&part.first)
            .for_each(|(sum, x)| *sum += x);
        total
            .second
            .iter_mut()
            .zip(&part.second)
            .for_each(|(sum, x)| *sum += x);
    }
    Ok(total)
}

/// `work` on the linearisation of each chunk of rows, results in order.
fn chunk_rows<R: Send>(
    spec: &FitSpec,
    fit: &Fit,
    data: &Dataset<'_>,
    model: &Model,
    work: impl Fn(&Linearisation, &Dataset<'_>) -> R + Sync,
) -> Result<Vec<R>, CoreError> {
    (0..data.len().div_ceil(CHUNK))
        .into_par_iter()
        .map(|chunk| {
            let rows = slice(data, chunk * CHUNK, data.len().min((chunk + 1) * CHUNK));
            Ok(work(&linearise(spec, fit, &rows, model)?, &rows))
        })
        .collect()
}

fn linearise(
    spec: &FitSpec,
    fit: &Fit,
    data: &Dataset<'_>,
    model: &Model,
) -> Result<Linearisation, CoreError> {
    let objective = Objective::new(model, data, spec.residual)?;
    Ok(objective.linearise(&mut objective.scratch(), &fit.free))
}

fn all_residuals(
    spec: &FitSpec,
    fit: &Fit,
    data: &Dataset<'_>,
    model: &Model,
) -> Result<Vec<f64>, CoreError> {
    let objective = Objective::new(model, data, spec.residual)?;
    Ok(objective.residuals(&mut objective.scratch(), &fit.free))
}

/// The rows `from..to`, borrowed.
fn slice<'d>(data: &'d Dataset<'_>, from: usize, to: usize) -> Dataset<'d> {
    Dataset {
        names: data.names.clone(),
        columns: data
            .columns
            .iter()
            .map(|column| Cow::Borrowed(&column[from..to]))
            .collect(),
        response: Cow::Borrowed(&data.response[from..to]),
        weights: data
            .weights
            .as_ref()
            .map(|weights| Cow::Borrowed(&weights[from..to])),
    }
}

/// A matrix of the open parameters as one of all free ones, zero elsewhere.
fn widen(matrix: &[f64], open: &[usize], p: usize) -> Vec<f64> {
    let mut wide = vec![0.0; p * p];
    for (a, &j) in open.iter().enumerate() {
        for (b, &k) in open.iter().enumerate() {
            wide[j * p + k] = matrix[a * open.len() + b];
        }
    }
    wide
}

/// The inverse of a positive definite matrix, scaled to a unit diagonal on the way.
fn invert(matrix: &[f64], p: usize) -> Option<Vec<f64>> {
    let scale: Vec<f64> = (0..p).map(|j| 1.0 / matrix[j * p + j].sqrt()).collect();
    if scale.iter().any(|s| !(s.is_finite() && *s > 0.0)) {
        return None;
    }
    let mut factor: Vec<f64> = (0..p * p)
        .map(|k| matrix[k] * scale[k / p] * scale[k % p])
        .collect();
    cholesky_in_place(&mut factor, p).ok()?;
    let mut inverse = cholesky_inverse(&factor, p);
    inverse
        .iter_mut()
        .enumerate()
        .for_each(|(k, x)| *x *= scale[k / p] * scale[k % p]);
    Some(inverse)
}
