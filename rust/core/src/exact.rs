//! Sums that are rounded once: they depend neither on the order of their terms nor on the instruction set.
//!
//! Shewchuk 1997, "Adaptive precision floating-point arithmetic and fast robust geometric predicates", with the final
//! rounding of Python's `math.fsum`.

/// The sum of `values`, rounded once from its exact value; not finite where a value is not, or where the sum overflows.
///
/// ```
/// use scalefast_core::exact::sum;
/// assert_eq!(sum([1e100, 1.0, -1e100]), 1.0);
/// assert_eq!(sum([0.1; 10]), 1.0);
/// ```
pub fn sum(values: impl IntoIterator<Item = f64>) -> f64 {
    // Parts that do not overlap, in order of size: their sum is exact.
    let mut parts: Vec<f64> = Vec::new();
    let mut plain = 0.0;
    for value in values {
        plain += value;
        let mut rest = value;
        let mut kept = 0;
        for place in 0..parts.len() {
            let (high, low) = two_sum(rest, parts[place]);
            if low != 0.0 {
                parts[kept] = low;
                kept += 1;
            }
            rest = high;
        }
        parts.truncate(kept);
        parts.push(rest);
    }
    if !plain.is_finite() {
        return plain;
    }
    rounded(&parts)
}

/// The rounded sum of two numbers and what rounding took away.
fn two_sum(a: f64, b: f64) -> (f64, f64) {
    let (large, small) = if a.abs() < b.abs() { (b, a) } else { (a, b) };
    let high = large + small;
    (high, small - (high - large))
}

/// The double next to the sum of parts that do not overlap, half to even.
fn rounded(parts: &[f64]) -> f64 {
    let Some((&last, below)) = parts.split_last() else {
        return 0.0;
    };
    let (mut high, mut low, mut left) = (last, 0.0, below.len());
    while left > 0 && low == 0.0 {
        left -= 1;
        (high, low) = two_sum(high, below[left]);
    }
    // Half a unit was rounded to even: the parts below it say which way it should have gone.
    if left > 0 && low != 0.0 && (low < 0.0) == (below[left - 1] < 0.0) {
        let twice = 2.0 * low;
        let moved = high + twice;
        if twice == moved - high {
            high = moved;
        }
    }
    high
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn terms_that_cancel_leave_what_is_left() {
        assert_eq!(sum([]), 0.0);
        assert_eq!(sum([1e16, 1.0, -1e16]), 1.0);
        assert_eq!(sum([1e308, 1.0, -1e308, 1e-300]), 1.0);
        // Half a unit of the last place and a little: up, though half alone would go to even.
        let unit = f64::EPSILON;
        assert_eq!(sum([1.0, unit / 2.0]), 1.0);
        assert_eq!(sum([1.0, unit / 2.0, 1e-30]), 1.0 + unit);
        assert_eq!(sum([-1.0, -unit / 2.0, -1e-30]), -1.0 - unit);
        assert!(sum([f64::NAN, 1.0]).is_nan());
        assert_eq!(sum([f64::INFINITY, 1.0]), f64::INFINITY);
    }

    proptest! {
        /// Whole numbers times a power of two are summed exactly by integers, which round once.
        #[test]
        fn equals_the_sum_of_whole_numbers(terms in prop::collection::vec(any::<i64>(), 0..60), turn in 0usize..60) {
            let doubles: Vec<f64> = terms.iter().map(|&t| t as f64).collect();
            let whole: i128 = doubles.iter().map(|&d| d as i128).sum();
            prop_assert_eq!(sum(doubles.iter().copied()), whole as f64);
            let mut turned = doubles.clone();
            turned.rotate_left(if doubles.is_empty() { 0 } else { turn % doubles.len() });
            prop_assert_eq!(sum(turned).to_bits(), sum(doubles).to_bits());
        }
    }
}
