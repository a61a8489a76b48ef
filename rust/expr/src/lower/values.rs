//! The values that a family of programs computes, each exactly once, with the stage that computes it.
//!
//! Stage: what lowering produces and scheduling consumes. Arguments always come before what uses them.

use std::collections::HashMap;

use crate::eval::code::Code;

/// The place of a value in [`Values`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) struct Value(u32);

impl Value {
    pub(crate) fn index(self) -> usize {
        self.0 as usize
    }
}

/// How a value comes about.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Term {
    /// A number, by its bits.
    Constant(u64),
    /// A uniform symbol, by its position among them.
    Uniform(u32),
    /// A column, by its position among them.
    Input(u32),
    /// An operation; arguments beyond its arity repeat the first.
    Apply(Code, [Value; 3]),
}

/// When a value is computed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Stage {
    Constant,
    /// Once a run.
    Uniform,
    /// Once a data set.
    Prepared,
    /// For each row of each run.
    Varying,
}

impl Stage {
    /// The stage of what depends on values of both stages.
    pub(crate) fn join(self, other: Stage) -> Stage {
        match (self, other) {
            (Stage::Constant, stage) | (stage, Stage::Constant) => stage,
            (a, b) if a == b => a,
            _ => Stage::Varying,
        }
    }
}

/// Every value, without duplicates.
#[derive(Default)]
pub(crate) struct Values {
    terms: Vec<Term>,
    stages: Vec<Stage>,
    places: HashMap<Term, Value>,
}

impl Values {
    pub(crate) fn len(&self) -> usize {
        self.terms.len()
    }

    pub(crate) fn term(&self, value: Value) -> Term {
        self.terms[value.index()]
    }

    pub(crate) fn stage(&self, value: Value) -> Stage {
        self.stages[value.index()]
    }

    /// All values, arguments before what uses them.
    pub(crate) fn all(&self) -> impl DoubleEndedIterator<Item = Value> + use<> {
        (0..self.terms.len() as u32).map(Value)
    }

    /// The arguments of a value.
    pub(crate) fn arguments(&self, value: Value) -> impl Iterator<Item = Value> + use<> {
        let (code, arguments) = match self.term(value) {
            Term::Apply(code, arguments) => (Some(code), arguments),
            _ => (None, [value; 3]),
        };
        arguments.into_iter().take(code.map_or(0, Code::arity))
    }

    pub(crate) fn constant(&mut self, number: f64) -> Value {
        self.intern(Term::Constant(number.to_bits()), Stage::Constant)
    }

    /// The number of a constant value.
    pub(crate) fn number(&self, value: Value) -> Option<f64> {
        match self.term(value) {
            Term::Constant(bits) => Some(f64::from_bits(bits)),
            _ => None,
        }
    }

    pub(crate) fn leaf(&mut self, term: Term, stage: Stage) -> Value {
        self.intern(term, stage)
    }

    pub(crate) fn unary(&mut self, code: Code, a: Value) -> Value {
        self.apply(code, [a, a, a])
    }

    pub(crate) fn binary(&mut self, code: Code, a: Value, b: Value) -> Value {
        self.apply(code, [a, b, a])
    }

    /// An operation, done now if all its arguments are constants.
    pub(crate) fn apply(&mut self, code: Code, mut arguments: [Value; 3]) -> Value {
        for unused in code.arity()..3 {
            arguments[unused] = arguments[0];
        }
        let used = &arguments[..code.arity()];
        if used.iter().all(|&a| self.stage(a) == Stage::Constant) {
            let numbers = arguments.map(|a| self.number(a).unwrap_or(f64::NAN));
            return self.constant(code.value(numbers));
        }
        let stage = used
            .iter()
            .fold(Stage::Constant, |stage, &a| stage.join(self.stage(a)));
        self.intern(Term::Apply(code, arguments), stage)
    }

    /// The number zero, if it is among the values.
    pub(crate) fn zero(&self) -> Option<Value> {
        self.places.get(&Term::Constant(0)).copied()
    }

    /// The value of an operation of one argument, if there is one.
    pub(crate) fn find(&self, code: Code, a: Value) -> Option<Value> {
        self.places.get(&Term::Apply(code, [a; 3])).copied()
    }

    fn intern(&mut self, term: Term, stage: Stage) -> Value {
        if let Some(&value) = self.places.get(&term) {
            return value;
        }
        let value = Value(self.terms.len() as u32);
        self.terms.push(term);
        self.stages.push(stage);
        self.places.insert(term, value);
        value
    }
}
