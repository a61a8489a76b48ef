//! Outputs of formulas at columns and numbers.

use numpy::{IntoPyArray, PyArray1};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use scalefast_core::CoreError;
use scalefast_core::executor::Control;
use scalefast_expr::{BLOCK, Binding, Family, Kernel, NodeId, Output, System, Workspace};

use crate::arrays::Columns;
use crate::interrupt;

/// Every output of `system` as a column; `scalars` hold for all rows.
pub fn evaluate<'py>(
    py: Python<'py>,
    system: &System,
    columns: &Bound<'py, PyDict>,
    scalars: &[(String, f64)],
    threads: Option<usize>,
) -> PyResult<Bound<'py, PyDict>> {
    let held = Columns::new(columns)?;
    let slices = held.slices()?;
    let rows = held.rows;
    let found = interrupt::run(py, &Control::new(), || predict(system, &slices, scalars, rows, threads))?;
    let outputs = PyDict::new(py);
    for ((name, _), values) in system.outputs().iter().zip(found) {
        let array: Bound<'py, PyArray1<f64>> = values.into_pyarray(py);
        outputs.set_item(name, array)?;
    }
    Ok(outputs)
}

fn predict(
    system: &System,
    columns: &[(&str, &[f64])],
    scalars: &[(String, f64)],
    rows: usize,
    _threads: Option<usize>,
) -> Result<Vec<Vec<f64>>, CoreError> {
    let bindings: Vec<Binding> = columns
        .iter()
        .map(|(name, values)| Binding::varying(name, values.iter().all(|&x| x > 0.0)))
        .chain(scalars.iter().map(|(name, value)| Binding::uniform(name, *value > 0.0)))
        .collect();
    let nodes: Vec<NodeId> = system.outputs().iter().map(|&(_, node)| node).collect();
    let family = Family::compile(&system.graph, &[&nodes], &bindings)?;
    let program = &family.programs()[0];
    let mut workspace = Workspace::new(&family, 0, Kernel::detect());
    let values: Vec<f64> = family
        .uniforms()
        .iter()
        .map(|name| scalars.iter().find(|(known, _)| known == name).map_or(f64::NAN, |(_, value)| *value))
        .collect();
    program.set_uniforms(&mut workspace, &values);
    let inputs: Vec<&[f64]> = family
        .inputs()
        .iter()
        .map(|name| columns.iter().find(|(known, _)| known == name).map_or(&[][..], |(_, values)| *values))
        .collect();
    let mut outputs = vec![vec![0.0; rows]; nodes.len()];
    for start in (0..rows).step_by(BLOCK) {
        let len = (rows - start).min(BLOCK);
        program.run(&mut workspace, &inputs, &[], start, len);
        for (k, column) in outputs.iter_mut().enumerate() {
            match program.output(&workspace, k) {
                Output::Uniform(value) => column[start..start + len].fill(value),
                Output::Block(block) => column[start..start + len].copy_from_slice(&block[..len]),
            }
        }
    }
    Ok(outputs)
}
