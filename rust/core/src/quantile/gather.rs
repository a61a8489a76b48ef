//! Order statistics of a column that comes in blocks: one pass over it, exact, without keeping it.
//!
//! In: how many values there will be, the ranks wanted, a sample; then the values, a block at a time. Out: the values of
//! those ranks. Each run of neighbouring ranks is bracketed by values of the sample (Floyd & Rivest 1975); a block adds the
//! number of its values below each bracket and leaves behind those inside, from which the ranks are selected at the end.
//! The answer is the order statistic whatever the sample. Where a bracket misses, `finish` says so, and a gatherer of the
//! whole column answers instead.

use scalefast_expr::Kernel;

use super::ordered::{Ordered, sorted};

/// Values of one round of a block: marks and survivors stay in the first cache.
const ROUND: usize = 256;

/// Half the width of a bracket, in standard errors of a rank in the sample: one in ten thousand misses, and costs a pass.
const MARGIN: f64 = 4.0;

/// Gathers what it takes to tell some order statistics.
#[derive(Clone, Debug)]
pub struct Gatherer {
    /// Values expected, not counting NaN, and the ranks wanted of them; without brackets neither is known beforehand.
    expected: usize,
    ranks: Vec<usize>,
    brackets: Vec<Bracket>,
    kept: Vec<f64>,
    /// Values so far, and how many of them were no number.
    seen: usize,
    missing: u64,
}

/// A run of the ranks, and values between which they almost surely lie.
#[derive(Clone, Debug)]
struct Bracket {
    ranks: std::ops::Range<usize>,
    lower: f64,
    upper: f64,
    below: u64,
}

impl Gatherer {
    /// Keeps every value.
    pub fn whole() -> Gatherer {
        Gatherer {
            expected: 0,
            ranks: Vec::new(),
            brackets: Vec::new(),
            kept: Vec::new(),
            seen: 0,
            missing: 0,
        }
    }

    /// Keeps what may hold some `ranks` (ascending, each once) of `expected` values, as `sample` tells, whose order is lost.
    pub fn bracketed(ranks: Vec<usize>, expected: usize, sample: &mut [f64]) -> Gatherer {
        let mut runs = Vec::new();
        let mut first = 0;
        while first < ranks.len() && !sample.is_empty() {
            let end = adjacent(&ranks, first, expected);
            let places = around(ranks[first], ranks[end - 1], expected, sample.len());
            runs.push((first..end, places));
            first = end;
        }
        let wanted = sorted(
            runs.iter()
                .flat_map(|(_, places)| places.iter().flatten().copied())
                .collect(),
        );
        let values = select(sample, &wanted);
        let end = |place: Option<usize>, open: f64| match place
            .and_then(|p| wanted.binary_search(&p).ok())
        {
            Some(at) => values[at],
            None => open,
        };
        let brackets = runs
            .into_iter()
            .map(|(ranks, [from, to])| Bracket {
                ranks,
                lower: end(from, f64::NEG_INFINITY),
                upper: end(to, f64::INFINITY),
                below: 0,
            })
            .collect();
        Gatherer {
            expected,
            ranks,
            brackets,
            ..Gatherer::whole()
        }
    }

    /// The same with the memory that another gatherer has left.
    pub fn reusing(mut self, room: Vec<f64>) -> Gatherer {
        self.kept = room;
        self.kept.clear();
        self
    }

    /// Takes the next values; a NaN is none.
    pub fn push(&mut self, kernel: Kernel, values: &[f64]) {
        self.seen += values.len();
        if self.brackets.is_empty() {
            if values.iter().fold(true, |all, value| all & !value.is_nan()) {
                self.kept.extend_from_slice(values);
            } else {
                self.kept
                    .extend(values.iter().filter(|value| !value.is_nan()));
            }
            return;
        }
        let (brackets, kept, missing) = (&mut self.brackets, &mut self.kept, &mut self.missing);
        kernel.dispatch(
            #[inline(always)]
            || {
                for round in values.chunks(ROUND) {
                    take(round, brackets, kept, missing);
                }
            },
        );
    }

    /// The order statistics of `ranks`, which are asked again with the number of values found; `None` where a bracket missed
    /// or other than the expected number of values came.
    pub fn finish(&mut self, ranks: impl Fn(usize) -> Vec<usize>) -> Option<Ordered> {
        if self.brackets.is_empty() {
            let ranks = ranks(self.kept.len());
            let values = select(&mut self.kept, &ranks);
            return Some(Ordered {
                count: self.kept.len(),
                ranks,
                values,
            });
        }
        if self.seen - self.missing as usize != self.expected {
            return None;
        }
        let mut values = Vec::with_capacity(self.ranks.len());
        let mut inside = Vec::new();
        for bracket in &self.brackets {
            inside.clear();
            let held = |value: &&f64| **value >= bracket.lower && **value <= bracket.upper;
            inside.extend(self.kept.iter().filter(held));
            let below = bracket.below as usize;
            let wanted = &self.ranks[bracket.ranks.clone()];
            let places: Option<Vec<usize>> = wanted
                .iter()
                .map(|rank| rank.checked_sub(below).filter(|at| *at < inside.len()))
                .collect();
            values.extend(select(&mut inside, &places?));
        }
        Some(Ordered {
            count: self.expected,
            ranks: self.ranks.clone(),
            values,
        })
    }

    /// The memory of what was kept, for the next one.
    pub fn into_room(self) -> Vec<f64> {
        self.kept
    }
}

/// One round: what lies below each bracket is counted, what lies in any is kept. Every value is treated alike, without a
/// branch that data could mislead.
#[inline(always)]
fn take(round: &[f64], brackets: &mut [Bracket], kept: &mut Vec<f64>, missing: &mut u64) {
    let mut marks = [0u64; ROUND];
    let marks = &mut marks[..round.len()];
    let mut nans = 0u64;
    for value in round {
        nans += u64::from(value.is_nan());
    }
    *missing += nans;
    for bracket in brackets {
        let (lower, upper) = (bracket.lower, bracket.upper);
        let mut below = 0u64;
        for (value, mark) in round.iter().zip(marks.iter_mut()) {
            below += u64::from(*value < lower);
            *mark |= u64::from((*value >= lower) & (*value <= upper));
        }
        bracket.below += below;
    }
    let mut survivors = [0.0; ROUND];
    let mut count = 0usize;
    for (value, mark) in round.iter().zip(marks.iter()) {
        survivors[count % ROUND] = *value;
        count += *mark as usize;
    }
    kept.extend_from_slice(&survivors[..count]);
}

/// The values at `ranks` (ascending) of `values`: each is selected from what the one before left above it. A rank that
/// does not exist has NaN.
fn select(values: &mut [f64], ranks: &[usize]) -> Vec<f64> {
    let (mut rest, mut passed) = (values, 0);
    let mut found = Vec::with_capacity(ranks.len());
    for &rank in ranks {
        if rank < passed || rank - passed >= rest.len() {
            found.push(f64::NAN);
            continue;
        }
        let (_, value, above) = rest.select_nth_unstable_by(rank - passed, f64::total_cmp);
        found.push(*value);
        passed = rank + 1;
        rest = above;
    }
    found
}

/// End of the run of ranks from `first` on that one bracket serves: those within a standard error or so.
fn adjacent(ranks: &[usize], first: usize, n: usize) -> usize {
    let width = n / 256;
    (first + 1..ranks.len())
        .find(|&i| ranks[i] - ranks[first] > width)
        .unwrap_or(ranks.len())
}

/// Places of a sample between which the ranks `low..=high` of `n` almost surely lie; `None` where an end is open.
fn around(low: usize, high: usize, n: usize, sample: usize) -> [Option<usize>; 2] {
    let size = sample as f64;
    let place = |rank: usize| {
        let q = rank as f64 / n as f64;
        (q * size, 2.0 + MARGIN * (size * q * (1.0 - q)).sqrt())
    };
    let (low, high) = (place(low), place(high));
    let (from, to) = (low.0 - low.1, high.0 + high.1);
    [
        (from >= 0.0).then_some(from as usize),
        (to < size - 1.0).then_some(to as usize + 1),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::{Random, Stream};

    fn ordered(values: &[f64], ranks: &[usize], sample: &[f64]) -> Option<Vec<f64>> {
        let missing = values.iter().filter(|value| value.is_nan()).count();
        let mut gatherer =
            Gatherer::bracketed(ranks.to_vec(), values.len() - missing, &mut sample.to_vec());
        for block in values.chunks(1000) {
            gatherer.push(Kernel::detect(), block);
        }
        let found = gatherer.finish(|_| ranks.to_vec())?;
        Some(ranks.iter().map(|&rank| found.at(rank)).collect())
    }

    #[test]
    fn a_poor_sample_misses_and_never_misleads() {
        let random = Random::new(11, Stream::Noise);
        let values: Vec<f64> = (0..20_000).map(|i| random.normal(0, i)).collect();
        let mut sorted = values.clone();
        sorted.sort_by(f64::total_cmp);
        let ranks = [0, 1000, 10_000, 10_001, 19_999];
        let expected: Vec<f64> = ranks.iter().map(|&rank| sorted[rank]).collect();
        let good: Vec<f64> = values.iter().step_by(20).copied().collect();
        assert_eq!(ordered(&values, &ranks, &good), Some(expected.clone()));
        let (low, flat) = ([-9.0; 500], [0.0; 500]);
        assert_eq!(ordered(&values, &ranks, &low), None);
        assert_eq!(ordered(&values, &ranks, &flat), None);
        // Without a sample everything is kept.
        assert_eq!(ordered(&values, &ranks, &[]), Some(expected));
    }

    #[test]
    fn what_is_no_number_is_counted_out() {
        let random = Random::new(12, Stream::Noise);
        let mut values: Vec<f64> = (0..5000).map(|i| random.uniform(0, i)).collect();
        let sample = values.clone();
        values.extend([f64::NAN; 77]);
        values.rotate_left(1234);
        let mut sorted = sample.clone();
        sorted.sort_by(f64::total_cmp);
        assert_eq!(
            ordered(&values, &[250, 4999], &sample),
            Some(vec![sorted[250], sorted[4999]])
        );
        let mut gatherer = Gatherer::bracketed(vec![1], 5001, &mut sample.clone());
        gatherer.push(Kernel::Scalar, &values);
        assert!(gatherer.finish(|_| vec![1]).is_none(), "one is missing");
    }
}
