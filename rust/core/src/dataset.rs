//! The rows of a fit as a struct of arrays, checked once: `m` rows of variables, a response and relative weights.
//!
//! Stage: columns in (borrowed where possible), validated columns out. Nothing is dropped: rows that cannot be used
//! are an error that counts them and names the first ones. Rows count from 0.

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::collections::HashSet;

use crate::error::CoreError;

/// Name of the column that holds the known standard deviation of each row's residual; no formula can spell it. A data set
/// with this column is fitted by its residuals in units of that deviation. It is no part of the design.
pub const SIGMA: &str = "$sigma";

/// How many bad rows an error lists.
const LISTED_ROWS: usize = 3;

/// Validated columns, all of one length.
#[derive(Clone, Debug)]
pub struct Dataset<'a> {
    /// Names of the variables.
    pub names: Vec<String>,
    /// One column for each variable, `m` values each.
    pub columns: Vec<Cow<'a, [f64]>>,
    /// The response, `m` values.
    pub response: Cow<'a, [f64]>,
    /// Relative weights, `m` values ≥ 0; `None` weighs every row 1.
    pub weights: Option<Cow<'a, [f64]>>,
}

impl<'a> Dataset<'a> {
    /// Checks lengths, finiteness and, where `require_positive` or `response_positive` says so, positivity.
    ///
    /// Errors (`Data`): `empty-data`, `column-length`, `invalid-values` (counts NaN, infinite, zero and negative
    /// rows of every column, names the first), `invalid-weights`.
    pub fn new(
        names: Vec<String>,
        columns: Vec<Cow<'a, [f64]>>,
        response: Cow<'a, [f64]>,
        weights: Option<Cow<'a, [f64]>>,
        require_positive: &[bool],
        response_positive: bool,
    ) -> Result<Self, CoreError> {
        let m = response.len();
        if m == 0 {
            return Err(CoreError::data("empty-data", "there are no rows"));
        }
        if names.len() != columns.len() || require_positive.len() != columns.len() {
            return Err(CoreError::data(
                "column-count",
                "names, columns and positivity marks must agree in number",
            ));
        }
        let labelled = || {
            names
                .iter()
                .map(String::as_str)
                .zip(columns.iter().map(|c| &**c))
        };
        for (name, column) in labelled().chain(weights.iter().map(|w| ("weights", &**w))) {
            if column.len() != m {
                let message = format!("{name} has {} rows, the response has {m}", column.len());
                return Err(CoreError::data("column-length", message).with_column(name));
            }
        }
        let mut faults: Vec<Fault> = labelled()
            .zip(require_positive)
            .filter_map(|((name, column), &positive)| Fault::find(name, column, positive))
            .collect();
        faults.extend(Fault::find("the response", &response, response_positive));
        if !faults.is_empty() {
            return Err(report(&faults, m));
        }
        if let Some(weights) = &weights {
            check_weights(weights)?;
        }
        Ok(Dataset {
            names,
            columns,
            response,
            weights,
        })
    }

    /// Number of rows `m`.
    pub fn len(&self) -> usize {
        self.response.len()
    }

    /// Whether there are no rows; a validated data set has some.
    pub fn is_empty(&self) -> bool {
        self.response.is_empty()
    }

    /// The column of a variable.
    pub fn column(&self, name: &str) -> Option<&[f64]> {
        self.column_index(name).map(|index| &*self.columns[index])
    }

    /// Position of the column of a variable.
    pub fn column_index(&self, name: &str) -> Option<usize> {
        self.names.iter().position(|n| n == name)
    }

    /// The known standard deviation of each row's residual (`m`), where there is one.
    pub fn sigma(&self) -> Option<&[f64]> {
        self.column(SIGMA)
    }

    /// The weight of a row.
    pub fn weight(&self, row: usize) -> f64 {
        self.weights.as_ref().map_or(1.0, |w| w[row])
    }

    /// The rows of these numbers, in that order.
    pub fn subset(&self, rows: &[usize]) -> Dataset<'static> {
        let pick = |column: &[f64]| Cow::Owned(rows.iter().map(|&row| column[row]).collect());
        Dataset {
            names: self.names.clone(),
            columns: self.columns.iter().map(|c| pick(c)).collect(),
            response: pick(&self.response),
            weights: self.weights.as_ref().map(|w| pick(w)),
        }
    }

    /// Number of rows with positive weight: the `n` in the degrees of freedom, whatever the scale of the weights.
    pub fn rows_in_use(&self) -> usize {
        self.weights
            .as_ref()
            .map_or(self.len(), |w| w.iter().filter(|w| **w > 0.0).count())
    }

    /// Number of distinct rows of the variables among those in use, counted no further than `cap`.
    pub fn distinct_points(&self, cap: usize) -> usize {
        let design: Vec<usize> = (0..self.columns.len())
            .filter(|&c| self.names[c] != SIGMA)
            .collect();
        self.distinct(&design, cap)
    }

    /// Number of distinct values of one variable among the rows in use, counted no further than `cap`.
    pub fn distinct_values(&self, column: usize, cap: usize) -> usize {
        self.distinct(&[column], cap)
    }

    fn distinct(&self, columns: &[usize], cap: usize) -> usize {
        let mut seen: HashSet<Vec<u64>> = HashSet::new();
        let mut key = Vec::with_capacity(columns.len());
        for row in 0..self.len() {
            if seen.len() >= cap {
                break;
            }
            if self.weight(row) > 0.0 {
                key.clear();
                // Adding zero makes −0 and 0 one value.
                key.extend(
                    columns
                        .iter()
                        .map(|&c| (self.columns[c][row] + 0.0).to_bits()),
                );
                if !seen.contains(&key) {
                    seen.insert(key.clone());
                }
            }
        }
        seen.len()
    }
}

/// The rows of one column that cannot be used.
pub(crate) struct Fault {
    column: String,
    nan: usize,
    infinite: usize,
    zero: usize,
    negative: usize,
    first: Vec<(usize, f64)>,
}

impl Fault {
    pub(crate) fn find(name: &str, column: &[f64], positive: bool) -> Option<Fault> {
        let usable = |x: f64| x.is_finite() && (!positive || x > 0.0);
        if column.iter().fold(true, |all, &x| all & usable(x)) {
            return None;
        }
        let bad: Vec<(usize, f64)> = column
            .iter()
            .copied()
            .enumerate()
            .filter(|&(_, x)| !usable(x))
            .collect();
        let count = |test: fn(f64) -> bool| bad.iter().filter(|(_, x)| test(*x)).count();
        Some(Fault {
            column: name.to_string(),
            nan: count(f64::is_nan),
            infinite: count(f64::is_infinite),
            zero: count(|x| x == 0.0),
            negative: count(|x| x < 0.0 && x.is_finite()),
            first: bad.iter().take(LISTED_ROWS).copied().collect(),
        })
    }

    fn rows(&self) -> usize {
        self.nan + self.infinite + self.zero + self.negative
    }

    fn describe(&self, m: usize) -> String {
        let kinds: Vec<String> = [
            (self.nan, "NaN"),
            (self.infinite, "infinite"),
            (self.zero, "zero"),
            (self.negative, "negative"),
        ]
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, kind)| format!("{count} {kind}"))
        .collect();
        let rows: Vec<String> = self
            .first
            .iter()
            .map(|(row, value)| format!("row {row} ({value})"))
            .collect();
        format!(
            "{}: {} of {m} rows cannot be used ({}); first {}",
            self.column,
            self.rows(),
            kinds.join(", "),
            rows.join(", ")
        )
    }
}

/// The error that counts the bad rows of every column and names the first ones.
pub(crate) fn report(faults: &[Fault], m: usize) -> CoreError {
    let message: Vec<String> = faults.iter().map(|fault| fault.describe(m)).collect();
    let mut error = CoreError::data("invalid-values", message.join("; "))
        .with_hint("rows count from 0; leave such rows out by a filter, or drop them explicitly");
    if let Some(fault) = faults.first() {
        error = error.with_column(&fault.column);
        if let Some(&(row, value)) = fault.first.first() {
            error = error.with_row(row).with_value(value);
        }
    }
    error
}

fn check_weights(weights: &[f64]) -> Result<(), CoreError> {
    let error = |message: String| {
        CoreError::data("invalid-weights", message)
            .with_column("weights")
            .with_argument("weights")
    };
    if let Some(row) = weights.iter().position(|w| !(w.is_finite() && *w >= 0.0)) {
        let value = weights[row];
        return Err(error(format!(
            "weights must be finite and not negative; row {row} has {value}"
        ))
        .with_row(row)
        .with_value(value)
        .with_limit(0.0));
    }
    if weights.iter().all(|w| *w == 0.0) {
        return Err(error("every weight is zero".to_string()));
    }
    Ok(())
}
