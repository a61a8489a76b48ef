//! `sweep` and `answer`: optimal splits of budgets in closed form, and questions to laws and costs of any form.

use numpy::{IntoPyArray, PyReadonlyArray1, PyReadonlyArray2, PyUntypedArrayMethods};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use scalefast_core::allocate::{
    self, Aim, Asked, Cells, ClosedForm, Quantity, Question, Spread, Status, Wanted,
};
use scalefast_core::predict::Values;

use crate::errors::core_error;
use crate::interrupt::{self, Call};
use crate::system::System;

/// The best split of each budget in closed form. `names` are the law's parameters, `values` their estimates, `draws` one row
/// a parameter; `pinned_names` differ from budget to budget, with one array each in `pinned`.
///
/// Returns `first`, `second`, `cost`, `loss`, `ratio`, `plan` (one entry a budget; what does not exist is NaN), each also
/// with `_quantiles` (one array a quantile); `status` (one text a budget) and `solved_draws`. The quantiles of `plan` are
/// those of the loss at the split of the estimate, where `plan_loss` asks for them. With `keep` also `kept`: the arrays of
/// first, second and loss of every draw, budget by budget, and `kept_status`, codes into `statuses`.
#[pyfunction]
#[pyo3(signature = (law, output, cost, free, names, values, draws, budgets, quantiles, threads, call,
    pinned_names=vec![], pinned=vec![], plan_loss=false, keep=false))]
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
    call: &Call,
    pinned_names: Vec<String>,
    pinned: Vec<PyReadonlyArray1<'py, f64>>,
    plan_loss: bool,
    keep: bool,
) -> PyResult<Bound<'py, PyDict>> {
    let form = ClosedForm::detect(&law.inner, output, &cost.inner, (&free.0, &free.1))
        .map_err(|error| core_error(py, error))?;
    let given = Given {
        targets: &budgets,
        names: &names,
        values: &values,
        draws: draws.as_ref(),
        pinned_names: &pinned_names,
        pinned: &pinned,
    };
    let wanted = Wanted {
        probabilities: &quantiles,
        plan_loss,
        keep,
    };
    given.answer(py, form.parameters(), wanted, threads, |asked| {
        interrupt::run(py, call, |control| allocate::sweep(&form, asked, control))
    })
}

/// Answers a question about a law at each target: `budget` (the least loss at a cost), `loss` (the least cost of a loss)
/// or `companion` (one free variable: where the other, held fixed, is optimal). The outputs of `spending` are the cost
/// and the two variables to report; `free` names one or two symbols, `bounds` their lowest and highest values.
///
/// Returns the same as `sweep`.
#[pyfunction]
#[pyo3(signature = (law, output, spending, aim, free, bounds, names, values, draws, targets, quantiles, threads, call,
    pinned_names=vec![], pinned=vec![], plan_loss=false, keep=false))]
#[expect(clippy::too_many_arguments, reason = "called by one Python module")]
pub fn answer<'py>(
    py: Python<'py>,
    law: &System,
    output: &str,
    spending: &System,
    aim: &str,
    free: Vec<String>,
    bounds: Vec<(Option<f64>, Option<f64>)>,
    names: Vec<String>,
    values: PyReadonlyArray1<'py, f64>,
    draws: Option<PyReadonlyArray2<'py, f64>>,
    targets: PyReadonlyArray1<'py, f64>,
    quantiles: Vec<f64>,
    threads: Option<usize>,
    call: &Call,
    pinned_names: Vec<String>,
    pinned: Vec<PyReadonlyArray1<'py, f64>>,
    plan_loss: bool,
    keep: bool,
) -> PyResult<Bound<'py, PyDict>> {
    let aim = match aim {
        "budget" => Aim::Budget,
        "loss" => Aim::Loss,
        "companion" => Aim::Companion,
        _ => return Err(PyValueError::new_err(format!("unknown aim `{aim}`"))),
    };
    let free: Vec<&str> = free.iter().map(String::as_str).collect();
    let bounds: Vec<[Option<f64>; 2]> = bounds.iter().map(|&(low, high)| [low, high]).collect();
    let question = Question::new(&law.inner, output, &spending.inner, aim, &free, &bounds)
        .map_err(|error| core_error(py, error))?;
    let given = Given {
        targets: &targets,
        names: &names,
        values: &values,
        draws: draws.as_ref(),
        pinned_names: &pinned_names,
        pinned: &pinned,
    };
    let wanted = Wanted {
        probabilities: &quantiles,
        plan_loss,
        keep,
    };
    given.answer(py, question.parameters(), wanted, threads, |asked| {
        interrupt::run(py, call, |control| {
            allocate::spread(&question, asked, control)
        })
    })
}

/// What both calls are given: targets, and what is known of the parameters.
struct Given<'a, 'py> {
    targets: &'a PyReadonlyArray1<'py, f64>,
    names: &'a [String],
    values: &'a PyReadonlyArray1<'py, f64>,
    draws: Option<&'a PyReadonlyArray2<'py, f64>>,
    pinned_names: &'a [String],
    pinned: &'a [PyReadonlyArray1<'py, f64>],
}

impl Given<'_, '_> {
    /// Asks for the parameters that a question or closed form names, and gives the answers as arrays.
    fn answer<'py>(
        &self,
        py: Python<'py>,
        parameters: &[String],
        wanted: Wanted<'_>,
        threads: Option<usize>,
        ask: impl FnOnce(&Asked<'_>) -> PyResult<Spread>,
    ) -> PyResult<Bound<'py, PyDict>> {
        let cells = cells(self.targets, self.pinned_names, self.pinned)?;
        let known = Known::new(self.names, self.values, self.draws)?;
        let (estimate, draws) = known.choose(parameters, &cells)?;
        let asked = Asked {
            estimate: &estimate,
            draws: &draws,
            cells: &cells,
            wanted,
            threads,
        };
        answers(py, ask(&asked)?)
    }
}

fn cells<'a>(
    targets: &'a PyReadonlyArray1<'_, f64>,
    names: &'a [String],
    columns: &'a [PyReadonlyArray1<'_, f64>],
) -> PyResult<Cells<'a>> {
    let mut pinned = Vec::with_capacity(names.len());
    for (name, column) in names.iter().zip(columns) {
        pinned.push((name.as_str(), column.as_slice()?));
    }
    Ok(Cells {
        targets: targets.as_slice()?,
        pinned,
    })
}

/// Columns as arrays.
fn answers(py: Python<'_>, found: Spread) -> PyResult<Bound<'_, PyDict>> {
    let fields = PyDict::new(py);
    let names = ["first", "second", "cost", "loss", "ratio", "plan"];
    for (name, quantity) in names.into_iter().zip(found.quantities) {
        set_quantity(py, &fields, name, quantity)?;
    }
    let status: Vec<&str> = found.status.into_iter().map(Status::name).collect();
    fields.set_item("status", status)?;
    fields.set_item("solved_draws", found.solved_draws)?;
    if let Some(kept) = found.kept {
        let columns: Vec<_> = kept
            .columns
            .into_iter()
            .map(|column| column.into_pyarray(py))
            .collect();
        fields.set_item("kept", columns)?;
        let codes: Vec<u8> = kept.status.into_iter().map(|status| status as u8).collect();
        fields.set_item("kept_status", codes.into_pyarray(py))?;
        fields.set_item("statuses", Status::ALL.map(Status::name))?;
    }
    Ok(fields)
}

/// Estimates and draws by name.
struct Known<'a> {
    names: &'a [String],
    values: &'a [f64],
    /// One row a name, for the first names; the rest do not vary.
    draws: Option<(&'a [f64], usize)>,
}

impl<'a> Known<'a> {
    fn new(
        names: &'a [String],
        values: &'a PyReadonlyArray1<'_, f64>,
        draws: Option<&'a PyReadonlyArray2<'_, f64>>,
    ) -> PyResult<Self> {
        let draws = match draws {
            Some(matrix) => Some((matrix.as_slice()?, matrix.shape()[1])),
            None => None,
        };
        Ok(Known {
            names,
            values: values.as_slice()?,
            draws,
        })
    }

    /// Estimates and draws of the `wanted` names; what differs from cell to cell has neither.
    fn choose(
        &self,
        wanted: &[String],
        cells: &Cells<'_>,
    ) -> PyResult<(Vec<f64>, Vec<Values<'a>>)> {
        let mut estimates = Vec::with_capacity(wanted.len());
        let mut rows = Vec::with_capacity(wanted.len());
        for name in wanted {
            if cells.pinned.iter().any(|(known, _)| known == name) {
                estimates.push(f64::NAN);
                rows.push(Values::Number(f64::NAN));
                continue;
            }
            let place = self.names.iter().position(|known| known == name);
            let Some((place, &value)) = place.and_then(|k| Some((k, self.values.get(k)?))) else {
                let message = format!("no value for `{name}` of the law or its cost");
                return Err(PyValueError::new_err(message));
            };
            estimates.push(value);
            let row =
                |(flat, count): (&'a [f64], usize)| flat.get(place * count..(place + 1) * count);
            rows.push(match self.draws.and_then(row) {
                Some(row) => Values::Column(row),
                None => Values::Number(value),
            });
        }
        Ok((estimates, rows))
    }
}

fn set_quantity<'py>(
    py: Python<'py>,
    fields: &Bound<'py, PyDict>,
    name: &str,
    quantity: Quantity,
) -> PyResult<()> {
    let Quantity { point, quantiles } = quantity;
    fields.set_item(name, point.into_pyarray(py))?;
    let arrays: Vec<_> = quantiles
        .into_iter()
        .map(|column| column.into_pyarray(py))
        .collect();
    fields.set_item(format!("{name}_quantiles"), arrays)
}
