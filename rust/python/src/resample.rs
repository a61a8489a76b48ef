//! Resampling for Python: replicates of a fit, and intervals from draws.

use numpy::{IntoPyArray, PyArray1, PyReadonlyArray1, PyReadonlyArray2, PyUntypedArrayMethods};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use scalefast_core::fit::{FitSpec, StartSet};
use scalefast_core::resample::{IntervalKind, Kind, Replicate, Scheme, spread};

use crate::errors::core_error;
use crate::interrupt::{self, Call};
use crate::problem::Problem;
use crate::result::FitResult;

/// Fits replicates and returns them as columns: replicate, parameters (one array each), objective, status, moved; and as
/// `stopped` the exception that ended the work early, None where nothing did. What was finished is returned either way.
#[pyfunction]
#[pyo3(signature = (problem, result, kind, fraction, weights, indices, units, strata, seed, replicates, search, call))]
#[expect(clippy::too_many_arguments, reason = "called by one Python function")]
pub fn resample<'py>(
    py: Python<'py>,
    problem: &Problem,
    result: &FitResult,
    kind: &str,
    fraction: Option<f64>,
    weights: Option<PyReadonlyArray2<'py, f64>>,
    indices: Option<PyReadonlyArray2<'py, i64>>,
    units: Option<PyReadonlyArray1<'py, u32>>,
    strata: Option<PyReadonlyArray1<'py, u32>>,
    seed: u64,
    replicates: Option<(u32, u32)>,
    search: (bool, bool),
    call: &Call,
) -> PyResult<Bound<'py, PyDict>> {
    let (global, screened) = search;
    let kind = match (kind, fraction, &weights, &indices) {
        ("pairs", ..) => Kind::Pairs,
        ("fraction", Some(share), ..) => Kind::Fraction(share),
        ("bayesian", ..) => Kind::Bayesian,
        ("residual", ..) => Kind::Residual,
        ("wild", ..) => Kind::Wild,
        ("wild-webb", ..) => Kind::WildWebb,
        ("jackknife", ..) => Kind::Jackknife,
        ("weights", _, Some(weights), _) => Kind::Weights(weights.as_slice()?),
        ("indices", _, _, Some(sets)) => Kind::Indices(sets.as_slice()?, sets.shape()[1]),
        (other, ..) => return Err(PyValueError::new_err(format!("unknown kind {other}"))),
    };
    let scheme = Scheme {
        kind,
        units: units.as_ref().map(|u| u.as_slice()).transpose()?,
        strata: strata.as_ref().map(|s| s.as_slice()).transpose()?,
        seed,
        global,
    };
    let own = problem.spec_of(result);
    let spec = if screened {
        own
    } else {
        FitSpec {
            starts: StartSet::Given(Vec::new()),
            ..own
        }
    };
    let range = replicates.map(|(from, to)| from..to);
    let (draws, raised) = problem.with_data(py, |data| {
        Ok(interrupt::observe(py, call, |control| {
            scalefast_core::resample::resample(&spec, &result.inner, data, &scheme, range, control)
        }))
    })?;
    let mut draws = draws.map_err(|error| core_error(py, error))?;
    let stopped = draws.stopped.take();
    let stopped = raised.or_else(|| stopped.map(|error| core_error(py, error)));
    fields(
        py,
        &draws.replicates,
        result.inner.parameters.len(),
        stopped,
    )
}

/// The replicates as columns.
fn fields<'py>(
    py: Python<'py>,
    found: &[(u32, Replicate)],
    parameters: usize,
    stopped: Option<PyErr>,
) -> PyResult<Bound<'py, PyDict>> {
    let fields = PyDict::new(py);
    let numbers: Vec<i64> = found.iter().map(|(number, _)| i64::from(*number)).collect();
    fields.set_item("replicate", numbers.into_pyarray(py))?;
    let columns: Vec<Bound<'py, PyArray1<f64>>> = (0..parameters)
        .map(|j| {
            let column: Vec<f64> = found.iter().map(|(_, r)| r.parameters[j]).collect();
            column.into_pyarray(py)
        })
        .collect();
    fields.set_item("parameters", columns)?;
    let objective: Vec<f64> = found.iter().map(|(_, r)| r.objective).collect();
    fields.set_item("objective", objective.into_pyarray(py))?;
    let status: Vec<&str> = found.iter().map(|(_, r)| r.status).collect();
    fields.set_item("status", status)?;
    let moved: Vec<bool> = found.iter().map(|(_, r)| r.moved).collect();
    fields.set_item("moved", moved)?;
    fields.set_item("stopped", stopped.map(|error| error.into_value(py)))?;
    Ok(fields)
}

/// The level at which quantiles of the draws of so many units are read for expanded percentiles.
#[pyfunction]
pub fn expanded_level(level: f64, units: usize) -> f64 {
    scalefast_core::resample::expanded_level(level, units)
}

/// Standard error and interval of each quantity, as columns; NaN where its draws give none.
#[pyfunction]
#[pyo3(signature = (kind, level, estimates, draws, left_out, scale))]
pub fn intervals<'py>(
    py: Python<'py>,
    kind: &str,
    level: f64,
    estimates: Vec<f64>,
    draws: Vec<PyReadonlyArray1<'py, f64>>,
    left_out: Option<Vec<PyReadonlyArray1<'py, f64>>>,
    scale: f64,
) -> PyResult<Bound<'py, PyDict>> {
    let kind = IntervalKind::named(kind)
        .ok_or_else(|| PyValueError::new_err(format!("unknown interval {kind}")))?;
    let mut columns = [const { Vec::new() }; 3];
    for (k, (&estimate, values)) in estimates.iter().zip(&draws).enumerate() {
        let left: &[f64] = match left_out.as_ref().and_then(|all| all.get(k)) {
            Some(column) => column.as_slice()?,
            None => &[],
        };
        let found = spread(kind, level, estimate, values.as_slice()?, left, scale);
        for (column, value) in columns
            .iter_mut()
            .zip([found.std_error, found.lower, found.upper])
        {
            column.push(value);
        }
    }
    let fields = PyDict::new(py);
    for (name, column) in ["std_error", "lower", "upper"].into_iter().zip(columns) {
        fields.set_item(name, column.into_pyarray(py))?;
    }
    Ok(fields)
}
