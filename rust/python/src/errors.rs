//! Rust errors as Python exceptions of `scalefast._base.errors`.

use pyo3::exceptions::{PyKeyboardInterrupt, PyRuntimeError};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use scalefast_core::{CoreError, ErrorKind};
use scalefast_expr::FormulaError;

/// `scalefast.FormulaError`, with the text and the byte range at fault.
pub fn formula_error(py: Python<'_>, error: FormulaError) -> PyErr {
    build(py, "FormulaError", &error.message, |details| {
        details.set_item("code", error.code)?;
        details.set_item("text", error.text)?;
        details.set_item("span", error.span)?;
        details.set_item("hint", error.hint)
    })
}

/// The class that the kind of the error names; an interruption without a deadline is `KeyboardInterrupt`.
pub fn core_error(py: Python<'_>, error: CoreError) -> PyErr {
    let class = match error.kind {
        ErrorKind::Formula => "FormulaError",
        ErrorKind::Law => "LawError",
        ErrorKind::Data => "DataError",
        ErrorKind::Settings => "SettingsError",
        ErrorKind::Units => "UnitsError",
        ErrorKind::Interrupted if error.code == "interrupted" => {
            return PyKeyboardInterrupt::new_err(());
        }
        ErrorKind::Interrupted => "ScalefastError",
    };
    build(py, class, &error.message, |details| {
        details.set_item("code", error.code)?;
        details.set_item("hint", error.hint)?;
        details.set_item("row", error.row)?;
        details.set_item("column", error.column)?;
        details.set_item("value", error.value)?;
        details.set_item("limit", error.limit)?;
        details.set_item("argument", error.argument)
    })
}

fn build(
    py: Python<'_>,
    class: &str,
    message: &str,
    fill: impl FnOnce(&Bound<'_, PyDict>) -> PyResult<()>,
) -> PyErr {
    let raise = || -> PyResult<PyErr> {
        let details = PyDict::new(py);
        fill(&details)?;
        let kind = py.import("scalefast._base.errors")?.getattr(class)?;
        Ok(PyErr::from_value(kind.call((message,), Some(&details))?))
    };
    raise().unwrap_or_else(|_| PyRuntimeError::new_err(message.to_owned()))
}
