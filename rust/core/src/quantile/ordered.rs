//! Order statistics that were selected, and the quantiles between them.

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

/// The ranks behind the quantiles of `n` values at `probabilities`, ascending, each once.
pub fn ranks(probabilities: &[f64], n: usize) -> Vec<usize> {
    if n == 0 {
        return Vec::new();
    }
    let positions = probabilities.iter().map(|&p| Position::new(p, n));
    sorted(positions.flat_map(|at| at.ranks(n)).collect())
}

/// Ranks in order, each once.
pub fn sorted(mut ranks: Vec<usize>) -> Vec<usize> {
    ranks.sort_unstable();
    ranks.dedup();
    ranks
}

/// Some order statistics of a column.
#[derive(Clone, Debug)]
pub struct Ordered {
    /// Length of the column.
    pub(super) count: usize,
    pub(super) ranks: Vec<usize>,
    pub(super) values: Vec<f64>,
}

impl Ordered {
    /// Length of the column, not counting what is no number.
    pub fn count(&self) -> usize {
        self.count
    }

    /// The value of a rank; NaN for one that was not selected.
    pub fn at(&self, rank: usize) -> f64 {
        self.ranks
            .binary_search(&rank)
            .map_or(f64::NAN, |i| self.values[i])
    }

    /// The quantiles at probabilities whose ranks were selected; NaN of an empty column.
    pub fn quantiles(&self, probabilities: &[f64]) -> Vec<f64> {
        if self.count == 0 {
            return vec![f64::NAN; probabilities.len()];
        }
        let quantile = |&p: &f64| {
            let at = Position::new(p, self.count);
            let [lower, upper] = at.ranks(self.count).map(|rank| self.at(rank));
            at.interpolate(lower, upper)
        };
        probabilities.iter().map(quantile).collect()
    }
}
