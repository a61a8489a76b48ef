//! `sweep`: optimal splits of budgets, with quantiles over draws.

use std::collections::HashMap;

use numpy::{IntoPyArray, PyReadonlyArray1, PyReadonlyArray2, PyUntypedArrayMethods};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use scalefast_core::allocate::{self, ClosedForm, Quantity};
use scalefast_core::predict::Values;

use crate::errors::core_error;
use crate::interrupt::{self, control};
use crate::system::System;

/// The best split of each budget. `names` are the law's parameters, `values` their estimates, `draws` one row a parameter.
///
/// Returns `first`, `second`, `ratio`, `loss` (one entry a budget), each also with `_quantiles` (one array a quantile);
/// what does not exist is NaN.
#[pyfunction]
#[pyo3(signature = (law, output, cost, free, names, values, draws, budgets, quantiles, threads, timeout_s))]
#[expect(clippy::too_many_arguments, reason = "called by one Python function")]
pub fn sweep<'py>(
    py: Python<'py>,
    law: &System,
    output: &str,
    cost: &System,
    free: (String, String),
    names: Vec<String>,
    values: PyReadonlyArray1<'py, f64>,
    draws: Option<PyReadonlyArray2<'py, f64>>,
    budgets: PyReadonlyArray1<'py, f64>,
    quantiles: Vec<f64>,
    threads: Option<usize>,
    timeout_s: Option<f64>,
) -> PyResult<Bound<'py, PyDict>> {
    let form = ClosedForm::detect(&law.inner, output, &cost.inner, (&free.0, &free.1))
        .map_err(|error| core_error(py, error))?;
    let values = values.as_slice()?;
    let places: HashMap<&str, usize> = names
        .iter()
        .enumerate()
        .map(|(k, name)| (name.as_str(), k))
        .collect();
    let wanted: Vec<usize> = form
        .parameters()
        .iter()
        .map(|name| {
            let unknown =
                || PyValueError::new_err(format!("no value for `{name}` of the law or its cost"));
            places
                .get(name.as_str())
                .copied()
                .filter(|&k| k < values.len())
                .ok_or_else(unknown)
        })
        .collect::<PyResult<_>>()?;
    let estimate: Vec<f64> = wanted.iter().map(|&k| values[k]).collect();
    let rows = match &draws {
        Some(matrix) => {
            let count = matrix.shape()[1];
            let flat = matrix.as_slice()?;
            wanted
                .iter()
                .map(|&k| Values::Column(&flat[k * count..(k + 1) * count]))
                .collect()
        }
        None => estimate
            .iter()
            .map(|&value| Values::Number(value))
            .collect::<Vec<_>>(),
    };
    let budgets = budgets.as_slice()?;
    let control = control(py, timeout_s)?;
    let found = interrupt::run(py, &control, || {
        allocate::sweep(
            &form, &estimate, &rows, budgets, &quantiles, threads, &control,
        )
    })?;
    let fields = PyDict::new(py);
    for (name, quantity) in [
        ("first", found.first),
        ("second", found.second),
        ("ratio", found.ratio),
        ("loss", found.loss),
    ] {
        let Quantity { point, quantiles } = quantity;
        fields.set_item(name, point.into_pyarray(py))?;
        let arrays: Vec<_> = quantiles
            .into_iter()
            .map(|column| column.into_pyarray(py))
            .collect();
        fields.set_item(format!("{name}_quantiles"), arrays)?;
    }
    Ok(fields)
}
