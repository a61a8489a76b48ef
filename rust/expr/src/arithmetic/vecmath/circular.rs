//! Sine, cosine, tangent and arc tangent over lanes.
//!
//! Stage: part of `vecmath`. In and out: one [`Lane`] each. Arguments up to 2^20 are reduced
//! by π/2 held in three doubles (Cody and Waite); greater ones by an exact product with the bits of 2/π
//! (Payne and Hanek, SIGNUM Newsletter 1983), lane by lane. Which way is taken depends on the argument of the
//! lane alone, so every kernel gives the same bits.

use super::parts::horner;
use crate::arithmetic::lane::{Lane, Mask, ROUNDER};

const TWO_OVER_PI: f64 = std::f64::consts::FRAC_2_PI;
/// π/2 as the sum of three doubles.
const HALF_PI: [f64; 3] = [
    std::f64::consts::FRAC_PI_2,
    6.123_233_995_736_766e-17,
    -1.497_384_904_859_169_8e-33,
];

/// Up to this magnitude the reduction by three doubles is accurate.
const REDUCE_PLAIN: f64 = 1_048_576.0;

/// (sin(r)/r − 1)/r² in r², |r| ≤ π/4; greatest error 2^-58 relative to r.
const SIN: [f64; 6] = [
    -0.16666666666666632,
    0.008333333333322427,
    -0.0001984126982981666,
    2.75573136945036e-06,
    -2.5050758467303656e-08,
    1.5896813795304167e-10,
];

/// (cos(r) − 1 + r²/2)/r⁴ in r², |r| ≤ π/4; greatest error 2^-64.
const COS: [f64; 6] = [
    0.0416666666666666,
    -0.0013888888888874125,
    2.480158728948292e-05,
    -2.755731435251706e-07,
    2.0875723295084495e-09,
    -1.1359648797084286e-11,
];

/// (arctan(z)/z − 1)/z² in z², |z| ≤ 7/16; greatest error 2^-62 relative to z.
const ARCTAN: [f64; 12] = [
    -0.33333333333333315,
    0.19999999999993115,
    -0.1428571428484499,
    0.11111111056109241,
    -0.09090907049584557,
    0.07692259338960819,
    -0.06665899583430879,
    0.05873989667861996,
    -0.05199920403902532,
    0.04432319281392688,
    -0.031901527815643795,
    0.013678548363730824,
];

/// The first 1280 bits of 2/π, most significant first.
const TWO_OVER_PI_BITS: [u64; 20] = [
    0xa2f9_836e_4e44_1529,
    0xfc27_57d1_f534_ddc0,
    0xdb62_9599_3c43_9041,
    0xfe51_63ab_debb_c561,
    0xb724_6e3a_424d_d2e0,
    0x0649_2eea_09d1_921c,
    0xfe1d_eb1c_b129_a73e,
    0xe882_35f5_2ebb_4484,
    0xe99c_7026_b45f_7e41,
    0x3991_d639_8353_39f4,
    0x9c84_5f8b_bdf9_283b,
    0x1ff8_97ff_de05_980f,
    0xef2f_118b_5a0a_6d1f,
    0x6d36_7ecf_27cb_09b7,
    0x4f46_3f66_9e5f_ea2d,
    0x7527_bac7_ebe5_f17b,
    0x3d07_39f7_8a52_92ea,
    0x6bfb_5fb1_1f8d_5d08,
    0x5603_3046_fc7b_6bab,
    0xf0cf_bc20_9af4_361d,
];

/// x = k·π/2 + (high + low), |high| ≤ π/4; the lowest two bits of the first result are those of k.
#[inline(always)]
fn reduce<L: Lane>(x: L) -> (L, L, L) {
    let rounder = x.of(ROUNDER);
    let shifted = x.fma(x.of(TWO_OVER_PI), rounder);
    let k = shifted - rounder;
    // The first difference is exact; the second is rounded, and what it lost is recovered.
    let first = k.fnma(x.of(HALF_PI[0]), x);
    let high = k.fnma(x.of(HALF_PI[1]), first);
    let lost = k.fnma(x.of(HALF_PI[1]), first - high);
    let low = k.fnma(x.of(HALF_PI[2]), lost);

    let plain = x.abs().le(x.of(REDUCE_PLAIN));
    if plain.all() {
        return (shifted, high, low);
    }
    (
        L::pick(
            plain,
            shifted,
            x.each(|v| f64::from_bits(reduce_exactly(v).0)),
        ),
        L::pick(plain, high, x.each(|v| reduce_exactly(v).1)),
        L::pick(plain, low, x.each(|v| reduce_exactly(v).2)),
    )
}

/// The same for any number of at least 2^20 in magnitude: k modulo 4, high, low.
#[cold]
fn reduce_exactly(x: f64) -> (u64, f64, f64) {
    if !x.is_finite() {
        return (0, f64::NAN, f64::NAN);
    }
    // |x| = mantissa · 2^exponent.
    let mantissa = (x.to_bits() & 0x000f_ffff_ffff_ffff) | 0x0010_0000_0000_0000;
    let exponent = ((x.to_bits() >> 52) & 0x7ff) as i64 - 1075;

    // Bits of 2/π of weight 2^-(exponent − 1) and less; those before only add multiples of 4.
    let window = [0, 64, 128].map(|offset| bits_at(exponent - 1 + offset));
    let low = u128::from(mantissa) * u128::from(window[2]);
    let middle = u128::from(mantissa) * u128::from(window[1]) + (low >> 64);
    let top = mantissa
        .wrapping_mul(window[0])
        .wrapping_add((middle >> 64) as u64);
    // The product modulo 4 in units of 2^-190: two bits of quadrant, then the fraction.
    let quadrant = top >> 62;
    let fraction =
        (u128::from(top) << 66) | (u128::from(middle as u64) << 2) | ((low as u64) >> 62) as u128;

    let above_half = fraction >> 127 == 1;
    let size = if above_half {
        fraction.wrapping_neg()
    } else {
        fraction
    };
    let leading = size.leading_zeros().min(127);
    let normal = size << leading;
    // 53 bits, then 53 bits, as doubles in [0.5, 1) times 2^-leading.
    let unit = f64::from_bits((1023 - u64::from(leading)) << 52);
    let head = ((normal >> 75) as u64) as f64 * (unit * 2f64.powi(-53));
    let tail = ((normal >> 22) as u64 & 0x001f_ffff_ffff_ffff) as f64 * (unit * 2f64.powi(-106));

    let product = head * HALF_PI[0];
    let rest = head.mul_add(HALF_PI[0], -product) + (head * HALF_PI[1] + tail * HALF_PI[0]);
    let high = product + rest;
    let low = rest - (high - product);
    let sign = if above_half != (x < 0.0) { -1.0 } else { 1.0 };
    let count = quadrant.wrapping_add(u64::from(above_half));
    let count = if x < 0.0 { count.wrapping_neg() } else { count };
    (count & 3, sign * high, sign * low)
}

/// 64 bits of 2/π, the first of weight 2^-position.
fn bits_at(position: i64) -> u64 {
    // Bit 1 is the first of the table; what lies before it is zero.
    let start = position - 1;
    let word = |index: i64| {
        usize::try_from(index)
            .ok()
            .and_then(|i| TWO_OVER_PI_BITS.get(i).copied())
            .unwrap_or(0)
    };
    let (index, within) = (start.div_euclid(64), start.rem_euclid(64));
    if within == 0 {
        word(index)
    } else {
        (word(index) << within) | (word(index + 1) >> (64 - within))
    }
}

/// Sine and cosine of a reduced argument.
#[inline(always)]
fn sine_cosine<L: Lane>(high: L, low: L) -> (L, L) {
    let one = high.of(1.0);
    let half = high.of(0.5);
    let z = high * high;
    let cube = z * high;
    let tail = horner(z, &[SIN[1], SIN[2], SIN[3], SIN[4], SIN[5]]);
    let correction = z.fms(half * low - cube * tail, low);
    let sine = high - (correction - cube * high.of(SIN[0]));

    let half_square = half * z;
    let w = one - half_square;
    let lost = (one - w) - half_square;
    let cosine = w + (lost + (z * z).fms(horner(z, &COS), high * low));
    (sine, cosine)
}

/// Whether the lowest bit is set.
#[inline(always)]
fn is_odd<L: Lane>(count: L) -> L::Mask {
    let one = count.of(1.0);
    count.shift_left::<63>().bit_or(one).lt(count.of(0.0))
}

/// The sine of the argument `quarter` quarter turns on, 0 or 1.
#[inline(always)]
fn turned_sine<L: Lane>(x: L, quarter: u64) -> L {
    let (count, high, low) = reduce(x);
    let (sine, cosine) = sine_cosine(high, low);
    let count = count.bits_plus(x.of_bits(quarter));
    let value = L::pick(is_odd(count), cosine, sine);
    let negative = count.shift_right::<1>().shift_left::<63>();
    value.bit_xor(negative)
}

/// The sine.
#[inline(always)]
pub(crate) fn sin<L: Lane>(x: L) -> L {
    turned_sine(x, 0)
}

/// The cosine.
#[inline(always)]
pub(crate) fn cos<L: Lane>(x: L) -> L {
    turned_sine(x, 1)
}

/// The tangent.
#[inline(always)]
pub(crate) fn tan<L: Lane>(x: L) -> L {
    let (count, high, low) = reduce(x);
    let (sine, cosine) = sine_cosine(high, low);
    let odd = is_odd(count);
    L::pick(odd, -cosine, sine) / L::pick(odd, sine, cosine)
}

/// The arc tangent.
#[inline(always)]
pub(crate) fn arctan<L: Lane>(x: L) -> L {
    /// Up to `limit`: arctan(t) = arctan(c) + arctan((t − c)/(1 + c·t)), both parts of the quotient times `scale`.
    struct Interval {
        limit: f64,
        center: f64,
        scale: f64,
        high: f64,
        low: f64,
    }
    const INTERVALS: [Interval; 4] = [
        Interval {
            limit: 39.0 / 16.0,
            center: 1.5,
            scale: 1.0,
            high: 0.982_793_723_247_329,
            low: 1.390_331_103_123_099_8e-17,
        },
        Interval {
            limit: 19.0 / 16.0,
            center: 1.0,
            scale: 1.0,
            high: std::f64::consts::FRAC_PI_4,
            low: 3.061_616_997_868_383e-17,
        },
        Interval {
            limit: 11.0 / 16.0,
            center: 0.5,
            scale: 2.0,
            high: 0.463_647_609_000_806_1,
            low: 2.269_877_745_296_168_7e-17,
        },
        Interval {
            limit: 7.0 / 16.0,
            center: 0.0,
            scale: 1.0,
            high: 0.0,
            low: 0.0,
        },
    ];
    let t = x.abs();
    let mut numerator = x.of(-1.0);
    let mut divisor = t;
    let mut high = x.of(HALF_PI[0]);
    let mut low = x.of(HALF_PI[1]);
    for part in &INTERVALS {
        let inside = t.lt(x.of(part.limit));
        let (scale, center) = (x.of(part.scale), x.of(part.scale * part.center));
        numerator = L::pick(inside, scale.fms(t, center), numerator);
        divisor = L::pick(inside, center.fma(t, scale), divisor);
        high = L::pick(inside, x.of(part.high), high);
        low = L::pick(inside, x.of(part.low), low);
    }
    let z = numerator / divisor;
    let square = z * z;
    let tail = z * (square * horner(square, &ARCTAN));
    (high + ((tail + low) + z)).with_sign_of(x)
}
