//! Criteria of studies and associations of columns, as plain numbers for Python.

use numpy::PyReadonlyArray1;
use pyo3::prelude::*;
use scalefast_core::criteria::PredictionErrors;
use scalefast_core::{association, criteria};

/// Akaike's criterion corrected for few rows; `logged` are the measured losses where residuals are those of logarithms.
#[pyfunction]
#[pyo3(signature = (objective, rows, free, logged))]
pub fn aicc(
    py: Python<'_>,
    objective: f64,
    rows: usize,
    free: usize,
    logged: Option<PyReadonlyArray1<'_, f64>>,
) -> PyResult<Option<f64>> {
    let logged = logged.as_ref().map(|l| l.as_slice()).transpose()?;
    Ok(py.detach(|| criteria::aicc(objective, rows, free, logged)))
}

/// Mean, root mean square and worst of ln(predicted/measured); None where one is not finite.
#[pyfunction]
pub fn prediction_errors(
    py: Python<'_>,
    predicted: PyReadonlyArray1<'_, f64>,
    measured: PyReadonlyArray1<'_, f64>,
) -> PyResult<Option<(f64, f64, f64)>> {
    let (predicted, measured) = (predicted.as_slice()?, measured.as_slice()?);
    let found = py.detach(|| PredictionErrors::of(predicted, measured));
    Ok(found.map(|errors| (errors.mean, errors.rms, errors.worst)))
}

/// Cuts spread evenly between half and 95 % of the runs by compute.
#[pyfunction]
pub fn study_cuts(
    py: Python<'_>,
    compute: PyReadonlyArray1<'_, f64>,
    count: usize,
) -> PyResult<Vec<f64>> {
    let compute = compute.as_slice()?;
    Ok(py.detach(|| criteria::cuts(compute, count)))
}

/// How many factors of ten `far` lies beyond `near`.
#[pyfunction]
pub fn decades(near: f64, far: f64) -> f64 {
    criteria::decades(near, far)
}

/// The absolute correlation of two columns, of their logarithms where they are positive.
#[pyfunction]
pub fn log_correlation(
    py: Python<'_>,
    first: PyReadonlyArray1<'_, f64>,
    second: PyReadonlyArray1<'_, f64>,
) -> PyResult<f64> {
    let (first, second) = (first.as_slice()?, second.as_slice()?);
    Ok(py.detach(|| association::log_correlation(first, second)))
}

/// The absolute rank correlation of `values` with the scale of the runs, the sum of the logarithms of `columns`.
#[pyfunction]
pub fn scale_correlation(
    py: Python<'_>,
    columns: Vec<PyReadonlyArray1<'_, f64>>,
    values: PyReadonlyArray1<'_, f64>,
) -> PyResult<f64> {
    let columns = columns
        .iter()
        .map(|column| column.as_slice())
        .collect::<Result<Vec<&[f64]>, _>>()?;
    let values = values.as_slice()?;
    Ok(py.detach(|| {
        let scale = association::scale(&columns, values.len());
        association::rank_correlation(values, &scale)
    }))
}

/// The factor by which value/scale changes over the range of the scale, and whether it rises.
#[pyfunction]
pub fn trend(
    py: Python<'_>,
    scale: PyReadonlyArray1<'_, f64>,
    value: PyReadonlyArray1<'_, f64>,
) -> PyResult<Option<(f64, bool)>> {
    let (scale, value) = (scale.as_slice()?, value.as_slice()?);
    Ok(py.detach(|| association::trend(scale, value)))
}
