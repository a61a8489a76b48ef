//! Answers to a question in many cells under many draws of the parameters, with quantiles.
//!
//! In: a question, the estimate and `K` draws of its parameters, `B` cells. Out: [`Spread`], columns of one entry a cell.
//! Cells run in parallel, or the blocks of draws of each where there are fewer cells than threads; the columns of one cell,
//! of `K` values each, live until their quantiles are taken.

use rayon::prelude::*;
use scalefast_expr::BLOCK;

use super::cells::{Asked, Cells, Found, Kept, Spread, Wanted, count_draws};
use super::lanes::{Compiled, Scratch, Span, parts};
use super::numeric::{Answers, Solver, answer, check_count};
use super::question::{Aim, Question};
use crate::error::CoreError;
use crate::executor::{Control, thread_count, with_pool};
use crate::quantile;

/// Blocks of draws of one parallel task where the draws of one cell are shared out.
const TASK: usize = 16;

/// Answers `question` in each cell, whose targets are budgets in the unit of the cost, or losses. Without draws the quantiles
/// are NaN.
///
/// # Errors
/// `bad-target` for a target that is not positive and finite; `bad-given`; `bad-quantile`; `column-length`;
/// `parameter-count`; `interrupted` and `timeout`.
pub fn spread(
    question: &Question,
    asked: &Asked<'_>,
    control: &Control,
) -> Result<Spread, CoreError> {
    let Asked {
        estimate,
        draws,
        cells,
        ref wanted,
        threads,
    } = *asked;
    cells.check("target", "bad-target")?;
    check_count(question, draws.len())?;
    let names = question.parameters();
    let draws = cells.draws(names, draws);
    let count = count_draws(&draws, wanted.probabilities)?;
    control.set_total(cells.len() as u64);
    let point = answer(question, &cells.estimates(names, estimate), cells.targets)?;
    let found = if count == 0 {
        control.advance(cells.len() as u64);
        vec![Found::none(wanted.probabilities.len()); cells.len()]
    } else {
        let compiled = Compiled::new(question, &draws, None)?;
        let sweep = Task {
            solver: Solver::new(&compiled),
            compiled: &compiled,
            cells,
            point: &point,
            count,
            wanted,
            control,
        };
        let within = cells.len() < thread_count(threads)?;
        with_pool(threads, || match within {
            true => (0..cells.len())
                .map(|cell| sweep.shared_out(cell))
                .collect(),
            false => (0..cells.len())
                .into_par_iter()
                .map_init(
                    || compiled.scratch(),
                    |scratch, cell| sweep.alone(scratch, cell),
                )
                .collect::<Result<Vec<Found>, CoreError>>(),
        })?
    };
    let ratio = ratios(&point.columns);
    let [first, second, cost, loss] = point.columns;
    let points = [first, second, cost, loss, ratio];
    Ok(Spread::of(points, point.status, found, wanted))
}

/// What every cell needs.
struct Task<'a> {
    solver: Solver<'a>,
    compiled: &'a Compiled<'a>,
    cells: &'a Cells<'a>,
    point: &'a Answers,
    count: usize,
    wanted: &'a Wanted<'a>,
    control: &'a Control,
}

impl Task<'_> {
    /// One cell on this thread.
    fn alone(&self, scratch: &mut Scratch, cell: usize) -> Result<Found, CoreError> {
        let all = Span {
            start: 0,
            len: self.count,
        };
        let (answers, plan) = self.part(scratch, cell, all)?;
        self.control.advance(1);
        Ok(self.summary(cell, answers, &plan))
    }

    /// One cell, its draws shared out among the threads. Lanes know nothing of one another, so nothing depends on the parts.
    fn shared_out(&self, cell: usize) -> Result<Found, CoreError> {
        let all = Span {
            start: 0,
            len: self.count,
        };
        let pieces: Vec<Span> = parts(all, TASK * BLOCK).collect();
        let run = |scratch: &mut Scratch, part: &Span| self.part(scratch, cell, *part);
        let found = pieces
            .par_iter()
            .map_init(|| self.compiled.scratch(), run)
            .collect::<Result<Vec<_>, CoreError>>()?;
        let (mut answers, mut plan) = (Answers::default(), Vec::new());
        for (part, losses) in found {
            answers.append(part);
            plan.extend(losses);
        }
        self.control.advance(1);
        Ok(self.summary(cell, answers, &plan))
    }

    /// Some draws of a cell: their answers, and where wanted their losses at the split of the estimate.
    fn part(
        &self,
        scratch: &mut Scratch,
        cell: usize,
        draws: Span,
    ) -> Result<(Answers, Vec<f64>), CoreError> {
        self.compiled.set_cell(scratch, self.cells, cell);
        let one_valley = self.point.one_valley[cell];
        let answers = self
            .solver
            .solve_expecting(scratch, draws, one_valley, self.control)?;
        let mut plan = Vec::new();
        if self.wanted.plan_loss {
            let split = [0, 1].map(|k| self.point.columns[k][cell]);
            plan = self.solver.losses_at(scratch, draws, split);
        }
        Ok((answers, plan))
    }

    fn summary(&self, cell: usize, answers: Answers, plan: &[f64]) -> Found {
        let solved = answers.status.iter().filter(|s| s.is_solved()).count();
        let quantiles = |column: &[f64]| {
            let probabilities = self.wanted.probabilities;
            if solved == column.len() {
                return quantile::quantiles(column, probabilities);
            }
            let all = column.iter().zip(&answers.status);
            let kept: Vec<f64> = all
                .filter(|(_, status)| status.is_solved())
                .map(|(value, _)| *value)
                .collect();
            quantile::quantiles(&kept, probabilities)
        };
        let [first, second, cost, loss] = &answers.columns;
        let ratio = ratios(&answers.columns);
        let cost = match self.solver.question.aim {
            // Met in every draw, to rounding.
            Aim::Budget if solved > 0 => {
                vec![self.cells.targets[cell]; self.wanted.probabilities.len()]
            }
            _ => quantiles(cost),
        };
        let [first, second, loss, ratio, plan] = [first, second, loss, &ratio, plan].map(quantiles);
        let found = [first, second, cost, loss, ratio, plan];
        Found {
            solved,
            quantiles: found,
            kept: self.wanted.keep.then(|| {
                let [first, second, _, loss] = answers.columns;
                Kept {
                    columns: [first, second, loss],
                    status: answers.status,
                }
            }),
        }
    }
}

fn ratios([first, second, ..]: &[Vec<f64>; 4]) -> Vec<f64> {
    second.iter().zip(first).map(|(d, n)| d / n).collect()
}
