//! Residuals in an order: whether they follow each other, and the covariance of estimates where they do.
//!
//! In: `n` weighted residuals in their order (the points of a learning curve, one after the other) and their gradients by
//! `k` parameters. Out: the lag-1 autocorrelation with its deviate, and the `k × k` block covariance.
//!
//! The test is that of Durbin & Watson (1950): the lag-1 autocorrelation `r₁ = eᵀAe/eᵀe` of residuals `e = Mε` has under
//! independent noise the mean `tr(MA)/(n−k)` and the variance `2(tr((MA)²) − tr(MA)²/(n−k))/((n−k)(n−k+2))`, exactly; it is
//! one-sided, since only positive autocorrelation makes errors too small, and rejects nothing where `r₁` itself is not
//! positive. Block errors are a sandwich: the sum of the scores `w r ∇r` over overlapping blocks, whitened by the
//! autocorrelation found (Andrews & Monahan 1992).

#[cfg(test)]
mod tests;

use crate::linalg::{cholesky_in_place, cholesky_solve};

/// Normal quantile of the one-sided level of the test, 1 %.
pub(crate) const REJECT: f64 = 2.326_347_874_040_841;
/// Rows beyond the parameters from which block errors are made; fewer cannot tell the autocorrelation.
const LEAST_FREEDOM: usize = 20;
/// Largest autocorrelation that is whitened: beyond, a group holds hardly more than one observation.
const MOST_CORRELATION: f64 = 0.95;

/// `n` residuals in order and their gradients by the `k` parameters off their bounds; memory for one group after another.
#[derive(Default)]
pub(crate) struct Series {
    /// The parameters off their bounds.
    pub(crate) open: Vec<usize>,
    /// Weighted residuals, or scores of the loss, in order.
    pub(crate) error: Vec<f64>,
    /// Row by row; once measured, every column of length one.
    pub(crate) gradient: Vec<f64>,
    scale: Vec<f64>,
    /// Cholesky factor of the normal matrix of the scaled gradient.
    factor: Vec<f64>,
    lagged: Vec<f64>,
    twice: Vec<f64>,
    /// Half the sum of the gradients before and after a row.
    beside: Vec<f64>,
    /// Lag-1 autocorrelation beyond what fitting makes of independent noise, and that in its standard deviations.
    pub(crate) correlation: f64,
    pub(crate) deviate: f64,
}

impl Series {
    /// The sum of the products of neighbours.
    pub(crate) fn lagged_product(&self) -> f64 {
        self.error.windows(2).map(|pair| pair[0] * pair[1]).sum()
    }

    /// Finds the autocorrelation; false where the rows are too few or do not determine the parameters.
    pub(crate) fn measure(&mut self) -> bool {
        let (n, k) = (self.error.len(), self.open.len());
        if k == 0 || n <= k + 2 {
            return false;
        }
        self.unit_columns(k);
        for matrix in [&mut self.factor, &mut self.lagged, &mut self.twice] {
            matrix.clear();
            matrix.resize(k * k, 0.0);
        }
        self.products(n, k);
        if cholesky_in_place(&mut self.factor, k).is_err() {
            return false;
        }
        // Columns of G⁻¹X; X is symmetric, so its rows serve as columns.
        for matrix in [&mut self.lagged, &mut self.twice] {
            for column in matrix.chunks_exact_mut(k) {
                cholesky_solve(&self.factor, k, column);
            }
        }
        let trace = |matrix: &[f64]| (0..k).map(|a| matrix[a * k + a]).sum::<f64>();
        let square: f64 = (0..k * k)
            .map(|i| self.lagged[i] * self.lagged[(i % k) * k + i / k])
            .sum();
        let freedom = (n - k) as f64;
        let first = -trace(&self.lagged);
        let second = (n - 1) as f64 / 2.0 - 2.0 * trace(&self.twice) + square;
        let mean = first / freedom;
        let variance = 2.0 * (second - first * first / freedom) / (freedom * (freedom + 2.0));
        let total: f64 = self.error.iter().map(|e| e * e).sum();
        self.correlation = self.lagged_product() / total - mean;
        self.deviate = self.correlation / variance.max(f64::MIN_POSITIVE).sqrt();
        true
    }

    /// Scales the columns of the gradient to length one.
    fn unit_columns(&mut self, k: usize) {
        self.scale.clear();
        self.scale.resize(k, 0.0);
        for row in self.gradient.chunks_exact(k) {
            for (s, g) in self.scale.iter_mut().zip(row) {
                *s += g * g;
            }
        }
        for s in &mut self.scale {
            *s = 1.0 / s.sqrt();
        }
        for row in self.gradient.chunks_exact_mut(k) {
            for (g, s) in row.iter_mut().zip(&self.scale) {
                *g *= s;
            }
        }
    }

    /// Sums the products of the gradient with itself, with the mean of its neighbours, and of that with itself.
    fn products(&mut self, n: usize, k: usize) {
        self.beside.resize(k, 0.0);
        for t in 0..n {
            let row = &self.gradient[t * k..(t + 1) * k];
            for (j, beside) in self.beside.iter_mut().enumerate() {
                let before = if t > 0 {
                    self.gradient[(t - 1) * k + j]
                } else {
                    0.0
                };
                let after = if t + 1 < n {
                    self.gradient[(t + 1) * k + j]
                } else {
                    0.0
                };
                *beside = 0.5 * (before + after);
            }
            for a in 0..k {
                for b in 0..k {
                    self.factor[a * k + b] += row[a] * row[b];
                    self.lagged[a * k + b] += row[a] * self.beside[b];
                    self.twice[a * k + b] += self.beside[a] * self.beside[b];
                }
            }
        }
    }

    /// `k × k`; none where the rows are too few.
    pub(crate) fn block_covariance(&self) -> Option<Vec<f64>> {
        let (n, k) = (self.error.len(), self.open.len());
        if n < k + LEAST_FREEDOM {
            return None;
        }
        let phi = self.correlation.clamp(0.0, MOST_CORRELATION);
        let first = (1.0 - phi * phi).sqrt();
        let score = |t: usize, j: usize| self.error[t] * self.gradient[t * k + j];
        let mut white = vec![0.0; n * k];
        for t in 0..n {
            for j in 0..k {
                white[t * k + j] = if t == 0 {
                    first * score(0, j)
                } else {
                    score(t, j) - phi * score(t - 1, j)
                };
            }
        }
        // Blocks of the cube root of the rows, every one that fits; weights fall linearly with the lag (Bartlett).
        let length = (1..n).take_while(|l| l * l * l <= n).last().unwrap_or(1);
        let mut meat = vec![0.0; k * k];
        for lag in 0..length {
            let share = 1.0 - lag as f64 / length as f64;
            for t in lag..n {
                for a in 0..k {
                    for b in 0..k {
                        let pair = white[t * k + a] * white[(t - lag) * k + b];
                        meat[a * k + b] += share * pair;
                        if lag > 0 {
                            meat[b * k + a] += share * pair;
                        }
                    }
                }
            }
        }
        let colour = (n as f64 / (n - k) as f64) / ((1.0 - phi) * (1.0 - phi));
        // G⁻¹ S G⁻¹, by columns and again by rows.
        for _ in 0..2 {
            for column in meat.chunks_exact_mut(k) {
                cholesky_solve(&self.factor, k, column);
            }
            for a in 0..k {
                for b in 0..a {
                    meat.swap(a * k + b, b * k + a);
                }
            }
        }
        for a in 0..k {
            for b in 0..k {
                meat[a * k + b] *= colour * self.scale[a] * self.scale[b];
            }
        }
        Some(meat)
    }
}
