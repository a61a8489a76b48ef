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
        let mut tile = Tile {
            left: &[a],
            right: &[b],
            rows: a.len(),
            columns: 1,
            partials: std::slice::from_mut(partials),
        };
        // SAFETY: the caller has the instruction set; both columns have `a.len()` rows.
        unsafe { tile.add::<L, 1, 1, 2>(0, 0) };
    }
}

impl Task for Gram<'_> {
    type Result = ();
    #[inline(always)]
    unsafe fn run<L: Lane>(self) {
        let Gram(left, right, rows, partials) = self;
        let p = left.len();
        let mut tile = Tile {
            left,
            right,
            rows,
            columns: p,
            partials,
        };
        // SAFETY: the caller has the instruction set; all columns have `rows` rows, and every tile lies inside the triangle's
        // bounding square.
        unsafe {
            if L::WIDTH == PARTIALS {
                // Thirty-two registers hold the whole triangle of a law of up to five parameters and its residual.
                match p {
                    4 => return tile.add::<L, 4, 4, 1>(0, 0),
                    5 => return tile.add::<L, 5, 5, 1>(0, 0),
                    6 => return tile.add::<L, 6, 6, 1>(0, 0),
                    _ => {}
                }
            }
            for j in (0..p).step_by(3) {
                match p - j {
                    1 => tile.add::<L, 1, 1, 2>(j, j),
                    2 => tile.add::<L, 2, 2, 2>(j, j),
                    _ => tile.add::<L, 3, 3, 2>(j, j),
                }
                for k in (j + 3..p).step_by(3) {
                    match p - k {
                        1 => tile.add::<L, 3, 1, 2>(j, k),
                        2 => tile.add::<L, 3, 2, 2>(j, k),
                        _ => tile.add::<L, 3, 3, 1>(j, k),
                    }
                }
            }
        }
    }
}

/// A rectangle of the triangle whose sums stay in registers during one pass over the rows.
struct Tile<'a> {
    left: &'a [&'a [f64]],
    right: &'a [&'a [f64]],
    rows: usize,
    columns: usize,
    partials: &'a mut [[f64; PARTIALS]],
}

impl Tile<'_> {
    /// Adds the products of columns `j..j + R` and `k..k + C`, those below the diagonal left out.
    ///
    /// `G` groups of lanes are worked on at once, as far as there are so many, because a sum waits for
    /// itself: a tile of few sums needs several groups to keep the multipliers busy.
    ///
    /// # Safety
    /// The processor must have the instruction set of `L`; `j + R` and `k + C` must be at most the number of
    /// columns, each of which must have `rows` rows; `C` must be at most 6 and `R·G` at most 6.
    #[inline(always)]
    #[allow(
        clippy::needless_range_loop,
        reason = "the indices are those of the triangle"
    )]
    unsafe fn add<L: Lane, const R: usize, const C: usize, const G: usize>(
        &mut self,
        j: usize,
        k: usize,
    ) {
        let whole = self.rows - self.rows % PARTIALS;
        let place = |row: usize, column: usize| {
            let (row, column) = (j + row, k + column);
            (row <= column).then(|| row * self.columns - row * (row + 1) / 2 + column)
        };
        let left: [*const f64; R] = std::array::from_fn(|r| self.left[j + r].as_ptr());
        let right: [*const f64; C] = std::array::from_fn(|c| self.right[k + c].as_ptr());
        let partials: *mut [f64; PARTIALS] = self.partials.as_mut_ptr();
        let together = if L::WIDTH * G <= PARTIALS { G } else { 1 };
        for lane in (0..PARTIALS).step_by(L::WIDTH * together) {
            // SAFETY: a group ends at `lane + WIDTH·together ≤ 8`, and `i + 8 ≤ whole ≤ rows`; `place` is inside the triangle.
            unsafe {
                let mut totals = [[[L::splat(0.0); G]; C]; R];
                for r in 0..R {
                    for c in 0..C {
                        if let Some(place) = place(r, c) {
                            let from = partials.add(place).cast::<f64>();
                            for g in 0..together {
                                totals[r][c][g] = L::load(from.add(lane + g * L::WIDTH));
                            }
                        }
                    }
                }
                for i in (0..whole).step_by(PARTIALS) {
                    for g in 0..together {
                        let at = i + lane + g * L::WIDTH;
                        let mut columns = [L::splat(0.0); C];
                        for c in 0..C {
                            columns[c] = L::load(right[c].add(at));
                        }
                        for r in 0..R {
                            let value = L::load(left[r].add(at));
                            for c in 0..C {
                                if j + r <= k + c {
                                    totals[r][c][g] = value.fma(columns[c], totals[r][c][g]);
                                }
                            }
                        }
                    }
                }
                for r in 0..R {
                    for c in 0..C {
                        if let Some(place) = place(r, c) {
                            let to = partials.add(place).cast::<f64>();
                            for g in 0..together {
                                totals[r][c][g].store(to.add(lane + g * L::WIDTH));
                            }
                        }
                    }
                }
            }
        }
        for i in whole..self.rows {
            for r in 0..R {
                for c in 0..C {
                    if let Some(place) = place(r, c) {
                        // SAFETY: `i < rows`, and `place` is inside the triangle.
                        unsafe {
                            let partial = &mut (*partials.add(place))[i - whole];
                            *partial = (*left[r].add(i)).mul_add(*right[c].add(i), *partial);
                        }
                    }
                }
            }
        }
    }
}
