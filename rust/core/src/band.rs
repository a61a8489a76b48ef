//! Intervals of predictions: of the law itself, of another row, of a new run.
//!
//! Stage: after a fit. In: predictions (`m` points) with the interval of the law there, and the residuals of the fit. Out: the
//! two ends at each point. Widths are combined on the residual's own scale (`ln L` under the log residual, else `L`): the
//! uncertainty of the law and the scatter of a datum are independent, so each side of the interval is the root of the sum
//! of their squares. That is exact for normal errors, and where either of the two is nothing.
//!
//! Sources: Seber & Wild 2003, *Nonlinear Regression*, 5.1 (delta method, prediction); Hyndman & Fan 1996, type 6 (quantiles
//! that a new value exceeds with the stated probability); pure error from replicates, Draper & Smith 1998, 2.1.

use std::collections::HashMap;

use scalefast_expr::math;

use crate::dataset::Dataset;
use crate::error::CoreError;
use crate::fit::{Fit, FitSpec};
use crate::inference::row_statistics;
use crate::rng::normal_quantile;
use crate::student::two_sided_quantile;

/// Whose scatter is asked for.
#[derive(Clone, Copy, Debug)]
pub enum Datum<'a> {
    /// One more row like those of the data: it differs from the law also by what the law does not describe.
    Row,
    /// A repeat of a run, given the number of each row's run; `None` where every row is a run.
    Repeat(Option<&'a [u32]>),
}

/// How a datum scatters about the law on the residual's scale: quantiles of datum minus prediction.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scatter {
    /// Lower end of the interval of the level asked for.
    pub lower: f64,
    /// Median; zero for normal scatter.
    pub middle: f64,
    /// Upper end.
    pub upper: f64,
    /// `normal`, `known-noise`, `empirical` or `repeated-runs`.
    pub method: &'static str,
}

impl Scatter {
    fn symmetric(half: f64, method: &'static str) -> Self {
        Scatter {
            lower: -half,
            middle: 0.0,
            upper: half,
            method,
        }
    }

    /// Noise of standard deviation one, in whose units the residuals are.
    pub fn known(level: f64) -> Self {
        Scatter::symmetric(normal_quantile(0.5 + 0.5 * level), "known-noise")
    }

    /// Normal scatter about a fit by squared loss: the weighted mean square of the residuals over `m − p`, at the quantile of
    /// Student's t. A new row has the mean weight, so a common factor of the weights changes nothing.
    ///
    /// # Errors
    /// `no-degrees-of-freedom`.
    pub fn normal(
        residuals: &[f64],
        weights: Option<&[f64]>,
        p: usize,
        level: f64,
    ) -> Result<Self, CoreError> {
        let weight = |i: usize| weights.map_or(1.0, |w| w[i]);
        let rows = (0..residuals.len()).filter(|&i| weight(i) > 0.0).count();
        if rows <= p {
            return Err(no_scatter(rows, p + 1));
        }
        let total: f64 = (0..residuals.len()).map(weight).sum();
        let squares: f64 = residuals
            .iter()
            .enumerate()
            .map(|(i, r)| weight(i) * r * r)
            .sum();
        let variance = squares / total * (rows as f64 / (rows - p) as f64);
        let half = variance.sqrt() * two_sided_quantile(level, rows - p);
        Ok(Scatter::symmetric(half, "normal"))
    }

    /// The quantiles of the residuals themselves, rows counted by weight, stretched by √(m/(m − p)) to the spread of the
    /// noise. Residuals are prediction minus datum.
    ///
    /// # Errors
    /// `too-few-residuals` where so few rows cannot hold the quantile.
    pub fn empirical(
        residuals: &[f64],
        weights: Option<&[f64]>,
        p: usize,
        level: f64,
    ) -> Result<Self, CoreError> {
        let mut rows: Vec<(f64, f64)> = residuals
            .iter()
            .enumerate()
            .map(|(i, r)| (-r, weights.map_or(1.0, |w| w[i])))
            .filter(|(_, w)| *w > 0.0)
            .collect();
        let m = rows.len();
        let tail = 0.5 - 0.5 * level;
        let least = (1.0 / tail - 1e-9).ceil() as usize - 1;
        if m <= p || m < least {
            return Err(no_scatter(m, least.max(p + 1)));
        }
        rows.sort_by(|a, b| a.0.total_cmp(&b.0));
        let stretch = (m as f64 / (m - p) as f64).sqrt();
        Ok(Scatter {
            lower: stretch * weighted_quantile(&rows, tail),
            middle: stretch * weighted_quantile(&rows, 0.5),
            upper: stretch * weighted_quantile(&rows, 1.0 - tail),
            method: "empirical",
        })
    }

    /// The scatter of runs at the same design point: the pooled variance of the mean residual of each run about the mean of
    /// its point, at the quantile of Student's t. `points` and `runs` number the design point and the run of each row.
    ///
    /// # Errors
    /// `no-repeats` where no point has two runs.
    pub fn of_runs(
        residuals: &[f64],
        points: &[u32],
        runs: &[u32],
        level: f64,
    ) -> Result<Self, CoreError> {
        let mut rows: Vec<(u32, u32, f64)> = residuals
            .iter()
            .zip(points.iter().zip(runs))
            .map(|(&r, (&point, &run))| (point, run, r))
            .collect();
        rows.sort_by_key(|&(point, run, _)| (point, run));
        let means: Vec<(u32, f64)> = rows
            .chunk_by(|a, b| (a.0, a.1) == (b.0, b.1))
            .map(|run| (run[0].0, mean(run.iter().map(|row| row.2))))
            .collect();
        let (mut squares, mut freedom) = (0.0, 0);
        for point in means.chunk_by(|a, b| a.0 == b.0) {
            let centre = mean(point.iter().map(|run| run.1));
            squares += point
                .iter()
                .map(|run| (run.1 - centre) * (run.1 - centre))
                .sum::<f64>();
            freedom += point.len() - 1;
        }
        if freedom == 0 {
            return Err(CoreError::settings(
                "no-repeats",
                "no design point has several runs, so how much one run differs from the next is not known",
            )
            .with_hint("train some sizes twice with another seed, or ask for the interval `prediction`"));
        }
        let half = (squares / freedom as f64).sqrt() * two_sided_quantile(level, freedom);
        Ok(Scatter::symmetric(half, "repeated-runs"))
    }
}

/// The scatter about a fit, in units of the known standard deviations where the data have such.
///
/// # Errors
/// Those of the compiler; `too-few-residuals`, `no-repeats`.
pub fn scatter(
    spec: &FitSpec,
    fit: &Fit,
    data: &Dataset<'_>,
    datum: Datum<'_>,
    level: f64,
) -> Result<Scatter, CoreError> {
    let known = data.sigma().is_some();
    if known && fit.loss.is_squared() && matches!(datum, Datum::Row) {
        return Ok(Scatter::known(level));
    }
    let mut residuals = row_statistics(spec, fit, data)?.residual;
    if let Some(sigma) = data.sigma() {
        residuals.iter_mut().zip(sigma).for_each(|(r, s)| *r /= s);
    }
    let weights = data.weights.as_deref();
    let p = fit.at_bound.iter().filter(|&&bound| !bound).count();
    match datum {
        Datum::Row if fit.loss.is_squared() => Scatter::normal(&residuals, weights, p, level),
        Datum::Row => Scatter::empirical(&residuals, weights, p, level),
        Datum::Repeat(runs) => {
            let used: Vec<usize> = (0..data.len()).filter(|&i| data.weight(i) > 0.0).collect();
            let columns: Vec<&[f64]> = spec
                .variables
                .iter()
                .filter_map(|name| data.column(name))
                .collect();
            let points = point_numbers(&columns, data.len());
            let run = |i: usize| runs.map_or(i as u32, |runs| runs[i]);
            let pick = |f: &dyn Fn(usize) -> u32| used.iter().map(|&i| f(i)).collect::<Vec<u32>>();
            let kept: Vec<f64> = used.iter().map(|&i| residuals[i]).collect();
            Scatter::of_runs(&kept, &pick(&|i| points[i]), &pick(&run), level)
        }
    }
}

/// The ends at each point of `quantile` standard errors to either side of `values`: of their logarithm where `log` is set.
pub fn of_errors(
    values: &[f64],
    std_errors: &[f64],
    quantile: f64,
    log: bool,
) -> (Vec<f64>, Vec<f64>) {
    values
        .iter()
        .zip(std_errors)
        .map(|(&value, &error)| {
            if log {
                let factor = math::exp(quantile * error / value);
                (value / factor, value * factor)
            } else {
                (value - quantile * error, value + quantile * error)
            }
        })
        .unzip()
}

/// The interval of a datum from that of the law (`lower`, `upper`) and its scatter (lower end, median, upper end), in units of
/// `sigma` where it is given.
pub fn with_scatter(
    values: &[f64],
    (lower, upper): (&[f64], &[f64]),
    (low, middle, high): (f64, f64, f64),
    sigma: Option<&[f64]>,
    log: bool,
) -> (Vec<f64>, Vec<f64>) {
    let scale = |x: f64| if log { math::ln(x) } else { x };
    let back = |x: f64| if log { math::exp(x) } else { x };
    (0..values.len())
        .map(|i| {
            let unit = sigma.map_or(1.0, |s| s[i]);
            let value = scale(values[i]);
            let centre = value + unit * middle;
            let below = value - scale(lower[i]);
            let above = scale(upper[i]) - value;
            let down = unit * (middle - low);
            let up = unit * (high - middle);
            (
                back(centre - (below * below + down * down).sqrt()),
                back(centre + (above * above + up * up).sqrt()),
            )
        })
        .unzip()
}

/// A number from 0 for each distinct combination of values, by row.
pub fn point_numbers(columns: &[&[f64]], rows: usize) -> Vec<u32> {
    let mut numbers = HashMap::new();
    (0..rows)
        .map(|row| {
            let key: Vec<u64> = columns.iter().map(|c| (c[row] + 0.0).to_bits()).collect();
            let next = numbers.len() as u32;
            *numbers.entry(key).or_insert(next)
        })
        .collect()
}

fn no_scatter(rows: usize, least: usize) -> CoreError {
    CoreError::data(
        "too-few-residuals",
        format!("{rows} rows do not show the scatter about the law at this level: at least {least} are needed"),
    )
    .with_value(rows as f64)
    .with_limit(least as f64)
    .with_hint("ask for a lower level or the interval `confidence`, or add runs")
}

fn mean(values: impl ExactSizeIterator<Item = f64>) -> f64 {
    let n = values.len() as f64;
    values.sum::<f64>() / n
}

/// The quantile of sorted (value, weight) rows, interpolated between the values at cumulative shares k/(m + 1).
fn weighted_quantile(rows: &[(f64, f64)], probability: f64) -> f64 {
    let m = rows.len() as f64;
    let total: f64 = rows.iter().map(|row| row.1).sum();
    // Weights of mean one: without weights a row's place is its rank.
    let wanted = probability * (m + 1.0);
    let (mut place, mut before) = (0.0, rows[0]);
    for &row in rows {
        let next = place + row.1 * m / total;
        if next >= wanted {
            let share = ((wanted - place) / (next - place)).clamp(0.0, 1.0);
            return before.0 + share * (row.0 - before.0);
        }
        (place, before) = (next, row);
    }
    before.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(a: f64, b: f64) -> bool {
        (a - b).abs() <= 1e-12 * (1.0 + b.abs())
    }

    #[test]
    fn quantiles_of_residuals_are_those_that_a_new_value_exceeds() {
        let residuals: Vec<f64> = (1..=19).map(|k| -f64::from(k)).collect();
        let found = Scatter::empirical(&residuals, None, 0, 0.9).unwrap();
        assert!(close(found.lower, 1.0) && close(found.middle, 10.0) && close(found.upper, 19.0));
        let heavier = [2.5; 19];
        let weighted = Scatter::empirical(&residuals, Some(&heavier), 0, 0.9).unwrap();
        assert!(close(weighted.lower, 1.0) && close(weighted.upper, 19.0));
        let few = Scatter::empirical(&residuals[..18], None, 0, 0.9).unwrap_err();
        assert_eq!((few.code, few.limit), ("too-few-residuals", Some(19.0)));
    }

    #[test]
    fn runs_are_compared_at_their_own_point() {
        // Two points with two runs each, half a unit to either side of means that lie far apart; one run has two rows.
        let residuals = [1.0, 2.0, 9.0, 11.0, 11.0];
        let found = Scatter::of_runs(&residuals, &[0, 0, 1, 1, 1], &[0, 1, 2, 2, 3], 0.9).unwrap();
        // Sum of squares: 0.5 for the first point, 0.5 for the second, two degrees of freedom.
        assert!(close(
            found.upper,
            0.5_f64.sqrt() * two_sided_quantile(0.9, 2)
        ));
        let alone = Scatter::of_runs(&residuals[..2], &[0, 1], &[0, 1], 0.9).unwrap_err();
        assert_eq!(alone.code, "no-repeats");
    }

    #[test]
    fn widths_add_in_squares_on_the_scale_of_the_residual() {
        let scatter = (-4.0, 0.0, 4.0);
        let (low, high) = with_scatter(&[10.0], (&[7.0], &[13.0]), scatter, None, false);
        assert!(close(low[0], 5.0) && close(high[0], 15.0));
        let (low, high) = with_scatter(&[10.0], (&[10.0], &[10.0]), scatter, Some(&[0.5]), true);
        assert!(close(low[0] * high[0], 100.0) && close(high[0], 10.0 * 2.0_f64.exp()));
    }

    #[test]
    fn a_common_factor_of_the_weights_changes_no_scatter() {
        let residuals = [0.1, -0.2, 0.3, -0.1, 0.05];
        let weights = [1.0, 2.0, 1.0, 0.5, 0.0];
        let heavier = weights.map(|w| 7.0 * w);
        let one = Scatter::normal(&residuals, Some(&weights), 2, 0.9).unwrap();
        let other = Scatter::normal(&residuals, Some(&heavier), 2, 0.9).unwrap();
        assert!(close(one.upper, other.upper) && one.upper > 0.0);
    }
}
