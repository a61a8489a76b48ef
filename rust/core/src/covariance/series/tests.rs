//! The moments of the test against the projection written out as a matrix.

use super::*;
use crate::linalg::cholesky_inverse;
use proptest::prelude::*;

const N: usize = 9;
const K: usize = 3;

fn product(a: &[f64], b: &[f64]) -> Vec<f64> {
    let entry = |i: usize| (0..N).map(|k| a[i / N * N + k] * b[k * N + i % N]).sum();
    (0..N * N).map(entry).collect()
}

fn trace(a: &[f64]) -> f64 {
    (0..N).map(|i| a[i * N + i]).sum()
}

proptest! {
    /// The slow twin: the same moments from the projection written out as a matrix.
    #[test]
    fn moments_are_those_of_the_projection(
        error in prop::collection::vec(-1.0f64..1.0, N),
        gradient in prop::collection::vec(-1.0f64..1.0, N * K),
    ) {
        let mut series = Series {
            open: (0..K).collect(),
            error: error.clone(),
            gradient: gradient.clone(),
            ..Series::default()
        };
        let g = |t: usize, j: usize| gradient[t * K + j];
        let mut normal: Vec<f64> = (0..K * K)
            .map(|i| (0..N).map(|t| g(t, i / K) * g(t, i % K)).sum())
            .collect();
        prop_assume!(cholesky_in_place(&mut normal, K).is_ok());
        prop_assume!((0..K).all(|j| normal[j * K + j] > 0.3));
        let inverse = cholesky_inverse(&normal, K);
        let hat = |s: usize, t: usize| -> f64 {
            (0..K * K).map(|i| g(s, i / K) * inverse[i] * g(t, i % K)).sum()
        };
        let identity = |s: usize, t: usize| f64::from(u8::from(s == t));
        let projection: Vec<f64> = (0..N * N)
            .map(|i| identity(i / N, i % N) - hat(i / N, i % N))
            .collect();
        let beside: Vec<f64> = (0..N * N)
            .map(|i| if (i / N).abs_diff(i % N) == 1 { 0.5 } else { 0.0 })
            .collect();
        let seen = product(&projection, &beside);
        let freedom = (N - K) as f64;
        let (first, second) = (trace(&seen), trace(&product(&seen, &seen)));
        let variance = 2.0 * (second - first * first / freedom) / (freedom * (freedom + 2.0));
        let lagged: f64 = error.windows(2).map(|pair| pair[0] * pair[1]).sum();
        let total: f64 = error.iter().map(|e| e * e).sum();
        let correlation = lagged / total - first / freedom;
        prop_assert!(series.measure());
        prop_assert!((series.correlation - correlation).abs() < 1e-9);
        prop_assert!((series.deviate - correlation / variance.sqrt()).abs() < 1e-7);
    }
}
