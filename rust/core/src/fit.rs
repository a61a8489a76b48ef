//! One fit from specification to result: data checks, strategy, certificate.
//!
//! In: a [`FitSpec`] (law, roles of its parameters, residual, loss, starts) and a data set of `m` rows. Out: a [`Fit`] with
//! the estimate of all parameters, every start, and a certificate of the optimum.

use crate::dataset::Dataset;
use crate::error::{CoreError, ErrorKind};
use crate::executor::{Control, with_pool};
use crate::levels;
use crate::linalg;
use crate::loss::Loss;
use crate::model::{Model, Residual};
use crate::multistart::{self, Evidence, Outcome, Run, Runs, Search};
use crate::objective::{Objective, Order, Scratch};
use crate::parameter::Parameter;
use crate::solver::Status;
use crate::solver::space::Space;
use crate::solver::termination::relative_offset;
use crate::start::Starts;
use scalefast_expr::System;
use std::sync::Arc;

/// The loss of a fit: given, or a Huber loss whose threshold is found from the residuals and then frozen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum LossChoice {
    /// This loss.
    Given(Loss),
    /// Huber with `d = 1.345 σ`, σ the normal-consistent median absolute residual (95 % efficiency; Huber 1981, table 4.1).
    HuberAuto,
}

/// Where the solvers begin.
#[derive(Clone, Debug, PartialEq)]
pub enum StartSet {
    /// The global strategy.
    Global,
    /// These only, each solved locally: rows of all parameters of the law in its order (fixed and tied ones are ignored), one
    /// row after the other.
    Given(Vec<f64>),
}

/// What to fit, and how.
#[derive(Clone)]
pub struct FitSpec {
    /// The law.
    pub system: System,
    /// The output that is compared with the response.
    pub output: String,
    /// Symbols that are columns of the data.
    pub variables: Vec<String>,
    /// Every other symbol of the law.
    pub parameters: Vec<Parameter>,
    /// Prediction minus datum, in which form.
    pub residual: Residual,
    /// The loss.
    pub loss: LossChoice,
    /// The starts.
    pub starts: StartSet,
    /// The cluster of each row (a run, say), numbered from 0 without gaps, where several rows share their noise; none: each
    /// row has its own.
    pub clusters: Option<Arc<[u32]>>,
    /// Threads; none means the environment's choice.
    pub threads: Option<usize>,
}

impl FitSpec {
    /// The law with the roles of its parameters settled.
    ///
    /// # Errors
    /// Those of [`Model::new`].
    pub fn model(&self) -> Result<Model, CoreError> {
        Model::new(
            &self.system,
            &self.output,
            &self.variables,
            &self.parameters,
        )
    }
}

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
    /// `converged`, `unconfirmed`, `unbounded`, `at-bound`, `ill-determined`, `saddle`, `stalled`, `iterations` or
    /// `undefined`.
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

/// Curvature, scaled, below which a point is a saddle.
const NEGATIVE: f64 = -1e-8;
/// Saddles that are left, one after the other.
const SADDLES: usize = 5;
/// Condition beyond which parameters are not determined in double precision.
const SINGULAR: f64 = 1e14;
/// Condition beyond which the rounding of the normal matrix, its square, hides what is left.
const SQUARED_ROUNDING: f64 = 1e6;
/// Condition beyond which parameters whose errors exceed their size are on their way to infinity.
const RUNNING: f64 = 1e6;
/// Errors as multiples of the size of a parameter at which it is so at any condition above [`ENTANGLED`].
const BEYOND_SIZE: f64 = 1e3;
/// Condition above which a large error is no matter of chance.
const ENTANGLED: f64 = 1e4;
/// Condition at a start below which the law itself determines its parameters.
const SOUND: f64 = 1e10;
/// A parameter whose effect is below this share of the largest has none.
const NO_EFFECT: f64 = 1e-12;
/// A Newton step that promises less than this share of the objective changes no printed digit.
pub(crate) const CERTIFIED_OFFSET: f64 = 1e-9;

/// Every status of a fit.
pub const STATUSES: [&str; 9] = [
    "converged",
    "unconfirmed",
    "unbounded",
    "at-bound",
    "ill-determined",
    "saddle",
    "stalled",
    "iterations",
    "undefined",
];

/// Fits a law.
///
/// Where `control` asks to stop, given starts that are solved already make a fit of their own, in which the others have the
/// status `interrupted`; a search that has not ended says nothing about the optimum.
///
/// # Errors
/// `Data`: `too-few-points`, `too-few-values`. `Law`, `Settings`, `Formula`: what [`Model::new`] refuses. `Law`:
/// `law-undefined` when the law has no value on the data from any start. `Interrupted` when `control` asks to stop, save for
/// what was said.
pub fn fit(spec: &FitSpec, data: &Dataset<'_>, control: &Control) -> Result<Fit, CoreError> {
    with_pool(spec.threads, || {
        fit_model(spec, &spec.model()?, data, control)
    })
}

/// The same where the model of the specification is known, within a pool.
pub(crate) fn fit_model(
    spec: &FitSpec,
    model: &Model,
    data: &Dataset<'_>,
    control: &Control,
) -> Result<Fit, CoreError> {
    check_design(model, data)?;
    match spec.loss {
        LossChoice::Given(loss) => {
            loss.validate()?;
            fit_with(spec, model, data, loss, control)
        }
        LossChoice::HuberAuto => fit_auto(spec, model, data, control),
    }
}

fn fit_auto(
    spec: &FitSpec,
    model: &Model,
    data: &Dataset<'_>,
    control: &Control,
) -> Result<Fit, CoreError> {
    let first = fit_with(spec, model, data, Loss::Squared, control)?;
    // The scale of a part of the starts is not that of all.
    complete(&first, control)?;
    let mut sigma = first.sigma;
    let mut found = first;
    // The scale of a fit with a breakdown point replaces that of the squared fit; two passes settle three digits.
    for _ in 0..2 {
        if sigma.is_nan() || sigma <= 0.0 {
            break;
        }
        found = fit_with(
            spec,
            model,
            data,
            Loss::Huber {
                delta: 1.345 * sigma,
            },
            control,
        )?;
        complete(&found, control)?;
        sigma = found.sigma;
    }
    Ok(found)
}

/// The reason why not all starts were solved, as an error.
fn complete(found: &Fit, control: &Control) -> Result<(), CoreError> {
    if found.solved() < found.runs.len() {
        control.check()
    } else {
        Ok(())
    }
}

pub(crate) fn fit_with(
    spec: &FitSpec,
    model: &Model,
    data: &Dataset<'_>,
    loss: Loss,
    control: &Control,
) -> Result<Fit, CoreError> {
    let objective = Objective::new(model, data, spec.residual)?;
    let factors = Starts::factors(model);
    let search = Search {
        model,
        objective: &objective,
        residual: spec.residual,
        loss,
        factors: &factors,
        unit: residual_unit(spec.residual, data),
    };
    let found = match &spec.starts {
        StartSet::Global => {
            let found = multistart::global(&search, data, control)?;
            if model.free.iter().any(|free| free.level.is_some()) {
                with_separate_starts(spec, &search, data, found, control)?
            } else {
                found
            }
        }
        StartSet::Given(values) => return fit_given(&search, values, control),
    };
    let found = beyond_saddles(&search, found, control)?;
    match found.runs.first().cloned() {
        Some(best) => finish(&search, best, found),
        None => Err(undefined()),
    }
}

/// The outcome of a search, and what separate fits of the levels lead to.
fn with_separate_starts(
    spec: &FitSpec,
    search: &Search<'_, '_>,
    data: &Dataset<'_>,
    found: Outcome,
    control: &Control,
) -> Result<Outcome, CoreError> {
    let Some(best) = found.runs.first() else {
        return Ok(found);
    };
    let home = &best.end.theta;
    let start = levels::separate(spec, search.model, data, search.loss, home, control)?;
    let kind = match spec.residual {
        Residual::Identity => Residual::Identity,
        Residual::Log | Residual::Relative => Residual::Relative,
    };
    let screen = Objective::new(search.model, data, kind)?;
    let screened =
        multistart::linear_solve(search.model, &screen, &mut screen.scratch(), start.clone());
    let mut scratch = search.objective.scratch();
    let mut runs = found.runs;
    for start in std::iter::once(start).chain(screened.map(|(_, theta)| theta)) {
        let end = search.solve(&mut scratch, &start, multistart::LONG_SOLVE, control)?;
        if end.cost.is_finite() {
            runs.push(Run { start, end });
        }
    }
    Ok(Outcome {
        evidence: found.evidence,
        confirmed: found.confirmed,
        ..Outcome::of(search, runs)
    })
}

/// Leaves saddles: where the best run ended with a direction of negative curvature, it goes on from both sides of it.
fn beyond_saddles(
    search: &Search<'_, '_>,
    mut found: Outcome,
    control: &Control,
) -> Result<Outcome, CoreError> {
    let mut scratch = search.objective.scratch();
    for _ in 0..SADDLES {
        let Some(best) = found.runs.first() else {
            return Ok(found);
        };
        let Some(sides) = downhill(search, &mut scratch, &best.end.theta) else {
            return Ok(found);
        };
        let (start, cost) = (best.start.clone(), best.end.cost);
        let mut left = false;
        for side in sides {
            let end = search.solve(&mut scratch, &side, multistart::LONG_SOLVE, control)?;
            if end.cost < cost {
                left = true;
                let start = start.clone();
                found.runs.push(Run { start, end });
            }
        }
        if !left {
            return Ok(found);
        }
        let runs = std::mem::take(&mut found.runs);
        found = Outcome {
            evidence: found.evidence,
            // The search counted agreement about another point.
            confirmed: false,
            ..Outcome::of(search, runs)
        };
    }
    Ok(found)
}

/// Points on both sides of a saddle along its direction of most negative curvature; `None` where there is none.
fn downhill(
    search: &Search<'_, '_>,
    scratch: &mut Scratch,
    theta: &[f64],
) -> Option<[Vec<f64>; 2]> {
    let p = theta.len();
    let found = search
        .objective
        .evaluate(scratch, theta, search.loss, Order::Newton);
    let space = Space::plain(search.model);
    let at_bound = space.at_bound(&space.internal(theta));
    let open: Vec<usize> = (0..p).filter(|&j| !at_bound[j]).collect();
    let scale: Vec<f64> = open
        .iter()
        .map(|&j| found.curvature[j * p + j].abs().sqrt())
        .collect();
    if open.is_empty() || scale.iter().any(|&s| s.is_nan() || s <= 0.0) {
        return None;
    }
    let n = open.len();
    let mut matrix = vec![0.0; n * n];
    for (a, &j) in open.iter().enumerate() {
        for (b, &k) in open.iter().enumerate() {
            matrix[a * n + b] = found.curvature[j * p + k] / (scale[a] * scale[b]);
        }
    }
    if matrix.iter().any(|x| !x.is_finite()) {
        return None;
    }
    let (values, vectors) = linalg::symmetric_eigen(&matrix, n);
    if values[0] >= NEGATIVE {
        return None;
    }
    // A step that changes the objective by about a hundredth of itself.
    let length = (0.02 * found.cost / values[0].abs()).sqrt();
    let side = |sign: f64| {
        let mut moved = theta.to_vec();
        for (a, &j) in open.iter().enumerate() {
            moved[j] += sign * length * vectors[a * n] / scale[a];
        }
        moved
    };
    Some([side(1.0), side(-1.0)])
}

fn undefined() -> CoreError {
    CoreError::new(
        ErrorKind::Law,
        "law-undefined",
        "the law has no finite, usable prediction on these rows from any start",
    )
    .with_hint("check the units and signs of the columns, or give `starts=` and `bounds=`")
}

fn fit_given(search: &Search<'_, '_>, values: &[f64], control: &Control) -> Result<Fit, CoreError> {
    let runs = multistart::given(search, values, control)?;
    let Some(best) = runs.best() else {
        if runs.solved() < runs.len() {
            control.check()?;
        }
        return Err(undefined());
    };
    let run = Run {
        start: runs.start(best).to_vec(),
        end: runs.end(best).clone(),
    };
    let (agreeing, spread) = runs.agreement(search, run.end.cost);
    let found = Outcome {
        runs: Vec::new(),
        starts: runs.solved(),
        agreeing,
        spread,
        evidence: None,
        confirmed: true,
    };
    let fit = finish(search, run, found)?;
    Ok(Fit { runs, ..fit })
}

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
    if condition > SQUARED_ROUNDING && search.keeps_jacobian() {
        condition = jacobian_condition(search, &mut scratch, &theta, &open);
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
    let mut sizes: Vec<f64> = search
        .objective
        .residuals(&mut scratch, &theta)
        .into_iter()
        .map(f64::abs)
        .collect();
    let quadratic_share = search.loss.threshold().map_or(1.0, |d| {
        sizes.iter().filter(|r| **r <= d).count() as f64 / sizes.len() as f64
    });
    let sigma = 1.4826 * median(&mut sizes);
    let noise = if search.loss.is_squared() {
        let free = search.objective.rows().saturating_sub(model.p()).max(1);
        (2.0 * squared.cost / free as f64).sqrt()
    } else {
        sigma
    };
    let sensitivity = Sensitivity::of(&squared.curvature, &theta, &open, condition);
    // The normal matrix cannot tell a small step from none beyond this condition; the solver's orthogonal factors can.
    let settled = end.status == Status::Converged
        || certificate.gradient <= CERTIFIED_OFFSET && condition <= SQUARED_ROUNDING;
    let status = if condition > SINGULAR || !curvature.is_finite() {
        let sound = !sensitivity.dead
            && curvature.is_finite()
            && start_condition(search, &mut scratch, &best.start) < SOUND;
        if sound { "unbounded" } else { "ill-determined" }
    } else if !settled && !exact {
        end.status.name()
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

/// How far the data let the parameters move along the direction that they determine least.
struct Sensitivity {
    /// The largest move of a parameter as a multiple of its size, for residuals of one.
    most: f64,
    /// Whether some parameter has no effect on any row.
    dead: bool,
}

impl Sensitivity {
    /// From the normal matrix (`p × p`) and the condition of its scaled Jacobian.
    fn of(normal: &[f64], theta: &[f64], open: &[usize], condition: f64) -> Self {
        let (p, n) = (theta.len(), open.len());
        let effect = |j: usize| normal[j * p + j].sqrt() * theta[j].abs();
        let largest = open.iter().map(|&j| effect(j)).fold(0.0, f64::max);
        let dead = open
            .iter()
            .any(|&j| theta[j] != 0.0 && effect(j) <= NO_EFFECT * largest);
        let scale: Vec<f64> = open.iter().map(|&j| normal[j * p + j].sqrt()).collect();
        let usable = scale.iter().all(|s| s.is_finite() && *s > 0.0);
        if n == 0 || !usable || condition <= ENTANGLED {
            return Self { most: 0.0, dead };
        }
        let mut matrix = vec![0.0; n * n];
        for (a, &j) in open.iter().enumerate() {
            for (b, &k) in open.iter().enumerate() {
                matrix[a * n + b] = normal[j * p + k] / (scale[a] * scale[b]);
            }
        }
        let (values, vectors) = linalg::symmetric_eigen(&matrix, n);
        let smallest = values[n - 1].sqrt() / condition;
        let moves = open.iter().enumerate().map(|(a, &j)| {
            (vectors[a * n] / (smallest * scale[a] * theta[j])).abs()
        });
        Self {
            most: moves.filter(|x| x.is_finite()).fold(0.0, f64::max),
            dead,
        }
    }

    /// Whether noise of this size leaves a parameter without any, and the condition shows that this is no chance.
    fn runs_away(&self, noise: f64, condition: f64) -> bool {
        let most = self.most * noise;
        condition > RUNNING && most > 1.0 || condition > ENTANGLED && most > BEYOND_SIZE
    }
}

/// The condition of the Jacobian at a start.
fn start_condition(search: &Search<'_, '_>, scratch: &mut Scratch, start: &[f64]) -> f64 {
    let open: Vec<usize> = (0..start.len()).collect();
    if search.keeps_jacobian() {
        return jacobian_condition(search, scratch, start, &open);
    }
    let found = search
        .objective
        .evaluate(scratch, start, Loss::Squared, Order::GaussNewton);
    scaled_condition(&found.curvature, start.len(), &open)
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
    let mut matrix = vec![0.0; n * n];
    for (a, &j) in open.iter().enumerate() {
        for (b, &k) in open.iter().enumerate() {
            matrix[a * n + b] = hessian[j * p + k] / (scale[a] * scale[b]);
        }
    }
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

/// Condition number of the Jacobian, columns scaled to length one, from its normal matrix.
fn scaled_condition(normal: &[f64], p: usize, open: &[usize]) -> f64 {
    let n = open.len();
    if n == 0 {
        return 1.0;
    }
    let scale: Vec<f64> = open.iter().map(|&j| normal[j * p + j].sqrt()).collect();
    if scale.iter().any(|&s| s.is_nan() || s <= 0.0) {
        return f64::INFINITY;
    }
    let mut matrix = vec![0.0; n * n];
    for (a, &j) in open.iter().enumerate() {
        for (b, &k) in open.iter().enumerate() {
            matrix[a * n + b] = normal[j * p + k] / (scale[a] * scale[b]);
        }
    }
    let (values, _) = linalg::symmetric_eigen(&matrix, n);
    let (low, high) = (values[0], values[n - 1]);
    if low > 0.0 {
        (high / low).sqrt()
    } else {
        f64::INFINITY
    }
}

/// The same from the Jacobian itself, by orthogonal factors.
fn jacobian_condition(
    search: &Search<'_, '_>,
    scratch: &mut Scratch,
    theta: &[f64],
    open: &[usize],
) -> f64 {
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
        return f64::INFINITY;
    }
    linalg::Qr::new(&columns, m, open.len()).condition()
}

/// Refuses designs that cannot determine the parameters, by distinct points rather than rows.
pub(crate) fn check_design(model: &Model, data: &Dataset<'_>) -> Result<(), CoreError> {
    let p = model.p();
    let points = data.distinct_points(p + 1);
    if points < p + 1 {
        let mut error = CoreError::data(
            "too-few-points",
            format!(
                "{points} distinct design points cannot determine {p} parameters: at least {} are needed",
                p + 1
            ),
        )
        .with_hint("add runs at other points, or fix or tie parameters");
        error.value = Some(points as f64);
        error.limit = Some((p + 1) as f64);
        return Err(error);
    }
    levels::check(model, data)?;
    let shares = levels::shares(model);
    for name in &model.variables {
        if shares.iter().any(|share| &share.indicator == name) {
            continue;
        }
        let Some(index) = data.column_index(name) else {
            continue;
        };
        let values = data.distinct_values(index, 3);
        if values < 3 {
            let mut error = CoreError::data(
                "too-few-values",
                format!("`{name}` takes {values} distinct value(s): at least 3 are needed to see how the loss depends on it"),
            )
            .with_hint(format!("add runs at other values of `{name}`, or use a law without it"));
            error.column = Some(name.clone());
            error.value = Some(values as f64);
            error.limit = Some(3.0);
            return Err(error);
        }
    }
    Ok(())
}

fn median(sizes: &mut [f64]) -> f64 {
    if sizes.is_empty() {
        return f64::NAN;
    }
    let middle = sizes.len() / 2;
    let (_, &mut upper, _) = sizes.select_nth_unstable_by(middle, f64::total_cmp);
    if sizes.len() % 2 == 1 {
        return upper;
    }
    let lower = sizes[..middle]
        .iter()
        .copied()
        .fold(f64::NEG_INFINITY, f64::max);
    0.5 * (lower + upper)
}

/// The size of residuals: root mean square of the response under the identity residual, one under the others; in units of
/// the known standard deviations where there are such.
pub(crate) fn residual_unit(residual: Residual, data: &Dataset<'_>) -> f64 {
    let size = |row: usize| match residual {
        Residual::Identity => data.response[row],
        Residual::Log | Residual::Relative => 1.0,
    };
    match data.sigma() {
        None if residual == Residual::Identity => root_mean_square(&data.response),
        None => 1.0,
        Some(sigma) => {
            let sizes: Vec<f64> = sigma
                .iter()
                .enumerate()
                .map(|(row, s)| size(row) / s)
                .collect();
            root_mean_square(&sizes)
        }
    }
}

pub(crate) fn root_mean_square(values: &[f64]) -> f64 {
    (values.iter().map(|v| v * v).sum::<f64>() / values.len().max(1) as f64).sqrt()
}
