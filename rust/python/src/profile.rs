//! Profile likelihood for Python.

use numpy::{IntoPyArray, PyArray1};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use scalefast_core::profile::Point;

use crate::interrupt::{self, Call};
use crate::problem::Problem;
use crate::result::FitResult;

/// The profile of a formula of the parameters: estimate, lower, upper (None where there is none), limit, and the curve as
/// columns value, objective, deviance, parameters (one array each).
#[pyfunction]
#[pyo3(signature = (problem, result, formula, level, call))]
pub fn profile<'py>(
    py: Python<'py>,
    problem: &Problem,
    result: &FitResult,
    formula: &str,
    level: f64,
    call: &Call,
) -> PyResult<Bound<'py, PyDict>> {
    let spec = problem.spec_of(result);
    let found = problem.with_data(py, |data| {
        interrupt::run(py, call, |control| {
            scalefast_core::profile::profile(&spec, &result.inner, data, formula, level, control)
        })
    })?;
    let column = |pick: &dyn Fn(&Point) -> f64| -> Bound<'py, PyArray1<f64>> {
        let values: Vec<f64> = found.points.iter().map(pick).collect();
        values.into_pyarray(py)
    };
    let fields = PyDict::new(py);
    fields.set_item("estimate", found.estimate)?;
    fields.set_item("lower", found.lower)?;
    fields.set_item("upper", found.upper)?;
    fields.set_item("limit", found.limit)?;
    fields.set_item("value", column(&|p| p.value))?;
    fields.set_item("objective", column(&|p| p.objective))?;
    fields.set_item("deviance", column(&|p| p.deviance))?;
    let parameters: Vec<Bound<'py, PyArray1<f64>>> = (0..result.inner.parameters.len())
        .map(|j| column(&|p| p.parameters[j]))
        .collect();
    fields.set_item("parameters", parameters)?;
    Ok(fields)
}
