//! Draws of a closed form's parameters, compiled: one budget costs one pass over them.
//!
//! In: columns of `K` draws, a budget. Out: quantiles of N*, D*, D*/N* and L* over the draws that have an interior
//! optimum. At a given budget D and D/N fall as N rises, so where the cost is the same in every draw their quantiles
//! are read from the order statistics of N.

use scalefast_expr::{BLOCK, Binding, Family, Kernel, Output, Workspace};

use super::optimum::{BUDGET, ClosedForm};
use crate::error::CoreError;
use crate::predict::Values;
use crate::quantile::{self, Ordered, Position};

/// Programs of the family.
const OPTIMUM: usize = 0;
const CONDITIONS: usize = 1;

/// The draws, with what depends on them alone already computed.
pub(super) struct Draws<'a> {
    form: &'a ClosedForm,
    family: Family,
    kernel: Kernel,
    inputs: Vec<&'a [f64]>,
    numbers: Vec<f64>,
    /// Where the budget stands among the numbers.
    budget_place: usize,
    cached: Vec<Vec<f64>>,
    /// Marks the draws with an interior optimum; `None` when all have one.
    valid: Option<Vec<bool>>,
    /// How many have one.
    pub valid_count: usize,
    count: usize,
    /// The numbers behind the cost where no draw changes it, in the order of the parameters.
    fixed_cost: Option<Vec<f64>>,
}

/// Memory of one thread: a column for each of N, L and, where the cost varies, D.
pub(super) struct Scratch {
    workspace: Workspace,
    numbers: Vec<f64>,
    columns: Vec<Vec<f64>>,
    kept: Vec<f64>,
}

impl<'a> Draws<'a> {
    /// Compiles `count ≥ 1` draws for budgets up to `largest_budget`; `values` follow `form.parameters()`.
    pub fn new(
        form: &'a ClosedForm,
        values: &[Values<'a>],
        count: usize,
        largest_budget: f64,
    ) -> Result<Self, CoreError> {
        let kernel = Kernel::detect();
        let (mut bindings, mut inputs, mut numbers) = (Vec::new(), Vec::new(), Vec::new());
        for (name, values) in form.parameters().iter().zip(values) {
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
        numbers.push(largest_budget);
        let fixed_cost = fixed_cost(form, values);
        let [first, second, loss] = form.optimum;
        let wanted = if fixed_cost.is_some() {
            vec![first, loss]
        } else {
            vec![first, loss, second]
        };
        let checked = [&form.conditions[..], &form.optimum].concat();
        let family = Family::compile(&form.graph, &[&wanted, &checked], &bindings)?;
        let mut cached = vec![vec![0.0; count]; family.cached_len()];
        let mut slices: Vec<&mut [f64]> = cached.iter_mut().map(Vec::as_mut_slice).collect();
        family.prepare(kernel, &inputs, 0, count, &mut slices);
        let mut draws = Draws {
            form,
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
        // The inner sum falls with the budget and the layers around it are monotone, so a draw that has an optimum at
        // the largest budget has one at all.
        draws.check_conditions();
        Ok(draws)
    }

    /// Marks the draws whose conditions are above zero and whose optimum is finite.
    fn check_conditions(&mut self) {
        let conditions = self.form.conditions.len();
        let program = &self.family.programs()[CONDITIONS];
        let cached: Vec<&[f64]> = self.cached.iter().map(Vec::as_slice).collect();
        let mut workspace = Workspace::new(&self.family, CONDITIONS, self.kernel);
        program.set_uniforms(&mut workspace, &self.numbers);
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

    /// Memory for one thread.
    pub fn scratch(&self) -> Scratch {
        let outputs = self.family.programs()[OPTIMUM].outputs_len();
        Scratch {
            workspace: Workspace::new(&self.family, OPTIMUM, self.kernel),
            numbers: self.numbers.clone(),
            columns: vec![Vec::with_capacity(self.count); outputs],
            kept: Vec::new(),
        }
    }

    /// Quantiles of N, D, D/N and L at a budget.
    pub fn quantiles(
        &self,
        budget: f64,
        probabilities: &[f64],
        scratch: &mut Scratch,
    ) -> [Vec<f64>; 4] {
        if self.valid_count == 0 {
            return std::array::from_fn(|_| vec![f64::NAN; probabilities.len()]);
        }
        self.fill(budget, scratch);
        let Scratch { columns, kept, .. } = scratch;
        let loss = quantile::quantiles(&columns[1], probabilities, kept);
        let Some(cost) = &self.fixed_cost else {
            let first = quantile::quantiles(&columns[0], probabilities, kept);
            let second = quantile::quantiles(&columns[2], probabilities, kept);
            let ratios: Vec<f64> = columns[2]
                .iter()
                .zip(&columns[0])
                .map(|(d, n)| d / n)
                .collect();
            return [
                first,
                second,
                quantile::quantiles(&ratios, probabilities, kept),
                loss,
            ];
        };
        let n = self.valid_count;
        let positions: Vec<Position> = probabilities.iter().map(|&p| Position::new(p, n)).collect();
        let mirrored = |rank: usize| n - 1 - rank;
        let ranks = positions
            .iter()
            .flat_map(|at| at.ranks(n))
            .flat_map(|rank| [rank, mirrored(rank)]);
        let ordered = Ordered::select(&columns[0], ranks, kept);
        let mut found: [Vec<f64>; 4] = std::array::from_fn(|_| Vec::with_capacity(positions.len()));
        for at in positions {
            let [lower, upper] = at.ranks(n).map(|rank| {
                let first = ordered.at(mirrored(rank));
                let second = self.form.second_at(cost, budget, first);
                (second, second / first)
            });
            found[0].push(ordered.quantile(at));
            found[1].push(at.interpolate(lower.0, upper.0));
            found[2].push(at.interpolate(lower.1, upper.1));
        }
        found[3] = loss;
        found
    }

    /// One pass over the draws, of which the columns keep the valid ones.
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
        columns.iter_mut().for_each(Vec::clear);
        let mut start = 0;
        while start < self.count {
            let len = (self.count - start).min(BLOCK);
            program.run(workspace, &self.inputs, &cached, start, len);
            for (k, column) in columns.iter_mut().enumerate() {
                match (program.output(workspace, k), &self.valid) {
                    (Output::Uniform(number), None) => {
                        column.extend(std::iter::repeat_n(number, len))
                    }
                    (Output::Block(values), None) => column.extend_from_slice(values),
                    (output, Some(valid)) => {
                        column.extend((0..len).filter(|i| valid[start + i]).map(|i| match output {
                            Output::Uniform(number) => number,
                            Output::Block(values) => values[i],
                        }))
                    }
                }
            }
            start += len;
        }
    }
}

/// The parameters as far as they are numbers, where those include every symbol of the cost.
fn fixed_cost(form: &ClosedForm, values: &[Values<'_>]) -> Option<Vec<f64>> {
    let varies = |name: &String| {
        let place = form.parameters().iter().position(|p| p == name);
        place.is_some_and(|k| values[k].column().is_some())
    };
    if form.cost_symbols.iter().any(varies) {
        return None;
    }
    let number = |values: &Values<'_>| match values {
        Values::Number(number) => *number,
        Values::Column(_) | Values::PositiveColumn(_) => f64::NAN,
    };
    Some(values.iter().map(number).collect())
}
