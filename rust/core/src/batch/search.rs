//! Screening: where the descent of each group begins.
//!
//! In: a [`Pack`] of groups and the candidates of a [`Plan`]. Out: for each lane the best candidates, their linear parameters
//! solved for (within their bounds), as one starting point of `p` parameters each. This is the screen of `multistart`, one
//! group a lane.
//! Longer than the rule, because the screen of a pack is one loop over its candidates.

#![expect(
    clippy::needless_range_loop,
    reason = "one index runs over the lanes of several arrays"
)]

use super::lanes::{Buffers, LANES, Lane, Pack, Sums, accumulate, triangle};
use super::plan::{Plan, SCREEN};
use super::systems::Systems;
use scalefast_expr::Workspace;

/// A trace of ridge keeps candidates with two nearly equal terms in the race.
const RIDGE: f64 = 1e-11;
/// What rounding may add to a decrease, as a share of the squared moves: opposite moves along two nearly equal columns must not
/// pass for progress.
const ROUNDING: f64 = 1e-14;
/// Candidates that differ by less than this share in every nonlinear parameter are one.
const APART: f64 = 0.1;

/// Memory of the screen.
pub struct Screen {
    workspace: Workspace,
    probe: Workspace,
    buffers: Buffers,
    sums: Sums,
    shift: Shift,
    theta: Vec<Lane>,
}

/// The starts of a pack: `followed` of them, best first.
pub struct Starts {
    /// Screened costs, infinite where there is no candidate.
    pub cost: Vec<Lane>,
    /// Parameters, `p` lanes each.
    pub theta: Vec<Vec<Lane>>,
}

impl Screen {
    /// Memory for one plan.
    pub fn new(plan: &Plan) -> Self {
        Self {
            workspace: plan.workspace(SCREEN),
            probe: plan.probe_workspace(),
            buffers: plan.buffers(),
            sums: Sums::new(plan.p),
            shift: Shift::new(plan.p),
            theta: vec![[0.0; LANES]; plan.p],
        }
    }

    /// Screens every candidate on the first `used` lanes of a pack; `rows` is the length of each lane's group.
    pub fn run(&mut self, plan: &Plan, pack: &Pack, rows: &[usize; LANES], used: usize) -> Starts {
        let mut starts = Starts {
            cost: vec![[f64::INFINITY; LANES]; plan.followed],
            theta: vec![vec![[f64::NAN; LANES]; plan.p]; plan.followed],
        };
        let mut valley = Valley::new(plan);
        for number in 0..plan.candidates() {
            let theta = &mut self.theta;
            plan.place(number, &mut self.probe, pack, rows, used, theta);
            accumulate(
                plan.kernel,
                &plan.family.programs()[SCREEN],
                &mut self.workspace,
                &plan.screen,
                pack,
                theta,
                used,
                &mut self.buffers,
                &mut self.sums,
            );
            let (sums, shift) = (&self.sums, &mut self.shift);
            plan.kernel.dispatch(
                #[inline(always)]
                || {
                    shift.solve(plan, sums, theta, used, RIDGE);
                    for &j in &plan.order[..plan.linear] {
                        for l in 0..LANES {
                            theta[j][l] += shift.step[j][l];
                        }
                    }
                },
            );
            let mut cost = [f64::INFINITY; LANES];
            for l in 0..used {
                let value = sums.cost[l] - shift.decrease[l];
                if value.is_finite() {
                    cost[l] = value;
                }
            }
            if plan.line {
                valley.next(plan, Some((&cost, theta)), &mut starts, used);
            } else {
                starts.offer(plan, &cost, theta, used);
            }
        }
        if plan.line {
            valley.next(plan, None, &mut starts, used);
        }
        starts
    }
}

/// Candidates on a line: one is offered once both its neighbours are known to be no better, where the linear parameters are
/// projected out moved to the vertex of the parabola through the three.
struct Valley {
    /// The cost before, and the parameter of the line there.
    before: Box<Lane>,
    position: Box<Lane>,
    cost: Box<Lane>,
    theta: Vec<Lane>,
}

impl Valley {
    fn new(plan: &Plan) -> Self {
        let unknown = [f64::INFINITY; LANES];
        Self {
            before: Box::new(unknown),
            position: Box::new(unknown),
            cost: Box::new(unknown),
            theta: vec![[f64::NAN; LANES]; plan.p],
        }
    }

    /// Takes the next candidate, or the end of the line.
    fn next(
        &mut self,
        plan: &Plan,
        candidate: Option<(&Lane, &[Lane])>,
        starts: &mut Starts,
        used: usize,
    ) {
        let mut bottom = [f64::INFINITY; LANES];
        for l in 0..used {
            let after = candidate.map_or(f64::INFINITY, |(cost, _)| cost[l]);
            if self.cost[l] <= self.before[l] && self.cost[l] <= after {
                bottom[l] = self.cost[l];
            }
        }
        let along = plan.order[plan.linear];
        let middle = self.theta[along];
        if let Some((cost, theta)) = candidate.filter(|_| plan.projected) {
            let here = &mut self.theta[along];
            for l in 0..used {
                if bottom[l] == f64::INFINITY {
                    continue;
                }
                let (rise, fall) = (cost[l] - self.cost[l], self.before[l] - self.cost[l]);
                let (ahead, behind) = (theta[along][l], self.position[l]);
                // Newton's form in steps of one candidate: the vertex lies within half a step.
                let step = 0.5 * (fall - rise) / (fall + rise);
                let moved = here[l]
                    + 0.5 * step * (ahead - behind)
                    + 0.5 * step * step * (ahead - 2.0 * here[l] + behind);
                if moved.is_finite() {
                    here[l] = moved;
                }
            }
        }
        starts.offer(plan, &bottom, &self.theta, used);
        if let Some((cost, theta)) = candidate {
            *self.before = *self.cost;
            *self.position = middle;
            *self.cost = *cost;
            self.theta.copy_from_slice(theta);
        }
    }
}

impl Starts {
    fn offer(&mut self, plan: &Plan, cost: &Lane, theta: &[Lane], used: usize) {
        let kept = self.cost.len();
        for l in 0..used {
            if cost[l] >= self.cost[kept - 1][l] {
                continue;
            }
            let close = |known: &[Lane]| {
                plan.order[plan.linear..].iter().all(|&j| {
                    let (a, b) = (known[j][l], theta[j][l]);
                    (a - b).abs() <= APART * a.abs().max(b.abs())
                })
            };
            let mut at = kept - 1;
            let known = |k: &usize| self.cost[*k][l].is_finite() && close(&self.theta[*k]);
            if let Some(twin) = (0..kept).find(known) {
                if cost[l] >= self.cost[twin][l] {
                    continue;
                }
                at = twin;
            }
            while at > 0 && cost[l] < self.cost[at - 1][l] {
                self.cost[at][l] = self.cost[at - 1][l];
                let (better, worse) = self.theta.split_at_mut(at);
                for (to, from) in worse[0].iter_mut().zip(&better[at - 1]) {
                    to[l] = from[l];
                }
                at -= 1;
            }
            self.cost[at][l] = cost[l];
            for (to, from) in self.theta[at].iter_mut().zip(theta) {
                to[l] = from[l];
            }
        }
    }
}

/// The move of the linear parameters to their optimum within their bounds, given sums of a residual that is affine in them.
pub struct Shift {
    systems: Systems,
    held: Vec<Lane>,
    held_at: Vec<Lane>,
    undamped: Vec<bool>,
    /// By parameter; zero for those that are not linear.
    pub step: Vec<Lane>,
    /// By how much the cost falls, exact for an affine residual.
    pub decrease: Box<Lane>,
}

impl Shift {
    /// Memory for `p` parameters.
    pub fn new(p: usize) -> Self {
        let zero = [0.0; LANES];
        Self {
            systems: Systems::new(p),
            held: vec![zero; p],
            held_at: vec![zero; p],
            undamped: vec![true; p],
            step: vec![zero; p],
            decrease: Box::new(zero),
        }
    }

    /// Fills `step` and `decrease` for the lanes of `theta`.
    #[inline(always)]
    pub fn solve(&mut self, plan: &Plan, sums: &Sums, theta: &[Lane], used: usize, ridge: f64) {
        let block = &plan.order[..plan.linear];
        for &j in block {
            self.held[j].fill(0.0);
            self.held_at[j].fill(0.0);
        }
        let ridge = [ridge; LANES];
        for _ in 0..=block.len() {
            self.systems.solve(
                block,
                &sums.gram,
                &sums.gram,
                &self.undamped,
                &ridge,
                &sums.gradient,
                &self.held,
                Some(&self.held_at),
            );
            let mut violated = 0.0;
            for (a, &j) in block.iter().enumerate() {
                let (low, high) = (plan.lower[j], plan.upper[j]);
                self.step[j] = self.systems.solution[a];
                if low == f64::NEG_INFINITY && high == f64::INFINITY {
                    continue;
                }
                for l in 0..LANES {
                    let (down, up) = (low - theta[j][l], high - theta[j][l]);
                    let value = self.step[j][l];
                    let outside = (value < down || value > up) && l < used;
                    let newly = outside && self.held[j][l] == 0.0;
                    let nearest = if value < down { down } else { up };
                    self.held_at[j][l] = if newly { nearest } else { self.held_at[j][l] };
                    self.held[j][l] = if newly { 1.0 } else { self.held[j][l] };
                    violated += if newly { 1.0 } else { 0.0 };
                    self.step[j][l] = if outside { nearest } else { value };
                }
            }
            if violated == 0.0 {
                break;
            }
        }
        self.decrease.fill(0.0);
        for (a, &j) in block.iter().enumerate() {
            for l in 0..LANES {
                let sound = self.systems.failed[l] == 0.0 && self.step[j][l].is_finite();
                self.step[j][l] = if sound { self.step[j][l] } else { 0.0 };
            }
            for &k in &block[..a] {
                let entry = &sums.gram[triangle(j, k)];
                for l in 0..LANES {
                    self.decrease[l] -= entry[l] * self.step[j][l] * self.step[k][l];
                }
            }
            let (slope, entry) = (&sums.gradient[j], &sums.gram[triangle(j, j)]);
            for l in 0..LANES {
                let s = self.step[j][l];
                let square = s * s * entry[l];
                self.decrease[l] -= s * slope[l] + 0.5 * square + ROUNDING * square;
            }
        }
    }
}
