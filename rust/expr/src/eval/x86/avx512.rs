//! Eight doubles, with AVX-512.

use std::arch::x86_64::*;
use std::ops::{Add, BitAnd, BitOr, Div, Mul, Neg, Not, Sub};

use crate::arithmetic::lane::{Lane, Mask};

/// Eight doubles.
#[derive(Clone, Copy)]
pub(crate) struct Avx512(__m512d);

/// Eight truth values.
#[derive(Clone, Copy)]
pub(crate) struct Mask8(__mmask8);

operator!(Avx512, Add, add, _mm512_add_pd);
operator!(Avx512, Sub, sub, _mm512_sub_pd);
operator!(Avx512, Mul, mul, _mm512_mul_pd);
operator!(Avx512, Div, div, _mm512_div_pd);

impl Neg for Avx512 {
    type Output = Avx512;
    #[inline(always)]
    fn neg(self) -> Avx512 {
        self.bit_xor(self.of(-0.0))
    }
}

impl Not for Mask8 {
    type Output = Mask8;
    #[inline(always)]
    fn not(self) -> Mask8 {
        Mask8(!self.0)
    }
}

impl BitAnd for Mask8 {
    type Output = Mask8;
    #[inline(always)]
    fn bitand(self, other: Mask8) -> Mask8 {
        Mask8(self.0 & other.0)
    }
}

impl BitOr for Mask8 {
    type Output = Mask8;
    #[inline(always)]
    fn bitor(self, other: Mask8) -> Mask8 {
        Mask8(self.0 | other.0)
    }
}

impl Mask for Mask8 {
    #[inline(always)]
    fn all(self) -> bool {
        self.0 == 255
    }
}

impl Lane for Avx512 {
    const WIDTH: usize = 8;
    type Mask = Mask8;

    #[inline(always)]
    unsafe fn splat(value: f64) -> Avx512 {
        // SAFETY: AVX-512 by the contract of `Lane::splat`.
        unsafe { Avx512(_mm512_set1_pd(value)) }
    }
    #[inline(always)]
    unsafe fn load(from: *const f64) -> Avx512 {
        // SAFETY: AVX-512 and eight readable doubles by the contract of `Lane::load`.
        unsafe { Avx512(_mm512_loadu_pd(from)) }
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut f64) {
        // SAFETY: eight writable doubles by the contract of `Lane::store`.
        unsafe { _mm512_storeu_pd(to, self.0) }
    }
    #[inline(always)]
    unsafe fn load_head(from: *const f64, count: usize) -> Avx512 {
        // SAFETY: AVX-512 and `count` readable doubles by the contract; masked lanes are not touched.
        unsafe { Avx512(_mm512_maskz_loadu_pd((1u8 << count) - 1, from)) }
    }
    #[inline(always)]
    unsafe fn store_head(self, to: *mut f64, count: usize) {
        // SAFETY: `count` writable doubles by the contract; masked lanes are not touched.
        unsafe { _mm512_mask_storeu_pd(to, (1u8 << count) - 1, self.0) }
    }
    #[inline(always)]
    fn of(self, value: f64) -> Avx512 {
        // SAFETY: a lane exists, so its instruction set does.
        unsafe { Avx512(_mm512_set1_pd(value)) }
    }
    method!(Avx512, fma(b, c) _mm512_fmadd_pd);
    method!(Avx512, fms(b, c) _mm512_fmsub_pd);
    method!(Avx512, fnma(b, c) _mm512_fnmadd_pd);
    method!(Avx512, sqrt() _mm512_sqrt_pd);
    method!(Avx512, abs() _mm512_abs_pd);
    bits_method!(
        Avx512,
        bit_and,
        _mm512_castpd_si512,
        _mm512_and_si512,
        _mm512_castsi512_pd
    );
    bits_method!(
        Avx512,
        bit_or,
        _mm512_castpd_si512,
        _mm512_or_si512,
        _mm512_castsi512_pd
    );
    bits_method!(
        Avx512,
        bit_xor,
        _mm512_castpd_si512,
        _mm512_xor_si512,
        _mm512_castsi512_pd
    );
    bits_method!(
        Avx512,
        bits_plus,
        _mm512_castpd_si512,
        _mm512_add_epi64,
        _mm512_castsi512_pd
    );
    shift_method!(
        Avx512,
        shift_left,
        _mm512_castpd_si512,
        _mm512_sll_epi64,
        _mm512_castsi512_pd
    );
    shift_method!(
        Avx512,
        shift_right,
        _mm512_castpd_si512,
        _mm512_srl_epi64,
        _mm512_castsi512_pd
    );
    compare!(Avx512, Mask8, lt, _mm512_cmp_pd_mask, _CMP_LT_OQ);
    compare!(Avx512, Mask8, le, _mm512_cmp_pd_mask, _CMP_LE_OQ);
    compare!(Avx512, Mask8, equal, _mm512_cmp_pd_mask, _CMP_EQ_OQ);
    #[inline(always)]
    fn pick(mask: Mask8, yes: Avx512, no: Avx512) -> Avx512 {
        // SAFETY: a lane exists, so its instruction set does.
        unsafe { Avx512(_mm512_mask_blend_pd(mask.0, no.0, yes.0)) }
    }
    #[inline(always)]
    fn scale(self, k: Avx512) -> Avx512 {
        // SAFETY: a lane exists, so its instruction set does.
        unsafe { Avx512(_mm512_scalef_pd(self.0, k.0)) }
    }
    #[inline(always)]
    fn each(self, function: impl Fn(f64) -> f64) -> Avx512 {
        let mut values = [0.0; 8];
        // SAFETY: a lane exists, so its instruction set does; the array holds one group.
        unsafe {
            self.store(values.as_mut_ptr());
            values.iter_mut().for_each(|v| *v = function(*v));
            Avx512::load(values.as_ptr())
        }
    }
}
