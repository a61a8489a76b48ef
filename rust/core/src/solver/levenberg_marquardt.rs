//! Levenberg–Marquardt on orthogonal factors of the Jacobian, for squared losses.
//!
//! Steps solve `min ‖Js + r‖² + λ‖Ds‖²` by Householder factors instead of the normal matrix, so that a scaled condition
//! number of 1e10 costs ten digits and not twenty (NIST's problems need it). `D` scales by the
//! start or by the largest column norms seen, and `λ` follows from a trust radius (Moré 1978, The Levenberg–Marquardt
//! algorithm). Linear parameters may be projected out
//! (Kaufman's variable projection): they are factored first, never damped, and re-solved for every trial.
//! The last steps are undamped Gauss–Newton steps for as long as they shrink.

use super::space::Space;
use super::termination::{ROUNDING, relative_offset};
use super::{Limits, Solution, Status};
use crate::error::CoreError;
use crate::executor::Control;
use crate::linalg::{self, Qr};
use crate::loss::Loss;
use crate::objective::{Linearisation, Objective, Order, Scratch};

/// First trust radius as a multiple of the scaled length of the start (Moré 1978, section 6).
const FIRST_RADIUS: f64 = 100.0;
/// Reductions of the radius within one iteration; each is by four, so these exhaust double precision.
const SHRINKINGS: usize = 60;
/// How closely the length of a step must match the radius (Moré 1978, section 5).
const RADIUS_SLACK: f64 = 0.1;
/// Undamped steps at the end, at most; each gains digits until rounding stops it.
const POLISHING_STEPS: usize = 24;
/// A step below this share of every parameter is rounding.
const TINY_STEP: f64 = 2e-16;

/// What is minimised: half the weighted sum of squares.
pub struct Problem<'p, 'd> {
    /// The objective; its loss is taken as squared.
    pub objective: &'p Objective<'d>,
    /// Internal coordinates.
    pub space: &'p Space,
    /// The linear parameters to project out, if any; the residual must be linear in the law and they must be unbounded.
    pub linear: Option<&'p [bool]>,
    /// Whether steps are measured relative to the start, as suits one that a user chose by its size; otherwise by the
    /// columns of the Jacobian. NIST's MGH10 is reached from afar only with the former.
    pub relative: bool,
}

struct Point {
    u: Vec<f64>,
    theta: Vec<f64>,
    residual: Vec<f64>,
    jacobian: Vec<f64>,
    cost: f64,
}

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
    let mut evaluations = 1;
    let mut here = problem.at(scratch, problem.space.internal(start));
    if let Some(theta) = problem.reproject(&here) {
        here = problem.at(scratch, problem.space.internal(&theta));
        evaluations += 1;
    }
    let mut offset = f64::INFINITY;
    let mut status = Status::Iterations;
    if !here.usable() {
        return Ok(Solution {
            theta: here.theta,
            cost: here.cost,
            status: Status::Undefined,
            evaluations,
            offset,
        });
    }
    let relative = problem.relative && here.u.iter().all(|&u| u != 0.0);
    let mut scale: Vec<f64> = here
        .u
        .iter()
        .map(|u| if relative { 1.0 / u.abs() } else { 0.0 })
        .collect();
    let mut radius = 0.0;
    for iteration in 0..limits.iterations {
        control.check()?;
        if !relative {
            let m = here.residual.len();
            for (d, column) in scale.iter_mut().zip(here.jacobian.chunks(m)) {
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
        let factors = Factors::new(problem, &here);
        if iteration == 0 {
            let length = factors.length(&here.u, &scale);
            let fr: f64 = if problem.relative { FIRST_RADIUS } else { std::env::var("FR").ok().and_then(|x| x.parse().ok()).unwrap_or(1.0) };
            radius = if length > 0.0 {
                fr * length
            } else {
                fr
            };
        }
        let newton = factors.step(&here, &scale, 0.0);
        offset = relative_offset(factors.promise(&newton), here.cost);
        if offset <= limits.offset {
            status = Status::Converged;
            break;
        }
        let mut accepted = false;
        for _ in 0..SHRINKINGS {
            let (step, inside) = factors.within(&here, &scale, &newton, radius);
            let length = factors.length(&step, &scale);
            let mut u: Vec<f64> = here.u.iter().zip(&step).map(|(a, s)| a + s).collect();
            problem.space.clamp(&mut u);
            if u == here.u {
                break;
            }
            let promised = factors.promise(&step);
            let mut there = problem.at(scratch, u);
            evaluations += 1;
            if let Some(theta) = problem.reproject(&there) {
                there = problem.at(scratch, problem.space.internal(&theta));
                evaluations += 1;
            }
            let ratio = (here.cost - there.cost) / promised;
            let good = there.usable() && ratio > 1e-4;
            if !good || ratio <= 0.25 {
                radius = length * if good { 0.5 } else { 0.25 };
            } else if ratio >= 0.75 || inside {
                radius = radius.max(2.0 * length);
            }
            if good {
                here = there;
                accepted = true;
                break;
            }
        }
        if !accepted {
            status = if offset <= 1e-6 {
                Status::Converged
            } else {
                Status::Stalled
            };
            break;
        }
        if here.cost == 0.0 {
            offset = 0.0;
            status = Status::Converged;
            break;
        }
    }
    if status != Status::Iterations {
        polish(problem, scratch, &mut here, &mut evaluations, control)?;
    }
    Ok(Solution {
        theta: here.theta,
        cost: here.cost,
        status,
        evaluations,
        offset,
    })
}

/// Undamped steps while each is clearly shorter than the one before, measured relative to the parameters: the objective is
/// too flat to judge these by. Large residuals make Gauss–Newton converge slowly, so these are Newton steps, solved in the
/// coordinates `z = Rs` of the orthogonal factors: `(I + R⁻ᵀ S R⁻¹) z = −Qᵀr` with `S = Σ w r ∇²r`.
fn polish(
    problem: &Problem<'_, '_>,
    scratch: &mut Scratch,
    here: &mut Point,
    evaluations: &mut usize,
    control: &Control,
) -> Result<(), CoreError> {
    let whole = Problem {
        objective: problem.objective,
        space: problem.space,
        linear: None,
        relative: false,
    };
    let mut last = f64::INFINITY;
    for _ in 0..POLISHING_STEPS {
        control.check()?;
        let factors = Factors::new(&whole, here);
        let mut beyond =
            problem
                .objective
                .evaluate(scratch, &here.theta, Loss::Squared, Order::SecondOrder);
        problem.space.chain(&here.theta, &mut beyond, Order::Newton);
        let step = factors.newton_step(here, &beyond.curvature);
        let length = here
            .u
            .iter()
            .zip(&step)
            .map(|(u, s)| {
                if *s == 0.0 {
                    0.0
                } else {
                    (s / (u.abs() + s.abs())).abs()
                }
            })
            .fold(0.0, f64::max);
        if length.is_nan() || length >= 0.5 * last || length > 1e-2 {
            break;
        }
        last = length;
        let mut u: Vec<f64> = here.u.iter().zip(&step).map(|(a, s)| a + s).collect();
        problem.space.clamp(&mut u);
        let there = problem.at(scratch, u);
        *evaluations += 2;
        let slack = 1e3 * ROUNDING * here.cost + rounding_floor(here);
        if !there.usable() || there.cost > here.cost + slack {
            break;
        }
        *here = there;
        if length <= TINY_STEP {
            break;
        }
    }
    Ok(())
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

impl Point {
    fn usable(&self) -> bool {
        self.cost.is_finite() && self.jacobian.iter().all(|x| x.is_finite())
    }
}

impl Problem<'_, '_> {
    /// Residuals and Jacobian at `u`, multiplied by the roots of the weights, by internal coordinates.
    fn at(&self, scratch: &mut Scratch, u: Vec<f64>) -> Point {
        let mut theta = vec![0.0; u.len()];
        self.space.external(&u, &mut theta);
        let Linearisation {
            mut residual,
            mut jacobian,
        } = self.objective.linearise(scratch, &theta);
        let m = residual.len();
        for (column, slope) in jacobian.chunks_mut(m.max(1)).zip(self.space.slopes(&theta)) {
            if slope != 1.0 {
                column.iter_mut().for_each(|x| *x *= slope);
            }
        }
        if let Some(weights) = self.objective.weights() {
            for (i, w) in weights.iter().enumerate() {
                let root = w.sqrt();
                residual[i] *= root;
                for column in jacobian.chunks_mut(m) {
                    column[i] *= root;
                }
            }
        }
        let cost = 0.5 * linalg::dot(&residual, &residual);
        Point {
            u,
            theta,
            residual,
            jacobian,
            cost,
        }
    }

    /// The parameters with the linear ones at their optimum.
    fn reproject(&self, point: &Point) -> Option<Vec<f64>> {
        let linear = self.linear?;
        if !point.usable() {
            return None;
        }
        let m = point.residual.len();
        let block: Vec<usize> = (0..linear.len()).filter(|&j| linear[j]).collect();
        let columns = gather(&point.jacobian, m, &block);
        let factor = Qr::new(&columns, m, block.len());
        let shift = factor.solve(&point.residual, factor.rounding());
        let mut theta = point.theta.clone();
        for (&j, s) in block.iter().zip(&shift) {
            theta[j] -= s;
        }
        theta.iter().all(|t| t.is_finite()).then_some(theta)
    }
}

fn gather(jacobian: &[f64], m: usize, block: &[usize]) -> Vec<f64> {
    block
        .iter()
        .flat_map(|&j| jacobian[j * m..(j + 1) * m].iter().copied())
        .collect()
}

/// The Jacobian at one point, the undamped block first and factored, the rest reduced by it.
struct Factors {
    inner: Vec<usize>,
    outer: Vec<usize>,
    inner_factor: Option<Qr>,
    /// `R` of the reduced outer block, row-major `n × n`, in the (pivoted) order of `outer`.
    triangle: Vec<f64>,
    /// The part of the rotated residual that belongs to it.
    target: Vec<f64>,
    /// The Jacobian's open columns and the residual, for the model's promise.
    residual: Vec<f64>,
    columns: Vec<f64>,
    rows: usize,
}

impl Factors {
    fn new(problem: &Problem<'_, '_>, here: &Point) -> Self {
        let p = here.u.len();
        let m = here.residual.len();
        let gradient: Vec<f64> = (0..p)
            .map(|j| linalg::dot(&here.jacobian[j * m..(j + 1) * m], &here.residual))
            .collect();
        let open = |j: &usize| !problem.space.blocked(&here.u, &gradient, *j);
        let is_linear = |j: usize| problem.linear.is_some_and(|l| l[j]);
        let inner: Vec<usize> = (0..p).filter(|&j| is_linear(j)).filter(open).collect();
        let mut outer: Vec<usize> = (0..p).filter(|&j| !is_linear(j)).filter(open).collect();
        let skip = inner.len().min(m);
        let mut rest = gather(&here.jacobian, m, &outer);
        let mut residual = here.residual.clone();
        let inner_factor = (!inner.is_empty())
            .then(|| Qr::new(&gather(&here.jacobian, m, &inner), m, inner.len()));
        if let Some(factor) = &inner_factor {
            for column in rest.chunks_mut(m) {
                factor.apply_transposed_q(column);
            }
            factor.apply_transposed_q(&mut residual);
        }
        let n = outer.len();
        let height = m - skip;
        let reduced: Vec<f64> = rest
            .chunks(m.max(1))
            .flat_map(|c| c[skip..].iter().copied())
            .collect();
        let mut target = residual[skip..].to_vec();
        let mut triangle = vec![0.0; n * n];
        if n > 0 {
            let factor = Qr::new(&reduced, height, n);
            factor.apply_transposed_q(&mut target);
            let r = factor.r();
            for (position, &column) in factor.pivots().iter().enumerate() {
                let unscale = 1.0 / factor.scales()[column];
                for row in 0..=position {
                    triangle[row * n + position] = r[row * n + position] * unscale;
                }
            }
            outer = factor.pivots().iter().map(|&c| outer[c]).collect();
        }
        target.resize(n.max(target.len()), 0.0);
        target.truncate(n);
        Self {
            inner,
            outer,
            inner_factor,
            triangle,
            target,
            residual: here.residual.clone(),
            columns: here.jacobian.clone(),
            rows: m,
        }
    }

    /// The step for one damping, over all `p` coordinates.
    fn step(&self, here: &Point, scale: &[f64], damping: f64) -> Vec<f64> {
        let n = self.outer.len();
        let m = self.rows;
        let mut step = vec![0.0; here.u.len()];
        if n > 0 {
            let rows = if damping > 0.0 { 2 * n } else { n };
            let mut stacked = vec![0.0; rows * n];
            let mut right = vec![0.0; rows];
            let root = damping.sqrt();
            for (c, &j) in self.outer.iter().enumerate() {
                for r in 0..=c {
                    stacked[c * rows + r] = self.triangle[r * n + c];
                }
                if damping > 0.0 {
                    stacked[c * rows + n + c] = root * scale[j];
                }
            }
            for (b, t) in right.iter_mut().zip(&self.target) {
                *b = -t;
            }
            let factor = Qr::new(&stacked, rows, n);
            let solution = factor.solve(&right, factor.rounding());
            for (&j, s) in self.outer.iter().zip(&solution) {
                step[j] = *s;
            }
        }
        if let Some(factor) = &self.inner_factor {
            // Given the outer step, the inner block solves its own least-squares problem.
            let mut right: Vec<f64> = self.residual.iter().map(|r| -r).collect();
            for &j in &self.outer {
                for (b, x) in right.iter_mut().zip(&self.columns[j * m..(j + 1) * m]) {
                    *b -= x * step[j];
                }
            }
            for (&j, s) in self
                .inner
                .iter()
                .zip(factor.solve(&right, factor.rounding()))
            {
                step[j] = s;
            }
        }
        if step.iter().any(|s| !s.is_finite()) {
            step.fill(0.0);
        }
        step
    }

    /// The scaled length of a step in the damped coordinates.
    fn length(&self, step: &[f64], scale: &[f64]) -> f64 {
        let scaled: Vec<f64> = self.outer.iter().map(|&j| step[j] * scale[j]).collect();
        linalg::norm(&scaled)
    }

    /// The step that minimises the model within the radius, and whether it is the undamped one.
    ///
    /// `1/‖Ds(λ)‖` is close to linear in `λ` (Hebden 1973; Reinsch 1971), so a bracketed secant on it takes few solves.
    fn within(&self, here: &Point, scale: &[f64], newton: &[f64], radius: f64) -> (Vec<f64>, bool) {
        let full = self.length(newton, scale);
        if full <= (1.0 + RADIUS_SLACK) * radius {
            return (newton.to_vec(), true);
        }
        let n = self.outer.len();
        let gradient: Vec<f64> = (0..n)
            .map(|c| {
                let along: f64 = (0..=c)
                    .map(|r| self.triangle[r * n + c] * self.target[r])
                    .sum();
                along / scale[self.outer[c]]
            })
            .collect();
        let (mut low, mut high) = (0.0, linalg::norm(&gradient) / radius);
        let (mut last, mut last_inverse) = (0.0, if full.is_finite() { 1.0 / full } else { 0.0 });
        let mut damping = high * 1e-3;
        let mut step = newton.to_vec();
        for _ in 0..40 {
            step = self.step(here, scale, damping);
            let length = self.length(&step, scale);
            if (length - radius).abs() <= RADIUS_SLACK * radius {
                break;
            }
            if length > radius {
                low = damping;
            } else {
                high = damping;
            }
            let inverse = 1.0 / length;
            let next =
                damping + (1.0 / radius - inverse) * (damping - last) / (inverse - last_inverse);
            (last, last_inverse) = (damping, inverse);
            damping = if next > low && next < high {
                next
            } else if low > 0.0 {
                (low * high).sqrt()
            } else {
                1e-3 * high
            };
        }
        (step, false)
    }

    /// The Newton step over all `p` coordinates, `beyond` (`p × p`) being what Gauss–Newton leaves out of the Hessian.
    /// Falls back to the Gauss–Newton step where the Hessian is not positive definite.
    fn newton_step(&self, here: &Point, beyond: &[f64]) -> Vec<f64> {
        let p = here.u.len();
        let n = self.outer.len();
        let plain = self.step(here, &vec![1.0; p], 0.0);
        if n == 0
            || (0..n)
                .any(|k| self.triangle[k * n + k].abs() <= f64::EPSILON * self.triangle[0].abs())
        {
            return plain;
        }
        // Rᵀ X = S, then Rᵀ M = Xᵀ: M = R⁻ᵀ S R⁻¹, symmetric.
        let rows: Vec<f64> = self
            .outer
            .iter()
            .flat_map(|&j| self.outer.iter().map(move |&k| beyond[j * p + k]))
            .collect();
        let mut matrix = self.solve_transposed(&self.solve_transposed(&rows));
        for a in 0..n {
            matrix[a * n + a] += 1.0;
        }
        let mut z: Vec<f64> = self.target.iter().map(|t| -t).collect();
        if linalg::cholesky_in_place(&mut matrix, n).is_err() {
            return plain;
        }
        linalg::cholesky_solve(&matrix, n, &mut z);
        linalg::solve_upper(&self.triangle, n, n, &mut z);
        let mut step = vec![0.0; p];
        for (&j, s) in self.outer.iter().zip(&z) {
            step[j] = *s;
        }
        if step.iter().all(|s| s.is_finite()) {
            step
        } else {
            plain
        }
    }

    /// `(R⁻ᵀ A)ᵀ` of a row-major `n × n` matrix.
    fn solve_transposed(&self, a: &[f64]) -> Vec<f64> {
        let n = self.outer.len();
        let mut result = vec![0.0; n * n];
        for c in 0..n {
            for r in 0..n {
                let mut value = a[r * n + c];
                for k in 0..r {
                    value -= self.triangle[k * n + r] * result[c * n + k];
                }
                result[c * n + r] = value / self.triangle[r * n + r];
            }
        }
        result
    }

    /// The decrease `½‖r‖² − ½‖r + Js‖²` that the model promises, formed without cancellation: `−(r + ½Js)ᵀJs`.
    fn promise(&self, step: &[f64]) -> f64 {
        let m = self.rows;
        let mut change = vec![0.0; m];
        for (j, &s) in step.iter().enumerate() {
            if s != 0.0 {
                for (c, x) in change.iter_mut().zip(&self.columns[j * m..(j + 1) * m]) {
                    *c += x * s;
                }
            }
        }
        -(linalg::dot(&self.residual, &change) + 0.5 * linalg::dot(&change, &change))
    }
}
