//! When a solver stops: tests that no change of units, weights or number of rows can move.

/// The promised decrease, relative to the objective, at which a Newton step is the last: quadratic convergence then leaves
/// an error of about its square, below rounding.
pub const OFFSET: f64 = 1e-13;

/// Decreases below this share of the objective drown in the rounding of the sum over rows.
pub const ROUNDING: f64 = 4.0 * f64::EPSILON;

/// The decrease a quadratic model promises as a share of the objective; zero at a perfect fit.
pub fn relative_offset(promised: f64, cost: f64) -> f64 {
    if promised <= 0.0 {
        0.0
    } else if cost > 0.0 {
        promised / cost
    } else {
        f64::INFINITY
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_offset_does_not_depend_on_the_scale_of_the_objective() {
        for scale in [1e-200, 1e-3, 1.0, 1e200] {
            assert!((relative_offset(3.0 * scale, 4.0 * scale) - 0.75).abs() < 1e-15);
        }
    }

    #[test]
    fn a_perfect_fit_is_converged() {
        assert_eq!(relative_offset(0.0, 0.0), 0.0);
    }
}
