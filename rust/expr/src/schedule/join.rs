//! Joining: operations that one instruction can do together.
//!
//! Stage: first part of scheduling. In: the values to compute, in order; out: steps in order. An operation whose result
//! only one other reads becomes part of that one where there is a combined instruction, which saves writing a
//! block and reading it again. No bit changes: a combined instruction does the same operations in the same order.

use std::collections::HashMap;

use crate::eval::block::Action;
use crate::eval::code::Code;
use crate::lower::values::{Stage, Term, Value, Values};

/// An instruction before registers are assigned.
pub(super) struct Step {
    pub(super) action: Action,
    pub(super) arguments: Vec<Value>,
    pub(super) target: Option<Value>,
    pub(super) second: Option<Value>,
}

/// Turns values into steps.
pub(super) fn join(values: &Values, order: &[Value], outputs: &[Value]) -> Vec<Step> {
    let mut uses: HashMap<Value, usize> = HashMap::new();
    for &value in order {
        for argument in values.arguments(value) {
            *uses.entry(argument).or_default() += 1;
        }
    }
    for &output in outputs {
        *uses.entry(output).or_default() += 1;
    }
    let mut joiner = Joiner {
        values,
        uses,
        positions: order.iter().copied().zip(0..).collect(),
        absorbed: vec![false; values.len()],
        differences: HashMap::new(),
        multiples: HashMap::new(),
    };
    // Backwards, so that what uses a value is seen before the value.
    let mut steps: Vec<Step> = Vec::new();
    for &value in order.iter().rev() {
        if !joiner.absorbed[value.index()] {
            steps.extend(joiner.step(value));
        }
    }
    steps.reverse();
    steps
}

struct Joiner<'a> {
    values: &'a Values,
    uses: HashMap<Value, usize>,
    /// The position in the order of what this program computes for each block.
    positions: HashMap<Value, usize>,
    /// What has become part of another step.
    absorbed: Vec<bool>,
    /// For a logarithm: the difference that it is read by alone, and what that subtracts.
    differences: HashMap<Value, (Value, Value)>,
    /// For a product: a multiple of it, and the two factors that make the multiple.
    multiples: HashMap<Value, (Value, Value, Value)>,
}

impl Joiner<'_> {
    fn uniform(&self, value: Value) -> bool {
        matches!(self.values.stage(value), Stage::Constant | Stage::Uniform)
    }

    /// The arguments of an operation that exactly `readers` others read, if it is computed here and has this code.
    fn read_by(&self, value: Value, readers: usize, code: Code) -> Option<[Value; 3]> {
        match self.values.term(value) {
            Term::Apply(c, arguments)
                if c == code
                    && self.uses.get(&value) == Some(&readers)
                    && self.positions.contains_key(&value) =>
            {
                Some(arguments)
            }
            _ => None,
        }
    }

    fn absorb(&mut self, value: Value) {
        self.absorbed[value.index()] = true;
    }

    /// The step that computes a value, or nothing if the step of another value does.
    fn step(&mut self, value: Value) -> Option<Step> {
        let Term::Apply(code, [a, b, _]) = self.values.term(value) else {
            return None;
        };
        let joined = match code {
            Code::Exp => self.exponential(a),
            Code::Mul => return self.product(value, a, b),
            Code::MulAdd => self.sum(value),
            Code::Sub if self.subtract(value, a, b) => return None,
            Code::Log | Code::LogReciprocal => return self.logarithm(value, code, a),
            _ => None,
        };
        let (action, arguments) =
            joined.unwrap_or_else(|| (Action::Plain(code), self.values.arguments(value).collect()));
        Some(Step {
            action,
            arguments,
            target: Some(value),
            second: None,
        })
    }

    /// exp(x·y).
    fn exponential(&mut self, argument: Value) -> Option<(Action, Vec<Value>)> {
        let [x, y, _] = self.read_by(argument, 1, Code::Mul)?;
        self.absorb(argument);
        let (x, y) = if self.uniform(x) { (y, x) } else { (x, y) };
        Some((Action::ExpOfProduct, vec![x, y]))
    }

    /// a·b + (c·d + e) with uniform b and d.
    fn sum(&mut self, value: Value) -> Option<(Action, Vec<Value>)> {
        let Term::Apply(Code::MulAdd, [a, b, inner]) = self.values.term(value) else {
            return None;
        };
        let [c, d, e] = self.read_by(inner, 1, Code::MulAdd)?;
        let (a, b) = if self.uniform(a) { (b, a) } else { (a, b) };
        let (c, d) = if self.uniform(c) { (d, c) } else { (c, d) };
        if !self.uniform(b) || !self.uniform(d) {
            return None;
        }
        self.absorb(inner);
        Some((Action::MulAddTwice, vec![a, b, c, d, e]))
    }

    /// Leaves a difference to the logarithm that it subtracts from, if that is of a sum and what is subtracted is at hand.
    fn subtract(&mut self, value: Value, log: Value, other: Value) -> bool {
        let Some([argument, ..]) = self.read_by(log, 1, Code::Log) else {
            return false;
        };
        let at_hand = !self.positions.contains_key(&other);
        if !at_hand || !self.is_private_sum(argument) {
            return false;
        }
        self.differences.insert(log, (value, other));
        true
    }

    /// Whether a value is a sum that [`Joiner::sum`] can join, and read only by its logarithm and the reciprocal beside it.
    fn is_private_sum(&self, value: Value) -> bool {
        let readers = [Code::Log, Code::LogReciprocal]
            .iter()
            .filter_map(|&code| self.values.find(code, value))
            .filter(|reader| self.positions.contains_key(reader))
            .count();
        let Some([a, b, inner]) = self.read_by(value, readers, Code::MulAdd) else {
            return false;
        };
        let Some([c, d, _]) = self.read_by(inner, 1, Code::MulAdd) else {
            return false;
        };
        (self.uniform(a) || self.uniform(b)) && (self.uniform(c) || self.uniform(d))
    }

    /// A logarithm, with the reciprocal and the difference that belong to it.
    fn logarithm(&mut self, value: Value, code: Code, argument: Value) -> Option<Step> {
        let computed = |v: &Value| self.positions.contains_key(v);
        let log = self.values.find(Code::Log, argument).filter(computed);
        let inverse = self
            .values
            .find(Code::LogReciprocal, argument)
            .filter(computed);
        let pair = [log, inverse].into_iter().flatten();
        // One step gives both, where the first of them is wanted.
        if pair.map(|v| self.positions[&v]).min() != Some(self.positions[&value]) {
            return None;
        }
        let difference = log.and_then(|log| self.differences.get(&log).copied());
        let zero = self.values.zero();
        let mut arguments = vec![argument];
        let mut action = match inverse {
            Some(_) => Action::LogAndReciprocal,
            None => Action::Plain(code),
        };
        if let Some(zero) = zero
            && self.is_private_sum(argument)
            && let Some((_, sum)) = self.sum(argument)
        {
            self.absorb(argument);
            arguments = sum;
            arguments.push(difference.map_or(zero, |(_, other)| other));
            action = match inverse {
                Some(_) => Action::LogOfSumAndReciprocal,
                None => Action::LogOfSum,
            };
        }
        Some(Step {
            action,
            arguments,
            target: difference.map(|(value, _)| value).or(log),
            second: inverse,
        })
    }

    /// A product of two or three, or of two with a multiple of it.
    fn product(&mut self, value: Value, a: Value, b: Value) -> Option<Step> {
        let (inner, outer) = match self.read_by(a, 1, Code::Mul) {
            Some(_) => (a, b),
            None => (b, a),
        };
        let rows = |[x, y, _]: &[Value; 3]| !self.uniform(*x) && !self.uniform(*y);
        if let Some([x, y, _]) = self.read_by(inner, 1, Code::Mul).filter(rows) {
            self.absorb(inner);
            for (base, factor) in [(x, y), (y, x)] {
                if self.can_carry(base, factor, outer) {
                    self.multiples.insert(base, (value, factor, outer));
                    return None;
                }
            }
            return Some(Step {
                action: Action::Product3,
                arguments: vec![x, y, outer],
                target: Some(value),
                second: None,
            });
        }
        let mut step = Step {
            action: Action::Plain(Code::Mul),
            arguments: vec![a, b],
            target: Some(value),
            second: None,
        };
        if let Some(&(multiple, factor, outer)) = self.multiples.get(&value) {
            step.action = Action::ProductAndMultiple;
            step.arguments.extend([factor, outer]);
            step.second = Some(multiple);
        }
        Some(step)
    }

    /// Whether the step of the product `base` can give (base·factor)·outer too: it must be a step of two rows that carries
    /// no other multiple, and everything must be at hand there.
    fn can_carry(&self, base: Value, factor: Value, outer: Value) -> bool {
        let Term::Apply(Code::Mul, [x, y, _]) = self.values.term(base) else {
            return false;
        };
        let Some(place) = self.positions.get(&base) else {
            return false;
        };
        let before = |v: Value| self.positions.get(&v).is_none_or(|at| at < place);
        let joins = |v: Value| self.read_by(v, 1, Code::Mul).is_some();
        let plain = !self.uniform(x) && !self.uniform(y) && !joins(x) && !joins(y);
        plain && before(factor) && before(outer) && !self.multiples.contains_key(&base)
    }
}
