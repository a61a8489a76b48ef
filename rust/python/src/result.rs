//! `FitResult`: what a fit found, as plain numbers and arrays.

use numpy::{IntoPyArray, PyArray1};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use scalefast_core::Loss;
use scalefast_core::fit::Fit;
use scalefast_core::solver::Status;

/// The result of one fit.
#[pyclass(frozen, module = "scalefast._core")]
pub struct FitResult {
    /// What the core returned.
    pub inner: Fit,
    /// The threads that it was allowed.
    pub threads: Option<usize>,
}

#[pymethods]
impl FitResult {
    /// All parameters of the law, in its order.
    #[getter]
    fn parameters(&self) -> Vec<f64> {
        self.inner.parameters.clone()
    }

    /// Whether each free parameter lies on a bound.
    #[getter]
    fn at_bound(&self) -> Vec<bool> {
        self.inner.at_bound.clone()
    }

    /// How many starts were solved, and of how many: fewer than all where the call was stopped.
    #[getter]
    fn solved(&self) -> (usize, usize) {
        (self.inner.solved(), self.inner.runs.len())
    }

    #[getter]
    fn objective(&self) -> f64 {
        self.inner.objective
    }

    #[getter]
    fn status(&self) -> &'static str {
        self.inner.status
    }

    #[getter]
    fn sigma(&self) -> f64 {
        self.inner.sigma
    }

    #[getter]
    fn quadratic_share(&self) -> f64 {
        self.inner.quadratic_share
    }

    /// Name and constants of the loss, its threshold settled.
    #[getter]
    pub fn loss(&self) -> (&'static str, Vec<f64>) {
        match self.inner.loss {
            Loss::Squared => ("squared", vec![]),
            Loss::Huber { delta } => ("huber", vec![delta]),
            Loss::SoftL1 { delta } => ("soft-l1", vec![delta]),
            Loss::Cauchy { delta } => ("cauchy", vec![delta]),
            Loss::Asymmetric { weight } => ("asymmetric", vec![weight]),
            Loss::Pinball { quantile, width } => ("pinball", vec![quantile, width]),
        }
    }

    fn certificate<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let certificate = &self.inner.certificate;
        let fields = PyDict::new(py);
        fields.set_item("gradient", certificate.gradient)?;
        fields.set_item("curvature", certificate.curvature)?;
        fields.set_item("condition", certificate.condition)?;
        fields.set_item("starts", certificate.starts)?;
        fields.set_item("agreeing", certificate.agreeing)?;
        fields.set_item("spread", certificate.spread)?;
        let evidence = certificate.evidence;
        fields.set_item("searches", evidence.map(|e| e.searches))?;
        fields.set_item("optima", evidence.map(|e| e.optima))?;
        fields.set_item("unseen", evidence.map(|e| e.unseen()))?;
        Ok(fields)
    }

    /// Every start as columns: `start` and `end` (one array a free parameter), objective, evaluations, and status, a number
    /// of the list `statuses`.
    fn starts<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let runs = &self.inner.runs;
        let all = 0..runs.len();
        let column = |value: &dyn Fn(usize) -> f64| -> Bound<'py, PyArray1<f64>> {
            all.clone().map(value).collect::<Vec<_>>().into_pyarray(py)
        };
        let free = 0..self.inner.free.len();
        let starts: Vec<_> = free
            .clone()
            .map(|j| column(&|i| runs.start(i)[j]))
            .collect();
        let ends: Vec<_> = free.map(|j| column(&|i| runs.end(i).theta[j])).collect();
        let status: Vec<u8> = all.clone().map(|i| runs.end(i).status as u8).collect();
        let evaluations: Vec<i64> = runs.evaluations.iter().copied().map(i64::from).collect();
        let fields = PyDict::new(py);
        fields.set_item("start", starts)?;
        fields.set_item("end", ends)?;
        fields.set_item("objective", column(&|i| runs.end(i).cost))?;
        fields.set_item("status", status.into_pyarray(py))?;
        fields.set_item("statuses", Status::ALL.map(Status::name))?;
        fields.set_item("evaluations", evaluations.into_pyarray(py))?;
        Ok(fields)
    }
}
