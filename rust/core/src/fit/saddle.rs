//! Leaves saddles: where the best run ended with a direction of negative curvature, the search goes on from both sides.

use super::certify::NEGATIVE;
use crate::error::CoreError;
use crate::executor::Control;
use crate::linalg::{self, scaled};
use crate::multistart::{LONG_SOLVE, Outcome, Run, Search};
use crate::objective::{Order, Scratch};
use crate::solver::space::Space;

/// Saddles that are left, one after the other.
const SADDLES: usize = 5;

/// The outcome with its best run off any saddle.
///
/// # Errors
/// Only when `control` asks to stop.
pub(super) fn beyond_saddles(
    search: &Search<'_, '_>,
    mut found: Outcome,
    control: &Control,
) -> Result<Outcome, CoreError> {
    let mut scratch = search.objective.scratch();
    for _ in 0..SADDLES {
        let Some(best) = found.runs.first() else {
            return Ok(found);
        };
        let Some(sides) = downhill(search, &mut scratch, &best.end.theta) else {
            return Ok(found);
        };
        let (start, cost) = (best.start.clone(), best.end.cost);
        let mut left = false;
        for side in sides {
            let end = search.solve(&mut scratch, &side, LONG_SOLVE, control)?;
            if end.cost < cost {
                left = true;
                let start = start.clone();
                found.runs.push(Run { start, end });
            }
        }
        if !left {
            return Ok(found);
        }
        let runs = std::mem::take(&mut found.runs);
        found = Outcome {
            evidence: found.evidence,
            // The search counted agreement about another point.
            confirmed: false,
            ..Outcome::of(search, runs)
        };
    }
    Ok(found)
}

/// Points on both sides of a saddle along its direction of most negative curvature; `None` where there is none.
fn downhill(
    search: &Search<'_, '_>,
    scratch: &mut Scratch,
    theta: &[f64],
) -> Option<[Vec<f64>; 2]> {
    let p = theta.len();
    let found = search
        .objective
        .evaluate(scratch, theta, search.loss, Order::Newton);
    let space = Space::plain(search.model);
    let at_bound = space.at_bound(&space.internal(theta));
    let open: Vec<usize> = (0..p).filter(|&j| !at_bound[j]).collect();
    let scale: Vec<f64> = open
        .iter()
        .map(|&j| found.curvature[j * p + j].abs().sqrt())
        .collect();
    if open.is_empty() || scale.iter().any(|&s| s.is_nan() || s <= 0.0) {
        return None;
    }
    let n = open.len();
    let matrix = scaled(&found.curvature, p, &open, &scale);
    if matrix.iter().any(|x| !x.is_finite()) {
        return None;
    }
    let (values, vectors) = linalg::symmetric_eigen(&matrix, n);
    if values[0] >= NEGATIVE {
        return None;
    }
    // A step that changes the objective by about a hundredth of itself.
    let length = (0.02 * found.cost / values[0].abs()).sqrt();
    let side = |sign: f64| {
        let mut moved = theta.to_vec();
        for (a, &j) in open.iter().enumerate() {
            moved[j] += sign * length * vectors[a * n] / scale[a];
        }
        moved
    };
    Some([side(1.0), side(-1.0)])
}
