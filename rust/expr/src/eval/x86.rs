//! The vector lanes of x86: four doubles with AVX2 and FMA, eight with AVX-512.
//!
//! Every method is compiled into code that was entered through [`super::Kernel::dispatch`], which has
//! checked the processor. A lane can only be made by the unsafe constructors of [`Lane`], so wherever
//! a lane exists its instructions do too: this is the reason behind each SAFETY line below.

use std::arch::x86_64::*;
use std::ops::{Add, BitAnd, BitOr, Div, Mul, Neg, Not, Sub};

use super::lane::{Lane, Mask};

/// Four doubles.
#[derive(Clone, Copy)]
pub(crate) struct Avx2(__m256d);

/// Four truth values, all bits of a lane set or none.
#[derive(Clone, Copy)]
pub(crate) struct Mask4(__m256d);

/// Eight doubles.
#[derive(Clone, Copy)]
pub(crate) struct Avx512(__m512d);

/// Eight truth values.
#[derive(Clone, Copy)]
pub(crate) struct Mask8(__mmask8);

macro_rules! operator {
    ($type:ident, $trait:ident, $method:ident, $intrinsic:ident) => {
        impl $trait for $type {
            type Output = $type;
            #[inline(always)]
            fn $method(self, other: $type) -> $type {
                // SAFETY: a lane exists, so its instruction set does.
                unsafe { $type($intrinsic(self.0, other.0)) }
            }
        }
    };
}

macro_rules! method {
    ($type:ident, $name:ident ( $($argument:ident),* ) $body:expr) => {
        #[inline(always)]
        fn $name(self, $($argument: $type),*) -> $type {
            // SAFETY: a lane exists, so its instruction set does.
            unsafe { $type($body(self.0, $($argument.0),*)) }
        }
    };
}

macro_rules! compare {
    ($type:ident, $mask:ident, $name:ident, $intrinsic:ident, $predicate:ident) => {
        #[inline(always)]
        fn $name(self, other: $type) -> $mask {
            // SAFETY: a lane exists, so its instruction set does.
            unsafe { $mask($intrinsic::<$predicate>(self.0, other.0)) }
        }
    };
}

operator!(Avx2, Add, add, _mm256_add_pd);
operator!(Avx2, Sub, sub, _mm256_sub_pd);
operator!(Avx2, Mul, mul, _mm256_mul_pd);
operator!(Avx2, Div, div, _mm256_div_pd);
operator!(Mask4, BitAnd, bitand, _mm256_and_pd);
operator!(Mask4, BitOr, bitor, _mm256_or_pd);
operator!(Avx512, Add, add, _mm512_add_pd);
operator!(Avx512, Sub, sub, _mm512_sub_pd);
operator!(Avx512, Mul, mul, _mm512_mul_pd);
operator!(Avx512, Div, div, _mm512_div_pd);

impl Neg for Avx2 {
    type Output = Avx2;
    #[inline(always)]
    fn neg(self) -> Avx2 {
        self.bit_xor(self.of(-0.0))
    }
}

impl Neg for Avx512 {
    type Output = Avx512;
    #[inline(always)]
    fn neg(self) -> Avx512 {
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

/// A method that works on the bits as integers; the casts cost nothing.
macro_rules! bits_method {
    ($type:ident, $name:ident, $to:ident, $operation:ident, $from:ident) => {
        #[inline(always)]
        fn $name(self, other: $type) -> $type {
            // SAFETY: a lane exists, so its instruction set does.
            unsafe { $type($from($operation($to(self.0), $to(other.0)))) }
        }
    };
}

/// A method that shifts the bits by a constant.
macro_rules! shift_method {
    ($type:ident, $name:ident, $to:ident, $operation:ident, $from:ident) => {
        #[inline(always)]
        fn $name<const N: i32>(self) -> $type {
            // SAFETY: a lane exists, so its instruction set does.
            unsafe { $type($from($operation($to(self.0), _mm_cvtsi32_si128(N)))) }
        }
    };
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
