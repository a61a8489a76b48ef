//! Normal forms: every product, quotient and power as one flat product, everything else as it stands.
//!
//! Stage: first half of lowering. A graph writes `A*N**-a*log(N)/s` in many ways, and derivatives write it in more;
//! flat products make them equal, let powers of positive bases merge into one exponential, and show which
//! factors several products share. Sums keep the order in which they were written, because reordering
//! them would change what cancels.

use std::collections::HashMap;

use super::id::FormId;
use super::product::{Power, Product, usable};
use super::values::Stage;
use crate::arithmetic::math;
use crate::eval::code::Code;
use crate::op::Op;

/// A subexpression in normal form.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Form {
    /// A number, by its bits.
    Constant(u64),
    Uniform(u32),
    Input(u32),
    /// Any operator but those that [`Product`] expresses; a unary one repeats its argument.
    Apply(Op, [FormId; 2]),
    Product(Product),
}

/// Greater whole exponents are left to `pow`, which is then faster and more accurate.
const GREATEST_WHOLE: f64 = 64.0;

/// Every form exactly once; what a form is made of always comes before it.
#[derive(Default)]
pub(crate) struct Forms {
    forms: Vec<Form>,
    stages: Vec<Stage>,
    positive: Vec<bool>,
    /// Proven to be other than zero, but for underflow.
    nonzero: Vec<bool>,
    /// Proven to be finite wherever its symbols are, but for overflow.
    regular: Vec<bool>,
    places: HashMap<Form, FormId>,
}

impl Forms {
    pub(crate) fn len(&self) -> usize {
        self.forms.len()
    }

    pub(crate) fn form(&self, id: FormId) -> &Form {
        &self.forms[id.index()]
    }

    pub(crate) fn stage(&self, id: FormId) -> Stage {
        self.stages[id.index()]
    }

    pub(crate) fn all(&self) -> impl DoubleEndedIterator<Item = FormId> + use<> {
        (0..self.forms.len() as u32).map(FormId)
    }

    pub(crate) fn find(&self, op: Op, a: FormId) -> Option<FormId> {
        self.places.get(&Form::Apply(op, [a, a])).copied()
    }

    /// What a form is made of.
    pub(crate) fn parts(&self, id: FormId) -> Vec<FormId> {
        match self.form(id) {
            Form::Constant(_) | Form::Uniform(_) | Form::Input(_) => Vec::new(),
            Form::Apply(_, arguments) => arguments.to_vec(),
            Form::Product(product) => {
                let powers = product.powers.iter().flat_map(|p| [p.base, p.exponent]);
                product.factors.iter().map(|f| f.0).chain(powers).collect()
            }
        }
    }

    pub(crate) fn leaf(&mut self, form: Form, stage: Stage, positive: bool) -> FormId {
        self.intern(form, stage, positive)
    }

    pub(crate) fn constant(&mut self, number: f64) -> FormId {
        let form = Form::Constant(number.to_bits());
        self.intern(form, Stage::Constant, number > 0.0)
    }

    pub(crate) fn number(&self, id: FormId) -> Option<f64> {
        match self.form(id) {
            Form::Constant(bits) => Some(f64::from_bits(*bits)),
            _ => None,
        }
    }

    pub(crate) fn unary(&mut self, op: Op, a: FormId) -> FormId {
        match (op, self.form(a)) {
            (Op::Neg, _) => {
                let minus_one = self.constant(-1.0);
                self.multiply(a, minus_one)
            }
            // Where nothing is zero the functions of the edge are the plain ones.
            (Op::EdgeLog, _) if self.nonzero[a.index()] => self.unary(Op::Log, a),
            (Op::EdgeReciprocal, _) if self.nonzero[a.index()] => {
                let one = self.constant(1.0);
                self.binary(Op::Div, one, a)
            }
            (Op::Log, &Form::Apply(Op::Exp, [x, _])) => x,
            (Op::Log, Form::Product(product)) => {
                let product = product.clone();
                self.log_of_product(a, &product)
            }
            _ => self.apply(op, [a, a]),
        }
    }

    pub(crate) fn binary(&mut self, op: Op, a: FormId, b: FormId) -> FormId {
        match op {
            Op::Mul => self.multiply(a, b),
            Op::Div => {
                let inverse = self.product(b).and_then(|p| p.to_the(-1));
                match inverse {
                    Some(inverse) => self.product_times(a, &inverse),
                    None => self.apply(Op::Div, [a, b]),
                }
            }
            Op::Pow => self.power(a, b),
            Op::EdgeProduct if self.nonzero[a.index()] || self.is_finite(b) => self.multiply(a, b),
            // The order of the arguments changes no bit of a sum.
            Op::Add => self.apply(op, [a.min(b), a.max(b)]),
            _ => self.apply(op, [a, b]),
        }
    }

    pub(crate) fn multiply(&mut self, a: FormId, b: FormId) -> FormId {
        match self.product(b) {
            Some(factor) => self.product_times(a, &factor),
            None => self.apply(Op::Mul, [a.min(b), a.max(b)]),
        }
    }

    fn product_times(&mut self, a: FormId, factor: &Product) -> FormId {
        let joined = self.product(a).and_then(|p| p.times(factor));
        match joined {
            Some(product) => self.form_of(product),
            None => {
                let factor = self.form_of(factor.clone());
                self.apply(Op::Mul, [a.min(factor), a.max(factor)])
            }
        }
    }

    /// A form as a product; nothing for the numbers that cannot be coefficients.
    fn product(&self, id: FormId) -> Option<Product> {
        match self.form(id) {
            Form::Product(product) => Some(product.clone()),
            Form::Constant(bits) => usable(f64::from_bits(*bits)).map(Product::number),
            _ => {
                let mut product = Product::number(1.0);
                product.factors.push((id, 1));
                Some(product)
            }
        }
    }

    fn form_of(&mut self, product: Product) -> FormId {
        if product.powers.is_empty() {
            match (product.coefficient(), product.factors.as_slice()) {
                (number, []) => return self.constant(number),
                (1.0, &[(factor, 1)]) => return factor,
                _ => {}
            }
        }
        let mut stage = Stage::Constant;
        let mut positive = product.coefficient() > 0.0;
        for &(factor, _) in &product.factors {
            stage = stage.join(self.stage(factor));
            positive &= self.positive[factor.index()];
        }
        for power in &product.powers {
            stage = stage.join(self.stage(power.base));
            stage = stage.join(self.stage(power.exponent));
        }
        self.intern(Form::Product(product), stage, positive)
    }

    /// base ** exponent.
    fn power(&mut self, base: FormId, exponent: FormId) -> FormId {
        let plain = [base, exponent];
        let positive = self.positive[base.index()];
        if let Some(number) = self.number(exponent) {
            if number == 0.0 {
                return self.constant(1.0);
            }
            if number.abs() <= GREATEST_WHOLE && number.fract() == 0.0 {
                let power = self.product(base).and_then(|p| p.to_the(number as i32));
                return match power {
                    Some(power) => self.form_of(power),
                    None => self.apply(Op::Pow, plain),
                };
            }
            if number == 0.5 && positive {
                return self.apply(Op::Sqrt, [base, base]);
            }
        }
        let stage = self.stage(base).join(self.stage(exponent));
        // Where the result is computed once, accuracy counts for more than a shared logarithm.
        if !positive || stage != Stage::Varying {
            return self.apply(Op::Pow, plain);
        }
        let Some(product) = self.product(base) else {
            return self.apply(Op::Pow, plain);
        };
        let mut result = Product::number(1.0);
        let coefficient = self.constant(product.coefficient());
        let coefficient = [(coefficient, 1)];
        let known = if product.coefficient() == 1.0 {
            &[]
        } else {
            &coefficient[..]
        };
        let mut complete = true;
        for &(factor, count) in known.iter().chain(&product.factors) {
            complete &= self.raise(&mut result, factor, exponent, count).is_some();
        }
        for power in &product.powers {
            let exponent = self.multiply(power.exponent, exponent);
            complete &= self
                .raise(&mut result, power.base, exponent, power.multiple)
                .is_some();
        }
        if complete {
            self.form_of(result)
        } else {
            self.apply(Op::Pow, plain)
        }
    }

    /// Multiplies `product` by base^(multiple·exponent), the base being positive.
    fn raise(
        &mut self,
        product: &mut Product,
        base: FormId,
        exponent: FormId,
        multiple: i32,
    ) -> Option<()> {
        if let &Form::Apply(Op::Exp, [x, _]) = self.form(base) {
            let multiple = self.constant(f64::from(multiple));
            let argument = self.multiply(x, exponent);
            let argument = self.multiply(argument, multiple);
            let exp = self.apply(Op::Exp, [argument, argument]);
            return product.add_factor(exp, 1);
        }
        let uniform = |s: Stage| matches!(s, Stage::Constant | Stage::Uniform);
        if uniform(self.stage(base)) && uniform(self.stage(exponent)) {
            let pow = self.apply(Op::Pow, [base, exponent]);
            return product.add_factor(pow, multiple);
        }
        product.add_power(Power {
            base,
            exponent,
            multiple,
        })
    }

    /// ln of a product: a sum of logarithms where that saves an exponential and costs nothing else a row.
    fn log_of_product(&mut self, id: FormId, product: &Product) -> FormId {
        let early = |form: FormId, forms: &Forms| forms.stage(form) != Stage::Varying;
        let bases = product.factors.iter().map(|f| f.0);
        let mut bases = bases.chain(product.powers.iter().map(|p| p.base));
        let worthwhile = !product.powers.is_empty()
            && self.positive[id.index()]
            && bases.all(|base| early(base, self));
        if !worthwhile {
            return self.apply(Op::Log, [id, id]);
        }
        let mut sum = self.constant(math::ln(product.coefficient()));
        for &(factor, count) in &product.factors {
            let log = self.unary(Op::Log, factor);
            let count = self.constant(f64::from(count));
            let term = self.multiply(log, count);
            sum = self.binary(Op::Add, sum, term);
        }
        for power in &product.powers {
            let log = self.unary(Op::Log, power.base);
            let multiple = self.constant(f64::from(power.multiple));
            let exponent = self.multiply(power.exponent, multiple);
            let term = self.multiply(log, exponent);
            sum = self.binary(Op::Add, sum, term);
        }
        sum
    }

    /// An operator as it stands, but for numbers that are added in vain.
    fn apply(&mut self, op: Op, [a, b]: [FormId; 2]) -> FormId {
        let zero = |id: FormId| self.number(id) == Some(0.0);
        match op {
            Op::Add if zero(a) => return b,
            Op::Add | Op::Sub if zero(b) => return a,
            _ => {}
        }
        if let (Some(x), Some(y)) = (self.number(a), self.number(b)) {
            return self.constant(Code::of(op).value([x, y, y]));
        }
        let stage = self.stage(a).join(self.stage(b));
        let (p, q) = (self.positive[a.index()], self.positive[b.index()]);
        let positive = match op {
            Op::Exp | Op::Sigmoid => true,
            Op::Sqrt | Op::Abs | Op::Arctan | Op::Tanh | Op::Log1p | Op::Expm1 => p,
            Op::Add | Op::Mul | Op::Div | Op::Min => p && q,
            Op::Max => p || q,
            Op::Pow => p,
            _ => false,
        };
        self.intern(Form::Apply(op, [a, b]), stage, positive)
    }

    fn intern(&mut self, form: Form, stage: Stage, positive: bool) -> FormId {
        if let Some(&id) = self.places.get(&form) {
            return id;
        }
        let id = FormId(self.forms.len() as u32);
        let nonzero = positive || self.is_nonzero(&form);
        let regular = self.is_regular(&form);
        self.nonzero.push(nonzero);
        self.regular.push(regular);
        self.forms.push(form.clone());
        self.stages.push(stage);
        self.positive.push(positive);
        self.places.insert(form, id);
        id
    }

    /// Whether a compound form is finite for finite symbols; a symbol by itself may be anything.
    fn is_finite(&self, id: FormId) -> bool {
        self.regular[id.index()] && !matches!(self.form(id), Form::Uniform(_) | Form::Input(_))
    }

    fn is_nonzero(&self, form: &Form) -> bool {
        match form {
            Form::Constant(bits) => f64::from_bits(*bits).abs() > 0.0,
            Form::Product(product) => product
                .factors
                .iter()
                .all(|&(factor, count)| count < 0 || self.nonzero[factor.index()]),
            _ => false,
        }
    }

    fn is_regular(&self, form: &Form) -> bool {
        let all = |parts: &[FormId]| parts.iter().all(|part| self.regular[part.index()]);
        match form {
            Form::Constant(_) | Form::Uniform(_) | Form::Input(_) => true,
            Form::Apply(op, [a, b]) => {
                let inside = match op {
                    Op::Log | Op::Log2 | Op::Log10 | Op::Log1p => self.positive[a.index()],
                    Op::Div => self.nonzero[b.index()],
                    Op::Pow => {
                        self.positive[a.index()] || self.number(*b).is_some_and(|b| b >= 0.0)
                    }
                    _ => true,
                };
                inside && all(&[*a, *b])
            }
            Form::Product(product) => {
                // A sum that is zero in a divisor makes the value infinite: no edge.
                let divides = |id: FormId| {
                    self.nonzero[id.index()]
                        || matches!(self.form(id), Form::Apply(Op::Add | Op::Sub, _))
                };
                let factor = |&(factor, count): &(FormId, i32)| {
                    all(&[factor]) && (count > 0 || divides(factor))
                };
                let power = |power: &Power| all(&[power.base, power.exponent]);
                product.factors.iter().all(factor) && product.powers.iter().all(power)
            }
        }
    }
}
