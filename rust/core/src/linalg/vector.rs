//! Vectors: sums of products in a fixed order, lengths without overflow.

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
}
