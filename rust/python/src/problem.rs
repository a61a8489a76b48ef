//! `Problem`: rows and a law bound together, ready to be fitted and examined.

use std::borrow::Cow;
use std::sync::Arc;

use numpy::{IntoPyArray, PyArray1, PyArray2, PyArrayMethods, PyReadonlyArray1, PyReadonlyArray2};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use scalefast_core::Loss;
use scalefast_core::band::{self, Datum};
use scalefast_core::dataset::{Dataset, SIGMA};
use scalefast_core::fit::{FitSpec, LossChoice, StartSet};
use scalefast_core::inference::{Estimate, Inference, row_statistics, serial_deviate};
use scalefast_core::model::Residual;
use scalefast_core::parameter::{Level, Parameter, Role, Transform};

use crate::errors::core_error;
use crate::interrupt::{self, Call};
use crate::result::FitResult;
use crate::system::System;

/// A parameter as Python gives it: name, bounds, fixed value, tie, transform, start range, level (base, column, indicator).
pub type PlainParameter = (
    String,
    Option<(f64, f64)>,
    Option<f64>,
    Option<String>,
    String,
    Option<(f64, f64)>,
    Option<(String, String, String)>,
);

/// A covariance for Python: matrix, method, reason for its absence.
type PlainCovariance<'py> = (
    Option<Bound<'py, PyArray2<f64>>>,
    String,
    Option<&'static str>,
);

/// A law, its parameters and the columns of `m` rows; the arrays are shared with Python, not copied.
#[pyclass(frozen, module = "scalefast._core")]
pub struct Problem {
    spec: FitSpec,
    columns: Vec<Py<PyArray1<f64>>>,
    response: Py<PyArray1<f64>>,
    weights: Option<Py<PyArray1<f64>>>,
    sigma: Option<Py<PyArray1<f64>>>,
    positive: Vec<bool>,
}

#[pymethods]
impl Problem {
    #[new]
    #[expect(clippy::too_many_arguments, reason = "called by one Python function")]
    fn new(
        system: &System,
        output: String,
        columns: &Bound<'_, PyDict>,
        response: Py<PyArray1<f64>>,
        weights: Option<Py<PyArray1<f64>>>,
        sigma: Option<Py<PyArray1<f64>>>,
        parameters: Vec<PlainParameter>,
        positive: Vec<bool>,
        residual: &str,
        clusters: Option<PyReadonlyArray1<'_, u32>>,
    ) -> PyResult<Problem> {
        let mut variables = Vec::with_capacity(columns.len());
        let mut arrays = Vec::with_capacity(columns.len());
        for (name, values) in columns {
            variables.push(name.extract::<String>()?);
            arrays.push(values.extract::<Py<PyArray1<f64>>>()?);
        }
        let residual = match residual {
            "log" => Residual::Log,
            "identity" => Residual::Identity,
            other => return Err(PyValueError::new_err(format!("unknown residual {other}"))),
        };
        let spec = FitSpec {
            system: system.inner.clone(),
            output,
            variables,
            parameters: parameters
                .into_iter()
                .map(parameter)
                .collect::<PyResult<_>>()?,
            residual,
            loss: LossChoice::Given(Loss::Squared),
            starts: StartSet::Global,
            clusters: clusters
                .map(|clusters| clusters.as_slice().map(Arc::from))
                .transpose()?,
            threads: None,
        };
        Ok(Problem {
            spec,
            columns: arrays,
            response,
            weights,
            sigma,
            positive,
        })
    }

    /// The best fit from the given starts (`S` rows by all parameters), or the global one; and the exception that ended the
    /// work early, None where all starts were solved.
    #[pyo3(signature = (loss, starts, threads, call))]
    fn fit(
        &self,
        py: Python<'_>,
        loss: (String, Vec<f64>),
        starts: Option<PyReadonlyArray2<'_, f64>>,
        threads: Option<usize>,
        call: &Call,
    ) -> PyResult<(FitResult, Option<Py<PyAny>>)> {
        let spec = FitSpec {
            loss: loss_choice(&loss.0, &loss.1)?,
            starts: starts.map_or(StartSet::Global, |matrix| {
                StartSet::Given(matrix.as_array().iter().copied().collect())
            }),
            threads,
            ..self.spec.clone()
        };
        let (found, raised) = self.with_data(py, |data| {
            Ok(interrupt::observe(py, call, |control| {
                let fit = scalefast_core::fit::fit(&spec, data, control)?;
                let stopped = (fit.solved() < fit.runs.len()).then(|| control.check().err());
                Ok((fit, stopped.flatten()))
            }))
        })?;
        let (inner, stopped) = match (found, raised) {
            (Ok((fit, stopped)), raised) => (
                fit,
                raised.or_else(|| stopped.map(|error| core_error(py, error))),
            ),
            (Err(_), Some(raised)) => return Err(raised),
            (Err(error), None) => return Err(core_error(py, error)),
        };
        let stopped = stopped.map(|error| error.into_value(py).into_any());
        Ok((FitResult { inner, threads }, stopped))
    }

    /// Every parameter as columns: estimate, std_error, lower, upper (NaN where refused) and method.
    fn estimates<'py>(
        &self,
        py: Python<'py>,
        result: &FitResult,
        level: f64,
    ) -> PyResult<Bound<'py, PyDict>> {
        estimate_columns(py, &self.inference(py, result)?.estimates(level))
    }

    /// A formula of the parameters, as the columns of `estimates`, one entry each.
    fn derive<'py>(
        &self,
        py: Python<'py>,
        result: &FitResult,
        formula: &System,
        level: f64,
    ) -> PyResult<Bound<'py, PyDict>> {
        let found = self.inference(py, result)?.derive(&formula.inner, level);
        estimate_columns(py, &[found.map_err(|error| core_error(py, error))?])
    }

    /// Half the width of an interval of this level, in standard errors.
    fn quantile(&self, py: Python<'_>, result: &FitResult, level: f64) -> PyResult<f64> {
        Ok(self.inference(py, result)?.quantile(level))
    }

    /// Lower end, median, upper end and method of the scatter of one more row or, with `repeat`, of a repeated run.
    #[pyo3(signature = (result, level, repeat, runs))]
    fn scatter(
        &self,
        py: Python<'_>,
        result: &FitResult,
        level: f64,
        repeat: bool,
        runs: Option<PyReadonlyArray1<'_, u32>>,
    ) -> PyResult<(f64, f64, f64, &'static str)> {
        let spec = self.spec_of(result);
        let runs = runs.as_ref().map(|runs| runs.as_slice()).transpose()?;
        let datum = if repeat {
            Datum::Repeat(runs)
        } else {
            Datum::Row
        };
        let found = self.with_data(py, |data| {
            interrupt::run(py, &Call::plain(), |_| {
                band::scatter(&spec, &result.inner, data, datum, level)
            })
        })?;
        Ok((found.lower, found.middle, found.upper, found.method))
    }

    /// Covariance of the free parameters or None, the name of its method, and the reason for a refusal.
    fn covariance<'py>(
        &self,
        py: Python<'py>,
        result: &FitResult,
    ) -> PyResult<PlainCovariance<'py>> {
        let inference = self.inference(py, result)?;
        let method = inference.method();
        let found = inference.covariance;
        let p = result.inner.free.len();
        let matrix = found
            .matrix
            .map(|matrix| PyArray1::from_vec(py, matrix).reshape([p, p]))
            .transpose()?;
        Ok((matrix, method, found.code))
    }

    /// How far the residuals, rows taken in `order` (row numbers), follow each other, in standard deviations of what
    /// independent noise leads to; NaN where that cannot be told.
    fn serial_deviate(
        &self,
        py: Python<'_>,
        result: &FitResult,
        order: PyReadonlyArray1<'_, u32>,
    ) -> PyResult<f64> {
        let (spec, order) = (self.spec_of(result), order.as_slice()?);
        self.with_data(py, |data| {
            interrupt::run(py, &Call::plain(), |_| {
                serial_deviate(&spec, &result.inner, data, order)
            })
        })
    }

    /// `residual`, `leverage`, `influence` of every row, and its `weight`.
    fn residuals<'py>(&self, py: Python<'py>, result: &FitResult) -> PyResult<Bound<'py, PyDict>> {
        let spec = self.spec_of(result);
        let (found, weights) = self.with_data(py, |data| {
            let found = interrupt::run(py, &Call::plain(), |_| {
                row_statistics(&spec, &result.inner, data)
            })?;
            let weights: Vec<f64> = (0..data.len()).map(|row| data.weight(row)).collect();
            Ok((found, weights))
        })?;
        let fields = PyDict::new(py);
        fields.set_item("residual", found.residual.into_pyarray(py))?;
        fields.set_item("weight", weights.into_pyarray(py))?;
        fields.set_item("leverage", found.leverage.into_pyarray(py))?;
        fields.set_item("influence", found.influence.into_pyarray(py))?;
        Ok(fields)
    }
}

impl Problem {
    fn inference(&self, py: Python<'_>, result: &FitResult) -> PyResult<Inference> {
        let spec = self.spec_of(result);
        self.with_data(py, |data| {
            interrupt::run(py, &Call::plain(), |_| {
                Inference::new(&spec, &result.inner, data)
            })
        })
    }

    /// The settings that `result` was found with.
    pub fn spec_of(&self, result: &FitResult) -> FitSpec {
        FitSpec {
            threads: result.threads,
            loss: LossChoice::Given(result.inner.loss),
            ..self.spec.clone()
        }
    }

    /// Runs `work` on the rows, borrowed from the arrays.
    pub fn with_data<R>(
        &self,
        py: Python<'_>,
        work: impl FnOnce(&Dataset<'_>) -> PyResult<R>,
    ) -> PyResult<R> {
        let mut names = self.spec.variables.clone();
        let mut positive = self.positive.clone();
        if self.sigma.is_some() {
            names.push(SIGMA.to_owned());
            positive.push(true);
        }
        let columns: Vec<PyReadonlyArray1<'_, f64>> = self
            .columns
            .iter()
            .chain(&self.sigma)
            .map(|column| column.bind(py).try_readonly())
            .collect::<Result<_, _>>()?;
        let response = self.response.bind(py).try_readonly()?;
        let weights = self
            .weights
            .as_ref()
            .map(|weights| weights.bind(py).try_readonly())
            .transpose()?;
        let data = Dataset::new(
            names,
            columns
                .iter()
                .map(|column| Ok(Cow::Borrowed(column.as_slice()?)))
                .collect::<PyResult<_>>()?,
            Cow::Borrowed(response.as_slice()?),
            weights
                .as_ref()
                .map(|weights| Ok::<_, PyErr>(Cow::Borrowed(weights.as_slice()?)))
                .transpose()?,
            &positive,
            self.spec.residual == Residual::Log,
        )
        .map_err(|error| core_error(py, error))?;
        work(&data)
    }
}

/// Estimates as columns; what does not exist is NaN.
fn estimate_columns<'py>(py: Python<'py>, estimates: &[Estimate]) -> PyResult<Bound<'py, PyDict>> {
    let fields = PyDict::new(py);
    let column = |pick: fn(&Estimate) -> Option<f64>| -> Bound<'py, PyArray1<f64>> {
        estimates
            .iter()
            .map(|estimate| pick(estimate).unwrap_or(f64::NAN))
            .collect::<Vec<f64>>()
            .into_pyarray(py)
    };
    fields.set_item("estimate", column(|estimate| Some(estimate.value)))?;
    fields.set_item("std_error", column(|estimate| estimate.std_error))?;
    fields.set_item(
        "lower",
        column(|estimate| estimate.interval.map(|ends| ends.0)),
    )?;
    fields.set_item(
        "upper",
        column(|estimate| estimate.interval.map(|ends| ends.1)),
    )?;
    fields.set_item(
        "method",
        estimates
            .iter()
            .map(|estimate| estimate.method.as_str())
            .collect::<Vec<_>>(),
    )?;
    Ok(fields)
}

pub fn parameter(
    (name, bounds, fixed, tie, transform, start, level): PlainParameter,
) -> PyResult<Parameter> {
    Ok(Parameter {
        name,
        bounds,
        role: match (fixed, tie) {
            (Some(value), _) => Role::Fixed(value),
            (None, Some(formula)) => Role::Tied(formula),
            (None, None) => Role::Free,
        },
        transform: match transform.as_str() {
            "log" => Transform::Log,
            "identity" => Transform::Identity,
            "auto" => Transform::Auto,
            other => return Err(PyValueError::new_err(format!("unknown transform {other}"))),
        },
        start,
        level: level.map(|(base, column, indicator)| Level {
            base,
            column,
            indicator,
        }),
    })
}

/// The loss of this name and constants; `huber` without a threshold chooses its own.
pub fn loss_choice(name: &str, constants: &[f64]) -> PyResult<LossChoice> {
    Ok(LossChoice::Given(match (name, constants) {
        ("squared", []) => Loss::Squared,
        ("huber", []) => return Ok(LossChoice::HuberAuto),
        ("huber", &[delta]) => Loss::Huber { delta },
        ("soft-l1", &[delta]) => Loss::SoftL1 { delta },
        ("cauchy", &[delta]) => Loss::Cauchy { delta },
        ("asymmetric", &[weight]) => Loss::Asymmetric { weight },
        ("pinball", &[quantile, width]) => Loss::Pinball { quantile, width },
        _ => return Err(PyValueError::new_err(format!("unknown loss {name}"))),
    }))
}
