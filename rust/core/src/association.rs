//! How two columns of runs go together: correlation, rank correlation, and the trend of a ratio.
//!
//! Stage: diagnostics of a design. In: columns of `m` rows. Out: plain numbers. Sums are rounded once ([`exact`]), so they
//! depend on no order.

use scalefast_expr::math;

use crate::exact;

/// Pearson's correlation without its sign; 0 where one of them does not vary.
pub fn correlation(first: &[f64], second: &[f64]) -> f64 {
    let (x, y) = (centred(first), centred(second));
    let scale = (dot(&x, &x) * dot(&y, &y)).sqrt();
    if scale > 0.0 {
        dot(&x, &y).abs() / scale
    } else {
        0.0
    }
}

/// The correlation of the logarithms of what is positive; columns that are not positive throughout are taken as they are.
///
/// ```
/// use scalefast_core::association::log_correlation;
/// let found = log_correlation(&[1.0, 10.0, 100.0], &[2.0, 20.0, 200.0]);
/// assert!((found - 1.0).abs() < 1e-12);
/// ```
pub fn log_correlation(first: &[f64], second: &[f64]) -> f64 {
    correlation(&logarithms(first), &logarithms(second))
}

/// Spearman's correlation without its sign.
pub fn rank_correlation(first: &[f64], second: &[f64]) -> f64 {
    correlation(&ranks(first), &ranks(second))
}

/// The sum of the logarithms of the columns, row by row: the scale of a run. Columns that are not positive throughout are
/// taken as they are.
pub fn scale(columns: &[&[f64]], rows: usize) -> Vec<f64> {
    let mut total = vec![0.0; rows];
    for column in columns {
        let logs = logarithms(column);
        total
            .iter_mut()
            .zip(&logs)
            .for_each(|(sum, log)| *sum += log);
    }
    total
}

/// How a ratio changes over the range of `scale`: the factor (≥ 1) between its ends on the line of least squares through the
/// logarithms, and whether it rises. `None` where the scale does not vary or a ratio has no logarithm.
pub fn trend(scale: &[f64], value: &[f64]) -> Option<(f64, bool)> {
    let logs = logarithms(scale);
    let ratios: Vec<f64> = value.iter().zip(scale).map(|(v, s)| v / s).collect();
    let ratio = logarithms(&ratios);
    let spread = centred(&logs);
    let squares = dot(&spread, &spread);
    if !(squares > 0.0 && squares < f64::INFINITY) || ratio.iter().any(|r| !r.is_finite()) {
        return None;
    }
    let slope = dot(&spread, &ratio) / squares;
    let (low, high) = logs
        .iter()
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), &x| {
            (low.min(x), high.max(x))
        });
    Some((math::exp(slope.abs() * (high - low)), slope > 0.0))
}

/// Ranks from 1; equals share the mean of theirs.
pub fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
    let mut found = vec![0.0; values.len()];
    let mut passed = 0;
    for equals in order.chunk_by(|&a, &b| values[a] == values[b]) {
        let rank = passed as f64 + 0.5 * (equals.len() + 1) as f64;
        equals.iter().for_each(|&row| found[row] = rank);
        passed += equals.len();
    }
    found
}

fn logarithms(values: &[f64]) -> Vec<f64> {
    if values.iter().all(|&value| value > 0.0) {
        values.iter().map(|&value| math::ln(value)).collect()
    } else {
        values.to_vec()
    }
}

fn centred(values: &[f64]) -> Vec<f64> {
    let mean = exact::sum(values.iter().copied()) / values.len() as f64;
    values.iter().map(|value| value - mean).collect()
}

fn dot(first: &[f64], second: &[f64]) -> f64 {
    exact::sum(first.iter().zip(second).map(|(x, y)| x * y))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Anscombe 1973, first set: r = 0.81642051634484 (`scipy.stats.pearsonr`), ρ = 0.81818181818182 (`spearmanr`).
    #[test]
    fn published_correlations_hold() {
        let x = [10.0, 8.0, 13.0, 9.0, 11.0, 14.0, 6.0, 4.0, 12.0, 7.0, 5.0];
        let y = [
            8.04, 6.95, 7.58, 8.81, 8.33, 9.96, 7.24, 4.26, 10.84, 4.82, 5.68,
        ];
        assert!((correlation(&x, &y) - 0.81642051634484).abs() < 1e-13);
        assert!((rank_correlation(&x, &y) - 0.818_181_818_181_818).abs() < 1e-13);
        let down: Vec<f64> = y.iter().map(|v| -v).collect();
        assert!((correlation(&x, &down) - 0.81642051634484).abs() < 1e-13);
        assert_eq!(correlation(&x, &[3.0; 11]), 0.0);
    }

    #[test]
    fn equals_share_their_ranks() {
        assert_eq!(
            ranks(&[3.0, 1.0, 3.0, -2.0, 3.0]),
            [4.0, 2.0, 4.0, 1.0, 4.0]
        );
        assert_eq!(ranks(&[0.0, -0.0]), [1.5, 1.5]);
        assert!(ranks(&[]).is_empty());
    }

    #[test]
    fn a_power_of_the_scale_is_its_own_trend() {
        let scale: Vec<f64> = (0..9).map(|i| 10f64.powi(i)).collect();
        let value: Vec<f64> = scale.iter().map(|s| 3.0 * s.powf(0.9)).collect();
        let (factor, rises) = trend(&scale, &value).unwrap();
        assert!((factor - 10f64.powf(0.8)).abs() < 1e-9 && !rises);
        assert!(
            trend(
                &scale,
                &scale.iter().map(|s| s.powf(1.1)).collect::<Vec<_>>()
            )
            .unwrap()
            .1
        );
        assert_eq!(trend(&[5.0; 4], &[1.0; 4]), None);
    }

    proptest! {
        #[test]
        fn correlation_lies_between_none_and_one_and_ignores_units(
            rows in prop::collection::vec((-1e3f64..1e3, -1e3f64..1e3), 2..40),
            factor in 0.1f64..10.0,
        ) {
            let (x, y): (Vec<f64>, Vec<f64>) = rows.into_iter().unzip();
            let found = correlation(&x, &y);
            prop_assert!((0.0..=1.0 + 1e-12).contains(&found));
            let other: Vec<f64> = x.iter().map(|v| 7.0 - factor * v).collect();
            prop_assert!((correlation(&y, &other) - found).abs() < 1e-8);
            let total: f64 = ranks(&x).iter().sum();
            prop_assert_eq!(total, (x.len() * (x.len() + 1)) as f64 / 2.0);
        }
    }
}
