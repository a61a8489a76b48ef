//! `System`: formulas, read and looked into.

use std::collections::HashMap;

use numpy::{IntoPyArray, PyArray1};
use pyo3::exceptions::PyKeyError;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use scalefast_expr::{Node, NodeId};

use crate::arrays::Columns;
use crate::errors::formula_error;
use crate::evaluate;

/// A node of a graph for Python: kind, what it holds, and its arguments as positions of earlier nodes.
type PlainNode<'py> = (&'static str, Bound<'py, PyAny>, usize, usize);

/// A fault for Python: its subject, the symbol's name where it is one, what it must be, what the law does with it.
type PlainFault = (String, Option<String>, &'static str, String);

/// The position of each row's fault, or -1, and the faults.
type PlainUndefined<'py> = (Bound<'py, PyArray1<i32>>, Vec<PlainFault>);

/// A typed law for Python: the system, its definitions as (name, text), the text of the law.
type PlainTyped = (System, Vec<(String, String)>, String);

/// One or more formulas over common symbols.
#[pyclass(frozen, module = "scalefast._core")]
pub struct System {
    /// The parsed formulas.
    pub inner: scalefast_expr::System,
}

impl System {
    fn output_node(&self, output: &str) -> PyResult<NodeId> {
        self.inner
            .output(output)
            .ok_or_else(|| PyKeyError::new_err(output.to_owned()))
    }
}

#[pymethods]
impl System {
    #[staticmethod]
    fn parse(
        py: Python<'_>,
        outputs: Vec<(String, String)>,
        definitions: Vec<(String, String)>,
    ) -> PyResult<System> {
        let inner = scalefast_expr::System::parse(&borrowed(&outputs), &borrowed(&definitions))
            .map_err(|error| formula_error(py, error))?;
        Ok(System { inner })
    }

    /// A law with definitions before it, in one text.
    #[staticmethod]
    fn typed(py: Python<'_>, text: &str) -> PyResult<PlainTyped> {
        let typed =
            scalefast_expr::System::typed(text).map_err(|error| formula_error(py, error))?;
        let inner = typed.system;
        Ok((System { inner }, typed.definitions, typed.law))
    }

    fn outputs(&self) -> Vec<String> {
        self.inner
            .outputs()
            .iter()
            .map(|(name, _)| name.clone())
            .collect()
    }

    fn symbols(&self) -> Vec<String> {
        self.inner.symbols()
    }

    fn print(&self, output: &str) -> PyResult<String> {
        Ok(self.inner.graph.print(self.output_node(output)?))
    }

    fn latex(&self, output: &str) -> PyResult<String> {
        Ok(self.inner.graph.latex(self.output_node(output)?))
    }

    /// The nodes of an output, arguments before what uses them.
    fn nodes<'py>(&self, py: Python<'py>, output: &str) -> PyResult<Vec<PlainNode<'py>>> {
        let graph = &self.inner.graph;
        let order = graph.topological(self.output_node(output)?);
        let place = |id: NodeId| order.binary_search(&id).unwrap_or_default();
        order
            .iter()
            .map(|&id| {
                Ok(match graph.node(id) {
                    Node::Constant(bits) => (
                        "constant",
                        f64::from_bits(bits).into_pyobject(py)?.into_any(),
                        0,
                        0,
                    ),
                    Node::Symbol(symbol) => (
                        "symbol",
                        graph.symbol_name(symbol).into_pyobject(py)?.into_any(),
                        0,
                        0,
                    ),
                    Node::Unary(op, a) => (op.info().name, py.None().into_bound(py), place(a), 0),
                    Node::Binary(op, a, b) => {
                        (op.info().name, py.None().into_bound(py), place(a), place(b))
                    }
                })
            })
            .collect()
    }

    /// The rows of float64 columns on which an output has no value: for each row the position of its fault, or -1, and
    /// the faults as (subject, whether it is a symbol, what it must be, why); None where all rows are fine.
    fn undefined<'py>(
        &self,
        py: Python<'py>,
        outputs: Vec<String>,
        columns: &Bound<'py, PyDict>,
        bounds: Vec<(String, f64, f64)>,
    ) -> PyResult<Option<PlainUndefined<'py>>> {
        let held = Columns::new(columns)?;
        let slices = held.slices()?;
        let outputs: Vec<&str> = outputs.iter().map(String::as_str).collect();
        let bounds: Vec<(&str, f64, f64)> = bounds
            .iter()
            .map(|(name, low, high)| (name.as_str(), *low, *high))
            .collect();
        let found = py.detach(|| self.inner.undefined(&outputs, &slices, &bounds));
        if found.faults.is_empty() {
            return Ok(None);
        }
        let rows: Vec<i32> = found
            .rows
            .iter()
            .map(|fault| fault.map_or(-1, |position| position as i32))
            .collect();
        let faults = found
            .faults
            .into_iter()
            .map(|fault| (fault.subject, fault.symbol, fault.must, fault.because))
            .collect();
        Ok(Some((rows.into_pyarray(py), faults)))
    }

    /// Every output at float64 columns of one length and at numbers that hold for all rows.
    #[pyo3(signature = (columns, scalars, threads=None))]
    fn evaluate<'py>(
        &self,
        py: Python<'py>,
        columns: &Bound<'py, PyDict>,
        scalars: HashMap<String, f64>,
        threads: Option<usize>,
    ) -> PyResult<Bound<'py, PyDict>> {
        let scalars: Vec<(String, f64)> = scalars.into_iter().collect();
        evaluate::evaluate(py, &self.inner, columns, &scalars, threads)
    }
}

fn borrowed(pairs: &[(String, String)]) -> Vec<(&str, &str)> {
    pairs
        .iter()
        .map(|(name, text)| (name.as_str(), text.as_str()))
        .collect()
}
