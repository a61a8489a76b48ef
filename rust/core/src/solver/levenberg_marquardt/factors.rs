//! Orthogonal factors of the Jacobian at one point, and the steps that they give: damped, within a radius, and by the whole
//! Hessian.

use super::point::{Point, Problem, gather};
use crate::linalg::{self, Qr};

/// How closely the length of a step must match the radius (Moré 1978, section 5).
const RADIUS_SLACK: f64 = 0.1;

/// The Jacobian at one point, the undamped block first and factored, the rest reduced by it.
pub(super) struct Factors {
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
    pub(super) fn new(problem: &Problem<'_, '_>, here: &Point) -> Self {
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
    pub(super) fn step(&self, here: &Point, scale: &[f64], damping: f64) -> Vec<f64> {
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
    pub(super) fn length(&self, step: &[f64], scale: &[f64]) -> f64 {
        let scaled: Vec<f64> = self.outer.iter().map(|&j| step[j] * scale[j]).collect();
        linalg::norm(&scaled)
    }

    /// The step that minimises the model within the radius, and whether it is the undamped one.
    ///
    /// `1/‖Ds(λ)‖` is close to linear in `λ` (Hebden 1973; Reinsch 1971), so a bracketed secant on it takes few solves.
    pub(super) fn within(
        &self,
        here: &Point,
        scale: &[f64],
        newton: &[f64],
        radius: f64,
    ) -> (Vec<f64>, bool) {
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
    pub(super) fn newton_step(&self, here: &Point, beyond: &[f64]) -> Vec<f64> {
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
    pub(super) fn promise(&self, step: &[f64]) -> f64 {
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
