//! Candidates ranked by a linear solve, on a fixed sample of the rows where there are many.
//!
//! In: a screening objective (relative or identity residual, squared loss) and numbered candidates. Out: the best `k`,
//! their linear parameters at the optimum of the screen.
//! Longer than the rule, because `linear_solve` forms one normal matrix and solves it.

use crate::dataset::Dataset;
use crate::error::CoreError;
use crate::executor::Control;
use crate::model::Model;
use crate::objective::Objective;
use crate::rng::{Random, Stream};
use crate::start::{Starts, linear_solve};
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
