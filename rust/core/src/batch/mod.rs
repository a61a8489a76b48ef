//! Many small fits: one law, a million groups of a few rows each.
//!
//! Stage: beside `fit`, which fits one data set. In: columns of all groups, one after the other, and the offsets at which
//! groups begin (`G + 1` numbers). Out: [`GroupFits`], one entry a group. A group that cannot be fitted gets a [`Status`],
//! never an error. Squared losses are solved side by side, one group a SIMD lane (`search`, `descend`); other losses, laws
//! whose starts need calibration, long groups, and groups that the lanes cannot settle go one by one through the machinery
//! of `fit` (`alone`). A group's result does not depend on the other groups, on their order or on threads.
//! Longer than the rule, because `run` sends each group one of three ways and gathers what comes back.

mod alone;
mod descend;
mod examine;
mod group;
mod lanes;
mod plan;
mod search;
mod serial;
mod std_errors;
mod systems;
mod task;
#[cfg(test)]
mod tests;

use crate::error::{CoreError, ErrorKind};
use crate::executor::{Control, with_pool};
use crate::fit::LossChoice;
use crate::loss::Loss;
use crate::model::{Model, Residual};
use alone::Alone;
use examine::Demands;
use plan::Plan;
use rayon::prelude::*;
use std::ops::Range;

use group::PORTION;
pub use group::{Errors, GroupData, GroupFits, GroupSpec, Row, Status, Trust};

/// Longest group that is solved in a lane; longer ones fill the lanes by themselves.
const LONGEST: usize = 512;

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
