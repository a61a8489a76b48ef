//! The exponential and what is made of it.
//!
//! Stage: part of `vecmath`. e^x = 2^k·e^r with a polynomial in r; k and r by Cody and Waite's reduction with ln 2 in
//! two doubles.

use super::parts::{LN2_HI, LN2_LO};
use crate::arithmetic::lane::{Lane, Mask, ROUNDER};

/// Beyond this magnitude 2^k alone may leave the range of normal doubles.
const EXP_PLAIN: f64 = 708.0;
/// Outside these, `exp` is 0 or infinite.
const EXP_LEAST: f64 = -746.0;
const EXP_GREATEST: f64 = 710.0;

/// ½ − log₂ 1.5: moves the interval of the reduced argument r to ln ¾ ..= ln 1.5.
///
/// There |e^r − 1| is at most ¼ below and ½ above zero, so that its rounding weighs least where e^r is small.
const EXP_SHIFT: f64 = -0.084_962_500_721_156_18;

/// (e^r − 1 − r)/r² on that interval; greatest error 2^-57.8 of e^r.
const EXP: [f64; 10] = [
    0.4999999999999999,
    0.1666666666666774,
    0.04166666666668725,
    0.008333333332421214,
    0.0013888888884560165,
    0.00019841272483268757,
    2.4801577310158695e-05,
    2.7554108004423326e-06,
    2.758967645458465e-07,
    2.6472391890507965e-08,
];

/// (e^r − 1 − r)/r² in pairs of terms, which shortens the chain of dependent operations.
#[inline(always)]
fn exp_tail<L: Lane>(r: L, r2: L) -> L {
    let c = |i: usize| r.of(EXP[i]);
    let r4 = r2 * r2;
    let p01 = c(1).fma(r, c(0));
    let p23 = c(3).fma(r, c(2));
    let p45 = c(5).fma(r, c(4));
    let p67 = c(7).fma(r, c(6));
    let p89 = c(9).fma(r, c(8));
    let low = p23.fma(r2, p01);
    let high = p89.fma(r4, p67.fma(r2, p45));
    high.fma(r4, low)
}

/// `x` limited to the range outside of which `exp` is 0 or infinite; NaN stays.
#[inline(always)]
fn limit<L: Lane>(x: L) -> L {
    let (least, greatest) = (x.of(EXP_LEAST), x.of(EXP_GREATEST));
    let x = L::pick(x.lt(least), least, x);
    L::pick(greatest.lt(x), greatest, x)
}

/// The whole number k of octaves in e^x = 2^k·e^r, after a number whose low bits are k + 1023, the exponent field of 2^k.
#[inline(always)]
fn octaves<L: Lane>(x: L) -> (L, L) {
    let rounder = x.of(ROUNDER + 1023.0);
    let shifted = x.fma(x.of(std::f64::consts::LOG2_E), x.of(EXP_SHIFT)) + rounder;
    (shifted, shifted - rounder)
}

/// e^x.
#[inline(always)]
pub(crate) fn exp<L: Lane>(x: L) -> L {
    if x.abs().le(x.of(EXP_PLAIN)).all() {
        let (shifted, k) = octaves(x);
        exp_near(shifted, k.fnma(x.of(LN2_LO), k.fnma(x.of(LN2_HI), x)))
    } else {
        exp_any(x, x.of(0.0))
    }
}

/// e^(x + low), where `low` is much smaller than `x` and zero where `x` is out of the range of `exp`.
#[inline(always)]
pub(super) fn exp_long<L: Lane>(x: L, low: L) -> L {
    if x.abs().le(x.of(EXP_PLAIN)).all() {
        let (shifted, k) = octaves(x);
        let r = k.fnma(x.of(LN2_LO), k.fnma(x.of(LN2_HI), x));
        exp_near(shifted, r + low)
    } else {
        exp_any(x, low)
    }
}

/// 2^k·e^r for a normal power of two, with k as [`octaves`] gives it.
#[inline(always)]
fn exp_near<L: Lane>(shifted: L, r: L) -> L {
    let r2 = r * r;
    let power = shifted.shift_left::<52>();
    exp_tail(r, r2).fma(r2, r).fma(power, power)
}

/// e^(x + low) for any `x`; the same bits as above where both apply.
#[inline(always)]
fn exp_any<L: Lane>(x: L, low: L) -> L {
    let x = limit(x);
    let (_, k) = octaves(x);
    let r = k.fnma(x.of(LN2_LO), k.fnma(x.of(LN2_HI), x)) + low;
    let r2 = r * r;
    (exp_tail(r, r2).fma(r2, r) + x.of(1.0)).scale(k)
}

/// e^x − 1.
#[inline(always)]
pub(crate) fn expm1<L: Lane>(x: L) -> L {
    // Below −40 the result is −1; the limit keeps 2^k a normal number.
    let least = x.of(-40.0);
    let greatest = x.of(EXP_GREATEST);
    let limited = L::pick(x.lt(least), least, x);
    let limited = L::pick(greatest.lt(limited), greatest, limited);
    let (_, k) = octaves(limited);
    let high = k.fnma(x.of(LN2_HI), limited);
    let r = k.fnma(x.of(LN2_LO), high);
    let low = k.fnma(x.of(LN2_LO), high - r);
    let r2 = r * r;
    let y = exp_tail(r, r2).fma(r2, low.fma(r, low)) + r;
    // Half of 2^k, since 2^1024 is no double.
    let half = (k - x.of(1.0)).power_of_two();
    let value = y.fma(half, half - x.of(0.5)) * x.of(2.0);
    // Below 2^-54 the result is x, and halving a subnormal above would have lost its last bit.
    L::pick(x.abs().lt(x.of(f64::EPSILON / 4.0)), x, value)
}

/// 1/(1 + e^−x).
#[inline(always)]
pub(crate) fn sigmoid<L: Lane>(x: L) -> L {
    let one = x.of(1.0);
    // Only e^−|x| is ever formed, so nothing overflows.
    let z = exp(-x.abs());
    L::pick(x.lt(x.of(0.0)), z, one) / (one + z)
}

/// The hyperbolic tangent.
#[inline(always)]
pub(crate) fn tanh<L: Lane>(x: L) -> L {
    // Beyond 20 the result rounds to ±1.
    let size = x.abs();
    let limit = x.of(20.0);
    let size = L::pick(limit.lt(size), limit, size);
    let y = expm1(size + size);
    (y / (y + x.of(2.0))).with_sign_of(x)
}
