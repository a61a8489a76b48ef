//! Many small fits: columns of all groups in, one entry a group out.

use numpy::{IntoPyArray, PyArray1, PyReadonlyArray1};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};
use scalefast_core::batch::{self, Errors, GroupData, GroupFits, GroupSpec, Status, Trust};
use scalefast_core::model::Residual;
use scalefast_core::spacing;

use crate::arrays::Columns;
use crate::errors::core_error;
use crate::interrupt::{self, Call};
use crate::problem::{PlainParameter, loss_choice, parameter};
use crate::system::System;

/// Fits `output` of `system` to each group of rows; group `i` has the rows `offsets[i]..offsets[i + 1]`.
///
/// Columns of the result: `parameters` and `std_errors` (one array a parameter), `objective`, all NaN where there is no
/// estimate, `status`, positions in `group_statuses()`, and `trust`, positions in `group_trusts()`; and as `stopped` the
/// exception that ended the work early, or None.
#[pyfunction]
#[pyo3(signature = (system, output, columns, response, weights, offsets, parameters, positive, residual, loss, errors, threads, call))]
#[expect(clippy::too_many_arguments, reason = "called by one Python function")]
pub fn fit_groups<'py>(
    py: Python<'py>,
    system: &System,
    output: String,
    columns: &Bound<'py, PyDict>,
    response: PyReadonlyArray1<'py, f64>,
    weights: Option<PyReadonlyArray1<'py, f64>>,
    offsets: PyReadonlyArray1<'py, u64>,
    parameters: Vec<PlainParameter>,
    positive: Vec<bool>,
    residual: &str,
    loss: (String, Vec<f64>),
    errors: &str,
    threads: Option<usize>,
    call: &Call,
) -> PyResult<Bound<'py, PyDict>> {
    let columns = Columns::new(columns)?;
    let slices = columns.slices()?;
    let spec = GroupSpec {
        system: system.inner.clone(),
        output,
        variables: slices.iter().map(|(name, _)| (*name).to_owned()).collect(),
        parameters: parameters
            .into_iter()
            .map(parameter)
            .collect::<PyResult<_>>()?,
        residual: match residual {
            "log" => Residual::Log,
            "identity" => Residual::Identity,
            other => return Err(PyValueError::new_err(format!("unknown residual {other}"))),
        },
        loss: loss_choice(&loss.0, &loss.1)?,
        errors: match errors {
            "independent" => Errors::Independent,
            "checked" => Errors::Checked,
            "block" => Errors::Block,
            other => return Err(PyValueError::new_err(format!("unknown errors {other}"))),
        },
        threads,
    };
    let values: Vec<&[f64]> = slices.iter().map(|(_, values)| *values).collect();
    let offsets: Vec<usize> = offsets.as_slice()?.iter().map(|&o| o as usize).collect();
    let weights = weights.as_ref().map(|w| w.as_slice()).transpose()?;
    let data = GroupData {
        columns: &values,
        response: response.as_slice()?,
        weights,
        offsets: &offsets,
        require_positive: &positive,
    };
    let (found, raised) =
        interrupt::observe(py, call, |control| batch::fit_groups(&spec, &data, control));
    let mut found = found.map_err(|error| core_error(py, error))?;
    let stopped = found.stopped.take();
    let stopped = raised.or_else(|| stopped.map(|error| core_error(py, error)));
    fields(py, found, stopped)
}

/// The fits as columns.
fn fields(py: Python<'_>, found: GroupFits, stopped: Option<PyErr>) -> PyResult<Bound<'_, PyDict>> {
    let arrays = |columns: Vec<Vec<f64>>| -> PyResult<Bound<'_, PyList>> {
        PyList::new(
            py,
            columns.into_iter().map(|column| column.into_pyarray(py)),
        )
    };
    let fields = PyDict::new(py);
    fields.set_item("parameters", arrays(found.parameters)?)?;
    fields.set_item("std_errors", arrays(found.std_errors)?)?;
    fields.set_item("objective", found.objective.into_pyarray(py))?;
    fields.set_item("status", found.status.into_pyarray(py))?;
    fields.set_item("stopped", stopped.map(|error| error.into_value(py)))?;
    fields.set_item("trust", found.trust.into_pyarray(py))?;
    Ok(fields)
}

/// Weights of rows by the share of the logarithm that each stands for, of mean one in each group.
#[pyfunction]
#[pyo3(signature = (values, offsets, threads, call))]
pub fn log_gaps<'py>(
    py: Python<'py>,
    values: PyReadonlyArray1<'py, f64>,
    offsets: PyReadonlyArray1<'py, u64>,
    threads: Option<usize>,
    call: &Call,
) -> PyResult<Bound<'py, PyArray1<f64>>> {
    let values = values.as_slice()?;
    let offsets: Vec<usize> = offsets.as_slice()?.iter().map(|&o| o as usize).collect();
    let weights = interrupt::run(py, call, |control| {
        spacing::log_gaps(values, &offsets, threads, control)
    })?;
    Ok(weights.into_pyarray(py))
}

/// Names of the statuses of groups, by number.
#[pyfunction]
pub fn group_statuses() -> Vec<&'static str> {
    Status::ALL.iter().map(|status| status.name()).collect()
}

/// What the standard errors of groups rest on, by number; none where there are none.
#[pyfunction]
pub fn group_trusts() -> Vec<Option<&'static str>> {
    Trust::ALL.iter().map(|trust| trust.name()).collect()
}
