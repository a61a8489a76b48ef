//! Where one parameter of an independent start is taken from its range, and how far values reach.

use super::context::{Context, Place};
use super::spread;

/// Where one parameter of a start is taken from its range.
pub(super) struct Coordinates {
    /// Position among sizes, in [0, 1).
    pub(super) size: f64,
    /// Position among rows, in [0, 1).
    pub(super) place: f64,
    /// Which of several ways, in [0, 1).
    pub(super) mode: f64,
    pub(super) sign: f64,
    /// What terms are multiplied by where the drawn size gave no value.
    pub(super) shrink: f64,
    /// A plain start: this many units, nothing drawn.
    pub(super) fixed: Option<f64>,
}

impl Coordinates {
    pub(super) fn unit(fixed: f64) -> Self {
        Self {
            size: 0.5,
            place: 0.5,
            mode: 0.0,
            sign: 1.0,
            shrink: 1.0,
            fixed: Some(fixed),
        }
    }

    /// A term of no effect, an exponent of one half.
    pub(super) fn still(context: &Context) -> Self {
        match context {
            Context::Number => Self::unit(0.5),
            _ => Self::unit(0.0),
        }
    }
}

pub(super) fn is_phase(context: &Context) -> bool {
    matches!(
        context,
        Context::Term {
            place: Place::Phase,
            ..
        }
    )
}

pub(super) fn ranged(at: &Coordinates, low: f64, high: f64) -> f64 {
    if low > 0.0 {
        spread(at.size, low, high)
    } else {
        low + at.size * (high - low)
    }
}

/// The highest frequency that the spacing of a variable can tell from a lower one.
pub(super) fn resolved(values: &[f64]) -> f64 {
    let mut sorted: Vec<f64> = values.iter().copied().filter(|v| v.is_finite()).collect();
    sorted.sort_by(f64::total_cmp);
    let mut gaps: Vec<f64> = sorted
        .windows(2)
        .map(|pair| pair[1] - pair[0])
        .filter(|&gap| gap > 0.0)
        .collect();
    if gaps.is_empty() {
        return 1.0;
    }
    gaps.sort_by(f64::total_cmp);
    std::f64::consts::PI / gaps[gaps.len() / 2]
}

/// The smallest and the largest of the finite values; zero and zero where there is none.
pub(super) fn extent(values: &[f64]) -> (f64, f64) {
    let finite = values.iter().copied().filter(|v| v.is_finite());
    let (low, high) = finite.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| {
        (l.min(v), h.max(v))
    });
    if low <= high { (low, high) } else { (0.0, 0.0) }
}
