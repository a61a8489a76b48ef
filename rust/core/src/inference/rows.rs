//! Rows in chunks: residuals and Jacobians at an estimate, and sums over them, so that no `m × p` matrix is kept.

use std::borrow::Cow;

use rayon::prelude::*;

use crate::dataset::Dataset;
use crate::error::CoreError;
use crate::fit::{Fit, FitSpec};
use crate::model::Model;
use crate::objective::{Linearisation, Objective};

/// Rows in one chunk.
pub(super) const CHUNK: usize = 65_536;

/// Two sums over rows of a factor times `g gᵀ`, row-major and complete.
pub(super) struct Sums {
    pub(super) first: Vec<f64>,
    pub(super) second: Vec<f64>,
}

pub(super) fn normal_sums(
    part: &Linearisation,
    rows: &Dataset<'_>,
    open: &[usize],
    factors: impl Fn(f64, f64) -> (f64, f64),
) -> Sums {
    let (m, p) = (part.residual.len(), open.len());
    let mut sums = Sums {
        first: vec![0.0; p * p],
        second: vec![0.0; p * p],
    };
    for i in 0..m {
        let (a, b) = factors(part.residual[i], rows.weight(i));
        for (j, &column) in open.iter().enumerate() {
            let left = part.jacobian[column * m + i];
            for (k, &other) in open.iter().enumerate() {
                let product = left * part.jacobian[other * m + i];
                sums.first[j * p + k] += a * product;
                sums.second[j * p + k] += b * product;
            }
        }
    }
    sums
}

/// The sums of all chunks, added in their order.
pub(super) fn chunks(
    spec: &FitSpec,
    fit: &Fit,
    data: &Dataset<'_>,
    model: &Model,
    work: impl Fn(&Linearisation, &Dataset<'_>) -> Sums + Sync,
) -> Result<Sums, CoreError> {
    let parts = chunk_rows(spec, fit, data, model, work)?;
    let mut parts = parts.into_iter();
    let mut total = parts.next().unwrap_or(Sums {
        first: Vec::new(),
        second: Vec::new(),
    });
    for part in parts {
        total
            .first
            .iter_mut()
            .zip(&part.first)
            .for_each(|(sum, x)| *sum += x);
        total
            .second
            .iter_mut()
            .zip(&part.second)
            .for_each(|(sum, x)| *sum += x);
    }
    Ok(total)
}

/// `work` on the linearisation of each chunk of rows, results in order.
pub(super) fn chunk_rows<R: Send>(
    spec: &FitSpec,
    fit: &Fit,
    data: &Dataset<'_>,
    model: &Model,
    work: impl Fn(&Linearisation, &Dataset<'_>) -> R + Sync,
) -> Result<Vec<R>, CoreError> {
    (0..data.len().div_ceil(CHUNK))
        .into_par_iter()
        .map(|chunk| {
            let rows = slice(data, chunk * CHUNK, data.len().min((chunk + 1) * CHUNK));
            Ok(work(&linearise(spec, fit, &rows, model)?, &rows))
        })
        .collect()
}

pub(super) fn linearise(
    spec: &FitSpec,
    fit: &Fit,
    data: &Dataset<'_>,
    model: &Model,
) -> Result<Linearisation, CoreError> {
    let objective = Objective::new(model, data, spec.residual)?;
    Ok(objective.linearise(&mut objective.scratch(), &fit.free))
}

pub(super) fn all_residuals(
    spec: &FitSpec,
    fit: &Fit,
    data: &Dataset<'_>,
    model: &Model,
) -> Result<Vec<f64>, CoreError> {
    let objective = Objective::new(model, data, spec.residual)?;
    Ok(objective.residuals(&mut objective.scratch(), &fit.free))
}

/// The rows `from..to`, borrowed.
pub(super) fn slice<'d>(data: &'d Dataset<'_>, from: usize, to: usize) -> Dataset<'d> {
    Dataset {
        names: data.names.clone(),
        columns: data
            .columns
            .iter()
            .map(|column| Cow::Borrowed(&column[from..to]))
            .collect(),
        response: Cow::Borrowed(&data.response[from..to]),
        weights: data
            .weights
            .as_ref()
            .map(|weights| Cow::Borrowed(&weights[from..to])),
    }
}
