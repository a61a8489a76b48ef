//! Damped Newton steps on many groups at once, one group a lane, lanes refilled as groups end.
//!
//! In: packs of groups and a queue of starts. Out: for each start where it ended ([`End`]). Steps solve
//! `(H + λD²)s = −g` with the Hessian `H = Σ w ∇r∇rᵀ + Σ w r ∇²r`, or its first part where `H` is not positive definite;
//! under the identity residual the linear parameters are not damped and are moved to their optimum before every trial is
//! judged (variable projection, Golub & Pereyra 1973, with all second derivatives). Damping rises
//! and falls with the share of the promised decrease that came true (Marquardt 1963).
//! Longer than the rule, because the engine of the lanes keeps its state in one place, so that nothing is allocated
//! within its loop.

#![expect(
    clippy::needless_range_loop,
    reason = "one index runs over the lanes of several arrays"
)]

use super::lanes::{Buffers, LANES, Lane, Pack, Sums, accumulate, triangle};
use super::plan::{DESCEND, Plan, SCREEN};
use super::search::Shift;
use super::systems::Systems;
use crate::error::CoreError;
use crate::executor::Control;
use scalefast_expr::Workspace;

/// First damping, relative to the scaled curvature.
const FIRST_DAMPING: f64 = 1e-3;
/// Below this, damping is dropped.
const LEAST_DAMPING: f64 = 1e-7;
/// Beyond this, steps no longer change anything.
const MOST_DAMPING: f64 = 1e12;
/// Steps after which a group is left to the solver for single groups.
const MOST_STEPS: u32 = 60;
/// A promised decrease below this share of the cost ends the descent: an error of 1e-7 standard errors.
const OFFSET: f64 = 1e-14;
/// A trial that fails though the promise is below this share of the cost failed by rounding.
const ROUNDING_OFFSET: f64 = 1e-10;
/// Ridge of the re-solve of linear parameters.
const RIDGE: f64 = 1e-12;

/// A start to descend from.
#[derive(Clone, Copy, Debug)]
pub struct Start {
    /// Which pack holds the group.
    pub pack: usize,
    /// In which lane of it.
    pub lane: usize,
    /// Which of the lane's starts.
    pub rank: usize,
}

/// Where a descent ended, in `p` parameters.
pub struct End<'a> {
    /// Whether the convergence test holds.
    pub converged: bool,
    /// The cost.
    pub cost: f64,
    /// The lane of the engine that holds parameters and sums.
    pub lane: usize,
    /// Parameters, `p` lanes.
    pub theta: &'a [Lane],
    /// `Σ w ∇r∇rᵀ`, lower triangle.
    pub gram: &'a [Lane],
}

/// Memory and state of the descent.
pub struct Descent {
    workspace: Workspace,
    linear_workspace: Workspace,
    buffers: Buffers,
    pack: Pack,
    here: Sums,
    there: Sums,
    hessian: Vec<Lane>,
    theta: Vec<Lane>,
    trial: Vec<Lane>,
    step: Vec<Lane>,
    held: Vec<Lane>,
    damped: Vec<bool>,
    damping: Box<Lane>,
    promised: Box<Lane>,
    systems: Systems,
    plain: Systems,
    shift: Shift,
    fresh: [bool; LANES],
    steps: [u32; LANES],
    floor: Box<Lane>,
    starts: [Start; LANES],
}

impl Descent {
    /// Memory for one plan and packs of at most `rows` rows with `inputs` and `cached` columns.
    pub fn new(plan: &Plan, model: &Pack, rows: usize) -> Self {
        let zero = [0.0; LANES];
        let p = plan.p;
        let empty = |columns: &[Vec<f64>]| -> Vec<Vec<f64>> {
            columns
                .iter()
                .map(|column| {
                    if column.is_empty() {
                        Vec::new()
                    } else {
                        vec![1.0; rows * LANES]
                    }
                })
                .collect()
        };
        let mut damped = vec![true; p];
        if plan.projected {
            for &j in &plan.order[..plan.linear] {
                damped[j] = false;
            }
        }
        Self {
            workspace: plan.workspace(DESCEND),
            linear_workspace: plan.workspace(SCREEN),
            buffers: plan.buffers(),
            pack: Pack {
                rows,
                inputs: empty(&model.inputs),
                cached: empty(&model.cached),
                weights: model.weights.as_ref().map(|_| vec![0.0; rows * LANES]),
            },
            here: Sums::new(p),
            there: Sums::new(p),
            hessian: vec![zero; p * (p + 1) / 2],
            theta: vec![zero; p],
            trial: vec![zero; p],
            step: vec![zero; p],
            held: vec![zero; p],
            damped,
            damping: Box::new(zero),
            promised: Box::new(zero),
            systems: Systems::new(p),
            plain: Systems::new(p),
            shift: Shift::new(p),
            fresh: [true; LANES],
            steps: [0; LANES],
            floor: Box::new(zero),
            starts: [Start {
                pack: 0,
                lane: 0,
                rank: 0,
            }; LANES],
        }
    }

    /// Descends from every start of the queue; `begin` gives parameter `j` of a start and the cost below which its fit is
    /// exact, `end` takes what came of it.
    ///
    /// # Errors
    /// Only when `control` asks to stop.
    #[expect(
        clippy::too_many_arguments,
        reason = "the state of a search, each part of it named"
    )]
    pub fn run(
        &mut self,
        plan: &Plan,
        packs: &[Pack],
        queue: &[Start],
        theta_of: impl Fn(&Start, usize) -> f64,
        floor_of: impl Fn(&Start) -> f64,
        mut end: impl FnMut(&Start, End<'_>),
        control: &Control,
    ) -> Result<(), CoreError> {
        let mut next = queue.iter();
        let mut used = 0;
        loop {
            control.check()?;
            self.propose(plan, used);
            let mut l = 0;
            while l < used {
                let Some(converged) = self.has_ended(l) else {
                    l += 1;
                    continue;
                };
                let result = End {
                    converged,
                    cost: self.here.cost[l],
                    lane: l,
                    theta: &self.theta,
                    gram: &self.here.gram,
                };
                end(&self.starts[l], result);
                if let Some(start) = next.next() {
                    self.load(l, packs, start, &theta_of, floor_of(start));
                    l += 1;
                } else {
                    // The last lane in use closes the gap, and is looked at next.
                    used -= 1;
                    self.copy_lane(used, l);
                }
            }
            while used < LANES {
                let Some(start) = next.next() else { break };
                self.load(used, packs, start, &theta_of, floor_of(start));
                used += 1;
            }
            if used == 0 {
                return Ok(());
            }
            if plan.projected {
                accumulate(
                    plan.kernel,
                    &plan.family.programs()[SCREEN],
                    &mut self.linear_workspace,
                    &plan.screen,
                    &self.pack,
                    &self.trial,
                    used,
                    &mut self.buffers,
                    &mut self.there,
                );
                let this = &mut *self;
                plan.kernel.dispatch(
                    #[inline(always)]
                    || this.project(plan, used),
                );
            }
            accumulate(
                plan.kernel,
                &plan.family.programs()[DESCEND],
                &mut self.workspace,
                &plan.descend,
                &self.pack,
                &self.trial,
                used,
                &mut self.buffers,
                &mut self.there,
            );
            let this = &mut *self;
            plan.kernel.dispatch(
                #[inline(always)]
                || this.judge(used),
            );
        }
    }

    /// `Some(converged)` where the descent of lane `l` is over.
    fn has_ended(&self, l: usize) -> Option<bool> {
        let (cost, promised) = (self.here.cost[l], self.promised[l]);
        if !cost.is_finite() {
            return Some(false);
        }
        if cost <= self.floor[l] {
            return Some(true);
        }
        let calm = self.damping[l] <= LEAST_DAMPING;
        if calm && promised.abs() <= OFFSET * cost {
            return Some(true);
        }
        (self.steps[l] >= MOST_STEPS || self.damping[l] > MOST_DAMPING).then_some(false)
    }

    fn load(
        &mut self,
        l: usize,
        packs: &[Pack],
        start: &Start,
        theta_of: &impl Fn(&Start, usize) -> f64,
        floor: f64,
    ) {
        let source = &packs[start.pack];
        let copy = |to: &mut Vec<f64>, from: &Vec<f64>, last: Option<f64>| {
            if to.is_empty() {
                return;
            }
            for row in 0..to.len() / LANES {
                let known = row.min(source.rows - 1);
                let value = from[known * LANES + start.lane];
                to[row * LANES + l] = match last {
                    Some(padding) if row >= source.rows => padding,
                    _ => value,
                };
            }
        };
        for (to, from) in self.pack.inputs.iter_mut().zip(&source.inputs) {
            copy(to, from, None);
        }
        for (to, from) in self.pack.cached.iter_mut().zip(&source.cached) {
            copy(to, from, None);
        }
        if let (Some(to), Some(from)) = (&mut self.pack.weights, &source.weights) {
            copy(to, from, Some(0.0));
        }
        for (j, (theta, trial)) in self.theta.iter_mut().zip(&mut self.trial).enumerate() {
            let value = theta_of(start, j);
            theta[l] = value;
            trial[l] = value;
        }
        self.fresh[l] = true;
        self.steps[l] = 0;
        self.floor[l] = floor;
        self.starts[l] = *start;
        self.here.cost[l] = f64::INFINITY;
        self.damping[l] = FIRST_DAMPING;
        self.promised[l] = 0.0;
    }

    /// Moves everything of lane `from` to lane `to`.
    fn copy_lane(&mut self, from: usize, to: usize) {
        let columns = self.pack.inputs.iter_mut().chain(&mut self.pack.cached);
        for column in columns.chain(&mut self.pack.weights) {
            for row in column.chunks_exact_mut(LANES) {
                row[to] = row[from];
            }
        }
        let here = &mut self.here;
        let sums = here.gradient.iter_mut().chain(&mut here.gram);
        let lanes = sums.chain(&mut here.second).chain(&mut self.theta);
        for lane in lanes.chain(&mut self.trial).chain(&mut self.step) {
            lane[to] = lane[from];
        }
        for lane in [
            &mut self.here.cost,
            &mut self.damping,
            &mut self.promised,
            &mut self.floor,
        ] {
            lane[to] = lane[from];
        }
        self.fresh[to] = self.fresh[from];
        self.steps[to] = self.steps[from];
        self.starts[to] = self.starts[from];
    }

    /// Fills `trial`, `step` and `promised` of every lane from `theta`, the sums there and the damping.
    fn propose(&mut self, plan: &Plan, used: usize) {
        let this = &mut *self;
        plan.kernel.dispatch(
            #[inline(always)]
            || this.propose_lanes(plan, used),
        );
    }

    #[inline(always)]
    fn propose_lanes(&mut self, plan: &Plan, used: usize) {
        let p = plan.p;
        for j in 0..p {
            let (low, high) = (plan.lower[j], plan.upper[j]);
            let (theta, slope) = (&self.theta[j], &self.here.gradient[j]);
            for l in 0..LANES {
                let outward =
                    (theta[l] <= low && slope[l] > 0.0) || (theta[l] >= high && slope[l] < 0.0);
                self.held[j][l] = if outward { 1.0 } else { 0.0 };
            }
        }
        for (sum, (first, second)) in self
            .hessian
            .iter_mut()
            .zip(self.here.gram.iter().zip(&self.here.second))
        {
            for l in 0..LANES {
                sum[l] = first[l] + second[l];
            }
        }
        let mut full = [0.0; LANES];
        self.systems.solve(
            &plan.order,
            &self.hessian,
            &self.here.gram,
            &self.damped,
            &self.damping,
            &self.here.gradient,
            &self.held,
            None,
        );
        let mut failures = 0.0;
        for l in 0..LANES {
            failures += if l < used {
                self.systems.failed[l]
            } else {
                0.0
            };
            full[l] = if self.systems.failed[l] == 0.0 {
                1.0
            } else {
                0.0
            };
        }
        if failures > 0.0 {
            self.plain.solve(
                &plan.order,
                &self.here.gram,
                &self.here.gram,
                &self.damped,
                &self.damping,
                &self.here.gradient,
                &self.held,
                None,
            );
        }
        for (a, &j) in plan.order.iter().enumerate() {
            // Linear parameters that are projected out are put within their bounds when their optimum is known.
            let (low, high) = if self.damped[j] {
                (plan.lower[j], plan.upper[j])
            } else {
                (f64::NEG_INFINITY, f64::INFINITY)
            };
            for l in 0..LANES {
                let gauss = if self.plain.failed[l] == 0.0 {
                    self.plain.solution[a][l]
                } else {
                    0.0
                };
                let s = if full[l] != 0.0 {
                    self.systems.solution[a][l]
                } else {
                    gauss
                };
                let to = self.theta[j][l] + s;
                let to = if to < low {
                    low
                } else if to > high {
                    high
                } else {
                    to
                };
                let still = self.held[j][l] != 0.0;
                let to = if still { self.theta[j][l] } else { to };
                self.trial[j][l] = to;
                self.step[j][l] = to - self.theta[j][l];
            }
        }
        for l in 0..LANES {
            // Without a step there is no promise to judge, and damping rises.
            let lost = full[l] == 0.0 && self.plain.failed[l] != 0.0;
            self.promised[l] = if lost { f64::INFINITY } else { 0.0 };
        }
        for j in 0..p {
            for k in 0..=j {
                let (whole, gauss) = (
                    &self.hessian[triangle(j, k)],
                    &self.here.gram[triangle(j, k)],
                );
                let share = if j == k { 0.5 } else { 1.0 };
                for l in 0..LANES {
                    let entry = if full[l] != 0.0 { whole[l] } else { gauss[l] };
                    self.promised[l] -= share * entry * self.step[j][l] * self.step[k][l];
                }
            }
            for l in 0..LANES {
                self.promised[l] -= self.here.gradient[j][l] * self.step[j][l];
            }
        }
    }

    /// Accepts or refuses the trial of every lane.
    #[inline(always)]
    fn judge(&mut self, used: usize) {
        let mut accepted = [0.0; LANES];
        for l in 0..used {
            let (cost, before, promised) =
                (self.there.cost[l], self.here.cost[l], self.promised[l]);
            if self.fresh[l] {
                self.fresh[l] = false;
                accepted[l] = 1.0;
                continue;
            }
            self.steps[l] += 1;
            let ratio = (before - cost) / promised;
            let damping = &mut self.damping[l];
            if cost < before && ratio > 1e-4 {
                accepted[l] = 1.0;
                if ratio > 0.75 {
                    *damping *= 0.01;
                } else if ratio < 0.25 {
                    *damping = (*damping * 4.0).max(FIRST_DAMPING);
                }
                if *damping <= LEAST_DAMPING {
                    *damping = 0.0;
                }
            } else if promised.abs() <= ROUNDING_OFFSET * before
                && cost <= before * (1.0 + ROUNDING_OFFSET)
            {
                // Rounding refuses the step: the descent is over, which the next look at the lane finds.
                if *damping <= LEAST_DAMPING {
                    self.floor[l] = before;
                }
                *damping = 0.0;
            } else {
                *damping = (*damping * 8.0).max(FIRST_DAMPING * 0.1);
            }
        }
        let (here, there) = (&mut self.here, &self.there);
        let pairs = here
            .gradient
            .iter_mut()
            .zip(&there.gradient)
            .chain(here.gram.iter_mut().zip(&there.gram))
            .chain(here.second.iter_mut().zip(&there.second))
            .chain(self.theta.iter_mut().zip(&self.trial))
            .chain(std::iter::once((&mut *here.cost, &*there.cost)));
        for (to, from) in pairs {
            for l in 0..LANES {
                to[l] = if accepted[l] != 0.0 { from[l] } else { to[l] };
            }
        }
    }

    /// Moves the linear parameters of every trial to their optimum, given the sums there.
    #[inline(always)]
    fn project(&mut self, plan: &Plan, used: usize) {
        self.shift
            .solve(plan, &self.there, &self.trial, used, RIDGE);
        for &j in &plan.order[..plan.linear] {
            let (low, high) = (plan.lower[j], plan.upper[j]);
            let (trial, step) = (&mut self.trial[j], &self.shift.step[j]);
            for l in 0..LANES {
                let to = trial[l] + step[l];
                trial[l] = if to < low {
                    low
                } else if to > high {
                    high
                } else {
                    to
                };
            }
        }
    }
}
