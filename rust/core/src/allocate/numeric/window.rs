//! Where the search may go: the bounds of each variable, the feasible ends of the first, the second from the constraint.

use scalefast_expr::math;

use super::search::Window;
use crate::allocate::lanes::{Compiled, Part, Scratch, Span};
use crate::allocate::question::Question;
use crate::allocate::status::Status;

/// A constraint that is missed by more than this (relative) is not met.
pub(super) const TOLERANCE: f64 = 1e-9;
/// Where the user sets no bounds: from a thousandth to 1e60 of each variable.
const NATURAL: [f64; 2] = [1e-3, 1e60];

/// The constraint of a compiled question, and the bounds of its variables.
#[derive(Clone, Copy)]
pub(in crate::allocate) struct Constraint<'a> {
    pub compiled: &'a Compiled<'a>,
    pub question: &'a Question,
}

impl Constraint<'_> {
    /// The logarithms of the bounds of a free variable.
    pub(super) fn bounds(&self, k: usize) -> [f64; 2] {
        let ends = self.question.bounds[k];
        [
            math::ln(ends[0].unwrap_or(0.0).max(NATURAL[0])),
            math::ln(ends[1].unwrap_or(f64::INFINITY).min(NATURAL[1])),
        ]
    }

    /// Whether a value lies within the bounds of a free variable, up to rounding.
    pub(super) fn is_within(&self, k: usize, value: f64) -> bool {
        let [low, high] = self.question.bounds[k];
        low.is_none_or(|low| value >= low * (1.0 - TOLERANCE))
            && high.is_none_or(|high| value <= high * (1.0 + TOLERANCE))
    }

    /// The x between its own bounds at which some D within its bounds meets the constraint. At the highest D the least x
    /// does, whether the constraint rises or falls with both.
    pub(super) fn window(&self, scratch: &mut Scratch, span: Span) -> Window {
        let [x_low, x_high] = self.bounds(0).map(|end| vec![end; span.len]);
        let [y_low, y_high] = self.bounds(1);
        let mut end_at = |y: f64| {
            let other = vec![math::exp(y); span.len];
            let mut z = vec![0.5 * (x_low[0] + x_high[0]); span.len];
            self.compiled.root(
                scratch,
                span,
                Part::First,
                Some(&other),
                [&x_low, &x_high],
                &mut z,
            );
            z
        };
        // Rounding must not leave the end itself without a D.
        let inward = |z: f64, sign: f64| z + sign * 1e-14 * (1.0 + z.abs());
        let mut low = end_at(y_high);
        let mut high = end_at(y_low);
        let own = |k: usize, end: usize, bound: Status| match self.question.bounds[k][end] {
            Some(_) => bound,
            None => Status::NoFiniteOptimum,
        };
        let limits = [
            low.iter()
                .map(|&z| {
                    if z <= x_low[0] {
                        own(0, 0, Status::FirstMin)
                    } else {
                        own(1, 1, Status::SecondMax)
                    }
                })
                .collect(),
            high.iter()
                .map(|&z| {
                    if z >= x_high[0] {
                        own(0, 1, Status::FirstMax)
                    } else {
                        own(1, 0, Status::SecondMin)
                    }
                })
                .collect(),
        ];
        for i in 0..span.len {
            if low[i] > x_low[0] && low[i] < high[i] {
                low[i] = inward(low[i], 1.0);
            }
            if high[i] < x_high[0] && low[i] < high[i] {
                high[i] = inward(high[i], -1.0);
            }
        }
        Window {
            ends: [low, high],
            limits,
        }
    }

    /// D on the constraint at each x; NaN where there is none within the natural range. `y` holds ln D of a neighbouring
    /// point and is brought up to date.
    pub(in crate::allocate) fn second(
        &self,
        scratch: &mut Scratch,
        span: Span,
        first: &[f64],
        y: &mut [f64],
        second: &mut [f64],
    ) {
        if self.question.explicit.is_some() {
            // The last free variable is not read by its own formula.
            self.compiled.run(
                scratch,
                Part::Explicit,
                span,
                &[first, first],
                &mut [&mut *second],
            );
            for d in second[..span.len].iter_mut().filter(|d| **d <= 0.0) {
                *d = f64::NAN;
            }
            return;
        }
        let [low, high] = NATURAL.map(|end| vec![math::ln(end); span.len]);
        for start in y[..span.len].iter_mut().filter(|start| start.is_nan()) {
            *start = 0.5 * (low[0] + high[0]);
        }
        self.compiled.root(
            scratch,
            span,
            Part::Last,
            Some(first),
            [&low, &high],
            &mut y[..span.len],
        );
        self.compiled
            .exponential(scratch, &y[..span.len], &mut second[..span.len]);
        for i in 0..span.len {
            if y[i] <= low[i] || y[i] >= high[i] {
                second[i] = f64::NAN;
            }
        }
    }
}
