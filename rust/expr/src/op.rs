//! The operators: one table that the parser, the derivatives, the evaluators, the printers and the
//! tests all read.
//!
//! An operator is added by one variant of [`Op`] and one row of the table.

use Domain::{AboveMinusOne, All, NonNegative, Positive};
use Notation::{Function, Infix, Prefix};

use crate::arithmetic::math;
use crate::differentiate::{self as rule, Rule};

/// An operator of the formula language.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u8)]
#[allow(missing_docs, reason = "the table below describes each operator")]
pub enum Op {
    Add,
    Sub,
    Mul,
    Div,
    Pow,
    Min,
    Max,
    Neg,
    Exp,
    Log,
    Log2,
    Log10,
    Log1p,
    Expm1,
    Sqrt,
    Abs,
    Sin,
    Cos,
    Tan,
    Arctan,
    Tanh,
    Sigmoid,
    /// −1, 0 or 1; NaN for NaN. Appears only in derivatives.
    Sign,
    /// 1 where the first argument is at most the second, else 0; NaN for NaN. Appears only in derivatives.
    LessEqual,
    /// The logarithm, but 0 at 0: beside a power of the same base, whose product with it vanishes there. Appears only in
    /// derivatives.
    EdgeLog,
    /// 1/x, but 0 at 0: the derivative of [`Op::EdgeLog`]. Appears only in derivatives.
    EdgeReciprocal,
    /// The product, but 0 where the first argument is zero, whatever the second is: an inner derivative that vanishes times
    /// an outer one at the edge of its domain. Appears only in derivatives.
    EdgeProduct,
}

/// How an operator is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Notation {
    /// Between its two arguments. A higher precedence binds more tightly.
    Infix {
        /// As typed.
        symbol: &'static str,
        /// Binding strength.
        precedence: u8,
        /// Whether `a ∘ b ∘ c` is `a ∘ (b ∘ c)`.
        right_associative: bool,
    },
    /// Before its argument.
    Prefix {
        /// As typed.
        symbol: &'static str,
        /// Binding strength.
        precedence: u8,
    },
    /// As a call, `name(…)`.
    Function,
}

/// Where the (first) argument must lie for the value to be a number.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Domain {
    /// Every real number (for a quotient: with a divisor other than zero; for a power: a negative
    /// base needs an integer exponent).
    All,
    /// Above zero.
    Positive,
    /// Zero and above.
    NonNegative,
    /// Above −1.
    AboveMinusOne,
}

/// The value of an operator on plain numbers.
#[derive(Clone, Copy, Debug)]
pub enum Value {
    /// Of one argument.
    Unary(fn(f64) -> f64),
    /// Of two arguments.
    Binary(fn(f64, f64) -> f64),
}

/// One row of the table.
#[derive(Clone, Copy, Debug)]
pub struct OpInfo {
    /// The operator of this row.
    pub op: Op,
    /// Its name: what is typed for a function, and what [`crate::graph::Graph`] exports for all.
    pub name: &'static str,
    /// Further accepted spellings.
    pub aliases: &'static [&'static str],
    /// Number of arguments of a node: 1 or 2.
    pub arity: usize,
    /// Whether a call may have more than two arguments, which then nest to the left.
    pub variadic: bool,
    /// How it is written.
    pub notation: Notation,
    /// LaTeX: the operator's symbol or function name.
    pub latex: &'static str,
    /// Where it is defined.
    pub domain: Domain,
    /// Whether swapping the two arguments changes no bit of the value.
    pub commutative: bool,
    /// Whether it appears only in derivatives and cannot be typed.
    pub internal: bool,
    /// Its value on plain numbers.
    pub value: Value,
    /// Its derivative, from the derivatives of its arguments.
    pub derivative: Rule,
}

impl OpInfo {
    /// How a call of the function is written.
    pub(crate) fn example(&self) -> String {
        if self.arity == 1 {
            format!("{}(x)", self.name)
        } else {
            format!("{}(x, y)", self.name)
        }
    }
}

/// Precedence of the prefix minus, which lies between products and powers: `-x**2` is `-(x**2)`.
pub const PREFIX_PRECEDENCE: u8 = 3;

const fn infix(
    op: Op,
    name: &'static str,
    symbol: &'static str,
    precedence: u8,
    latex: &'static str,
    value: fn(f64, f64) -> f64,
    derivative: Rule,
) -> OpInfo {
    OpInfo {
        op,
        name,
        aliases: &[],
        arity: 2,
        variadic: false,
        notation: Infix {
            symbol,
            precedence,
            right_associative: matches!(op, Op::Pow),
        },
        latex,
        domain: All,
        commutative: matches!(op, Op::Add | Op::Mul),
        internal: false,
        value: Value::Binary(value),
        derivative,
    }
}

const fn function(
    op: Op,
    name: &'static str,
    latex: &'static str,
    domain: Domain,
    value: fn(f64) -> f64,
    derivative: Rule,
) -> OpInfo {
    OpInfo {
        op,
        name,
        aliases: &[],
        arity: 1,
        variadic: false,
        notation: Function,
        latex,
        domain,
        commutative: false,
        internal: false,
        value: Value::Unary(value),
        derivative,
    }
}

const fn comparison(
    op: Op,
    name: &'static str,
    latex: &'static str,
    value: fn(f64, f64) -> f64,
    derivative: Rule,
) -> OpInfo {
    OpInfo {
        op,
        name,
        aliases: &[],
        arity: 2,
        variadic: matches!(op, Op::Min | Op::Max),
        notation: Function,
        latex,
        domain: All,
        commutative: false,
        internal: matches!(op, Op::LessEqual | Op::EdgeProduct),
        value: Value::Binary(value),
        derivative,
    }
}

#[rustfmt::skip]
static TABLE: [OpInfo; 27] = [
    infix(Op::Add, "add", "+", 1, "+", |a, b| a + b, rule::add),
    infix(Op::Sub, "sub", "-", 1, "-", |a, b| a - b, rule::sub),
    infix(Op::Mul, "mul", "*", 2, "\\,", |a, b| a * b, rule::mul),
    infix(Op::Div, "div", "/", 2, "\\frac", |a, b| a / b, rule::div),
    infix(Op::Pow, "pow", "**", 4, "^", math::pow, rule::pow),
    comparison(Op::Min, "min", "\\min", minimum, rule::min),
    comparison(Op::Max, "max", "\\max", maximum, rule::max),
    OpInfo {
        notation: Prefix { symbol: "-", precedence: PREFIX_PRECEDENCE },
        ..function(Op::Neg, "neg", "-", All, |a| -a, rule::neg)
    },
    function(Op::Exp, "exp", "\\exp", All, math::exp, rule::exp),
    OpInfo {
        aliases: &["ln"],
        ..function(Op::Log, "log", "\\ln", Positive, math::ln, rule::log)
    },
    function(Op::Log2, "log2", "\\log_{2}", Positive, math::log2, rule::log2),
    function(Op::Log10, "log10", "\\log_{10}", Positive, math::log10, rule::log10),
    function(Op::Log1p, "log1p", "\\operatorname{log1p}", AboveMinusOne, math::log1p, rule::log1p),
    function(Op::Expm1, "expm1", "\\operatorname{expm1}", All, math::expm1, rule::expm1),
    function(Op::Sqrt, "sqrt", "\\sqrt", NonNegative, f64::sqrt, rule::sqrt),
    function(Op::Abs, "abs", "|", All, f64::abs, rule::abs),
    function(Op::Sin, "sin", "\\sin", All, math::sin, rule::sin),
    function(Op::Cos, "cos", "\\cos", All, math::cos, rule::cos),
    function(Op::Tan, "tan", "\\tan", All, math::tan, rule::tan),
    function(Op::Arctan, "arctan", "\\arctan", All, math::arctan, rule::arctan),
    function(Op::Tanh, "tanh", "\\tanh", All, math::tanh, rule::tanh),
    function(Op::Sigmoid, "sigmoid", "\\operatorname{sigmoid}", All, math::sigmoid, rule::sigmoid),
    OpInfo {
        internal: true,
        ..function(Op::Sign, "sign", "\\operatorname{sign}", All, sign, rule::step)
    },
    comparison(Op::LessEqual, "less_equal", "\\operatorname{less\\_equal}", less_equal, rule::step),
    OpInfo {
        internal: true,
        ..function(Op::EdgeLog, "edge_log", "\\ln", NonNegative, edge_log, rule::edge_log)
    },
    OpInfo {
        internal: true,
        ..function(Op::EdgeReciprocal, "edge_reciprocal", "\\operatorname{reciprocal}", All, edge_reciprocal,
            rule::edge_reciprocal)
    },
    comparison(Op::EdgeProduct, "edge_product", "\\operatorname{product}", edge_product, rule::edge_product),
];

impl Op {
    /// Every operator, in the order of the table.
    pub const ALL: &[Op] = &{
        let mut all = [Op::Add; TABLE.len()];
        let mut row = 0;
        while row < TABLE.len() {
            all[row] = TABLE[row].op;
            row += 1;
        }
        all
    };

    /// The operator's row of the table.
    pub fn info(self) -> &'static OpInfo {
        &TABLE[self as usize]
    }

    /// The function that is typed as `name`, if there is one.
    ///
    /// ```
    /// use scalefast_expr::op::Op;
    /// assert_eq!(Op::function("ln"), Some(Op::Log));
    /// assert_eq!(Op::function("add"), None);
    /// ```
    pub fn function(name: &str) -> Option<Op> {
        Op::functions()
            .find(|row| row.name == name || row.aliases.contains(&name))
            .map(|row| row.op)
    }

    /// The rows that can be typed as a call.
    pub fn functions() -> impl Iterator<Item = &'static OpInfo> {
        TABLE
            .iter()
            .filter(|row| row.notation == Function && !row.internal)
    }
}

/// The lesser argument; NaN if either is; the first at a tie.
fn minimum(a: f64, b: f64) -> f64 {
    if a.is_nan() || a <= b { a } else { b }
}

/// The greater argument; NaN if either is; the first at a tie.
fn maximum(a: f64, b: f64) -> f64 {
    if a.is_nan() || a >= b { a } else { b }
}

fn sign(a: f64) -> f64 {
    if a > 0.0 {
        1.0
    } else if a < 0.0 {
        -1.0
    } else if a.is_nan() {
        a
    } else {
        0.0
    }
}

fn less_equal(a: f64, b: f64) -> f64 {
    if a <= b {
        1.0
    } else if a > b {
        0.0
    } else {
        f64::NAN
    }
}

fn edge_log(a: f64) -> f64 {
    if a == 0.0 { 0.0 } else { math::ln(a) }
}

fn edge_reciprocal(a: f64) -> f64 {
    if a == 0.0 { 0.0 } else { 1.0 / a }
}

fn edge_product(a: f64, b: f64) -> f64 {
    if a == 0.0 { 0.0 } else { a * b }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_row_stands_at_its_operator() {
        for (&op, row) in Op::ALL.iter().zip(&TABLE) {
            assert_eq!(row.op, op);
            assert_eq!(op.info().op, op);
        }
    }

    #[test]
    fn names_are_unique_and_arities_agree_with_the_value() {
        let mut seen = std::collections::HashSet::new();
        for row in &TABLE {
            for name in row.aliases.iter().chain([&row.name]) {
                assert!(seen.insert(*name), "{name} twice");
            }
            match row.value {
                Value::Unary(_) => assert_eq!(row.arity, 1),
                Value::Binary(_) => assert_eq!(row.arity, 2),
            }
        }
    }

    #[test]
    fn functions_are_numbers_inside_their_domain_and_none_outside() {
        for row in TABLE.iter().filter(|row| row.arity == 1) {
            let Value::Unary(value) = row.value else {
                unreachable!("unary by the test above")
            };
            let (inside, outside) = match row.domain {
                All => ([-2.5, 0.0, 2.5], f64::NAN),
                Positive => ([1e-300, 1.0, 1e300], -1e-3),
                NonNegative => ([0.0, 1e-300, 1e300], -1e-3),
                AboveMinusOne => ([-0.999, 0.0, 1e300], -1.001),
            };
            for x in inside {
                assert!(value(x).is_finite(), "{}({x})", row.name);
            }
            assert!(value(outside).is_nan(), "{}({outside})", row.name);
        }
    }

    #[test]
    fn nan_passes_through_the_comparisons() {
        for op in [Op::Min, Op::Max, Op::LessEqual] {
            let Value::Binary(value) = op.info().value else {
                unreachable!("binary by the test above")
            };
            assert!(value(f64::NAN, 1.0).is_nan() && value(1.0, f64::NAN).is_nan());
        }
        assert!(sign(f64::NAN).is_nan());
        assert_eq!((sign(0.0), sign(-3.0), sign(1e-300)), (0.0, -1.0, 1.0));
    }
}
