//! Dense linear algebra for a handful of parameters (up to about 16 columns): Cholesky, symmetric eigenvalues by
//! Jacobi rotations, Householder QR with column scaling and pivoting.
//!
//! Square matrices are row-major slices `n × n`; tall matrices (`m` rows, `n` columns) are column-major. Only
//! arithmetic and square roots in a fixed order, so the same input gives the same bits everywhere.
//! Sources: Golub & Van Loan, Matrix Computations (4th ed.), 4.2 (Cholesky), 5.1–5.5 (QR), 8.5 (Jacobi).

#![allow(
    clippy::needless_range_loop,
    reason = "matrix indices read as in the textbook"
)]

mod cholesky;
mod eigen;
mod qr;

pub use cholesky::{cholesky_in_place, cholesky_inverse, cholesky_inverse_into, cholesky_solve};
pub use eigen::{singular_values, symmetric_eigen};
pub use qr::Qr;

/// Sum of products over eight fixed lanes, so that long columns vectorise and the order never changes.
pub fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut lanes = [0.0f64; 8];
    let (a_chunks, b_chunks) = (a.chunks_exact(8), b.chunks_exact(8));
    for (lane, (x, y)) in a_chunks
        .remainder()
        .iter()
        .zip(b_chunks.remainder())
        .enumerate()
    {
        lanes[lane] = x * y;
    }
    for (x, y) in a_chunks.zip(b_chunks) {
        for lane in 0..8 {
            lanes[lane] += x[lane] * y[lane];
        }
    }
    ((lanes[0] + lanes[4]) + (lanes[2] + lanes[6]))
        + ((lanes[1] + lanes[5]) + (lanes[3] + lanes[7]))
}

/// Euclidean length, safe from overflow and underflow.
pub fn norm(a: &[f64]) -> f64 {
    let largest = a.iter().fold(0.0f64, |m, x| m.max(x.abs()));
    if largest == 0.0 || !largest.is_finite() {
        return if a.iter().any(|x| x.is_nan()) {
            f64::NAN
        } else {
            largest
        };
    }
    let scale = power_of_two_near(largest);
    let inverse = 1.0 / scale;
    let squares = a
        .iter()
        .fold(0.0, |sum, x| sum + (x * inverse) * (x * inverse));
    if squares.is_nan() {
        f64::NAN
    } else {
        scale * squares.sqrt()
    }
}

/// The power of two with the exponent of `x > 0`, kept where its reciprocal is finite too: scaling by it is exact.
pub(crate) fn power_of_two_near(x: f64) -> f64 {
    let exponent = ((x.to_bits() >> 52) & 0x7ff).clamp(2, 2044);
    f64::from_bits(exponent << 52)
}

/// Solves `L x = b` in place; `L` is lower triangular, row-major `n × n`.
pub fn solve_lower(l: &[f64], n: usize, b: &mut [f64]) {
    for i in 0..n {
        let mut sum = b[i];
        for j in 0..i {
            sum -= l[i * n + j] * b[j];
        }
        b[i] = sum / l[i * n + i];
    }
}

/// Solves `Lᵀ x = b` in place; `L` is lower triangular, row-major `n × n`.
pub fn solve_lower_transposed(l: &[f64], n: usize, b: &mut [f64]) {
    for i in (0..n).rev() {
        let mut sum = b[i];
        for j in i + 1..n {
            sum -= l[j * n + i] * b[j];
        }
        b[i] = sum / l[i * n + i];
    }
}

/// Solves `R x = b` in place; `R` is upper triangular, row-major `n × n`, of which the leading `rank` block is used.
pub fn solve_upper(r: &[f64], n: usize, rank: usize, b: &mut [f64]) {
    for i in (0..rank).rev() {
        let mut sum = b[i];
        for j in i + 1..rank {
            sum -= r[i * n + j] * b[j];
        }
        b[i] = sum / r[i * n + i];
    }
}

/// `aᵀ M a` for a row-major symmetric `n × n` matrix `M`.
pub fn quadratic_form(matrix: &[f64], a: &[f64]) -> f64 {
    let n = a.len();
    (0..n)
        .map(|i| a[i] * dot(&matrix[i * n..(i + 1) * n], a))
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dot_and_norm_of_known_vectors() {
        let a: Vec<f64> = (1..=19).map(f64::from).collect();
        assert_eq!(dot(&a, &a), 2470.0);
        assert!((norm(&[3e200, 4e200]) / 5e200 - 1.0).abs() < 1e-15);
        assert!((norm(&[3e-200, 4e-200]) / 5e-200 - 1.0).abs() < 1e-15);
        assert_eq!(norm(&[0.0; 3]), 0.0);
        assert!(norm(&[1.0, f64::NAN]).is_nan());
    }

    #[test]
    fn triangular_solves_invert_their_products() {
        let l = [2.0, 0.0, 0.0, 1.0, 3.0, 0.0, -1.0, 0.5, 4.0];
        let mut b = [2.0, 7.0, 12.0];
        solve_lower(&l, 3, &mut b);
        assert_eq!(b, [1.0, 2.0, 3.0]);
        let mut c = [1.0, 7.5, 12.0];
        solve_lower_transposed(&l, 3, &mut c);
        assert_eq!(c, [1.0, 2.0, 3.0]);
        let r = [2.0, 1.0, -1.0, 0.0, 3.0, 0.5, 0.0, 0.0, 4.0];
        let mut d = [1.0, 7.5, 12.0];
        solve_upper(&r, 3, 3, &mut d);
        assert_eq!(d, [1.0, 2.0, 3.0]);
    }
}
