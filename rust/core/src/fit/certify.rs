//! What a fit has found, and the evidence that it is the optimum.
//!
//! Longer than the rule, because `finish` gathers every number that a status rests on.

use super::sensitivity::{ENTANGLED, SOUND, Sensitivity, start_condition};
use crate::error::CoreError;
use crate::linalg::{self, Qr, scaled, scaled_condition};
use crate::loss::Loss;
use crate::multistart::{Evidence, Outcome, Run, Runs, Search};
use crate::objective::{Order, Scratch};
use crate::solver::Status;
use crate::solver::space::Space;
use crate::solver::termination::relative_offset;

/// The evidence that an estimate is the optimum.
#[derive(Clone, Debug, PartialEq)]
pub struct Certificate {
    /// The decrease that a Newton step still promises, as a share of the objective.
    pub gradient: f64,
    /// Smallest eigenvalue of the Hessian over free, unbounded parameters, its diagonal scaled to one.
    pub curvature: f64,
    /// Ratio of the extreme singular values of the scaled Jacobian.
    pub condition: f64,
    /// Starts that were solved.
    pub starts: usize,
    /// Of these, how many ended in the best optimum.
    pub agreeing: usize,
    /// Largest relative difference of the objective among those.
    pub spread: f64,
    /// What starts that nothing has chosen say, where the search followed any.
    pub evidence: Option<Evidence>,
}

/// The result of a fit.
#[derive(Clone, Debug)]
pub struct Fit {
    /// All parameters of the law, in its order.
    pub parameters: Vec<f64>,
    /// The free ones (`p`), a subset of the above.
    pub free: Vec<f64>,
    /// Positions of the free ones among all.
    pub positions: Vec<usize>,
    /// Which of the free ones lie on a bound.
    pub at_bound: Vec<bool>,
    /// The weighted sum over rows.
    pub objective: f64,
    /// One of [`STATUSES`].
    pub status: &'static str,
    /// The loss with its threshold settled.
    pub loss: Loss,
    /// The evidence.
    pub certificate: Certificate,
    /// Every start that was solved, best first (in the given order for given starts).
    pub runs: Runs,
    /// Robust scale of the residuals: 1.4826 times their median absolute value.
    pub sigma: f64,
    /// Share of rows in the quadratic zone of the loss; one for losses without a threshold.
    pub quadratic_share: f64,
}

impl Fit {
    /// How many of the starts were solved: all, unless the call was stopped.
    pub fn solved(&self) -> usize {
        self.runs.solved()
    }
}

/// Every status of a fit.
pub const STATUSES: [&str; 10] = [
    "converged",
    "unconfirmed",
    "unbounded",
    "at-bound",
    "ill-determined",
    "saddle",
    "stalled",
    "iterations",
    "undefined",
    CONSTANT_RESPONSE,
];
/// The response never changes: whatever the law says of it is no finding.
pub(super) const CONSTANT_RESPONSE: &str = "constant-response";

/// Curvature, scaled, below which a point is a saddle.
pub(super) const NEGATIVE: f64 = -1e-8;
/// Condition beyond which parameters are not determined in double precision.
const SINGULAR: f64 = 1e14;
/// Starts at which it is asked whether the law itself determines its parameters.
const STARTS_LOOKED_AT: usize = 12;
/// Condition beyond which the rounding of the normal matrix, its square, hides what is left.
const SQUARED_ROUNDING: f64 = 1e6;
/// A Newton step that promises less than this share of the objective changes no printed digit.
pub(crate) const CERTIFIED_OFFSET: f64 = 1e-9;

pub(crate) fn finish(search: &Search<'_, '_>, best: Run, found: Outcome) -> Result<Fit, CoreError> {
    let model = search.model;
    let end = best.end;
    let theta = end.theta.clone();
    let objective = end.cost;
    let mut scratch = search.objective.scratch();
    let evaluation = search
        .objective
        .evaluate(&mut scratch, &theta, search.loss, Order::Newton);
    let space = Space::plain(model);
    let u = space.internal(&theta);
    let at_bound = space.at_bound(&u);
    let open: Vec<usize> = (0..model.p()).filter(|&j| !at_bound[j]).collect();
    let (gradient, curvature) = scaled_hessian(
        &evaluation.gradient,
        &evaluation.curvature,
        model.p(),
        &open,
        objective,
    );
    let squared =
        search
            .objective
            .evaluate(&mut scratch, &theta, Loss::Squared, Order::GaussNewton);
    let mut condition = scaled_condition(&squared.curvature, model.p(), &open);
    let factors = if condition > ENTANGLED && search.keeps_jacobian() {
        jacobian_factors(search, &mut scratch, &theta, &open)
    } else {
        None
    };
    if condition > SQUARED_ROUNDING && search.keeps_jacobian() {
        condition = factors.as_ref().map_or(f64::INFINITY, Qr::condition);
    }
    let exact = search.exact(objective);
    let certificate = Certificate {
        gradient: if exact { 0.0 } else { gradient },
        curvature,
        condition,
        starts: found.starts,
        agreeing: found.agreeing,
        spread: found.spread,
        evidence: found.evidence,
    };
    let (sigma, quadratic_share) = scatter(search, &mut scratch, &theta);
    let noise = if search.loss.is_squared() {
        let free = search.objective.rows().saturating_sub(model.p()).max(1);
        (2.0 * squared.cost / free as f64).sqrt()
    } else {
        sigma
    };
    let size = search.unit * search.objective.total_weight().sqrt();
    let sensitivity = Sensitivity::of(&squared.curvature, factors.as_ref(), &theta, &open, size);
    // The normal matrix cannot tell a small step from none beyond this condition; the solver's orthogonal factors can.
    let settled = end.status == Status::Converged
        || certificate.gradient <= CERTIFIED_OFFSET && condition <= SQUARED_ROUNDING;
    let status = if condition > SINGULAR || !curvature.is_finite() {
        let sound = !sensitivity.dead
            && curvature.is_finite()
            && found
                .runs
                .iter()
                .map(|run| &run.start)
                .chain([&best.start])
                .take(STARTS_LOOKED_AT)
                .any(|start| start_condition(search, &mut scratch, start) < SOUND);
        if sound { "unbounded" } else { "ill-determined" }
    } else if !settled && !exact {
        if sensitivity.runs_away(noise, condition) {
            "unbounded"
        } else {
            end.status.name()
        }
    } else if curvature < NEGATIVE {
        "saddle"
    } else if at_bound.iter().any(|&b| b) {
        "at-bound"
    } else if sensitivity.runs_away(noise, condition) {
        "unbounded"
    } else if !found.confirmed {
        "unconfirmed"
    } else {
        "converged"
    };
    Ok(Fit {
        parameters: model.expand(&theta),
        positions: model.free.iter().map(|f| f.position).collect(),
        free: theta,
        at_bound,
        objective,
        status,
        loss: search.loss,
        certificate,
        sigma,
        quadratic_share,
        runs: found.runs.into(),
    })
}

/// The robust scale of the residuals, and the share of rows in the quadratic zone of the loss.
fn scatter(search: &Search<'_, '_>, scratch: &mut Scratch, theta: &[f64]) -> (f64, f64) {
    let residuals = search.objective.residuals(scratch, theta);
    let weights = search.objective.weights();
    // A row of weight zero is no row.
    let mut sizes: Vec<(f64, f64)> = residuals
        .into_iter()
        .enumerate()
        .map(|(row, r)| (r.abs(), weights.map_or(1.0, |w| w[row])))
        .filter(|&(_, weight)| weight > 0.0)
        .collect();
    let quadratic_share = search.loss.threshold().map_or(1.0, |d| {
        sizes.iter().filter(|(r, _)| *r <= d).count() as f64 / sizes.len() as f64
    });
    (1.4826 * median(&mut sizes), quadratic_share)
}

/// The relative offset and the smallest eigenvalue of the scaled Hessian over the open parameters.
fn scaled_hessian(
    gradient: &[f64],
    hessian: &[f64],
    p: usize,
    open: &[usize],
    objective: f64,
) -> (f64, f64) {
    let n = open.len();
    if n == 0 {
        return (0.0, 0.0);
    }
    let scale: Vec<f64> = open
        .iter()
        .map(|&j| hessian[j * p + j].abs().sqrt().max(f64::MIN_POSITIVE))
        .collect();
    let matrix = scaled(hessian, p, open, &scale);
    let (values, vectors) = linalg::symmetric_eigen(&matrix, n);
    let mut promised = 0.0;
    for (k, &value) in values.iter().enumerate() {
        let along: f64 = (0..n)
            .map(|a| vectors[a * n + k] * gradient[open[a]] / scale[a])
            .sum();
        promised += 0.5 * along * along / value.abs().max(f64::EPSILON);
    }
    (
        relative_offset(promised, objective),
        values.first().copied().unwrap_or(0.0),
    )
}

/// Orthogonal factors of the columns `open` of the Jacobian, rows multiplied by the roots of the weights; `None` where it is
/// not finite.
pub(super) fn jacobian_factors(
    search: &Search<'_, '_>,
    scratch: &mut Scratch,
    theta: &[f64],
    open: &[usize],
) -> Option<Qr> {
    let m = search.objective.rows();
    let found = search.objective.linearise(scratch, theta);
    let weights = search.objective.weights();
    let columns: Vec<f64> = open
        .iter()
        .flat_map(|&j| {
            let column = found.jacobian[j * m..(j + 1) * m].iter().enumerate();
            column.map(|(row, g)| g * weights.map_or(1.0, |w| w[row]).sqrt())
        })
        .collect();
    if columns.iter().any(|g| !g.is_finite()) {
        return None;
    }
    Some(Qr::new(&columns, m, open.len()))
}

/// The median of values with weights: half of the weight lies on either side.
fn median(sizes: &mut [(f64, f64)]) -> f64 {
    sizes.sort_by(|a, b| a.0.total_cmp(&b.0));
    let total: f64 = sizes.iter().map(|(_, weight)| weight).sum();
    let mut below = 0.0;
    for (place, &(size, weight)) in sizes.iter().enumerate() {
        below += weight;
        if below > 0.5 * total {
            return size;
        }
        if below == 0.5 * total {
            return sizes
                .get(place + 1)
                .map_or(size, |next| 0.5 * (size + next.0));
        }
    }
    f64::NAN
}
