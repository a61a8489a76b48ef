//! Profile likelihood: how far a parameter, or any formula of the parameters, can move before the fit becomes unlikely.
//!
//! In: a fit with squared loss over `m` rows, whose residuals are then normal with a free scale, and a formula `g`. Out: the
//! curve of the best objective at each value of `g`, and the interval where `m ln(S/S₀) ≤ m ln(1 + t²/(m − p))`, which for
//! a linear law is Student's own. Points of the curve are minima of `S + μ/2·(g − τ)²`: whatever τ is, such a minimum is
//! the best fit among all with the same value of `g`, so τ is moved and the value read off. Sources: Bates & Watts 1988,
//! chapter 6; Venzon & Moolgavkar 1988. Known noise (without weights) states the scale: the deviance is then `2(S − S₀)` and
//! its limit the square of the normal quantile.
//! Longer than the rule, because `profile` follows both sides of one curve with one objective and one threshold.

use crate::dataset::Dataset;
use crate::error::CoreError;
use crate::executor::{Control, with_pool};
use crate::fit::{Fit, FitSpec};
use crate::inference::Inference;
use crate::loss::Loss;
use crate::model::Model;
use crate::objective::{Evaluation, Objective, Order, Scratch};
use crate::rng::normal_quantile;
use crate::solver::space::Space;
use crate::solver::termination::OFFSET;
use crate::solver::{Limits, Status, newton};
use crate::start::Starts;
use crate::student::two_sided_quantile;
use scalefast_expr::{NodeId, System, math};

/// Weight of the pull against the curvature of the objective along the formula.
const PULL: f64 = 10.0;
/// Steps towards one end.
const STEPS: usize = 60;
/// The root of the deviance is met to this share.
const END: f64 = 1e-9;
/// Points of the curve on each side.
const POINTS: usize = 12;
/// Steps of one solve.
const SOLVE: usize = 200;

/// One point of a profile.
#[derive(Clone, Debug, PartialEq)]
pub struct Point {
    /// The value of the formula.
    pub value: f64,
    /// The best objective at that value.
    pub objective: f64,
    /// `m ln(S/S₀)`: twice the drop of the log-likelihood, its scale re-estimated.
    pub deviance: f64,
    /// All parameters of the law there.
    pub parameters: Vec<f64>,
}

/// A profile and its interval.
#[derive(Clone, Debug, PartialEq)]
pub struct Profile {
    /// The value at the fit.
    pub estimate: f64,
    /// Where the deviance reaches its limit below; `None` where it does not within the reach of the law.
    pub lower: Option<f64>,
    /// The same above.
    pub upper: Option<f64>,
    /// The deviance at the ends.
    pub limit: f64,
    /// The curve, in order of the value.
    pub points: Vec<Point>,
}

/// Profiles `formula`, a formula of the parameters of the law.
///
/// # Errors
/// `no-likelihood` unless the loss is squared; `unbound-symbol`; `not-profiled` for a formula that the free parameters do
/// not move, or a fit that is exact; errors of the compiler; `interrupted`.
pub fn profile(
    spec: &FitSpec,
    fit: &Fit,
    data: &Dataset<'_>,
    formula: &str,
    level: f64,
    control: &Control,
) -> Result<Profile, CoreError> {
    if !fit.loss.is_squared() {
        return Err(CoreError::settings(
            "no-likelihood",
            "a profile needs a likelihood, which only the squared loss states",
        )
        .with_argument("loss")
        .with_hint("fit with the squared loss, or resample"));
    }
    with_pool(spec.threads, || {
        let mut model = spec.model()?;
        let node = model.formula(formula)?;
        let target = Target::new(&mut model, node);
        let objective = Objective::new(&model, data, spec.residual)?;
        let estimate = target.value(&model, &fit.free);
        let system = System::formula(formula)?;
        let std_error = Inference::new(spec, fit, data)?
            .derive(&system, level)?
            .std_error;
        let rows = data.rows_in_use();
        let dof = rows.saturating_sub(model.p()).max(1);
        let t = two_sided_quantile(level, dof);
        let std_error = match std_error {
            Some(s) if s > 0.0 && s.is_finite() && fit.objective > 0.0 && estimate.is_finite() => s,
            _ => {
                return Err(CoreError::settings(
                    "not-profiled",
                    format!("`{formula}` has no standard error to take steps by"),
                )
                .with_hint(
                    "profile a quantity that the free parameters move, in a fit that is determined",
                ));
            }
        };
        // Weights are relative, so that with them the scale of the noise is free again.
        let known = data.sigma().is_some() && data.weights.is_none();
        let (variance, limit) = if known {
            let z = normal_quantile(0.5 + 0.5 * level);
            (1.0, z * z)
        } else {
            (
                2.0 * fit.objective / dof as f64,
                rows as f64 * math::ln(1.0 + t * t / dof as f64),
            )
        };
        let factors = Starts::factors(&model);
        let tracer = Tracer {
            space: Space::around(&model, &fit.free, &factors),
            stiffness: PULL * variance / (std_error * std_error),
            model: &model,
            objective: &objective,
            target: &target,
            fit,
            rows: rows as f64,
            known,
            control,
        };
        let mut points = vec![Point {
            value: estimate,
            objective: fit.objective,
            deviance: 0.0,
            parameters: fit.parameters.clone(),
        }];
        let mut ends = [None, None];
        for (end, side) in ends.iter_mut().zip([-1.0, 1.0]) {
            let step = side * std_error * t * (1.0 + 1.0 / PULL);
            let found = tracer.end(estimate, step, limit)?;
            let reach = found.as_ref().map_or(step, |(tau, _)| tau - estimate);
            *end = found.as_ref().map(|(_, point)| point.value);
            points.extend(tracer.curve(estimate, reach)?);
            points.extend(found.map(|(_, point)| point));
        }
        points.sort_by(|a, b| a.value.total_cmp(&b.value));
        Ok(Profile {
            estimate,
            lower: ends[0],
            upper: ends[1],
            limit,
            points,
        })
    })
}

/// A formula with its derivatives by the free parameters.
struct Target {
    value: NodeId,
    gradient: Vec<NodeId>,
    hessian: Vec<(usize, usize, NodeId)>,
    /// Which free parameter each symbol of the graph is.
    slots: Vec<Option<usize>>,
}

impl Target {
    fn new(model: &mut Model, value: NodeId) -> Self {
        let gradient = model.gradient(value);
        let hessian = model.hessian(&gradient);
        let slots = model
            .graph
            .symbols()
            .iter()
            .map(|name| model.free.iter().position(|f| &f.name == name))
            .collect();
        Self {
            value,
            gradient,
            hessian,
            slots,
        }
    }

    fn symbols(&self, theta: &[f64]) -> Vec<f64> {
        let of = |slot: &Option<usize>| slot.map_or(f64::NAN, |j| theta[j]);
        self.slots.iter().map(of).collect()
    }

    fn value(&self, model: &Model, theta: &[f64]) -> f64 {
        model.graph.evaluate(self.value, &self.symbols(theta))
    }
}

struct Tracer<'t, 'd> {
    model: &'t Model,
    objective: &'t Objective<'d>,
    target: &'t Target,
    space: Space,
    stiffness: f64,
    fit: &'t Fit,
    rows: f64,
    known: bool,
    control: &'t Control,
}

impl Tracer<'_, '_> {
    /// The pull τ at which the deviance reaches `limit`, and the point there, by a guarded secant on its root.
    fn end(
        &self,
        estimate: f64,
        first: f64,
        limit: f64,
    ) -> Result<Option<(f64, Point)>, CoreError> {
        let wanted = limit.sqrt();
        let mut scratch = self.objective.scratch();
        let mut theta = self.fit.free.clone();
        // The root of the deviance is close to linear in τ; `near` lies inside the limit, `far` outside.
        let (mut near, mut far): ((f64, f64), Option<(f64, f64)>) = ((0.0, 0.0), None);
        let mut step = first;
        for _ in 0..STEPS {
            let Some((point, there)) = self.point(&mut scratch, &theta, estimate + step)? else {
                // The law has no value so far out: come back half way.
                far = Some((step, f64::INFINITY));
                step = 0.5 * (near.0 + step);
                continue;
            };
            let root = point.deviance.max(0.0).sqrt();
            if (root - wanted).abs() <= END * wanted {
                return Ok(Some((estimate + step, point)));
            }
            if root < wanted {
                near = (step, root);
                theta = there;
            } else {
                far = Some((step, root));
            }
            step = match far {
                Some((outer, high)) if high.is_finite() => {
                    let share = ((wanted - near.1) / (high - near.1)).clamp(0.02, 0.98);
                    near.0 + share * (outer - near.0)
                }
                Some((outer, _)) => 0.5 * (near.0 + outer),
                None if step.abs() > 1e12 * first.abs() => return Ok(None),
                None => step * (wanted / root.max(0.25 * wanted)).max(1.2),
            };
            if far.is_some_and(|(outer, _)| (outer - near.0).abs() <= 1e-13 * outer.abs()) {
                return Ok(None);
            }
        }
        Ok(None)
    }

    /// Points on the way to `reach`, the end itself left out.
    fn curve(&self, estimate: f64, reach: f64) -> Result<Vec<Point>, CoreError> {
        let mut scratch = self.objective.scratch();
        let mut theta = self.fit.free.clone();
        let mut points = Vec::with_capacity(POINTS);
        for k in 1..POINTS {
            let tau = estimate + reach * k as f64 / POINTS as f64;
            if let Some((point, there)) = self.point(&mut scratch, &theta, tau)? {
                points.push(point);
                theta = there;
            }
        }
        Ok(points)
    }

    fn point(
        &self,
        scratch: &mut Scratch,
        start: &[f64],
        tau: f64,
    ) -> Result<Option<(Point, Vec<f64>)>, CoreError> {
        let pulled = Pulled { tracer: self, tau };
        let limits = Limits {
            iterations: SOLVE,
            offset: OFFSET,
        };
        let end = newton::descend(&pulled, scratch, start, limits, self.control)?;
        self.control.advance(1);
        if end.status == Status::Undefined || !end.cost.is_finite() {
            return Ok(None);
        }
        let objective = self
            .objective
            .evaluate(scratch, &end.theta, Loss::Squared, Order::Cost)
            .cost;
        let point = Point {
            value: self.target.value(self.model, &end.theta),
            objective,
            deviance: if self.known {
                2.0 * (objective - self.fit.objective)
            } else {
                self.rows * math::ln(objective / self.fit.objective)
            },
            parameters: self.model.expand(&end.theta),
        };
        Ok(Some((point, end.theta)))
    }
}

/// The objective and a spring from the formula to τ.
struct Pulled<'t, 's, 'd> {
    tracer: &'t Tracer<'s, 'd>,
    tau: f64,
}

impl newton::Surface for Pulled<'_, '_, '_> {
    fn space(&self) -> &Space {
        &self.tracer.space
    }

    fn at(&self, scratch: &mut Scratch, theta: &[f64], found: &mut Evaluation) {
        let Tracer {
            model,
            objective,
            target,
            space,
            stiffness,
            ..
        } = self.tracer;
        let p = theta.len();
        objective.evaluate_into(scratch, theta, Loss::Squared, Order::Newton, found);
        let symbols = target.symbols(theta);
        let value = |node: NodeId| model.graph.evaluate(node, &symbols);
        let gap = value(target.value) - self.tau;
        let slope: Vec<f64> = target.gradient.iter().map(|&node| value(node)).collect();
        found.cost += 0.5 * stiffness * gap * gap;
        for j in 0..p {
            found.gradient[j] += stiffness * gap * slope[j];
            for k in 0..p {
                found.curvature[j * p + k] += stiffness * slope[j] * slope[k];
            }
        }
        for &(j, k, node) in &target.hessian {
            let bend = stiffness * gap * value(node);
            found.curvature[j * p + k] += bend;
            if j != k {
                found.curvature[k * p + j] += bend;
            }
        }
        space.chain(theta, found, Order::Newton);
    }
}
