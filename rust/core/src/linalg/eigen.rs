//! Eigenvalues of a small symmetric matrix and singular values of a small square one, by Jacobi rotations.
//!
//! Jacobi is slower than tridiagonal QR but finds small eigenvalues of well-scaled matrices to high relative
//! accuracy (Demmel & Veselić 1992), which the condition number needs.

use super::vector::{dot, norm};

/// Sweeps after which Jacobi has always converged quadratically for sizes up to 16 (Golub & Van Loan 8.5.2).
const MAX_SWEEPS: usize = 60;

/// Eigenvalues in ascending order and eigenvectors of the row-major symmetric `a` (`n × n`): component `i` of the
/// vector that belongs to value `k` stands at `vectors[i * n + k]`. Values are NaN where `a` is not finite.
pub fn symmetric_eigen(a: &[f64], n: usize) -> (Vec<f64>, Vec<f64>) {
    let mut work = a.to_vec();
    let mut vectors = vec![0.0; n * n];
    for i in 0..n {
        vectors[i * n + i] = 1.0;
    }
    if a.iter().any(|x| !x.is_finite()) {
        return (vec![f64::NAN; n], vectors);
    }
    for _ in 0..MAX_SWEEPS {
        let mut rotated = false;
        for p in 0..n {
            for q in p + 1..n {
                rotated |= rotate(&mut work, &mut vectors, n, p, q);
            }
        }
        if !rotated {
            break;
        }
    }
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|&i, &j| work[i * n + i].total_cmp(&work[j * n + j]).then(i.cmp(&j)));
    let values = order.iter().map(|&k| work[k * n + k]).collect();
    let mut sorted = vec![0.0; n * n];
    for (to, &from) in order.iter().enumerate() {
        for i in 0..n {
            sorted[i * n + to] = vectors[i * n + from];
        }
    }
    (values, sorted)
}

/// Cosine and sine that annihilate the off-diagonal `apq` (Golub & Van Loan 8.5.2).
fn rotation(app: f64, aqq: f64, apq: f64) -> (f64, f64) {
    let theta = (aqq - app) / (2.0 * apq);
    let t = if theta.is_infinite() {
        0.0
    } else {
        theta.signum() / (theta.abs() + (theta * theta + 1.0).sqrt())
    };
    let c = 1.0 / (t * t + 1.0).sqrt();
    (c, t * c)
}

/// One rotation of rows and columns `p`, `q`; false where the entry is already negligible.
fn rotate(a: &mut [f64], vectors: &mut [f64], n: usize, p: usize, q: usize) -> bool {
    let apq = a[p * n + q];
    let size = (a[p * n + p].abs() * a[q * n + q].abs()).sqrt();
    if apq.abs() <= f64::EPSILON * size || apq.abs() < f64::MIN_POSITIVE {
        a[p * n + q] = 0.0;
        a[q * n + p] = 0.0;
        return false;
    }
    let (c, s) = rotation(a[p * n + p], a[q * n + q], apq);
    for k in 0..n {
        let (x, y) = (a[k * n + p], a[k * n + q]);
        a[k * n + p] = c * x - s * y;
        a[k * n + q] = s * x + c * y;
    }
    for k in 0..n {
        let (x, y) = (a[p * n + k], a[q * n + k]);
        a[p * n + k] = c * x - s * y;
        a[q * n + k] = s * x + c * y;
        let (x, y) = (vectors[k * n + p], vectors[k * n + q]);
        vectors[k * n + p] = c * x - s * y;
        vectors[k * n + q] = s * x + c * y;
    }
    a[p * n + q] = 0.0;
    a[q * n + p] = 0.0;
    true
}

/// Singular values, largest first, of `columns` (column-major, `m` rows), by one-sided Jacobi: columns are rotated
/// in pairs until they are orthogonal (Hestenes 1958). NaN where an entry is not finite.
pub fn singular_values(columns: &[f64], m: usize, n: usize) -> Vec<f64> {
    let mut work = columns.to_vec();
    if columns.iter().any(|x| !x.is_finite()) {
        return vec![f64::NAN; n];
    }
    for _ in 0..MAX_SWEEPS {
        let mut rotated = false;
        for p in 0..n {
            for q in p + 1..n {
                let (head, tail) = work.split_at_mut(q * m);
                let (x, y) = (&mut head[p * m..(p + 1) * m], &mut tail[..m]);
                let (xx, yy, xy) = (dot(x, x), dot(y, y), dot(x, y));
                if xy.abs() <= f64::EPSILON * (xx * yy).sqrt() {
                    continue;
                }
                rotated = true;
                let (c, s) = rotation(xx, yy, xy);
                for (x, y) in x.iter_mut().zip(y.iter_mut()) {
                    (*x, *y) = (c * *x - s * *y, s * *x + c * *y);
                }
            }
        }
        if !rotated {
            break;
        }
    }
    let mut values: Vec<f64> = work.chunks_exact(m.max(1)).map(norm).collect();
    values.sort_by(|a, b| b.total_cmp(a));
    values
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn eigenvalues_of_the_second_difference_matrix() {
        // 2 − 2 cos(kπ/5), k = 1..4: (3 ∓ √5)/2 and (5 ∓ √5)/2.
        let n = 4;
        let mut a = vec![0.0; n * n];
        for i in 0..n {
            a[i * n + i] = 2.0;
            if i + 1 < n {
                a[i * n + i + 1] = -1.0;
                a[(i + 1) * n + i] = -1.0;
            }
        }
        let (values, _) = symmetric_eigen(&a, n);
        let root = 5.0f64.sqrt();
        let expected = [
            (3.0 - root) / 2.0,
            (5.0 - root) / 2.0,
            (3.0 + root) / 2.0,
            (5.0 + root) / 2.0,
        ];
        for (value, expected) in values.iter().zip(expected) {
            assert!((value - expected).abs() < 1e-14, "{value} {expected}");
        }
    }

    #[test]
    fn small_singular_values_of_a_graded_matrix_are_accurate() {
        // Upper triangular with singular values of product 1e-12 (the determinant).
        let columns = [1.0, 0.0, 1.0, 1e-12];
        let values = singular_values(&columns, 2, 2);
        assert!((values[0] * values[1] / 1e-12 - 1.0).abs() < 1e-12);
        assert!((values[0] - 2.0f64.sqrt()).abs() < 1e-12);
    }

    proptest! {
        #[test]
        fn vectors_rebuild_the_matrix_and_are_orthonormal(entries in prop::collection::vec(-1.0f64..1.0, 36)) {
            let n = 6;
            let a: Vec<f64> = (0..n * n).map(|k| entries[k] + entries[(k % n) * n + k / n]).collect();
            let (values, v) = symmetric_eigen(&a, n);
            prop_assert!(values.windows(2).all(|w| w[0] <= w[1]));
            for i in 0..n {
                for j in 0..n {
                    let rebuilt: f64 = (0..n).map(|k| v[i * n + k] * values[k] * v[j * n + k]).sum();
                    prop_assert!((rebuilt - a[i * n + j]).abs() < 1e-12);
                    let inner: f64 = (0..n).map(|k| v[k * n + i] * v[k * n + j]).sum();
                    prop_assert!((inner - f64::from(u8::from(i == j))).abs() < 1e-12);
                }
            }
        }

        #[test]
        fn squared_singular_values_sum_to_the_squared_entries(entries in prop::collection::vec(-1.0f64..1.0, 12)) {
            let values = singular_values(&entries, 4, 3);
            let total: f64 = values.iter().map(|s| s * s).sum();
            prop_assert!((total - dot(&entries, &entries)).abs() < 1e-12);
        }
    }
}
