//! Whether rows can determine the parameters at all: distinct points, values of each variable, points of each level.

use crate::dataset::Dataset;
use crate::error::CoreError;
use crate::model::{Model, Residual};

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
    check_levels(model, data)?;
    let shares = shares(model);
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
fn check_levels(model: &Model, data: &Dataset<'_>) -> Result<(), CoreError> {
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
