//! Small symmetric systems, one a lane: scaled, damped, with some unknowns held.
//!
//! Stage: under the batch solvers. In: a lower triangle of lanes, a right-hand side, which unknowns are held at a given
//! value. Out: the solution by Cholesky factors, and the lanes whose matrix is not positive definite. Source: the textbook
//! recurrences of `linalg::cholesky`, one lane of numbers where that has one number.
//! Longer than the rule, because `solve` is one factorisation over lanes.

#![expect(
    clippy::needless_range_loop,
    reason = "one index runs over the lanes of several arrays"
)]

use super::lanes::{LANES, Lane, triangle};

/// A scaled pivot below this is rounding: the unknown is determined by the others.
pub const LEAST_PIVOT: f64 = 1e-13;

/// Scratch memory for systems of up to `p` unknowns.
#[derive(Clone, Debug)]
pub struct Systems {
    factor: Vec<Lane>,
    scale: Vec<Lane>,
    /// The solution, one lane an unknown in the order of the unknowns given.
    pub solution: Vec<Lane>,
    /// Not zero where the matrix is not positive definite.
    pub failed: Box<Lane>,
}

impl Systems {
    /// For up to `p` unknowns.
    pub fn new(p: usize) -> Self {
        let zero = [0.0; LANES];
        Self {
            factor: vec![zero; p * (p + 1) / 2],
            scale: vec![zero; p],
            solution: vec![zero; p],
            failed: Box::new(zero),
        }
    }

    /// Solves `(A + λ·D)x = −g` for the unknowns `order`, where `D` is the diagonal of `scaling` on the unknowns that
    /// `damped` marks, and unknown `j` is held at `held_at[j]` wherever `held[j]` is not zero.
    ///
    /// `A` and `scaling` are lower triangles over all parameters; `order`, `held`, `held_at`, `gradient` speak of the same
    /// parameters. Columns are scaled by the roots of the diagonal of `scaling` first.
    #[expect(
        clippy::too_many_arguments,
        reason = "one system, each part of it named"
    )]
    #[inline(always)]
    pub fn solve(
        &mut self,
        order: &[usize],
        matrix: &[Lane],
        scaling: &[Lane],
        damped: &[bool],
        damping: &Lane,
        gradient: &[Lane],
        held: &[Lane],
        held_at: Option<&[Lane]>,
    ) {
        let n = order.len();
        for (a, &j) in order.iter().enumerate() {
            let diagonal = &scaling[triangle(j, j)];
            for l in 0..LANES {
                let root = diagonal[l].sqrt();
                self.scale[a][l] = if root > 0.0 { 1.0 / root } else { 1.0 };
            }
        }
        self.failed.fill(0.0);
        for (a, &j) in order.iter().enumerate() {
            let mut right = [0.0; LANES];
            for l in 0..LANES {
                right[l] = -gradient[j][l] * self.scale[a][l];
            }
            for (b, &k) in order.iter().enumerate() {
                if let Some(values) = held_at {
                    let (entry, value) = (&matrix[triangle(j, k)], &values[k]);
                    for l in 0..LANES {
                        let known = if held[k][l] != 0.0 { value[l] } else { 0.0 };
                        right[l] -= entry[l] * known * self.scale[a][l];
                    }
                }
                if b < a {
                    let target = triangle(a, b);
                    let entry = &matrix[triangle(j, k)];
                    for l in 0..LANES {
                        let open = held[j][l] + held[k][l] == 0.0;
                        let scaled = entry[l] * self.scale[a][l] * self.scale[b][l];
                        self.factor[target][l] = if open { scaled } else { 0.0 };
                    }
                }
            }
            let entry = &matrix[triangle(j, j)];
            let diagonal = &mut self.factor[triangle(a, a)];
            let weight = if damped[j] { 1.0 } else { 0.0 };
            for l in 0..LANES {
                let scale = self.scale[a][l];
                let value = damping[l].mul_add(weight, entry[l] * scale * scale);
                let open = held[j][l] == 0.0;
                diagonal[l] = if open { value } else { 1.0 };
                let known = held_at.map_or(0.0, |values| values[j][l] / scale);
                self.solution[a][l] = if open { right[l] } else { known };
            }
        }
        self.factorise(n);
        self.substitute(n);
        for a in 0..n {
            for l in 0..LANES {
                self.solution[a][l] *= self.scale[a][l];
            }
        }
    }

    #[inline(always)]
    fn factorise(&mut self, n: usize) {
        for a in 0..n {
            let mut pivot = self.factor[triangle(a, a)];
            for k in 0..a {
                let left = &self.factor[triangle(a, k)];
                for l in 0..LANES {
                    pivot[l] = (-left[l]).mul_add(left[l], pivot[l]);
                }
            }
            let mut inverse = [0.0; LANES];
            for l in 0..LANES {
                let sound = pivot[l] > LEAST_PIVOT;
                self.failed[l] = if sound { self.failed[l] } else { 1.0 };
                let root = if sound { pivot[l] } else { 1.0 }.sqrt();
                pivot[l] = root;
                inverse[l] = 1.0 / root;
            }
            self.factor[triangle(a, a)] = pivot;
            for b in a + 1..n {
                let mut entry = self.factor[triangle(b, a)];
                for k in 0..a {
                    let (x, y) = (&self.factor[triangle(b, k)], &self.factor[triangle(a, k)]);
                    for l in 0..LANES {
                        entry[l] = (-x[l]).mul_add(y[l], entry[l]);
                    }
                }
                for l in 0..LANES {
                    entry[l] *= inverse[l];
                }
                self.factor[triangle(b, a)] = entry;
            }
        }
    }

    #[inline(always)]
    fn substitute(&mut self, n: usize) {
        for a in 0..n {
            let mut value = self.solution[a];
            for k in 0..a {
                let (entry, known) = (&self.factor[triangle(a, k)], &self.solution[k]);
                for l in 0..LANES {
                    value[l] = (-entry[l]).mul_add(known[l], value[l]);
                }
            }
            let diagonal = &self.factor[triangle(a, a)];
            for l in 0..LANES {
                value[l] /= diagonal[l];
            }
            self.solution[a] = value;
        }
        for a in (0..n).rev() {
            let mut value = self.solution[a];
            for k in a + 1..n {
                let (entry, known) = (&self.factor[triangle(k, a)], &self.solution[k]);
                for l in 0..LANES {
                    value[l] = (-entry[l]).mul_add(known[l], value[l]);
                }
            }
            let diagonal = &self.factor[triangle(a, a)];
            for l in 0..LANES {
                value[l] /= diagonal[l];
            }
            self.solution[a] = value;
        }
    }
}
