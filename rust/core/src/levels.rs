//! Parameters of the levels of a column beside shared ones: what each level must bring, and where such a fit may begin.
//!
//! Stage: around the global strategy. In: a model some of whose parameters belong to a [`Level`](crate::parameter::Level),
//! and `m` rows. Out: a refusal of levels with fewer points than parameters of their own, and starts from separate fits.
//! With shared parameters held, the objective falls into one part a level; so the law is also fitted to the rows of every
//! combination of levels alone (a cell), and those fits, their shared parameters averaged, are starts of the whole.

use crate::dataset::Dataset;
use crate::error::{CoreError, ErrorKind};
use crate::executor::Control;
use crate::fit::{FitSpec, LossChoice, StartSet, check_design, fit_with};
use crate::loss::Loss;
use crate::model::Model;
use crate::parameter::Parameter;
use scalefast_expr::math;
use std::collections::BTreeMap;

/// A level of a model: its indicator and how many free parameters are its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Share {
    pub(crate) indicator: String,
    pub(crate) parameters: usize,
}

/// The levels that a model has free parameters for, in the order of the parameters.
pub(crate) fn shares(model: &Model) -> Vec<Share> {
    let mut found: Vec<Share> = Vec::new();
    for level in model.free.iter().filter_map(|free| free.level.as_ref()) {
        match found
            .iter_mut()
            .find(|share| share.indicator == level.indicator)
        {
            Some(share) => share.parameters += 1,
            None => found.push(Share {
                indicator: level.indicator.clone(),
                parameters: 1,
            }),
        }
    }
    found
}

/// The rows in use of one level.
pub(crate) fn rows_of(indicator: &str, data: &Dataset<'_>) -> Vec<usize> {
    let column = data.column(indicator).unwrap_or(&[]);
    (0..column.len())
        .filter(|&row| column[row] != 0.0 && data.weight(row) > 0.0)
        .collect()
}

/// Refuses levels whose rows lie at fewer distinct points than the level has parameters of its own.
///
/// # Errors
/// `Data`, `too-few-points`.
pub(crate) fn check(model: &Model, data: &Dataset<'_>) -> Result<(), CoreError> {
    for Share {
        indicator,
        parameters,
    } in shares(model)
    {
        let rows = rows_of(&indicator, data);
        let points = data.subset(&rows).distinct_points(parameters);
        if points < parameters {
            return Err(CoreError::data(
                "too-few-points",
                format!(
                    "the rows with {indicator} lie at {points} distinct point(s) and have {parameters} parameters of their own"
                ),
            )
            .with_hint("add runs of this level, leave it out, or let fewer parameters differ by level")
            .with_column(&indicator)
            .with_value(points as f64)
            .with_limit(parameters as f64));
        }
    }
    Ok(())
}

/// Values of the free parameters from separate fits of the cells, each averaged over the cells that determine it: the
/// geometric mean of positive values, else the arithmetic one. What no cell determines is taken from `home`.
///
/// # Errors
/// An interruption, or what is wrong with the specification.
pub(crate) fn separate(
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
            let fit = fit_with(&cell, &own, &part, loss, control)?;
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
