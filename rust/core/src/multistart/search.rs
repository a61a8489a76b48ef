//! One start followed to its optimum: the solver that suits the loss, the residual and the size of the data.
//!
//! In: a compiled objective and a start (`p` free parameters on their own scale). Out: a [`Solution`]. Squared losses go
//! by the Jacobian where it can be kept and by the normal matrix elsewhere; robust losses by Newton steps while the
//! threshold is lowered to its own value.

use crate::error::CoreError;
use crate::executor::Control;
use crate::loss::Loss;
use crate::model::{Model, Residual};
use crate::objective::{Objective, Order, Scratch};
use crate::solver::space::Space;
use crate::solver::termination::OFFSET;
use crate::solver::{Limits, Solution, Status, levenberg_marquardt, newton};
use crate::start::{Starts, Wide};

/// Largest Jacobian (entries) that is kept in memory for orthogonal factors; beyond it the normal matrix is streamed.
const KEPT_JACOBIAN: usize = 200_000;
/// Steps of one solve among many; the best of a round goes on if it needs more.
pub(crate) const SHORT_SOLVE: usize = 100;
/// Steps of a solve that must not be given up: MGH10 of NIST takes a hundred, a long curved valley some thousand.
pub(crate) const LONG_SOLVE: usize = 3_000;
/// Two optima are the same when their objectives agree to this share.
pub const SAME_OPTIMUM: f64 = 1e-8;
/// A fit whose residuals are all of this relative size is exact: nothing can beat it.
const EXACT: f64 = 1e-12;
/// A larger threshold only leads towards the optimum: the promised decrease at which it has done so, as a share of the
/// objective.
const RELAXED: f64 = 1e-3;

/// The promised decrease, as a share of the objective, at which an approach has led near enough.
const APPROACHED: f64 = 1e-6;
/// Steps of an approach; one that takes longer has left the data behind.
const APPROACH: usize = 60;

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
                radius: levenberg_marquardt::FAR,
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
    pub(super) fn approach(
        &self,
        screen: &Objective<'_>,
        start: &[f64],
        starts: &Starts<'_>,
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

    /// A solve of the screening residual from an independent start, the linear parameters projected out where that is
    /// possible: the others then move in the landscape of the best linear ones, which has fewer traps. Terms are measured
    /// in the middle of the data where the law allows it.
    pub(super) fn project(
        &self,
        screen: &Objective<'_>,
        wide: &Wide<'_>,
        start: &[f64],
        control: &Control,
    ) -> Result<Solution, CoreError> {
        let limits = Limits {
            iterations: APPROACH,
            offset: APPROACHED,
        };
        let descend = |model: &Model, screen: &Objective<'_>, start: &[f64]| {
            let space = Space::plain(model);
            let problem = levenberg_marquardt::Problem {
                objective: screen,
                space: &space,
                linear: projects(model).then_some(&model.linear[..]),
                relative: false,
                radius: levenberg_marquardt::NEAR,
            };
            levenberg_marquardt::descend(&problem, &mut screen.scratch(), start, limits, control)
        };
        let Some((centred, inner)) = wide.centred() else {
            return descend(self.model, screen, start);
        };
        let end = descend(&centred.model, inner, &centred.inward(start))?;
        Ok(Solution {
            theta: centred.outward(&end.theta),
            ..end
        })
    }

    /// The objective at a point.
    pub(super) fn cost(&self, scratch: &mut Scratch, theta: &[f64]) -> f64 {
        let found = self
            .objective
            .evaluate(scratch, theta, self.loss, Order::Cost);
        found.cost
    }

    /// The solve from where the approach ended, or from the start where there was none.
    pub(super) fn follow(
        &self,
        scratch: &mut Scratch,
        start: Vec<f64>,
        near: Option<Solution>,
        control: &Control,
    ) -> Result<Run, CoreError> {
        let near = near.filter(|n| n.cost.is_finite());
        let from = near.as_ref().map_or(&start, |n| &n.theta);
        let mut end = self.solve(scratch, from, SHORT_SOLVE, control)?;
        end.evaluations += near.map_or(0, |n| n.evaluations);
        control.advance(1);
        Ok(Run { start, end })
    }

    fn solve_robust(
        &self,
        scratch: &mut Scratch,
        start: &[f64],
        iterations: usize,
        control: &Control,
    ) -> Result<Solution, CoreError> {
        let mut theta = start.to_vec();
        let mut evaluations = 0;
        for threshold in self.thresholds(scratch, start) {
            let relaxed = self.relax(scratch, &theta, threshold, RELAXED, control)?;
            evaluations += relaxed.evaluations;
            if relaxed.status != Status::Undefined {
                theta = relaxed.theta;
            }
        }
        let mut last = self.solve_own(scratch, &theta, iterations, control)?;
        last.evaluations += evaluations;
        Ok(last)
    }

    /// The solve for a larger threshold, until the model promises no more than the share `offset` of the objective.
    ///
    /// # Errors
    /// Only when `control` asks to stop.
    pub(super) fn relax(
        &self,
        scratch: &mut Scratch,
        start: &[f64],
        threshold: f64,
        offset: f64,
        control: &Control,
    ) -> Result<Solution, CoreError> {
        let problem = newton::Problem {
            objective: self.objective,
            space: &Space::around(self.model, start, self.factors),
            loss: self.loss.with_threshold(threshold),
            order: Order::Newton,
        };
        let limits = Limits {
            iterations: 60,
            offset,
        };
        newton::descend(&problem, scratch, start, limits, control)
    }

    /// The solve on the loss as it is, by Newton steps.
    ///
    /// # Errors
    /// Only when `control` asks to stop.
    pub(super) fn solve_own(
        &self,
        scratch: &mut Scratch,
        start: &[f64],
        iterations: usize,
        control: &Control,
    ) -> Result<Solution, CoreError> {
        let problem = newton::Problem {
            objective: self.objective,
            space: &Space::around(self.model, start, self.factors),
            loss: self.loss,
            order: Order::Newton,
        };
        let limits = Limits {
            iterations,
            offset: OFFSET,
        };
        newton::descend(&problem, scratch, start, limits, control)
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
            radius: levenberg_marquardt::FAR,
        };
        let mut best = levenberg_marquardt::descend(&whole, scratch, start, limits, control)?;
        if self.residual != Residual::Log && projects(self.model) {
            let projected = levenberg_marquardt::Problem {
                objective: self.objective,
                space: &space,
                linear: Some(&self.model.linear),
                relative: false,
                radius: levenberg_marquardt::FAR,
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

    /// Whether the Jacobian is small enough to be kept.
    pub(crate) fn keeps_jacobian(&self) -> bool {
        self.objective.rows() * self.model.p() <= KEPT_JACOBIAN
    }

    /// A perfect fit, up to rounding.
    pub fn exact(&self, cost: f64) -> bool {
        let size = EXACT * self.unit;
        cost <= self.loss.rho(size) * self.objective.total_weight()
    }

    /// Thresholds from the size of the residuals at the start down to ten times the loss's own.
    pub(super) fn thresholds(&self, scratch: &mut Scratch, start: &[f64]) -> Vec<f64> {
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
