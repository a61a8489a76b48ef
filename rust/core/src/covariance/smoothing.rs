//! The kernel estimate of E[ψ′] behind the sandwich: its bandwidth, and when it is refused.
//!
//! In: residuals (`m`), weights (`m`), the loss. Out: two factors for each row.

use super::refusal::{FEW_ROWS_WITHIN_THRESHOLD, NO_DEGREES_OF_FREEDOM, NOT_FINITE};
use crate::loss::Loss;
use crate::quantile::Position;

/// Half-width of the uniform kernel in units of σ̂ n^(−1/5): Silverman's 1.06 for a Gaussian kernel, times the ratio
/// of the canonical bandwidths of the two (Silverman 1986, 3.4.2; Marron & Nolan 1988, 1.740).
const BANDWIDTH: f64 = 1.84;

/// Interquartile range of the standard normal law.
const NORMAL_IQR: f64 = 1.348_979_500_392_163_8;

/// Rows that must lie within the threshold: this many, and twice the number of parameters.
const ROWS_WITHIN: usize = 10;

/// The smoothed curvature of a loss: bandwidth and number of rows in use.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Smoothing {
    loss: Loss,
    /// Half-width h of the kernel, in the units of the residual.
    pub half_width: f64,
    /// Rows with positive weight.
    pub rows: usize,
    /// Share of those rows whose residual lies within the threshold of the loss (1 where it has none).
    pub share_within: f64,
}

impl Smoothing {
    /// Chooses the bandwidth, from the rows with positive weight. `Err` carries a code: no degrees of freedom,
    /// residuals that are not finite, or too few rows within the threshold.
    pub fn new(
        loss: Loss,
        residuals: &[f64],
        weights: Option<&[f64]>,
        p: usize,
    ) -> Result<Self, &'static str> {
        let mut used: Vec<f64> = match weights {
            None => residuals.to_vec(),
            Some(w) => residuals
                .iter()
                .zip(w)
                .filter(|(_, w)| **w > 0.0)
                .map(|(r, _)| *r)
                .collect(),
        };
        let rows = used.len();
        if rows <= p {
            return Err(NO_DEGREES_OF_FREEDOM);
        }
        if used.iter().any(|r| !r.is_finite()) {
            return Err(NOT_FINITE);
        }
        let share = loss
            .threshold()
            .map_or(1.0, |limit| share_within(&used, limit));
        // The width of a smoothed quantile loss is a matter of computing, not a zone in which rows count.
        let zone_matters = !matches!(loss, Loss::Pinball { .. });
        if zone_matters && share * (rows as f64) < ROWS_WITHIN.max(2 * p) as f64 {
            return Err(FEW_ROWS_WITHIN_THRESHOLD);
        }
        let half_width = BANDWIDTH * robust_scale(&mut used) / fifth_root(rows as f64);
        Ok(Smoothing {
            loss,
            half_width,
            rows,
            share_within: share,
        })
    }

    /// The factors (w κ(r), w² ψ(r)²) of one row's J Jᵀ.
    pub fn row(&self, r: f64, weight: f64) -> (f64, f64) {
        let h = self.half_width;
        let curvature = if h > 0.0 {
            (self.loss.psi(r + h) - self.loss.psi(r - h)) / (2.0 * h)
        } else {
            self.loss.psi_prime(r)
        };
        let influence = weight * self.loss.psi(r);
        (weight * curvature, influence * influence)
    }
}

/// Share of residuals with |r| ≤ limit.
pub fn share_within(residuals: &[f64], limit: f64) -> f64 {
    residuals.iter().filter(|r| r.abs() <= limit).count() as f64 / residuals.len() as f64
}

/// The smaller of the standard deviation about the mean and the normalised interquartile range (Silverman 1986,
/// 3.4.2); the former alone where half the residuals are equal. Reorders its argument.
pub fn robust_scale(residuals: &mut [f64]) -> f64 {
    let n = residuals.len();
    if n == 0 {
        return f64::NAN;
    }
    let mean = residuals.iter().sum::<f64>() / n as f64;
    let deviation = (residuals
        .iter()
        .map(|r| (r - mean) * (r - mean))
        .sum::<f64>()
        / n as f64)
        .sqrt();
    residuals.sort_unstable_by(f64::total_cmp);
    let quartile = |p: f64| {
        let position = Position::new(p, n);
        position.interpolate(
            residuals[position.below],
            residuals[(position.below + 1).min(n - 1)],
        )
    };
    let range = (quartile(0.75) - quartile(0.25)) / NORMAL_IQR;
    if range > 0.0 {
        deviation.min(range)
    } else {
        deviation
    }
}

/// x^(1/5) for x ≥ 1 by Newton's method, without a library power.
fn fifth_root(x: f64) -> f64 {
    let mut root = x.sqrt().sqrt();
    for _ in 0..100 {
        let fourth = (root * root) * (root * root);
        let next = root - (root - x / fourth) / 5.0;
        if next >= root {
            break;
        }
        root = next;
    }
    root
}
