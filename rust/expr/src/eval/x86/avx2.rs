//! Four doubles, with AVX2 and FMA.

use std::arch::x86_64::*;
use std::ops::{Add, BitAnd, BitOr, Div, Mul, Neg, Not, Sub};

use crate::arithmetic::lane::{Lane, Mask};

/// Four doubles.
#[derive(Clone, Copy)]
pub(crate) struct Avx2(__m256d);

/// Four truth values, all bits of a lane set or none.
#[derive(Clone, Copy)]
pub(crate) struct Mask4(__m256d);

operator!(Avx2, Add, add, _mm256_add_pd);
operator!(Avx2, Sub, sub, _mm256_sub_pd);
operator!(Avx2, Mul, mul, _mm256_mul_pd);
operator!(Avx2, Div, div, _mm256_div_pd);
operator!(Mask4, BitAnd, bitand, _mm256_and_pd);
operator!(Mask4, BitOr, bitor, _mm256_or_pd);

impl Neg for Avx2 {
    type Output = Avx2;
    #[inline(always)]
    fn neg(self) -> Avx2 {
        self.bit_xor(self.of(-0.0))
    }
}

impl Not for Mask4 {
    type Output = Mask4;
    #[inline(always)]
    fn not(self) -> Mask4 {
        // SAFETY: a mask comes from a lane, so its instruction set exists.
        unsafe {
            let ones = _mm256_castsi256_pd(_mm256_set1_epi64x(-1));
            Mask4(_mm256_xor_pd(self.0, ones))
        }
    }
}

impl Mask for Mask4 {
    #[inline(always)]
    fn all(self) -> bool {
        // SAFETY: a mask comes from a lane, so its instruction set exists.
        unsafe { _mm256_movemask_pd(self.0) == 15 }
    }
}

/// All bits of the first `count` of four lanes.
///
/// # Safety
/// The processor must have AVX2.
#[inline(always)]
unsafe fn head_mask(count: usize) -> __m256i {
    // SAFETY: AVX2 by the contract of this function.
    unsafe {
        _mm256_cmpgt_epi64(
            _mm256_set1_epi64x(count as i64),
            _mm256_set_epi64x(3, 2, 1, 0),
        )
    }
}

impl Lane for Avx2 {
    const WIDTH: usize = 4;
    type Mask = Mask4;

    #[inline(always)]
    unsafe fn splat(value: f64) -> Avx2 {
        // SAFETY: AVX2 by the contract of `Lane::splat`.
        unsafe { Avx2(_mm256_set1_pd(value)) }
    }
    #[inline(always)]
    unsafe fn load(from: *const f64) -> Avx2 {
        // SAFETY: AVX2 and four readable doubles by the contract of `Lane::load`.
        unsafe { Avx2(_mm256_loadu_pd(from)) }
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut f64) {
        // SAFETY: four writable doubles by the contract of `Lane::store`.
        unsafe { _mm256_storeu_pd(to, self.0) }
    }
    #[inline(always)]
    unsafe fn load_head(from: *const f64, count: usize) -> Avx2 {
        // SAFETY: AVX2 and `count` readable doubles by the contract; masked lanes are not touched.
        unsafe { Avx2(_mm256_maskload_pd(from, head_mask(count))) }
    }
    #[inline(always)]
    unsafe fn store_head(self, to: *mut f64, count: usize) {
        // SAFETY: `count` writable doubles by the contract; masked lanes are not touched.
        unsafe { _mm256_maskstore_pd(to, head_mask(count), self.0) }
    }
    #[inline(always)]
    fn of(self, value: f64) -> Avx2 {
        // SAFETY: a lane exists, so its instruction set does.
        unsafe { Avx2(_mm256_set1_pd(value)) }
    }
    method!(Avx2, fma(b, c) _mm256_fmadd_pd);
    method!(Avx2, fms(b, c) _mm256_fmsub_pd);
    method!(Avx2, fnma(b, c) _mm256_fnmadd_pd);
    method!(Avx2, sqrt() _mm256_sqrt_pd);
    method!(Avx2, bit_and(other) _mm256_and_pd);
    method!(Avx2, bit_or(other) _mm256_or_pd);
    method!(Avx2, bit_xor(other) _mm256_xor_pd);
    bits_method!(
        Avx2,
        bits_plus,
        _mm256_castpd_si256,
        _mm256_add_epi64,
        _mm256_castsi256_pd
    );
    #[inline(always)]
    fn abs(self) -> Avx2 {
        self.bit_and(self.of_bits(u64::MAX >> 1))
    }
    shift_method!(
        Avx2,
        shift_left,
        _mm256_castpd_si256,
        _mm256_sll_epi64,
        _mm256_castsi256_pd
    );
    shift_method!(
        Avx2,
        shift_right,
        _mm256_castpd_si256,
        _mm256_srl_epi64,
        _mm256_castsi256_pd
    );
    compare!(Avx2, Mask4, lt, _mm256_cmp_pd, _CMP_LT_OQ);
    compare!(Avx2, Mask4, le, _mm256_cmp_pd, _CMP_LE_OQ);
    compare!(Avx2, Mask4, equal, _mm256_cmp_pd, _CMP_EQ_OQ);
    #[inline(always)]
    fn pick(mask: Mask4, yes: Avx2, no: Avx2) -> Avx2 {
        // SAFETY: a lane exists, so its instruction set does.
        unsafe { Avx2(_mm256_blendv_pd(no.0, yes.0, mask.0)) }
    }
    #[inline(always)]
    fn each(self, function: impl Fn(f64) -> f64) -> Avx2 {
        let mut values = [0.0; 4];
        // SAFETY: a lane exists, so its instruction set does; the array holds one group.
        unsafe {
            self.store(values.as_mut_ptr());
            values.iter_mut().for_each(|v| *v = function(*v));
            Avx2::load(values.as_ptr())
        }
    }
}
