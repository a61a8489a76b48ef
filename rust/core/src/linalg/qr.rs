//! Householder QR with column scaling and pivoting of a tall matrix: least squares, rank, condition.
//!
//! Columns are first scaled by powers of two (exact) to lengths in [1, 2), so that units of the parameters do not
//! decide the pivots or the rank (Golub & Van Loan 5.4.2; the scaling as in Higham, Accuracy and Stability, 7.3).

use super::eigen::singular_values;
use super::triangle::{solve_lower, solve_lower_transposed, solve_upper};
use super::vector::{dot, norm, power_of_two_near};

/// `A S P = Q R` of a column-major `m × n` matrix: `S` scales columns, `P` permutes them.
#[derive(Clone, Debug)]
pub struct Qr {
    m: usize,
    n: usize,
    /// Householder vectors below and on the diagonal, column-major `m × n`; `R` is kept apart.
    vectors: Vec<f64>,
    /// `R`, row-major `n × n`, upper triangular (rows beyond `m` are zero).
    r: Vec<f64>,
    /// Column `j` of `R` is column `pivots[j]` of the matrix.
    pivots: Vec<usize>,
    /// Column `j` of the matrix was multiplied by `scales[j]`.
    scales: Vec<f64>,
}

impl Qr {
    /// Factors the column-major `columns` (`m × n`).
    pub fn new(columns: &[f64], m: usize, n: usize) -> Qr {
        let mut vectors = columns[..m * n].to_vec();
        let mut scales = vec![1.0; n];
        for (column, scale) in vectors.chunks_exact_mut(m.max(1)).zip(&mut scales) {
            let length = norm(column);
            if length > 0.0 && length.is_finite() {
                *scale = 1.0 / power_of_two_near(length);
                column.iter_mut().for_each(|x| *x *= *scale);
            }
        }
        let mut pivots: Vec<usize> = (0..n).collect();
        let mut r = vec![0.0; n * n];
        for k in 0..n.min(m) {
            // Exact remaining lengths instead of downdated ones: n is small and cancellation would misplace pivots.
            let mut best = (k, -1.0);
            for j in k..n {
                let tail = &vectors[j * m + k..(j + 1) * m];
                let squares = dot(tail, tail);
                if squares > best.1 {
                    best = (j, squares);
                }
            }
            if best.0 != k {
                for i in 0..m {
                    vectors.swap(k * m + i, best.0 * m + i);
                }
                for i in 0..k {
                    r.swap(i * n + k, i * n + best.0);
                }
                pivots.swap(k, best.0);
            }
            let (head, rest) = vectors.split_at_mut((k + 1) * m);
            let v = &mut head[k * m + k..];
            r[k * n + k] = make_reflector(v);
            for (step, column) in rest.chunks_exact_mut(m).enumerate() {
                reflect(v, &mut column[k..]);
                r[k * n + k + 1 + step] = column[k];
            }
        }
        Qr {
            m,
            n,
            vectors,
            r,
            pivots,
            scales,
        }
    }

    /// `R` of the scaled and permuted matrix, row-major `n × n`.
    pub fn r(&self) -> &[f64] {
        &self.r
    }

    /// Column `j` of `R` belongs to column `pivots()[j]` of the matrix.
    pub fn pivots(&self) -> &[usize] {
        &self.pivots
    }

    /// The powers of two by which the columns were multiplied, in the order of the matrix.
    pub fn scales(&self) -> &[f64] {
        &self.scales
    }

    /// Number of leading diagonal entries of `R` above `tolerance` times the first (0 for a zero or NaN matrix).
    pub fn rank(&self, tolerance: f64) -> usize {
        let first = self.r.first().map_or(0.0, |x| x.abs());
        let floor = tolerance * first;
        (0..self.n.min(self.m))
            .take_while(|&k| self.r[k * self.n + k].abs() > floor)
            .count()
    }

    /// A tolerance for `rank`: rounding of the factorisation, `max(m, n) ε`.
    pub fn rounding(&self) -> f64 {
        self.m.max(self.n) as f64 * f64::EPSILON
    }

    /// Ratio of the extreme singular values after scaling every column to length one; infinite when singular.
    pub fn condition(&self) -> f64 {
        let n = self.n;
        if n == 0 {
            return 1.0;
        }
        let mut columns = vec![0.0; n * n];
        for j in 0..n {
            let column = &mut columns[j * n..(j + 1) * n];
            for i in 0..=j {
                column[i] = self.r[i * n + j];
            }
            let length = norm(column);
            if length > 0.0 {
                column.iter_mut().for_each(|x| *x /= length);
            }
        }
        let values = singular_values(&columns, n, n);
        values[0] / values[n - 1]
    }

    /// Overwrites `b` (`m`) by `Qᵀ b`; its first `n` entries go with `R`.
    pub fn apply_transposed_q(&self, b: &mut [f64]) {
        for k in 0..self.n.min(self.m) {
            reflect(
                &self.vectors[k * self.m + k..(k + 1) * self.m],
                &mut b[k..self.m],
            );
        }
    }

    /// The least-squares solution of `A x ≈ b` in the columns that `rank(tolerance)` keeps; the others get 0.
    pub fn solve(&self, b: &[f64], tolerance: f64) -> Vec<f64> {
        let mut work = b[..self.m].to_vec();
        self.apply_transposed_q(&mut work);
        let rank = self.rank(tolerance);
        solve_upper(&self.r, self.n, rank, &mut work);
        let mut x = vec![0.0; self.n];
        for k in 0..rank {
            let column = self.pivots[k];
            x[column] = work[k] * self.scales[column];
        }
        x
    }

    /// `(AᵀA)⁻¹` in the order of the matrix, row-major `n × n`, exactly symmetric; `None` below full rank.
    pub fn inverse_gram(&self, tolerance: f64) -> Option<Vec<f64>> {
        let n = self.n;
        if self.rank(tolerance) < n {
            return None;
        }
        let mut transposed = vec![0.0; n * n];
        for i in 0..n {
            for j in i..n {
                transposed[j * n + i] = self.r[i * n + j];
            }
        }
        let mut inverse = vec![0.0; n * n];
        let mut column = vec![0.0; n];
        for j in 0..n {
            column.fill(0.0);
            column[j] = 1.0;
            solve_lower(&transposed, n, &mut column);
            solve_lower_transposed(&transposed, n, &mut column);
            let (to_j, scale_j) = (self.pivots[j], self.scales[self.pivots[j]]);
            for i in j..n {
                let to_i = self.pivots[i];
                let value = column[i] * self.scales[to_i] * scale_j;
                inverse[to_i * n + to_j] = value;
                inverse[to_j * n + to_i] = value;
            }
        }
        Some(inverse)
    }
}

/// Turns `v` into a Householder vector scaled so that `H = I − v vᵀ`, and returns the entry of `R`.
fn make_reflector(v: &mut [f64]) -> f64 {
    let length = dot(v, v).sqrt();
    if length == 0.0 || !length.is_finite() {
        v.fill(0.0);
        return if length == 0.0 { 0.0 } else { f64::NAN };
    }
    let diagonal = if v[0] > 0.0 { -length } else { length };
    v[0] -= diagonal;
    // vᵀv = 2 (length² + |v₀| length), so dividing by its half's root makes the reflector I − v vᵀ.
    let factor = 1.0 / (v[0].abs() * length).sqrt();
    v.iter_mut().for_each(|x| *x *= factor);
    diagonal
}

/// `x ← (I − v vᵀ) x`.
fn reflect(v: &[f64], x: &mut [f64]) {
    let projection = dot(v, x);
    for (x, v) in x.iter_mut().zip(v) {
        *x -= projection * v;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn vandermonde(m: usize, n: usize) -> Vec<f64> {
        (0..n)
            .flat_map(|j| (0..m).map(move |i| (i as f64 / m as f64).powi(j as i32)))
            .collect()
    }

    #[test]
    fn recovers_a_polynomial_through_an_ill_conditioned_design() {
        let (m, n) = (40, 7);
        let a = vandermonde(m, n);
        let truth = [1.0, -2.0, 3.0, -4.0, 5.0, -6.0, 7.0];
        let b: Vec<f64> = (0..m)
            .map(|i| (0..n).map(|j| a[j * m + i] * truth[j]).sum())
            .collect();
        let qr = Qr::new(&a, m, n);
        assert!(qr.condition() > 1e4);
        let x = qr.solve(&b, qr.rounding());
        for (x, truth) in x.iter().zip(truth) {
            assert!((x - truth).abs() < 1e-9 * truth.abs(), "{x} {truth}");
        }
    }

    #[test]
    fn rank_ignores_units_and_sees_dependence() {
        let (m, n) = (10, 3);
        let mut a = vec![0.0; m * n];
        for i in 0..m {
            let t = i as f64;
            a[i] = 1e-150;
            a[m + i] = t * 1e150;
            a[2 * m + i] = 3.0 - 2.0 * t;
        }
        let qr = Qr::new(&a, m, n);
        assert_eq!(qr.rank(1e-12), 2);
        assert!(qr.inverse_gram(1e-12).is_none());
        assert!(qr.condition() > 1e14);
        a[2 * m] += 1.0;
        assert_eq!(Qr::new(&a, m, n).rank(1e-12), 3);
    }

    #[test]
    fn condition_does_not_depend_on_units() {
        let a = vandermonde(20, 4);
        let mut scaled = a.clone();
        for (j, factor) in [1e-9, 1e12, 3.0, 1e5].iter().enumerate() {
            scaled[j * 20..(j + 1) * 20]
                .iter_mut()
                .for_each(|x| *x *= factor);
        }
        let (plain, other) = (
            Qr::new(&a, 20, 4).condition(),
            Qr::new(&scaled, 20, 4).condition(),
        );
        assert!((plain / other - 1.0).abs() < 1e-9);
    }

    #[test]
    fn wide_and_empty_matrices_are_rank_deficient_without_panic() {
        let qr = Qr::new(&[1.0, 2.0, 3.0], 1, 3);
        assert_eq!(qr.rank(1e-12), 1);
        let x = qr.solve(&[6.0], 1e-12);
        assert_eq!(x[..2], [0.0, 0.0]);
        assert!((x[2] - 2.0).abs() < 1e-15);
        assert_eq!(Qr::new(&[], 0, 2).rank(1e-12), 0);
        assert_eq!(Qr::new(&[f64::NAN, 1.0], 2, 1).rank(1e-12), 0);
    }

    proptest! {
        #[test]
        fn residual_is_orthogonal_and_gram_inverse_fits(
            entries in prop::collection::vec(-1.0f64..1.0, 36),
            b in prop::collection::vec(-1.0f64..1.0, 12),
        ) {
            let (m, n) = (12, 3);
            let qr = Qr::new(&entries, m, n);
            prop_assume!(qr.condition() < 1e6);
            let x = qr.solve(&b, qr.rounding());
            let residual: Vec<f64> =
                (0..m).map(|i| b[i] - (0..n).map(|j| entries[j * m + i] * x[j]).sum::<f64>()).collect();
            let inverse = qr.inverse_gram(qr.rounding()).unwrap();
            for i in 0..n {
                let column = &entries[i * m..(i + 1) * m];
                prop_assert!(dot(column, &residual).abs() < 1e-10);
                for j in 0..n {
                    let product: f64 =
                        (0..n).map(|k| dot(column, &entries[k * m..(k + 1) * m]) * inverse[k * n + j]).sum();
                    prop_assert!((product - f64::from(u8::from(i == j))).abs() < 1e-8);
                }
            }
        }
    }
}
