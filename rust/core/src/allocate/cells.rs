//! The cells of a sweep, and what is found in each.
//!
//! A cell is a target (a budget in the unit of the cost, or a loss) with its own values of the symbols that differ from
//! cell to cell, such as the unique tokens of a scenario. Every draw is allocated in every cell. In: `B` cells, `K` draws.
//! Out: columns of one entry a cell, and where asked for the `B·K` allocations themselves, cell by cell.

use super::status::Status;
use crate::error::CoreError;
use crate::predict::Values;
use crate::quantile;

/// Targets, and what differs from one to the next.
#[derive(Clone, Debug, Default)]
pub struct Cells<'a> {
    /// Budgets in the unit of the cost, or losses: one a cell.
    pub targets: &'a [f64],
    /// Symbols with one value a cell. They stand above the estimate and the draws.
    pub pinned: Vec<(&'a str, &'a [f64])>,
}

/// What to say of each cell.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wanted<'a> {
    /// Probabilities of the quantiles over the draws.
    pub probabilities: &'a [f64],
    /// Also the loss under each draw at the split of the estimate.
    pub plan_loss: bool,
    /// Also every allocation.
    pub keep: bool,
}

/// What is asked of a law in many cells: what is known of its parameters, where, and what to say of it.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// The estimate of each parameter, in the order in which the law's question or closed form names them.
    pub estimate: &'a [f64],
    /// Their draws; a draw may be a number where a parameter does not vary. Without any column there are no draws.
    pub draws: &'a [Values<'a>],
    /// The targets.
    pub cells: &'a Cells<'a>,
    /// What to say of each.
    pub wanted: Wanted<'a>,
    /// Threads; none means the environment's choice.
    pub threads: Option<usize>,
}

/// One quantity: the point estimate and its quantiles over the draws.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Quantity {
    /// At the estimate; NaN where it has no optimum. One entry for each cell.
    pub point: Vec<f64>,
    /// One column for each probability asked for, each with one entry for each cell; NaN without solved draws.
    pub quantiles: Vec<Vec<f64>>,
}

/// The answers over cells.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Spread {
    /// First variable (N), second (D), cost, loss, the ratio second/first, and the loss at the split of the estimate.
    pub quantities: [Quantity; 6],
    /// What became of the estimate.
    pub status: Vec<Status>,
    /// Draws that have an answer, over which the quantiles are taken.
    pub solved_draws: Vec<usize>,
    /// Every allocation, where asked for.
    pub kept: Option<Kept>,
}

/// The allocations of `B` cells and `K` draws, cell by cell.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Kept {
    /// First variable, second, loss; NaN where there is no answer.
    pub columns: [Vec<f64>; 3],
    /// What became of each.
    pub status: Vec<Status>,
}

/// What is found in one cell.
#[derive(Clone, Debug, Default)]
pub(super) struct Found {
    /// In the order of [`Spread::quantities`].
    pub quantiles: [Vec<f64>; 6],
    pub solved: usize,
    pub kept: Option<Kept>,
}

impl<'a> Cells<'a> {
    /// Targets alone.
    pub fn of(targets: &'a [f64]) -> Self {
        Cells {
            targets,
            pinned: Vec::new(),
        }
    }

    /// The number of cells.
    pub fn len(&self) -> usize {
        self.targets.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.targets.is_empty()
    }

    /// The values of a symbol that differs from cell to cell.
    pub(super) fn column(&self, name: &str) -> Option<&'a [f64]> {
        let pinned = self.pinned.iter().find(|(known, _)| *known == name);
        pinned.map(|(_, values)| *values)
    }

    /// Refuses targets that are not positive and finite (with `code`) and values that are not finite (`bad-given`) or not
    /// one a cell (`column-length`).
    pub(super) fn check(&self, what: &str, code: &'static str) -> Result<(), CoreError> {
        for (row, &target) in self.targets.iter().enumerate() {
            if !(target > 0.0 && target.is_finite()) {
                let message = format!("a {what} must be positive and finite, not {target}");
                return Err(CoreError::settings(code, message)
                    .with_row(row)
                    .with_value(target)
                    .with_limit(0.0));
            }
        }
        for (name, values) in &self.pinned {
            if values.len() != self.len() {
                let message = format!("`{name}` needs one value a cell");
                return Err(CoreError::data("column-length", message).with_column(*name));
            }
            if let Some(row) = values.iter().position(|value| !value.is_finite()) {
                let message = format!("`{name}` is no finite number");
                return Err(CoreError::settings("bad-given", message)
                    .with_argument("given")
                    .with_column(*name)
                    .with_row(row)
                    .with_value(values[row]));
            }
        }
        Ok(())
    }

    /// The values of `names` for the estimate of every cell: a column where they differ from cell to cell.
    pub(super) fn estimates(&self, names: &[String], estimate: &[f64]) -> Vec<Values<'a>> {
        let value = |(name, &number): (&String, &f64)| match self.column(name) {
            Some(column) => Values::Column(column),
            None => Values::Number(number),
        };
        names.iter().zip(estimate).map(value).collect()
    }

    /// The values of `names` under the draws. What differs from cell to cell is a number, the least of them, since it must
    /// be known to be positive in every cell; [`Cells::column`] gives the values.
    pub(super) fn draws<'b>(&self, names: &[String], draws: &[Values<'b>]) -> Vec<Values<'b>> {
        let value = |(name, draws): (&String, &Values<'b>)| match self.column(name) {
            Some(column) => Values::Number(column.iter().copied().fold(f64::INFINITY, f64::min)),
            None => *draws,
        };
        names.iter().zip(draws).map(value).collect()
    }
}

impl Found {
    /// Without any draw.
    pub fn none(probabilities: usize) -> Found {
        Found {
            quantiles: std::array::from_fn(|_| vec![f64::NAN; probabilities]),
            ..Found::default()
        }
    }
}

impl Spread {
    /// Cells as columns. `points` are those of the quantities; that of the last is the loss itself.
    pub(super) fn of(
        points: [Vec<f64>; 5],
        status: Vec<Status>,
        found: Vec<Found>,
        wanted: &Wanted<'_>,
    ) -> Spread {
        let mut quantities: [Quantity; 6] = Default::default();
        let [first, second, cost, loss, ratio] = points;
        let points = [first, second, cost, loss.clone(), ratio, loss];
        for (k, (quantity, point)) in quantities.iter_mut().zip(points).enumerate() {
            quantity.quantiles = (0..wanted.probabilities.len())
                .map(|q| found.iter().map(|cell| cell.quantiles[k][q]).collect())
                .collect();
            quantity.point = point;
        }
        let solved_draws = found.iter().map(|cell| cell.solved).collect();
        let kept = wanted.keep.then(|| {
            let mut all = Kept::default();
            for kept in found.into_iter().filter_map(|cell| cell.kept) {
                for (column, values) in all.columns.iter_mut().zip(kept.columns) {
                    column.extend(values);
                }
                all.status.extend(kept.status);
            }
            all
        });
        Spread {
            quantities,
            status,
            solved_draws,
            kept,
        }
    }
}

/// The number of draws, 0 where no symbol varies. Errors: `bad-quantile`, `column-length`.
pub(super) fn count_draws(draws: &[Values<'_>], probabilities: &[f64]) -> Result<usize, CoreError> {
    quantile::validate(probabilities)?;
    let mut lengths = draws.iter().filter_map(Values::column).map(<[f64]>::len);
    let first = lengths.next().unwrap_or(0);
    match lengths.any(|length| length != first) {
        false => Ok(first),
        true => Err(CoreError::data(
            "column-length",
            "the columns of draws differ in length",
        )),
    }
}
