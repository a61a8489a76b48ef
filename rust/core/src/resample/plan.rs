//! What one replicate changes: the weight of each row, or the response.
//!
//! In: a [`Scheme`] over `m` rows (how to resample; which rows form a unit, which units a stratum). Out: for a replicate
//! number, `m` factors of the weights or `m` factors of the residuals, each a pure function of (seed, replicate): any
//! slice of the replicates can be computed by itself, in any order, on any number of threads.
//! Sources: Efron & Tibshirani 1993; Rubin 1981 (Bayesian weights); Wu 1986 and Webb 2023 (wild); Politis & Romano 1994.

#[cfg(test)]
mod tests;

use crate::error::CoreError;
use crate::rng::{Random, Stream};
use scalefast_expr::math;

/// How replicates are drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind<'a> {
    /// Units with replacement, as many as there are.
    Pairs,
    /// This share of the units without replacement, between 0 and 1.
    Fraction(f64),
    /// Exponential weights of mean one (Rubin's Bayesian bootstrap).
    Bayesian,
    /// Residuals exchanged between rows of a stratum and added to the fitted values.
    Residual,
    /// Residuals kept at their rows, times ±1 (Rademacher).
    Wild,
    /// Residuals kept at their rows, times one of six points ±√½, ±1, ±√1.5 (Webb), for few units.
    WildWebb,
    /// Replicate `k` leaves out unit `k`.
    Jackknife,
    /// Given factors of the weights, row-major (replicates × `m`).
    Weights(&'a [f64]),
    /// Given numbers of rows, row-major (replicates × `size`): how often a row stands in a replicate is its factor.
    Indices(&'a [i64], usize),
}

/// A resampling scheme over `m` rows.
#[derive(Clone, Copy, Debug)]
pub struct Scheme<'a> {
    /// How replicates are drawn.
    pub kind: Kind<'a>,
    /// The unit of each row (a run, say), numbered from 0 without gaps; none: each row is a unit.
    pub units: Option<&'a [u32]>,
    /// The stratum of each row (a budget, say), numbered from 0 without gaps; none: one stratum.
    pub strata: Option<&'a [u32]>,
    /// The seed.
    pub seed: u64,
    /// Whether replicates are searched for other optima; else each ends in the one that the fit's own leads to.
    pub global: bool,
}

/// What a replicate changes.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// Each row's weight is multiplied by this (`m`).
    Weights(Vec<f64>),
    /// Each row's residual is replaced by this (`m`), around the same fitted value.
    Residuals(Vec<f64>),
}

/// A checked scheme, ready to give replicates.
pub struct Plan<'a> {
    kind: Kind<'a>,
    rows: usize,
    /// The unit of each row.
    unit: Vec<u32>,
    /// The units of each stratum, in order of their numbers.
    strata: Vec<Vec<u32>>,
    /// The rows of each stratum, for residuals.
    rows_of_strata: Vec<Vec<u32>>,
    random: Random,
}

/// The six points of Webb's weights, each with probability 1/6.
const WEBB: [f64; 6] = [
    -1.224_744_871_391_589,
    -1.0,
    -std::f64::consts::FRAC_1_SQRT_2,
    std::f64::consts::FRAC_1_SQRT_2,
    1.0,
    1.224_744_871_391_589,
];

impl<'a> Plan<'a> {
    /// Checks a scheme.
    ///
    /// # Errors
    /// `Settings`: `bad-fraction`, `weights-shape`, `bad-weights`, `index-out-of-range`, `residual-cluster` (residuals are
    /// exchanged between rows, not runs), `cluster-spans-strata`, `too-few-units` (fewer than two).
    pub fn new(scheme: &Scheme<'a>, rows: usize) -> Result<Self, CoreError> {
        let unit: Vec<u32> = match scheme.units {
            Some(units) => units.to_vec(),
            None => (0..rows as u32).collect(),
        };
        let count = unit.iter().max().map_or(0, |&u| u as usize + 1);
        let stratum_of_row = |row: usize| scheme.strata.map_or(0, |s| s[row]);
        let mut stratum: Vec<Option<u32>> = vec![None; count];
        for (row, &u) in unit.iter().enumerate() {
            let own = stratum_of_row(row);
            if *stratum[u as usize].get_or_insert(own) != own {
                return Err(CoreError::settings(
                    "cluster-spans-strata",
                    format!("the cluster of row {row} has rows in several strata"),
                )
                .with_argument("strata")
                .with_row(row)
                .with_hint("draw whole clusters: a stratum must hold all rows of a cluster"));
            }
        }
        let groups = (0..rows)
            .map(stratum_of_row)
            .max()
            .map_or(0, |s| s as usize + 1);
        let mut strata = vec![Vec::new(); groups];
        for (u, s) in stratum.iter().enumerate() {
            if let Some(s) = s {
                strata[*s as usize].push(u as u32);
            }
        }
        let mut rows_of_strata = vec![Vec::new(); groups];
        for row in 0..rows {
            rows_of_strata[stratum_of_row(row) as usize].push(row as u32);
        }
        let plan = Self {
            kind: scheme.kind,
            rows,
            unit,
            strata,
            rows_of_strata,
            random: Random::new(scheme.seed, Stream::Resampling),
        };
        plan.check(scheme.units.is_some(), count)?;
        Ok(plan)
    }

    /// The number of replicates there are, where the scheme sets it: units of a jackknife, given sets.
    pub fn replicates(&self) -> Option<usize> {
        match self.kind {
            Kind::Jackknife => Some(self.strata.iter().map(Vec::len).sum()),
            Kind::Weights(weights) => Some(weights.len() / self.rows.max(1)),
            Kind::Indices(indices, size) => Some(indices.len() / size.max(1)),
            _ => None,
        }
    }

    /// Whether replicates change the response rather than the weights.
    pub fn changes_response(&self) -> bool {
        matches!(self.kind, Kind::Residual | Kind::Wild | Kind::WildWebb)
    }

    /// The number of units.
    pub fn units(&self) -> usize {
        self.strata.iter().map(Vec::len).sum()
    }

    /// What replicate number `replicate` changes; `scaled` are the residuals (`m`) of the fit at unit weight.
    pub fn change(&self, replicate: u32, scaled: &[f64]) -> Change {
        match self.kind {
            Kind::Weights(weights) => {
                let from = replicate as usize * self.rows;
                Change::Weights(weights[from..from + self.rows].to_vec())
            }
            Kind::Indices(indices, size) => {
                let mut weights = vec![0.0; self.rows];
                let from = replicate as usize * size;
                for &row in &indices[from..from + size] {
                    weights[row as usize] += 1.0;
                }
                Change::Weights(weights)
            }
            Kind::Residual => Change::Residuals(self.exchanged(replicate, scaled)),
            Kind::Wild | Kind::WildWebb => {
                let factor = |u: u32| {
                    let index = u64::from(u);
                    if self.kind == Kind::Wild {
                        [-1.0, 1.0][self.random.below(replicate, index, 2) as usize]
                    } else {
                        WEBB[self.random.below(replicate, index, 6) as usize]
                    }
                };
                let pairs = self.unit.iter().zip(scaled);
                Change::Residuals(pairs.map(|(&u, r)| factor(u) * r).collect())
            }
            _ => {
                let of_units = self.unit_weights(replicate);
                Change::Weights(self.unit.iter().map(|&u| of_units[u as usize]).collect())
            }
        }
    }

    fn unit_weights(&self, replicate: u32) -> Vec<f64> {
        let mut weights = vec![0.0; self.units()];
        // Each stratum has its own range of indices of the random numbers.
        let mut first = 0u64;
        for units in &self.strata {
            let n = units.len();
            match self.kind {
                Kind::Pairs => {
                    for j in 0..n as u64 {
                        let drawn = self.random.below(replicate, first + j, n as u64);
                        weights[units[drawn as usize] as usize] += 1.0;
                    }
                }
                Kind::Fraction(share) => {
                    let mut left = units.clone();
                    let kept = ((share * n as f64).round() as usize).clamp(1, n);
                    for j in 0..kept {
                        let drawn = self
                            .random
                            .below(replicate, first + j as u64, (n - j) as u64);
                        left.swap(j, j + drawn as usize);
                        weights[left[j] as usize] = 1.0;
                    }
                }
                Kind::Bayesian => {
                    let mut total = 0.0;
                    for (j, &u) in units.iter().enumerate() {
                        let x = -math::ln(self.random.uniform_open(replicate, first + j as u64));
                        weights[u as usize] = x;
                        total += x;
                    }
                    for &u in units {
                        weights[u as usize] *= n as f64 / total;
                    }
                }
                _ => {
                    for &u in units {
                        weights[u as usize] = if u == replicate { 0.0 } else { 1.0 };
                    }
                }
            }
            first += n as u64;
        }
        weights
    }

    fn exchanged(&self, replicate: u32, scaled: &[f64]) -> Vec<f64> {
        let mut residuals = vec![0.0; self.rows];
        for rows in &self.rows_of_strata {
            let n = rows.len() as u64;
            let mean = rows.iter().map(|&i| scaled[i as usize]).sum::<f64>() / n as f64;
            for &row in rows {
                let drawn = self.random.below(replicate, u64::from(row), n);
                residuals[row as usize] = scaled[rows[drawn as usize] as usize] - mean;
            }
        }
        residuals
    }

    fn check(&self, clustered: bool, units: usize) -> Result<(), CoreError> {
        if units < 2 {
            return Err(CoreError::settings(
                "too-few-units",
                format!("resampling needs at least 2 rows or clusters, not {units}"),
            )
            .with_value(units as f64)
            .with_limit(2.0));
        }
        match self.kind {
            Kind::Fraction(share) if !(share > 0.0 && share < 1.0) => Err(CoreError::settings(
                "bad-fraction",
                format!("the fraction must lie between 0 and 1, not {share}"),
            )
            .with_argument("fraction")
            .with_value(share)
            .with_limit(1.0)),
            Kind::Residual if clustered => Err(CoreError::settings(
                "residual-cluster",
                "residuals are exchanged between rows, which breaks up clusters",
            )
            .with_argument("cluster")
            .with_hint(
                "use the wild bootstrap, which changes the sign of a whole cluster, or pairs",
            )),
            Kind::Weights(weights) => self.check_weights(weights),
            Kind::Indices(indices, size) => self.check_indices(indices, size),
            _ => Ok(()),
        }
    }

    fn check_weights(&self, weights: &[f64]) -> Result<(), CoreError> {
        if weights.is_empty() || !weights.len().is_multiple_of(self.rows) {
            return Err(CoreError::settings(
                "weights-shape",
                format!(
                    "given weights need one column for each of the {} rows in use",
                    self.rows
                ),
            )
            .with_argument("weights"));
        }
        match weights.iter().position(|w| !(w.is_finite() && *w >= 0.0)) {
            None => Ok(()),
            Some(at) => Err(CoreError::settings(
                "bad-weights",
                format!(
                    "replicate {} gives row {} the weight {}: weights are finite and not negative",
                    at / self.rows,
                    at % self.rows,
                    weights[at]
                ),
            )
            .with_argument("weights")
            .with_row(at % self.rows)
            .with_value(weights[at])),
        }
    }

    fn check_indices(&self, indices: &[i64], size: usize) -> Result<(), CoreError> {
        let outside = indices
            .iter()
            .position(|&i| i < 0 || i as usize >= self.rows);
        match outside {
            _ if indices.is_empty() || size == 0 => Err(CoreError::settings(
                "index-out-of-range",
                "given index sets hold no rows",
            )
            .with_argument("indices")),
            None => Ok(()),
            Some(at) => Err(CoreError::settings(
                "index-out-of-range",
                format!(
                    "replicate {} draws row {}, the {} rows in use are numbered from 0",
                    at / size,
                    indices[at],
                    self.rows
                ),
            )
            .with_argument("indices")
            .with_value(indices[at] as f64)
            .with_limit(self.rows as f64)),
        }
    }
}
