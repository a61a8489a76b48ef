//! Optimal splits in closed form: many cells under many draws of the parameters, with quantiles.
//!
//! In: a closed form, the estimate and `K` draws of its parameters, `B` cells. Out: [`Spread`], columns of one entry a
//! cell. What depends on the draws alone is computed once. Groups of cells run in parallel, each in one pass over the draws
//! that keeps, beside the few values near each quantile, nothing: `B·K` allocations need memory for `K` draws.

#[cfg(test)]
mod tests;

use rayon::prelude::*;

use super::cells::{Asked, Cells, Found, Spread, count_draws};
use super::draws::Draws;
use super::optimum::ClosedForm;
use super::status::Status;
use crate::error::CoreError;
use crate::executor::{Control, thread_count, with_pool};
use crate::predict::Values;

/// Most cells of one pass: what a chunk of draws needs stays in the second cache.
const MOST_CELLS: usize = 16;

/// Most allocations of one pass, so that what is kept of them fits in memory.
const MOST_ALLOCATIONS: usize = 1 << 25;

/// Sweeps the cells, whose targets are budgets. Without draws the quantiles are NaN.
///
/// # Errors
/// `bad-budget` for a budget that is not positive and finite; `bad-given`; `bad-quantile`; `column-length`;
/// `parameter-count`; `interrupted` and `timeout`.
pub fn sweep(form: &ClosedForm, asked: &Asked<'_>, control: &Control) -> Result<Spread, CoreError> {
    let Asked {
        estimate,
        draws,
        cells,
        ref wanted,
        threads,
    } = *asked;
    cells.check("budget", "bad-budget")?;
    check_count(form, estimate, draws)?;
    let draws = cells.draws(form.parameters(), draws);
    let count = count_draws(&draws, wanted.probabilities)?;
    control.set_total(cells.len() as u64);
    let points = points(form, estimate, cells);
    let found = if count == 0 {
        control.advance(cells.len() as u64);
        vec![Found::none(wanted.probabilities.len()); cells.len()]
    } else {
        let draws = Draws::new(form, &draws, count, cells, wanted)?;
        let size = group_size(cells.len(), count, thread_count(threads)?);
        let starts: Vec<usize> = (0..cells.len()).step_by(size).collect();
        let groups = with_pool(threads, || {
            let run = |rooms: &mut Vec<Vec<f64>>, &start: &usize| {
                let group = start..(start + size).min(cells.len());
                let steps = group.len() as u64;
                let found = draws.allocate(rooms, group, &points, control)?;
                control.advance(steps);
                Ok(found)
            };
            starts
                .par_iter()
                .map_init(Vec::new, run)
                .collect::<Result<Vec<Vec<Found>>, CoreError>>()
        })?;
        groups.into_iter().flatten().collect()
    };
    let column = |k: usize| points.iter().map(|point| point[k]).collect::<Vec<f64>>();
    let columns = [
        column(0),
        column(1),
        cells.targets.to_vec(),
        column(2),
        column(3),
    ];
    let status = points
        .iter()
        .map(|point| Status::of_closed_form(point[0]))
        .collect();
    Ok(Spread::of(columns, status, found, wanted))
}

/// N, D, L and D/N at the estimate of every cell; NaN where there is no optimum.
fn points(form: &ClosedForm, estimate: &[f64], cells: &Cells<'_>) -> Vec<[f64; 4]> {
    let mut values = estimate.to_vec();
    let columns: Vec<Option<&[f64]>> = form.parameters().iter().map(|p| cells.column(p)).collect();
    let at = |(cell, &budget): (usize, &f64)| {
        for (value, column) in values.iter_mut().zip(&columns) {
            *value = column.map_or(*value, |column| column[cell]);
        }
        let best = form.allocate(&values, budget);
        best.map_or([f64::NAN; 4], |at| {
            [at.first, at.second, at.loss, at.second / at.first]
        })
    };
    cells.targets.iter().enumerate().map(at).collect()
}

/// Cells of one pass. Results do not depend on it.
fn group_size(cells: usize, draws: usize, threads: usize) -> usize {
    let even = cells.div_ceil(4 * threads);
    even.min(MOST_CELLS).min(MOST_ALLOCATIONS / draws).max(1)
}

fn check_count(form: &ClosedForm, estimate: &[f64], draws: &[Values<'_>]) -> Result<(), CoreError> {
    let wanted = form.parameters();
    if estimate.len() == wanted.len() && draws.len() == wanted.len() {
        return Ok(());
    }
    let message = format!(
        "{} parameters are needed: {}",
        wanted.len(),
        wanted.join(", ")
    );
    Err(CoreError::settings("parameter-count", message))
}
