//! Draws of a closed form's parameters, compiled: a group of cells costs one pass over them.
//!
//! In: columns of `K` draws, cells. Out: quantiles of N*, D*, L*, D*/N* and of the loss at the split of the estimate, over
//! the draws that have an interior optimum. At a given budget D and D/N fall as N rises, so where the cost is the same in
//! every draw their quantiles are read from the order statistics of N. A chunk of draws serves every cell of the group
//! while it is in cache.
//! Longer than the rule, because a pass over the draws needs its programs, their columns and their marks side by side.

use std::ops::Range;

use scalefast_expr::{BLOCK, Binding, Family, Kernel, Output, Workspace};

use super::cells::{Cells, Found, Kept, Wanted};
use super::drawn::{Columns, Numbers, Sample, Valid, slices};
use super::optimum::{BUDGET, ClosedForm, FIRST};
use super::status::Status;
use crate::error::CoreError;
use crate::executor::Control;
use crate::predict::Values;
use crate::quantile::{
    BRACKETED_LENGTH, Gatherer, Ordered, Position, SAMPLE_LENGTH, ranks, sampled_row, sorted,
};

/// Programs of the family.
const OPTIMUM: usize = 0;
const CONDITIONS: usize = 1;
const SECOND: usize = 2;

/// Draws that one cell takes before the next: their columns stay in the second cache.
const CHUNK: usize = 8 * BLOCK;

/// The draws, with what depends on them alone already computed.
pub(super) struct Draws<'a> {
    form: &'a ClosedForm,
    family: Family,
    kernel: Kernel,
    columns: Columns<'a>,
    /// Evenly spaced draws, from which brackets of the quantiles are read; `None` where the draws are few.
    sample: Option<Sample>,
    numbers: Numbers<'a>,
    cells: &'a Cells<'a>,
    wanted: &'a Wanted<'a>,
    /// The outputs of the optimum: N, L, where the cost varies D, where wanted the loss at a given split.
    outputs: Outputs,
    /// Marks of the draws with an interior optimum, where cells do not differ in it.
    valid: Option<Valid>,
    count: usize,
}

/// Which output is which.
#[derive(Clone, Copy)]
struct Outputs {
    /// Where the cost differs from draw to draw.
    second: Option<usize>,
    plan: Option<usize>,
}

/// One cell under way.
struct Cell {
    numbers: Vec<f64>,
    valid: Valid,
    /// N, L, where the cost varies D and D/N, where wanted the loss at the split of the estimate.
    gatherers: Vec<Gatherer>,
}

impl<'a> Draws<'a> {
    /// Compiles `count ≥ 1` draws for the cells; `values` follow `form.parameters()`.
    pub fn new(
        form: &'a ClosedForm,
        values: &[Values<'a>],
        count: usize,
        cells: &'a Cells<'a>,
        wanted: &'a Wanted<'a>,
    ) -> Result<Self, CoreError> {
        let kernel = Kernel::detect();
        let (mut bindings, mut inputs) = (Vec::new(), Vec::new());
        let (mut numbers, mut pinned) = (Vec::new(), Vec::new());
        for (name, values) in form.parameters().iter().zip(values) {
            match values {
                Values::Number(number) => {
                    bindings.push(Binding::uniform(name, *number > 0.0));
                    pinned.extend(cells.column(name).map(|column| (numbers.len(), column)));
                    numbers.push(*number);
                }
                Values::Column(column) | Values::PositiveColumn(column) => {
                    let positive = column.iter().fold(true, |all, &x| all & (x > 0.0));
                    bindings.push(Binding::prepared(name, positive));
                    inputs.push(*column);
                }
            }
        }
        let budget = numbers.len();
        for name in [BUDGET, &form.free[0], &form.free[1]] {
            bindings.push(Binding::uniform(name, true));
            numbers.push(f64::NAN);
        }
        bindings.push(Binding::varying(FIRST, true));
        let [first, second, loss] = form.optimum;
        let mut optimum = vec![first, loss];
        let mut further = |wanted: bool, node| {
            wanted.then(|| {
                optimum.push(node);
                optimum.len() - 1
            })
        };
        let outputs = Outputs {
            second: further(cost_varies(form, values), second),
            plan: further(wanted.plan_loss, form.law),
        };
        let checked = [&form.conditions[..], &form.optimum].concat();
        let sets: [&[_]; 3] = [&optimum, &checked, &[form.second_of_first]];
        let family = Family::compile(&form.graph, &sets, &bindings)?;
        let mut cached = vec![vec![0.0; count]; family.cached_len()];
        let mut slices: Vec<&mut [f64]> = cached.iter_mut().map(Vec::as_mut_slice).collect();
        // N itself is no part of what is prepared: any column of the right length stands for it.
        inputs.push(inputs.first().copied().unwrap_or(&[]));
        family.prepare(kernel, &inputs, 0, count, &mut slices);
        let columns = Columns { inputs, cached };
        let mut draws = Draws {
            form,
            family,
            kernel,
            sample: (count >= BRACKETED_LENGTH).then(|| columns.sample(count)),
            columns,
            numbers: Numbers {
                values: numbers,
                pinned,
                budget,
                split: [budget + 1, budget + 2],
            },
            cells,
            wanted,
            outputs,
            valid: None,
            count,
        };
        if draws.numbers.pinned.is_empty() {
            // The inner sum falls with the budget and the layers around it are monotone, so a draw that has an optimum at
            // the largest budget has one at all.
            let largest = |a: usize, b: &usize| match cells.targets[a] < cells.targets[*b] {
                true => *b,
                false => a,
            };
            let cell = (1..cells.len()).fold(0, |a, b| largest(a, &b));
            let numbers = draws.numbers.of_cell(cell, cells, [f64::NAN; 2]);
            draws.valid = Some(draws.validity(&numbers));
        }
        Ok(draws)
    }

    /// Allocates every draw in each cell of a group; `points` are N, D and more at the estimate, one entry a cell. `rooms` is
    /// memory that one group leaves for the next.
    pub fn allocate(
        &self,
        rooms: &mut Vec<Vec<f64>>,
        group: Range<usize>,
        points: &[[f64; 4]],
        control: &Control,
    ) -> Result<Vec<Found>, CoreError> {
        let first = group.start;
        let mut cells: Vec<Cell> = group
            .map(|cell| self.cell(rooms, cell, [points[cell][0], points[cell][1]]))
            .collect();
        self.gather(&mut cells, control)?;
        let mut found = Vec::with_capacity(cells.len());
        for (k, mut cell) in cells.into_iter().enumerate() {
            let ordered = match self.finish(&mut cell.gatherers) {
                Some(ordered) => ordered,
                None => {
                    cell.gatherers = vec![Gatherer::whole(); self.quantities()];
                    self.gather(std::slice::from_mut(&mut cell), control)?;
                    self.finish(&mut cell.gatherers).unwrap_or_default()
                }
            };
            found.push(Found {
                quantiles: self.quantiles(&ordered, &cell, self.cells.targets[first + k]),
                solved: cell.valid.count,
                kept: self.wanted.keep.then(|| self.every(&cell)),
            });
            rooms.extend(cell.gatherers.into_iter().map(Gatherer::into_room));
        }
        Ok(found)
    }

    /// How many columns are gathered.
    fn quantities(&self) -> usize {
        2 + 2 * usize::from(self.outputs.second.is_some()) + usize::from(self.wanted.plan_loss)
    }

    /// One cell before its pass, with brackets from the sample.
    fn cell(&self, rooms: &mut Vec<Vec<f64>>, cell: usize, split: [f64; 2]) -> Cell {
        let numbers = self.numbers.of_cell(cell, self.cells, split);
        let valid = match &self.valid {
            Some(valid) => valid.clone(),
            None => self.validity(&numbers),
        };
        let n = valid.count;
        let gatherers = match &self.sample {
            Some(sample) => {
                let values = self.sampled(sample, &numbers, &valid);
                let bracketed = |(k, mut values): (usize, Vec<f64>)| {
                    Gatherer::bracketed(self.ranks(k, n), n, &mut values)
                        .reusing(rooms.pop().unwrap_or_default())
                };
                values.into_iter().enumerate().map(bracketed).collect()
            }
            None => (0..self.quantities())
                .map(|_| Gatherer::whole().reusing(rooms.pop().unwrap_or_default()))
                .collect(),
        };
        Cell {
            numbers,
            valid,
            gatherers,
        }
    }

    /// The ranks wanted of gathered column `k` of `n` values. Those of N serve D too, whose order is the other way round.
    fn ranks(&self, k: usize, n: usize) -> Vec<usize> {
        let wanted = ranks(self.wanted.probabilities, n);
        if k > 0 || self.outputs.second.is_some() {
            return wanted;
        }
        let mirrored = wanted.iter().map(|rank| n - 1 - rank);
        sorted(mirrored.chain(wanted.iter().copied()).collect())
    }

    /// The gathered columns of the sample, without the draws that have no optimum.
    fn sampled(&self, sample: &Sample, numbers: &[f64], valid: &Valid) -> Vec<Vec<f64>> {
        let program = &self.family.programs()[OPTIMUM];
        let mut workspace = Workspace::new(&self.family, OPTIMUM, self.kernel);
        program.set_uniforms(&mut workspace, numbers);
        let (inputs, cached) = (slices(&sample.inputs), slices(&sample.cached));
        let mut columns = vec![Vec::with_capacity(SAMPLE_LENGTH); self.quantities()];
        let mut block = [0.0; BLOCK];
        for start in (0..SAMPLE_LENGTH).step_by(BLOCK) {
            let len = (SAMPLE_LENGTH - start).min(BLOCK);
            program.run(&mut workspace, &inputs, &cached, start, len);
            for (k, column) in columns.iter_mut().enumerate() {
                self.read(&workspace, k, &mut block[..len]);
                let row = |i: usize| sampled_row(start + i, self.count);
                let kept = (0..len).filter(|&i| valid.holds(row(i)) && !block[i].is_nan());
                column.extend(kept.map(|i| block[i]));
            }
        }
        columns
    }

    /// One pass over the draws.
    fn gather(&self, cells: &mut [Cell], control: &Control) -> Result<(), CoreError> {
        let program = &self.family.programs()[OPTIMUM];
        let mut workspace = Workspace::new(&self.family, OPTIMUM, self.kernel);
        let cached = slices(&self.columns.cached);
        let mut block = [0.0; BLOCK];
        for chunk in (0..self.count).step_by(CHUNK) {
            control.check()?;
            let end = (chunk + CHUNK).min(self.count);
            for cell in cells.iter_mut() {
                program.set_uniforms(&mut workspace, &cell.numbers);
                for start in (chunk..end).step_by(BLOCK) {
                    let len = (end - start).min(BLOCK);
                    program.run(&mut workspace, &self.columns.inputs, &cached, start, len);
                    for (k, gatherer) in cell.gatherers.iter_mut().enumerate() {
                        let whole = (
                            k < 2,
                            &cell.valid.marks,
                            program.output(&workspace, k.min(1)),
                        );
                        if let (true, None, Output::Block(values)) = whole {
                            gatherer.push(self.kernel, values);
                            continue;
                        }
                        self.read(&workspace, k, &mut block[..len]);
                        cell.valid.blank(start, &mut block[..len]);
                        gatherer.push(self.kernel, &block[..len]);
                    }
                }
            }
        }
        Ok(())
    }

    /// Gathered column `k` of the block that the program has just run.
    fn read(&self, workspace: &Workspace, k: usize, out: &mut [f64]) {
        let program = &self.family.programs()[OPTIMUM];
        let copy = |output: usize, out: &mut [f64]| match program.output(workspace, output) {
            Output::Uniform(number) => out.fill(number),
            Output::Block(values) => out.copy_from_slice(values),
        };
        match (k, self.outputs.second, self.outputs.plan) {
            (0 | 1, ..) => copy(k, out),
            (2, Some(second), _) => copy(second, out),
            (3, Some(second), _) => {
                let mut first = [0.0; BLOCK];
                copy(0, &mut first[..out.len()]);
                copy(second, out);
                out.iter_mut().zip(&first).for_each(|(d, n)| *d /= n);
            }
            (_, _, Some(plan)) => copy(plan, out),
            (_, _, None) => out.fill(f64::NAN),
        }
    }

    /// The order statistics; `None` where a bracket missed.
    fn finish(&self, gatherers: &mut [Gatherer]) -> Option<Vec<Ordered>> {
        let finish = |(k, gatherer): (usize, &mut Gatherer)| gatherer.finish(|n| self.ranks(k, n));
        gatherers.iter_mut().enumerate().map(finish).collect()
    }

    /// Quantiles of first, second, cost, loss, ratio, and the loss at the split of the estimate.
    fn quantiles(&self, ordered: &[Ordered], cell: &Cell, budget: f64) -> [Vec<f64>; 6] {
        let probabilities = self.wanted.probabilities;
        let none = || vec![f64::NAN; probabilities.len()];
        if cell.valid.count == 0 {
            return std::array::from_fn(|_| none());
        }
        let of = |k: usize| {
            ordered
                .get(k)
                .map_or_else(none, |o| o.quantiles(probabilities))
        };
        let (second, ratio) = match (self.outputs.second, ordered.first()) {
            (None, Some(first)) => self.mirrored(first, cell),
            _ => (of(2), of(3)),
        };
        let plan = if self.wanted.plan_loss {
            of(self.quantities() - 1)
        } else {
            none()
        };
        let cost = vec![budget; probabilities.len()];
        [of(0), second, cost, of(1), ratio, plan]
    }

    /// Quantiles of D and D/N from the order statistics of N.
    fn mirrored(&self, first: &Ordered, cell: &Cell) -> (Vec<f64>, Vec<f64>) {
        let n = first.count();
        let at = |p: &f64| {
            let position = Position::new(*p, n);
            let sizes = position.ranks(n).map(|rank| first.at(n - 1 - rank));
            let mut data = [0.0; 2];
            self.second_at(&cell.numbers, &sizes, &mut data);
            let ratios = [data[0] / sizes[0], data[1] / sizes[1]];
            (
                position.interpolate(data[0], data[1]),
                position.interpolate(ratios[0], ratios[1]),
            )
        };
        self.wanted.probabilities.iter().map(at).unzip()
    }

    /// D at each N of a block, where the cost is the same in all draws.
    fn second_at(&self, numbers: &[f64], first: &[f64], out: &mut [f64]) {
        let program = &self.family.programs()[SECOND];
        let mut workspace = Workspace::new(&self.family, SECOND, self.kernel);
        program.set_uniforms(&mut workspace, numbers);
        let mut inputs: Vec<&[f64]> = vec![&[]; self.columns.inputs.len()];
        if let Some(last) = inputs.last_mut() {
            *last = first;
        }
        let cached: Vec<&[f64]> = vec![&[]; self.columns.cached.len()];
        program.run(&mut workspace, &inputs, &cached, 0, first.len());
        match program.output(&workspace, 0) {
            Output::Uniform(number) => out.fill(number),
            Output::Block(values) => out.copy_from_slice(values),
        }
    }

    /// Every allocation of a cell, by the programs that its quantiles were taken from.
    fn every(&self, cell: &Cell) -> Kept {
        let program = &self.family.programs()[OPTIMUM];
        let mut workspace = Workspace::new(&self.family, OPTIMUM, self.kernel);
        program.set_uniforms(&mut workspace, &cell.numbers);
        let cached = slices(&self.columns.cached);
        let mut columns: [Vec<f64>; 3] = std::array::from_fn(|_| vec![0.0; self.count]);
        for start in (0..self.count).step_by(BLOCK) {
            let range = start..(start + BLOCK).min(self.count);
            let len = range.len();
            program.run(&mut workspace, &self.columns.inputs, &cached, start, len);
            let [first, second, loss] = &mut columns;
            self.read(&workspace, 0, &mut first[range.clone()]);
            self.read(&workspace, 1, &mut loss[range.clone()]);
            match self.outputs.second {
                Some(_) => self.read(&workspace, 2, &mut second[range.clone()]),
                None => self.second_at(
                    &cell.numbers,
                    &first[range.clone()],
                    &mut second[range.clone()],
                ),
            }
            for column in [first, second, loss] {
                cell.valid.blank(start, &mut column[range.clone()]);
            }
        }
        let status = columns[0]
            .iter()
            .map(|&first| Status::of_closed_form(first))
            .collect();
        Kept { columns, status }
    }

    /// Marks the draws whose conditions are above zero and whose optimum is finite.
    fn validity(&self, numbers: &[f64]) -> Valid {
        let conditions = self.form.conditions.len();
        let program = &self.family.programs()[CONDITIONS];
        let cached = slices(&self.columns.cached);
        let mut workspace = Workspace::new(&self.family, CONDITIONS, self.kernel);
        program.set_uniforms(&mut workspace, numbers);
        let mut marks = vec![true; self.count];
        for (block, marks) in marks.chunks_mut(BLOCK).enumerate() {
            let start = block * BLOCK;
            program.run(
                &mut workspace,
                &self.columns.inputs,
                &cached,
                start,
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
        let count = marks.iter().filter(|mark| **mark).count();
        Valid {
            marks: (count < self.count).then_some(marks),
            count,
        }
    }
}

/// Whether the cost differs from draw to draw.
fn cost_varies(form: &ClosedForm, values: &[Values<'_>]) -> bool {
    form.cost_symbols.iter().any(|name| {
        let place = form.parameters().iter().position(|p| p == name);
        place.is_some_and(|k| values[k].column().is_some())
    })
}
