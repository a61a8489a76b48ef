//! The lane type: the few operations that every kernel must perform identically, bit for bit.
//!
//! Stage: below everything. A kernel is written once, generic over [`Lane`], and compiled for
//! plain `f64` and for the vector registers of each instruction set. Only + − × ÷ √, fused
//! multiply-add, comparisons and integer operations on the bits are offered, since each of these is
//! exactly rounded (or exact) everywhere; that is what makes results independent of the machine.
//!
//! The functions that make a lane from memory or from a number are unsafe, because the caller must be
//! inside code compiled for the lane's instruction set. All else takes a lane, whose existence is the proof.

use std::ops::{Add, BitAnd, BitOr, Div, Mul, Neg, Not, Sub};

/// Added to a number below 2^51 in magnitude, leaves its nearest integer in the low bits.
pub(crate) const ROUNDER: f64 = 6_755_399_441_055_744.0;

/// One truth value a lane.
pub(crate) trait Mask:
    Copy + Not<Output = Self> + BitAnd<Output = Self> + BitOr<Output = Self>
{
    fn all(self) -> bool;
}

/// A group of doubles that are worked on together.
pub(crate) trait Lane:
    Copy
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
{
    /// Doubles in a group.
    const WIDTH: usize;
    type Mask: Mask;

    /// # Safety
    /// The processor must have the lane's instruction set.
    unsafe fn splat(value: f64) -> Self;
    /// # Safety
    /// As [`Lane::splat`], and `WIDTH` doubles must be readable at `from`.
    unsafe fn load(from: *const f64) -> Self;
    /// # Safety
    /// `WIDTH` doubles must be writable at `to`.
    unsafe fn store(self, to: *mut f64);
    /// The first `count` doubles, then zeros.
    ///
    /// # Safety
    /// As [`Lane::splat`], `count < WIDTH`, and `count` doubles must be readable at `from`.
    unsafe fn load_head(from: *const f64, count: usize) -> Self;
    /// # Safety
    /// `count < WIDTH`, and `count` doubles must be writable at `to`.
    unsafe fn store_head(self, to: *mut f64, count: usize);

    /// The same number in every lane.
    fn of(self, value: f64) -> Self;
    /// The same bits in every lane.
    #[inline(always)]
    fn of_bits(self, bits: u64) -> Self {
        self.of(f64::from_bits(bits))
    }

    /// `self·b + c`, rounded once.
    fn fma(self, b: Self, c: Self) -> Self;
    /// `self·b − c`, rounded once.
    fn fms(self, b: Self, c: Self) -> Self;
    /// `c − self·b`, rounded once.
    fn fnma(self, b: Self, c: Self) -> Self;
    fn sqrt(self) -> Self;
    fn abs(self) -> Self;

    fn bit_and(self, other: Self) -> Self;
    fn bit_or(self, other: Self) -> Self;
    fn bit_xor(self, other: Self) -> Self;
    /// Sum of the bits as 64-bit integers, wrapping.
    fn bits_plus(self, other: Self) -> Self;
    fn shift_left<const N: i32>(self) -> Self;
    /// Zeros come in from the left.
    fn shift_right<const N: i32>(self) -> Self;

    /// False where either is NaN; so are the two below.
    fn lt(self, other: Self) -> Self::Mask;
    fn le(self, other: Self) -> Self::Mask;
    fn equal(self, other: Self) -> Self::Mask;
    /// `yes` where the mask is true, `no` elsewhere.
    fn pick(mask: Self::Mask, yes: Self, no: Self) -> Self;

    #[inline(always)]
    fn is_nan(self) -> Self::Mask {
        !self.equal(self)
    }

    /// The bits of `self` with the sign of `other`.
    #[inline(always)]
    fn with_sign_of(self, other: Self) -> Self {
        let sign = self.of(-0.0);
        self.abs().bit_or(sign.bit_and(other))
    }

    /// `2^k` for integers `k` in −1022..=1023.
    #[inline(always)]
    fn power_of_two(self) -> Self {
        (self + self.of(ROUNDER + 1023.0)).shift_left::<52>()
    }

    /// `self · 2^k`, rounded once, for integers `k` in −2000..=2000 and `self` near 1.
    ///
    /// In two steps, of which the first is exact.
    #[inline(always)]
    fn scale(self, k: Self) -> Self {
        let rounder = self.of(ROUNDER);
        let first = (k * self.of(0.5) + rounder) - rounder;
        (self * first.power_of_two()) * (k - first).power_of_two()
    }

    /// A function of one number, lane by lane; for rare arguments.
    fn each(self, function: impl Fn(f64) -> f64) -> Self;
}
