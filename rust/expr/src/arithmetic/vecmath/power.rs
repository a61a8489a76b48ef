//! Powers.
//!
//! Stage: part of `vecmath`. x^y = e^(y·ln x) with the logarithm and the product as sums of two doubles, so that the error does
//! not grow with the exponent.

use super::exponential::exp_long;
use super::logarithm::{lift, log_long, ordinary, split};
use super::parts::{LN2_HI, LN2_LO, fast_two_sum};
use crate::arithmetic::lane::{Lane, Mask};

/// Beyond this magnitude of y·ln x the power is zero or infinite.
const INSIDE: f64 = 800.0;

/// x^y, IEEE 754's `pow`.
#[inline(always)]
pub(crate) fn pow<L: Lane>(x: L, y: L) -> L {
    if ordinary(x).all() {
        let (product, rest) = exponent(split(x), y);
        // NaN and infinite exponents fail this comparison.
        if product.abs().le(x.of(INSIDE)).all() {
            return exp_long(product, rest);
        }
    }
    pow_any(x, y)
}

/// y·ln(2^k·m) as a sum of two doubles.
#[inline(always)]
fn exponent<L: Lane>((k, m): (L, L), y: L) -> (L, L) {
    let (high, low) = log_long(m);
    let whole = k * y.of(LN2_HI);
    let whole_low = k.fms(y.of(LN2_HI), whole) + k * y.of(LN2_LO);
    // |whole| ≥ |high| unless k = 0, where the sum is exact anyway.
    let (sum, error) = fast_two_sum(whole, high);
    let sum_low = error + (whole_low + low);
    let product = y * sum;
    (product, y.fms(sum, product) + y * sum_low)
}

/// x^y for any two numbers; the same bits as above where both apply.
#[inline(always)]
fn pow_any<L: Lane>(x: L, y: L) -> L {
    let (zero, one) = (x.of(0.0), x.of(1.0));
    let size = x.abs();
    let (lifted, shift) = lift(size);
    let (k, m) = split(lifted);
    let (product, rest) = exponent((k - shift, m), y);
    // Where the product is out of range, what rounding took off it is meaningless.
    let inside = product.abs().le(x.of(INSIDE));
    let value = exp_long(product, L::pick(inside, rest, zero));

    // Zero, infinity, NaN and 1 as base.
    let infinity = x.of(f64::INFINITY);
    let vanishes = L::pick(y.lt(zero), infinity, zero);
    let explodes = L::pick(y.lt(zero), zero, infinity);
    let value = L::pick(size.equal(zero), vanishes, value);
    let value = L::pick(size.equal(infinity), explodes, value);
    let value = L::pick(size.equal(one), L::pick(y.is_nan(), y, one), value);
    // The sign of an odd power; NaN for a broken power of a negative number.
    let negative = x.lt(zero);
    let whole_y = is_integer(y);
    let odd = whole_y & !is_integer(y * x.of(0.5));
    let signed = L::pick(odd, value.with_sign_of(x), value);
    let broken = negative & !whole_y & x.of(f64::NEG_INFINITY).lt(x) & y.abs().lt(infinity);
    let value = L::pick(broken, x.of(f64::NAN), signed);
    let value = L::pick(x.is_nan() | y.is_nan(), x + y, value);
    L::pick(y.equal(zero) | x.equal(one), one, value)
}

/// Whether a number has no fractional part; true for infinities.
#[inline(always)]
fn is_integer<L: Lane>(y: L) -> L::Mask {
    let two52 = y.of(4_503_599_627_370_496.0);
    let size = y.abs();
    two52.le(size) | ((size + two52) - two52).equal(size)
}
