//! Resampling: a fit repeated under other weights or another response, each time at its global optimum.
//!
//! In: a [`FitSpec`] with its [`Fit`] over `m` rows, a [`Scheme`], the numbers of the replicates. Out: [`Draws`], one entry
//! a replicate. A replicate is a pure function of (seed, number), so any slice has the bytes of the same slice of the
//! whole, for any number of threads. Nothing is compiled twice and no row is copied with its columns: a replicate is a
//! vector of weights (or residuals) over the prepared columns of the fit.

mod interval;
mod plan;
mod replicate;

pub use interval::{IntervalKind, Spread, ends, expanded_level, normal_probability, spread};
pub use plan::{Kind, Plan, Scheme};
pub use replicate::Replicate;

use crate::dataset::Dataset;
use crate::error::CoreError;
use crate::executor::{Control, with_pool};
use crate::fit::{Fit, FitSpec};
use rayon::prelude::*;
use replicate::Base;
use std::ops::Range;

/// The replicates of a fit, in the order of their numbers.
#[derive(Debug)]
pub struct Draws {
    /// The number and the outcome of each replicate that was finished.
    pub replicates: Vec<(u32, Replicate)>,
    /// Why not all were, where that is so.
    pub stopped: Option<CoreError>,
}

/// Fits the replicates `range` of `scheme`; none means all of a scheme that has its own number.
///
/// # Errors
/// Those of [`Plan::new`]; `no-replicates` where there are none; `replicate-range` beyond what was given; those of the
/// compiler. Being stopped is no error: what was finished is returned with the reason.
pub fn resample(
    spec: &FitSpec,
    fit: &Fit,
    data: &Dataset<'_>,
    scheme: &Scheme<'_>,
    range: Option<Range<u32>>,
    control: &Control,
) -> Result<Draws, CoreError> {
    let plan = Plan::new(scheme, data.len())?;
    let range = checked(&plan, range)?;
    with_pool(spec.threads, || {
        let base = Base::new(spec, fit, data, scheme.global)?;
        let scaled = if plan.changes_response() {
            base.scaled_residuals()
        } else {
            Vec::new()
        };
        control.set_total(u64::from(range.end - range.start));
        let wanted = range.len();
        // Handed out in order, so that an interruption leaves hardly a gap; the first that is stopped ends them all.
        let mut replicates: Vec<(u32, Replicate)> = range
            .par_bridge()
            .map_init(
                || base.scratch(),
                |scratch, number| {
                    control.check().ok()?;
                    let outcome = base
                        .replicate(scratch, plan.change(number, &scaled), control)
                        .ok()?;
                    control.advance(1);
                    Some((number, outcome))
                },
            )
            .while_some()
            .collect();
        replicates.sort_unstable_by_key(|(number, _)| *number);
        let stopped = if replicates.len() < wanted {
            control.check().err()
        } else {
            None
        };
        Ok(Draws {
            replicates,
            stopped,
        })
    })
}

fn checked(plan: &Plan<'_>, range: Option<Range<u32>>) -> Result<Range<u32>, CoreError> {
    let own = plan.replicates().map(|n| n as u32);
    let range = match (range, own) {
        (Some(range), _) => range,
        (None, Some(n)) => 0..n,
        (None, None) => 0..0,
    };
    if range.is_empty() {
        return Err(
            CoreError::settings("no-replicates", "there is no replicate to fit")
                .with_argument("resample"),
        );
    }
    match own {
        Some(n) if range.end > n => Err(CoreError::settings(
            "replicate-range",
            format!(
                "there are {n} replicates, number {} is not one of them",
                range.end - 1
            ),
        )
        .with_argument("resample")
        .with_value(f64::from(range.end - 1))
        .with_limit(f64::from(n))),
        _ => Ok(range),
    }
}
