//! Whether a group can be fitted at all, before anything is solved.
//!
//! In: the rows of one group. Out: nothing, or the status that says why not. The limits are those of `fit`: a law of `p`
//! free parameters needs `p + 1` distinct points and three distinct values of every variable.

use super::group::{GroupData, Status};
use crate::model::Model;
use std::ops::Range;

/// What the law asks of a group.
pub struct Demands {
    /// Columns of the law's variables.
    columns: Vec<usize>,
    /// Which of them must be above zero.
    positive: Vec<bool>,
    response_positive: bool,
    points: usize,
}

/// Fewest distinct values of a variable.
const VALUES: usize = 3;

impl Demands {
    /// Of a model on data, given the column of each of its variables.
    pub fn new(
        model: &Model,
        columns: &[usize],
        data: &GroupData<'_>,
        response_positive: bool,
    ) -> Self {
        Self {
            positive: columns.iter().map(|&c| data.require_positive[c]).collect(),
            columns: columns.to_vec(),
            response_positive,
            points: model.p() + 1,
        }
    }

    /// `Ok(all variables above zero)`, or why the group cannot be fitted.
    pub fn check(&self, data: &GroupData<'_>, rows: Range<usize>) -> Result<bool, Status> {
        let mut all_positive = true;
        for (&column, &positive) in self.columns.iter().zip(&self.positive) {
            let values = &data.columns[column][rows.clone()];
            let above = values.iter().fold(true, |all, &x| all & (x > 0.0));
            let finite = values.iter().fold(true, |all, &x| all & x.is_finite());
            if !finite || (positive && !above) {
                return Err(Status::InvalidValues);
            }
            all_positive &= above;
        }
        let response = &data.response[rows.clone()];
        let usable = |y: f64| y.is_finite() && (!self.response_positive || y > 0.0);
        let weights = data.weights.map(|w| &w[rows.clone()]);
        if !response.iter().fold(true, |all, &y| all & usable(y))
            || weights.is_some_and(|w| w.iter().any(|w| !(w.is_finite() && *w >= 0.0)))
        {
            return Err(Status::InvalidValues);
        }
        let counts = |row: usize| weights.is_none_or(|w| w[row - rows.start] > 0.0);
        if self.distinct(data, rows.clone(), &self.columns, self.points, &counts) < self.points {
            return Err(Status::TooFewPoints);
        }
        for column in &self.columns {
            let one = std::slice::from_ref(column);
            if self.distinct(data, rows.clone(), one, VALUES, &counts) < VALUES {
                return Err(Status::TooFewValues);
            }
        }
        let mut counted = rows
            .clone()
            .filter(|&row| counts(row))
            .map(|row| data.response[row]);
        let first = counted.next();
        if counted.all(|y| Some(y) == first) {
            return Err(Status::ConstantResponse);
        }
        Ok(all_positive)
    }

    /// Distinct rows of some columns, counted no further than `cap`: quadratic in `cap` only.
    fn distinct(
        &self,
        data: &GroupData<'_>,
        rows: Range<usize>,
        columns: &[usize],
        cap: usize,
        counts: &impl Fn(usize) -> bool,
    ) -> usize {
        let mut seen = [0usize; 32];
        let cap = cap.min(seen.len());
        let mut found = 0;
        for row in rows {
            if found == cap {
                break;
            }
            let same = |&other: &usize| {
                columns
                    .iter()
                    .all(|&c| data.columns[c][other] == data.columns[c][row])
            };
            if counts(row) && !seen[..found].iter().any(same) {
                seen[found] = row;
                found += 1;
            }
        }
        found
    }
}
