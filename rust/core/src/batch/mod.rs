//! Many small fits: one law, a million groups of a few rows each.
//!
//! Stage: beside `fit`, which fits one data set. In: columns of all groups, one after the other, and the offsets at which
//! groups begin (`G + 1` numbers). Out: [`GroupFits`], one entry a group. A group that cannot be fitted gets a [`Status`],
//! never an error. Squared losses are solved side by side, one group a SIMD lane (`search`, `descend`); other losses, laws
//! whose starts need calibration, long groups, and groups that the lanes cannot settle go one by one through the machinery
//! of `fit` (`alone`). A group's result does not depend on the other groups, on their order or on threads.

mod alone;
mod descend;
mod examine;
mod lanes;
mod plan;
mod search;
mod serial;
mod systems;
mod task;
#[cfg(test)]
mod tests;

use crate::error::{CoreError, ErrorKind};
use crate::executor::{Control, with_pool};
use crate::fit::LossChoice;
use crate::loss::Loss;
use crate::model::{Model, Residual};
use crate::parameter::{Parameter, Role};
use alone::Alone;
use examine::Demands;
use plan::Plan;
use rayon::prelude::*;
use scalefast_expr::System;
use std::ops::Range;

pub use serial::Trust;

/// Longest group that is solved in a lane; longer ones fill the lanes by themselves.
const LONGEST: usize = 512;
/// Groups that one thread takes at a time.
const PORTION: usize = 8 * lanes::LANES;

/// What standard errors rest on where the rows of a group stand in an order, such as the points of a curve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Errors {
    /// Residuals are independent.
    Independent,
    /// They are, unless a test of their autocorrelation says otherwise: then there are none.
    Checked,
    /// Blocks of rows.
    Block,
}

/// What to fit to every group, and how.
#[derive(Clone)]
pub struct GroupSpec {
    /// The law.
    pub system: System,
    /// The output that is compared with the response.
    pub output: String,
    /// Symbols that are columns of the data, in the order of [`GroupData::columns`].
    pub variables: Vec<String>,
    /// Every other symbol of the law.
    pub parameters: Vec<Parameter>,
    /// Prediction minus datum, in which form.
    pub residual: Residual,
    /// The loss.
    pub loss: LossChoice,
    /// What the standard errors rest on.
    pub errors: Errors,
    /// Threads; none means the environment's choice.
    pub threads: Option<usize>,
}

/// The rows of all groups, group after group.
#[derive(Clone, Copy)]
pub struct GroupData<'a> {
    /// One column for each variable.
    pub columns: &'a [&'a [f64]],
    /// The response.
    pub response: &'a [f64],
    /// Relative weights.
    pub weights: Option<&'a [f64]>,
    /// Where groups begin, and where the last one ends.
    pub offsets: &'a [usize],
    /// Which variables must be above zero.
    pub require_positive: &'a [bool],
}

/// How the fit of one group ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Status {
    /// At an optimum inside the bounds.
    Converged,
    /// At an optimum on a bound.
    AtBound,
    /// The rows do not determine all parameters.
    IllDetermined,
    /// No optimum was reached.
    NotConverged,
    /// The law has no finite value on these rows from any start.
    Undefined,
    /// Fewer distinct points than parameters plus one.
    TooFewPoints,
    /// A variable takes fewer than three values.
    TooFewValues,
    /// A value is missing, not finite, or not positive where it must be.
    InvalidValues,
    /// The response never changes.
    ConstantResponse,
    /// The call was stopped before this group was fitted.
    Interrupted,
    /// At an optimum that too few independent starts found.
    Unconfirmed,
    /// The objective falls towards parameters at infinity, or cannot tell them from there.
    Unbounded,
}

impl Status {
    /// All of them, by number.
    pub const ALL: [Status; 12] = [
        Status::Converged,
        Status::AtBound,
        Status::IllDetermined,
        Status::NotConverged,
        Status::Undefined,
        Status::TooFewPoints,
        Status::TooFewValues,
        Status::InvalidValues,
        Status::ConstantResponse,
        Status::Interrupted,
        Status::Unconfirmed,
        Status::Unbounded,
    ];

    /// The stable name used in frames.
    pub fn name(self) -> &'static str {
        match self {
            Status::Converged => "converged",
            Status::AtBound => "at-bound",
            Status::IllDetermined => "ill-determined",
            Status::NotConverged => "not-converged",
            Status::Undefined => "undefined",
            Status::TooFewPoints => "too-few-points",
            Status::TooFewValues => "too-few-values",
            Status::InvalidValues => "invalid-values",
            Status::ConstantResponse => "constant-response",
            Status::Interrupted => "interrupted",
            Status::Unconfirmed => "unconfirmed",
            Status::Unbounded => "unbounded",
        }
    }
}

/// The fit of one group. What does not exist is NaN.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// All parameters of the law, in its order.
    pub parameters: Vec<f64>,
    /// Their standard errors.
    pub std_errors: Vec<f64>,
    /// The weighted sum of the loss over the rows.
    pub objective: f64,
    /// How it ended.
    pub status: Status,
}

impl Row {
    /// A group without an estimate.
    fn without(parameters: usize, status: Status) -> Row {
        let nothing = vec![f64::NAN; parameters];
        Row {
            parameters: nothing.clone(),
            std_errors: nothing,
            objective: f64::NAN,
            status,
        }
    }
}

/// The fits of `G` groups. What does not exist is NaN.
#[derive(Clone, Debug)]
pub struct GroupFits {
    /// One column of `G` a parameter of the law, in its order.
    pub parameters: Vec<Vec<f64>>,
    /// Their standard errors, in the same form.
    pub std_errors: Vec<Vec<f64>>,
    /// The weighted sums of the loss.
    pub objective: Vec<f64>,
    /// Numbers of [`Status`].
    pub status: Vec<u8>,
    /// Why not all groups were fitted, where that is so.
    pub stopped: Option<CoreError>,
    /// Numbers of [`Trust`].
    pub trust: Vec<u8>,
}

impl GroupFits {
    fn new(groups: usize, parameters: usize) -> Self {
        Self {
            parameters: vec![vec![f64::NAN; groups]; parameters],
            std_errors: vec![vec![f64::NAN; groups]; parameters],
            objective: vec![f64::NAN; groups],
            status: vec![Status::Interrupted as u8; groups],
            stopped: None,
            trust: vec![Trust::None as u8; groups],
        }
    }

    fn set(&mut self, group: usize, row: &Row) {
        for (column, value) in self.parameters.iter_mut().zip(&row.parameters) {
            column[group] = *value;
        }
        for (column, value) in self.std_errors.iter_mut().zip(&row.std_errors) {
            column[group] = *value;
        }
        self.objective[group] = row.objective;
        self.status[group] = row.status as u8;
    }
}

/// Fits the law to every group.
///
/// # Errors
/// `Data`: `column-length`, `bad-offsets` for arrays that do not fit together. `Law`, `Settings`, `Formula`: what
/// [`Model::new`] refuses. Nothing that is wrong with a group is an error, and being stopped is none: the groups that are
/// finished are returned with the reason.
pub fn fit_groups(
    spec: &GroupSpec,
    data: &GroupData<'_>,
    control: &Control,
) -> Result<GroupFits, CoreError> {
    let model = Model::new(
        &spec.system,
        &spec.output,
        &spec.variables,
        &spec.parameters,
    )?;
    if let LossChoice::Given(loss) = spec.loss {
        loss.validate()?;
    }
    crate::parameter::validate(&spec.parameters)?;
    check_shape(data)?;
    with_pool(spec.threads, || run(spec, &model, data, control))
}

fn run(
    spec: &GroupSpec,
    model: &Model,
    data: &GroupData<'_>,
    control: &Control,
) -> Result<GroupFits, CoreError> {
    let groups = data.offsets.len() - 1;
    let rows_of = |group: usize| -> Range<usize> { data.offsets[group]..data.offsets[group + 1] };
    let columns: Vec<usize> = model
        .variables
        .iter()
        .filter_map(|name| spec.variables.iter().position(|v| v == name))
        .collect();
    let logarithmic = spec.residual == Residual::Log;
    let demands = Demands::new(model, &columns, data, logarithmic);
    let examined: Vec<Result<bool, Status>> = (0..groups)
        .into_par_iter()
        .with_min_len(PORTION)
        .map(|group| demands.check(data, rows_of(group)))
        .collect();
    let one_by_one = Alone::new(spec, model);
    let mut fits = GroupFits::new(groups, spec.parameters.len());
    // Groups of like length and sign share lanes.
    let mut classes: [Vec<u32>; 2] = [Vec::new(), Vec::new()];
    let mut single: Vec<u32> = Vec::new();
    let side_by_side = spec.loss == LossChoice::Given(Loss::Squared);
    for (group, found) in examined.iter().enumerate() {
        match found {
            Err(status) => fits.status[group] = *status as u8,
            Ok(_) if !side_by_side || rows_of(group).len() > LONGEST => single.push(group as u32),
            Ok(positive) => classes[usize::from(*positive)].push(group as u32),
        }
    }
    control.set_total(groups as u64);
    control.advance(examined.iter().filter(|found| found.is_err()).count() as u64);
    for (class, members) in classes.iter_mut().enumerate() {
        if members.is_empty() {
            continue;
        }
        let positive: Vec<bool> = columns
            .iter()
            .map(|&c| class == 1 || data.require_positive[c])
            .collect();
        let Some(plan) = Plan::new(model, spec.residual, &positive, logarithmic)? else {
            single.append(members);
            continue;
        };
        members.sort_by_key(|&group| rows_of(group as usize).len());
        let portions = portions(members, |group| rows_of(group as usize).len());
        let solved: Vec<Option<(&[u32], task::Solved)>> = portions
            .into_par_iter()
            .map(|portion| {
                finished(control, || {
                    let found = task::solve(
                        spec,
                        model,
                        &plan,
                        &one_by_one,
                        &columns,
                        data,
                        portion,
                        control,
                    )?;
                    control.advance(portion.len() as u64);
                    Ok((portion, found))
                })
            })
            .collect::<Result<_, CoreError>>()?;
        for (portion, found) in solved.iter().flatten() {
            found.write(portion, &mut fits);
        }
    }
    let alone: Vec<Option<(u32, Row)>> = single
        .into_par_iter()
        .map(|group| {
            finished(control, || {
                let row = one_by_one.fit(data, rows_of(group as usize), control)?;
                control.advance(1);
                Ok((group, row))
            })
        })
        .collect::<Result<_, CoreError>>()?;
    for (group, row) in alone.iter().flatten() {
        fits.set(*group as usize, row);
    }
    if fits.status.contains(&(Status::Interrupted as u8)) {
        fits.stopped = control.check().err();
    }
    let positive: Vec<bool> = examined.iter().map(|found| *found == Ok(true)).collect();
    let groups = serial::Groups {
        spec,
        model,
        data,
        columns: &columns,
        positive: &positive,
    };
    serial::judge(&groups, &mut fits)?;
    Ok(fits)
}

/// What `work` found, or nothing where it was stopped or should not begin.
fn finished<R>(
    control: &Control,
    work: impl FnOnce() -> Result<R, CoreError>,
) -> Result<Option<R>, CoreError> {
    match control.check().and_then(|()| work()) {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.kind == ErrorKind::Interrupted => Ok(None),
        Err(error) => Err(error),
    }
}

/// The global fit of one group, by the machinery of `fit`: the slow twin of the lanes.
///
/// # Errors
/// What is wrong with the specification, or an interruption; what is wrong with the group is its status.
pub fn fit_alone(
    spec: &GroupSpec,
    data: &GroupData<'_>,
    rows: Range<usize>,
    control: &Control,
) -> Result<Row, CoreError> {
    let model = Model::new(
        &spec.system,
        &spec.output,
        &spec.variables,
        &spec.parameters,
    )?;
    Alone::new(spec, &model).fit(data, rows, control)
}

/// Standard errors of all parameters from the covariance of the free ones `open`, which lie off their bounds; NaN for those
/// that are fixed or on a bound.
fn std_errors(
    spec: &GroupSpec,
    model: &Model,
    theta: &[f64],
    open: &[usize],
    covariance: &[f64],
) -> Vec<f64> {
    let (p, k) = (theta.len(), open.len());
    let slopes = model.expansion_jacobian(theta);
    let spread = |q: usize| {
        let free = model.free.iter().position(|f| f.position == q);
        let fixed = matches!(spec.parameters[q].role, Role::Fixed(_));
        if fixed || free.is_some_and(|j| !open.contains(&j)) {
            return f64::NAN;
        }
        let row = &slopes[q * p..(q + 1) * p];
        let mut sum = 0.0;
        for (a, &j) in open.iter().enumerate() {
            for (b, &m) in open.iter().enumerate() {
                sum += row[j] * covariance[a * k + b] * row[m];
            }
        }
        sum.max(0.0).sqrt()
    };
    (0..spec.parameters.len()).map(spread).collect()
}

/// Cuts groups, sorted by length, into portions of like lengths.
fn portions(members: &[u32], rows: impl Fn(u32) -> usize) -> Vec<&[u32]> {
    let mut result = Vec::new();
    let mut rest = members;
    while let Some(&first) = rest.first() {
        let most = rest.len().min(PORTION);
        let limit = rows(first) * 3 / 2 + 1;
        let count = rest[..most].partition_point(|&group| rows(group) <= limit);
        let (head, tail) = rest.split_at(count.max(1));
        result.push(head);
        rest = tail;
    }
    result
}

fn check_shape(data: &GroupData<'_>) -> Result<(), CoreError> {
    let m = data.response.len();
    let error = |code, message: String| CoreError::new(ErrorKind::Data, code, message);
    let lengths = data
        .columns
        .iter()
        .map(|c| c.len())
        .chain(data.weights.map(<[f64]>::len));
    for length in lengths {
        if length != m {
            return Err(error(
                "column-length",
                format!("a column has {length} rows, the response has {m}"),
            ));
        }
    }
    let ordered = data.offsets.windows(2).all(|pair| pair[0] <= pair[1]);
    if data.require_positive.len() != data.columns.len()
        || !ordered
        || data.offsets.first() != Some(&0)
        || data.offsets.last() != Some(&m)
        || data.offsets.len() > u32::MAX as usize
    {
        return Err(error(
            "bad-offsets",
            format!("offsets must rise from 0 to the number of rows, {m}"),
        ));
    }
    Ok(())
}
