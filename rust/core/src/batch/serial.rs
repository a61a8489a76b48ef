//! Whether the residuals of a group follow each other, and standard errors that hold when they do.
//!
//! Stage: after the fits. In: groups whose rows stand in their own order (the points of a learning curve, one after the
//! other), and their estimates. Out: for each group a [`Trust`] in its standard errors, which become NaN where residuals
//! are found autocorrelated, or are replaced by block standard errors.
//!
//! The test is that of Durbin & Watson (1950): the lag-1 autocorrelation `r₁ = eᵀAe/eᵀe` of residuals `e = Mε` has under
//! independent noise the mean `tr(MA)/(n−k)` and the variance `2(tr((MA)²) − tr(MA)²/(n−k))/((n−k)(n−k+2))`, exactly; it is
//! one-sided, since only positive autocorrelation makes errors too small, and rejects nothing where `r₁` itself is not
//! positive. Block errors are a sandwich: the sum of the scores `w r ∇r` over overlapping blocks, whitened by the
//! autocorrelation found (Andrews & Monahan 1992).
//! Longer than the rule, because `measure` forms three matrices in one pass over the rows.

#[cfg(test)]
mod tests;

use super::group::{Errors, GroupData, GroupFits, GroupSpec, PORTION, Trust, unit};
use super::std_errors::std_errors;
use crate::error::CoreError;
use crate::fit::LossChoice;
use crate::linalg::{cholesky_in_place, cholesky_solve};
use crate::loss::Loss;
use crate::model::{Model, RESPONSE, Residual};
use rayon::prelude::*;
use scalefast_expr::{BLOCK, Binding, Family, Kernel, Output, Rate, Workspace};
use std::ops::Range;

/// Normal quantile of the one-sided level of the test, 1 %.
const REJECT: f64 = 2.326_347_874_040_841;
/// Rows beyond the parameters from which block errors are made; fewer cannot tell the autocorrelation.
const LEAST_FREEDOM: usize = 20;
/// Largest autocorrelation that is whitened: beyond, a group holds hardly more than one observation.
const MOST_CORRELATION: f64 = 0.95;
/// Residuals of this size, relative to the response (or of logarithms), are rounding.
const EXACT: f64 = 1e-12;

/// The groups to be judged.
pub(super) struct Groups<'a> {
    pub(super) spec: &'a GroupSpec,
    pub(super) model: &'a Model,
    pub(super) data: &'a GroupData<'a>,
    /// The column of each variable of the model.
    pub(super) columns: &'a [usize],
    /// Which groups have all variables above zero.
    pub(super) positive: &'a [bool],
}

/// Judges every group of `fits` and changes its standard errors accordingly.
///
/// # Errors
/// Those of the compiler.
pub(super) fn judge(groups: &Groups<'_>, fits: &mut GroupFits) -> Result<(), CoreError> {
    let count = groups.data.offsets.len() - 1;
    let has_errors = |fits: &GroupFits, g: usize| fits.std_errors.iter().any(|c| !c[g].is_nan());
    for g in 0..count {
        if has_errors(fits, g) {
            fits.trust[g] = Trust::Independent as u8;
        }
    }
    if groups.spec.errors == Errors::Independent {
        return Ok(());
    }
    let families = [groups.compile(false)?, groups.compile(true)?];
    let starts: Vec<usize> = (0..count).step_by(PORTION).collect();
    let found: Vec<(usize, Trust, Vec<f64>)> = {
        let fits = &*fits;
        starts
            .into_par_iter()
            .flat_map_iter(|first| {
                let members = first..(first + PORTION).min(count);
                let mut found = Vec::new();
                for (class, family) in families.iter().enumerate() {
                    let wanted: Vec<usize> = members
                        .clone()
                        .filter(|&g| {
                            usize::from(groups.positive[g]) == class && has_errors(fits, g)
                        })
                        .collect();
                    if wanted.is_empty() {
                        continue;
                    }
                    let rows = Linearised::new(groups, family, members.clone(), fits);
                    let mut series = Series::default();
                    found.extend(wanted.into_iter().filter_map(|g| {
                        let (trust, errors) = groups.verdict(&rows, g, fits, &mut series);
                        (trust != Trust::Independent).then_some((g, trust, errors))
                    }));
                }
                found
            })
            .collect()
    };
    for (g, trust, errors) in found {
        fits.trust[g] = trust as u8;
        for (column, error) in fits.std_errors.iter_mut().zip(errors) {
            column[g] = error;
        }
    }
    Ok(())
}

/// Residuals and gradients of consecutive groups, each at its own estimate.
struct Linearised {
    first: usize,
    residual: Vec<f64>,
    /// One column of all rows a free parameter.
    gradient: Vec<Vec<f64>>,
}

impl Linearised {
    fn new(groups: &Groups<'_>, family: &Family, members: Range<usize>, fits: &GroupFits) -> Self {
        let (model, data) = (groups.model, groups.data);
        let rows = data.offsets[members.start]..data.offsets[members.end];
        let spread: Vec<Vec<f64>> = model
            .free
            .iter()
            .map(|free| {
                let values = &fits.parameters[free.position];
                members
                    .clone()
                    .flat_map(|g| {
                        std::iter::repeat_n(values[g], data.offsets[g + 1] - data.offsets[g])
                    })
                    .collect()
            })
            .collect();
        let mut inputs: Vec<&[f64]> = groups
            .columns
            .iter()
            .map(|&c| &data.columns[c][rows.clone()])
            .collect();
        inputs.push(&data.response[rows.clone()]);
        inputs.extend(spread.iter().map(Vec::as_slice));
        let mut outputs = vec![vec![0.0; rows.len()]; 1 + model.p()];
        let mut workspace = Workspace::new(family, 0, Kernel::detect());
        let program = &family.programs()[0];
        for start in (0..rows.len()).step_by(BLOCK) {
            let len = BLOCK.min(rows.len() - start);
            program.run(&mut workspace, &inputs, &[], start, len);
            for (o, output) in outputs.iter_mut().enumerate() {
                let target = &mut output[start..start + len];
                match program.output(&workspace, o) {
                    Output::Block(block) => target.copy_from_slice(&block[..len]),
                    Output::Uniform(value) => target.fill(value),
                }
            }
        }
        let gradient = outputs.split_off(1);
        Self {
            first: rows.start,
            residual: outputs.swap_remove(0),
            gradient,
        }
    }
}

impl Groups<'_> {
    fn compile(&self, positive: bool) -> Result<Family, CoreError> {
        let mut model = self.model.clone();
        let node = model.residual_node(self.spec.residual);
        let mut outputs = vec![node];
        outputs.extend(model.gradient(node));
        let plain = |name: &str, positive: bool| Binding {
            name: name.to_owned(),
            rate: Rate::Varying,
            prepared: false,
            positive,
        };
        let mut bindings: Vec<Binding> = model
            .variables
            .iter()
            .zip(self.columns)
            .map(|(name, &c)| plain(name, positive || self.data.require_positive[c]))
            .collect();
        bindings.push(plain(RESPONSE, self.spec.residual == Residual::Log));
        bindings.extend(model.free.iter().map(|free| plain(&free.name, false)));
        Ok(Family::compile(&model.graph, &[&outputs], &bindings)?)
    }

    /// Whether the standard errors of a group can be trusted, and those that take their place.
    fn verdict(
        &self,
        rows: &Linearised,
        g: usize,
        fits: &GroupFits,
        series: &mut Series,
    ) -> (Trust, Vec<f64>) {
        let value = |j: usize| fits.parameters[self.model.free[j].position][g];
        let off_bounds = |&j: &usize| {
            let limits = self.model.free[j].bounds;
            limits.is_none_or(|(low, high)| low < value(j) && value(j) < high)
        };
        series.open.clear();
        series.open.extend((0..self.model.p()).filter(off_bounds));
        let span = self.data.offsets[g]..self.data.offsets[g + 1];
        if !(self.load(rows, span, series) && series.measure()) {
            return (Trust::Independent, Vec::new());
        }
        let none = || vec![f64::NAN; fits.std_errors.len()];
        match self.spec.errors {
            Errors::Checked if series.follows() => (Trust::Autocorrelated, none()),
            Errors::Independent | Errors::Checked => (Trust::Independent, Vec::new()),
            Errors::Block => match series.block_covariance() {
                Some(covariance) => {
                    let theta: Vec<f64> = (0..self.model.p()).map(value).collect();
                    let errors =
                        std_errors(self.spec, self.model, &theta, &series.open, &covariance);
                    (Trust::Block, errors)
                }
                None => (Trust::TooFewRows, none()),
            },
        }
    }

    /// Fills in the weighted residuals and gradients of one group in the order of its rows; false where they are rounding, or
    /// are to be checked and do not even rise and fall together as they stand.
    fn load(&self, rows: &Linearised, span: Range<usize>, series: &mut Series) -> bool {
        let loss = match self.spec.loss {
            LossChoice::Given(loss) => loss,
            LossChoice::HuberAuto => Loss::Squared,
        };
        let unit = unit(self.spec.residual, &self.data.response[span.clone()]);
        let root = |row: usize| self.data.weights.map_or(1.0, |w| w[row].sqrt());
        let mut exact = true;
        series.error.clear();
        for row in span.clone() {
            let root = root(row);
            if root > 0.0 {
                let residual = rows.residual[row - rows.first];
                exact &= residual.abs() <= EXACT * unit;
                series.error.push(root * loss.psi(residual));
            }
        }
        if exact || (self.spec.errors == Errors::Checked && series.lagged_product() <= 0.0) {
            return false;
        }
        series.gradient.clear();
        for row in span {
            let root = root(row);
            if root > 0.0 {
                let slopes = series.open.iter();
                let slopes = slopes.map(|&j| root * rows.gradient[j][row - rows.first]);
                series.gradient.extend(slopes);
            }
        }
        true
    }
}

/// `n` residuals in order and their gradients by the `k` parameters off their bounds; memory for one group after another.
#[derive(Default)]
struct Series {
    open: Vec<usize>,
    error: Vec<f64>,
    /// Row by row; once measured, every column of length one.
    gradient: Vec<f64>,
    scale: Vec<f64>,
    /// Cholesky factor of the normal matrix of the scaled gradient.
    factor: Vec<f64>,
    lagged: Vec<f64>,
    twice: Vec<f64>,
    /// Half the sum of the gradients before and after a row.
    beside: Vec<f64>,
    /// Lag-1 autocorrelation beyond what fitting makes of independent noise, and that in its standard deviations.
    correlation: f64,
    deviate: f64,
}

impl Series {
    fn lagged_product(&self) -> f64 {
        self.error.windows(2).map(|pair| pair[0] * pair[1]).sum()
    }

    /// Finds the autocorrelation; false where the rows are too few or do not determine the parameters.
    fn measure(&mut self) -> bool {
        let (n, k) = (self.error.len(), self.open.len());
        if k == 0 || n <= k + 2 {
            return false;
        }
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
        for matrix in [&mut self.factor, &mut self.lagged, &mut self.twice] {
            matrix.clear();
            matrix.resize(k * k, 0.0);
        }
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

    fn follows(&self) -> bool {
        self.deviate > REJECT
    }

    /// `k × k`; none where the rows are too few.
    fn block_covariance(&self) -> Option<Vec<f64>> {
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
