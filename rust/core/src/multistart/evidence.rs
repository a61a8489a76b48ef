//! What the agreement of independent starts says about optima that no start has found.
//!
//! In: the objectives at which independent starts ended in an optimum, and the sorted runs of the search. Out: counts, the
//! expected share of starts that would end elsewhere, and whether that is enough to end the search.

use super::{Run, Search};

/// Ends whose objectives differ by more than this share are different optima.
const DISTINCT: f64 = 1e-6;

/// What independent starts say about optima that were not seen.
///
/// If `w` different optima were found by `n` independent local searches, the share of the starting region from which one
/// would go elsewhere is expected to be `w(w + 1)/(n(n − 1))` (Boender and Rinnooy Kan 1987, Bayesian stopping rules for
/// multistart global optimization methods, Mathematical Programming 37).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Evidence {
    /// Independent starts that ended in an optimum.
    pub searches: usize,
    /// How many different optima those are.
    pub optima: usize,
    /// How many of them are the best of all.
    pub best: usize,
}

/// The expected share of the starts that lead to a better optimum, not seen yet, at which a search ends.
const UNSEEN: f64 = 0.02;
/// The same where the residuals of the best optimum show a pattern.
const UNSEEN_PATTERNED: f64 = 0.002;

/// The evidence of the optima `ends` of independent starts about the best of the sorted `runs`.
pub(super) fn evidence(search: &Search<'_, '_>, ends: &[f64], runs: &[Run]) -> Evidence {
    let same = |a: f64, b: f64| {
        (a - b).abs() <= DISTINCT * a.max(b) || (search.exact(a) && search.exact(b))
    };
    let mut optima: Vec<f64> = Vec::new();
    for &end in ends {
        if !optima.iter().any(|&known| same(known, end)) {
            optima.push(end);
        }
    }
    let best = runs.first().map_or(f64::NAN, |run| run.end.cost);
    Evidence {
        searches: ends.len(),
        optima: optima.len(),
        best: ends.iter().filter(|&&end| same(end, best)).count(),
    }
}

impl Evidence {
    /// The expected share of the starting region from which a search would end in an optimum that was not seen.
    pub fn unseen(&self) -> f64 {
        let (n, w) = (self.searches as f64, self.optima as f64);
        if self.searches < 2 {
            1.0
        } else {
            (w * (w + 1.0) / (n * (n - 1.0))).min(1.0)
        }
    }

    /// The same for a better optimum than the best: of one that was not seen, any rank among the others is as likely.
    pub fn better(&self) -> f64 {
        self.unseen() / (self.optima as f64 + 1.0)
    }

    pub(super) fn settled(&self, patterned: bool) -> bool {
        let enough = if patterned { UNSEEN_PATTERNED } else { UNSEEN };
        self.best >= 2 && self.better() <= enough
    }
}

#[cfg(test)]
mod tests {
    use super::Evidence;

    fn of(searches: usize, optima: usize) -> Evidence {
        Evidence {
            searches,
            optima,
            best: 2,
        }
    }

    #[test]
    fn one_optimum_of_six_searches_leaves_a_fifteenth() {
        assert!((of(6, 1).unseen() - 2.0 / 30.0).abs() < 1e-15);
        assert!((of(6, 1).better() - 1.0 / 30.0).abs() < 1e-15);
    }

    #[test]
    fn more_optima_and_a_pattern_ask_for_more_searches() {
        assert!(of(8, 1).settled(false) && !of(7, 1).settled(false));
        assert!(of(11, 2).settled(false) && !of(10, 2).settled(false));
        assert!(of(23, 1).settled(true) && !of(22, 1).settled(true));
        assert!(!of(1, 1).settled(false) && !of(0, 0).settled(false));
        let alone = Evidence {
            best: 1,
            ..of(100, 2)
        };
        assert!(!alone.settled(false));
    }
}
