//! A question compiled for lanes: each lane has its own values of the parameters, or its own target.
//!
//! Stage: between the question and its answers. In: parameters as numbers or columns of `K` lanes, a target. Out: the
//! constraint solved for one variable, a block of lanes at a time, by Newton's method in the logarithm with a bracket
//! that no step leaves.
//! Longer than the rule, because `Compiled::new` binds every symbol of a question once, in the order that all programs
//! share.

use scalefast_expr::{BLOCK, Binding, Family, Kernel, NodeId, Output, Workspace};

use super::bracket::Bracket;
use super::cells::Cells;
use super::question::{Question, TARGET};
use crate::error::CoreError;
use crate::predict::Values;

/// The reserved symbol of a logarithm; no formula can spell it.
const LOGARITHM: &str = "$log";
/// A Newton step below this (in nats) ends a search: the next one would be its square.
const LAST_STEP: f64 = 1e-9;
/// Steps of one search: bisection of the widest bracket takes about 60.
const MAX_STEPS: usize = 100;

/// One compiled question.
pub(super) struct Compiled<'a> {
    pub question: &'a Question,
    pub kernel: Kernel,
    family: Family,
    columns: Vec<&'a [f64]>,
    cached: Vec<Vec<f64>>,
    /// Names and values of the uniform symbols; the last is the target, unless that is a column.
    number_names: Vec<&'a str>,
    numbers: Vec<f64>,
    /// Names of the columns.
    pub varying: Vec<&'a str>,
    /// The objective with the free variables the same in all lanes, which spares their logarithms in each.
    shared: Option<Shared>,
}

/// The objective compiled for free variables that all lanes share, with its own cached columns.
struct Shared {
    family: Family,
    cached: Vec<Vec<f64>>,
}

/// The programs of a question.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Part {
    /// e^x.
    Exponential,
    /// The residual and its slope by the last free variable.
    Last,
    /// The residual and its slope by the first free variable.
    First,
    /// The last free variable, where the constraint gives it in one formula.
    Explicit,
    /// Objective, slope, curvature.
    Along,
    /// The objective alone.
    Objective,
    /// First and second variable, cost, loss, residual.
    Report,
}

const PARTS: usize = 7;

/// Memory of one thread.
pub(super) struct Scratch {
    workspaces: Vec<Workspace>,
    /// That of the shared objective, and its numbers: those of the question, then the free variables.
    shared: Option<(Workspace, Vec<f64>)>,
}

/// Lanes of the columns: those from `start` on, `len` of them; at most `BLOCK` in a run.
#[derive(Clone, Copy)]
pub(super) struct Span {
    pub start: usize,
    pub len: usize,
}

impl<'a> Compiled<'a> {
    /// Compiles for these values of the parameters, which follow `question.parameters()`, and, with `targets`, for a
    /// target that is a column too.
    pub fn new(
        question: &'a Question,
        values: &[Values<'a>],
        targets: Option<&'a [f64]>,
    ) -> Result<Self, CoreError> {
        let kernel = Kernel::detect();
        let (mut bindings, mut columns, mut numbers) = (Vec::new(), Vec::new(), Vec::new());
        let (mut varying, mut number_names) = (Vec::new(), Vec::new());
        let all = question.parameters().iter().map(String::as_str).zip(values);
        for (name, values) in all {
            match values {
                Values::Number(number) => {
                    bindings.push(Binding::uniform(name, *number > 0.0));
                    number_names.push(name);
                    numbers.push(*number);
                }
                Values::Column(column) | Values::PositiveColumn(column) => {
                    let positive = column.iter().fold(true, |all, &x| all & (x > 0.0));
                    bindings.push(Binding::prepared(name, positive));
                    columns.push(*column);
                    varying.push(name);
                }
            }
        }
        match targets {
            Some(column) => {
                bindings.push(Binding::prepared(TARGET, true));
                columns.push(column);
                varying.push(TARGET);
            }
            None => {
                bindings.push(Binding::uniform(TARGET, true));
                number_names.push(TARGET);
                numbers.push(f64::NAN);
            }
        }
        let shared = Shared::new(question, &bindings, &columns, kernel)?;
        for name in &question.free {
            bindings.push(Binding::varying(name, true));
        }
        bindings.push(Binding::varying(LOGARITHM, false));
        let mut graph = question.graph.clone();
        let logarithm = graph.symbol(LOGARITHM);
        let exponential = graph.unary(scalefast_expr::Op::Exp, logarithm);
        let slopes = &question.residual_slopes;
        let last = slopes.len() - 1;
        let sets: [Vec<NodeId>; PARTS] = [
            vec![exponential],
            vec![question.residual, slopes[last]],
            vec![question.residual, slopes[0]],
            question.explicit.into_iter().collect(),
            question.along.into_iter().flatten().collect(),
            question.along.iter().map(|along| along[0]).collect(),
            [&question.reported[..], &[question.residual]].concat(),
        ];
        let sets: Vec<&[NodeId]> = sets.iter().map(Vec::as_slice).collect();
        let family = Family::compile(&graph, &sets, &bindings)?;
        let rows = columns.first().map_or(0, |column| column.len());
        let mut cached = vec![vec![0.0; rows]; family.cached_len()];
        let mut slices: Vec<&mut [f64]> = cached.iter_mut().map(Vec::as_mut_slice).collect();
        // The free variables are no part of what is prepared, so any column of the right length stands for them.
        let mut inputs = columns.clone();
        inputs.extend(std::iter::repeat_n(
            columns.first().copied().unwrap_or(&[]),
            question.free.len() + 1,
        ));
        family.prepare(kernel, &inputs, 0, rows, &mut slices);
        Ok(Compiled {
            question,
            kernel,
            family,
            columns,
            cached,
            number_names,
            numbers,
            varying,
            shared,
        })
    }

    /// Sets the free variables that all lanes share.
    pub fn set_shared(&self, scratch: &mut Scratch, free: [f64; 2]) {
        if let (Some(shared), Some((workspace, numbers))) = (&self.shared, &mut scratch.shared) {
            let given = numbers.len() - free.len();
            numbers[given..].copy_from_slice(&free);
            shared.family.programs()[0].set_uniforms(workspace, numbers);
        }
    }

    /// The objective where [`Compiled::set_shared`] has set them.
    pub fn shared_objective(&self, scratch: &mut Scratch, span: Span, out: &mut [f64]) {
        let (Some(shared), Some((workspace, _))) = (&self.shared, &mut scratch.shared) else {
            return;
        };
        let program = &shared.family.programs()[0];
        let cached: Vec<&[f64]> = shared.cached.iter().map(Vec::as_slice).collect();
        program.run(workspace, &self.columns, &cached, span.start, span.len);
        match program.output(workspace, 0) {
            Output::Uniform(number) => out[..span.len].fill(number),
            Output::Block(values) => out[..span.len].copy_from_slice(values),
        }
    }

    /// Memory for one thread. Where the target is a number, [`Compiled::set_cell`] comes before any run.
    pub fn scratch(&self) -> Scratch {
        let mut scratch = Scratch {
            workspaces: (0..PARTS)
                .map(|k| Workspace::new(&self.family, k, self.kernel))
                .collect(),
            shared: self
                .shared
                .as_ref()
                .map(|shared| (Workspace::new(&shared.family, 0, self.kernel), Vec::new())),
        };
        self.set_numbers(&mut scratch, self.numbers.clone());
        scratch
    }

    /// Sets the target and whatever else differs from cell to cell.
    pub fn set_cell(&self, scratch: &mut Scratch, cells: &Cells<'_>, cell: usize) {
        let value = |(name, &number): (&&str, &f64)| match cells.column(name) {
            Some(column) => column[cell],
            None if *name == TARGET => cells.targets[cell],
            None => number,
        };
        let numbers = self.number_names.iter().zip(&self.numbers).map(value);
        self.set_numbers(scratch, numbers.collect());
    }

    fn set_numbers(&self, scratch: &mut Scratch, mut numbers: Vec<f64>) {
        for (program, workspace) in self.family.programs().iter().zip(&mut scratch.workspaces) {
            program.set_uniforms(workspace, &numbers);
        }
        if let Some((_, shared)) = &mut scratch.shared {
            numbers.extend(std::iter::repeat_n(f64::NAN, self.question.free.len()));
            *shared = numbers;
        }
    }

    /// Runs a program at `free` values (one slice a free variable) and copies its outputs.
    pub fn run(
        &self,
        scratch: &mut Scratch,
        part: Part,
        span: Span,
        free: &[&[f64]],
        out: &mut [&mut [f64]],
    ) {
        self.run_with(scratch, part, span, free, &[], out);
    }

    /// e^x of every entry.
    pub fn exponential(&self, scratch: &mut Scratch, x: &[f64], out: &mut [f64]) {
        let span = Span {
            start: 0,
            len: x.len(),
        };
        self.run_with(scratch, Part::Exponential, span, &[], x, &mut [out]);
    }

    fn run_with(
        &self,
        scratch: &mut Scratch,
        part: Part,
        span: Span,
        free: &[&[f64]],
        logarithm: &[f64],
        out: &mut [&mut [f64]],
    ) {
        let own = |column: &'a [f64]| column.get(span.start..).unwrap_or(&[]);
        let mut inputs: Vec<&[f64]> = self.columns.iter().map(|column| own(column)).collect();
        inputs.extend(free);
        inputs.resize(self.columns.len() + self.question.free.len(), &[]);
        inputs.push(logarithm);
        let cached: Vec<&[f64]> = self
            .cached
            .iter()
            .map(|column| column.get(span.start..).unwrap_or(&[]))
            .collect();
        let program = &self.family.programs()[part as usize];
        let workspace = &mut scratch.workspaces[part as usize];
        program.run(workspace, &inputs, &cached, 0, span.len);
        for (k, column) in out.iter_mut().enumerate() {
            match program.output(workspace, k) {
                Output::Uniform(number) => column[..span.len].fill(number),
                Output::Block(values) => column[..span.len].copy_from_slice(values),
            }
        }
    }

    /// Solves the constraint for the logarithm `z` of a free variable within `[low, high]`, starting at `z`; the other
    /// free variable, if any, has the values `other`. A lane whose root lies outside ends at the nearer end, or at NaN
    /// where the constraint has no value.
    pub fn root(
        &self,
        scratch: &mut Scratch,
        span: Span,
        part: Part,
        other: Option<&[f64]>,
        [low, high]: [&[f64]; 2],
        z: &mut [f64],
    ) {
        let len = span.len;
        let bracketed = |i: usize| Bracket::new(low[i], high[i]);
        let mut brackets: Vec<Bracket> = (0..len).map(bracketed).collect();
        let mut done = vec![false; len];
        for i in 0..len {
            z[i] = z[i].max(low[i]).min(high[i]);
            // An empty or undefined bracket has no root.
            if low[i].is_nan() || high[i].is_nan() || low[i] > high[i] {
                (z[i], done[i]) = (f64::NAN, true);
            }
        }
        let mut left = done.iter().filter(|done| !**done).count();
        let mut value = vec![0.0; len];
        let (mut residual, mut slope) = (vec![0.0; len], vec![0.0; len]);
        for _ in 0..MAX_STEPS {
            if left == 0 {
                return;
            }
            self.exponential(scratch, &z[..len], &mut value);
            let free: [&[f64]; 2] = match (part, other) {
                (Part::First, Some(other)) => [&value, other],
                (_, Some(other)) => [other, &value],
                (_, None) => [&value, &[]],
            };
            let free = &free[..if other.is_some() { 2 } else { 1 }];
            self.run(scratch, part, span, free, &mut [&mut residual, &mut slope]);
            for i in 0..len {
                if !done[i] {
                    let (ends, found) = ([low[i], high[i]], [residual[i], slope[i]]);
                    done[i] = self.step(&mut brackets[i], ends, found, &mut z[i]);
                }
            }
            left = done.iter().filter(|done| !**done).count();
        }
    }

    /// One step of [`Compiled::root`] in one lane, from the residual and its slope at `z`; true at the root.
    fn step(
        &self,
        bracket: &mut Bracket,
        [low, high]: [f64; 2],
        [residual, slope]: [f64; 2],
        z: &mut f64,
    ) -> bool {
        if residual.is_nan() {
            *z = f64::NAN;
            return true;
        }
        let above = (residual < 0.0) == self.question.rising;
        let at_its_end = if above { *z >= high } else { *z <= low };
        if residual == 0.0 || at_its_end {
            return true;
        }
        bracket.narrow(*z, above);
        let step = -residual / slope;
        // At the root the step may round to nothing, and lead to an end of the bracket.
        if let Some(taken) = bracket.newton(*z, step) {
            *z = taken.next;
            return taken.size < LAST_STEP;
        }
        let next = *z + step;
        let (end, beyond) = if above {
            (high, next >= high)
        } else {
            (low, next <= low)
        };
        *z = bracket.halve(beyond.then_some(end));
        bracket.width() <= 1e-15 * (1.0 + z.abs())
    }
}

impl Shared {
    /// `None` where nothing is minimised.
    fn new(
        question: &Question,
        bindings: &[Binding],
        columns: &[&[f64]],
        kernel: Kernel,
    ) -> Result<Option<Self>, CoreError> {
        let Some([objective, ..]) = question.along else {
            return Ok(None);
        };
        let mut bindings = bindings.to_vec();
        bindings.extend(
            question
                .free
                .iter()
                .map(|name| Binding::uniform(name, true)),
        );
        let family = Family::compile(&question.graph, &[&[objective]], &bindings)?;
        let rows = columns.first().map_or(0, |column| column.len());
        let mut cached = vec![vec![0.0; rows]; family.cached_len()];
        let mut slices: Vec<&mut [f64]> = cached.iter_mut().map(Vec::as_mut_slice).collect();
        family.prepare(kernel, columns, 0, rows, &mut slices);
        Ok(Some(Shared { family, cached }))
    }
}

/// The blocks of some lanes.
pub(super) fn spans(lanes: Span) -> impl Iterator<Item = Span> {
    parts(lanes, BLOCK)
}

/// Some lanes in parts of `size`; the last may be shorter.
pub(super) fn parts(lanes: Span, size: usize) -> impl Iterator<Item = Span> {
    let end = lanes.start + lanes.len;
    (lanes.start..end).step_by(size).map(move |start| Span {
        start,
        len: (end - start).min(size),
    })
}
