//! Damped Newton and Gauss–Newton steps on the curvature matrix, for every loss.
//!
//! The model at `u` is `F + gᵀs + ½ sᵀHs`; the step solves `(H + λD²)s = −g` with `D` the square roots of the diagonal, `λ`
//! raised until the matrix is positive definite and the step is worth taking, lowered as the model proves right (Moré
//! 1978; Nielsen 1999).
//! Longer than the rule, because the loop of `descend` is the method, from step to acceptance.

use super::space::Space;
use super::termination::{OFFSET, ROUNDING, relative_offset};
use super::{Limits, Solution, Status};
use crate::error::CoreError;
use crate::executor::Control;
use crate::linalg;
use crate::loss::Loss;
use crate::objective::{Evaluation, Objective, Order, Scratch};

/// Damping of the first step, relative to the scaled curvature.
const FIRST_DAMPING: f64 = 1e-3;
/// Beyond this damping a step no longer changes anything in double precision.
const MOST_DAMPING: f64 = 1e18;

/// Undamped steps at the end, at most.
const POLISHING_STEPS: usize = 8;
/// Rise of the objective that rounding explains, as a share of it.
const POLISHING_SLACK: f64 = 1e3 * ROUNDING;

/// What [`descend`] goes down.
pub trait Surface {
    /// The internal coordinates.
    fn space(&self) -> &Space;

    /// Fills in the value at `theta` (on its own scale) and the derivatives by the internal coordinates.
    fn at(&self, scratch: &mut Scratch, theta: &[f64], found: &mut Evaluation);
}

/// What is minimised, and how.
pub struct Problem<'p, 'd> {
    /// The objective.
    pub objective: &'p Objective<'d>,
    /// Internal coordinates.
    pub space: &'p Space,
    /// The loss.
    pub loss: Loss,
    /// [`Order::GaussNewton`] or [`Order::Newton`].
    pub order: Order,
}

/// A point, the evaluation there, and room for the next one.
struct Iterate {
    u: Vec<f64>,
    theta: Vec<f64>,
    evaluation: Evaluation,
}

impl Iterate {
    fn new(p: usize) -> Self {
        Self {
            u: vec![0.0; p],
            theta: vec![0.0; p],
            evaluation: Evaluation::default(),
        }
    }

    /// Moves to `from + step`, clamped into the box, which shortens the step; false where nothing is left of it.
    fn move_from(&mut self, from: &Iterate, space: &Space, step: &mut [f64]) -> bool {
        for (t, (v, s)) in self.u.iter_mut().zip(from.u.iter().zip(&*step)) {
            *t = v + s;
        }
        space.clamp(&mut self.u);
        for (s, (t, v)) in step.iter_mut().zip(self.u.iter().zip(&from.u)) {
            *s = t - v;
        }
        space.external(&self.u, &mut self.theta);
        step.iter().any(|&s| s != 0.0)
    }

    fn evaluate(&mut self, problem: &impl Surface, scratch: &mut Scratch) {
        problem.at(scratch, &self.theta, &mut self.evaluation);
    }

    fn usable(&self) -> bool {
        let found = &self.evaluation;
        found.cost.is_finite()
            && found.gradient.iter().all(|g| g.is_finite())
            && found.curvature.iter().all(|h| h.is_finite())
    }
}

/// Descends from `start` (`p` free parameters on their own scale).
///
/// # Errors
/// Only when `control` asks to stop.
pub fn descend(
    problem: &impl Surface,
    scratch: &mut Scratch,
    start: &[f64],
    limits: Limits,
    control: &Control,
) -> Result<Solution, CoreError> {
    let p = start.len();
    let space = problem.space();
    let (mut here, mut there) = (Iterate::new(p), Iterate::new(p));
    here.u = space.internal(start);
    space.external(&here.u, &mut here.theta);
    here.evaluate(problem, scratch);
    let mut evaluations = 1;
    let mut status = Status::Iterations;
    let mut offset = f64::INFINITY;
    if !here.usable() {
        return Ok(Solution {
            cost: here.evaluation.cost,
            theta: here.theta,
            status: Status::Undefined,
            evaluations,
            offset,
        });
    }
    let mut damping = FIRST_DAMPING;
    let mut equations = Equations::new(p);
    for _ in 0..limits.iterations {
        control.check()?;
        let undamped = equations.solve(space, &here, 0.0);
        let promised = if undamped {
            -model_change(&here.evaluation, &equations.step)
        } else {
            f64::INFINITY
        };
        offset = relative_offset(promised, here.evaluation.cost);
        if offset <= limits.offset {
            status = Status::Converged;
            if limits.offset <= OFFSET {
                evaluations += polish(problem, scratch, &mut here, &mut there, &mut equations);
            }
            break;
        }
        let mut accepted = false;
        while damping <= MOST_DAMPING {
            if !equations.solve(space, &here, damping) {
                damping = raise(damping);
                continue;
            }
            if !there.move_from(&here, space, &mut equations.step) {
                break;
            }
            let model = -model_change(&here.evaluation, &equations.step);
            there.evaluate(problem, scratch);
            evaluations += 1;
            let gain = here.evaluation.cost - there.evaluation.cost;
            let ratio = gain / model;
            if there.usable() && model > 0.0 && ratio > 1e-4 {
                if ratio > 0.75 {
                    damping = if damping < 1e-9 { 0.0 } else { damping / 8.0 };
                } else if ratio < 0.25 {
                    damping = raise(damping);
                }
                std::mem::swap(&mut here, &mut there);
                accepted = true;
                break;
            }
            damping = raise(damping);
        }
        if !accepted {
            status = if offset <= OFFSET.sqrt() {
                Status::Converged
            } else {
                Status::Stalled
            };
            break;
        }
        if here.evaluation.cost == 0.0 {
            status = Status::Converged;
            offset = 0.0;
            break;
        }
    }
    Ok(Solution {
        cost: here.evaluation.cost,
        theta: here.theta,
        status,
        evaluations,
        offset,
    })
}

impl Surface for Problem<'_, '_> {
    fn space(&self) -> &Space {
        self.space
    }

    fn at(&self, scratch: &mut Scratch, theta: &[f64], found: &mut Evaluation) {
        self.objective
            .evaluate_into(scratch, theta, self.loss, self.order, found);
        self.space.chain(theta, found, self.order);
    }
}

/// Undamped steps while each is less than half the one before, relative to the coordinates: the objective is too flat
/// to judge the last digits by. Returns the evaluations spent.
fn polish(
    problem: &impl Surface,
    scratch: &mut Scratch,
    here: &mut Iterate,
    there: &mut Iterate,
    equations: &mut Equations,
) -> usize {
    let space = problem.space();
    let mut last = f64::INFINITY;
    for spent in 0..POLISHING_STEPS {
        if !equations.solve(space, here, 0.0) {
            return spent;
        }
        let length = here
            .u
            .iter()
            .zip(&equations.step)
            .map(|(v, s)| {
                if *s == 0.0 {
                    0.0
                } else {
                    (s / (v.abs() + s.abs())).abs()
                }
            })
            .fold(0.0, f64::max);
        if length.is_nan() || length >= 0.5 * last || length <= f64::EPSILON {
            return spent;
        }
        last = length;
        there.move_from(here, space, &mut equations.step);
        there.evaluate(problem, scratch);
        let rise = there.evaluation.cost - here.evaluation.cost;
        if !there.usable() || rise > POLISHING_SLACK * here.evaluation.cost {
            return spent + 1;
        }
        std::mem::swap(here, there);
    }
    POLISHING_STEPS
}

fn raise(damping: f64) -> f64 {
    if damping < 1e-4 { 1e-3 } else { damping * 4.0 }
}

/// The equations of a step and their memory.
struct Equations {
    scale: Vec<f64>,
    open: Vec<usize>,
    matrix: Vec<f64>,
    right: Vec<f64>,
    /// The step that was found last, zero in coordinates that a bound holds.
    step: Vec<f64>,
}

impl Equations {
    fn new(p: usize) -> Self {
        Self {
            scale: vec![0.0; p],
            open: Vec::with_capacity(p),
            matrix: Vec::with_capacity(p * p),
            right: Vec::with_capacity(p),
            step: vec![0.0; p],
        }
    }

    /// Finds the damped step; false when the matrix is not positive definite.
    fn solve(&mut self, space: &Space, here: &Iterate, damping: f64) -> bool {
        let Evaluation {
            gradient,
            curvature,
            ..
        } = &here.evaluation;
        let p = self.step.len();
        self.rescale(curvature);
        self.open.clear();
        self.open
            .extend((0..p).filter(|&j| !space.blocked(&here.u, gradient, j)));
        let n = self.open.len();
        self.step.fill(0.0);
        if n == 0 {
            return true;
        }
        self.matrix.clear();
        self.right.clear();
        for (a, &j) in self.open.iter().enumerate() {
            let row = self.open.iter();
            let scaled = row.map(|&k| curvature[j * p + k] / (self.scale[j] * self.scale[k]));
            self.matrix.extend(scaled);
            self.matrix[a * n + a] += damping;
            self.right.push(-gradient[j] / self.scale[j]);
        }
        if linalg::cholesky_in_place(&mut self.matrix, n).is_err() {
            return false;
        }
        linalg::cholesky_solve(&self.matrix, n, &mut self.right);
        for (&j, s) in self.open.iter().zip(&self.right) {
            self.step[j] = s / self.scale[j];
        }
        self.step.iter().all(|s| s.is_finite())
    }

    fn rescale(&mut self, curvature: &[f64]) {
        let p = self.scale.len();
        let size = |j: usize| curvature[j * p + j].abs();
        let largest = (0..p).map(size).fold(0.0, f64::max);
        for (j, scale) in self.scale.iter_mut().enumerate() {
            let d = size(j);
            *scale = if d > 0.0 {
                d.sqrt()
            } else if largest > 0.0 {
                largest.sqrt()
            } else {
                1.0
            };
        }
    }
}

/// `gᵀs + ½ sᵀHs`.
fn model_change(here: &Evaluation, step: &[f64]) -> f64 {
    linalg::dot(&here.gradient, step) + 0.5 * linalg::quadratic_form(&here.curvature, step)
}
