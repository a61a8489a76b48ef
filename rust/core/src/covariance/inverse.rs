//! The inverse behind every covariance that comes from sums over rows, and the pivots that it refuses.

use crate::linalg::{cholesky_in_place, cholesky_inverse};

/// The inverse of a symmetric positive definite matrix, scaled to a unit diagonal first; `None` where it is not.
pub(crate) fn scaled_inverse(a: &[f64], p: usize) -> Option<Vec<f64>> {
    let scale: Vec<f64> = (0..p).map(|j| 1.0 / a[j * p + j].sqrt()).collect();
    if scale.iter().any(|s| !(s.is_finite() && *s > 0.0)) {
        return None;
    }
    let mut l: Vec<f64> = (0..p * p)
        .map(|k| a[k] * scale[k / p] * scale[k % p])
        .collect();
    cholesky_in_place(&mut l, p).ok()?;
    // A pivot at the level of rounding says that the inverse would be noise.
    if (0..p).any(|j| l[j * p + j] * l[j * p + j] <= 4.0 * p as f64 * f64::EPSILON) {
        return None;
    }
    let mut inverse = cholesky_inverse(&l, p);
    for (k, x) in inverse.iter_mut().enumerate() {
        *x *= scale[k / p] * scale[k % p];
    }
    Some(inverse)
}
