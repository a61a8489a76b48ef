//! What the elementary functions share: ln 2 in two doubles, sums of polynomials, exact sums.

use crate::arithmetic::lane::Lane;

/// ln 2 as the sum of two doubles.
pub(super) const LN2_HI: f64 = f64::from_bits(0x3fe6_2e42_fefa_39ef);
pub(super) const LN2_LO: f64 = f64::from_bits(0x3c7a_bc9e_3b39_803f);

/// Horner's rule, highest coefficient last; for chains that other work hides.
#[inline(always)]
pub(super) fn horner<L: Lane, const N: usize>(x: L, coefficients: &[f64; N]) -> L {
    let mut sum = x.of(coefficients[N - 1]);
    for &c in coefficients[..N - 1].iter().rev() {
        sum = sum.fma(x, x.of(c));
    }
    sum
}

/// The sum of two numbers and what rounding took off, |a| ≥ |b|.
#[inline(always)]
pub(super) fn fast_two_sum<L: Lane>(a: L, b: L) -> (L, L) {
    let sum = a + b;
    (sum, b - (sum - a))
}
