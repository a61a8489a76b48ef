//! Outputs of formulas at columns and numbers, and points of the Sobol sequence.

use numpy::{IntoPyArray, PyArray1};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use scalefast_core::predict::{self, Values};
use scalefast_core::rng::{MAX_DIMENSION, Sobol};
use scalefast_expr::System;

use crate::arrays::Columns;
use crate::interrupt::{self, Call};

/// Every output of `system` as a column; `scalars` hold for all rows.
pub fn evaluate<'py>(
    py: Python<'py>,
    system: &System,
    columns: &Bound<'py, PyDict>,
    scalars: &[(String, f64)],
    threads: Option<usize>,
) -> PyResult<Bound<'py, PyDict>> {
    let held = Columns::new(columns)?;
    let slices = held.slices()?;
    let names: Vec<&str> = system
        .outputs()
        .iter()
        .map(|(name, _)| name.as_str())
        .collect();
    let mut found = vec![vec![0.0; held.rows]; names.len()];
    interrupt::run(py, &Call::plain(), |control| {
        let mut attempt = |positive: fn(&[f64]) -> bool| {
            let inputs: Vec<(&str, Values<'_>)> = slices
                .iter()
                .map(|&(name, column)| (name, values(column, positive(column))))
                .chain(
                    scalars
                        .iter()
                        .map(|(name, number)| (name.as_str(), Values::Number(*number))),
                )
                .collect();
            let mut out: Vec<&mut [f64]> = found.iter_mut().map(Vec::as_mut_slice).collect();
            predict::evaluate(system, &names, &inputs, &mut out, threads, control)
        };
        // Positive columns are faster, and the core checks them as it goes: a glance at the first row saves a pass.
        match attempt(|column| column.first().is_some_and(|&x| usable(x))) {
            Err(error) if error.code == "invalid-values" => {
                attempt(|column| column.iter().all(|&x| usable(x)))
            }
            done => done,
        }
    })?;
    let outputs = PyDict::new(py);
    for (name, column) in names.iter().zip(found) {
        outputs.set_item(name, column.into_pyarray(py))?;
    }
    Ok(outputs)
}

fn usable(x: f64) -> bool {
    x > 0.0 && x < f64::INFINITY
}

fn values(column: &[f64], positive: bool) -> Values<'_> {
    if positive {
        Values::PositiveColumn(column)
    } else {
        Values::Column(column)
    }
}

/// The first `count` points of the Sobol sequence in `dimension` dimensions, one array an axis.
#[pyfunction]
pub fn sobol(
    py: Python<'_>,
    dimension: usize,
    count: u32,
) -> PyResult<Vec<Bound<'_, PyArray1<f64>>>> {
    if dimension == 0 || dimension > MAX_DIMENSION {
        return Err(PyValueError::new_err(format!(
            "dimension must lie between 1 and {MAX_DIMENSION}"
        )));
    }
    let sequence = Sobol::new(dimension);
    let mut axes = vec![Vec::with_capacity(count as usize); dimension];
    let mut point = vec![0.0; dimension];
    for index in 0..count {
        sequence.point(index, &mut point);
        axes.iter_mut()
            .zip(&point)
            .for_each(|(axis, &x)| axis.push(x));
    }
    Ok(axes.into_iter().map(|axis| axis.into_pyarray(py)).collect())
}
