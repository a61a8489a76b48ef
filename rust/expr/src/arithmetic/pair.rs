//! Two groups of lanes worked on as one.
//!
//! Constants are then loaded once for both, and the one works while the other waits for a result; with the sixteen
//! registers of AVX2 this makes exp and ln a tenth faster. Every operation is done on each group by itself, so
//! no bit changes.

use std::ops::{Add, BitAnd, BitOr, Div, Mul, Neg, Not, Sub};

use super::lane::{Lane, Mask};

/// Two groups of lanes, or of truth values.
#[derive(Clone, Copy)]
pub(crate) struct Pair<T>(T, T);

macro_rules! operator {
    ($bound:ident, $trait:ident, $method:ident) => {
        impl<T: $bound> $trait for Pair<T> {
            type Output = Pair<T>;
            #[inline(always)]
            fn $method(self, other: Pair<T>) -> Pair<T> {
                Pair(self.0.$method(other.0), self.1.$method(other.1))
            }
        }
    };
}

operator!(Lane, Add, add);
operator!(Lane, Sub, sub);
operator!(Lane, Mul, mul);
operator!(Lane, Div, div);
operator!(Mask, BitAnd, bitand);
operator!(Mask, BitOr, bitor);

impl<T: Neg<Output = T>> Neg for Pair<T> {
    type Output = Pair<T>;
    #[inline(always)]
    fn neg(self) -> Pair<T> {
        Pair(-self.0, -self.1)
    }
}

impl<T: Not<Output = T>> Not for Pair<T> {
    type Output = Pair<T>;
    #[inline(always)]
    fn not(self) -> Pair<T> {
        Pair(!self.0, !self.1)
    }
}

impl<M: Mask> Mask for Pair<M> {
    #[inline(always)]
    fn all(self) -> bool {
        (self.0 & self.1).all()
    }
}

macro_rules! both {
    ($name:ident ( $($argument:ident),* ) -> $result:ty) => {
        #[inline(always)]
        fn $name(self, $($argument: Self),*) -> $result {
            Pair(self.0.$name($($argument.0),*), self.1.$name($($argument.1),*))
        }
    };
}

impl<L: Lane> Lane for Pair<L> {
    const WIDTH: usize = 2 * L::WIDTH;
    type Mask = Pair<L::Mask>;

    #[inline(always)]
    unsafe fn splat(value: f64) -> Self {
        // SAFETY: the contract is the same.
        unsafe { Pair(L::splat(value), L::splat(value)) }
    }
    #[inline(always)]
    unsafe fn load(from: *const f64) -> Self {
        // SAFETY: the contract covers both groups.
        unsafe { Pair(L::load(from), L::load(from.add(L::WIDTH))) }
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut f64) {
        // SAFETY: the contract covers both groups.
        unsafe {
            self.0.store(to);
            self.1.store(to.add(L::WIDTH));
        }
    }
    #[inline(always)]
    unsafe fn load_head(from: *const f64, count: usize) -> Self {
        // SAFETY: the first group is whole exactly where `count` says so.
        unsafe {
            if count < L::WIDTH {
                Pair(L::load_head(from, count), L::splat(0.0))
            } else {
                let rest = count - L::WIDTH;
                Pair(L::load(from), L::load_head(from.add(L::WIDTH), rest))
            }
        }
    }
    #[inline(always)]
    unsafe fn store_head(self, to: *mut f64, count: usize) {
        // SAFETY: the first group is whole exactly where `count` says so.
        unsafe {
            if count < L::WIDTH {
                self.0.store_head(to, count);
            } else {
                self.0.store(to);
                self.1.store_head(to.add(L::WIDTH), count - L::WIDTH);
            }
        }
    }

    #[inline(always)]
    fn of(self, value: f64) -> Self {
        let group = self.0.of(value);
        Pair(group, group)
    }
    both!(fma(b, c) -> Self);
    both!(fms(b, c) -> Self);
    both!(fnma(b, c) -> Self);
    both!(sqrt() -> Self);
    both!(abs() -> Self);
    both!(bit_and(other) -> Self);
    both!(bit_or(other) -> Self);
    both!(bit_xor(other) -> Self);
    both!(bits_plus(other) -> Self);
    both!(lt(other) -> Self::Mask);
    both!(le(other) -> Self::Mask);
    both!(equal(other) -> Self::Mask);
    both!(scale(k) -> Self);
    #[inline(always)]
    fn shift_left<const N: i32>(self) -> Self {
        Pair(self.0.shift_left::<N>(), self.1.shift_left::<N>())
    }
    #[inline(always)]
    fn shift_right<const N: i32>(self) -> Self {
        Pair(self.0.shift_right::<N>(), self.1.shift_right::<N>())
    }
    #[inline(always)]
    fn pick(mask: Self::Mask, yes: Self, no: Self) -> Self {
        Pair(L::pick(mask.0, yes.0, no.0), L::pick(mask.1, yes.1, no.1))
    }
    #[inline(always)]
    fn each(self, function: impl Fn(f64) -> f64) -> Self {
        Pair(self.0.each(&function), self.1.each(&function))
    }
}
