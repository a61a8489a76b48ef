//! Exponential, logarithm and power over lanes.
//!
//! Stage: the arithmetic below the programs. In and out: one [`Lane`] each. The common range is computed
//! without a branch; a group of lanes in which some argument is special takes a second path that agrees bit
//! for bit on ordinary arguments. Polynomials are near-minimax (Remez, computed at 240 bits); the
//! error bounds in units in the last place (ulp) are tested in `tests/ulp.rs`.
//!
//! | function | bound | | function | bound |
//! |---|---|---|---|---|
//! | `exp` | 1 | | `sin`, `cos` | 1 |
//! | `ln` | 1 | | `tan` | 3 |
//! | `log2`, `log10` | 1 | | `arctan` | 1 |
//! | `log1p` | 2 | | `tanh` | 3 |
//! | `expm1` | 2 | | `sigmoid` | 2.5 |
//! | `pow` | 1.5 | | | |

use super::lane::{Lane, Mask, ROUNDER};

/// ln 2 as the sum of two doubles.
const LN2_HI: f64 = f64::from_bits(0x3fe6_2e42_fefa_39ef);
const LN2_LO: f64 = f64::from_bits(0x3c7a_bc9e_3b39_803f);
/// 1/ln 2 and 1/ln 10, each as the sum of two doubles.
const INV_LN2_HI: f64 = std::f64::consts::LOG2_E;
const INV_LN2_LO: f64 = 2.035_527_374_093_103_3e-17;
const INV_LN10_HI: f64 = std::f64::consts::LOG10_E;
const INV_LN10_LO: f64 = 1.098_319_650_216_765e-17;
/// log10 2: the first part has 40 bits, so that its product with any binary exponent is exact.
const LOG10_2_HI: f64 = 0.301_029_995_663_611_77;
const LOG10_2_LO: f64 = 3.694_239_077_158_931e-13;

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

/// Horner's rule, highest coefficient last; for chains that other work hides.
#[inline(always)]
pub(crate) fn horner<L: Lane, const N: usize>(x: L, coefficients: &[f64; N]) -> L {
    let mut sum = x.of(coefficients[N - 1]);
    for &c in coefficients[..N - 1].iter().rev() {
        sum = sum.fma(x, x.of(c));
    }
    sum
}

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
    let shifted = x.fma(x.of(INV_LN2_HI), x.of(EXP_SHIFT)) + rounder;
    (shifted, shifted - rounder)
}

/// e^x.
#[inline(always)]
pub(crate) fn exp<L: Lane>(x: L) -> L {
    let plain = x.abs().le(x.of(EXP_PLAIN));
    if plain.all() {
        let (shifted, k) = octaves(x);
        let r = k.fnma(x.of(LN2_LO), k.fnma(x.of(LN2_HI), x));
        let r2 = r * r;
        let power = shifted.shift_left::<52>();
        exp_tail(r, r2).fma(r2, r).fma(power, power)
    } else {
        exp_any(x, x.of(0.0))
    }
}

/// e^(x + low) for any `x`, where `low` is much smaller than `x`.
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

/// x = 2^k·(1 + f) with √½ ≤ 1 + f < √2, for positive normal `x`.
#[inline(always)]
fn split<L: Lane>(x: L) -> (L, L) {
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
fn ordinary<L: Lane>(x: L) -> L::Mask {
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
fn lift<L: Lane>(x: L) -> (L, L) {
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

/// The sum of two numbers and what rounding took off, |a| ≥ |b|.
#[inline(always)]
fn fast_two_sum<L: Lane>(a: L, b: L) -> (L, L) {
    let sum = a + b;
    (sum, b - (sum - a))
}

/// ln(m) as a sum of two doubles, for √½ ≤ m < √2; relative error about 2^-63.
#[inline(always)]
fn log_long<L: Lane>(m: L) -> (L, L) {
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

/// x^y, IEEE 754's `pow`.
#[inline(always)]
pub(crate) fn pow<L: Lane>(x: L, y: L) -> L {
    let (zero, one) = (x.of(0.0), x.of(1.0));
    let size = x.abs();
    let (lifted, shift) = lift(size);
    let (k, m) = split(lifted);
    let k = k - shift;
    let (high, low) = log_long(m);
    let whole = k * x.of(LN2_HI);
    let whole_low = k.fms(x.of(LN2_HI), whole) + k * x.of(LN2_LO);
    let (sum, error) = fast_two_sum(whole, high);
    let log = (sum, error + (whole_low + low));

    let product = y * log.0;
    let rest = y.fms(log.0, product) + y * log.1;
    // Where the product is out of range, what rounding took off it is meaningless.
    let inside = product.abs().lt(x.of(800.0));
    let value = exp_any(product, L::pick(inside, rest, zero));

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
