//! Standard error and interval of one quantity from its draws.
//!
//! In: the estimate, `n` draws of the same quantity, for BCa its leave-one-out values. Out: a standard error (divided by
//! n − 1) and the two ends. Sources: Efron & Tibshirani 1993, chapters 13 and 14; Davison & Hinkley 1997, chapter 5;
//! Hesterberg 2015 (expanded percentiles), The American Statistician 69, 371.

use crate::quantile::quantiles;
use crate::rng::normal_quantile;
use crate::student::two_sided_quantile;
use scalefast_expr::math;

/// How an interval is read off the draws.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IntervalKind {
    /// Quantiles of the draws.
    Percentile,
    /// The same, reflected about the estimate.
    Basic,
    /// Bias-corrected and accelerated quantiles.
    Bca,
    /// The estimate plus and minus a normal quantile of standard errors.
    Normal,
}

impl IntervalKind {
    /// The kind of a name: `percentile` (`expanded` at the level of [`expanded_level`]), `basic`, `bca`, `normal`.
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "percentile" | "expanded" => Self::Percentile,
            "basic" => Self::Basic,
            "bca" => Self::Bca,
            "normal" => Self::Normal,
            _ => return None,
        })
    }
}

/// A standard error and an interval; NaN where there are too few draws.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    /// Standard deviation of the draws, times `scale`.
    pub std_error: f64,
    /// Lower end.
    pub lower: f64,
    /// Upper end.
    pub upper: f64,
}

/// The level at which quantiles of the draws of few units are read: draws of `g` units spread too little by √((g − 1)/g), and
/// Student's quantile takes the place of the normal one.
pub fn expanded_level(level: f64, units: usize) -> f64 {
    let g = units.max(2) as f64;
    let reach = (g / (g - 1.0)).sqrt() * two_sided_quantile(level, units.max(2) - 1);
    2.0 * normal_probability(reach) - 1.0
}

/// Reads an interval off `draws`; values that are not finite are left out.
///
/// `scale` stretches the distances of the draws from the estimate: one for a bootstrap, `√(f/(1 − f))` for a fraction `f`
/// without replacement (Politis & Romano 1994), whose draws lie too close together by that factor. `left_out` are the
/// jackknife values of the quantity, which [`IntervalKind::Bca`] needs for its acceleration.
pub fn spread(
    kind: IntervalKind,
    level: f64,
    estimate: f64,
    draws: &[f64],
    left_out: &[f64],
    scale: f64,
) -> Spread {
    let finite: Vec<f64> = draws.iter().copied().filter(|d| d.is_finite()).collect();
    let n = finite.len();
    if n < 2 || !estimate.is_finite() {
        return Spread {
            std_error: f64::NAN,
            lower: f64::NAN,
            upper: f64::NAN,
        };
    }
    let [lower, upper] = ends(kind, level, estimate, &finite, left_out, scale);
    Spread {
        std_error: deviation(&finite, scale),
        lower,
        upper,
    }
}

/// The two ends alone, as [`spread`] reads them off draws that are all finite; NaN of fewer than two.
pub fn ends(
    kind: IntervalKind,
    level: f64,
    estimate: f64,
    finite: &[f64],
    left_out: &[f64],
    scale: f64,
) -> [f64; 2] {
    if finite.len() < 2 || !estimate.is_finite() {
        return [f64::NAN; 2];
    }
    let tails = [0.5 - 0.5 * level, 0.5 + 0.5 * level];
    let quantile = |tails: [f64; 2]| {
        let found = quantiles(finite, &tails);
        [found[0], found[1]].map(|q| estimate + scale * (q - estimate))
    };
    match kind {
        // Without stretching the quantiles are taken as they are, to the last bit.
        IntervalKind::Percentile if scale == 1.0 => {
            let found = quantiles(finite, &tails);
            [found[0], found[1]]
        }
        IntervalKind::Percentile => quantile(tails),
        IntervalKind::Basic => {
            let [low, high] = quantile(tails);
            [2.0 * estimate - high, 2.0 * estimate - low]
        }
        IntervalKind::Normal => {
            let half = deviation(finite, scale) * normal_quantile(tails[1]);
            [estimate - half, estimate + half]
        }
        IntervalKind::Bca => match bca_tails(finite, estimate, left_out, tails) {
            Some(tails) => quantile(tails),
            None => [f64::NAN; 2],
        },
    }
}

/// The standard deviation of at least two draws, divided by n − 1, times `scale`.
fn deviation(finite: &[f64], scale: f64) -> f64 {
    let n = finite.len();
    let mean = finite.iter().sum::<f64>() / n as f64;
    let squares: f64 = finite.iter().map(|d| (d - mean) * (d - mean)).sum();
    scale * (squares / (n - 1) as f64).sqrt()
}

/// The probabilities at which BCa reads the draws (Efron & Tibshirani 1993, 14.9–14.15); `None` where the estimate lies
/// outside all draws, so that its bias has no finite correction.
fn bca_tails(draws: &[f64], estimate: f64, left_out: &[f64], tails: [f64; 2]) -> Option<[f64; 2]> {
    let n = draws.len() as f64;
    let below = draws.iter().filter(|d| **d < estimate).count() as f64;
    let equal = draws.iter().filter(|d| **d == estimate).count() as f64;
    let share = (below + 0.5 * equal) / n;
    if !(share > 0.0 && share < 1.0) {
        return None;
    }
    let bias = normal_quantile(share);
    let finite: Vec<f64> = left_out.iter().copied().filter(|d| d.is_finite()).collect();
    if finite.len() < 2 {
        return None;
    }
    let mean = finite.iter().sum::<f64>() / finite.len() as f64;
    let (mut cubes, mut squares) = (0.0, 0.0);
    for value in &finite {
        let d = mean - value;
        cubes += d * d * d;
        squares += d * d;
    }
    let acceleration = if squares > 0.0 {
        cubes / (6.0 * squares * squares.sqrt())
    } else {
        0.0
    };
    Some(tails.map(|tail| {
        let z = bias + normal_quantile(tail);
        normal_probability(bias + z / (1.0 - acceleration * z))
    }))
}

/// The standard normal distribution function, by its series (Abramowitz & Stegun 26.2.11); exact to 1e-15 for |x| < 7.
pub fn normal_probability(x: f64) -> f64 {
    if x.abs() > 8.0 {
        return if x > 0.0 { 1.0 } else { 0.0 };
    }
    let (mut term, mut sum, mut k) = (x, x, 1.0);
    while term.abs() > 1e-18 * sum.abs() {
        k += 2.0;
        term *= x * x / k;
        sum += term;
    }
    let density = math::exp(-0.5 * x * x) * 0.398_942_280_401_432_7;
    (0.5 + density * sum).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::{Random, Stream};

    fn normals(n: u64) -> Vec<f64> {
        let random = Random::new(5, Stream::Noise);
        (0..n).map(|i| 2.0 + random.normal(0, i)).collect()
    }

    #[test]
    fn the_distribution_function_inverts_the_quantile() {
        for p in [1e-9, 1e-4, 0.025, 0.3, 0.5, 0.9, 0.975, 1.0 - 1e-7] {
            let back = normal_probability(normal_quantile(p));
            assert!((back - p).abs() < 1e-13, "{p}: {back}");
        }
    }

    #[test]
    fn all_kinds_agree_on_normal_draws_about_the_estimate() {
        let draws = normals(200_000);
        let symmetric: Vec<f64> = vec![-1.0, 0.0, 1.0];
        for kind in ["percentile", "basic", "bca", "normal"] {
            let kind = IntervalKind::named(kind).unwrap();
            let found = spread(kind, 0.9, 2.0, &draws, &symmetric, 1.0);
            assert!((found.std_error - 1.0).abs() < 0.01);
            assert!(
                (found.lower - (2.0 - 1.6449)).abs() < 0.03,
                "{kind:?} {found:?}"
            );
            assert!(
                (found.upper - (2.0 + 1.6449)).abs() < 0.03,
                "{kind:?} {found:?}"
            );
        }
    }

    /// Worked by hand for a skewed sample: z0 = Φ⁻¹(0.4), a = 0 makes the tails Φ(2 z0 ± 1.6449).
    #[test]
    fn bca_without_acceleration_shifts_the_tails_by_twice_the_bias() {
        let draws: Vec<f64> = (0..1000).map(|i| i as f64 / 1000.0).collect();
        let found = spread(IntervalKind::Bca, 0.9, 0.4, &draws, &[-1.0, 0.0, 1.0], 1.0);
        let bias = normal_quantile(0.4);
        for (end, tail) in [(found.lower, 0.05), (found.upper, 0.95)] {
            let expected = normal_probability(2.0 * bias + normal_quantile(tail));
            assert!((end - expected).abs() < 2e-3, "{end} {expected}");
        }
    }

    /// Worked by hand: t of 19 degrees of freedom at 0.95 is 1.7291, times √(20/19) is 1.7741, whose tail is 0.0380.
    #[test]
    fn few_units_are_read_further_out() {
        assert!((expanded_level(0.9, 20) - (1.0 - 2.0 * 0.038_02)).abs() < 1e-4);
        assert!((expanded_level(0.9, 100_000) - 0.9).abs() < 1e-4);
    }

    #[test]
    fn a_fraction_is_stretched_about_the_estimate() {
        let draws = normals(1000);
        let plain = spread(IntervalKind::Percentile, 0.9, 2.0, &draws, &[], 1.0);
        let wide = spread(IntervalKind::Percentile, 0.9, 2.0, &draws, &[], 2.0);
        assert!((wide.std_error / plain.std_error - 2.0).abs() < 1e-12);
        assert!(((wide.lower - 2.0) / (plain.lower - 2.0) - 2.0).abs() < 1e-9);
    }

    #[test]
    fn too_few_draws_have_no_interval() {
        let found = spread(
            IntervalKind::Percentile,
            0.9,
            1.0,
            &[1.0, f64::NAN],
            &[],
            1.0,
        );
        assert!(found.lower.is_nan() && found.std_error.is_nan());
    }
}
