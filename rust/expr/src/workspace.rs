//! The scratch memory of one program on one thread.
//!
//! Stage: beside `program`. Holds the numbers of the uniform stage and the block registers; made once, so that
//! runs allocate nothing.

use crate::arithmetic::lane::Lane;
use crate::eval::block::BLOCK;
use crate::eval::{Kernel, Task};
use crate::schedule::{Schedule, UniformStep};

/// The scratch memory of one program on one thread.
#[derive(Clone, Debug)]
pub struct Workspace {
    kernel: Kernel,
    pub(crate) numbers: Vec<f64>,
    registers: Vec<Aligned>,
    pub(crate) len: usize,
}

/// A cache line of doubles.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
struct Aligned([f64; 8]);

impl Workspace {
    /// The kernel that runs in this workspace use.
    pub fn kernel(&self) -> Kernel {
        self.kernel
    }

    /// Whether this memory was made for such a schedule.
    pub(crate) fn fits(&self, schedule: &Schedule) -> bool {
        self.numbers.len() == schedule.numbers.len()
            && self.registers.len() == lines(schedule.registers)
    }

    /// The block registers, and the numbers of the uniform stage.
    pub(crate) fn parts(&mut self) -> (&mut [f64], &[f64]) {
        (flat_mut(&mut self.registers), &self.numbers)
    }

    /// The rows of a register that the last run filled.
    pub(crate) fn rows(&self, register: u32) -> &[f64] {
        let start = register as usize * BLOCK;
        &flat(&self.registers)[start..start + self.len]
    }

    pub(crate) fn for_schedule(schedule: &Schedule, kernel: Kernel) -> Workspace {
        Workspace {
            kernel,
            numbers: schedule.numbers.clone(),
            registers: vec![Aligned([0.0; 8]); lines(schedule.registers)],
            len: 0,
        }
    }

    pub(crate) fn compute_numbers(&mut self, steps: &[UniformStep]) {
        Kernel::Scalar.run(UniformRun {
            steps,
            numbers: &mut self.numbers,
        });
    }
}

/// The uniform stage.
struct UniformRun<'a> {
    steps: &'a [UniformStep],
    numbers: &'a mut [f64],
}

impl Task for UniformRun<'_> {
    type Result = ();
    #[inline(always)]
    unsafe fn run<L: Lane>(self) {
        for step in self.steps {
            let arguments = step.arguments.map(|place| self.numbers[place as usize]);
            self.numbers[step.target as usize] = step.code.apply(arguments);
        }
    }
}

/// Cache lines of so many registers.
fn lines(registers: usize) -> usize {
    registers * (BLOCK / 8)
}

fn flat(lines: &[Aligned]) -> &[f64] {
    // SAFETY: `Aligned` is eight doubles without padding, since its size equals its alignment of 64.
    unsafe { std::slice::from_raw_parts(lines.as_ptr().cast(), lines.len() * 8) }
}

fn flat_mut(lines: &mut [Aligned]) -> &mut [f64] {
    // SAFETY: as in `flat`.
    unsafe { std::slice::from_raw_parts_mut(lines.as_mut_ptr().cast(), lines.len() * 8) }
}
