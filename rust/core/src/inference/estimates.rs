//! Estimates with their standard errors and intervals, from the covariance of a fit.

use scalefast_expr::{System, math};

use super::clusters::{cluster_count, clustered};
use super::covariances::{kept, streamed};
use crate::covariance::{Covariance, Method};
use crate::dataset::Dataset;
use crate::derive::derive;
use crate::error::CoreError;
use crate::executor::with_pool;
use crate::fit::{Fit, FitSpec};
use crate::linalg::dot;
use crate::model::Model;
use crate::parameter::{Parameter, Role, Transform};
use crate::rng::normal_quantile;
use crate::student::two_sided_quantile;

/// Entries of a Jacobian up to which it is kept and factored by QR; beyond, sums over chunks take its place.
const KEPT_JACOBIAN: usize = 4_000_000;

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

/// The covariance of a fit and what follows from it.
pub struct Inference {
    /// Of the free parameters, on their own scale; zero where a parameter lies on a bound.
    pub covariance: Covariance,
    /// Rows in use minus parameters off their bounds; of clustered rows clusters minus one.
    pub degrees_of_freedom: usize,
    names: Vec<String>,
    values: Vec<f64>,
    /// Whether intervals are symmetric on the logarithm, and the bounds.
    scales: Vec<(bool, f64, f64)>,
    kinds: Vec<&'static str>,
    /// Whether a parameter lies on a bound, so that all else holds for it held there.
    bound_held: bool,
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

    pub(super) fn within_pool(
        spec: &FitSpec,
        fit: &Fit,
        data: &Dataset<'_>,
    ) -> Result<Self, CoreError> {
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
        let full = covariance
            .matrix
            .as_deref()
            .map(|matrix| expand(model, &fit.free, matrix));
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
            scales: scales(model, spec, fit),
            kinds,
            bound_held: fit.at_bound.contains(&true),
            full,
        })
    }

    /// How errors were computed; where a parameter lies on a bound it says that they are conditional on it.
    pub fn method(&self) -> String {
        self.method_on(false)
    }

    fn method_on(&self, logs: bool) -> String {
        let scale = if logs { "-log" } else { "" };
        let held = if self.bound_held { "-bound-held" } else { "" };
        format!("{}{scale}{held}", self.covariance.method.name())
    }

    /// Covariance of all parameters of the law, row-major, in its order; `None` where refused.
    pub fn of_all(&self) -> Option<&[f64]> {
        self.full.as_deref()
    }

    /// How many standard errors a two-sided interval of this level extends to either side.
    pub fn quantile(&self, level: f64) -> f64 {
        match self.covariance.method {
            Method::GaussNewton | Method::ClusterSandwich | Method::ClusterJackknife => {
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
                let (logarithmic, lower, upper) = self.scales[i];
                let on_logs = logarithmic && value != 0.0 && self.kinds[i] == "free";
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
            // Of a negative value the logarithm of its size.
            let factor = math::exp(half / value.abs());
            let (near, far) = (value / factor, value * factor);
            (near.min(far), near.max(far))
        } else {
            (value - half, value + half)
        };
        Estimate {
            value,
            std_error: Some(error),
            interval: Some((lower.max(limits.0), upper.min(limits.1))),
            method: self.method_on(on_logs),
        }
    }
}

/// The covariance of all parameters from that of the free ones, by the slopes of one by the other.
fn expand(model: &Model, free: &[f64], matrix: &[f64]) -> Vec<f64> {
    let (p, n) = (free.len(), model.parameters.len());
    let jacobian = model.expansion_jacobian(free);
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

/// Whether each parameter of the law has its interval on the scale of the logarithm, and its bounds.
///
/// So it is where the law says so, and in a typed law for a parameter whose scale other free parameters share, such as `k` of
/// `k*C**a`: see [`Kinds::shares_scale`](crate::model::Kinds::shares_scale).
fn scales(model: &Model, spec: &FitSpec, fit: &Fit) -> Vec<(bool, f64, f64)> {
    let kinds = model.kinds();
    let shares = |position: usize| {
        let place = fit.positions.iter().position(|&p| p == position);
        place.is_some_and(|j| kinds.shares_scale(j))
    };
    let scale = |(position, q): (usize, &Parameter)| {
        let logarithmic = match q.transform {
            Transform::Log => fit.parameters[position] > 0.0,
            Transform::Auto => shares(position),
            Transform::Identity => false,
        };
        (logarithmic, q.lower(), q.upper())
    };
    spec.parameters.iter().enumerate().map(scale).collect()
}
