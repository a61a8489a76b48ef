//! The state of a `FitResult` as plain values, from which the same result is restored: for pickling.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};
use scalefast_core::fit::{Certificate, Fit, LossChoice, STATUSES};
use scalefast_core::multistart::{Evidence, Runs};
use scalefast_core::solver::{Solution, Status};

use crate::problem::loss_choice;
use crate::result::FitResult;

/// What the searches of a certificate found: independent searches, their optima, how many are the best.
type PlainEvidence = Option<(usize, usize, usize)>;
/// An end: parameters, objective, status, evaluations, offset.
type PlainEnd = (Vec<f64>, f64, String, usize, f64);

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
    let evidence: PlainEvidence = c.evidence.map(|e| (e.searches, e.optima, e.best));
    let numbers = (c.gradient, c.curvature, c.condition, c.spread);
    fields.set_item("certificate", (numbers, c.starts, c.agreeing, evidence))?;
    let runs = &fit.runs;
    let starts = PyBytes::new(py, &bytes_of(&runs.starts, f64::to_le_bytes));
    fields.set_item("starts", starts)?;
    for (name, numbers) in [("evaluations", &runs.evaluations), ("end_of", &runs.end_of)] {
        fields.set_item(name, PyBytes::new(py, &bytes_of(numbers, u32::to_le_bytes)))?;
    }
    let ends: Vec<PlainEnd> = runs.ends.iter().map(plain_end).collect();
    fields.set_item("ends", ends)?;
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
    let ((gradient, curvature, condition, spread), starts, agreeing, evidence) =
        field("certificate")?.extract::<((f64, f64, f64, f64), usize, usize, PlainEvidence)>()?;
    let numbers = |name: &str| -> PyResult<Vec<u32>> {
        Ok(read(field(name)?.extract()?, u32::from_le_bytes))
    };
    let ends: Vec<PlainEnd> = field("ends")?.extract()?;
    let runs = Runs {
        starts: read(field("starts")?.extract()?, f64::from_le_bytes),
        evaluations: numbers("evaluations")?,
        end_of: numbers("end_of")?,
        ends: ends.into_iter().map(end).collect::<PyResult<_>>()?,
    };
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
            evidence: evidence.map(|(searches, optima, best)| Evidence {
                searches,
                optima,
                best,
            }),
        },
        runs,
        sigma: field("sigma")?.extract()?,
        quadratic_share: field("quadratic_share")?.extract()?,
    };
    Ok(FitResult {
        inner,
        threads: field("threads")?.extract()?,
    })
}

fn plain_end(end: &Solution) -> PlainEnd {
    let status = end.status.name().to_owned();
    (
        end.theta.clone(),
        end.cost,
        status,
        end.evaluations,
        end.offset,
    )
}

fn end((theta, cost, status, evaluations, offset): PlainEnd) -> PyResult<Solution> {
    Ok(Solution {
        theta,
        cost,
        status: known(&Status::ALL, Status::name, &status)?,
        evaluations,
        offset,
    })
}

/// Numbers as bytes, the lowest first: exact, and small where there are millions.
fn bytes_of<T: Copy, const N: usize>(numbers: &[T], bytes: fn(T) -> [u8; N]) -> Vec<u8> {
    numbers.iter().copied().flat_map(bytes).collect()
}

/// The inverse of `bytes_of`; a rest that is no whole number is left out.
fn read<T, const N: usize>(bytes: &[u8], number: fn([u8; N]) -> T) -> Vec<T> {
    let (whole, _) = bytes.as_chunks::<N>();
    whole.iter().map(|bytes| number(*bytes)).collect()
}

/// The one of `all` that goes by this name.
fn known<T: Copy>(all: &[T], name_of: impl Fn(T) -> &'static str, name: &str) -> PyResult<T> {
    all.iter()
        .copied()
        .find(|&entry| name_of(entry) == name)
        .ok_or_else(|| PyValueError::new_err(format!("unknown status {name}")))
}
