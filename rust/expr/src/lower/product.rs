//! Flat products: a coefficient, factors with whole multiplicities, and powers of positive bases.
//!
//! Stage: part of the normal forms of lowering. Factors and powers are kept in order, so that equal products are equal
//! values however they were written.

use super::id::FormId;
use crate::arithmetic::math;

/// coefficient · ∏ factor^multiplicity · ∏ base^(multiple·exponent).
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Product {
    /// A finite number other than zero, by its bits.
    pub(crate) coefficient: u64,
    /// By ascending form, no multiplicity being zero.
    pub(crate) factors: Vec<(FormId, i32)>,
    /// By ascending base and exponent; every base is proven positive.
    pub(crate) powers: Vec<Power>,
}

/// base^(multiple·exponent).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) struct Power {
    pub(crate) base: FormId,
    pub(crate) exponent: FormId,
    /// A whole number other than zero.
    pub(crate) multiple: i32,
}

/// Products of more different factors than this are not joined into one.
const WIDEST: usize = 24;

impl Product {
    pub(super) fn number(coefficient: f64) -> Product {
        Product {
            coefficient: coefficient.to_bits(),
            factors: Vec::new(),
            powers: Vec::new(),
        }
    }

    pub(crate) fn coefficient(&self) -> f64 {
        f64::from_bits(self.coefficient)
    }

    /// The product of two, or nothing where the coefficient leaves the range of doubles.
    pub(super) fn times(&self, other: &Product) -> Option<Product> {
        let coefficient = usable(self.coefficient() * other.coefficient())?;
        let mut product = self.clone();
        product.coefficient = coefficient.to_bits();
        for &(factor, count) in &other.factors {
            product.add_factor(factor, count)?;
        }
        for power in &other.powers {
            product.add_power(*power)?;
        }
        (product.factors.len() + product.powers.len() <= WIDEST).then_some(product)
    }

    /// The product to a whole power, or nothing where it leaves the range of numbers.
    pub(super) fn to_the(&self, n: i32) -> Option<Product> {
        let mut product = self.clone();
        let coefficient = match n {
            -1 => 1.0 / self.coefficient(),
            _ => math::pow(self.coefficient(), f64::from(n)),
        };
        product.coefficient = usable(coefficient)?.to_bits();
        for (_, count) in &mut product.factors {
            *count = count.checked_mul(n)?;
        }
        for power in &mut product.powers {
            power.multiple = power.multiple.checked_mul(n)?;
        }
        Some(product)
    }

    pub(super) fn add_factor(&mut self, factor: FormId, count: i32) -> Option<()> {
        match self.factors.binary_search_by_key(&factor, |entry| entry.0) {
            Ok(at) => {
                let sum = self.factors[at].1.checked_add(count)?;
                self.factors[at].1 = sum;
                if sum == 0 {
                    self.factors.remove(at);
                }
            }
            Err(at) => self.factors.insert(at, (factor, count)),
        }
        Some(())
    }

    pub(super) fn add_power(&mut self, power: Power) -> Option<()> {
        let key = |p: &Power| (p.base, p.exponent);
        match self.powers.binary_search_by_key(&key(&power), key) {
            Ok(at) => {
                let sum = self.powers[at].multiple.checked_add(power.multiple)?;
                self.powers[at].multiple = sum;
                if sum == 0 {
                    self.powers.remove(at);
                }
            }
            Err(at) => self.powers.insert(at, power),
        }
        Some(())
    }
}

/// A number that can be a coefficient.
pub(super) fn usable(number: f64) -> Option<f64> {
    (number.is_normal()).then_some(number)
}
