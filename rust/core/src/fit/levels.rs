//! Parameters of the levels of a column beside shared ones: where such a fit may begin.
//!
//! Stage: around the global strategy. In: a model some of whose parameters belong to a [`Level`](crate::parameter::Level),
//! and `m` rows. Out: starts from separate fits.
//! With shared parameters held, the objective falls into one part a level; so the law is also fitted to the rows of every
//! combination of levels alone (a cell), and those fits, their shared parameters averaged, are starts of the whole.

use super::design::check_design;
use super::solve::fit_level_free;
use super::spec::{FitSpec, LossChoice, StartSet};
use crate::dataset::Dataset;
use crate::error::{CoreError, ErrorKind};
use crate::executor::Control;
use crate::loss::Loss;
use crate::model::Model;
use crate::multistart::{self, Outcome, Run, Search};
use crate::objective::Objective;
use crate::parameter::Parameter;
use crate::start::linear_solve;
use scalefast_expr::math;
use std::collections::BTreeMap;

/// The outcome of a search, and what separate fits of the levels lead to.
pub(super) fn with_separate_starts(
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
    let start = separate(spec, search.model, data, search.loss, home, control)?;
    let screen = Objective::new(search.model, data, spec.residual.screened())?;
    let screened = linear_solve(search.model, &screen, &mut screen.scratch(), start.clone());
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

/// Values of the free parameters from separate fits of the cells, each averaged over the cells that determine it: the
/// geometric mean of positive values, else the arithmetic one. What no cell determines is taken from `home`.
///
/// # Errors
/// An interruption, or what is wrong with the specification.
fn separate(
    spec: &FitSpec,
    model: &Model,
    data: &Dataset<'_>,
    loss: Loss,
    home: &[f64],
    control: &Control,
) -> Result<Vec<f64>, CoreError> {
    let mut found: Vec<Vec<f64>> = vec![Vec::new(); model.p()];
    for (present, rows) in cells(spec, data) {
        let cell = of_cell(spec, &present, loss);
        let fitted = cell.model().and_then(|own| {
            let part = data.subset(&rows);
            check_design(&own, &part)?;
            let fit = fit_level_free(&cell, &own, &part, loss, control)?;
            Ok((own, fit))
        });
        let (own, fit) = match fitted {
            Ok(fitted) => fitted,
            Err(error) if matches!(error.kind, ErrorKind::Data | ErrorKind::Law) => continue,
            Err(error) => return Err(error),
        };
        for free in &own.free {
            let whole = model.free.iter().position(|f| f.name == free.name);
            if let Some(j) = whole.filter(|_| fit.parameters[free.position].is_finite()) {
                found[j].push(fit.parameters[free.position]);
            }
        }
    }
    Ok(found
        .iter()
        .zip(home)
        .map(|(values, &home)| mean(values).unwrap_or(home))
        .collect())
}

fn mean(values: &[f64]) -> Option<f64> {
    let n = values.len() as f64;
    let over = |term: fn(f64) -> f64| values.iter().map(|&v| term(v)).sum::<f64>() / n;
    match values {
        [] => None,
        [one] => Some(*one),
        _ if values.iter().all(|&v| v > 0.0) => Some(math::exp(over(math::ln))),
        _ => Some(over(|v| v)),
    }
}

/// The names of all indicators, in the order of the parameters.
fn indicators(spec: &FitSpec) -> Vec<&str> {
    let mut names: Vec<&str> = Vec::new();
    for level in spec.parameters.iter().filter_map(|p| p.level.as_ref()) {
        if !names.contains(&level.indicator.as_str()) {
            names.push(&level.indicator);
        }
    }
    names
}

/// Rows by the indicators that are one on them.
fn cells(spec: &FitSpec, data: &Dataset<'_>) -> BTreeMap<Vec<bool>, Vec<usize>> {
    let names = indicators(spec);
    let columns: Vec<&[f64]> = names.iter().filter_map(|name| data.column(name)).collect();
    let mut cells: BTreeMap<Vec<bool>, Vec<usize>> = BTreeMap::new();
    for row in 0..data.len() {
        let key = columns.iter().map(|column| column[row] != 0.0).collect();
        cells.entry(key).or_default().push(row);
    }
    cells
}

/// The plain law of one cell: its own parameters under their names, those of other levels at zero, which the law multiplies
/// with indicators that are zero.
fn of_cell(spec: &FitSpec, present: &[bool], loss: Loss) -> FitSpec {
    let names = indicators(spec);
    let on = |name: &str| {
        let mut pairs = names.iter().zip(present);
        pairs.any(|(known, &here)| *known == name && here)
    };
    let mut parameters: Vec<Parameter> = spec
        .parameters
        .iter()
        .map(|parameter| match &parameter.level {
            Some(level) if !on(&level.indicator) => Parameter::fixed(&parameter.name, 0.0),
            _ => Parameter {
                level: None,
                ..parameter.clone()
            },
        })
        .collect();
    parameters.extend(
        names
            .iter()
            .map(|name| Parameter::fixed(*name, f64::from(u8::from(on(name))))),
    );
    FitSpec {
        variables: spec
            .variables
            .iter()
            .filter(|v| !names.contains(&v.as_str()))
            .cloned()
            .collect(),
        parameters,
        loss: LossChoice::Given(loss),
        starts: StartSet::Global,
        ..spec.clone()
    }
}
