//! A system of formulas over long columns: values, and their standard errors by the delta method.
//!
//! In: named columns (`m` rows each) and numbers. Out: one column of `m` values for each output asked for. Chunks of
//! rows run in parallel, each thread with its own scratch memory; nothing but the outputs grows with `m`, and a row's
//! bits depend on nothing but that row.
//! Longer than the rule, because `run` shares out one table of columns, numbers and faults among threads.

#[cfg(test)]
mod tests;

use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;
use scalefast_expr::{BLOCK, Binding, Family, Kernel, NodeId, Output, System, Workspace};

use crate::dataset::{Fault, report};
use crate::error::CoreError;
use crate::executor::{Control, with_pool};

/// Rows of one parallel task: enough to hide its cost, few enough that threads finish together.
const CHUNK: usize = 64 * BLOCK;

/// The values of one symbol.
#[derive(Clone, Copy, Debug)]
pub enum Values<'a> {
    /// The same number for every row.
    Number(f64),
    /// One number a row.
    Column(&'a [f64]),
    /// One number a row, each finite and above zero, which is checked: powers become exponentials of logarithms.
    PositiveColumn(&'a [f64]),
}

impl Values<'_> {
    /// The column, where there is one.
    pub fn column(&self) -> Option<&[f64]> {
        match self {
            Values::Number(_) => None,
            Values::Column(column) | Values::PositiveColumn(column) => Some(column),
        }
    }
}

/// Evaluates `outputs` of `system` for `rows` rows into `out`, one column each.
///
/// # Errors
/// `unknown-output`; `unbound-symbol` where a symbol has no values; `column-length`; `invalid-values` where a
/// positive column is not; `interrupted` and `timeout`.
///
/// ```
/// use scalefast_core::predict::{Values, evaluate};
/// use scalefast_core::executor::Control;
/// use scalefast_expr::System;
/// let law = System::formula("E + A/N**alpha")?;
/// let n = [1e6, 1e8];
/// let inputs = [
///     ("N", Values::PositiveColumn(&n)),
///     ("E", Values::Number(1.5)),
///     ("A", Values::Number(100.0)),
///     ("alpha", Values::Number(0.5)),
/// ];
/// let mut loss = [0.0; 2];
/// evaluate(&law, &["L"], &inputs, &mut [&mut loss], None, &Control::new()).unwrap();
/// assert!((loss[0] - 1.6).abs() < 1e-12 && (loss[1] - 1.51).abs() < 1e-12);
/// # Ok::<(), scalefast_expr::FormulaError>(())
/// ```
pub fn evaluate(
    system: &System,
    outputs: &[&str],
    inputs: &[(&str, Values<'_>)],
    out: &mut [&mut [f64]],
    threads: Option<usize>,
    control: &Control,
) -> Result<(), CoreError> {
    let nodes = outputs
        .iter()
        .map(|name| output_node(system, name))
        .collect::<Result<Vec<NodeId>, CoreError>>()?;
    let plan = Plan::new(system, &nodes, inputs)?;
    plan.run(out, threads, control, |results, out| {
        for (k, column) in out.iter_mut().enumerate() {
            match results.get(k) {
                Output::Uniform(number) => column.fill(number),
                Output::Block(values) => column.copy_from_slice(values),
            }
        }
    })
}

/// Evaluates one output and the standard error that the covariance of its parameters gives it: √(gᵀ Σ g) with the
/// exact gradient g. `parameters` name the rows of `covariance` (row-major `p × p`) and must be numbers in `inputs`.
/// `values` and `std_errors` have one entry a row.
///
/// # Errors
/// As `evaluate`; `covariance-size`.
#[allow(
    clippy::too_many_arguments,
    reason = "a call over columns: what to compute, from what, into what"
)]
pub fn evaluate_with_error(
    system: &System,
    output: &str,
    inputs: &[(&str, Values<'_>)],
    parameters: &[&str],
    covariance: &[f64],
    (values, std_errors): (&mut [f64], &mut [f64]),
    threads: Option<usize>,
    control: &Control,
) -> Result<(), CoreError> {
    let p = parameters.len();
    if covariance.len() != p * p {
        let message = format!(
            "the covariance has {} entries, not {p} × {p}",
            covariance.len()
        );
        return Err(CoreError::data("covariance-size", message));
    }
    let root = output_node(system, output)?;
    let mut system = system.clone();
    let mut nodes = vec![root];
    nodes.extend(
        parameters
            .iter()
            .map(|name| system.graph.derivative(root, name)),
    );
    let plan = Plan::new(&system, &nodes, inputs)?;
    plan.run(
        &mut [values, std_errors],
        threads,
        control,
        |results, out| {
            let [values, std_errors] = out else { return };
            for i in 0..values.len() {
                values[i] = results.at(0, i);
                let mut variance = 0.0;
                for a in 0..p {
                    let slope = results.at(1 + a, i);
                    variance += slope * slope * covariance[a * p + a];
                    for b in a + 1..p {
                        variance += 2.0 * slope * results.at(1 + b, i) * covariance[a * p + b];
                    }
                }
                // Rounding may leave a variance of nearly zero just below it.
                std_errors[i] = if variance < 0.0 { 0.0 } else { variance.sqrt() };
            }
        },
    )
}

fn output_node(system: &System, name: &str) -> Result<NodeId, CoreError> {
    system
        .output(name)
        .ok_or_else(|| CoreError::law("unknown-output", format!("there is no output `{name}`")))
}

/// The outputs of one block.
struct Results<'a> {
    family: &'a Family,
    workspace: &'a Workspace,
}

impl<'a> Results<'a> {
    fn get(&self, k: usize) -> Output<'a> {
        self.family.programs()[0].output(self.workspace, k)
    }

    fn at(&self, k: usize, row: usize) -> f64 {
        match self.get(k) {
            Output::Uniform(number) => number,
            Output::Block(values) => values[row],
        }
    }
}

/// A compiled program with its columns and numbers in place.
struct Plan<'a> {
    family: Family,
    columns: Vec<&'a [f64]>,
    /// Positions of the columns that must be positive, with their names.
    positive: Vec<(usize, &'a str)>,
    numbers: Vec<f64>,
}

impl<'a> Plan<'a> {
    fn new(
        system: &System,
        nodes: &[NodeId],
        inputs: &'a [(&str, Values<'_>)],
    ) -> Result<Self, CoreError> {
        let mut bindings = Vec::with_capacity(inputs.len());
        let (mut columns, mut numbers, mut positive) = (Vec::new(), Vec::new(), Vec::new());
        for (name, values) in inputs {
            match values {
                Values::Number(number) => {
                    bindings.push(Binding::uniform(name, *number > 0.0));
                    numbers.push(*number);
                }
                Values::Column(column) => {
                    bindings.push(Binding::varying(name, false));
                    columns.push(*column);
                }
                Values::PositiveColumn(column) => {
                    bindings.push(Binding::varying(name, true));
                    positive.push((columns.len(), *name));
                    columns.push(*column);
                }
            }
        }
        let family = Family::compile(&system.graph, &[nodes], &bindings)?;
        Ok(Plan {
            family,
            columns,
            positive,
            numbers,
        })
    }

    /// Runs every block and hands its results to `store` with the matching rows of `out`.
    fn run(
        &self,
        out: &mut [&mut [f64]],
        threads: Option<usize>,
        control: &Control,
        store: impl Fn(&Results<'_>, &mut [&mut [f64]]) + Sync,
    ) -> Result<(), CoreError> {
        let rows = out.first().map_or(0, |column| column.len());
        for column in self
            .columns
            .iter()
            .copied()
            .chain(out.iter().map(|column| &**column))
        {
            if column.len() != rows {
                let message = format!("a column has {} rows where {rows} are needed", column.len());
                return Err(CoreError::data("column-length", message));
            }
        }
        let chunk_count = rows.div_ceil(CHUNK);
        let mut chunks: Vec<Vec<&mut [f64]>> = (0..chunk_count)
            .map(|_| Vec::with_capacity(out.len()))
            .collect();
        for column in out.iter_mut() {
            for (chunk, part) in chunks.iter_mut().zip(column.chunks_mut(CHUNK)) {
                chunk.push(part);
            }
        }
        control.set_total(chunk_count as u64);
        let kernel = Kernel::detect();
        let bad_row = AtomicUsize::new(usize::MAX);
        let workspace = || {
            let mut workspace = Workspace::new(&self.family, 0, kernel);
            self.family.programs()[0].set_uniforms(&mut workspace, &self.numbers);
            workspace
        };
        let run_chunk = |workspace: &mut Workspace,
                         (index, mut chunk): (usize, Vec<&mut [f64]>)|
         -> Result<(), CoreError> {
            control.check()?;
            let (start, len) = (index * CHUNK, chunk[0].len());
            if !self.is_sound(kernel, start, len) {
                bad_row.fetch_min(start, Ordering::Relaxed);
                return Ok(());
            }
            let mut done = 0;
            while done < len {
                let block = (len - done).min(BLOCK);
                self.family.programs()[0].run(workspace, &self.columns, &[], start + done, block);
                let mut parts: Vec<&mut [f64]> = chunk
                    .iter_mut()
                    .map(|column| &mut column[done..done + block])
                    .collect();
                store(
                    &Results {
                        family: &self.family,
                        workspace,
                    },
                    &mut parts,
                );
                done += block;
            }
            control.advance(1);
            Ok(())
        };
        if chunk_count <= 1 {
            let mut workspace = workspace();
            chunks
                .into_iter()
                .enumerate()
                .try_for_each(|chunk| run_chunk(&mut workspace, chunk))?;
        } else {
            with_pool(threads, || {
                chunks
                    .into_par_iter()
                    .enumerate()
                    .try_for_each_init(workspace, run_chunk)
            })?;
        }
        if bad_row.into_inner() < usize::MAX {
            let faults: Vec<Fault> = self
                .positive
                .iter()
                .filter_map(|(k, name)| Fault::find(name, self.columns[*k], true))
                .collect();
            return Err(report(&faults, rows));
        }
        Ok(())
    }

    /// Whether the positive columns are positive and finite in these rows.
    fn is_sound(&self, kernel: Kernel, start: usize, len: usize) -> bool {
        self.positive.iter().all(|(k, _)| {
            let rows = &self.columns[*k][start..start + len];
            kernel.dispatch(
                #[inline(always)]
                || {
                    rows.iter().fold(0u64, |bad, &x| {
                        bad + u64::from(!((x > 0.0) & (x < f64::INFINITY)))
                    }) == 0
                },
            )
        })
    }
}
