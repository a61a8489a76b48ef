//! Sums over the rows of a block: plain sums, dot products and the normal matrix.
//!
//! Stage: after a program has run on a block. In: columns of `len` rows; out: eight partial sums for each
//! result, which stay apart over all blocks of a chunk and are added up once by [`horizontal`].
//!
//! Row `i` of a block always goes to partial sum `i % 8`, by one fused multiply-add. So the result depends on
//! how rows are cut into blocks, which callers fix, and never on the kernel.

use super::lane::Lane;
use super::{Kernel, Task};

/// Partial sums of one result.
pub const PARTIALS: usize = 8;

/// Adds `a` to the partial sums.
pub fn sum(kernel: Kernel, a: &[f64], partials: &mut [f64; PARTIALS]) {
    kernel.run(Sum(a, partials));
}

/// Adds the products of `a` and `b`, of equal length, to the partial sums.
pub fn dot(kernel: Kernel, a: &[f64], b: &[f64], partials: &mut [f64; PARTIALS]) {
    assert_eq!(a.len(), b.len(), "dot product of columns of unequal length");
    kernel.run(Dot(a, b, partials));
}

/// Adds the products of every pair of columns `left[j]·right[k]`, j ≤ k, to the partial sums.
///
/// `partials` is the upper triangle by rows, `p(p + 1)/2` results for `p` columns. With `right` the columns and
/// `left` the same columns times weights this is the weighted normal matrix.
pub fn gram(kernel: Kernel, left: &[&[f64]], right: &[&[f64]], partials: &mut [[f64; PARTIALS]]) {
    let p = left.len();
    assert_eq!(p, right.len(), "gram of unequal numbers of columns");
    assert_eq!(
        partials.len(),
        p * (p + 1) / 2,
        "gram into a wrong triangle"
    );
    let rows = left.first().map_or(0, |column| column.len());
    assert!(
        left.iter().chain(right).all(|column| column.len() == rows),
        "gram of columns of unequal length"
    );
    kernel.run(Gram(left, right, rows, partials));
}

/// The total of partial sums, always added in the same order.
pub fn horizontal(partials: &[f64; PARTIALS]) -> f64 {
    let [a, b, c, d, e, f, g, h] = *partials;
    ((a + e) + (c + g)) + ((b + f) + (d + h))
}

struct Sum<'a>(&'a [f64], &'a mut [f64; PARTIALS]);
struct Dot<'a>(&'a [f64], &'a [f64], &'a mut [f64; PARTIALS]);
struct Gram<'a>(
    &'a [&'a [f64]],
    &'a [&'a [f64]],
    usize,
    &'a mut [[f64; PARTIALS]],
);

impl Task for Sum<'_> {
    type Result = ();
    #[inline(always)]
    unsafe fn run<L: Lane>(self) {
        let Sum(a, partials) = self;
        let whole = a.len() - a.len() % PARTIALS;
        for lane in (0..PARTIALS).step_by(L::WIDTH) {
            // SAFETY: `lane + WIDTH ≤ 8` and `i + lane + WIDTH ≤ whole ≤ len`.
            unsafe {
                let mut total = L::load(partials.as_ptr().add(lane));
                for i in (0..whole).step_by(PARTIALS) {
                    total = total + L::load(a.as_ptr().add(i + lane));
                }
                total.store(partials.as_mut_ptr().add(lane));
            }
        }
        for (partial, value) in partials.iter_mut().zip(&a[whole..]) {
            *partial += value;
        }
    }
}

impl Task for Dot<'_> {
    type Result = ();
    #[inline(always)]
    unsafe fn run<L: Lane>(self) {
        let Dot(a, b, partials) = self;
        // SAFETY: the caller has the instruction set; both columns have `a.len()` rows.
        unsafe { tile::<L, 1, 1>([a.as_ptr()], [b.as_ptr()], a.len(), [[partials]]) };
    }
}

impl Task for Gram<'_> {
    type Result = ();
    #[inline(always)]
    unsafe fn run<L: Lane>(self) {
        let Gram(left, right, rows, partials) = self;
        let p = left.len();
        let place = |j: usize, k: usize| j * p - j * (j + 1) / 2 + k;
        for j in 0..p {
            for k in j..p {
                let partial = &mut partials[place(j, k)];
                // SAFETY: the caller has the instruction set; all columns have `rows` rows.
                unsafe {
                    tile::<L, 1, 1>([left[j].as_ptr()], [right[k].as_ptr()], rows, [[partial]])
                };
            }
        }
    }
}

/// Adds the products of `R` by `C` columns to their partial sums, which stay in registers meanwhile.
///
/// # Safety
/// The processor must have the instruction set of `L`; `rows` doubles must be readable at every pointer.
#[inline(always)]
unsafe fn tile<L: Lane, const R: usize, const C: usize>(
    left: [*const f64; R],
    right: [*const f64; C],
    rows: usize,
    mut partials: [[&mut [f64; PARTIALS]; C]; R],
) {
    let whole = rows - rows % PARTIALS;
    for lane in (0..PARTIALS).step_by(L::WIDTH) {
        // SAFETY: `lane + WIDTH ≤ 8` and `i + lane + WIDTH ≤ whole ≤ rows`.
        unsafe {
            let mut totals = [[L::splat(0.0); C]; R];
            for (row, partials) in totals.iter_mut().zip(&partials) {
                for (total, partial) in row.iter_mut().zip(partials) {
                    *total = L::load(partial.as_ptr().add(lane));
                }
            }
            for i in (0..whole).step_by(PARTIALS) {
                let columns = right.map(|column| L::load(column.add(i + lane)));
                for (row, column) in totals.iter_mut().zip(left) {
                    let value = L::load(column.add(i + lane));
                    for (total, other) in row.iter_mut().zip(columns) {
                        *total = value.fma(other, *total);
                    }
                }
            }
            for (row, partials) in totals.iter().zip(&mut partials) {
                for (total, partial) in row.iter().zip(partials) {
                    total.store(partial.as_mut_ptr().add(lane));
                }
            }
        }
    }
    for i in whole..rows {
        for (row, column) in partials.iter_mut().zip(left) {
            for (partial, other) in row.iter_mut().zip(right) {
                // SAFETY: `i < rows`.
                let (a, b) = unsafe { (*column.add(i), *other.add(i)) };
                partial[i - whole] = a.mul_add(b, partial[i - whole]);
            }
        }
    }
}
