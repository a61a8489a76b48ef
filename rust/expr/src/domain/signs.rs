//! Sets of signs, and what the operators make of them.
//!
//! A rule takes single signs and gives the signs that the value may have, or nothing where it is undefined.

use crate::op::{Domain, Op};

/// A set of signs: negative, zero, positive.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Signs(u8);

impl Signs {
    const NONE: Signs = Signs(0);
    pub(super) const NEGATIVE: Signs = Signs(1);
    pub(super) const ZERO: Signs = Signs(2);
    pub(super) const POSITIVE: Signs = Signs(4);
    pub(super) const ANY: Signs = Signs(7);

    /// Of one number; of NaN, any.
    pub(super) fn of(value: f64) -> Signs {
        if value > 0.0 {
            Signs::POSITIVE
        } else if value < 0.0 {
            Signs::NEGATIVE
        } else if value == 0.0 {
            Signs::ZERO
        } else {
            Signs::ANY
        }
    }

    pub(super) fn of_all(column: &[f64]) -> Signs {
        column
            .iter()
            .fold(Signs::NONE, |all, &x| all.or(Signs::of(x)))
    }

    /// Of the numbers of an interval, ends included.
    pub(super) fn between(low: f64, high: f64) -> Signs {
        let mut signs = Signs::of(low).or(Signs::of(high));
        if low < 0.0 && high > 0.0 {
            signs = Signs::ANY;
        }
        signs
    }

    pub(super) fn or(self, other: Signs) -> Signs {
        Signs(self.0 | other.0)
    }

    pub(super) fn contains(self, sign: Signs) -> bool {
        self.0 & sign.0 == sign.0
    }

    pub(super) fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub(super) fn is_single(self) -> bool {
        self.0.count_ones() == 1
    }

    fn each(self) -> impl Iterator<Item = Signs> + Clone {
        [Signs::NEGATIVE, Signs::ZERO, Signs::POSITIVE]
            .into_iter()
            .filter(move |sign| self.contains(*sign))
    }

    /// The union over all signs, and whether the rule gave something for each.
    pub(super) fn map(self, rule: impl Fn(Signs) -> Option<Signs>) -> (Signs, bool) {
        union(self.each().map(rule))
    }

    /// The same over all pairs.
    pub(super) fn pairs(
        self,
        other: Signs,
        rule: impl Fn(Signs, Signs) -> Option<Signs>,
    ) -> (Signs, bool) {
        let rule = &rule;
        union(
            self.each()
                .flat_map(move |x| other.each().map(move |y| rule(x, y))),
        )
    }

    fn negated(self) -> Signs {
        match self {
            Signs::NEGATIVE => Signs::POSITIVE,
            Signs::POSITIVE => Signs::NEGATIVE,
            other => other,
        }
    }
}

fn union(found: impl Iterator<Item = Option<Signs>>) -> (Signs, bool) {
    found.fold((Signs::NONE, true), |(all, sure), next| match next {
        Some(signs) => (all.or(signs), sure),
        None => (all, false),
    })
}

pub(super) fn unary(op: Op, a: Signs) -> Option<Signs> {
    let outside = match op.info().domain {
        Domain::All | Domain::AboveMinusOne => false,
        Domain::Positive => a != Signs::POSITIVE,
        Domain::NonNegative => a == Signs::NEGATIVE,
    };
    if outside {
        return None;
    }
    Some(match op {
        Op::Neg => a.negated(),
        Op::Exp | Op::Sigmoid => Signs::POSITIVE,
        Op::Abs if a == Signs::NEGATIVE => Signs::POSITIVE,
        Op::Abs | Op::Sqrt | Op::Arctan | Op::Tanh | Op::Expm1 | Op::Log1p => a,
        Op::Sin | Op::Tan if a == Signs::ZERO => a,
        _ => Signs::ANY,
    })
}

/// Of every operator but the power.
pub(super) fn binary(op: Op, a: Signs, b: Signs) -> Option<Signs> {
    let rank = |sign: Signs| sign.0;
    Some(match op {
        Op::Add => sum(a, b),
        Op::Sub => sum(a, b.negated()),
        Op::Mul => product(a, b),
        Op::Div if b == Signs::ZERO => return None,
        Op::Div => product(a, b),
        Op::Min if rank(a) <= rank(b) => a,
        Op::Max if rank(a) >= rank(b) => a,
        Op::Min | Op::Max => b,
        _ => Signs::ANY,
    })
}

/// Of a base to a known exponent.
pub(super) fn power(base: Signs, exponent: f64) -> Option<Signs> {
    let whole = exponent.fract() == 0.0;
    match base {
        _ if exponent == 0.0 => Some(Signs::POSITIVE),
        Signs::ZERO => (exponent > 0.0).then_some(Signs::ZERO),
        Signs::NEGATIVE if !whole => None,
        Signs::NEGATIVE if exponent % 2.0 != 0.0 => Some(Signs::NEGATIVE),
        _ => Some(Signs::POSITIVE),
    }
}

/// Of a base to an exponent of which the usual signs are known.
pub(super) fn open_power(base: Signs, exponent: Signs) -> Option<Signs> {
    match base {
        Signs::NEGATIVE => None,
        Signs::ZERO if exponent.contains(Signs::POSITIVE) => Some(Signs::ZERO),
        Signs::ZERO => exponent.contains(Signs::ZERO).then_some(Signs::POSITIVE),
        _ => Some(Signs::POSITIVE),
    }
}

fn sum(a: Signs, b: Signs) -> Signs {
    match (a, b) {
        (Signs::ZERO, other) | (other, Signs::ZERO) => other,
        _ if a == b => a,
        _ => Signs::ANY,
    }
}

fn product(a: Signs, b: Signs) -> Signs {
    match (a, b) {
        (Signs::ZERO, _) | (_, Signs::ZERO) => Signs::ZERO,
        _ if a == b => Signs::POSITIVE,
        _ => Signs::NEGATIVE,
    }
}
