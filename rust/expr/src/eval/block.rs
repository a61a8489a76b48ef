//! The block evaluator: runs the instructions of a program over up to [`BLOCK`] rows.
//!
//! Stage: innermost. In: instructions whose operands are registers (blocks of rows), columns or uniform
//! numbers; out: registers. The instruction set is chosen once a block; within it, each instruction is one
//! loop over the rows, and what is left over by the lanes is done by one masked step.
//! Longer than the rule, because `run` is the interpreter: one arm for each operation.

use super::code::Code;
use super::kernel::Task;
use crate::arithmetic::lane::Lane;
use crate::arithmetic::pair::Pair;
use crate::arithmetic::vecmath;

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
    /// `a·b` and, in the second register, `((a·b)·c)·d`.
    ProductAndMultiple,
    /// `ln(a)` and, in the second register, `1/a`.
    LogAndReciprocal,
    /// `ln(s) − f` with `s = a·b + (c·d + e)`.
    LogOfSum,
    /// The same and, in the second register, `1/s`.
    LogOfSumAndReciprocal,
}

/// The greatest number of operands of an action.
pub(crate) const OPERANDS: usize = 6;

/// One instruction: an action on places, into one register or two.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Instruction {
    pub(crate) action: Action,
    pub(crate) arguments: [Place; OPERANDS],
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
struct Same(f64);

trait Source: Copy {
    /// # Safety
    /// The processor must have the instruction set of `L`; `WIDTH` rows must be readable from row `i` on.
    unsafe fn at<L: Lane>(self, i: usize) -> L;
    /// # Safety
    /// The same, for `count < WIDTH` rows.
    unsafe fn head<L: Lane>(self, i: usize, count: usize) -> L;
}

impl Source for Rows {
    #[inline(always)]
    unsafe fn at<L: Lane>(self, i: usize) -> L {
        // SAFETY: the caller's contract.
        unsafe { L::load(self.0.add(i)) }
    }
    #[inline(always)]
    unsafe fn head<L: Lane>(self, i: usize, count: usize) -> L {
        // SAFETY: the caller's contract.
        unsafe { L::load_head(self.0.add(i), count) }
    }
}

impl Source for Same {
    #[inline(always)]
    unsafe fn at<L: Lane>(self, _i: usize) -> L {
        // SAFETY: the caller's contract.
        unsafe { L::splat(self.0) }
    }
    #[inline(always)]
    unsafe fn head<L: Lane>(self, _i: usize, _count: usize) -> L {
        // SAFETY: the caller's contract.
        unsafe { L::splat(self.0) }
    }
}

/// Two groups, for long functions.
type Two<L> = Pair<L>;

/// Four groups, for operations that cost no more than the loop around them.
type Four<L> = Pair<Pair<L>>;

impl Task for BlockRun<'_> {
    type Result = ();

    #[inline(always)]
    unsafe fn run<L: Lane>(self) {
        let base = self.registers.as_mut_ptr();
        let len = self.len;
        for instruction in self.instructions {
            let uniform = |k: usize| matches!(instruction.arguments[k], Place::Uniform(_));
            // SAFETY: the program was compiled for this workspace, and `Program::run` has checked that every column that
            // is read covers the block. Operands may be the target itself, whose rows are read before they are written.
            unsafe {
                let place = |k: usize| match instruction.arguments[k] {
                    Place::Register(r) => Rows(base.add(r as usize * BLOCK)),
                    Place::Input(i) => Rows(self.inputs[i as usize].as_ptr().add(self.start)),
                    Place::Cached(i) => Rows(self.cached[i as usize].as_ptr().add(self.start)),
                    Place::Uniform(u) => Rows(self.uniforms.as_ptr().add(u as usize)),
                };
                let target = base.add(instruction.target as usize * BLOCK);
                let second = base.add(instruction.second as usize * BLOCK);

                // Runs an expression for all rows: as many groups of lanes at once as the first type has, then single groups,
                // then what is left under a mask. Operands are bound one by one, as rows, as the same number for all rows,
                // or as either; each way has its own loops.
                macro_rules! each_row {
                    ($wide:ty, [$($bound:ident)+], => $([$common:ident = $shared:expr])? $($to:ident = $value:expr),+) => {{
                        let mut i = 0;
                        while i + <$wide>::WIDTH <= len {
                            $(let $bound: $wide = $bound.at(i);)+
                            $(let $common = $shared;)?
                            $($value.store($to.add(i));)+
                            i += <$wide>::WIDTH;
                        }
                        while i + L::WIDTH <= len {
                            $(let $bound: L = $bound.at(i);)+
                            $(let $common = $shared;)?
                            $($value.store($to.add(i));)+
                            i += L::WIDTH;
                        }
                        if i < len {
                            $(let $bound: L = $bound.head(i, len - i);)+
                            $(let $common = $shared;)?
                            $($value.store_head($to.add(i), len - i);)+
                        }
                    }};
                    ($wide:ty, [$($bound:ident)*], $name:ident rows $k:literal, $($rest:tt)+) => {{
                        let $name = place($k);
                        each_row!($wide, [$($bound)* $name], $($rest)+)
                    }};
                    ($wide:ty, [$($bound:ident)*], $name:ident same $k:literal, $($rest:tt)+) => {{
                        let $name = Same(*place($k).0);
                        each_row!($wide, [$($bound)* $name], $($rest)+)
                    }};
                    ($wide:ty, [$($bound:ident)*], $name:ident any $k:literal, $($rest:tt)+) => {
                        if uniform($k) {
                            each_row!($wide, [$($bound)*], $name same $k, $($rest)+)
                        } else {
                            each_row!($wide, [$($bound)*], $name rows $k, $($rest)+)
                        }
                    };
                }
                macro_rules! plain {
                    ($wide:ty; $code:ident; unary) => {
                        each_row!($wide, [], a rows 0, => target = Code::$code.apply([a, a, a]))
                    };
                    ($wide:ty; $code:ident; binary) => {
                        each_row!($wide, [], a any 0, b any 1, => target = Code::$code.apply([a, b, b]))
                    };
                    ($wide:ty; $code:ident; ternary) => {
                        each_row!($wide, [], a any 0, b any 1, c any 2, => target = Code::$code.apply([a, b, c]))
                    };
                    ($given:ident; $($arity:ident $wide:ty: $($code:ident)+;)+) => {
                        match $given {
                            $($(Code::$code => plain!($wide; $code; $arity),)+)+
                        }
                    };
                }
                match instruction.action {
                    Action::Plain(code) => plain!(code;
                        unary Four<L>: Copy Neg Abs Sign;
                        unary Two<L>: Exp Log Sin Cos;
                        unary L: EdgeLog EdgeReciprocal Sqrt Expm1 Log2 Log10 Log1p Tan Arctan Tanh Sigmoid Reciprocal LogReciprocal;
                        binary Four<L>: Add Sub Mul Min Max LessEqual EdgeProduct;
                        binary Two<L>: Pow;
                        binary L: Div;
                        ternary Four<L>: MulAdd MulSub NegMulAdd;
                    ),
                    Action::ExpOfProduct => each_row!(Two<L>, [], a rows 0, b any 1, =>
                        target = vecmath::exp(a * b)),
                    Action::Product3 => each_row!(Four<L>, [], a rows 0, b rows 1, c any 2, =>
                        target = (a * b) * c),
                    Action::MulAddTwice => {
                        each_row!(Four<L>, [], a rows 0, b same 1, c rows 2, d same 3, e any 4, =>
                            target = a.fma(b, c.fma(d, e)))
                    }
                    Action::ProductAndMultiple => {
                        each_row!(Four<L>, [], a rows 0, b rows 1, c rows 2, d any 3, =>
                            [p = a * b] target = p, second = (p * c) * d)
                    }
                    Action::LogAndReciprocal => each_row!(Two<L>, [], a rows 0, =>
                        [both = vecmath::ln_and_reciprocal(a)] target = both.0, second = both.1),
                    Action::LogOfSum => {
                        each_row!(Two<L>, [], a rows 0, b same 1, c rows 2, d same 3, e any 4, f any 5, =>
                            [s = a.fma(b, c.fma(d, e))] target = vecmath::ln(s) - f)
                    }
                    Action::LogOfSumAndReciprocal => {
                        each_row!(Two<L>, [], a rows 0, b same 1, c rows 2, d same 3, e any 4, f any 5, =>
                            [both = vecmath::ln_and_reciprocal(a.fma(b, c.fma(d, e)))] target = both.0 - f, second = both.1)
                    }
                }
            }
        }
    }
}
