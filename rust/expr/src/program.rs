//! Programs: formulas compiled for blocks of rows.
//!
//! Stage: the end of the language. In: columns of `m` rows, uniform numbers; out: one column of a block, or one
//! number, for each output. A [`Family`] holds programs that share inputs and cached columns, such as a law's value,
//! its gradient and its Hessian. Work is done in three stages: what depends on prepared columns alone once a data
//! set ([`Family::prepare`]), what depends on uniform symbols once an iterate ([`Program::set_uniforms`]), and the rest
//! once a row ([`Program::run`]).
//!
//! ```
//! use scalefast_expr::{Binding, Family, Kernel, Output, System, Workspace};
//! let law = System::formula("E + A/N**alpha")?;
//! let bindings = [
//!     Binding::prepared("N", true),
//!     Binding::uniform("E", false),
//!     Binding::uniform("A", false),
//!     Binding::uniform("alpha", false),
//! ];
//! let family = Family::compile(&law.graph, &[&[law.outputs()[0].1]], &bindings)?;
//! let n = [1e6, 1e8];
//! let kernel = Kernel::detect();
//! let mut log_n = [0.0; 2];
//! family.prepare(kernel, &[&n], 0, 2, &mut [&mut log_n]);
//!
//! let program = &family.programs()[0];
//! let mut workspace = Workspace::new(&family, 0, kernel);
//! program.set_uniforms(&mut workspace, &[1.5, 100.0, 0.5]);
//! program.run(&mut workspace, &[&n], &[&log_n], 0, 2);
//! let Output::Block(values) = program.output(&workspace, 0) else { unreachable!() };
//! assert!((values[0] - 1.6).abs() < 1e-12 && (values[1] - 1.51).abs() < 1e-12);
//! # Ok::<(), scalefast_expr::FormulaError>(())
//! ```

use crate::binding::{Binding, Rate};
use crate::error::FormulaError;
use crate::eval::Kernel;
use crate::eval::block::{BLOCK, BlockRun, Place};
use crate::graph::{Graph, NodeId};
use crate::lower::lower;
use crate::schedule::{Schedule, cached_values, schedule};
pub use crate::workspace::Workspace;

/// Programs that share inputs and cached columns.
#[derive(Clone, Debug)]
pub struct Family {
    programs: Vec<Program>,
    /// Gives the cached columns.
    preparation: Program,
    inputs: Vec<String>,
    uniforms: Vec<String>,
    reads_input: Vec<bool>,
}

/// One compiled list of outputs.
#[derive(Clone, Debug)]
pub struct Program {
    schedule: Schedule,
    uniform_count: usize,
}

/// One output of a program after a run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Output<'w> {
    /// The same number for all rows.
    Uniform(f64),
    /// One number a row of the block.
    Block(&'w [f64]),
}

impl Family {
    /// Compiles one program for each set of outputs.
    ///
    /// Errors: `unbound-symbol` for a symbol of an output without a binding.
    pub fn compile(
        graph: &Graph,
        output_sets: &[&[NodeId]],
        bindings: &[Binding],
    ) -> Result<Family, FormulaError> {
        let lowered = lower(graph, output_sets, bindings)?;
        let cached = cached_values(&lowered.values, &lowered.outputs);
        let names = |wanted: fn(&Rate) -> bool| -> Vec<String> {
            let chosen = bindings.iter().filter(|binding| wanted(&binding.rate));
            chosen.map(|binding| binding.name.clone()).collect()
        };
        let inputs = names(|rate| matches!(rate, Rate::Varying));
        let uniforms = names(|rate| matches!(rate, Rate::Uniform));
        let program = |schedule| Program {
            schedule,
            uniform_count: uniforms.len(),
        };
        let programs: Vec<Program> = lowered
            .outputs
            .iter()
            .map(|outputs| program(schedule(&lowered.values, outputs, &cached)))
            .collect();
        let preparation = program(schedule(&lowered.values, &cached, &[]));
        let reads_input = (0..inputs.len())
            .map(|i| {
                programs
                    .iter()
                    .any(|p| p.schedule.inputs.contains(&(i as u32)))
            })
            .collect();
        Ok(Family {
            preparation,
            programs,
            inputs,
            uniforms,
            reads_input,
        })
    }

    /// The programs, one for each set of outputs.
    pub fn programs(&self) -> &[Program] {
        &self.programs
    }

    /// The varying symbols, in the order of the bindings: the columns that runs take.
    pub fn inputs(&self) -> &[String] {
        &self.inputs
    }

    /// The uniform symbols, in the order of the bindings: the numbers that runs take.
    pub fn uniforms(&self) -> &[String] {
        &self.uniforms
    }

    /// How many columns [`Family::prepare`] fills.
    pub fn cached_len(&self) -> usize {
        self.preparation.schedule.outputs.len()
    }

    /// Whether some program reads this input itself, and not only cached columns made from it.
    ///
    /// An input that is not read may be an empty slice in runs.
    pub fn reads_input(&self, input: usize) -> bool {
        self.reads_input.get(input).copied().unwrap_or(false)
    }

    /// Fills `cached[k][0..len]` for the rows `start..start + len` of the inputs, `len` being any number of rows.
    ///
    /// # Panics
    /// If the slices are too short or too few.
    pub fn prepare(
        &self,
        kernel: Kernel,
        inputs: &[&[f64]],
        start: usize,
        len: usize,
        cached: &mut [&mut [f64]],
    ) {
        assert_eq!(cached.len(), self.cached_len(), "cached columns to fill");
        let mut workspace = Workspace::for_schedule(&self.preparation.schedule, kernel);
        workspace.compute_numbers(&self.preparation.schedule.steps);
        let mut done = 0;
        while done < len {
            let rows = (len - done).min(BLOCK);
            let program = &self.preparation;
            program.run(&mut workspace, inputs, &[], start + done, rows);
            for (k, column) in cached.iter_mut().enumerate() {
                let target = &mut column[done..done + rows];
                match program.output(&workspace, k) {
                    Output::Uniform(number) => target.fill(number),
                    Output::Block(values) => target.copy_from_slice(values),
                }
            }
            done += rows;
        }
    }
}

impl Program {
    /// Number of outputs.
    pub fn outputs_len(&self) -> usize {
        self.schedule.outputs.len()
    }

    /// Number of block instructions, for tests and benches.
    pub fn instructions_len(&self) -> usize {
        self.schedule.instructions.len()
    }

    /// Number of block registers, of [`BLOCK`] doubles each.
    pub fn registers_len(&self) -> usize {
        self.schedule.registers
    }

    /// Runs the uniform stage for these values, in the order of [`Family::uniforms`].
    ///
    /// # Panics
    /// If there are fewer or more values than uniform symbols, or the workspace belongs to another program.
    pub fn set_uniforms(&self, workspace: &mut Workspace, values: &[f64]) {
        assert_eq!(values.len(), self.uniform_count, "uniform values");
        self.check(workspace);
        for &(symbol, place) in &self.schedule.symbols {
            workspace.numbers[place as usize] = values[symbol as usize];
        }
        workspace.compute_numbers(&self.schedule.steps);
    }

    /// Computes the outputs for the rows `start..start + len` of the columns.
    ///
    /// # Panics
    /// If `len` exceeds [`BLOCK`], a column that is read is too short, or the workspace belongs to another program.
    pub fn run(
        &self,
        workspace: &mut Workspace,
        inputs: &[&[f64]],
        cached: &[&[f64]],
        start: usize,
        len: usize,
    ) {
        self.check(workspace);
        assert!(len <= BLOCK, "a block has at most {BLOCK} rows");
        let covers = |columns: &[&[f64]], read: &[u32]| {
            read.iter().all(|&i| {
                let column = columns.get(i as usize);
                column.is_some_and(|c| c.len() >= len && c.len() - len >= start)
            })
        };
        assert!(
            covers(inputs, &self.schedule.inputs),
            "an input is too short"
        );
        assert!(
            covers(cached, &self.schedule.cached),
            "a cached column is too short"
        );
        workspace.len = len;
        let kernel = workspace.kernel();
        let (registers, uniforms) = workspace.parts();
        kernel.run(BlockRun {
            instructions: &self.schedule.instructions,
            registers,
            uniforms,
            inputs,
            cached,
            start,
            len,
        });
    }

    /// Output `k` of the last run.
    ///
    /// # Panics
    /// If there is no output `k`, or the workspace belongs to another program.
    pub fn output<'w>(&self, workspace: &'w Workspace, k: usize) -> Output<'w> {
        self.check(workspace);
        match self.schedule.outputs[k] {
            Place::Uniform(number) => Output::Uniform(workspace.numbers[number as usize]),
            Place::Register(register) | Place::Input(register) | Place::Cached(register) => {
                Output::Block(workspace.rows(register))
            }
        }
    }

    pub(crate) fn schedule(&self) -> &Schedule {
        &self.schedule
    }

    fn check(&self, workspace: &Workspace) {
        assert!(
            workspace.fits(&self.schedule),
            "the workspace belongs to another program"
        );
    }
}

impl Workspace {
    /// Scratch memory for program number `program` of a family; runs allocate nothing further.
    ///
    /// # Panics
    /// If the family has no such program.
    pub fn new(family: &Family, program: usize, kernel: Kernel) -> Workspace {
        Workspace::for_schedule(family.programs()[program].schedule(), kernel)
    }
}
