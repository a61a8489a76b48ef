//! What a loss is worth in compute: the share of a lane's compute that it would not have needed.
//!
//! In: each lane's best loss at steps of less and less compute. Out: for any loss the wasted share 1 − C(loss)/C, by cubic
//! Hermite interpolation of ln C between the steps; its slopes are three-point differences, so that the share is exact at
//! the steps and good to a few parts in a thousand between them. It serves to compare sizes; what is reported of the one
//! that is chosen is solved for.

use scalefast_expr::math;

/// Steps of the table.
pub(super) const STEPS: usize = 13;
/// Logarithm of the factor between the compute of a lane and that of its last step.
const SPAN: f64 = 5.0;

/// The factor of step `j`: steps are short where little is wasted.
pub(super) fn factor(j: usize) -> f64 {
    math::exp(-depth(j))
}

fn depth(j: usize) -> f64 {
    let share = j as f64 / (STEPS - 1) as f64;
    SPAN * share * share
}

/// The best loss of one lane at every step; NaN from the first step on that the lane cannot pay for.
pub(super) type Steps = [f64; STEPS];

/// The wasted share of a lane that ends at `loss`; NaN for no loss.
pub(super) fn wasted(steps: &Steps, loss: f64) -> f64 {
    if loss.is_nan() {
        return f64::NAN;
    }
    // Compute that the bounds leave nothing to do buys no loss: the first step is the last one of the same loss.
    let first = (1..STEPS)
        .take_while(|&j| steps[j] <= steps[0])
        .last()
        .unwrap_or(0);
    if loss <= steps[first] {
        return 0.0;
    }
    let rises = |j: usize| j < STEPS && steps[j] > steps[j - 1];
    let mut right = first + 1;
    while rises(right) && steps[right] < loss {
        right += 1;
    }
    if !rises(right) {
        return 1.0 - factor(right - 1);
    }
    let left = right - 1;
    let width = steps[right] - steps[left];
    let rise = (depth(right) - depth(left)) / width;
    // Slopes of depth by loss at both ends, by the parabola through three steps; held to where the cubic rises throughout
    // (Fritsch & Carlson 1980).
    let neighbour = |at: usize, other: usize| {
        let beyond = (steps[other] - steps[at]).abs();
        (beyond, (depth(other) - depth(at)).abs() / beyond)
    };
    let (before, after) = (
        (left > first).then(|| neighbour(left, left - 1)),
        rises(right + 1).then(|| neighbour(right, right + 1)),
    );
    let within = |beyond: f64, next: f64| (rise * beyond + next * width) / (width + beyond);
    let outer = |beyond: f64, next: f64| rise + (rise - next) * width / (width + beyond);
    let slope = |near: Option<(f64, f64)>, far: Option<(f64, f64)>| match (near, far) {
        (Some((beyond, next)), _) => within(beyond, next),
        (None, Some((beyond, next))) => outer(beyond, next),
        (None, None) => rise,
    };
    let from = slope(before, after).clamp(0.0, 3.0 * rise);
    let to = slope(after, before).clamp(0.0, 3.0 * rise);
    let t = (loss - steps[left]) / width;
    let (u, t2) = (1.0 - t, t * t);
    let deep = depth(left) * u * u * (1.0 + 2.0 * t)
        + depth(right) * t2 * (3.0 - 2.0 * t)
        + width * (from * t * u * u - to * t2 * u);
    1.0 - math::exp(depth(first) - deep)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn power(e: f64, b: f64, gamma: f64) -> Steps {
        std::array::from_fn(|j| e + b * math::exp(gamma * depth(j)))
    }

    #[test]
    fn steps_are_exact_and_less_is_nothing() {
        let steps = power(1.8, 0.2, 0.15);
        for (j, &loss) in steps.iter().enumerate() {
            assert!((wasted(&steps, loss) - (1.0 - factor(j))).abs() < 1e-12);
        }
        assert_eq!(wasted(&steps, 1.0), 0.0);
        assert_eq!(wasted(&steps, 1e9), 1.0 - factor(STEPS - 1));
        assert!(wasted(&steps, f64::NAN).is_nan());
    }

    #[test]
    fn a_table_that_ends_early_is_flat_from_there() {
        let mut steps = power(1.8, 0.2, 0.15);
        steps[6..].fill(f64::NAN);
        assert_eq!(wasted(&steps, steps[5] + 0.01), 1.0 - factor(5));
    }

    #[test]
    fn compute_without_use_is_no_waste_of_the_choice() {
        let mut steps = power(1.8, 0.2, 0.15);
        steps[1] = steps[0];
        steps[2] = steps[0];
        assert_eq!(wasted(&steps, steps[0]), 0.0);
        assert!((wasted(&steps, steps[3]) - (1.0 - factor(3) / factor(2))).abs() < 1e-12);
    }

    proptest! {
        #[test]
        fn power_laws_are_inverted(e in 0.5f64..3.0, b in 0.05f64..1.0, gamma in 0.03f64..0.3, waste in 0.001f64..0.98) {
            let steps = power(e, b, gamma);
            let loss = e + b * (1.0 - waste).powf(-gamma);
            prop_assert!((wasted(&steps, loss) / waste - 1.0).abs() < 3e-3);
        }

        #[test]
        fn waste_rises_with_the_loss(gamma in 0.03f64..0.5, loss in 2.0f64..2.5, more in 1e-6f64..0.1) {
            let steps = power(1.8, 0.2, gamma);
            prop_assert!(wasted(&steps, loss + more) >= wasted(&steps, loss) - 1e-12);
        }
    }
}
