//! The logarithms.
//!
//! Stage: part of `vecmath`. x = 2^k·m with √½ ≤ m < √2, and ln m = 2·artanh(s) with s = (m − 1)/(m + 1) and a polynomial in
//! s². A second, longer form gives ln m as a sum of two doubles, for powers and for other bases.

use super::parts::{LN2_HI, LN2_LO, fast_two_sum, horner};
use crate::arithmetic::lane::{Lane, Mask};

/// 1/ln 2 and 1/ln 10, each as the sum of two doubles.
const INV_LN2_HI: f64 = std::f64::consts::LOG2_E;
const INV_LN2_LO: f64 = 2.035_527_374_093_103_3e-17;
const INV_LN10_HI: f64 = std::f64::consts::LOG10_E;
const INV_LN10_LO: f64 = 1.098_319_650_216_765e-17;
/// log10 2: the first part has 40 bits, so that its product with any binary exponent is exact.
const LOG10_2_HI: f64 = 0.301_029_995_663_611_77;
const LOG10_2_LO: f64 = 3.694_239_077_158_931e-13;

/// (2·artanh(s) − 2s)/s³ in z = s² for s up to (√2 − 1)/(√2 + 1); greatest error 2^-58 relative to s.
const LOG: [f64; 7] = [
    0.6666666666666731,
    0.39999999999436564,
    0.28571428738248056,
    0.22222198948157304,
    0.1818354671363256,
    0.15314464428938937,
    0.147921013838984,
];

/// (2·artanh(s) − 2s − 2s³/3)/s⁵ in z = s², for the logarithm in two doubles; greatest error 2^-64 relative to s.
const LOG_LONG: [f64; 7] = [
    0.4000000000000039,
    0.28571428570911056,
    0.22222222386844626,
    0.18181795161833267,
    0.15386292990719674,
    0.13266975306212564,
    0.1310731857187561,
];
/// 2/3 as the sum of two doubles.
const TWO_THIRDS_HI: f64 = 2.0 / 3.0;
const TWO_THIRDS_LO: f64 = 3.700_743_415_417_188e-17;

/// x = 2^k·(1 + f) with √½ ≤ 1 + f < √2, for positive normal `x`.
#[inline(always)]
pub(super) fn split<L: Lane>(x: L) -> (L, L) {
    const ROOT_HALF: u64 = 0x3fe6_a09e_667f_3bcd;
    let offset = x.of_bits(0x3ff0_0000_0000_0000 - ROOT_HALF);
    let moved = x.bits_plus(offset);
    // The biased exponent as a number: its bits below those of 2^52.
    let two52 = x.of(4_503_599_627_370_496.0);
    let k = moved.shift_right::<52>().bit_or(two52) - x.of(4_503_599_627_370_496.0 + 1023.0);
    let m = moved
        .bit_and(x.of_bits(0x000f_ffff_ffff_ffff))
        .bits_plus(x.of_bits(ROOT_HALF));
    (k, m)
}

/// Whether all lanes are positive, finite and normal.
#[inline(always)]
pub(super) fn ordinary<L: Lane>(x: L) -> L::Mask {
    x.of(f64::MIN_POSITIVE).le(x) & x.lt(x.of(f64::INFINITY))
}

/// ln of 2^k·m, and 1/m: one division serves both.
#[inline(always)]
fn log_core<L: Lane>(k: L, m: L) -> (L, L) {
    let f = m - m.of(1.0);
    let d = m + m.of(1.0);
    let q = m.of(1.0) / (m * d);
    let s = f * (m * q);
    let z = s * s;
    let half_square = f * (f * m.of(0.5));
    let tail = log_tail(z) * z;
    // ln(1 + f) = f − (f²/2 − s·(f²/2 + z·R)), see Sun's fdlibm for the identity.
    let t = s.fma(half_square + tail, k * m.of(LN2_LO));
    (k.fma(m.of(LN2_HI), f - (half_square - t)), d * q)
}

/// The polynomial of [`LOG`] in pairs of terms.
#[inline(always)]
fn log_tail<L: Lane>(z: L) -> L {
    let c = |i: usize| z.of(LOG[i]);
    let z2 = z * z;
    let p01 = c(1).fma(z, c(0));
    let p23 = c(3).fma(z, c(2));
    let p45 = c(5).fma(z, c(4));
    let low = p23.fma(z2, p01);
    let high = c(6).fma(z2, p45);
    high.fma(z2 * z2, low)
}

/// `x` with subnormals brought into range, and what this takes off the binary exponent.
#[inline(always)]
pub(super) fn lift<L: Lane>(x: L) -> (L, L) {
    let small = x.lt(x.of(f64::MIN_POSITIVE));
    let lifted = L::pick(small, x * x.of(18_014_398_509_481_984.0), x);
    (lifted, L::pick(small, x.of(54.0), x.of(0.0)))
}

/// The logarithm of what is not positive and finite, and `value` elsewhere.
#[inline(always)]
fn patch_log<L: Lane>(x: L, value: L) -> L {
    let zero = x.of(0.0);
    let value = L::pick(x.equal(zero), x.of(f64::NEG_INFINITY), value);
    let value = L::pick(x.lt(zero), x.of(f64::NAN), value);
    // Infinity stays, NaN stays.
    L::pick(x.lt(x.of(f64::INFINITY)), value, x)
}

/// ln x.
#[inline(always)]
pub(crate) fn ln<L: Lane>(x: L) -> L {
    if ordinary(x).all() {
        let (k, m) = split(x);
        log_core(k, m).0
    } else {
        let (lifted, shift) = lift(x);
        let (k, m) = split(lifted);
        patch_log(x, log_core(k - shift, m).0)
    }
}

/// ln x and 1/x together, for little more than the logarithm; the quotient to 2 ulp.
#[inline(always)]
pub(crate) fn ln_and_reciprocal<L: Lane>(x: L) -> (L, L) {
    let invertible = ordinary(x) & x.le(x.of(1e300));
    if invertible.all() {
        let (k, m) = split(x);
        let (log, inverse) = log_core(k, m);
        (log, inverse * (-k).power_of_two())
    } else {
        let (k, m) = split(L::pick(invertible, x, x.of(1.0)));
        let inverse = log_core(k, m).1 * (-k).power_of_two();
        (ln(x), L::pick(invertible, inverse, x.of(1.0) / x))
    }
}

/// ln(m) as a sum of two doubles, for √½ ≤ m < √2; relative error about 2^-63.
#[inline(always)]
pub(super) fn log_long<L: Lane>(m: L) -> (L, L) {
    let one = m.of(1.0);
    let f = m - one;
    let d = m + one;
    let d_low = f - (d - m.of(2.0));
    let inverse = one / d;
    let s = f * inverse;
    let s_low = (s.fnma(d, f) - s * d_low) * inverse;
    let two_s_low = s_low + s_low;
    // ln(m) = 2s + s³·(2/3 + z·R), with two doubles for all but z·R.
    let z = s * s;
    let z_low = s.fma(two_s_low, s.fms(s, z));
    let cube = z * s;
    let cube_low = z.fms(s, cube) + z.fma(s_low, z_low * s);
    let rest = z.fma(horner(z, &LOG_LONG), m.of(TWO_THIRDS_LO));
    let high = m.of(TWO_THIRDS_HI);
    let third = cube * high;
    let third_low = cube.fms(high, third) + cube.fma(rest, cube_low * high);
    let (sum, error) = fast_two_sum(s + s, third);
    // The low part still holds s³·z·R, a hundredth of the whole.
    fast_two_sum(sum, error + (third_low + two_s_low))
}

/// a·b as a sum of two doubles, where a and b are such sums.
#[inline(always)]
fn long_product<L: Lane>(a: (L, L), b: (L, L)) -> (L, L) {
    let product = a.0 * b.0;
    let low = a.0.fms(b.0, product) + a.0.fma(b.1, a.1 * b.0);
    (product, low)
}

/// The logarithm to another base: `scale` is 1/ln(base), `per_octave` is log_base(2).
#[inline(always)]
fn log_to_base<L: Lane>(x: L, scale: (f64, f64), per_octave: (f64, f64)) -> L {
    let (lifted, shift) = lift(x);
    let (k, m) = split(lifted);
    let k = k - shift;
    let (high, low) = long_product(log_long(m), (x.of(scale.0), x.of(scale.1)));
    let whole = k * x.of(per_octave.0);
    // |whole| ≥ |high| unless k = 0, where the sum is exact anyway.
    let (sum, error) = fast_two_sum(whole, high);
    patch_log(x, sum + (error + k.fma(x.of(per_octave.1), low)))
}

/// log₂ x; exact for powers of two.
#[inline(always)]
pub(crate) fn log2<L: Lane>(x: L) -> L {
    log_to_base(x, (INV_LN2_HI, INV_LN2_LO), (1.0, 0.0))
}

/// log₁₀ x.
#[inline(always)]
pub(crate) fn log10<L: Lane>(x: L) -> L {
    log_to_base(x, (INV_LN10_HI, INV_LN10_LO), (LOG10_2_HI, LOG10_2_LO))
}

/// ln(1 + x).
#[inline(always)]
pub(crate) fn log1p<L: Lane>(x: L) -> L {
    let one = x.of(1.0);
    let sum = one + x;
    // What rounding took off the sum, whichever of the two is the greater.
    let greater = one.lt(x);
    let error = L::pick(greater, one - (sum - x), x - (sum - one));
    let (k, m) = split(sum);
    let near = k.equal(x.of(0.0));
    let f = L::pick(near, x, m - one);
    let correction = L::pick(near, x.of(0.0), error / sum);
    let s = f / (x.of(2.0) + f);
    let z = s * s;
    let half_square = f * (f * x.of(0.5));
    let t = s.fma(
        half_square + log_tail(z) * z,
        k.fma(x.of(LN2_LO), correction),
    );
    let value = k.fma(x.of(LN2_HI), f - (half_square - t));
    // ±0 stays itself.
    L::pick(x.equal(x.of(0.0)), x, patch_log(sum, value))
}
