//! Symmetric matrices (`p × p`, row-major) scaled to a unit diagonal.

use super::symmetric_eigen;

/// The rows and columns `open` of a symmetric matrix (`p × p`), each divided by its scale.
pub(crate) fn scaled(matrix: &[f64], p: usize, open: &[usize], scale: &[f64]) -> Vec<f64> {
    let row = |(a, &j): (usize, &usize)| {
        let entries = open.iter().zip(scale);
        let of = scale[a];
        entries.map(move |(&k, s)| matrix[j * p + k] / (of * s))
    };
    open.iter().enumerate().flat_map(row).collect()
}

/// Condition number of the Jacobian, columns scaled to length one, from its normal matrix.
pub(crate) fn scaled_condition(normal: &[f64], p: usize, open: &[usize]) -> f64 {
    let n = open.len();
    if n == 0 {
        return 1.0;
    }
    let scale: Vec<f64> = open.iter().map(|&j| normal[j * p + j].sqrt()).collect();
    if scale.iter().any(|&s| s.is_nan() || s <= 0.0) {
        return f64::INFINITY;
    }
    let matrix = scaled(normal, p, open, &scale);
    let (values, _) = symmetric_eigen(&matrix, n);
    let (low, high) = (values[0], values[n - 1]);
    if low > 0.0 {
        (high / low).sqrt()
    } else {
        f64::INFINITY
    }
}
