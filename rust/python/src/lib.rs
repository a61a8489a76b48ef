//! Python bindings: conversion, release of the GIL, signals. No arithmetic.

#![forbid(unsafe_code)]
#![allow(
    clippy::result_large_err,
    reason = "errors are rare and carry their numbers"
)]

use pyo3::prelude::*;

mod allocation;
mod arrays;
mod decision;
mod errors;
mod evaluate;
mod groups;
mod interrupt;
mod judge;
mod kernel;
mod prediction;
mod problem;
mod profile;
mod resample;
mod result;
mod simulate;
mod state;
mod system;

/// The compiled core of scalefast.
#[pymodule]
mod _core {
    #[pymodule_export]
    use crate::allocation::answer;
    #[pymodule_export]
    use crate::allocation::sweep;
    #[pymodule_export]
    use crate::decision::Stake;
    #[pymodule_export]
    use crate::decision::describe;
    #[pymodule_export]
    use crate::decision::indifference;
    #[pymodule_export]
    use crate::decision::least_regret;
    #[pymodule_export]
    use crate::decision::quantity;
    #[pymodule_export]
    use crate::evaluate::sobol;
    #[pymodule_export]
    use crate::groups::fit_groups;
    #[pymodule_export]
    use crate::groups::group_statuses;
    #[pymodule_export]
    use crate::groups::group_trusts;
    #[pymodule_export]
    use crate::groups::log_gaps;
    #[pymodule_export]
    use crate::interrupt::Call;
    #[pymodule_export]
    use crate::judge::aicc;
    #[pymodule_export]
    use crate::judge::decades;
    #[pymodule_export]
    use crate::judge::log_correlation;
    #[pymodule_export]
    use crate::judge::prediction_errors;
    #[pymodule_export]
    use crate::judge::scale_correlation;
    #[pymodule_export]
    use crate::judge::study_cuts;
    #[pymodule_export]
    use crate::judge::trend;
    #[pymodule_export]
    use crate::kernel::kernel;
    #[pymodule_export]
    use crate::prediction::draw_band;
    #[pymodule_export]
    use crate::prediction::error_band;
    #[pymodule_export]
    use crate::prediction::predict_with_error;
    #[pymodule_export]
    use crate::prediction::scatter_band;
    #[pymodule_export]
    use crate::problem::Problem;
    #[pymodule_export]
    use crate::profile::profile;
    #[pymodule_export]
    use crate::resample::expanded_level;
    #[pymodule_export]
    use crate::resample::intervals;
    #[pymodule_export]
    use crate::resample::resample;
    #[pymodule_export]
    use crate::result::FitResult;
    #[pymodule_export]
    use crate::simulate::choices;
    #[pymodule_export]
    use crate::simulate::normals;
    #[pymodule_export]
    use crate::simulate::students;
    #[pymodule_export]
    use crate::state::restore_result;
    #[pymodule_export]
    use crate::state::result_state;
    #[pymodule_export]
    use crate::system::System;

    use pyo3::prelude::*;

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        crate::kernel::warn_if_refused(module.py())?;
        module.add("__version__", env!("CARGO_PKG_VERSION"))?;
        // The stubs list the names; a second list would only have to be kept in step.
        module.delattr("__all__")
    }
}
