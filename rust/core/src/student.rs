//! Two-sided quantiles of Student's t distribution with a whole number of degrees of freedom.
//!
//! Stage: intervals of estimates. In: a level and the degrees of freedom. Out: the half-width in standard errors. Built
//! on the finite sums of Abramowitz & Stegun 26.7.3–4 up to 200 degrees of freedom, beyond that on the expansion 26.7.5
//! about the normal quantile.

use crate::rng::normal_quantile;
use scalefast_expr::math;

/// Degrees of freedom from which the expansion is exact to 1e-11.
const EXPANSION: usize = 200;
/// Halvings of an interval of doubles that leave nothing to halve.
const HALVINGS: usize = 200;

/// The `q` with P(|t| ≤ q) = `level` for `dof` ≥ 1 degrees of freedom, 0 < `level` < 1.
///
/// ```
/// use scalefast_core::student::two_sided_quantile;
/// assert!((two_sided_quantile(0.90, 10) / 1.8124611228107335 - 1.0).abs() < 1e-12);
/// ```
pub fn two_sided_quantile(level: f64, dof: usize) -> f64 {
    if dof > EXPANSION {
        return expansion(normal_quantile(0.5 + 0.5 * level), dof as f64);
    }
    let (mut low, mut high) = (0.0, 1.0);
    while central_probability(high, dof) < level && high < 1e300 {
        (low, high) = (high, 2.0 * high);
    }
    for _ in 0..HALVINGS {
        let middle = 0.5 * (low + high);
        if middle <= low || middle >= high {
            break;
        }
        if central_probability(middle, dof) < level {
            low = middle;
        } else {
            high = middle;
        }
    }
    high
}

/// P(|t| ≤ `t`), Abramowitz & Stegun 26.7.3 (odd) and 26.7.4 (even).
fn central_probability(t: f64, dof: usize) -> f64 {
    let theta = math::arctan(t / (dof as f64).sqrt());
    let (sine, cosine) = (math::sin(theta), math::cos(theta));
    let odd = dof % 2 == 1;
    let mut term = if odd { cosine } else { 1.0 };
    let mut sum = if dof == 1 { 0.0 } else { term };
    let mut k = if odd { 3 } else { 2 };
    while k < dof {
        term *= cosine * cosine * (k - 1) as f64 / k as f64;
        sum += term;
        k += 2;
    }
    if odd {
        (theta + sine * sum) * std::f64::consts::FRAC_2_PI
    } else {
        sine * sum
    }
}

/// Abramowitz & Stegun 26.7.5, to four terms.
fn expansion(z: f64, dof: f64) -> f64 {
    let s = z * z;
    let first = z * (s + 1.0) / 4.0;
    let second = z * ((5.0 * s + 16.0) * s + 3.0) / 96.0;
    let third = z * (((3.0 * s + 19.0) * s + 17.0) * s - 15.0) / 384.0;
    let fourth = z * ((((79.0 * s + 776.0) * s + 1482.0) * s - 1920.0) * s - 945.0) / 92160.0;
    z + (first + (second + (third + fourth / dof) / dof) / dof) / dof
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Published quantiles (NIST/SEMATECH e-Handbook, 1.3.6.7.2), to three decimals.
    #[test]
    fn tables_hold() {
        for (level, dof, expected) in [
            (0.90, 1, 6.314),
            (0.95, 1, 12.706),
            (0.90, 2, 2.920),
            (0.95, 5, 2.571),
            (0.98, 9, 2.821),
            (0.99, 30, 2.750),
            (0.90, 100, 1.660),
            (0.95, 1_000_000, 1.960),
        ] {
            let found = two_sided_quantile(level, dof);
            assert!((found - expected).abs() < 6e-4, "{level} {dof}: {found}");
        }
    }

    #[test]
    fn the_sums_and_the_expansion_meet() {
        for level in [0.5, 0.8, 0.9, 0.99] {
            let exact = two_sided_quantile(level, EXPANSION);
            let expanded = expansion(normal_quantile(0.5 + 0.5 * level), EXPANSION as f64);
            assert!(
                (exact / expanded - 1.0).abs() < 1e-9,
                "{level}: {exact} {expanded}"
            );
        }
    }
}
