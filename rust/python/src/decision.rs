//! `Stake`: one law's part in a decision, and the size that suits all of its worlds.

use std::collections::HashMap;

use numpy::{IntoPyArray, PyArray1, PyReadonlyArray1};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use scalefast_core::allocate::{self, Answers, Column, Outcome, Status};
use scalefast_core::moments::Moments;
use scalefast_core::quantile;
use scalefast_core::rng::{Distribution, Quantity};

use crate::errors::core_error;
use crate::interrupt::{self, Call};
use crate::system::System;

/// Bounds of the two free variables; `None` where there is none.
type Bounds = [(Option<f64>, Option<f64>); 2];
/// The two ends of a range.
type Range = (f64, f64);

/// A law, a cost and the worlds that are possible under them, one a target.
#[pyclass(frozen, module = "scalefast._core")]
pub struct Stake {
    inner: allocate::Stake,
}

#[pymethods]
impl Stake {
    /// The outputs of `spending` are the cost and the two variables of `free`; `numbers` hold in every world, `columns`
    /// have one value a target.
    #[new]
    #[expect(clippy::too_many_arguments, reason = "called by one Python module")]
    fn new(
        py: Python<'_>,
        law: &System,
        output: &str,
        spending: &System,
        free: (String, String),
        bounds: Bounds,
        numbers: HashMap<String, f64>,
        columns: HashMap<String, PyReadonlyArray1<'_, f64>>,
        targets: PyReadonlyArray1<'_, f64>,
    ) -> PyResult<Self> {
        let mut values: HashMap<String, Column> = HashMap::new();
        for (name, number) in numbers {
            values.insert(name, Column::Number(number));
        }
        for (name, column) in columns {
            values.insert(name, Column::Lanes(column.as_slice()?.to_vec()));
        }
        let bounds = bounds.map(|(low, high)| [low, high]);
        let inner = allocate::Stake::new(
            &law.inner,
            output,
            &spending.inner,
            [&free.0, &free.1],
            bounds,
            |name| values.get(name).cloned(),
            targets.as_slice()?.to_vec(),
        )
        .map_err(|error| core_error(py, error))?;
        Ok(Stake { inner })
    }

    /// Each world's own best split: `first`, `second`, `cost`, `loss`, `status`.
    #[pyo3(signature = (threads, call))]
    fn best<'py>(
        &self,
        py: Python<'py>,
        threads: Option<usize>,
        call: &Call,
    ) -> PyResult<Bound<'py, PyDict>> {
        let found = interrupt::run(py, call, |control| {
            self.inner.best(threads, control).cloned()
        })?;
        fields(py, found)
    }

    /// What a size gives in each world: `second`, `cost`, `loss`.
    #[pyo3(signature = (first, threads, call))]
    fn at<'py>(
        &self,
        py: Python<'py>,
        first: f64,
        threads: Option<usize>,
        call: &Call,
    ) -> PyResult<Bound<'py, PyDict>> {
        let found = interrupt::run(py, call, |control| self.inner.at(first, threads, control))?;
        let Outcome { second, cost, loss } = found;
        let fields = PyDict::new(py);
        fields.set_item("second", second.into_pyarray(py))?;
        fields.set_item("cost", cost.into_pyarray(py))?;
        fields.set_item("loss", loss.into_pyarray(py))?;
        Ok(fields)
    }

    /// The cheapest way to a loss in each world: as `best`.
    #[pyo3(signature = (losses, threads, call))]
    fn cheapest<'py>(
        &self,
        py: Python<'py>,
        losses: PyReadonlyArray1<'py, f64>,
        threads: Option<usize>,
        call: &Call,
    ) -> PyResult<Bound<'py, PyDict>> {
        let losses = losses.as_slice()?;
        let found = interrupt::run(py, call, |control| {
            self.inner.cheapest(losses, threads, control)
        })?;
        fields(py, found)
    }
}

fn fields(py: Python<'_>, answers: Answers) -> PyResult<Bound<'_, PyDict>> {
    let fields = PyDict::new(py);
    let names = ["first", "second", "cost", "loss"];
    for (name, column) in names.into_iter().zip(answers.columns) {
        fields.set_item(name, column.into_pyarray(py))?;
    }
    let status: Vec<&str> = answers.status.into_iter().map(Status::name).collect();
    fields.set_item("status", status)?;
    Ok(fields)
}

/// The size of least expected regret; NaN where there is none.
#[pyfunction]
#[pyo3(signature = (stakes, weights, threads, call))]
pub fn least_regret(
    py: Python<'_>,
    stakes: Vec<PyRef<'_, Stake>>,
    weights: Vec<f64>,
    threads: Option<usize>,
    call: &Call,
) -> PyResult<f64> {
    let inner: Vec<&allocate::Stake> = stakes.iter().map(|stake| &stake.inner).collect();
    interrupt::run(py, call, |control| {
        allocate::least_regret(&inner, &weights, threads, control)
    })
}

/// The sizes around `first` that lose no more than `share` of the compute is worth: lowest and highest, NaN where open.
#[pyfunction]
#[pyo3(signature = (stakes, weights, first, share, threads, call))]
pub fn indifference(
    py: Python<'_>,
    stakes: Vec<PyRef<'_, Stake>>,
    weights: Vec<f64>,
    first: f64,
    share: f64,
    threads: Option<usize>,
    call: &Call,
) -> PyResult<Range> {
    let inner: Vec<&allocate::Stake> = stakes.iter().map(|stake| &stake.inner).collect();
    let [low, high] = interrupt::run(py, call, |control| {
        allocate::indifference(&inner, &weights, first, share, threads, control)
    })?;
    Ok((low, high))
}

/// Draws of an uncertain quantity of a `kind` and its two numbers, within its `limits`; `None` where hardly any of it lies there.
#[pyfunction]
pub fn quantity<'py>(
    py: Python<'py>,
    seed: u64,
    series: u32,
    kind: &str,
    numbers: Range,
    limits: Range,
    count: usize,
) -> PyResult<Option<Bound<'py, PyArray1<f64>>>> {
    let (first, second) = numbers;
    let distribution = match kind {
        "uniform" => Distribution::Uniform(first, second),
        "normal" => Distribution::Normal(first, second),
        "lognormal" => Distribution::LogNormal(first, second),
        _ => {
            return Err(PyValueError::new_err(format!(
                "unknown distribution `{kind}`"
            )));
        }
    };
    let quantity = Quantity {
        distribution,
        lowest: limits.0,
        highest: limits.1,
    };
    let drawn = quantity.draw(seed, series, count);
    Ok(drawn.map(|column| column.into_pyarray(py)))
}

/// Count, mean, variance and quantiles of the values that are no NaN.
#[pyfunction]
pub fn describe(
    values: PyReadonlyArray1<'_, f64>,
    probabilities: Vec<f64>,
) -> PyResult<(usize, f64, f64, Vec<f64>)> {
    let values = values.as_slice()?;
    let kept: Vec<f64> = values.iter().copied().filter(|v| !v.is_nan()).collect();
    let Moments {
        count,
        mean,
        variance,
    } = Moments::of(&kept);
    let quantiles = quantile::quantiles(&kept, &probabilities);
    Ok((count, mean, variance, quantiles))
}
