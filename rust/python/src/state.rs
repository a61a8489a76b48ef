//! The state of a `FitResult` as plain values, from which the same result is restored: for pickling.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use scalefast_core::fit::{Certificate, Fit, LossChoice};
use scalefast_core::multistart::Run;
use scalefast_core::solver::{Solution, Status};

use crate::problem::loss_choice;
use crate::result::FitResult;

/// Every status of a fit.
const STATUSES: [&str; 7] = [
    "converged",
    "at-bound",
    "ill-determined",
    "saddle",
    "stalled",
    "iterations",
    "undefined",
];
const ENDS: [Status; 5] = [
    Status::Converged,
    Status::Stalled,
    Status::Iterations,
    Status::Undefined,
    Status::Interrupted,
];

/// A run: start, end, objective, status, evaluations, offset.
type PlainRun = (Vec<f64>, Vec<f64>, f64, String, usize, f64);

/// The result as plain values.
#[pyfunction]
pub fn result_state<'py>(py: Python<'py>, result: &FitResult) -> PyResult<Bound<'py, PyDict>> {
    let fit = &result.inner;
    let fields = PyDict::new(py);
    fields.set_item("parameters", &fit.parameters)?;
    fields.set_item("free", &fit.free)?;
    fields.set_item("positions", &fit.positions)?;
    fields.set_item("at_bound", &fit.at_bound)?;
    fields.set_item("objective", fit.objective)?;
    fields.set_item("status", fit.status)?;
    fields.set_item("loss", result.loss())?;
    let c = &fit.certificate;
    let numbers = (c.gradient, c.curvature, c.condition, c.spread);
    fields.set_item("certificate", (numbers, c.starts, c.agreeing))?;
    let runs: Vec<PlainRun> = fit.runs.iter().map(plain_run).collect();
    fields.set_item("runs", runs)?;
    fields.set_item("sigma", fit.sigma)?;
    fields.set_item("quadratic_share", fit.quadratic_share)?;
    fields.set_item("threads", result.threads)?;
    Ok(fields)
}

/// The result that `result_state` described.
#[pyfunction]
pub fn restore_result(state: &Bound<'_, PyDict>) -> PyResult<FitResult> {
    let field = |name: &str| {
        state
            .get_item(name)?
            .ok_or_else(|| PyValueError::new_err(format!("the state has no {name}")))
    };
    let (name, constants): (String, Vec<f64>) = field("loss")?.extract()?;
    let LossChoice::Given(loss) = loss_choice(&name, &constants)? else {
        return Err(PyValueError::new_err("the loss of a result is settled"));
    };
    let ((gradient, curvature, condition, spread), starts, agreeing) =
        field("certificate")?.extract::<((f64, f64, f64, f64), usize, usize)>()?;
    let runs: Vec<PlainRun> = field("runs")?.extract()?;
    let inner = Fit {
        parameters: field("parameters")?.extract()?,
        free: field("free")?.extract()?,
        positions: field("positions")?.extract()?,
        at_bound: field("at_bound")?.extract()?,
        objective: field("objective")?.extract()?,
        status: known(&STATUSES, |s| s, &field("status")?.extract::<String>()?)?,
        loss,
        certificate: Certificate {
            gradient,
            curvature,
            condition,
            starts,
            agreeing,
            spread,
        },
        runs: runs.into_iter().map(run).collect::<PyResult<_>>()?,
        sigma: field("sigma")?.extract()?,
        quadratic_share: field("quadratic_share")?.extract()?,
    };
    Ok(FitResult {
        inner,
        threads: field("threads")?.extract()?,
    })
}

fn plain_run(run: &Run) -> PlainRun {
    let end = &run.end;
    (
        run.start.clone(),
        end.theta.clone(),
        end.cost,
        end.status.name().to_owned(),
        end.evaluations,
        end.offset,
    )
}

fn run((start, theta, cost, status, evaluations, offset): PlainRun) -> PyResult<Run> {
    let end = Solution {
        theta,
        cost,
        status: known(&ENDS, Status::name, &status)?,
        evaluations,
        offset,
    };
    Ok(Run { start, end })
}

/// The one of `all` that goes by this name.
fn known<T: Copy>(all: &[T], name_of: impl Fn(T) -> &'static str, name: &str) -> PyResult<T> {
    all.iter()
        .copied()
        .find(|&entry| name_of(entry) == name)
        .ok_or_else(|| PyValueError::new_err(format!("unknown status {name}")))
}
