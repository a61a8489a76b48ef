//! The problem, and one point of a descent: residuals and Jacobian there, linear parameters re-solved.

use crate::linalg::{self, Qr};
use crate::objective::{Linearisation, Objective, Scratch};
use crate::solver::space::Space;

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
    /// First trust radius as a multiple of the scaled length of the start: [`FAR`](super::FAR) or [`NEAR`](super::NEAR).
    pub radius: f64,
}

/// Where a descent stands: residuals and Jacobian carry the roots of the weights, and the Jacobian is by internal coordinates.
pub(super) struct Point {
    pub(super) u: Vec<f64>,
    pub(super) theta: Vec<f64>,
    pub(super) residual: Vec<f64>,
    pub(super) jacobian: Vec<f64>,
    pub(super) cost: f64,
}

impl Point {
    pub(super) fn usable(&self) -> bool {
        self.cost.is_finite() && self.jacobian.iter().all(|x| x.is_finite())
    }
}

impl Problem<'_, '_> {
    /// Residuals and Jacobian at `u`, multiplied by the roots of the weights, by internal coordinates.
    pub(super) fn at(&self, scratch: &mut Scratch, u: Vec<f64>) -> Point {
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
    pub(super) fn reproject(&self, point: &Point) -> Option<Vec<f64>> {
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
/// The columns of `block` of a column-major Jacobian of `m` rows.
pub(super) fn gather(jacobian: &[f64], m: usize, block: &[usize]) -> Vec<f64> {
    block
        .iter()
        .flat_map(|&j| jacobian[j * m..(j + 1) * m].iter().copied())
        .collect()
}
