//! From many candidates to one certified optimum: screen, solve, and ask whether the starts agree.
//!
//! A round screens `n` candidates by a linear solve of the relative (or identity) residual and solves the best `k` of them
//! on the true objective. Rounds grow until enough independent starts end in the same best optimum, or a fit is exact: how
//! many rounds are run depends on the data alone, never on threads or time. Large data are searched on a fixed sample of
//! at most [`SCREENING_ROWS`] rows and its best optima are then solved on all `m` rows.

mod given;
mod screen;
mod search;

use crate::dataset::Dataset;
use crate::error::CoreError;
use crate::executor::Control;
use crate::objective::Objective;
use crate::solver::{Solution, Status};
use crate::start::{Starts, Wide, told};
use rayon::prelude::*;
use screen::{screen_candidates, thin};

pub use given::Runs;
pub(crate) use given::given;
pub(crate) use screen::{SCREENING_ROWS, apart, linear_solve};
pub(crate) use search::{LONG_SOLVE, SHORT_SOLVE};
pub use search::{Run, SAME_OPTIMUM, Search};

/// Optima of the sample that are solved on all rows.
const CARRIED_OVER: usize = 3;
/// Ends whose objectives differ by more than this share are different optima.
const DISTINCT: f64 = 1e-6;
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
    let screen = Objective::new(search.model, data, search.residual.screened())?;
    let starts = Starts::new(search.model, data);
    let plan = Plan::of(starts.dimension());
    let wide = if told(search.model) {
        None
    } else {
        Some(Wide::new(search.model, data, search.residual)?)
    };
    let mut guided: Vec<Run> = Vec::new();
    let mut independent: Vec<Run> = Vec::new();
    let (mut next, mut next_wide) = (0u32, 0u32);
    for round in 0..ROUNDS {
        let count = (plan.candidates as u32) << round;
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
                    search.follow(scratch, start, near, control)
                },
            )
            .collect::<Result<_, CoreError>>()?;
        guided.extend(ended.into_iter().filter(|run| run.end.cost.is_finite()));
        if let Some(wide) = &wide {
            let count = plan.independent(round);
            independent.extend(independent_runs(
                search,
                &screen,
                wide,
                next_wide..next_wide + count,
                control,
            )?);
            next_wide += count;
        }
        for runs in [&mut guided, &mut independent] {
            runs.sort_by(|a, b| a.end.cost.total_cmp(&b.end.cost));
            finish_best(search, runs, control)?;
        }
        let evidence = Evidence::of(search, &independent, &guided);
        let all = || guided.iter().chain(&independent).cloned().collect();
        let so_far = Outcome::of(search, all());
        let exact = so_far
            .runs
            .first()
            .is_some_and(|best| search.exact(best.end.cost));
        let enough = so_far.agreeing >= plan.enough(round);
        if exact || round + 1 == ROUNDS || enough && (wide.is_none() || evidence.settled()) {
            return Ok(so_far);
        }
    }
    Ok(Outcome::of(search, guided))
}

/// Follows the independent starts of a range of numbers.
fn independent_runs(
    search: &Search<'_, '_>,
    screen: &Objective<'_>,
    wide: &Wide<'_>,
    range: std::ops::Range<u32>,
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
                let run = search.follow(scratch, start, Some(near), control)?;
                Ok(run.end.cost.is_finite().then_some(run))
            },
        )
        .collect::<Result<_, CoreError>>()?;
    Ok(ended.into_iter().flatten().collect())
}

/// Goes on from the best of the sorted runs where it stopped for want of steps.
fn finish_best(
    search: &Search<'_, '_>,
    runs: &mut [Run],
    control: &Control,
) -> Result<(), CoreError> {
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

/// What independent starts say about optima that were not seen.
///
/// If `w` different optima were found by `n` independent local searches, the share of the starting region from which one
/// would go elsewhere is expected to be `w(w + 1)/(n(n − 1))` (Boender and Rinnooy Kan 1987, Bayesian stopping rules for
/// multistart global optimization methods, Mathematical Programming 37, equation 12).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Evidence {
    /// Independent starts that ended in an optimum.
    pub searches: usize,
    /// How many different optima those are.
    pub optima: usize,
    /// How many of them are the best of all.
    pub best: usize,
}

/// The expected share of the starts that lead elsewhere at which a search ends.
const UNSEEN: f64 = 0.15;

impl Evidence {
    fn of(search: &Search<'_, '_>, independent: &[Run], guided: &[Run]) -> Self {
        let ends: Vec<f64> = independent
            .iter()
            .filter(|run| run.end.status == Status::Converged)
            .map(|run| run.end.cost)
            .collect();
        let best = guided
            .iter()
            .chain(independent)
            .map(|run| run.end.cost)
            .fold(f64::INFINITY, f64::min);
        let same = |a: f64, b: f64| {
            (a - b).abs() <= DISTINCT * a.max(b) || (search.exact(a) && search.exact(b))
        };
        let mut optima: Vec<f64> = Vec::new();
        for &cost in &ends {
            if !optima.iter().any(|&known| same(known, cost)) {
                optima.push(cost);
            }
        }
        Self {
            searches: ends.len(),
            optima: optima.len(),
            best: ends.iter().filter(|&&cost| same(cost, best)).count(),
        }
    }

    /// The expected share of the starting region from which a search would end in an optimum that was not seen.
    pub fn unseen(&self) -> f64 {
        let (n, w) = (self.searches as f64, self.optima as f64);
        if self.searches < 2 {
            1.0
        } else {
            (w * (w + 1.0) / (n * (n - 1.0))).min(1.0)
        }
    }

    fn settled(&self) -> bool {
        self.best >= 2 && self.unseen() <= UNSEEN
    }
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
        (6 << round.saturating_sub(1)) as u32
    }

    /// How many runs must agree to end the search after a round: less as the rounds grow, since so many starts have then
    /// failed to find anything better.
    fn enough(&self, round: u32) -> usize {
        let relief = 2 * round.saturating_sub(1) as usize;
        self.agreement
            .min(self.agreement.saturating_sub(relief).max(3))
    }
}
