//! How specifications of a law are judged: Akaike's criterion of a fit, errors of predictions of runs that the fit has not
//! seen, and where runs are cut for that.
//!
//! Stage: after the fits of a study. In: objectives and columns of losses. Out: plain numbers. Sums are rounded once
//! ([`exact`]), so they depend on no order.

use scalefast_expr::math;

use crate::exact;

/// Shares of the runs, by compute, between which cuts are spread.
const LOWEST: f64 = 0.5;
const HIGHEST: f64 = 0.95;

/// Errors of predictions, each ln(predicted/measured).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PredictionErrors {
    /// Their mean.
    pub mean: f64,
    /// The root of their mean square.
    pub rms: f64,
    /// The one farthest from zero, the first of equals.
    pub worst: f64,
}

impl PredictionErrors {
    /// The errors of `predicted` against `measured`, of one length; `None` of no rows, or where one is not finite.
    ///
    /// ```
    /// use scalefast_core::criteria::PredictionErrors;
    /// let found = PredictionErrors::of(&[2.0, 2.0], &[2.0, 4.0]).unwrap();
    /// assert_eq!((found.mean, found.worst), (-0.5 * 2f64.ln(), -(2f64.ln())));
    /// ```
    pub fn of(predicted: &[f64], measured: &[f64]) -> Option<Self> {
        let errors: Vec<f64> = predicted
            .iter()
            .zip(measured)
            .map(|(p, m)| math::ln(p / m))
            .collect();
        if errors.is_empty() || errors.iter().any(|error| !error.is_finite()) {
            return None;
        }
        let count = errors.len() as f64;
        let worst = errors.iter().fold(0.0f64, |worst, &error| {
            if error.abs() > worst.abs() {
                error
            } else {
                worst
            }
        });
        Some(PredictionErrors {
            mean: exact::sum(errors.iter().copied()) / count,
            rms: (exact::sum(errors.iter().map(|error| error * error)) / count).sqrt(),
            worst,
        })
    }
}

/// Akaike's criterion corrected for few rows (Hurvich & Tsai 1989) of `rows` independent normal residuals of one variance,
/// whose `objective` is half the sum of their squares and whose law has `free` parameters.
///
/// Residuals of logarithms are brought to the scale of the losses themselves by `logged`, the measured losses; `None` where
/// the residuals are those of the losses. Without a value (`None`) where there are too few rows, or none of them departs
/// from the law.
///
/// ```
/// use scalefast_core::criteria::aicc;
/// // Ten residuals of variance 1/(2π): n + 2k + 2k(k + 1)/(n − k − 1) with k = 2.
/// let found = aicc(5.0 / (2.0 * std::f64::consts::PI), 10, 1, None).unwrap();
/// assert!((found - (10.0 + 4.0 + 12.0 / 7.0)).abs() < 1e-12);
/// ```
pub fn aicc(objective: f64, rows: usize, free: usize, logged: Option<&[f64]>) -> Option<f64> {
    let (n, k) = (rows as f64, (free + 1) as f64);
    if rows <= free + 2 || !(objective > 0.0 && objective < f64::INFINITY) {
        return None;
    }
    let variance = 2.0 * objective / n;
    let mut deviance = n * (math::ln(std::f64::consts::TAU * variance) + 1.0);
    if let Some(losses) = logged {
        deviance += 2.0 * exact::sum(losses.iter().map(|&loss| math::ln(loss)));
    }
    Some(deviance + 2.0 * k + 2.0 * k * (k + 1.0) / (n - k - 1.0))
}

/// `count` cuts spread evenly between half and 95 % of the runs by `compute`: each the largest compute of a share of them.
/// Values that are not finite are no runs; no cuts (empty) of no runs.
pub fn cuts(compute: &[f64], count: usize) -> Vec<f64> {
    let mut known: Vec<f64> = compute.iter().copied().filter(|c| c.is_finite()).collect();
    known.sort_unstable_by(f64::total_cmp);
    if known.is_empty() {
        return Vec::new();
    }
    let steps = count.saturating_sub(1).max(1) as f64;
    (0..count)
        .map(|i| {
            let share = LOWEST + (HIGHEST - LOWEST) * i as f64 / steps;
            known[((share * known.len() as f64).ceil() as usize).clamp(1, known.len()) - 1]
        })
        .collect()
}

/// How many factors of ten `far` lies beyond `near`.
pub fn decades(near: f64, far: f64) -> f64 {
    math::log10(far / near)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The log-likelihood by hand, row by row: normal, and log-normal with its Jacobian.
    #[test]
    fn the_criterion_is_that_of_the_likelihood() {
        let losses = [2.1, 2.4, 2.2, 3.0, 2.6, 2.9, 2.05];
        let residuals = [0.01, -0.02, 0.015, 0.003, -0.007, 0.011, -0.004];
        let squares: f64 = residuals.iter().map(|r| r * r).sum();
        let (n, variance) = (7.0, squares / 7.0);
        for logged in [false, true] {
            let likelihood: f64 = residuals
                .iter()
                .zip(&losses)
                .map(|(r, loss)| {
                    let density =
                        -0.5 * (std::f64::consts::TAU * variance).ln() - r * r / (2.0 * variance);
                    density - if logged { f64::ln(*loss) } else { 0.0 }
                })
                .sum();
            let expected = -2.0 * likelihood + 6.0 + 24.0 / (n - 4.0);
            let found = aicc(squares / 2.0, 7, 2, logged.then_some(&losses[..])).unwrap();
            assert!((found / expected - 1.0).abs() < 1e-13, "{found} {expected}");
        }
        assert_eq!(aicc(1.0, 4, 2, None), None);
        assert!(aicc(1.0, 5, 2, None).is_some());
        assert_eq!(aicc(0.0, 7, 2, None), None);
        assert_eq!(aicc(f64::NAN, 7, 2, None), None);
    }

    #[test]
    fn errors_are_those_of_the_logarithm() {
        let found = PredictionErrors::of(&[1.1, 0.8, 1.0], &[1.0; 3]).unwrap();
        let (a, b) = (1.1f64.ln(), 0.8f64.ln());
        assert!((found.mean - (a + b) / 3.0).abs() < 1e-16);
        assert!((found.rms - ((a * a + b * b) / 3.0).sqrt()).abs() < 1e-16);
        assert!((found.worst - b).abs() < 1e-16);
        assert_eq!(PredictionErrors::of(&[1.0, -1.0], &[1.0, 1.0]), None);
        assert_eq!(PredictionErrors::of(&[], &[]), None);
        let exact = PredictionErrors::of(&[3.0], &[3.0]).unwrap();
        assert_eq!((exact.mean, exact.rms, exact.worst), (0.0, 0.0, 0.0));
    }

    #[test]
    fn cuts_leave_a_share_of_the_runs_below() {
        let compute: Vec<f64> = (1..=20)
            .rev()
            .map(f64::from)
            .chain([f64::NAN, f64::INFINITY])
            .collect();
        assert_eq!(cuts(&compute, 1), [10.0]);
        assert_eq!(cuts(&compute, 2), [10.0, 19.0]);
        assert_eq!(cuts(&compute, 4), [10.0, 13.0, 16.0, 19.0]);
        assert!(cuts(&compute, 0).is_empty() && cuts(&[f64::NAN], 3).is_empty());
        assert_eq!(decades(1e20, 1e23), 3.0);
    }
}
