//! Columns and numbers of the draws of a closed form, and marks of those that have an optimum.

use super::cells::Cells;
use crate::quantile::{SAMPLE_LENGTH, sampled_row};

/// Inputs and cached columns.
#[derive(Clone, Default)]
pub(super) struct Columns<'a> {
    pub(super) inputs: Vec<&'a [f64]>,
    pub(super) cached: Vec<Vec<f64>>,
}

/// The same for the rows of the sample.
pub(super) struct Sample {
    pub(super) inputs: Vec<Vec<f64>>,
    pub(super) cached: Vec<Vec<f64>>,
}

/// Values of the uniform symbols and where those stand that differ from cell to cell.
pub(super) struct Numbers<'a> {
    pub(super) values: Vec<f64>,
    pub(super) pinned: Vec<(usize, &'a [f64])>,
    pub(super) budget: usize,
    /// The split of the estimate: N, D.
    pub(super) split: [usize; 2],
}

/// Marks of the draws that have an interior optimum; no marks where all have one.
#[derive(Clone)]
pub(super) struct Valid {
    pub(super) marks: Option<Vec<bool>>,
    pub(super) count: usize,
}

impl Columns<'_> {
    /// The rows of the sample.
    pub(super) fn sample(&self, count: usize) -> Sample {
        let chosen = |column: &[f64]| -> Vec<f64> {
            let row = |k| column.get(sampled_row(k, count)).copied();
            (0..SAMPLE_LENGTH).filter_map(row).collect()
        };
        Sample {
            inputs: self.inputs.iter().map(|column| chosen(column)).collect(),
            cached: self.cached.iter().map(|column| chosen(column)).collect(),
        }
    }
}

impl Numbers<'_> {
    /// The numbers of a cell, with the split of its estimate.
    pub(super) fn of_cell(&self, cell: usize, cells: &Cells<'_>, split: [f64; 2]) -> Vec<f64> {
        let mut numbers = self.values.clone();
        numbers[self.budget] = cells.targets[cell];
        for (place, column) in &self.pinned {
            numbers[*place] = column[cell];
        }
        for (place, value) in self.split.iter().zip(split) {
            numbers[*place] = value;
        }
        numbers
    }
}

impl Valid {
    pub(super) fn holds(&self, row: usize) -> bool {
        self.marks.as_ref().is_none_or(|marks| marks[row])
    }

    /// Makes NaN of the draws without an optimum among those from `start` on.
    pub(super) fn blank(&self, start: usize, values: &mut [f64]) {
        if let Some(marks) = &self.marks {
            for (value, mark) in values.iter_mut().zip(&marks[start..]) {
                *value = if *mark { *value } else { f64::NAN };
            }
        }
    }
}

pub(super) fn slices(columns: &[Vec<f64>]) -> Vec<&[f64]> {
    columns.iter().map(Vec::as_slice).collect()
}
