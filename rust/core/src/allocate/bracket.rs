//! Newton's method within a bracket, for one lane: the steps of every search in one variable.
//!
//! In: where the lane is, on which side of it the answer lies, Newton's step from there. Out: where it goes next. A step is
//! taken where it stays within the bracket and is less than half the one before; otherwise an end of the bracket that is
//! still untried is, or its middle, so that a search ends however badly the function bends.
//! Source: Nocedal and Wright, Numerical Optimization, 2006, section 3.5.

/// What one lane knows of its answer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bracket {
    pub low: f64,
    pub high: f64,
    /// The size of the step before, or the width of the bracket where it was halved.
    before: f64,
    by_newton: bool,
    end_tried: bool,
}

/// A step of Newton's that was taken.
pub(super) struct Taken {
    pub next: f64,
    pub size: f64,
    /// The size that quadratic convergence promises the step after; infinite where the step before was none of Newton's.
    pub coming: f64,
}

impl Bracket {
    pub fn new(low: f64, high: f64) -> Self {
        Bracket {
            low,
            high,
            before: high - low,
            by_newton: false,
            end_tried: false,
        }
    }

    pub fn width(&self) -> f64 {
        self.high - self.low
    }

    /// The answer lies above `x`, or below it.
    pub fn narrow(&mut self, x: f64, above: bool) {
        if above {
            self.low = x;
        } else {
            self.high = x;
        }
    }

    /// Newton's step from `x`, where it can be trusted.
    pub fn newton(&mut self, x: f64, step: f64) -> Option<Taken> {
        let (next, size) = (x + step, step.abs());
        if !(next >= self.low && next <= self.high && size < 0.5 * self.before) {
            return None;
        }
        // A step that is small by luck tells nothing of the order: the error may be its whole square.
        let coming = if self.by_newton {
            size * size * (size / (self.before * self.before)).max(1.0)
        } else {
            f64::INFINITY
        };
        (self.before, self.by_newton) = (size, true);
        Some(Taken { next, size, coming })
    }

    /// `end`, which may be the answer, unless an end was tried before; else the middle.
    pub fn halve(&mut self, end: Option<f64>) -> f64 {
        (self.before, self.by_newton) = (self.width(), false);
        match end {
            Some(end) if !self.end_tried => {
                self.end_tried = true;
                end
            }
            _ => 0.5 * (self.low + self.high),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_out_of_the_bracket_is_not_taken() {
        let mut bracket = Bracket::new(0.0, 1.0);
        assert!(bracket.newton(0.5, 0.6).is_none());
        assert!(bracket.newton(0.5, f64::NAN).is_none());
        assert_eq!(bracket.halve(Some(1.0)), 1.0);
        assert_eq!(bracket.halve(Some(1.0)), 0.5);
    }

    #[test]
    fn only_a_second_step_promises_a_third() {
        let mut bracket = Bracket::new(0.0, 8.0);
        let first = bracket.newton(1.0, 1.0).unwrap();
        assert_eq!((first.next, first.coming), (2.0, f64::INFINITY));
        let second = bracket.newton(2.0, 0.25).unwrap();
        assert_eq!((second.size, second.coming), (0.25, 0.0625));
        assert!(bracket.newton(2.25, 0.125).is_none());
    }
}
