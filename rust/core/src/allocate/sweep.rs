//! Optimal splits of many budgets under many draws of the parameters, with quantiles.
//!
//! In: a closed form, the estimate and `K` draws of its parameters, `B` budgets (in the unit of the cost). Out: a
//! struct of arrays with one entry for each budget. What depends on the draws alone is computed once; a budget costs
//! one pass over the draws. Budgets run in parallel, each thread holding two columns of `K` values.

#[cfg(test)]
mod tests;

use rayon::prelude::*;

use super::draws::Draws;
use super::optimum::ClosedForm;
use crate::error::CoreError;
use crate::executor::{Control, with_pool};
use crate::predict::Values;
use crate::quantile;

/// One quantity of a sweep: the point estimate and its quantiles over the draws.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Quantity {
    /// At the estimate; NaN where it has no interior optimum. One entry for each budget.
    pub point: Vec<f64>,
    /// One column for each probability asked for, each with one entry for each budget; NaN without valid draws.
    pub quantiles: Vec<Vec<f64>>,
}

/// The result of a sweep.
#[derive(Clone, Debug, PartialEq)]
pub struct Sweep {
    /// The first free variable, N.
    pub first: Quantity,
    /// The second free variable, D.
    pub second: Quantity,
    /// D/N.
    pub ratio: Quantity,
    /// The law's value at the optimum.
    pub loss: Quantity,
    /// Number of draws given.
    pub draws: usize,
    /// Draws with an interior optimum, over which the quantiles are taken.
    pub valid_draws: usize,
}

/// Sweeps `budgets`. `estimate` and `draws` follow `form.parameters()`; a draw may be a number where a symbol does not
/// vary. Without any column among `draws` there are no draws and the quantiles are NaN.
///
/// # Errors
/// `bad-budget` for a budget that is not positive and finite; `bad-quantile`; `column-length`; `parameter-count`;
/// `interrupted` and `timeout`.
pub fn sweep(
    form: &ClosedForm,
    estimate: &[f64],
    draws: &[Values<'_>],
    budgets: &[f64],
    probabilities: &[f64],
    threads: Option<usize>,
    control: &Control,
) -> Result<Sweep, CoreError> {
    quantile::validate(probabilities)?;
    check_budgets(budgets)?;
    let count = check_draws(form, estimate, draws)?;
    let largest = budgets.iter().copied().fold(f64::NAN, f64::max);
    let draws = if count > 0 {
        Some(Draws::new(form, draws, count, largest)?)
    } else {
        None
    };
    control.set_total(budgets.len() as u64);
    let rows: Vec<Row> = with_pool(threads, || {
        let scratch = || draws.as_ref().map(Draws::scratch);
        let run = |scratch: &mut Option<_>, &budget: &f64| {
            control.check()?;
            let best = form.allocate(estimate, budget);
            let point = best.map_or([f64::NAN; 4], |at| {
                [at.first, at.second, at.second / at.first, at.loss]
            });
            let quantiles = match (&draws, scratch) {
                (Some(draws), Some(scratch)) => draws.quantiles(budget, probabilities, scratch),
                _ => std::array::from_fn(|_| vec![f64::NAN; probabilities.len()]),
            };
            control.advance(1);
            Ok((point, quantiles))
        };
        budgets
            .par_iter()
            .map_init(scratch, run)
            .collect::<Result<Vec<Row>, CoreError>>()
    })?;
    let quantity = |which: usize| Quantity {
        point: rows.iter().map(|row| row.0[which]).collect(),
        quantiles: (0..probabilities.len())
            .map(|q| rows.iter().map(|row| row.1[which][q]).collect())
            .collect(),
    };
    Ok(Sweep {
        first: quantity(0),
        second: quantity(1),
        ratio: quantity(2),
        loss: quantity(3),
        draws: count,
        valid_draws: draws.map_or(0, |draws| draws.valid_count),
    })
}

/// N, D, D/N and L of one budget: at the estimate, and their quantiles.
type Row = ([f64; 4], [Vec<f64>; 4]);

fn check_budgets(budgets: &[f64]) -> Result<(), CoreError> {
    match budgets
        .iter()
        .find(|budget| !(**budget > 0.0 && budget.is_finite()))
    {
        None => Ok(()),
        Some(&budget) => {
            let message = format!("a budget must be positive and finite, not {budget}");
            Err(CoreError::settings("bad-budget", message)
                .with_value(budget)
                .with_limit(0.0))
        }
    }
}

/// The number of draws, 0 where no symbol varies.
fn check_draws(
    form: &ClosedForm,
    estimate: &[f64],
    draws: &[Values<'_>],
) -> Result<usize, CoreError> {
    let wanted = form.parameters().len();
    if estimate.len() != wanted || draws.len() != wanted {
        let message = format!(
            "{wanted} parameters are needed: {}",
            form.parameters().join(", ")
        );
        return Err(CoreError::settings("parameter-count", message));
    }
    let mut lengths = draws.iter().filter_map(Values::column).map(<[f64]>::len);
    let first = lengths.next().unwrap_or(0);
    if lengths.any(|length| length != first) {
        return Err(CoreError::data(
            "column-length",
            "the columns of draws differ in length",
        ));
    }
    Ok(first)
}
