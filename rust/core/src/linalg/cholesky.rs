//! Cholesky factor of a small positive definite matrix: `A = L Lᵀ`, row-major, lower triangle.

use super::triangle::{solve_lower, solve_lower_transposed};

/// Replaces the lower triangle of the row-major symmetric `a` (`n × n`) by its Cholesky factor; the strict upper
/// triangle becomes zero. `Err(k)` names the first pivot that is not positive.
pub fn cholesky_in_place(a: &mut [f64], n: usize) -> Result<(), usize> {
    for j in 0..n {
        let mut pivot = a[j * n + j];
        for k in 0..j {
            pivot -= a[j * n + k] * a[j * n + k];
        }
        if !(pivot > 0.0 && pivot.is_finite()) {
            return Err(j);
        }
        let root = pivot.sqrt();
        a[j * n + j] = root;
        for i in j + 1..n {
            let mut sum = a[i * n + j];
            for k in 0..j {
                sum -= a[i * n + k] * a[j * n + k];
            }
            a[i * n + j] = sum / root;
            a[j * n + i] = 0.0;
        }
    }
    Ok(())
}

/// Solves `L Lᵀ x = b` in place.
pub fn cholesky_solve(l: &[f64], n: usize, b: &mut [f64]) {
    solve_lower(l, n, b);
    solve_lower_transposed(l, n, b);
}

/// The inverse of `L Lᵀ`, row-major `n × n`, exactly symmetric.
pub fn cholesky_inverse(l: &[f64], n: usize) -> Vec<f64> {
    let mut inverse = vec![0.0; n * n];
    cholesky_inverse_into(l, n, &mut inverse, &mut vec![0.0; n]);
    inverse
}

/// The same into memory at hand: `n × n`, and `n` for a column.
pub fn cholesky_inverse_into(l: &[f64], n: usize, inverse: &mut [f64], column: &mut [f64]) {
    for j in 0..n {
        column.fill(0.0);
        column[j] = 1.0;
        cholesky_solve(l, n, column);
        for i in j..n {
            inverse[i * n + j] = column[i];
            inverse[j * n + i] = column[i];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_the_pivot_that_fails() {
        assert_eq!(cholesky_in_place(&mut [1.0, 2.0, 2.0, 1.0], 2), Err(1));
        assert_eq!(cholesky_in_place(&mut [f64::NAN], 1), Err(0));
    }

    proptest! {
        #[test]
        fn inverse_times_matrix_is_the_identity(entries in prop::collection::vec(-1.0f64..1.0, 25)) {
            let n = 5;
            let mut a = vec![0.0; n * n];
            for i in 0..n {
                for j in 0..n {
                    a[i * n + j] = (0..n).map(|k| entries[i * n + k] * entries[j * n + k]).sum::<f64>();
                }
                a[i * n + i] += 0.1;
            }
            let mut l = a.clone();
            cholesky_in_place(&mut l, n).unwrap();
            let inverse = cholesky_inverse(&l, n);
            for i in 0..n {
                for j in 0..n {
                    let product: f64 = (0..n).map(|k| a[i * n + k] * inverse[k * n + j]).sum();
                    prop_assert!((product - f64::from(u8::from(i == j))).abs() < 1e-11);
                }
            }
        }
    }
}
