//! The vector lanes of x86: four doubles with AVX2 and FMA, eight with AVX-512.
//!
//! Every method is compiled into code that was entered through [`super::Kernel::dispatch`], which has
//! checked the processor. A lane can only be made by the unsafe constructors of [`Lane`], so wherever
//! a lane exists its instructions do too: this is the reason behind each SAFETY line below.

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

mod avx2;
mod avx512;

pub(super) use avx2::Avx2;
pub(super) use avx512::Avx512;
