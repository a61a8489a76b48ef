//! Emission: normal forms as operations.
//!
//! Stage: last part of lowering. In: forms and the outputs; out: [`Values`] and the value of each form. Decides what is
//! one rule for all kernels: which products share an exponential or a reciprocal, in which order factors are
//! multiplied, and where a product and a sum become one fused operation.

use std::collections::HashMap;

use super::forms::{Form, Forms};
use super::id::FormId;
use super::plan::{Plan, is_uniform};
use super::product::{Power, Product};
use super::share::Atom;
use super::values::{Term, Value, Values};
use crate::eval::code::Code;
use crate::op::Op;

/// Writes down everything that the outputs are made of.
pub(crate) fn emit(forms: &Forms, outputs: &[Vec<FormId>]) -> (Values, Vec<Value>) {
    let needed = needed(forms, outputs);
    let plan = Plan::new(forms, &needed);
    let mut values = Values::default();
    let nothing = values.constant(0.0);
    let mut emitter = Emitter {
        forms,
        plan,
        pair_values: HashMap::new(),
        place: vec![nothing; forms.len()],
        splits: HashMap::new(),
        values,
    };
    for id in forms.all().filter(|id| needed[id.index()]) {
        emitter.place[id.index()] = emitter.form(id);
    }
    (emitter.values, emitter.place)
}

/// Which forms the outputs are made of.
fn needed(forms: &Forms, outputs: &[Vec<FormId>]) -> Vec<bool> {
    let mut needed = vec![false; forms.len()];
    for id in outputs.iter().flatten() {
        needed[id.index()] = true;
    }
    for id in forms.all().rev() {
        if needed[id.index()] {
            for part in forms.parts(id) {
                needed[part.index()] = true;
            }
        }
    }
    needed
}

struct Emitter<'a> {
    forms: &'a Forms,
    plan: Plan,
    pair_values: HashMap<usize, Value>,
    place: Vec<Value>,
    /// The last multiplication of each product that ends in one.
    splits: HashMap<FormId, (Value, Value)>,
    values: Values,
}

impl Emitter<'_> {
    fn at(&self, id: FormId) -> Value {
        self.place[id.index()]
    }

    fn form(&mut self, id: FormId) -> Value {
        match self.forms.form(id) {
            Form::Constant(bits) => self.values.constant(f64::from_bits(*bits)),
            Form::Uniform(i) => self.values.leaf(Term::Uniform(*i), self.forms.stage(id)),
            Form::Input(i) => self.values.leaf(Term::Input(*i), self.forms.stage(id)),
            Form::Apply(Op::Add, [a, b]) => self.sum(*a, *b),
            Form::Apply(Op::Sub, [a, b]) => self.difference(*a, *b),
            Form::Apply(op, [a, b]) => {
                let (a, b) = (self.at(*a), self.at(*b));
                self.values.apply(Code::of(*op), [a, b, a])
            }
            Form::Product(product) if self.plan.products.contains_key(&id) => {
                self.varying_product(id, product)
            }
            Form::Product(product) => self.early_product(product),
        }
    }

    /// a + b, with a product among them fused.
    fn sum(&mut self, a: FormId, b: FormId) -> Value {
        let (x, y) = (self.at(a), self.at(b));
        for (product, other) in [(b, x), (a, y)] {
            if let Some(&(p, q)) = self.splits.get(&product) {
                return match self.values.number(q) {
                    Some(-1.0) => self.values.binary(Code::Sub, other, p),
                    _ => self.values.apply(Code::MulAdd, [p, q, other]),
                };
            }
        }
        self.values.binary(Code::Add, x, y)
    }

    /// a − b, with a product fused, unless both are: x·x − x·x must be zero.
    fn difference(&mut self, a: FormId, b: FormId) -> Value {
        let (x, y) = (self.at(a), self.at(b));
        match (self.splits.get(&a), self.splits.get(&b)) {
            (None, Some(&(p, q))) => match self.values.number(q) {
                Some(-1.0) => self.values.binary(Code::Add, x, p),
                _ => self.values.apply(Code::NegMulAdd, [p, q, x]),
            },
            (Some(&(p, q)), None) if self.values.number(q) != Some(-1.0) => {
                self.values.apply(Code::MulSub, [p, q, y])
            }
            _ => self.values.binary(Code::Sub, x, y),
        }
    }

    /// A product of which no part is computed for each row of a run.
    fn early_product(&mut self, product: &Product) -> Value {
        let factors = product.factors.clone();
        let mut value = self.quotient(product.coefficient(), &factors);
        for power in &product.powers {
            let factor = self.exponential(&[*power]);
            value = self.times(value, factor);
        }
        value
    }

    fn varying_product(&mut self, id: FormId, product: &Product) -> Value {
        let (index, divisors) = self.plan.products[&id].clone();
        let uniform: Vec<(FormId, i32)> = product
            .factors
            .iter()
            .copied()
            .filter(|f| is_uniform(self.forms.stage(f.0)))
            .collect();
        let scale = self.quotient(product.coefficient(), &uniform);
        let mut factors: Vec<Value> = self.plan.sharing.products[index]
            .clone()
            .iter()
            .map(|atom| self.atom(atom))
            .collect();
        if self.values.number(scale) != Some(1.0) {
            factors.push(scale);
        }
        let last = factors.pop();
        let rest = factors.into_iter().reduce(|a, b| self.times(a, b));
        let value = match (rest, last) {
            (Some(rest), Some(last)) => {
                if divisors.is_empty() {
                    self.splits.insert(id, (rest, last));
                }
                self.times(rest, last)
            }
            (_, Some(last)) => last,
            _ => self.values.constant(1.0),
        };
        let divisor = divisors
            .iter()
            .map(|&(factor, count)| self.repeated(factor, count))
            .collect::<Vec<_>>()
            .into_iter()
            .reduce(|a, b| self.times(a, b));
        match divisor {
            Some(divisor) => self.values.binary(Code::Div, value, divisor),
            None => value,
        }
    }

    /// The value of an atom of a varying product.
    fn atom(&mut self, atom: &Atom) -> Value {
        match atom {
            Atom::Form(id) => self.at(*id),
            Atom::Reciprocal(id) => {
                let code = match self.plan.logarithms.contains(id) {
                    true => Code::LogReciprocal,
                    false => Code::Reciprocal,
                };
                self.values.unary(code, self.place[id.index()])
            }
            Atom::Powers(powers) => self.exponential(powers),
            Atom::Pair(pair) => {
                if let Some(&value) = self.pair_values.get(pair) {
                    return value;
                }
                let (first, second) = self.plan.sharing.pairs[*pair].clone();
                let (first, second) = (self.atom(&first), self.atom(&second));
                let value = self.times(first, second);
                self.pair_values.insert(*pair, value);
                value
            }
        }
    }

    /// exp(Σ multiple·exponent·ln(base)).
    fn exponential(&mut self, powers: &[Power]) -> Value {
        let mut argument: Option<Value> = None;
        for power in powers {
            let log = self.values.unary(Code::Log, self.place[power.base.index()]);
            let multiple = self.values.constant(f64::from(power.multiple));
            let exponent = self.at(power.exponent);
            // The whole number is multiplied where that is done least often.
            let (log, exponent) = if is_uniform(self.values.stage(exponent)) {
                (log, self.times(exponent, multiple))
            } else {
                (self.times(log, multiple), exponent)
            };
            argument = Some(match argument {
                None => self.times(log, exponent),
                Some(sum) => self.values.apply(Code::MulAdd, [log, exponent, sum]),
            });
        }
        match argument {
            Some(argument) => self.values.unary(Code::Exp, argument),
            None => self.values.constant(1.0),
        }
    }

    /// coefficient · ∏ factor^multiplicity.
    fn quotient(&mut self, coefficient: f64, factors: &[(FormId, i32)]) -> Value {
        let mut value = self.values.constant(coefficient);
        let mut divisor = self.values.constant(1.0);
        for &(factor, count) in factors {
            let power = self.repeated(factor, count.abs());
            if count > 0 {
                value = self.times(value, power);
            } else {
                divisor = self.times(divisor, power);
            }
        }
        match self.values.number(divisor) {
            Some(1.0) => value,
            _ => self.values.binary(Code::Div, value, divisor),
        }
    }

    /// factor^count by repeated squaring, count ≥ 1.
    fn repeated(&mut self, factor: FormId, count: i32) -> Value {
        let mut square = self.at(factor);
        let mut value: Option<Value> = None;
        let mut left = count;
        while left > 0 {
            if left & 1 == 1 {
                value = Some(match value {
                    None => square,
                    Some(value) => self.times(value, square),
                });
            }
            left >>= 1;
            if left > 0 {
                square = self.times(square, square);
            }
        }
        value.unwrap_or(square)
    }

    /// a·b, without the multiplications by one.
    fn times(&mut self, a: Value, b: Value) -> Value {
        match (self.values.number(a), self.values.number(b)) {
            (Some(1.0), _) => b,
            (_, Some(1.0)) => a,
            (Some(-1.0), _) => self.values.unary(Code::Neg, b),
            (_, Some(-1.0)) => self.values.unary(Code::Neg, a),
            _ => self.values.binary(Code::Mul, a, b),
        }
    }
}
