//! Predictions with standard errors for Python.

use numpy::{IntoPyArray, PyArray1, PyReadonlyArray1, PyReadonlyArray2};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use scalefast_core::band;
use scalefast_core::draw_band::DrawBand;
use scalefast_core::predict::{self, Values};
use scalefast_core::resample::IntervalKind;

use crate::arrays::Columns;
use crate::interrupt::{self, Call};
use crate::system::System;

/// Values of one output at every row, and their standard errors.
type WithErrors<'py> = (Bound<'py, PyArray1<f64>>, Bound<'py, PyArray1<f64>>);

/// One output at every row with the standard error that the covariance of `parameters` gives it.
#[pyfunction]
#[pyo3(signature = (system, output, columns, scalars, parameters, covariance, threads))]
#[expect(clippy::too_many_arguments, reason = "called by one Python function")]
pub fn predict_with_error<'py>(
    py: Python<'py>,
    system: &System,
    output: &str,
    columns: &Bound<'py, PyDict>,
    scalars: Vec<(String, f64)>,
    parameters: Vec<String>,
    covariance: PyReadonlyArray2<'py, f64>,
    threads: Option<usize>,
) -> PyResult<WithErrors<'py>> {
    let held = Columns::new(columns)?;
    let inputs: Vec<(&str, Values<'_>)> = held
        .slices()?
        .into_iter()
        .map(|(name, column)| (name, Values::Column(column)))
        .chain(
            scalars
                .iter()
                .map(|(name, number)| (name.as_str(), Values::Number(*number))),
        )
        .collect();
    let names: Vec<&str> = parameters.iter().map(String::as_str).collect();
    let matrix = covariance.as_slice()?;
    let (mut values, mut errors) = (vec![0.0; held.rows], vec![0.0; held.rows]);
    interrupt::run(py, &Call::plain(), |control| {
        let out = (values.as_mut_slice(), errors.as_mut_slice());
        predict::evaluate_with_error(
            &system.inner,
            output,
            &inputs,
            &names,
            matrix,
            out,
            threads,
            control,
        )
    })?;
    Ok((values.into_pyarray(py), errors.into_pyarray(py)))
}

/// Lower and upper ends, one array each.
type Ends<'py> = (Bound<'py, PyArray1<f64>>, Bound<'py, PyArray1<f64>>);

/// The ends at `quantile` standard errors to either side of values, or of their logarithm.
#[pyfunction]
pub fn error_band<'py>(
    py: Python<'py>,
    values: PyReadonlyArray1<'py, f64>,
    std_errors: PyReadonlyArray1<'py, f64>,
    quantile: f64,
    log: bool,
) -> PyResult<Ends<'py>> {
    let (lower, upper) = band::of_errors(values.as_slice()?, std_errors.as_slice()?, quantile, log);
    Ok((lower.into_pyarray(py), upper.into_pyarray(py)))
}

/// The ends for a datum: those of the law widened by a scatter (lower end, median, upper end), in units of `sigma`.
#[pyfunction]
#[pyo3(signature = (values, lower, upper, scatter, sigma, log))]
pub fn scatter_band<'py>(
    py: Python<'py>,
    values: PyReadonlyArray1<'py, f64>,
    lower: PyReadonlyArray1<'py, f64>,
    upper: PyReadonlyArray1<'py, f64>,
    scatter: (f64, f64, f64),
    sigma: Option<PyReadonlyArray1<'py, f64>>,
    log: bool,
) -> PyResult<Ends<'py>> {
    let (low, middle, high) = scatter;
    let sigma = sigma.as_ref().map(|s| s.as_slice()).transpose()?;
    let ends = (lower.as_slice()?, upper.as_slice()?);
    let (lower, upper) =
        band::with_scatter(values.as_slice()?, ends, (low, middle, high), sigma, log);
    Ok((lower.into_pyarray(py), upper.into_pyarray(py)))
}

/// The ends of the law at every point under draws of its parameters, never more than one point's values a thread at once.
#[pyfunction]
#[pyo3(signature = (system, output, points, values, draws, left_out, kind, level, scale, threads, call))]
#[expect(clippy::too_many_arguments, reason = "called by one Python function")]
pub fn draw_band<'py>(
    py: Python<'py>,
    system: &System,
    output: &str,
    points: &Bound<'py, PyDict>,
    values: PyReadonlyArray1<'py, f64>,
    draws: &Bound<'py, PyDict>,
    left_out: Option<&Bound<'py, PyDict>>,
    kind: &str,
    level: f64,
    scale: f64,
    threads: Option<usize>,
    call: &Call,
) -> PyResult<Ends<'py>> {
    let kind = IntervalKind::named(kind)
        .ok_or_else(|| PyValueError::new_err(format!("unknown interval {kind}")))?;
    let (held, drawn) = (Columns::new(points)?, Columns::new(draws)?);
    let held_out = left_out.map(Columns::new).transpose()?;
    let (points, draws) = (held.slices()?, drawn.slices()?);
    let left_out = held_out.as_ref().map(Columns::slices).transpose()?;
    let band = DrawBand {
        system: &system.inner,
        output,
        draws: &draws,
        left_out: left_out.as_deref(),
        kind,
        level,
        scale,
    };
    let centre = values.as_slice()?;
    let (lower, upper) = interrupt::run(py, call, |control| {
        band.ends(&points, centre, threads, control)
    })?;
    Ok((lower.into_pyarray(py), upper.into_pyarray(py)))
}
