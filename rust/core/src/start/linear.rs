//! The linear parameters of a start: at the optimum of a screening residual that is affine in them.

use crate::loss::Loss;
use crate::model::Model;
use crate::objective::{Objective, Order, Scratch};
use crate::parameter::Transform;

/// The best linear parameters for the nonlinear ones of `theta`, and the screening cost there.
pub(crate) fn linear_solve(
    model: &Model,
    screen: &Objective<'_>,
    scratch: &mut Scratch,
    mut theta: Vec<f64>,
) -> Option<(f64, Vec<f64>)> {
    let evaluation = screen.evaluate(scratch, &theta, Loss::Squared, Order::GaussNewton);
    if !evaluation.cost.is_finite() {
        return None;
    }
    let p = model.p();
    let mut block: Vec<usize> = (0..p).filter(|&j| model.linear[j]).collect();
    if block
        .iter()
        .any(|&j| !evaluation.curvature[j * p + j].is_finite())
    {
        return None;
    }
    let mut cost = evaluation.cost;
    loop {
        let n = block.len();
        let scale: Vec<f64> = block
            .iter()
            .map(|&j| evaluation.curvature[j * p + j].sqrt())
            .collect();
        if scale.iter().any(|&s| s.is_nan() || s <= 0.0) {
            return None;
        }
        let mut matrix = vec![0.0; n * n];
        let mut shift = vec![0.0; n];
        for (a, &j) in block.iter().enumerate() {
            for (b, &k) in block.iter().enumerate() {
                matrix[a * n + b] = evaluation.curvature[j * p + k] / (scale[a] * scale[b]);
            }
            // A trace of ridge keeps candidates with two nearly equal terms in the race.
            matrix[a * n + a] += 1e-13;
            shift[a] = -evaluation.gradient[j] / scale[a];
        }
        let right = shift.clone();
        crate::linalg::cholesky_in_place(&mut matrix, n).ok()?;
        crate::linalg::cholesky_solve(&matrix, n, &mut shift);
        let worst = most_outside(model, &block, &shift, &scale);
        if let Some(a) = worst {
            // Leave a small positive amount, so that a logarithmic scale can start from it.
            let root = (2.0 * evaluation.cost).sqrt();
            let (low, high) = model.free[block[a]].bounds.unwrap_or((0.0, f64::INFINITY));
            theta[block[a]] = (1e-3 * root / scale[a]).clamp(low, high);
            block.remove(a);
            continue;
        }
        cost -= 0.5 * shift.iter().zip(&right).map(|(s, r)| s * r).sum::<f64>();
        for ((&j, s), d) in block.iter().zip(&shift).zip(&scale) {
            theta[j] = s / d;
        }
        return (cost.is_finite() && theta.iter().all(|t| t.is_finite())).then_some((cost, theta));
    }
}

/// The place in the block of the parameter outside its bounds with the lowest scaled value, if any is.
fn most_outside(model: &Model, block: &[usize], shift: &[f64], scale: &[f64]) -> Option<usize> {
    let outside = |&a: &usize| {
        let free = &model.free[block[a]];
        let (low, high) = free.bounds.unwrap_or((f64::NEG_INFINITY, f64::INFINITY));
        let low = if free.transform == Transform::Log {
            low.max(0.0)
        } else {
            low
        };
        let value = shift[a] / scale[a];
        value < low || value > high
    };
    (0..block.len())
        .filter(outside)
        .min_by(|&a, &b| shift[a].total_cmp(&shift[b]))
}
