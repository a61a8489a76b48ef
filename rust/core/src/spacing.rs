//! Weights of rows by the share of the logarithm of a column that each stands for, within its group.
//!
//! Stage: before fits of groups, such as learning curves whose points lie densely at one end. In: one column, group after
//! group. Out: weights of mean one in each group.

use std::ops::Range;

use rayon::prelude::*;
use scalefast_expr::math;

use crate::error::CoreError;
use crate::executor::{Control, with_pool};

/// Rows of one parallel task, or the rows of one group where those are more.
const ROWS: usize = 1 << 16;

/// Half the distance between the logarithms of both neighbours of each row, in units of its mean over the group; NaN
/// throughout a group in which a value has no logarithm or all values are equal. Group `i` has the rows
/// `offsets[i]..offsets[i + 1]`; a row's weight depends on nothing but its group.
///
/// # Errors
/// `column-length` where the offsets do not rise to the number of rows; `interrupted` and `timeout`.
pub fn log_gaps(
    values: &[f64],
    offsets: &[usize],
    threads: Option<usize>,
    control: &Control,
) -> Result<Vec<f64>, CoreError> {
    let covered =
        offsets.first() == Some(&0) && offsets.last() == Some(&values.len()) && offsets.is_sorted();
    if !covered {
        let message = format!(
            "the groups must have the {} rows of the column, each once",
            values.len()
        );
        return Err(CoreError::data("column-length", message));
    }
    let mut weights = vec![0.0; values.len()];
    let tasks = tasks(offsets);
    control.set_total(tasks.len() as u64);
    let mut rest = weights.as_mut_slice();
    let mut work = Vec::with_capacity(tasks.len());
    for groups in tasks {
        let rows = offsets[groups.end] - offsets[groups.start];
        let (part, after) = rest.split_at_mut(rows);
        work.push((groups, part));
        rest = after;
    }
    let run = |(groups, part): (Range<usize>, &mut [f64])| -> Result<(), CoreError> {
        control.check()?;
        let first = offsets[groups.start];
        let mut order = Vec::new();
        for group in groups {
            let rows = offsets[group]..offsets[group + 1];
            let place = rows.start - first..rows.end - first;
            weigh(&values[rows], &mut order, &mut part[place]);
        }
        control.advance(1);
        Ok(())
    };
    if work.len() <= 1 {
        work.into_iter().try_for_each(run)?;
    } else {
        with_pool(threads, || work.into_par_iter().try_for_each(run))?;
    }
    Ok(weights)
}

/// Runs of whole groups of about [`ROWS`] rows.
fn tasks(offsets: &[usize]) -> Vec<Range<usize>> {
    let groups = offsets.len() - 1;
    let mut found = Vec::new();
    let mut begin = 0;
    for group in 0..groups {
        if offsets[group + 1] - offsets[begin] >= ROWS || group + 1 == groups {
            found.push(begin..group + 1);
            begin = group + 1;
        }
    }
    found
}

/// The weights of one group; `order` is memory that is used again.
fn weigh(values: &[f64], order: &mut Vec<(f64, usize)>, weights: &mut [f64]) {
    order.clear();
    order.extend(
        values
            .iter()
            .enumerate()
            .map(|(row, &value)| (math::ln(value), row)),
    );
    if order.iter().any(|(log, _)| !log.is_finite()) {
        weights.fill(f64::NAN);
        return;
    }
    order.sort_by(|a, b| a.0.total_cmp(&b.0));
    let n = order.len();
    let gap = |i: usize| {
        if i == 0 || i == n {
            0.0
        } else {
            order[i].0 - order[i - 1].0
        }
    };
    let mut total = 0.0;
    for (i, &(_, row)) in order.iter().enumerate() {
        weights[row] = 0.5 * (gap(i + 1) + gap(i));
        total += weights[row];
    }
    let factor = n as f64 / total;
    weights.iter_mut().for_each(|weight| *weight *= factor);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn found(values: &[f64], offsets: &[usize], threads: usize) -> Vec<f64> {
        log_gaps(values, offsets, Some(threads), &Control::new()).unwrap()
    }

    #[test]
    fn inner_rows_weigh_twice_the_ends_of_an_even_row() {
        // Powers of two, out of order: gaps of one each, so the ends have half a gap and n/(n − 1) makes the mean one.
        let weights = found(&[4.0, 1.0, 8.0, 2.0, 16.0], &[0, 5], 1);
        for (weight, expected) in weights.iter().zip([1.25, 0.625, 1.25, 1.25, 0.625]) {
            assert!((weight - expected).abs() < 1e-15);
        }
    }

    #[test]
    fn what_has_no_logarithm_spoils_its_own_group() {
        let weights = found(
            &[1.0, 2.0, -1.0, 2.0, 5.0, 5.0, 3.0, 6.0],
            &[0, 2, 4, 6, 6, 8],
            2,
        );
        let spoiled: Vec<bool> = weights.iter().map(|weight| weight.is_nan()).collect();
        assert_eq!(
            spoiled,
            [false, false, true, true, true, true, false, false]
        );
        for bad in [&[0, 1][..], &[1, 8], &[0, 9, 8], &[]] {
            let error = log_gaps(&[1.0; 8], bad, None, &Control::new()).unwrap_err();
            assert_eq!(error.code, "column-length");
        }
    }

    #[test]
    fn stops_when_asked() {
        let control = Control::new();
        control.cancel();
        let error = log_gaps(&[1.0, 2.0], &[0, 2], None, &control).unwrap_err();
        assert_eq!(error.code, "interrupted");
    }

    proptest! {
        #[test]
        fn weights_have_a_mean_of_one_and_ignore_threads_and_other_groups(
            sizes in prop::collection::vec(2usize..30_000, 1..9),
        ) {
            let mut offsets = vec![0];
            for size in &sizes {
                offsets.push(offsets[offsets.len() - 1] + size);
            }
            let rows = offsets[sizes.len()];
            let values: Vec<f64> = (0..rows).map(|i| 1.0 + ((i * 7919) % 10_007) as f64).collect();
            let weights = found(&values, &offsets, 1);
            prop_assert_eq!(&weights, &found(&values, &offsets, 3));
            for group in offsets.windows(2) {
                let rows = group[0]..group[1];
                let alone = found(&values[rows.clone()], &[0, rows.len()], 1);
                prop_assert_eq!(&weights[rows.clone()], &alone[..]);
                let mean = alone.iter().sum::<f64>() / alone.len() as f64;
                prop_assert!((mean - 1.0).abs() < 1e-9);
            }
        }
    }
}
