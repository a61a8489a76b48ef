//! Candidates ranked by a linear solve, on a fixed sample of the rows where there are many.
//!
//! In: a screening objective (relative or identity residual, squared loss) and numbered candidates. Out: the best `k`,
//! their linear parameters at the optimum of the screen.
//! Longer than the rule, because `linear_solve` forms one normal matrix and solves it.

use crate::dataset::Dataset;
use crate::error::CoreError;
use crate::executor::Control;
use crate::loss::Loss;
use crate::model::Model;
use crate::objective::{Objective, Order, Scratch};
use crate::rng::{Random, Stream};
use crate::start::Starts;
use rayon::prelude::*;

/// Rows used to screen candidates; the solves use all rows.
pub(crate) const SCREENING_ROWS: usize = 2_048;

/// Screens candidates by the linear solve and returns the best, no two of them close to each other.
pub(super) fn screen_candidates(
    model: &Model,
    screen: &Objective<'_>,
    starts: &Starts<'_>,
    range: std::ops::Range<u32>,
    keep: usize,
    control: &Control,
) -> Result<Vec<Vec<f64>>, CoreError> {
    control.check()?;
    let mut scored: Vec<(f64, Vec<f64>)> = range
        .into_par_iter()
        .map_init(
            || screen.scratch(),
            |scratch, index| {
                let theta = starts.candidate(index)?;
                let (cost, theta) = linear_solve(model, screen, scratch, theta)?;
                Some((cost, theta))
            },
        )
        .flatten_iter()
        .collect();
    scored.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut chosen: Vec<Vec<f64>> = Vec::new();
    for (_, theta) in scored {
        if chosen.len() == keep {
            break;
        }
        if chosen.iter().all(|other| apart(model, other, &theta)) {
            chosen.push(theta);
        }
    }
    Ok(chosen)
}

/// Whether two candidates differ by more than a tenth in some nonlinear parameter.
pub(crate) fn apart(model: &Model, a: &[f64], b: &[f64]) -> bool {
    let close = |(x, y): (&f64, &f64)| (x - y).abs() <= 0.1 * x.abs().max(y.abs());
    !model
        .linear
        .iter()
        .zip(a.iter().zip(b))
        .all(|(&linear, pair)| linear || close(pair))
}

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
        let worst = (0..n)
            .filter(|&a| {
                let (low, high) = model.free[block[a]]
                    .bounds
                    .unwrap_or((f64::NEG_INFINITY, f64::INFINITY));
                let low = if model.free[block[a]].transform == crate::parameter::Transform::Log {
                    low.max(0.0)
                } else {
                    low
                };
                let value = shift[a] / scale[a];
                value < low || value > high
            })
            .min_by(|&a, &b| shift[a].total_cmp(&shift[b]));
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

/// A fixed random subset of the rows for screening; `None` when all rows are few enough.
pub(super) fn thin(data: &Dataset<'_>) -> Option<Dataset<'static>> {
    let m = data.len();
    if m <= SCREENING_ROWS {
        return None;
    }
    // One row from each of equal strata, at a random place in it: no period of the data can be hit.
    let generator = Random::new(0, Stream::Screening);
    let rows: Vec<usize> = (0..SCREENING_ROWS)
        .map(|i| {
            let (low, high) = (i * m / SCREENING_ROWS, (i + 1) * m / SCREENING_ROWS);
            low + ((high - low) as f64 * generator.uniform(0, i as u64)) as usize
        })
        .collect();
    Some(data.subset(&rows))
}
