//! Answers to a question for many targets under many draws of the parameters, with quantiles.
//!
//! In: a question, the estimate and `K` draws of its parameters, `B` targets (budgets in the unit of the cost, or
//! losses). Out: a struct of arrays with one entry for each target. Blocks of draws of each target run in parallel, each
//! thread holding its own scratch memory; the columns of one target, of `K` values each, live until their quantiles are
//! taken.

use rayon::prelude::*;

use super::lanes::Compiled;
use super::numeric::{Answers, Solver, Status, answer, check_count};
use super::question::Question;
use super::sweep::Quantity;
use crate::error::CoreError;
use crate::executor::{Control, with_pool};
use crate::predict::Values;
use crate::quantile;

/// The answers over targets.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Spread {
    /// First variable (N), second (D), cost, loss, and the ratio second/first.
    pub quantities: [Quantity; 5],
    /// What became of the estimate.
    pub status: Vec<Status>,
    /// Draws that have an answer, over which the quantiles are taken.
    pub solved_draws: Vec<usize>,
}

/// Answers `question` at each target. `estimate` and `draws` follow `question.parameters()`; without any column among
/// `draws` there are no draws and the quantiles are NaN.
///
/// # Errors
/// `bad-target` for a target that is not positive and finite; `bad-quantile`; `column-length`; `parameter-count`;
/// `interrupted` and `timeout`.
pub fn spread(
    question: &Question,
    estimate: &[f64],
    draws: &[Values<'_>],
    targets: &[f64],
    probabilities: &[f64],
    threads: Option<usize>,
    control: &Control,
) -> Result<Spread, CoreError> {
    quantile::validate(probabilities)?;
    check_count(question, draws.len())?;
    if let Some(&target) = targets.iter().find(|t| !(**t > 0.0 && t.is_finite())) {
        let message = format!("a target must be positive and finite, not {target}");
        return Err(CoreError::settings("bad-target", message)
            .with_value(target)
            .with_limit(0.0));
    }
    let count = lanes(draws)?;
    let point = answer(question, estimate, targets)?;
    control.set_total(targets.len() as u64);
    let mut rows = Vec::with_capacity(targets.len());
    if count > 0 {
        let compiled = Compiled::new(question, draws, None)?;
        let solver = Solver::new(&compiled);
        rows = with_pool(threads, || {
            targets
                .par_iter()
                .map_init(
                    || compiled.scratch(f64::NAN),
                    |scratch, &target| {
                        control.check()?;
                        compiled.set_target(scratch, target);
                        let mut answers = Answers::with_lanes(count);
                        solver.solve(scratch, &mut answers);
                        control.advance(1);
                        Ok(summary(&answers, probabilities))
                    },
                )
                .collect::<Result<Vec<Row>, CoreError>>()
        })?;
    }
    let ratio = ratios(&point);
    let [first, second, cost, loss] = point.columns;
    let points = [first, second, cost, loss, ratio];
    let mut quantities: [Quantity; 5] = Default::default();
    for (k, (quantity, point)) in quantities.iter_mut().zip(points).enumerate() {
        quantity.quantiles = (0..probabilities.len())
            .map(|q| match rows.is_empty() {
                true => vec![f64::NAN; targets.len()],
                false => rows.iter().map(|row| row.quantiles[k][q]).collect(),
            })
            .collect();
        quantity.point = point;
    }
    Ok(Spread {
        quantities,
        status: point.status,
        solved_draws: match rows.is_empty() {
            true => vec![0; targets.len()],
            false => rows.iter().map(|row| row.solved).collect(),
        },
    })
}

/// The quantiles of one target.
struct Row {
    quantiles: [Vec<f64>; 5],
    solved: usize,
}

fn summary(answers: &Answers, probabilities: &[f64]) -> Row {
    let kept = |column: &[f64]| -> Vec<f64> {
        column
            .iter()
            .copied()
            .filter(|value| !value.is_nan())
            .collect()
    };
    let [first, second, cost, loss] = &answers.columns;
    let ratio = ratios(answers);
    let columns = [first, second, cost, loss, &ratio].map(|column| kept(column));
    let solved = columns[0].len();
    let mut scratch = Vec::new();
    let quantiles = columns.map(|column| match solved {
        0 => vec![f64::NAN; probabilities.len()],
        _ => quantile::quantiles(&column, probabilities, &mut scratch),
    });
    Row { quantiles, solved }
}

fn ratios(answers: &Answers) -> Vec<f64> {
    let [first, second, ..] = &answers.columns;
    second.iter().zip(first).map(|(d, n)| d / n).collect()
}

/// The number of draws, 0 where no symbol varies.
fn lanes(draws: &[Values<'_>]) -> Result<usize, CoreError> {
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
