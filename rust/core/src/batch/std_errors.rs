//! Standard errors of all parameters of the law from the covariance of the free ones.

use super::group::GroupSpec;
use crate::model::Model;
use crate::parameter::Role;

/// Standard errors of all parameters from the covariance of the free ones `open`, which lie off their bounds; NaN for those
/// that are fixed or on a bound.
pub(super) fn std_errors(
    spec: &GroupSpec,
    model: &Model,
    theta: &[f64],
    open: &[usize],
    covariance: &[f64],
) -> Vec<f64> {
    let (p, k) = (theta.len(), open.len());
    let slopes = model.expansion_jacobian(theta);
    let spread = |q: usize| {
        let free = model.free.iter().position(|f| f.position == q);
        let fixed = matches!(spec.parameters[q].role, Role::Fixed(_));
        if fixed || free.is_some_and(|j| !open.contains(&j)) {
            return f64::NAN;
        }
        let row = &slopes[q * p..(q + 1) * p];
        let mut sum = 0.0;
        for (a, &j) in open.iter().enumerate() {
            for (b, &m) in open.iter().enumerate() {
                sum += row[j] * covariance[a * k + b] * row[m];
            }
        }
        sum.max(0.0).sqrt()
    };
    (0..spec.parameters.len()).map(spread).collect()
}
