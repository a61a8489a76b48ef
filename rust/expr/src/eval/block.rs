//! The block evaluator: runs the instructions of a program over up to [`BLOCK`] rows.
//!
//! Stage: innermost. In: instructions whose operands are registers (blocks of rows), columns or uniform
//! numbers; out: registers. The instruction set is chosen once a block; within it, each instruction is one
//! loop over the rows, and what is left over by the lanes is done by one masked step.

use super::Task;
use super::code::Code;
use super::lane::Lane;
use super::vecmath;

/// Rows of a block.
///
/// A register of 256 doubles takes 2 KiB, so that the dozen registers of a two-term law with its gradient stay
/// within 32 KiB of first-level cache, while the fixed cost of an instruction is spread over many rows.
pub const BLOCK: usize = 256;

/// Where an operand lives.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Place {
    Register(u32),
    Input(u32),
    Cached(u32),
    Uniform(u32),
}

/// What one instruction computes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Action {
    /// One operation.
    Plain(Code),
    /// `exp(a·b)`.
    ExpOfProduct,
    /// `(a·b)·c`.
    Product3,
    /// `a·b + (c·d + e)`.
    MulAddTwice,
    /// `ln(a)` and, in the second register, `1/a`.
    LogAndReciprocal,
}

/// One instruction: an action on places, into one register or two.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Instruction {
    pub(crate) action: Action,
    pub(crate) arguments: [Place; 5],
    pub(crate) target: u32,
    pub(crate) second: u32,
}

/// One block's worth of work.
pub(crate) struct BlockRun<'a> {
    pub(crate) instructions: &'a [Instruction],
    /// `BLOCK` doubles a register.
    pub(crate) registers: &'a mut [f64],
    pub(crate) uniforms: &'a [f64],
    /// Each column from the block's first row on.
    pub(crate) inputs: &'a [&'a [f64]],
    pub(crate) cached: &'a [&'a [f64]],
    pub(crate) start: usize,
    pub(crate) len: usize,
}

/// An operand with one number a row.
#[derive(Clone, Copy)]
struct Rows(*const f64);

/// An operand with one number for all rows.
#[derive(Clone, Copy)]
struct Same<L>(L);

trait Source<L: Lane>: Copy {
    /// # Safety
    /// `WIDTH` rows must be readable from row `i` on.
    unsafe fn at(self, i: usize) -> L;
    /// # Safety
    /// `count < WIDTH` rows must be readable from row `i` on.
    unsafe fn head(self, i: usize, count: usize) -> L;
}

impl<L: Lane> Source<L> for Rows {
    #[inline(always)]
    unsafe fn at(self, i: usize) -> L {
        // SAFETY: the caller's contract.
        unsafe { L::load(self.0.add(i)) }
    }
    #[inline(always)]
    unsafe fn head(self, i: usize, count: usize) -> L {
        // SAFETY: the caller's contract.
        unsafe { L::load_head(self.0.add(i), count) }
    }
}

impl<L: Lane> Source<L> for Same<L> {
    #[inline(always)]
    unsafe fn at(self, _i: usize) -> L {
        self.0
    }
    #[inline(always)]
    unsafe fn head(self, _i: usize, _count: usize) -> L {
        self.0
    }
}

/// Runs `$body` for each group of lanes, with `$i` bound to its first row and every `$name` to its operand.
///
/// `$body` gives the value for `$out`. Rows that fill no group are read and written under a mask.
macro_rules! rows {
    ($lane:ident, $len:expr, $out:expr, [$($name:ident = $source:expr),+], $body:expr) => {{
        let len = $len;
        $(let $name = $source;)+
        let mut i = 0;
        while i + $lane::WIDTH <= len {
            $(let $name: $lane = Source::<$lane>::at($name, i);)+
            let value: $lane = $body;
            value.store($out.add(i));
            i += $lane::WIDTH;
        }
        if i < len {
            $(let $name: $lane = Source::<$lane>::head($name, i, len - i);)+
            let value: $lane = $body;
            value.store_head($out.add(i), len - i);
        }
    }};
}

impl Task for BlockRun<'_> {
    type Result = ();

    #[inline(always)]
    unsafe fn run<L: Lane>(self) {
        let base = self.registers.as_mut_ptr();
        let len = self.len;
        for instruction in self.instructions {
            // SAFETY: the program was compiled for this workspace, and `Program::run` has checked that every column that
            // is read covers the block. Operands may be the target itself, whose rows are read before they are written.
            unsafe {
                let place = |k: usize| match instruction.arguments[k] {
                    Place::Register(r) => Rows(base.add(r as usize * BLOCK)),
                    Place::Input(i) => Rows(self.inputs[i as usize].as_ptr().add(self.start)),
                    Place::Cached(i) => Rows(self.cached[i as usize].as_ptr().add(self.start)),
                    Place::Uniform(u) => Rows(self.uniforms.as_ptr().add(u as usize)),
                };
                let uniform = |k: usize| matches!(instruction.arguments[k], Place::Uniform(_));
                let target = base.add(instruction.target as usize * BLOCK);
                macro_rules! same {
                    ($k:expr) => {
                        Same(L::splat(*place($k).0))
                    };
                }
                macro_rules! unary {
                    ($code:expr) => {
                        rows!(L, len, target, [a = place(0)], $code.apply([a, a, a]))
                    };
                }
                macro_rules! binary {
                    ($code:expr) => {
                        match (uniform(0), uniform(1)) {
                            (false, false) => {
                                rows!(
                                    L,
                                    len,
                                    target,
                                    [a = place(0), b = place(1)],
                                    $code.apply([a, b, b])
                                )
                            }
                            (false, true) => {
                                rows!(
                                    L,
                                    len,
                                    target,
                                    [a = place(0), b = same!(1)],
                                    $code.apply([a, b, b])
                                )
                            }
                            _ => {
                                rows!(
                                    L,
                                    len,
                                    target,
                                    [a = same!(0), b = place(1)],
                                    $code.apply([a, b, b])
                                )
                            }
                        }
                    };
                }
                macro_rules! ternary {
                    ($code:expr) => {
                        match (uniform(0), uniform(1), uniform(2)) {
                            (false, false, false) => {
                                rows!(
                                    L,
                                    len,
                                    target,
                                    [a = place(0), b = place(1), c = place(2)],
                                    $code.apply([a, b, c])
                                )
                            }
                            (false, false, true) => {
                                rows!(
                                    L,
                                    len,
                                    target,
                                    [a = place(0), b = place(1), c = same!(2)],
                                    $code.apply([a, b, c])
                                )
                            }
                            (false, true, false) => {
                                rows!(
                                    L,
                                    len,
                                    target,
                                    [a = place(0), b = same!(1), c = place(2)],
                                    $code.apply([a, b, c])
                                )
                            }
                            (false, true, true) => {
                                rows!(
                                    L,
                                    len,
                                    target,
                                    [a = place(0), b = same!(1), c = same!(2)],
                                    $code.apply([a, b, c])
                                )
                            }
                            (true, false, false) => {
                                rows!(
                                    L,
                                    len,
                                    target,
                                    [a = same!(0), b = place(1), c = place(2)],
                                    $code.apply([a, b, c])
                                )
                            }
                            (true, false, true) => {
                                rows!(
                                    L,
                                    len,
                                    target,
                                    [a = same!(0), b = place(1), c = same!(2)],
                                    $code.apply([a, b, c])
                                )
                            }
                            _ => {
                                rows!(
                                    L,
                                    len,
                                    target,
                                    [a = same!(0), b = same!(1), c = place(2)],
                                    $code.apply([a, b, c])
                                )
                            }
                        }
                    };
                }
                match instruction.action {
                    Action::Plain(code) => match code {
                        Code::Copy => unary!(Code::Copy),
                        Code::Neg => unary!(Code::Neg),
                        Code::Abs => unary!(Code::Abs),
                        Code::Sqrt => unary!(Code::Sqrt),
                        Code::Sign => unary!(Code::Sign),
                        Code::Exp => unary!(Code::Exp),
                        Code::Expm1 => unary!(Code::Expm1),
                        Code::Log => unary!(Code::Log),
                        Code::Log2 => unary!(Code::Log2),
                        Code::Log10 => unary!(Code::Log10),
                        Code::Log1p => unary!(Code::Log1p),
                        Code::Sin => unary!(Code::Sin),
                        Code::Cos => unary!(Code::Cos),
                        Code::Tan => unary!(Code::Tan),
                        Code::Arctan => unary!(Code::Arctan),
                        Code::Tanh => unary!(Code::Tanh),
                        Code::Sigmoid => unary!(Code::Sigmoid),
                        Code::Reciprocal => unary!(Code::Reciprocal),
                        Code::LogReciprocal => unary!(Code::LogReciprocal),
                        Code::Add => binary!(Code::Add),
                        Code::Sub => binary!(Code::Sub),
                        Code::Mul => binary!(Code::Mul),
                        Code::Div => binary!(Code::Div),
                        Code::Pow => binary!(Code::Pow),
                        Code::Min => binary!(Code::Min),
                        Code::Max => binary!(Code::Max),
                        Code::LessEqual => binary!(Code::LessEqual),
                        Code::MulAdd => ternary!(Code::MulAdd),
                        Code::MulSub => ternary!(Code::MulSub),
                        Code::NegMulAdd => ternary!(Code::NegMulAdd),
                    },
                    Action::ExpOfProduct => match uniform(1) {
                        true => rows!(
                            L,
                            len,
                            target,
                            [a = place(0), b = same!(1)],
                            vecmath::exp(a * b)
                        ),
                        false => rows!(
                            L,
                            len,
                            target,
                            [a = place(0), b = place(1)],
                            vecmath::exp(a * b)
                        ),
                    },
                    Action::Product3 => match uniform(2) {
                        true => rows!(
                            L,
                            len,
                            target,
                            [a = place(0), b = place(1), c = same!(2)],
                            (a * b) * c
                        ),
                        false => rows!(
                            L,
                            len,
                            target,
                            [a = place(0), b = place(1), c = place(2)],
                            (a * b) * c
                        ),
                    },
                    Action::MulAddTwice => match uniform(4) {
                        true => rows!(
                            L,
                            len,
                            target,
                            [
                                a = place(0),
                                b = same!(1),
                                c = place(2),
                                d = same!(3),
                                e = same!(4)
                            ],
                            a.fma(b, c.fma(d, e))
                        ),
                        false => rows!(
                            L,
                            len,
                            target,
                            [
                                a = place(0),
                                b = same!(1),
                                c = place(2),
                                d = same!(3),
                                e = place(4)
                            ],
                            a.fma(b, c.fma(d, e))
                        ),
                    },
                    Action::LogAndReciprocal => {
                        let second = base.add(instruction.second as usize * BLOCK);
                        let x = place(0);
                        let mut i = 0;
                        while i + L::WIDTH <= len {
                            let (log, inverse) =
                                vecmath::ln_and_reciprocal(<Rows as Source<L>>::at(x, i));
                            log.store(target.add(i));
                            inverse.store(second.add(i));
                            i += L::WIDTH;
                        }
                        if i < len {
                            let a = <Rows as Source<L>>::head(x, i, len - i);
                            let (log, inverse) = vecmath::ln_and_reciprocal(a);
                            log.store_head(target.add(i), len - i);
                            inverse.store_head(second.add(i), len - i);
                        }
                    }
                }
            }
        }
    }
}
