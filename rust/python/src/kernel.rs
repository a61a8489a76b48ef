//! Which instruction set evaluates.

use std::ffi::CString;

use pyo3::exceptions::PyRuntimeWarning;
use pyo3::prelude::*;
use scalefast_expr::{KERNEL_VARIABLE, Kernel};

/// Name of the kernel that evaluates: `scalar`, `avx2`, `avx512` or another instruction set.
#[pyfunction]
pub fn kernel() -> &'static str {
    Kernel::detect().name()
}

/// A warning where the environment names a kernel that is not to be had, since another one is used then.
pub fn warn_if_refused(py: Python<'_>) -> PyResult<()> {
    let wanted = std::env::var(KERNEL_VARIABLE).unwrap_or_default();
    if wanted.is_empty() || wanted == kernel() {
        return Ok(());
    }
    let known: Vec<&str> = Kernel::available().iter().map(|k| k.name()).collect();
    let message = format!(
        "{KERNEL_VARIABLE}={wanted:.40} is no kernel of this machine, which has {}; {} is used",
        known.join(", "),
        kernel()
    );
    let message = CString::new(message)?;
    PyErr::warn(py, &py.get_type::<PyRuntimeWarning>(), &message, 1)
}
