//! The scalar lane: one double, the slow twin of every vector lane.
//!
//! On x86 it is compiled for the fused multiply-add instruction where the processor has one; elsewhere
//! `f64::mul_add` gives the same bits, slowly.

use super::lane::{Lane, Mask};

impl Mask for bool {
    #[inline(always)]
    fn all(self) -> bool {
        self
    }
}

#[inline(always)]
fn bitwise(a: f64, b: f64, operation: impl Fn(u64, u64) -> u64) -> f64 {
    f64::from_bits(operation(a.to_bits(), b.to_bits()))
}

impl Lane for f64 {
    const WIDTH: usize = 1;
    type Mask = bool;

    #[inline(always)]
    unsafe fn splat(value: f64) -> f64 {
        value
    }
    #[inline(always)]
    unsafe fn load(from: *const f64) -> f64 {
        // SAFETY: readable by the contract of `Lane::load`.
        unsafe { from.read() }
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut f64) {
        // SAFETY: writable by the contract of `Lane::store`.
        unsafe { to.write(self) }
    }
    #[inline(always)]
    unsafe fn load_head(_from: *const f64, _count: usize) -> f64 {
        0.0
    }
    #[inline(always)]
    unsafe fn store_head(self, _to: *mut f64, _count: usize) {}

    #[inline(always)]
    fn of(self, value: f64) -> f64 {
        value
    }
    #[inline(always)]
    fn fma(self, b: f64, c: f64) -> f64 {
        self.mul_add(b, c)
    }
    #[inline(always)]
    fn fms(self, b: f64, c: f64) -> f64 {
        self.mul_add(b, -c)
    }
    #[inline(always)]
    fn fnma(self, b: f64, c: f64) -> f64 {
        (-self).mul_add(b, c)
    }
    #[inline(always)]
    fn sqrt(self) -> f64 {
        f64::sqrt(self)
    }
    #[inline(always)]
    fn abs(self) -> f64 {
        f64::abs(self)
    }
    #[inline(always)]
    fn bit_and(self, other: f64) -> f64 {
        bitwise(self, other, |a, b| a & b)
    }
    #[inline(always)]
    fn bit_or(self, other: f64) -> f64 {
        bitwise(self, other, |a, b| a | b)
    }
    #[inline(always)]
    fn bit_xor(self, other: f64) -> f64 {
        bitwise(self, other, |a, b| a ^ b)
    }
    #[inline(always)]
    fn bits_plus(self, other: f64) -> f64 {
        bitwise(self, other, u64::wrapping_add)
    }
    #[inline(always)]
    fn shift_left<const N: i32>(self) -> f64 {
        f64::from_bits(self.to_bits() << N)
    }
    #[inline(always)]
    fn shift_right<const N: i32>(self) -> f64 {
        f64::from_bits(self.to_bits() >> N)
    }
    #[inline(always)]
    fn lt(self, other: f64) -> bool {
        self < other
    }
    #[inline(always)]
    fn le(self, other: f64) -> bool {
        self <= other
    }
    #[inline(always)]
    fn equal(self, other: f64) -> bool {
        self == other
    }
    #[inline(always)]
    fn pick(mask: bool, yes: f64, no: f64) -> f64 {
        if mask { yes } else { no }
    }
    #[inline(always)]
    fn each(self, function: impl Fn(f64) -> f64) -> f64 {
        function(self)
    }
}
