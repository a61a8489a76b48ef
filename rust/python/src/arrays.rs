//! Named numpy columns, read without a copy.

use numpy::{PyReadonlyArray1, PyUntypedArrayMethods};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyDict;

/// Named columns of one length, held so that their slices may be read without the GIL.
pub struct Columns<'py> {
    held: Vec<(String, PyReadonlyArray1<'py, f64>)>,
    /// Rows of every column; 1 where there is none.
    pub rows: usize,
}

impl<'py> Columns<'py> {
    /// The entries of a dict of one-dimensional float64 arrays.
    pub fn new(columns: &Bound<'py, PyDict>) -> PyResult<Self> {
        let mut held = Vec::with_capacity(columns.len());
        for (name, values) in columns {
            let values: PyReadonlyArray1<'py, f64> = values.extract()?;
            held.push((name.extract::<String>()?, values));
        }
        let rows = held.first().map_or(1, |(_, values)| values.len());
        if held.iter().any(|(_, values)| values.len() != rows) {
            return Err(PyValueError::new_err("columns of different lengths"));
        }
        Ok(Columns { held, rows })
    }

    /// Names and values. Fails for an array that is not contiguous.
    pub fn slices(&self) -> PyResult<Vec<(&str, &[f64])>> {
        self.held
            .iter()
            .map(|(name, values)| Ok((name.as_str(), values.as_slice()?)))
            .collect()
    }
}
