//! Triangular systems, solved in place.

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

#[cfg(test)]
mod tests {
    use super::*;

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
