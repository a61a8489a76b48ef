//! Whether residuals of the best optimum so far still show a pattern: another optimum may then explain it.
//!
//! In: `m` residuals and the columns of a data set. Out: yes or no. A fit of the right law at the wrong optimum leaves
//! residuals that keep their sign over stretches of a variable; so does a wrong law at its best optimum. Either way the
//! search asks its starts for more evidence before it ends.

use crate::dataset::Dataset;

/// Distinct values of a variable below which its residuals say nothing.
const DISTINCT: usize = 12;
/// Standard deviations by which sign changes fall short of those of independent residuals.
const SHORT: f64 = 2.0;

/// Whether the residuals change their sign too rarely along one of the variables.
pub(super) fn patterned(residuals: &[f64], data: &Dataset<'_>) -> bool {
    data.columns
        .iter()
        .any(|column| changes_rarely(residuals, column))
}

/// The runs test of the signs of residuals ordered by a variable; rows of one value count once, by their sum.
fn changes_rarely(residuals: &[f64], column: &[f64]) -> bool {
    let mut order: Vec<usize> = (0..column.len()).collect();
    order.sort_by(|&a, &b| column[a].total_cmp(&column[b]));
    let sums: Vec<f64> = order
        .chunk_by(|&a, &b| column[a] == column[b])
        .map(|rows| rows.iter().map(|&row| residuals[row]).sum())
        .collect();
    if sums.len() < DISTINCT {
        return false;
    }
    let pairs = (sums.len() - 1) as f64;
    let changes = sums
        .windows(2)
        .filter(|pair| (pair[0] < 0.0) != (pair[1] < 0.0))
        .count() as f64;
    changes < 0.5 * pairs - SHORT * 0.5 * pairs.sqrt()
}

#[cfg(test)]
mod tests {
    use super::changes_rarely;
    use crate::rng::{Random, Stream};

    #[test]
    fn a_wave_is_a_pattern_and_noise_is_none() {
        let x: Vec<f64> = (0..40).map(f64::from).collect();
        let wave: Vec<f64> = x.iter().map(|x| (0.3 * x).sin()).collect();
        assert!(changes_rarely(&wave, &x));
        let random = Random::new(7, Stream::Starts);
        let noisy = (0..200u32).filter(|&trial| {
            let noise: Vec<f64> = (0..40u64).map(|i| random.uniform(trial, i) - 0.5).collect();
            changes_rarely(&noise, &x)
        });
        assert!(noisy.count() < 15);
    }

    #[test]
    fn the_order_of_rows_does_not_matter() {
        let x: Vec<f64> = (0..40).map(|i| f64::from(i / 2)).collect();
        let wave: Vec<f64> = x.iter().map(|x| (0.5 * x).sin()).collect();
        let back = |values: &[f64]| values.iter().rev().copied().collect::<Vec<f64>>();
        assert!(changes_rarely(&wave, &x) && changes_rarely(&back(&wave), &back(&x)));
    }

    #[test]
    fn few_values_say_nothing() {
        assert!(!changes_rarely(
            &[1.0; 11],
            &[0.0, 1., 2., 3., 4., 5., 6., 7., 8., 9., 10.]
        ));
    }
}
