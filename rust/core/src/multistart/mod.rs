//! From many candidates to one certified optimum: screen, solve, and ask whether the starts agree.
//!
//! A round screens `n` candidates by a linear solve of the relative (or identity) residual and solves the best `k` of them
//! on the true objective. Rounds grow until enough independent starts end in the same best optimum, or a fit is exact: how
//! many rounds are run depends on the data alone, never on threads or time. Large data are searched on a fixed sample of
//! at most [`SCREENING_ROWS`] rows and its best optima are then solved on all `m` rows.
//! Longer than the rule, because the rounds of the global strategy share one list of what was found.

mod evidence;
mod given;
mod pattern;
mod screen;
mod search;

use crate::dataset::Dataset;
use crate::error::CoreError;
use crate::executor::Control;
use crate::linalg::scaled_condition;
use crate::loss::Loss;
use crate::objective::{Objective, Order};
use crate::solver::{Solution, Status};
use crate::start::{Starts, Wide, told};
use evidence::evidence;
use rayon::prelude::*;
use screen::{screen_candidates, thin};

pub use evidence::Evidence;
pub use given::Runs;
pub(crate) use given::given;
pub(crate) use screen::{SCREENING_ROWS, apart};
pub(crate) use search::{LONG_SOLVE, SHORT_SOLVE};
pub use search::{Run, SAME_OPTIMUM, Search};

/// Optima of the sample that are solved on all rows.
const CARRIED_OVER: usize = 3;
/// An approach that has not ended and lies so many times above the best is not followed further.
const HOPELESS: f64 = 30.0;
/// Condition of the scaled Jacobian beyond which an end is no point but on its way to infinity.
const RUNAWAY: f64 = 1e7;
/// Rounds after which the search stops without agreement.
const ROUNDS: u32 = 5;

/// What the global strategy found.
pub struct Outcome {
    /// The solves, best first; empty where the law is undefined at every candidate. For large data these are the solves on
    /// all rows, while `starts`, `agreeing` and `spread` speak of the search on the sample.
    pub runs: Vec<Run>,
    /// Starts that were solved.
    pub starts: usize,
    /// Of these, how many ended in the best optimum.
    pub agreeing: usize,
    /// Largest relative difference of the objective among those.
    pub spread: f64,
    /// What independent starts say, where there were any.
    pub evidence: Option<Evidence>,
    /// Whether the search ended because its evidence sufficed, not because its rounds were used up.
    pub confirmed: bool,
}

impl Outcome {
    /// Sorts the runs and counts which of them agree with the best.
    pub fn of(search: &Search<'_, '_>, mut runs: Vec<Run>) -> Self {
        runs.sort_by(|a, b| a.end.cost.total_cmp(&b.end.cost));
        let best = runs.first().map_or(f64::NAN, |r| r.end.cost);
        let exact = search.exact(best);
        let same = |r: &&Run| {
            r.end.cost - best <= SAME_OPTIMUM * best || (exact && search.exact(r.end.cost))
        };
        let agreeing = runs.iter().take_while(same).count();
        let last = runs
            .iter()
            .take_while(same)
            .last()
            .map_or(best, |r| r.end.cost);
        let spread = if exact || best == 0.0 {
            0.0
        } else {
            (last - best) / best
        };
        Self {
            starts: runs.len(),
            runs,
            agreeing,
            spread,
            evidence: None,
            confirmed: true,
        }
    }
}

/// Runs the global strategy.
///
/// # Errors
/// When `control` asks to stop, or the screening objective does not compile.
pub fn global(
    search: &Search<'_, '_>,
    data: &Dataset<'_>,
    control: &Control,
) -> Result<Outcome, CoreError> {
    let Some(sample) = thin(data) else {
        return rounds(search, data, control);
    };
    let objective = Objective::new(search.model, &sample, search.residual)?;
    let found = rounds(
        &Search {
            objective: &objective,
            ..*search
        },
        &sample,
        control,
    )?;
    let mut optima: Vec<&Run> = Vec::new();
    for run in &found.runs {
        if optima.len() < CARRIED_OVER
            && optima
                .last()
                .is_none_or(|o| run.end.cost > o.end.cost * (1.0 + 1e-6))
        {
            optima.push(run);
        }
    }
    let mut scratch = search.objective.scratch();
    let mut runs = Vec::new();
    control.set_total(optima.len() as u64);
    for run in optima {
        let end = search.solve(&mut scratch, &run.end.theta, LONG_SOLVE, control)?;
        runs.push(Run {
            start: run.start.clone(),
            end,
        });
        control.advance(1);
    }
    runs.retain(|r| r.end.cost.is_finite());
    runs.sort_by(|a, b| a.end.cost.total_cmp(&b.end.cost));
    Ok(Outcome { runs, ..found })
}

fn rounds(
    search: &Search<'_, '_>,
    data: &Dataset<'_>,
    control: &Control,
) -> Result<Outcome, CoreError> {
    let screen = Objective::new(search.model, data, search.residual.screened())?;
    let starts = Starts::new(search.model, data);
    let plan = Plan::of(starts.dimension());
    let wide = if told(search.model) {
        None
    } else {
        Some(Wide::new(search.model, data, search.residual)?)
    };
    // Half of the starts are not chosen by the screen, unless the law itself says where to look.
    let followed = if wide.is_some() {
        plan.followed.div_ceil(2)
    } else {
        plan.followed
    };
    let mut runs: Vec<Run> = Vec::new();
    // The objectives at which independent starts ended in an optimum.
    let mut ends: Vec<f64> = Vec::new();
    let (mut next, mut next_wide) = (0u32, 0u32);
    for round in 0..ROUNDS {
        let count = (plan.candidates as u32) << round;
        let chosen = screen_candidates(
            search.model,
            &screen,
            &starts,
            next..next + count,
            followed << round,
            control,
        )?;
        next += count;
        control.set_total(chosen.len() as u64);
        let ended: Vec<Run> = chosen
            .into_par_iter()
            .map_init(
                || search.objective.scratch(),
                |scratch, start| {
                    let near = search.approach(&screen, &start, &starts, control)?;
                    search.follow(scratch, start, near, control)
                },
            )
            .collect::<Result<_, CoreError>>()?;
        runs.extend(ended.into_iter().filter(usable));
        finish_best(search, &mut runs, control)?;
        let exact = runs.first().is_some_and(|best| search.exact(best.end.cost));
        let mut settled = true;
        if let Some(wide) = wide.as_ref().filter(|_| !exact) {
            let best = runs.first().map_or(f64::INFINITY, |run| run.end.cost);
            let numbers = next_wide..next_wide + plan.independent(round);
            next_wide = numbers.end;
            let found = independent_runs(search, &screen, wide, numbers, HOPELESS * best, control)?;
            ends.extend(optima(search, &found));
            runs.extend(found);
            finish_best(search, &mut runs, control)?;
            settled = evidence(search, &ends, &runs).settled(shows_pattern(search, &runs, data));
        }
        let so_far = Outcome::of(search, runs);
        let exact = so_far
            .runs
            .first()
            .is_some_and(|best| search.exact(best.end.cost));
        let enough = settled && so_far.agreeing >= plan.enough(round);
        if exact || enough || round + 1 == ROUNDS {
            let evidence = evidence(search, &ends, &so_far.runs);
            let confirmed = exact || enough || so_far.agreeing > 1 && settled;
            return Ok(Outcome {
                evidence: wide.is_some().then_some(evidence),
                confirmed,
                ..so_far
            });
        }
        runs = so_far.runs;
    }
    Ok(Outcome::of(search, runs))
}

/// Whether the residuals of the best run still show a pattern.
fn shows_pattern(search: &Search<'_, '_>, runs: &[Run], data: &Dataset<'_>) -> bool {
    runs.first().is_some_and(|best| {
        let mut scratch = search.objective.scratch();
        let residuals = search.objective.residuals(&mut scratch, &best.end.theta);
        pattern::patterned(&residuals, data)
    })
}

/// Follows the independent starts of a range of numbers, those that still lie above `hopeless` after their approach no
/// further.
fn independent_runs(
    search: &Search<'_, '_>,
    screen: &Objective<'_>,
    wide: &Wide<'_>,
    range: std::ops::Range<u32>,
    hopeless: f64,
    control: &Control,
) -> Result<Vec<Run>, CoreError> {
    let ended: Vec<Option<Run>> = range
        .into_par_iter()
        .map_init(
            || (search.objective.scratch(), wide.scratch()),
            |(scratch, drawing), index| {
                let Some(start) = wide.start(drawing, index) else {
                    return Ok(None);
                };
                let near = search.project(screen, wide, &start, control)?;
                let run = if near.status == Status::Iterations
                    && search.cost(scratch, &near.theta) > hopeless
                {
                    control.advance(1);
                    Run { start, end: near }
                } else {
                    search.follow(scratch, start, Some(near), control)?
                };
                Ok(usable(&run).then_some(run))
            },
        )
        .collect::<Result<_, CoreError>>()?;
    Ok(ended.into_iter().flatten().collect())
}

/// Whether a run ended where the law and its derivatives have values.
fn usable(run: &Run) -> bool {
    run.end.cost.is_finite() && run.end.status != Status::Undefined
}

/// Sorts the runs and goes on from the best where it stopped for want of steps.
fn finish_best(
    search: &Search<'_, '_>,
    runs: &mut [Run],
    control: &Control,
) -> Result<(), CoreError> {
    runs.sort_by(|a, b| a.end.cost.total_cmp(&b.end.cost));
    let Some(best) = runs
        .first_mut()
        .filter(|r| r.end.status == Status::Iterations)
    else {
        return Ok(());
    };
    let more = search.solve(
        &mut search.objective.scratch(),
        &best.end.theta,
        LONG_SOLVE,
        control,
    )?;
    let evaluations = best.end.evaluations + more.evaluations;
    best.end = Solution {
        evaluations,
        ..more
    };
    Ok(())
}

/// The objectives of runs that ended in an optimum, not on their way to infinity.
fn optima(search: &Search<'_, '_>, runs: &[Run]) -> Vec<f64> {
    let mut scratch = search.objective.scratch();
    let all: Vec<usize> = (0..search.model.p()).collect();
    let mut sound = |theta: &[f64]| {
        let order = Order::GaussNewton;
        let found = search
            .objective
            .evaluate(&mut scratch, theta, Loss::Squared, order);
        scaled_condition(&found.curvature, all.len(), &all) < RUNAWAY
    };
    let converged = runs.iter().filter(|r| r.end.status == Status::Converged);
    converged
        .filter(|run| sound(&run.end.theta))
        .map(|run| run.end.cost)
        .collect()
}

pub(crate) struct Plan {
    pub(crate) candidates: usize,
    followed: usize,
    agreement: usize,
}

impl Plan {
    /// Effort of the first round by number of nonlinear parameters.
    pub(crate) fn of(dimension: usize) -> Self {
        let (candidates, followed, agreement) = match dimension {
            0 => (1, 1, 1),
            1 => (48, 3, 3),
            2 => (144, 4, 3),
            3 => (512, 8, 4),
            4 => (1024, 12, 4),
            _ => (1024, 12, 8),
        };
        Self {
            candidates,
            followed,
            agreement,
        }
    }

    /// Independent starts of a round.
    fn independent(&self, round: u32) -> u32 {
        (8 << round.saturating_sub(1)) as u32
    }

    /// How many runs must agree to end the search after a round: less as the rounds grow, since so many starts have then
    /// failed to find anything better.
    fn enough(&self, round: u32) -> usize {
        let relief = 2 * round.saturating_sub(1) as usize;
        self.agreement
            .min(self.agreement.saturating_sub(relief).max(3))
    }
}
