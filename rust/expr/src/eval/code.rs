//! The operations of a compiled program, and the arithmetic of each.
//!
//! Stage: shared by lowering (which folds constants with it), by the uniform stage of a program and by the
//! block evaluator. There is one definition of every operation, generic over the lane, so that all agree.

use crate::arithmetic::lane::Lane;
use crate::op::Op;

use super::kernel::{Kernel, Task};
use crate::arithmetic::vecmath;

/// One operation on up to three arguments.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Code {
    Copy,
    Neg,
    Abs,
    Sqrt,
    Sign,
    Exp,
    Expm1,
    Log,
    Log2,
    Log10,
    Log1p,
    Sin,
    Cos,
    Tan,
    Arctan,
    Tanh,
    Sigmoid,
    /// 1/x.
    Reciprocal,
    /// 1/x as the logarithm of x computes it on its way.
    LogReciprocal,
    Add,
    Sub,
    Mul,
    Div,
    Pow,
    Min,
    Max,
    LessEqual,
    /// ln a, but 0 at 0.
    EdgeLog,
    /// 1/a, but 0 at 0.
    EdgeReciprocal,
    /// a·b, but 0 where a is zero.
    EdgeProduct,
    /// a·b + c, rounded once.
    MulAdd,
    /// a·b − c, rounded once.
    MulSub,
    /// c − a·b, rounded once.
    NegMulAdd,
}

impl Code {
    /// The code of an operator of the language.
    pub(crate) fn of(op: Op) -> Code {
        match op {
            Op::Add => Code::Add,
            Op::Sub => Code::Sub,
            Op::Mul => Code::Mul,
            Op::Div => Code::Div,
            Op::Pow => Code::Pow,
            Op::Min => Code::Min,
            Op::Max => Code::Max,
            Op::Neg => Code::Neg,
            Op::Exp => Code::Exp,
            Op::Log => Code::Log,
            Op::Log2 => Code::Log2,
            Op::Log10 => Code::Log10,
            Op::Log1p => Code::Log1p,
            Op::Expm1 => Code::Expm1,
            Op::Sqrt => Code::Sqrt,
            Op::Abs => Code::Abs,
            Op::Sin => Code::Sin,
            Op::Cos => Code::Cos,
            Op::Tan => Code::Tan,
            Op::Arctan => Code::Arctan,
            Op::Tanh => Code::Tanh,
            Op::Sigmoid => Code::Sigmoid,
            Op::Sign => Code::Sign,
            Op::LessEqual => Code::LessEqual,
            Op::EdgeLog => Code::EdgeLog,
            Op::EdgeReciprocal => Code::EdgeReciprocal,
            Op::EdgeProduct => Code::EdgeProduct,
        }
    }

    /// Number of arguments.
    pub(crate) fn arity(self) -> usize {
        match self {
            Code::MulAdd | Code::MulSub | Code::NegMulAdd => 3,
            Code::Add | Code::Sub | Code::Mul | Code::Div => 2,
            Code::Pow | Code::Min | Code::Max | Code::LessEqual | Code::EdgeProduct => 2,
            _ => 1,
        }
    }

    /// Whether the operation costs about as much as reading its arguments.
    pub(crate) const fn is_cheap(self) -> bool {
        use Code::*;
        matches!(
            self,
            Copy | Neg
                | Abs
                | Sign
                | Add
                | Sub
                | Mul
                | Min
                | Max
                | LessEqual
                | EdgeProduct
                | MulAdd
                | MulSub
                | NegMulAdd
        )
    }

    /// The value on plain numbers; arguments beyond the arity are ignored.
    pub(crate) fn value(self, arguments: [f64; 3]) -> f64 {
        Kernel::Scalar.run(Single(self, arguments))
    }

    /// The value for a group of lanes.
    #[inline(always)]
    pub(crate) fn apply<L: Lane>(self, [a, b, c]: [L; 3]) -> L {
        match self {
            Code::Copy => a,
            Code::Neg => -a,
            Code::Abs => a.abs(),
            Code::Sqrt => a.sqrt(),
            Code::Sign => sign(a),
            Code::Exp => vecmath::exp(a),
            Code::Expm1 => vecmath::expm1(a),
            Code::Log => vecmath::ln(a),
            Code::Log2 => vecmath::log2(a),
            Code::Log10 => vecmath::log10(a),
            Code::Log1p => vecmath::log1p(a),
            Code::Sin => vecmath::sin(a),
            Code::Cos => vecmath::cos(a),
            Code::Tan => vecmath::tan(a),
            Code::Arctan => vecmath::arctan(a),
            Code::Tanh => vecmath::tanh(a),
            Code::Sigmoid => vecmath::sigmoid(a),
            Code::Reciprocal => a.of(1.0) / a,
            Code::LogReciprocal => vecmath::ln_and_reciprocal(a).1,
            Code::Add => a + b,
            Code::Sub => a - b,
            Code::Mul => a * b,
            Code::Div => a / b,
            Code::Pow => vecmath::pow(a, b),
            Code::Min => L::pick(a.is_nan() | a.le(b), a, b),
            Code::Max => L::pick(a.is_nan() | b.le(a), a, b),
            Code::LessEqual => less_equal(a, b),
            Code::EdgeLog => zero_at_zero(a, vecmath::ln(a)),
            Code::EdgeReciprocal => zero_at_zero(a, a.of(1.0) / a),
            Code::EdgeProduct => zero_at_zero(a, a * b),
            Code::MulAdd => a.fma(b, c),
            Code::MulSub => a.fms(b, c),
            Code::NegMulAdd => a.fnma(b, c),
        }
    }
}

struct Single(Code, [f64; 3]);

impl Task for Single {
    type Result = f64;
    #[inline(always)]
    unsafe fn run<L: Lane>(self) -> f64 {
        self.0.apply(self.1)
    }
}

/// −1, 0 or 1; NaN for NaN.
#[inline(always)]
fn sign<L: Lane>(a: L) -> L {
    let zero = a.of(0.0);
    let one = a.of(1.0);
    let value = L::pick(a.lt(zero), -one, zero);
    let value = L::pick(zero.lt(a), one, value);
    L::pick(a.is_nan(), a, value)
}

/// 1 where a ≤ b, else 0; NaN where either is NaN.
#[inline(always)]
fn less_equal<L: Lane>(a: L, b: L) -> L {
    let value = L::pick(a.le(b), a.of(1.0), a.of(0.0));
    L::pick(a.is_nan() | b.is_nan(), a + b, value)
}

/// `value`, but 0 where `a` is zero.
#[inline(always)]
fn zero_at_zero<L: Lane>(a: L, value: L) -> L {
    let zero = a.of(0.0);
    L::pick(a.equal(zero), zero, value)
}
