//! Optimal splits of many budgets under many draws of the parameters, with quantiles.
//!
//! In: a closed form, the estimate and `K` draws of its parameters, `B` budgets (in the unit of the cost). Out: a
//! struct of arrays with one entry for each budget. What depends on the draws alone is computed once; a budget costs
//! one pass over the draws. Budgets run in parallel, each thread holding two columns of `K` values.
//!
//! At a given budget D and D/N fall as N rises, so their quantiles are read from the order statistics of N.

use rayon::prelude::*;
use scalefast_expr::{BLOCK, Binding, Family, Kernel, Output, Workspace};

use super::optimum::{BUDGET, ClosedForm};
use crate::error::CoreError;
use crate::executor::{Control, with_pool};
use crate::predict::Values;
use crate::quantile::{self, Position};

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
    /// Draws with an interior optimum at each budget, over which the quantiles are taken.
    pub valid_draws: Vec<usize>,
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
    let kernel = Kernel::detect();
    let draws = if count > 0 {
        Some(Draws::new(form, draws, count, budgets, kernel)?)
    } else {
        None
    };
    control.set_total(budgets.len() as u64);
    let rows: Vec<Row> = with_pool(threads, || {
        budgets
            .par_iter()
            .map_init(
                || draws.as_ref().map(Draws::scratch),
                |scratch, &budget| {
                    control.check()?;
                    let mut row = Row::at_the_estimate(form, estimate, budget, probabilities.len());
                    if let (Some(draws), Some(scratch)) = (&draws, scratch) {
                        draws.run(form, estimate, budget, probabilities, scratch, &mut row);
                    }
                    control.advance(1);
                    Ok(row)
                },
            )
            .collect::<Result<Vec<Row>, CoreError>>()
    })?;
    let quantity = |which: usize| Quantity {
        point: rows.iter().map(|row| row.point[which]).collect(),
        quantiles: (0..probabilities.len())
            .map(|q| rows.iter().map(|row| row.quantiles[which][q]).collect())
            .collect(),
    };
    Ok(Sweep {
        first: quantity(0),
        second: quantity(1),
        ratio: quantity(2),
        loss: quantity(3),
        draws: count,
        valid_draws: rows.iter().map(|row| row.valid).collect(),
    })
}

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

/// The results of one budget: N, D, D/N, L.
struct Row {
    point: [f64; 4],
    quantiles: [Vec<f64>; 4],
    valid: usize,
}

impl Row {
    fn at_the_estimate(
        form: &ClosedForm,
        estimate: &[f64],
        budget: f64,
        probabilities: usize,
    ) -> Row {
        let point = form
            .allocate(estimate, budget)
            .map_or([f64::NAN; 4], |best| {
                [best.first, best.second, best.second / best.first, best.loss]
            });
        Row {
            point,
            quantiles: std::array::from_fn(|_| vec![f64::NAN; probabilities]),
            valid: 0,
        }
    }
}

/// The draws, compiled.
struct Draws<'a> {
    family: Family,
    kernel: Kernel,
    inputs: Vec<&'a [f64]>,
    numbers: Vec<f64>,
    /// Where the budget stands among the numbers.
    budget_place: usize,
    cached: Vec<Vec<f64>>,
    /// Draws with an interior optimum; `None` when all have one.
    valid: Option<Vec<bool>>,
    valid_count: usize,
    count: usize,
    /// Whether the cost is the same in every draw, so that D follows from N.
    fixed_cost: bool,
}

/// Per-thread columns of a budget.
struct Scratch {
    workspace: Workspace,
    numbers: Vec<f64>,
    columns: [Vec<f64>; 3],
    kept: Vec<f64>,
}

/// Programs of the family.
const OPTIMUM: usize = 0;
const CONDITIONS: usize = 1;

impl<'a> Draws<'a> {
    fn new(
        form: &ClosedForm,
        draws: &'a [Values<'_>],
        count: usize,
        budgets: &[f64],
        kernel: Kernel,
    ) -> Result<Self, CoreError> {
        let (mut bindings, mut inputs, mut numbers) = (Vec::new(), Vec::new(), Vec::new());
        for (name, values) in form.parameters().iter().zip(draws) {
            match values {
                Values::Number(number) => {
                    bindings.push(Binding::uniform(name, *number > 0.0));
                    numbers.push(*number);
                }
                Values::Column(column) | Values::PositiveColumn(column) => {
                    let positive = column.iter().fold(true, |all, &x| all & (x > 0.0));
                    bindings.push(Binding::prepared(name, positive));
                    inputs.push(*column);
                }
            }
        }
        let budget_place = numbers.len();
        bindings.push(Binding::uniform(BUDGET, true));
        numbers.push(f64::NAN);
        let fixed_cost = form.cost_symbols.iter().all(|name| {
            form.parameters()
                .iter()
                .zip(draws)
                .all(|(p, v)| p != name || v.column().is_none())
        });
        let wanted = if fixed_cost {
            vec![form.optimum[0], form.optimum[2]]
        } else {
            form.optimum.to_vec()
        };
        let checked = [&form.conditions[..], &form.optimum].concat();
        let family = Family::compile(&form.graph, &[&wanted, &checked], &bindings)?;
        let mut cached = vec![vec![0.0; count]; family.cached_len()];
        let mut slices: Vec<&mut [f64]> = cached.iter_mut().map(Vec::as_mut_slice).collect();
        family.prepare(kernel, &inputs, 0, count, &mut slices);
        let mut draws = Draws {
            family,
            kernel,
            inputs,
            numbers,
            budget_place,
            cached,
            valid: None,
            valid_count: count,
            count,
            fixed_cost,
        };
        // The inner sum falls with the budget, and the shell around it is monotone: what holds at the largest budget
        // holds at the others.
        draws.check_conditions(
            form.conditions.len(),
            budgets.iter().copied().fold(f64::NAN, f64::max),
        );
        Ok(draws)
    }

    /// Marks the draws whose first `conditions` outputs are above zero and whose optimum is finite.
    fn check_conditions(&mut self, conditions: usize, budget: f64) {
        let program = &self.family.programs()[CONDITIONS];
        let cached: Vec<&[f64]> = self.cached.iter().map(Vec::as_slice).collect();
        let mut workspace = Workspace::new(&self.family, CONDITIONS, self.kernel);
        let mut numbers = self.numbers.clone();
        numbers[self.budget_place] = budget;
        program.set_uniforms(&mut workspace, &numbers);
        let mut valid = vec![true; self.count];
        for (block, marks) in valid.chunks_mut(BLOCK).enumerate() {
            program.run(
                &mut workspace,
                &self.inputs,
                &cached,
                block * BLOCK,
                marks.len(),
            );
            for k in 0..program.outputs_len() {
                let holds = |value: f64| {
                    if k < conditions {
                        value > 0.0
                    } else {
                        value.is_finite()
                    }
                };
                match program.output(&workspace, k) {
                    Output::Uniform(number) => {
                        marks.iter_mut().for_each(|mark| *mark &= holds(number))
                    }
                    Output::Block(values) => {
                        marks
                            .iter_mut()
                            .zip(values)
                            .for_each(|(mark, value)| *mark &= holds(*value));
                    }
                }
            }
        }
        self.valid_count = valid.iter().filter(|mark| **mark).count();
        self.valid = (self.valid_count < self.count).then_some(valid);
    }

    fn scratch(&self) -> Scratch {
        let columns = if self.fixed_cost { 2 } else { 3 };
        Scratch {
            workspace: Workspace::new(&self.family, OPTIMUM, self.kernel),
            numbers: self.numbers.clone(),
            columns: std::array::from_fn(|k| vec![0.0; if k < columns { self.count } else { 0 }]),
            kept: Vec::new(),
        }
    }

    fn run(
        &self,
        form: &ClosedForm,
        estimate: &[f64],
        budget: f64,
        probabilities: &[f64],
        scratch: &mut Scratch,
        row: &mut Row,
    ) {
        self.fill(budget, scratch);
        let Scratch { columns, kept, .. } = scratch;
        if let Some(valid) = &self.valid {
            for column in columns.iter_mut().filter(|column| !column.is_empty()) {
                keep(column, valid);
            }
        }
        row.valid = self.valid_count;
        if row.valid == 0 {
            return;
        }
        let loss = if self.fixed_cost { 1 } else { 2 };
        row.quantiles[0] = quantile::quantiles(&columns[0], probabilities, kept);
        row.quantiles[3] = quantile::quantiles(&columns[loss], probabilities, kept);
        if self.fixed_cost {
            // A smaller N means a larger D: the quantile at p of D is read where N has that at 1 − p.
            let positions = probabilities.iter().map(|&p| Position::new(p, row.valid));
            let ranks: Vec<[usize; 2]> = positions
                .clone()
                .map(|at| {
                    [
                        row.valid - 1 - at.below,
                        (row.valid - 1 - at.below).saturating_sub(1),
                    ]
                })
                .collect();
            let mut sorted: Vec<usize> = ranks.iter().flatten().copied().collect();
            sorted.sort_unstable();
            sorted.dedup();
            let statistics = quantile::order_statistics(&columns[0], &sorted, kept);
            let of_rank = |rank: usize| {
                sorted
                    .binary_search(&rank)
                    .map_or(f64::NAN, |i| statistics[i])
            };
            for (q, (position, [below, above])) in positions.zip(ranks).enumerate() {
                let [lower, upper] = [below, above].map(|rank| {
                    let first = of_rank(rank);
                    (first, form.second_at(estimate, budget, first))
                });
                row.quantiles[1][q] = position.interpolate(lower.1, upper.1);
                row.quantiles[2][q] = position.interpolate(lower.1 / lower.0, upper.1 / upper.0);
            }
        } else {
            row.quantiles[1] = quantile::quantiles(&columns[1], probabilities, kept);
            let (first, second) = columns.split_at_mut(1);
            second[0].truncate(row.valid);
            second[0]
                .iter_mut()
                .zip(&first[0])
                .for_each(|(second, first)| *second /= first);
            row.quantiles[2] = quantile::quantiles(&second[0], probabilities, kept);
        }
        for column in columns.iter_mut().filter(|column| !column.is_empty()) {
            column.resize(self.count, 0.0);
        }
    }

    /// One pass over the draws: N, L (and D where the cost varies) into the columns.
    fn fill(&self, budget: f64, scratch: &mut Scratch) {
        let Scratch {
            workspace,
            numbers,
            columns,
            ..
        } = scratch;
        let program = &self.family.programs()[OPTIMUM];
        numbers[self.budget_place] = budget;
        program.set_uniforms(workspace, numbers);
        let cached: Vec<&[f64]> = self.cached.iter().map(Vec::as_slice).collect();
        let mut start = 0;
        while start < self.count {
            let len = (self.count - start).min(BLOCK);
            program.run(workspace, &self.inputs, &cached, start, len);
            for (k, column) in columns.iter_mut().enumerate().take(program.outputs_len()) {
                let target = &mut column[start..start + len];
                match program.output(workspace, k) {
                    Output::Uniform(number) => target.fill(number),
                    Output::Block(values) => target.copy_from_slice(values),
                }
            }
            start += len;
        }
    }
}

/// Keeps the marked values of a column.
fn keep(column: &mut Vec<f64>, marks: &[bool]) {
    let mut marks = marks.iter();
    column.retain(|_| marks.next().is_some_and(|mark| *mark));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::{Random, Stream};
    use scalefast_expr::System;

    const LAW: &str = "E + A/N**alpha + B/D**beta";

    fn form(cost: &str) -> ClosedForm {
        ClosedForm::detect(
            &System::formula(LAW).unwrap(),
            "L",
            &System::formula(cost).unwrap(),
            ("N", "D"),
        )
        .unwrap()
    }

    /// Draws around the optimum of the Epoch data, in the order alpha, beta, A, B, E.
    fn draws(count: u64) -> [Vec<f64>; 5] {
        let random = Random::new(1, Stream::Draws);
        let draw = |k: u32, centre: f64, spread: f64| -> Vec<f64> {
            (0..count)
                .map(|i| centre * (1.0 + spread * random.normal(k, i)))
                .collect()
        };
        [
            draw(0, 0.35, 0.04),
            draw(1, 0.37, 0.05),
            draw(2, 480.0, 0.1),
            draw(3, 2100.0, 0.1),
            draw(4, 1.8, 0.01),
        ]
    }

    const ESTIMATE: [f64; 5] = [0.35, 0.37, 480.0, 2100.0, 1.8];

    fn run(
        form: &ClosedForm,
        draws: &[Vec<f64>; 5],
        budgets: &[f64],
        q: &[f64],
        threads: usize,
    ) -> Sweep {
        let columns: Vec<Values<'_>> = draws.iter().map(|column| Values::Column(column)).collect();
        assert_eq!(form.parameters(), ["alpha", "beta", "A", "B", "E"]);
        sweep(
            form,
            &ESTIMATE,
            &columns,
            budgets,
            q,
            Some(threads),
            &Control::new(),
        )
        .unwrap()
    }

    fn close(a: f64, b: f64) -> bool {
        (a / b - 1.0).abs() < 1e-12
    }

    #[test]
    fn quantiles_are_those_of_single_allocations() {
        let form = form("6*N*D");
        let draws = draws(501);
        let (budgets, q) = ([1e21, 3e24], [0.05, 0.5, 0.9]);
        let found = run(&form, &draws, &budgets, &q, 2);
        for (b, &budget) in budgets.iter().enumerate() {
            let single: Vec<[f64; 4]> = (0..501)
                .map(|i| {
                    let values: Vec<f64> = draws.iter().map(|column| column[i]).collect();
                    let best = form.allocate(&values, budget).unwrap();
                    [best.first, best.second, best.second / best.first, best.loss]
                })
                .collect();
            let best = form.allocate(&ESTIMATE, budget).unwrap();
            assert_eq!(found.first.point[b], best.first);
            assert_eq!(found.ratio.point[b], best.second / best.first);
            let quantities = [&found.first, &found.second, &found.ratio, &found.loss];
            for (k, quantity) in quantities.into_iter().enumerate() {
                let column: Vec<f64> = single.iter().map(|row| row[k]).collect();
                let expected = quantile::quantiles(&column, &q, &mut Vec::new());
                for (q, expected) in expected.iter().enumerate() {
                    assert!(close(quantity.quantiles[q][b], *expected), "{k} {q}");
                }
            }
        }
        assert_eq!((found.draws, found.valid_draws), (501, vec![501; 2]));
    }

    #[test]
    fn threads_change_no_bit() {
        let form = form("6*N*D");
        let draws = draws(3000);
        let budgets: Vec<f64> = (0..13).map(|k| 1e20 * f64::from(1 << k)).collect();
        let q = [0.05, 0.5, 0.95];
        assert_eq!(
            run(&form, &draws, &budgets, &q, 1),
            run(&form, &draws, &budgets, &q, 3)
        );
    }

    #[test]
    fn an_uncertain_cost_is_drawn_too() {
        let form = form("k*N*D");
        assert_eq!(form.parameters(), ["alpha", "beta", "A", "B", "k", "E"]);
        let [alpha, beta, a, b, e] = draws(200);
        let k: Vec<f64> = (0..200).map(|i| 5.0 + f64::from(i) / 100.0).collect();
        let columns: Vec<Values<'_>> = [&alpha, &beta, &a, &b, &k, &e]
            .map(|c| Values::Column(c))
            .to_vec();
        let estimate = [0.35, 0.37, 480.0, 2100.0, 6.0, 1.8];
        let found = sweep(
            &form,
            &estimate,
            &columns,
            &[1e22],
            &[0.5],
            None,
            &Control::new(),
        )
        .unwrap();
        let seconds: Vec<f64> = (0..200)
            .map(|i| {
                form.allocate(&[alpha[i], beta[i], a[i], b[i], k[i], e[i]], 1e22)
                    .unwrap()
                    .second
            })
            .collect();
        assert!(close(
            found.second.quantiles[0][0],
            quantile::quantiles(&seconds, &[0.5], &mut Vec::new())[0]
        ));
    }

    #[test]
    fn draws_without_an_optimum_are_counted_and_left_out() {
        let form = form("6*N*D");
        let mut draws = draws(100);
        draws[0][3] = -0.1;
        draws[2][7] = f64::NAN;
        let found = run(&form, &draws, &[1e22, 1e23], &[0.0, 1.0], 1);
        assert_eq!(found.valid_draws, [98, 98]);
        assert!(
            found
                .first
                .quantiles
                .iter()
                .flatten()
                .all(|x| x.is_finite())
        );
        draws[4].fill(f64::NAN);
        let found = run(&form, &draws, &[1e22], &[0.5], 1);
        assert_eq!(found.valid_draws, [0]);
        assert!(found.first.quantiles[0][0].is_nan() && found.first.point[0].is_finite());
    }

    #[test]
    fn without_draws_there_are_no_quantiles() {
        let form = form("6*N*D");
        let numbers: Vec<Values<'_>> = ESTIMATE.iter().map(|x| Values::Number(*x)).collect();
        let found = sweep(
            &form,
            &ESTIMATE,
            &numbers,
            &[1e22],
            &[0.5],
            None,
            &Control::new(),
        )
        .unwrap();
        assert_eq!((found.draws, found.valid_draws), (0, vec![0]));
        assert!(found.first.quantiles[0][0].is_nan() && found.first.point[0] > 0.0);
    }

    #[test]
    fn misuse_is_an_error_with_a_code() {
        let form = form("6*N*D");
        let numbers: Vec<Values<'_>> = ESTIMATE.iter().map(|x| Values::Number(*x)).collect();
        let code = |budgets: &[f64], q: &[f64], estimate: &[f64]| {
            sweep(&form, estimate, &numbers, budgets, q, None, &Control::new())
                .unwrap_err()
                .code
        };
        for budget in [-1.0, 0.0, f64::NAN, f64::INFINITY] {
            assert_eq!(code(&[1e21, budget], &[0.5], &ESTIMATE), "bad-budget");
        }
        assert_eq!(code(&[1e21], &[1.5], &ESTIMATE), "bad-quantile");
        assert_eq!(code(&[1e21], &[0.5], &ESTIMATE[1..]), "parameter-count");
    }
}
