//! Whether the residuals of a group follow each other, and standard errors that hold when they do.
//!
//! Stage: after the fits. In: groups whose rows stand in their own order (the points of a learning curve, one after the
//! other), and their estimates. Out: for each group a [`Trust`] in its standard errors, which become NaN where residuals
//! are found autocorrelated, or are replaced by block standard errors. Test and blocks are those of [`Series`].

use super::group::{Errors, GroupData, GroupFits, GroupSpec, PORTION, Trust, unit};
use super::std_errors::std_errors;
use crate::covariance::{REJECT, Series};
use crate::error::CoreError;
use crate::fit::LossChoice;
use crate::loss::Loss;
use crate::model::{Model, RESPONSE, Residual};
use rayon::prelude::*;
use scalefast_expr::{BLOCK, Binding, Family, Kernel, Output, Rate, Workspace};
use std::ops::Range;

/// Residuals of this size, relative to the response (or of logarithms), are rounding.
const EXACT: f64 = 1e-12;

/// Share of copies beyond which errors that count them as evidence are too small by more than 13 %.
const COPIES: f64 = 0.25;
/// Rows up to which copies are sought pair by pair.
const FEW: usize = 32;

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
        let none = || vec![f64::NAN; fits.std_errors.len()];
        if self.spec.errors == Errors::Checked && self.copied(span.clone()) {
            return (Trust::DuplicateRows, none());
        }
        if !(self.load(rows, span, series) && series.measure()) {
            return (Trust::Independent, Vec::new());
        }
        match self.spec.errors {
            Errors::Checked if series.deviate > REJECT => (Trust::Autocorrelated, none()),
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

    /// Whether more than a quarter of the rows of a group that count are copies of others in every variable, the response and
    /// the weight.
    fn copied(&self, span: Range<usize>) -> bool {
        let weight = |row: usize| self.data.weights.map_or(1.0, |w| w[row]);
        let same = |a: usize, b: usize| {
            self.data.response[a] == self.data.response[b]
                && weight(a) == weight(b)
                && self.columns.iter().all(|&c| {
                    let column = self.data.columns[c];
                    column[a] == column[b]
                })
        };
        let copies = if span.len() <= FEW {
            let copy = |&row: &usize| (span.start..row).any(|other| same(row, other));
            let rows = span.clone().filter(|&row| weight(row) > 0.0);
            rows.filter(copy).count()
        } else {
            let mut rows: Vec<usize> = span.clone().filter(|&row| weight(row) > 0.0).collect();
            let column = |c: usize, row: usize| self.data.columns[c][row];
            rows.sort_unstable_by(|&a, &b| {
                let response = self.data.response[a].total_cmp(&self.data.response[b]);
                let weights = || weight(a).total_cmp(&weight(b));
                let of = |&c: &usize| column(c, a).total_cmp(&column(c, b));
                let columns = || self.columns.iter().map(of).find(|order| order.is_ne());
                response
                    .then_with(weights)
                    .then_with(|| columns().unwrap_or(std::cmp::Ordering::Equal))
            });
            rows.windows(2)
                .filter(|pair| same(pair[0], pair[1]))
                .count()
        };
        let used = span.filter(|&row| weight(row) > 0.0).count();
        copies as f64 > COPIES * used as f64
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
