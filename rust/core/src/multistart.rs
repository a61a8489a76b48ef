//! From many candidates to one certified optimum: screen, solve, and ask whether the starts agree.
//!
//! A round screens `n` candidates by a linear solve of the relative (or identity) residual and solves the best `k` of them
//! on the true objective. Rounds grow until enough independent starts end in the same best optimum, or a fit is exact: how
//! many rounds are run depends on the data alone, never on threads or time. Large data are searched on a fixed sample of
//! at most [`SCREENING_ROWS`] rows and its best optima are then solved on all `m` rows.

use crate::dataset::Dataset;
use crate::error::CoreError;
use crate::executor::Control;
use crate::loss::Loss;
use crate::model::{Model, Residual};
use crate::objective::{Objective, Order, Scratch};
use crate::rng::{Random, Stream};
use crate::solver::space::Space;
use crate::solver::termination::OFFSET;
use crate::solver::{Limits, Solution, Status, levenberg_marquardt, newton};
use crate::start::Starts;
use rayon::prelude::*;
use std::borrow::Cow;

/// Rows used to screen candidates; the solves use all rows.
pub(crate) const SCREENING_ROWS: usize = 2_048;
/// Largest Jacobian (entries) that is kept in memory for orthogonal factors; beyond it the normal matrix is streamed.
const KEPT_JACOBIAN: usize = 200_000;
/// Steps of one solve among many; the best of a round goes on if it needs more.
pub(crate) const SHORT_SOLVE: usize = 100;
/// Steps of a solve that must not be given up: MGH10 of NIST takes a hundred, a long curved valley some thousand.
pub(crate) const LONG_SOLVE: usize = 3_000;
/// Optima of the sample that are solved on all rows.
const CARRIED_OVER: usize = 3;
/// Two optima are the same when their objectives agree to this share.
pub const SAME_OPTIMUM: f64 = 1e-8;
/// Rounds after which the search stops without agreement.
const ROUNDS: u32 = 5;
/// A fit whose residuals are all of this relative size is exact: nothing can beat it.
const EXACT: f64 = 1e-12;

/// One start and where it led, in the free parameters.
#[derive(Clone, Debug)]
pub struct Run {
    /// Where the final solve began.
    pub start: Vec<f64>,
    /// Where and how it ended.
    pub end: Solution,
}

/// The true objective and what is needed to solve it from a start.
#[derive(Clone, Copy)]
pub struct Search<'s, 'd> {
    /// The law.
    pub model: &'s Model,
    /// The objective.
    pub objective: &'s Objective<'d>,
    /// The residual that the objective was compiled for.
    pub residual: Residual,
    /// The loss.
    pub loss: Loss,
    /// Parameters that multiply a varying term.
    pub factors: &'s [bool],
    /// The size of residuals: root mean square of the response under the identity residual, one under the others.
    pub unit: f64,
}

impl Search<'_, '_> {
    /// The local solve from `start`, of at most `iterations` steps.
    ///
    /// # Errors
    /// Only when `control` asks to stop.
    pub fn solve(
        &self,
        scratch: &mut Scratch,
        start: &[f64],
        iterations: usize,
        control: &Control,
    ) -> Result<Solution, CoreError> {
        if self.loss.is_squared() {
            self.solve_squared(scratch, start, iterations, control)
        } else {
            self.solve_robust(scratch, start, iterations, control)
        }
    }

    fn solve_squared(
        &self,
        scratch: &mut Scratch,
        start: &[f64],
        iterations: usize,
        control: &Control,
    ) -> Result<Solution, CoreError> {
        if self.keeps_jacobian() {
            let space = Space::plain(self.model);
            let problem = levenberg_marquardt::Problem {
                objective: self.objective,
                space: &space,
                linear: None,
                relative: true,
            };
            return levenberg_marquardt::descend(
                &problem,
                scratch,
                start,
                Limits {
                    iterations,
                    offset: EXACT * EXACT,
                },
                control,
            );
        }
        let space = Space::around(self.model, start, self.factors);
        let problem = newton::Problem {
            objective: self.objective,
            space: &space,
            loss: Loss::Squared,
            order: Order::GaussNewton,
        };
        newton::descend(
            &problem,
            scratch,
            start,
            Limits {
                iterations,
                offset: OFFSET,
            },
            control,
        )
    }

    /// A solve of the screening residual in front of the true one, where that pays: with three and more nonlinear
    /// parameters a candidate is far from the optimum, and logarithms and robust losses have narrow basins.
    fn approach(
        &self,
        screen: &Objective<'_>,
        start: &[f64],
        starts: &Starts,
        control: &Control,
    ) -> Result<Option<Solution>, CoreError> {
        if starts.dimension() < 3 || (self.residual == Residual::Identity && self.loss.is_squared())
        {
            return Ok(None);
        }
        let surrogate = Search {
            objective: screen,
            loss: Loss::Squared,
            residual: Residual::Relative,
            ..*self
        };
        let near = surrogate.solve_squared(&mut screen.scratch(), start, SHORT_SOLVE, control)?;
        Ok(near.cost.is_finite().then_some(near))
    }

    fn solve_robust(
        &self,
        scratch: &mut Scratch,
        start: &[f64],
        iterations: usize,
        control: &Control,
    ) -> Result<Solution, CoreError> {
        let space = Space::around(self.model, start, self.factors);
        let mut theta = start.to_vec();
        let mut evaluations = 0;
        for threshold in self.thresholds(scratch, start) {
            let problem = newton::Problem {
                objective: self.objective,
                space: &space,
                loss: self.loss.with_threshold(threshold),
                order: Order::Newton,
            };
            let relaxed = newton::descend(
                &problem,
                scratch,
                &theta,
                Limits {
                    iterations: 60,
                    offset: 1e-3,
                },
                control,
            )?;
            evaluations += relaxed.evaluations;
            if relaxed.status != Status::Undefined {
                theta = relaxed.theta;
            }
        }
        let problem = newton::Problem {
            objective: self.objective,
            space: &space,
            loss: self.loss,
            order: Order::Newton,
        };
        let mut last = newton::descend(
            &problem,
            scratch,
            &theta,
            Limits {
                iterations,
                offset: OFFSET,
            },
            control,
        )?;
        last.evaluations += evaluations;
        Ok(last)
    }

    /// The solve from a start that the user gave: on the Jacobian from the first step on, in the law's own parameters, and
    /// once more with the linear parameters projected out where that is possible; the better end counts.
    ///
    /// # Errors
    /// Only when `control` asks to stop.
    pub fn solve_given(
        &self,
        scratch: &mut Scratch,
        start: &[f64],
        control: &Control,
    ) -> Result<Solution, CoreError> {
        if !self.loss.is_squared() || !self.keeps_jacobian() {
            return self.solve(scratch, start, LONG_SOLVE, control);
        }
        let space = Space::plain(self.model);
        let limits = Limits {
            iterations: LONG_SOLVE,
            offset: EXACT * EXACT,
        };
        let whole = levenberg_marquardt::Problem {
            objective: self.objective,
            space: &space,
            linear: None,
            relative: true,
        };
        let mut best = levenberg_marquardt::descend(&whole, scratch, start, limits, control)?;
        if self.residual != Residual::Log && projects(self.model) {
            let projected = levenberg_marquardt::Problem {
                objective: self.objective,
                space: &space,
                linear: Some(&self.model.linear),
                relative: false,
            };
            let reduced =
                levenberg_marquardt::descend(&projected, scratch, start, limits, control)?;
            let evaluations = best.evaluations + reduced.evaluations;
            // On a tie the plain descent counts: it keeps to the start's own ordering of exchangeable terms.
            if !best.cost.is_finite() || reduced.cost < best.cost * (1.0 - SAME_OPTIMUM) {
                best = reduced;
            }
            best.evaluations = evaluations;
        }
        Ok(best)
    }

    fn keeps_jacobian(&self) -> bool {
        self.objective.rows() * self.model.p() <= KEPT_JACOBIAN
    }

    /// A perfect fit, up to rounding.
    pub fn exact(&self, cost: f64) -> bool {
        let size = EXACT * self.unit;
        cost <= self.loss.rho(size) * self.objective.total_weight()
    }

    /// Thresholds from the size of the residuals at the start down to ten times the loss's own.
    fn thresholds(&self, scratch: &mut Scratch, start: &[f64]) -> Vec<f64> {
        let Some(own) = self.loss.threshold() else {
            return Vec::new();
        };
        let mut sizes: Vec<f64> = self
            .objective
            .residuals(scratch, start)
            .into_iter()
            .map(f64::abs)
            .filter(|r| r.is_finite())
            .collect();
        if sizes.is_empty() {
            return Vec::new();
        }
        let middle = sizes.len() / 2;
        let (_, &mut median, _) = sizes.select_nth_unstable_by(middle, f64::total_cmp);
        let mut steps = Vec::new();
        let mut threshold = own * 10.0;
        while threshold < 30.0 * median && steps.len() < 8 {
            steps.push(threshold);
            threshold *= 10.0;
        }
        steps.reverse();
        steps
    }
}

/// Whether the linear parameters of a model may be projected out: none of them is bounded or kept positive.
pub fn projects(model: &Model) -> bool {
    model.linear.iter().any(|&l| l)
        && model
            .free
            .iter()
            .zip(&model.linear)
            .all(|(f, &l)| !l || !signed(f))
}

fn signed(free: &crate::model::Free) -> bool {
    free.bounds.is_some() || free.transform == crate::parameter::Transform::Log
}

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
    let mut model = search.model.clone();
    let objective = Objective::new(&mut model, &sample, search.residual)?;
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
    for run in optima {
        let end = search.solve(&mut scratch, &run.end.theta, LONG_SOLVE, control)?;
        runs.push(Run {
            start: run.start.clone(),
            end,
        });
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
    let mut model = search.model.clone();
    let kind = if search.residual == Residual::Identity {
        Residual::Identity
    } else {
        Residual::Relative
    };
    let screen = Objective::new(&mut model, data, kind)?;
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

/// Screens candidates by the linear solve and returns the best, no two of them close to each other.
fn screen_candidates(
    model: &Model,
    screen: &Objective<'_>,
    starts: &Starts,
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
fn thin(data: &Dataset<'_>) -> Option<Dataset<'static>> {
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
    let pick = |column: &[f64]| Cow::Owned(rows.iter().map(|&i| column[i]).collect());
    Some(Dataset {
        names: data.names.clone(),
        columns: data.columns.iter().map(|c| pick(c)).collect(),
        response: pick(&data.response),
        weights: data.weights.as_ref().map(|w| pick(w)),
    })
}
