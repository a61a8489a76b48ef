//! From many candidates to one certified optimum: screen, solve, and ask whether the starts agree.
//!
//! A round screens `n` candidates by a linear solve of the relative (or identity) residual and solves the best `k` of them
//! on the true objective. Rounds grow until enough independent starts end in the same best optimum, or a fit is exact: how
//! many rounds are run depends on the data alone, never on threads or time. Large data are searched on a fixed sample of
//! at most [`SCREENING_ROWS`] rows and its best optima are then solved on all `m` rows.
//! Longer than the rule, because the rounds of the global strategy share one list of what was found.

mod given;
mod screen;
mod search;

use crate::dataset::Dataset;
use crate::error::CoreError;
use crate::executor::Control;
use crate::model::Residual;
use crate::objective::Objective;
use crate::solver::{Solution, Status};
use crate::start::Starts;
use rayon::prelude::*;
use screen::{screen_candidates, thin};

pub use given::Runs;
pub(crate) use given::given;
pub(crate) use screen::{SCREENING_ROWS, apart, linear_solve};
pub(crate) use search::{LONG_SOLVE, SHORT_SOLVE};
pub use search::{Run, SAME_OPTIMUM, Search};

/// Optima of the sample that are solved on all rows.
const CARRIED_OVER: usize = 3;
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
    let kind = if search.residual == Residual::Identity {
        Residual::Identity
    } else {
        Residual::Relative
    };
    let screen = Objective::new(search.model, data, kind)?;
    let starts = Starts::new(search.model, data);
    let plan = Plan::of(starts.dimension());
    let mut runs: Vec<Run> = Vec::new();
    let mut next = 0u32;
    for round in 0..ROUNDS {
        let count = (plan.candidates as u32) << round.min(5);
        let chosen = screen_candidates(
            search.model,
            &screen,
            &starts,
            next..next + count,
            plan.followed << round,
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
                    let mut end = search.solve(
                        scratch,
                        near.as_ref().map_or(&start, |n| &n.theta),
                        SHORT_SOLVE,
                        control,
                    )?;
                    end.evaluations += near.map_or(0, |n| n.evaluations);
                    control.advance(1);
                    Ok(Run { start, end })
                },
            )
            .collect::<Result<_, CoreError>>()?;
        runs.extend(ended.into_iter().filter(|run| run.end.cost.is_finite()));
        runs.sort_by(|a, b| a.end.cost.total_cmp(&b.end.cost));
        if let Some(best) = runs
            .first_mut()
            .filter(|r| r.end.status == Status::Iterations)
        {
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
        }
        let so_far = Outcome::of(search, runs);
        let exact = so_far
            .runs
            .first()
            .is_some_and(|best| search.exact(best.end.cost));
        if exact || so_far.agreeing >= plan.enough(round) || round + 1 == ROUNDS {
            return Ok(so_far);
        }
        runs = so_far.runs;
    }
    Ok(Outcome::of(search, runs))
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

    /// How many runs must agree to end the search after a round: less as the rounds grow, since so many starts have then
    /// failed to find anything better.
    fn enough(&self, round: u32) -> usize {
        let relief = 2 * round.saturating_sub(1) as usize;
        self.agreement
            .min(self.agreement.saturating_sub(relief).max(3))
    }
}
