//! Quantiles of a column of draws by selection, never by a full sort: linear interpolation between order statistics
//! (type 7 of Hyndman & Fan 1996, the default of NumPy and Polars).
//!
//! Columns are long and the quantiles few, so only the values near a wanted order statistic are kept and selected from
//! ([`Gatherer`]); a miss costs a selection from the whole column.

mod gather;
mod ordered;

use scalefast_expr::{BLOCK, Kernel};

pub use gather::Gatherer;
pub use ordered::{Ordered, Position, ranks, sorted};

use crate::error::CoreError;

/// Below this length selecting from the whole column is as fast.
pub const BRACKETED_LENGTH: usize = 32_768;

/// Length of the sample from which brackets are read.
pub const SAMPLE_LENGTH: usize = 8192;

/// Refuses probabilities outside [0, 1] (`Settings`, `bad-quantile`).
pub fn validate(probabilities: &[f64]) -> Result<(), CoreError> {
    match probabilities.iter().find(|p| !(0.0..=1.0).contains(*p)) {
        None => Ok(()),
        Some(&p) => {
            let message = format!("a quantile must lie between 0 and 1, not {p}");
            Err(CoreError::settings("bad-quantile", message)
                .with_argument("quantiles")
                .with_value(p))
        }
    }
}

/// Row `k` of an evenly spaced sample of `n` rows.
pub fn sampled_row(k: usize, n: usize) -> usize {
    (2 * k + 1) * n / (2 * SAMPLE_LENGTH)
}

/// The quantiles of `values` at `probabilities` (each in [0, 1]); NaN where `values` is empty or holds a NaN.
pub fn quantiles(values: &[f64], probabilities: &[f64]) -> Vec<f64> {
    let n = values.len();
    if n == 0 || values.iter().fold(false, |any, x| any | x.is_nan()) {
        return vec![f64::NAN; probabilities.len()];
    }
    let kernel = Kernel::detect();
    let gathered = |mut gatherer: Gatherer| {
        for block in values.chunks(BLOCK) {
            gatherer.push(kernel, block);
        }
        gatherer.finish(|n| ranks(probabilities, n))
    };
    let bracketed = (n >= BRACKETED_LENGTH).then(|| {
        let mut sample: Vec<f64> = (0..SAMPLE_LENGTH)
            .map(|k| values[sampled_row(k, n)])
            .collect();
        gathered(Gatherer::bracketed(ranks(probabilities, n), n, &mut sample))
    });
    let found = bracketed.flatten().or_else(|| gathered(Gatherer::whole()));
    found.map_or_else(
        || vec![f64::NAN; probabilities.len()],
        |ordered| ordered.quantiles(probabilities),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::{Random, Stream};
    use proptest::prelude::*;

    fn quantiles_of(values: &[f64], probabilities: &[f64]) -> Vec<f64> {
        quantiles(values, probabilities)
    }

    #[test]
    fn type_seven_by_hand() {
        // numpy.quantile([3, 1, 4, 1, 5], [0, 0.1, 0.5, 0.9, 1])
        let found = quantiles_of(&[3.0, 1.0, 4.0, 1.0, 5.0], &[0.0, 0.1, 0.5, 0.9, 1.0]);
        for (found, expected) in found.iter().zip([1.0, 1.0, 3.0, 4.6, 5.0]) {
            assert!((found - expected).abs() < 1e-15);
        }
        assert_eq!(quantiles_of(&[7.0], &[0.3]), [7.0]);
        assert!(quantiles_of(&[], &[0.5])[0].is_nan());
        assert!(quantiles_of(&[1.0, f64::NAN], &[0.5])[0].is_nan());
        assert_eq!(validate(&[0.5, 1.1]).unwrap_err().code, "bad-quantile");
        assert_eq!(validate(&[f64::NAN]).unwrap_err().code, "bad-quantile");
    }

    #[test]
    fn bracketed_selection_finds_the_sorted_values() {
        let random = Random::new(5, Stream::Noise);
        let n = 100_003;
        let smooth: Vec<f64> = (0..n).map(|i| random.uniform(0, i)).collect();
        let tied: Vec<f64> = smooth.iter().map(|x| (x * 5.0).floor()).collect();
        let rising: Vec<f64> = (0..n).map(|i| i as f64).collect();
        // Large exactly where the sample looks: every bracket misses.
        let mut hostile = smooth.clone();
        for k in 0..SAMPLE_LENGTH {
            hostile[sampled_row(k, n as usize)] += 10.0;
        }
        let probabilities = [0.0, 0.01, 0.05, 0.5, 0.500001, 0.95, 1.0];
        for values in [smooth, tied, rising, hostile] {
            let mut sorted = values.clone();
            sorted.sort_by(f64::total_cmp);
            let found = quantiles_of(&values, &probabilities);
            for (found, p) in found.iter().zip(probabilities) {
                let position = Position::new(p, sorted.len());
                let upper = sorted[(position.below + 1).min(sorted.len() - 1)];
                assert_eq!(*found, position.interpolate(sorted[position.below], upper));
            }
        }
    }

    proptest! {
        #[test]
        fn quantiles_equal_those_of_the_sorted_column(
            values in prop::collection::vec(-1e3f64..1e3, 1..200),
            p in 0.0f64..=1.0,
        ) {
            let mut sorted = values.clone();
            sorted.sort_by(f64::total_cmp);
            let position = Position::new(p, sorted.len());
            let upper = sorted[(position.below + 1).min(sorted.len() - 1)];
            prop_assert_eq!(quantiles_of(&values, &[p])[0], position.interpolate(sorted[position.below], upper));
        }
    }
}
