//! Levenberg–Marquardt on orthogonal factors of the Jacobian, for squared losses.
//!
//! Steps solve `min ‖Js + r‖² + λ‖Ds‖²` by Householder factors instead of the normal matrix, so that a scaled condition
//! number of 1e10 costs ten digits and not twenty (NIST's problems need it). `D` scales by the
//! start or by the largest column norms seen, and `λ` follows from a trust radius (Moré 1978, The Levenberg–Marquardt
//! algorithm). Linear parameters may be projected out
//! (Kaufman's variable projection): they are factored first, never damped, and re-solved for every trial.
//! The last steps are undamped Gauss–Newton steps for as long as they shrink.

mod factors;
mod point;

use super::termination::{ROUNDING, relative_offset};
use super::{Limits, Solution, Status};
use crate::error::CoreError;
use crate::executor::Control;
use crate::linalg;
use crate::loss::Loss;
use crate::objective::{Order, Scratch};
use factors::Factors;
use point::Point;
pub use point::Problem;

/// First trust radius as a multiple of the scaled length of a start that is known to be near (Moré 1978, section 6).
pub const FAR: f64 = 100.0;
/// The same for a start that knows nothing: a first step of its own length keeps it in its valley.
pub const NEAR: f64 = 1.0;
/// Reductions of the radius within one iteration; each is by four, so these exhaust double precision.
const SHRINKINGS: usize = 60;
/// Undamped steps at the end, at most; each gains digits until rounding stops it.
const POLISHING_STEPS: usize = 24;
/// A step below this share of every parameter is rounding.
const TINY_STEP: f64 = 2e-16;
/// A polishing step above this share of any parameter is no last digit.
const LONGEST_POLISH: f64 = 1e-2;
/// The share of the promised decrease that a step must bring.
const LEAST_RATIO: f64 = 1e-4;
/// The promise, relative to the objective, below which running out of steps counts as having converged.
const CLOSE_ENOUGH: f64 = 1e-6;

/// Descends from `start` (`p` free parameters on their own scale).
///
/// # Errors
/// Only when `control` asks to stop.
pub fn descend(
    problem: &Problem<'_, '_>,
    scratch: &mut Scratch,
    start: &[f64],
    limits: Limits,
    control: &Control,
) -> Result<Solution, CoreError> {
    let mut descent = Descent::begin(problem, scratch, start);
    if !descent.here.usable() {
        return Ok(descent.end(Status::Undefined));
    }
    descent.scale_by_start();
    let status = descent.iterate(limits, control)?;
    if status != Status::Iterations {
        descent.polish(control)?;
    }
    Ok(descent.end(status))
}

/// One descent under way.
struct Descent<'a, 'p, 'd> {
    problem: &'a Problem<'p, 'd>,
    scratch: &'a mut Scratch,
    here: Point,
    /// The diagonal of `D`: what one unit of each coordinate counts in the length of a step.
    scale: Vec<f64>,
    /// Whether `scale` comes from the start and stays, or grows with the columns of the Jacobian.
    relative: bool,
    /// The longest step allowed, by `scale`.
    radius: f64,
    /// The decrease that the undamped step of the last iteration promised, relative to the objective.
    offset: f64,
    evaluations: usize,
}

impl<'a, 'p, 'd> Descent<'a, 'p, 'd> {
    /// Stands at the start, linear parameters at their optimum.
    fn begin(problem: &'a Problem<'p, 'd>, scratch: &'a mut Scratch, start: &[f64]) -> Self {
        let mut here = problem.at(scratch, problem.space.internal(start));
        let mut evaluations = 1;
        if let Some(theta) = problem.reproject(&here) {
            here = problem.at(scratch, problem.space.internal(&theta));
            evaluations += 1;
        }
        Self {
            problem,
            scratch,
            here,
            scale: Vec::new(),
            relative: false,
            radius: 0.0,
            offset: f64::INFINITY,
            evaluations,
        }
    }

    /// Iterations until no step is worth taking, or none is left.
    fn iterate(&mut self, limits: Limits, control: &Control) -> Result<Status, CoreError> {
        for iteration in 0..limits.iterations {
            control.check()?;
            self.scale_by_columns();
            let factors = Factors::new(self.problem, &self.here);
            if iteration == 0 {
                self.first_radius(&factors);
            }
            let newton = factors.step(&self.here, &self.scale, 0.0);
            self.offset = relative_offset(factors.promise(&newton), self.here.cost);
            if self.offset <= limits.offset {
                return Ok(Status::Converged);
            }
            if !self.advance(&factors, &newton) {
                return Ok(self.out_of_steps());
            }
            if self.here.cost == 0.0 {
                self.offset = 0.0;
                return Ok(Status::Converged);
            }
        }
        Ok(Status::Iterations)
    }

    /// Takes the longest step within the radius that lowers the objective, the radius shrinking until one does; false where
    /// none does.
    fn advance(&mut self, factors: &Factors, newton: &[f64]) -> bool {
        for _ in 0..SHRINKINGS {
            let (step, inside) = factors.within(&self.here, &self.scale, newton, self.radius);
            let Some(there) = self.trial(&step) else {
                return false;
            };
            let ratio = (self.here.cost - there.cost) / factors.promise(&step);
            let good = there.usable() && ratio > LEAST_RATIO;
            self.adapt_radius(factors.length(&step, &self.scale), ratio, good, inside);
            if good {
                self.here = there;
                return true;
            }
        }
        false
    }

    /// The point that `step` leads to, linear parameters re-solved; `None` where the step moves nothing.
    fn trial(&mut self, step: &[f64]) -> Option<Point> {
        let u = self.moved(step);
        if u == self.here.u {
            return None;
        }
        let there = self.problem.at(self.scratch, u);
        self.evaluations += 1;
        let Some(theta) = self.problem.reproject(&there) else {
            return Some(there);
        };
        self.evaluations += 1;
        let u = self.problem.space.internal(&theta);
        Some(self.problem.at(self.scratch, u))
    }

    /// The coordinates after `step`, inside the box.
    fn moved(&self, step: &[f64]) -> Vec<f64> {
        let mut u: Vec<f64> = self.here.u.iter().zip(step).map(|(a, s)| a + s).collect();
        self.problem.space.clamp(&mut u);
        u
    }

    /// Shrinks the radius after a step of this length that gained too little, and grows it after one that the model foresaw.
    fn adapt_radius(&mut self, length: f64, ratio: f64, good: bool, inside: bool) {
        if !good || ratio <= 0.25 {
            self.radius = length * if good { 0.5 } else { 0.25 };
        } else if ratio >= 0.75 || inside {
            self.radius = self.radius.max(2.0 * length);
        }
    }

    fn first_radius(&mut self, factors: &Factors) {
        let length = factors.length(&self.here.u, &self.scale);
        let first = self.problem.radius;
        self.radius = if length > 0.0 { first * length } else { first };
    }

    /// Measures steps relative to the start, where that is asked for and no coordinate starts at zero.
    fn scale_by_start(&mut self) {
        let u = &self.here.u;
        self.relative = self.problem.relative && u.iter().all(|&u| u != 0.0);
        self.scale = if self.relative {
            u.iter().map(|u| 1.0 / u.abs()).collect()
        } else {
            vec![0.0; u.len()]
        };
    }

    /// Measures steps by the largest norm that each column of the Jacobian has had.
    fn scale_by_columns(&mut self) {
        if self.relative {
            return;
        }
        let m = self.here.residual.len();
        for (d, column) in self.scale.iter_mut().zip(self.here.jacobian.chunks(m)) {
            let norm = linalg::norm(column);
            *d = if norm > *d {
                norm
            } else if *d == 0.0 {
                1.0
            } else {
                *d
            };
        }
    }

    /// The status where no step lowers the objective any more.
    fn out_of_steps(&self) -> Status {
        if self.offset <= CLOSE_ENOUGH {
            Status::Converged
        } else {
            Status::Stalled
        }
    }

    /// Undamped steps while each is clearly shorter than the one before, measured relative to the parameters: the objective
    /// is too flat to judge these by. Large residuals make Gauss–Newton converge slowly, so these are Newton steps, solved
    /// in the coordinates `z = Rs` of the orthogonal factors: `(I + R⁻ᵀ S R⁻¹) z = −Qᵀr` with `S = Σ w r ∇²r`.
    fn polish(&mut self, control: &Control) -> Result<(), CoreError> {
        let mut last = f64::INFINITY;
        for _ in 0..POLISHING_STEPS {
            control.check()?;
            let step = self.newton_step();
            let length = relative_length(&self.here.u, &step);
            if length.is_nan() || length >= 0.5 * last || length > LONGEST_POLISH {
                break;
            }
            last = length;
            let there = self.problem.at(self.scratch, self.moved(&step));
            self.evaluations += 2;
            let slack = 1e3 * ROUNDING * self.here.cost + rounding_floor(&self.here);
            if !there.usable() || there.cost > self.here.cost + slack {
                break;
            }
            self.here = there;
            if length <= TINY_STEP {
                break;
            }
        }
        Ok(())
    }

    /// The undamped step by the whole Hessian, over all parameters at once.
    fn newton_step(&mut self) -> Vec<f64> {
        let Problem {
            objective, space, ..
        } = *self.problem;
        let whole = Problem {
            objective,
            space,
            linear: None,
            relative: false,
            radius: FAR,
        };
        let theta = &self.here.theta;
        let mut beyond = objective.evaluate(self.scratch, theta, Loss::Squared, Order::SecondOrder);
        space.chain(theta, &mut beyond, Order::Newton);
        Factors::new(&whole, &self.here).newton_step(&self.here, &beyond.curvature)
    }

    fn end(self, status: Status) -> Solution {
        Solution {
            theta: self.here.theta,
            cost: self.here.cost,
            status,
            evaluations: self.evaluations,
            offset: self.offset,
        }
    }
}

/// The largest share that a step moves any coordinate by.
fn relative_length(u: &[f64], step: &[f64]) -> f64 {
    u.iter()
        .zip(step)
        .map(|(u, s)| {
            if *s == 0.0 {
                0.0
            } else {
                (s / (u.abs() + s.abs())).abs()
            }
        })
        .fold(0.0, f64::max)
}

/// What rounding alone can move the objective by: a few units in the last place of each prediction.
fn rounding_floor(here: &Point) -> f64 {
    let m = here.residual.len();
    let p = here.u.len();
    let mut floor = 0.0;
    for i in 0..m {
        let size: f64 = (0..p)
            .map(|j| (here.jacobian[j * m + i] * here.u[j]).abs())
            .sum();
        let error = 4.0 * f64::EPSILON * size;
        floor += error * (error + here.residual[i].abs());
    }
    floor
}
