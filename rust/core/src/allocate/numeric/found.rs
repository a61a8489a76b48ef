//! What was found in each lane.

use crate::allocate::status::Status;

/// The answers, one entry a lane; NaN where there is none.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Answers {
    /// First variable (N), second variable (D), cost, loss.
    pub columns: [Vec<f64>; 4],
    /// What became of each lane.
    pub status: Vec<Status>,
    /// Whether the grid showed one valley and no more.
    pub one_valley: Vec<bool>,
}

impl Answers {
    /// Adds the answers of the lanes that follow.
    pub(in crate::allocate) fn append(&mut self, next: Answers) {
        for (column, values) in self.columns.iter_mut().zip(next.columns) {
            column.extend(values);
        }
        self.status.extend(next.status);
        self.one_valley.extend(next.one_valley);
    }
}
