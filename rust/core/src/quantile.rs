//! Quantiles of a column of draws by selection, never by a full sort: linear interpolation between order statistics
//! (type 7 of Hyndman & Fan 1996, the default of NumPy and Polars).
//!
//! Columns are long and the quantiles few, so each wanted order statistic is first bracketed by a sample (Floyd &
//! Rivest 1975) and only the values inside the bracket are kept and selected from. The answer is the exact order
//! statistic whatever the bracket; a miss costs a plain selection.

use crate::error::CoreError;

/// Below this length plain selection is as fast.
const BRACKETED_LENGTH: usize = 32_768;

/// Length of the sample from which brackets are read.
const SAMPLE_LENGTH: usize = 4096;

/// Half the width of a bracket, in standard errors of a rank in the sample.
const MARGIN: f64 = 5.0;

/// Refuses probabilities outside [0, 1] (`Settings`, `bad-quantile`).
pub fn validate(probabilities: &[f64]) -> Result<(), CoreError> {
    match probabilities.iter().find(|p| !(0.0..=1.0).contains(*p)) {
        None => Ok(()),
        Some(&p) => {
            let message = format!("a quantile must lie between 0 and 1, not {p}");
            Err(CoreError::settings("bad-quantile", message).with_value(p))
        }
    }
}

/// Where a quantile of `n` sorted values lies: between the values of rank `below` and `below + 1`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Position {
    /// Rank of the lower neighbour, from 0.
    pub below: usize,
    /// Share of the way to the upper neighbour; 0 means that it is not needed.
    pub fraction: f64,
}

impl Position {
    /// The position of probability `p` among `n ≥ 1` sorted values.
    pub fn new(p: f64, n: usize) -> Self {
        let rank = p * (n - 1) as f64;
        let below = (rank.floor() as usize).min(n - 1);
        Position {
            below,
            fraction: rank - below as f64,
        }
    }

    /// The ranks of the two neighbours; the last of `n` values is its own upper one.
    pub fn ranks(self, n: usize) -> [usize; 2] {
        [self.below, (self.below + 1).min(n - 1)]
    }

    /// Interpolates between the lower and upper neighbour.
    pub fn interpolate(self, lower: f64, upper: f64) -> f64 {
        if self.fraction == 0.0 || lower == upper {
            lower
        } else {
            lower + self.fraction * (upper - lower)
        }
    }
}

/// The quantiles of `values` at `probabilities` (each in [0, 1]); NaN where `values` is empty or holds a NaN.
pub fn quantiles(values: &[f64], probabilities: &[f64], scratch: &mut Vec<f64>) -> Vec<f64> {
    if values.is_empty() || values.iter().fold(false, |any, x| any | x.is_nan()) {
        return vec![f64::NAN; probabilities.len()];
    }
    let n = values.len();
    let positions = probabilities.iter().map(|&p| Position::new(p, n));
    let ordered = Ordered::select(
        values,
        positions.clone().flat_map(|at| at.ranks(n)),
        scratch,
    );
    positions.map(|at| ordered.quantile(at)).collect()
}

/// Some order statistics of a column.
#[derive(Clone, Debug)]
pub struct Ordered {
    ranks: Vec<usize>,
    values: Vec<f64>,
}

impl Ordered {
    /// Selects the values of some `ranks` (from 0, each below the length) of `values`, none of which may be NaN.
    pub fn select(
        values: &[f64],
        ranks: impl Iterator<Item = usize>,
        scratch: &mut Vec<f64>,
    ) -> Self {
        let mut ranks: Vec<usize> = ranks.collect();
        ranks.sort_unstable();
        ranks.dedup();
        let values = order_statistics(values, &ranks, scratch);
        Ordered { ranks, values }
    }

    /// The value of a rank; NaN for one that was not selected.
    pub fn at(&self, rank: usize) -> f64 {
        self.ranks
            .binary_search(&rank)
            .map_or(f64::NAN, |i| self.values[i])
    }

    /// The quantile at a position whose ranks were selected.
    pub fn quantile(&self, at: Position) -> f64 {
        let lower = self.at(at.below);
        if at.fraction == 0.0 {
            lower
        } else {
            at.interpolate(lower, self.at(at.below + 1))
        }
    }
}

/// The order statistics of `values` (no NaN) at `ranks` (ascending, from 0, each below the length).
fn order_statistics(values: &[f64], ranks: &[usize], scratch: &mut Vec<f64>) -> Vec<f64> {
    let mut found = vec![f64::NAN; ranks.len()];
    let mut done = vec![false; ranks.len()];
    if values.len() >= BRACKETED_LENGTH {
        let sample = sample(values);
        let mut first = 0;
        while first < ranks.len() {
            let group = adjacent(ranks, first, values.len());
            let (lower, upper) = bracket(&sample, ranks[first], ranks[group - 1], values.len());
            let below = gather(values, lower, upper, scratch);
            for i in first..group {
                if ranks[i] >= below && ranks[i] - below < scratch.len() {
                    found[i] = select(scratch, ranks[i] - below);
                    done[i] = true;
                }
            }
            first = group;
        }
    }
    if done.contains(&false) {
        scratch.clear();
        scratch.extend_from_slice(values);
        for i in (0..ranks.len()).filter(|&i| !done[i]) {
            found[i] = select(scratch, ranks[i]);
        }
    }
    found
}

/// Selects by the usual order; −0 and 0 are equal, and no value is NaN.
fn select(values: &mut [f64], rank: usize) -> f64 {
    *values
        .select_nth_unstable_by(rank, |a, b| {
            a.partial_cmp(b).unwrap_or(std::cmp::Ordering::Equal)
        })
        .1
}

/// A sorted sample of evenly spaced rows.
fn sample(values: &[f64]) -> Vec<f64> {
    let n = values.len();
    let mut sample: Vec<f64> = (0..SAMPLE_LENGTH)
        .map(|k| values[(2 * k + 1) * n / (2 * SAMPLE_LENGTH)])
        .collect();
    sample.sort_unstable_by(f64::total_cmp);
    sample
}

/// End of the run of ranks from `first` on that one bracket serves: those within a standard error or so.
fn adjacent(ranks: &[usize], first: usize, n: usize) -> usize {
    let width = n / 256;
    (first + 1..ranks.len())
        .find(|&i| ranks[i] - ranks[first] > width)
        .unwrap_or(ranks.len())
}

/// Values between which the ranks `low..=high` of `n` almost surely lie.
fn bracket(sample: &[f64], low: usize, high: usize, n: usize) -> (f64, f64) {
    let size = sample.len() as f64;
    let place = |rank: usize| {
        let q = rank as f64 / n as f64;
        (q * size, 2.0 + MARGIN * (size * q * (1.0 - q)).sqrt())
    };
    let (low, high) = (place(low), place(high));
    let (from, to) = (low.0 - low.1, high.0 + high.1);
    let lower = if from < 0.0 {
        f64::NEG_INFINITY
    } else {
        sample[from as usize]
    };
    let upper = if to >= size - 1.0 {
        f64::INFINITY
    } else {
        sample[to as usize + 1]
    };
    (lower, upper)
}

/// Copies the values in `[lower, upper]` to `kept` and returns how many are below `lower`.
fn gather(values: &[f64], lower: f64, upper: f64, kept: &mut Vec<f64>) -> usize {
    const CHUNK: usize = 1024;
    kept.clear();
    let mut below = 0;
    for chunk in values.chunks(CHUNK) {
        let start = kept.len();
        kept.resize(start + chunk.len(), 0.0);
        let room = &mut kept[start..];
        let mut inside = 0;
        let mut count = 0u64;
        for x in chunk {
            count += u64::from(*x < lower);
        }
        below += count as usize;
        // Written always and kept only when inside: no branch that data could mislead.
        for &x in chunk {
            room[inside] = x;
            inside += usize::from((x >= lower) & (x <= upper));
        }
        kept.truncate(start + inside);
    }
    below
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::{Random, Stream};
    use proptest::prelude::*;

    fn quantiles_of(values: &[f64], probabilities: &[f64]) -> Vec<f64> {
        quantiles(values, probabilities, &mut Vec::new())
    }

    #[test]
    fn type_seven_by_hand() {
        // numpy.quantile([3, 1, 4, 1, 5], [0, 0.1, 0.5, 0.9, 1])
        let found = quantiles_of(&[3.0, 1.0, 4.0, 1.0, 5.0], &[0.0, 0.1, 0.5, 0.9, 1.0]);
        for (found, expected) in found.iter().zip([1.0, 1.0, 3.0, 4.6, 5.0]) {
            assert!((found - expected).abs() < 1e-15);
        }
        assert_eq!(quantiles_of(&[7.0], &[0.3]), [7.0]);
        assert!(quantiles_of(&[], &[0.5])[0].is_nan());
        assert!(quantiles_of(&[1.0, f64::NAN], &[0.5])[0].is_nan());
        assert_eq!(validate(&[0.5, 1.1]).unwrap_err().code, "bad-quantile");
        assert_eq!(validate(&[f64::NAN]).unwrap_err().code, "bad-quantile");
    }

    #[test]
    fn bracketed_selection_finds_the_sorted_values() {
        let random = Random::new(5, Stream::Noise);
        let n = 100_003;
        let smooth: Vec<f64> = (0..n).map(|i| random.uniform(0, i)).collect();
        let tied: Vec<f64> = smooth.iter().map(|x| (x * 5.0).floor()).collect();
        let rising: Vec<f64> = (0..n).map(|i| i as f64).collect();
        // Large exactly where the sample looks: every bracket misses.
        let mut hostile = smooth.clone();
        for k in 0..SAMPLE_LENGTH {
            hostile[(2 * k + 1) * n as usize / (2 * SAMPLE_LENGTH)] += 10.0;
        }
        let probabilities = [0.0, 0.01, 0.05, 0.5, 0.500001, 0.95, 1.0];
        for values in [smooth, tied, rising, hostile] {
            let mut sorted = values.clone();
            sorted.sort_by(f64::total_cmp);
            let found = quantiles_of(&values, &probabilities);
            for (found, p) in found.iter().zip(probabilities) {
                let position = Position::new(p, sorted.len());
                let upper = sorted[(position.below + 1).min(sorted.len() - 1)];
                assert_eq!(*found, position.interpolate(sorted[position.below], upper));
            }
        }
    }

    proptest! {
        #[test]
        fn quantiles_equal_those_of_the_sorted_column(
            values in prop::collection::vec(-1e3f64..1e3, 1..200),
            p in 0.0f64..=1.0,
        ) {
            let mut sorted = values.clone();
            sorted.sort_by(f64::total_cmp);
            let position = Position::new(p, sorted.len());
            let upper = sorted[(position.below + 1).min(sorted.len() - 1)];
            prop_assert_eq!(quantiles_of(&values, &[p])[0], position.interpolate(sorted[position.below], upper));
        }
    }
}
