//! Sums over the rows of a block: plain sums, dot products and the normal matrix.
//!
//! Stage: after a program has run on a block. In: columns of `len` rows; out: eight partial sums for each
//! result, which stay apart over all blocks of a chunk and are added up once by [`horizontal`].
//!
//! Row `i` of a block always goes to partial sum `i % 8`, by one fused multiply-add. So the result depends on
//! how rows are cut into blocks, which callers fix, and never on the kernel.

mod tile;

pub use tile::PARTIALS;

use super::kernel::{Kernel, Task};
use crate::arithmetic::lane::Lane;
use tile::Tile;

/// Adds `a` to the partial sums.
pub fn sum(kernel: Kernel, a: &[f64], partials: &mut [f64; PARTIALS]) {
    kernel.run(Sum(a, partials));
}

/// Adds the products of `a` and `b`, of equal length, to the partial sums.
///
/// # Panics
/// If the lengths differ.
pub fn dot(kernel: Kernel, a: &[f64], b: &[f64], partials: &mut [f64; PARTIALS]) {
    products(kernel, a, &[b], std::slice::from_mut(partials));
}

/// Adds the products of `a` with each of several columns of its length, one result a column.
///
/// # Panics
/// If columns or sums are of unequal length or number.
pub fn products(kernel: Kernel, a: &[f64], columns: &[&[f64]], partials: &mut [[f64; PARTIALS]]) {
    assert_eq!(columns.len(), partials.len(), "one sum a column");
    assert!(
        columns.iter().all(|column| column.len() == a.len()),
        "products of columns of unequal length"
    );
    kernel.run(Products(a, columns, partials));
}

/// Adds the products of every pair of columns `left[j]·right[k]`, j ≤ k, to the partial sums.
///
/// `partials` is the upper triangle by rows, `p(p + 1)/2` results for `p` columns. With `right` the columns and
/// `left` the same columns times weights this is the weighted normal matrix.
///
/// # Panics
/// If columns or sums are of unequal length or number.
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
    let tile = Tile {
        left,
        right,
        weight: None,
        rows,
        columns: p,
        partials,
    };
    kernel.run(Gram(tile));
}

/// The partial sums that [`normal`] adds to.
#[derive(Debug)]
pub struct NormalSums<'a> {
    /// Of the values.
    pub total: &'a mut [f64; PARTIALS],
    /// Of slope times column, one result a column.
    pub gradient: &'a mut [[f64; PARTIALS]],
    /// Of weight times column times column, the upper triangle by rows.
    pub curvature: &'a mut [[f64; PARTIALS]],
}

/// Adds what one block of a robust least-squares problem contributes to its normal equations: the sum of `value`, the
/// products of `slope` with every column, and the products of `weight` with every pair of columns.
///
/// The same bits as [`sum`], [`products`] and [`gram`] with columns times weights on the left, in fewer passes.
///
/// # Panics
/// If columns or sums are of unequal length or number.
pub fn normal(
    kernel: Kernel,
    value: &[f64],
    slope: &[f64],
    weight: &[f64],
    columns: &[&[f64]],
    sums: NormalSums<'_>,
) {
    let (p, rows) = (columns.len(), value.len());
    let others = [slope, weight];
    assert!(
        others.iter().chain(columns).all(|c| c.len() == rows),
        "normal equations of columns of unequal length"
    );
    assert!(
        sums.gradient.len() == p && sums.curvature.len() == p * (p + 1) / 2,
        "normal equations into wrong sums"
    );
    kernel.run(Normal {
        value,
        slope,
        weight,
        columns,
        sums,
    });
}

/// The total of partial sums, always added in the same order.
pub fn horizontal(partials: &[f64; PARTIALS]) -> f64 {
    let [a, b, c, d, e, f, g, h] = *partials;
    ((a + e) + (c + g)) + ((b + f) + (d + h))
}

struct Sum<'a>(&'a [f64], &'a mut [f64; PARTIALS]);
struct Products<'a>(&'a [f64], &'a [&'a [f64]], &'a mut [[f64; PARTIALS]]);
struct Gram<'a>(Tile<'a>);
struct Normal<'a> {
    value: &'a [f64],
    slope: &'a [f64],
    weight: &'a [f64],
    columns: &'a [&'a [f64]],
    sums: NormalSums<'a>,
}

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

impl Task for Products<'_> {
    type Result = ();
    #[inline(always)]
    unsafe fn run<L: Lane>(self) {
        let Products(a, columns, partials) = self;
        // SAFETY: the caller has the instruction set; `products` has checked the lengths.
        unsafe { tile::products::<L>(a, columns, partials) };
    }
}

impl Task for Gram<'_> {
    type Result = ();
    #[inline(always)]
    unsafe fn run<L: Lane>(self) {
        // SAFETY: the caller has the instruction set; all columns have as many rows as the tile says.
        unsafe { self.0.triangle::<L, false>() };
    }
}

impl Task for Normal<'_> {
    type Result = ();
    #[inline(always)]
    unsafe fn run<L: Lane>(self) {
        let NormalSums {
            total,
            gradient,
            curvature,
        } = self.sums;
        let tile = Tile {
            left: self.columns,
            right: self.columns,
            weight: Some(self.weight),
            rows: self.value.len(),
            columns: self.columns.len(),
            partials: curvature,
        };
        // SAFETY: the caller has the instruction set; `normal` has checked that all columns have the same number of rows.
        unsafe {
            Sum(self.value, total).run::<L>();
            tile::products::<L>(self.slope, self.columns, gradient);
            tile.triangle::<L, true>();
        }
    }
}
