//! Mean and variance of a column, summed in the order of its rows: the same bits everywhere.

/// Count, mean and variance (divided by n − 1) of the values that exist.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Moments {
    /// Values that are no NaN.
    pub count: usize,
    /// Their mean; NaN of none.
    pub mean: f64,
    /// Their variance; NaN of fewer than two.
    pub variance: f64,
}

impl Moments {
    /// The moments of `values`, of which NaN is none.
    ///
    /// ```
    /// use scalefast_core::moments::Moments;
    /// let found = Moments::of(&[1.0, f64::NAN, 3.0]);
    /// assert_eq!((found.count, found.mean, found.variance), (2, 2.0, 2.0));
    /// ```
    pub fn of(values: &[f64]) -> Self {
        let kept = || values.iter().filter(|value| !value.is_nan());
        let count = kept().count();
        let mean = kept().sum::<f64>() / count as f64;
        let squares = kept().fold(0.0, |sum, value| sum + (value - mean) * (value - mean));
        Moments {
            count,
            mean,
            variance: if count < 2 {
                f64::NAN
            } else {
                squares / (count - 1) as f64
            },
        }
    }
}
