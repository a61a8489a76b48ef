//! Damped Newton and Gauss–Newton steps on the curvature matrix, for every loss.
//!
//! The model at `u` is `F + gᵀs + ½ sᵀHs`; the step solves `(H + λD²)s = −g` with `D` the square roots of the diagonal, `λ`
//! raised until the matrix is positive definite and the step is worth taking, lowered as the model proves right (Moré
//! 1978; Nielsen 1999).

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

    /// Value at `theta` (on its own scale), derivatives by the internal coordinates.
    fn at(&self, scratch: &mut Scratch, theta: &[f64]) -> Evaluation;
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
    let mut u = space.internal(start);
    let mut theta = vec![0.0; p];
    space.external(&u, &mut theta);
    let mut evaluations = 1;
    let mut here = problem.at(scratch, &theta);
    let mut solution = Solution {
        theta: theta.clone(),
        cost: here.cost,
        status: Status::Undefined,
        evaluations,
        offset: f64::INFINITY,
    };
    if !usable(&here) {
        return Ok(solution);
    }
    let mut damping = FIRST_DAMPING;
    let mut step = vec![0.0; p];
    let mut trial = vec![0.0; p];
    let mut trial_theta = vec![0.0; p];
    solution.status = Status::Iterations;
    for _ in 0..limits.iterations {
        control.check()?;
        let promised = promise(problem, &here, &u);
        solution.offset = relative_offset(promised.unwrap_or(f64::INFINITY), here.cost);
        if solution.offset <= limits.offset {
            solution.status = Status::Converged;
            if limits.offset <= OFFSET {
                evaluations += polish(problem, scratch, &mut u, &mut theta, &mut here);
            }
            break;
        }
        let mut accepted = false;
        while damping <= MOST_DAMPING {
            if !damped_step(problem, &here, &u, damping, &mut step) {
                damping = raise(damping);
                continue;
            }
            for (t, (v, s)) in trial.iter_mut().zip(u.iter().zip(&step)) {
                *t = v + s;
            }
            space.clamp(&mut trial);
            for (s, (t, v)) in step.iter_mut().zip(trial.iter().zip(&u)) {
                *s = t - v;
            }
            if step.iter().all(|&s| s == 0.0) {
                break;
            }
            let model = -model_change(&here, &step);
            space.external(&trial, &mut trial_theta);
            let there = problem.at(scratch, &trial_theta);
            evaluations += 1;
            let gain = here.cost - there.cost;
            let ratio = gain / model;
            if usable(&there) && model > 0.0 && ratio > 1e-4 {
                if ratio > 0.75 {
                    damping = if damping < 1e-9 { 0.0 } else { damping / 8.0 };
                } else if ratio < 0.25 {
                    damping = raise(damping);
                }
                std::mem::swap(&mut u, &mut trial);
                std::mem::swap(&mut theta, &mut trial_theta);
                here = there;
                accepted = true;
                break;
            }
            damping = raise(damping);
        }
        if !accepted {
            solution.status = if solution.offset <= OFFSET.sqrt() {
                Status::Converged
            } else {
                Status::Stalled
            };
            break;
        }
        if here.cost == 0.0 {
            solution.status = Status::Converged;
            solution.offset = 0.0;
            break;
        }
    }
    solution.theta = theta;
    solution.cost = here.cost;
    solution.evaluations = evaluations;
    Ok(solution)
}

impl Surface for Problem<'_, '_> {
    fn space(&self) -> &Space {
        self.space
    }

    fn at(&self, scratch: &mut Scratch, theta: &[f64]) -> Evaluation {
        let mut evaluation = self
            .objective
            .evaluate(scratch, theta, self.loss, self.order);
        self.space.chain(theta, &mut evaluation, self.order);
        evaluation
    }
}

/// Undamped steps while each is less than half the one before, relative to the coordinates: the objective is too flat
/// to judge the last digits by. Returns the evaluations spent.
fn polish(
    problem: &impl Surface,
    scratch: &mut Scratch,
    u: &mut Vec<f64>,
    theta: &mut Vec<f64>,
    here: &mut Evaluation,
) -> usize {
    let space = problem.space();
    let mut last = f64::INFINITY;
    let mut step = vec![0.0; u.len()];
    for spent in 0..POLISHING_STEPS {
        if !damped_step(problem, here, u, 0.0, &mut step) {
            return spent;
        }
        let length = u
            .iter()
            .zip(&step)
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
        let mut trial: Vec<f64> = u.iter().zip(&step).map(|(v, s)| v + s).collect();
        space.clamp(&mut trial);
        let mut trial_theta = vec![0.0; trial.len()];
        space.external(&trial, &mut trial_theta);
        let there = problem.at(scratch, &trial_theta);
        if !usable(&there) || there.cost - here.cost > POLISHING_SLACK * here.cost {
            return spent + 1;
        }
        *u = trial;
        *theta = trial_theta;
        *here = there;
    }
    POLISHING_STEPS
}

fn usable(evaluation: &Evaluation) -> bool {
    evaluation.cost.is_finite()
        && evaluation.gradient.iter().all(|g| g.is_finite())
        && evaluation.curvature.iter().all(|h| h.is_finite())
}

fn raise(damping: f64) -> f64 {
    if damping < 1e-4 { 1e-3 } else { damping * 4.0 }
}

fn scaling(evaluation: &Evaluation, p: usize) -> Vec<f64> {
    let largest = (0..p)
        .map(|j| evaluation.curvature[j * p + j].abs())
        .fold(0.0, f64::max);
    (0..p)
        .map(|j| {
            let d = evaluation.curvature[j * p + j].abs();
            if d > 0.0 {
                d.sqrt()
            } else if largest > 0.0 {
                largest.sqrt()
            } else {
                1.0
            }
        })
        .collect()
}

/// Solves for the damped step; false when the matrix is not positive definite.
fn damped_step(
    problem: &impl Surface,
    here: &Evaluation,
    u: &[f64],
    damping: f64,
    step: &mut [f64],
) -> bool {
    let p = u.len();
    let scale = scaling(here, p);
    let open: Vec<usize> = (0..p)
        .filter(|&j| !problem.space().blocked(u, &here.gradient, j))
        .collect();
    let n = open.len();
    step.fill(0.0);
    if n == 0 {
        return true;
    }
    let mut matrix = vec![0.0; n * n];
    let mut right = vec![0.0; n];
    for (a, &j) in open.iter().enumerate() {
        for (b, &k) in open.iter().enumerate() {
            matrix[a * n + b] = here.curvature[j * p + k] / (scale[j] * scale[k]);
        }
        matrix[a * n + a] += damping;
        right[a] = -here.gradient[j] / scale[j];
    }
    if linalg::cholesky_in_place(&mut matrix, n).is_err() {
        return false;
    }
    linalg::cholesky_solve(&matrix, n, &mut right);
    for (a, &j) in open.iter().enumerate() {
        step[j] = right[a] / scale[j];
    }
    step.iter().all(|s| s.is_finite())
}

/// `gᵀs + ½ sᵀHs`.
fn model_change(here: &Evaluation, step: &[f64]) -> f64 {
    linalg::dot(&here.gradient, step) + 0.5 * linalg::quadratic_form(&here.curvature, step)
}

/// The decrease that the undamped model promises; `None` where it has no minimum.
fn promise(problem: &impl Surface, here: &Evaluation, u: &[f64]) -> Option<f64> {
    let mut step = vec![0.0; u.len()];
    damped_step(problem, here, u, 0.0, &mut step).then(|| -model_change(here, &step))
}
