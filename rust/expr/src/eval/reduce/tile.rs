//! Tiles of products of columns, whose sums stay in registers during one pass over the rows of a block.
//!
//! Stage: inside `reduce`. Which products a pass computes depends on how many registers the lanes have; each sum is
//! the same chain of fused multiply-adds in every case.
//! Longer than the rule, because `add` is the inner loop of all products, its accumulators in registers.

use crate::arithmetic::lane::Lane;

/// Partial sums of one result.
pub const PARTIALS: usize = 8;

/// Pairs of columns to be multiplied: the upper triangle of `left[j]·right[k]`, each times the weight of its row.
pub(super) struct Tile<'a> {
    pub(super) left: &'a [&'a [f64]],
    pub(super) right: &'a [&'a [f64]],
    pub(super) weight: Option<&'a [f64]>,
    pub(super) rows: usize,
    pub(super) columns: usize,
    pub(super) partials: &'a mut [[f64; PARTIALS]],
}

/// Adds the products of one column with each of several, all of equal length.
///
/// # Safety
/// The processor must have the instruction set of `L`.
#[inline(always)]
pub(super) unsafe fn products<L: Lane>(
    factor: &[f64],
    columns: &[&[f64]],
    partials: &mut [[f64; PARTIALS]],
) {
    let left = [factor];
    let mut tile = Tile {
        left: &left,
        right: columns,
        weight: None,
        rows: factor.len(),
        columns: columns.len(),
        partials,
    };
    for k in (0..columns.len()).step_by(5) {
        // SAFETY: the caller has the instruction set; row 0 and the columns up to `columns.len()` exist.
        unsafe {
            match columns.len() - k {
                1 => tile.add::<L, 1, 1, 2, false, false>(0, k),
                2 => tile.add::<L, 1, 2, 2, false, false>(0, k),
                3 => tile.add::<L, 1, 3, 2, false, false>(0, k),
                4 => tile.add::<L, 1, 4, 2, false, false>(0, k),
                _ => tile.add::<L, 1, 5, 2, false, false>(0, k),
            }
        }
    }
}

impl Tile<'_> {
    /// Adds the products of all pairs of columns.
    ///
    /// # Safety
    /// The processor must have the instruction set of `L`, and all columns must have as many rows as the tile says.
    #[inline(always)]
    pub(super) unsafe fn triangle<L: Lane, const WEIGHTED: bool>(mut self) {
        let p = self.columns;
        // SAFETY: the caller has the instruction set, and the tiles lie within the `p` columns.
        unsafe {
            if L::WIDTH == PARTIALS {
                // Thirty-two registers hold the whole triangle of a law of up to five parameters and its residual.
                match p {
                    4 => return self.add::<L, 4, 4, 1, true, WEIGHTED>(0, 0),
                    5 => return self.add::<L, 5, 5, 1, true, WEIGHTED>(0, 0),
                    6 => return self.add::<L, 6, 6, 1, true, WEIGHTED>(0, 0),
                    _ => {}
                }
            }
            for j in (0..p).step_by(3) {
                match p - j {
                    1 => self.add::<L, 1, 1, 2, true, WEIGHTED>(j, j),
                    2 => self.add::<L, 2, 2, 2, true, WEIGHTED>(j, j),
                    _ => self.add::<L, 3, 3, 2, true, WEIGHTED>(j, j),
                }
                for k in (j + 3..p).step_by(3) {
                    match p - k {
                        1 => self.add::<L, 3, 1, 2, false, WEIGHTED>(j, k),
                        2 => self.add::<L, 3, 2, 2, false, WEIGHTED>(j, k),
                        _ => self.add::<L, 3, 3, 1, false, WEIGHTED>(j, k),
                    }
                }
            }
        }
    }

    /// Adds the products of columns `j..j + R` and `k..k + C`; of a diagonal tile, those on and above the diagonal.
    ///
    /// `G` groups of lanes are worked on at once, as far as there are so many, because a sum waits for
    /// itself: a tile of few sums needs several groups to keep the multipliers busy.
    ///
    /// # Safety
    /// The processor must have the instruction set of `L`; `j + R` and `k + C` must be at most the number of
    /// columns on the left and on the right, each of which must have as many rows as the tile says, and so must the
    /// weight; a diagonal tile must have `j = k` and `R = C`.
    #[inline(always)]
    #[allow(
        clippy::needless_range_loop,
        reason = "the indices are those of the triangle"
    )]
    unsafe fn add<
        L: Lane,
        const R: usize,
        const C: usize,
        const G: usize,
        const DIAGONAL: bool,
        const WEIGHTED: bool,
    >(
        &mut self,
        j: usize,
        k: usize,
    ) {
        let whole = self.rows - self.rows % PARTIALS;
        let left: [*const f64; R] = std::array::from_fn(|r| self.left[j + r].as_ptr());
        let right: [*const f64; C] = std::array::from_fn(|c| self.right[k + c].as_ptr());
        let weight = self.weight.map_or(std::ptr::null(), <[f64]>::as_ptr);
        let mut sums = [[std::ptr::null_mut::<f64>(); C]; R];
        for r in 0..R {
            for c in 0..C {
                if !DIAGONAL || r <= c {
                    let (row, column) = (j + r, k + c);
                    let place = row * self.columns - row * (row + 1) / 2 + column;
                    sums[r][c] = self.partials[place].as_mut_ptr();
                }
            }
        }
        let together = if L::WIDTH * G <= PARTIALS { G } else { 1 };
        for lane in (0..PARTIALS).step_by(L::WIDTH * together) {
            // SAFETY: a group ends at `lane + WIDTH·together ≤ 8`, and `i + 8 ≤ whole ≤ rows`; the pointers to sums were taken
            // from eight partial sums each, one for every pair that is used.
            unsafe {
                let mut totals = [[[L::splat(0.0); G]; C]; R];
                for r in 0..R {
                    for c in if DIAGONAL { r } else { 0 }..C {
                        for g in 0..together {
                            totals[r][c][g] = L::load(sums[r][c].add(lane + g * L::WIDTH));
                        }
                    }
                }
                for i in (0..whole).step_by(PARTIALS) {
                    for g in 0..together {
                        let at = i + lane + g * L::WIDTH;
                        let columns = right.map(|column| L::load(column.add(at)));
                        for r in 0..R {
                            let mut value = L::load(left[r].add(at));
                            if WEIGHTED {
                                value = value * L::load(weight.add(at));
                            }
                            for c in if DIAGONAL { r } else { 0 }..C {
                                totals[r][c][g] = value.fma(columns[c], totals[r][c][g]);
                            }
                        }
                    }
                }
                for r in 0..R {
                    for c in if DIAGONAL { r } else { 0 }..C {
                        for g in 0..together {
                            totals[r][c][g].store(sums[r][c].add(lane + g * L::WIDTH));
                        }
                    }
                }
            }
        }
        for i in whole..self.rows {
            for r in 0..R {
                for c in if DIAGONAL { r } else { 0 }..C {
                    // SAFETY: `i < rows`, and `i − whole < 8`.
                    unsafe {
                        let mut value = *left[r].add(i);
                        if WEIGHTED {
                            value *= *weight.add(i);
                        }
                        let sum = sums[r][c].add(i - whole);
                        *sum = value.mul_add(*right[c].add(i), *sum);
                    }
                }
            }
        }
    }
}
