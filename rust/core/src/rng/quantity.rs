//! Draws of an uncertain quantity, such as a price or a utilisation, kept within what is possible.

use scalefast_expr::math;

use super::counter::{Random, Stream};

/// Attempts at one draw before it is given up: enough where a twentieth of the distribution is possible.
const ATTEMPTS: u64 = 1 << 10;
/// Places of one attempt; the next one starts so many further.
const PLACES: u64 = 1 << 40;

/// The form of a distribution, with its two numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Distribution {
    /// Between two ends.
    Uniform(f64, f64),
    /// Mean and standard deviation.
    Normal(f64, f64),
    /// Median and standard deviation of the logarithm.
    LogNormal(f64, f64),
}

/// A distribution, cut off outside `lowest..=highest`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Quantity {
    /// Its form.
    pub distribution: Distribution,
    /// The lowest value that is possible.
    pub lowest: f64,
    /// The highest.
    pub highest: f64,
}

impl Quantity {
    /// The draws of the places 0..count; `series` keeps quantities of one seed apart. What lies outside the limits is
    /// drawn again. `None` where that does not end: hardly anything of the distribution is possible.
    ///
    /// ```
    /// use scalefast_core::rng::{Distribution, Quantity};
    /// let share = Quantity { distribution: Distribution::Normal(0.9, 0.1), lowest: 0.0, highest: 1.0 };
    /// let drawn = share.draw(7, 0, 1000).unwrap();
    /// assert!(drawn.iter().all(|x| (0.0..=1.0).contains(x)));
    /// assert_eq!(drawn, share.draw(7, 0, 1000).unwrap());
    /// ```
    pub fn draw(&self, seed: u64, series: u32, count: usize) -> Option<Vec<f64>> {
        let random = Random::new(seed, Stream::Quantities);
        (0..count as u64)
            .map(|place| {
                (0..ATTEMPTS)
                    .map(|attempt| self.value(&random, series, attempt * PLACES + place))
                    .find(|value| (self.lowest..=self.highest).contains(value))
            })
            .collect()
    }

    fn value(&self, random: &Random, series: u32, place: u64) -> f64 {
        match self.distribution {
            Distribution::Uniform(low, high) => {
                low + (high - low) * random.uniform_open(series, place)
            }
            Distribution::Normal(mean, deviation) => {
                mean + deviation * random.normal(series, place)
            }
            Distribution::LogNormal(median, deviation) => {
                median * math::exp(deviation * random.normal(series, place))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(distribution: Distribution, lowest: f64, highest: f64) -> Vec<f64> {
        let quantity = Quantity {
            distribution,
            lowest,
            highest,
        };
        quantity.draw(3, 1, 40_000).unwrap()
    }

    fn mean(values: &[f64]) -> f64 {
        values.iter().sum::<f64>() / values.len() as f64
    }

    #[test]
    fn means_are_those_of_the_distributions() {
        // Five standard errors each.
        let root = (40_000f64).sqrt();
        let uniform = mean(&drawn(Distribution::Uniform(0.3, 0.5), 0.0, 1.0));
        assert!((uniform - 0.4).abs() < 5.0 * 0.2 / 12f64.sqrt() / root);
        let normal = mean(&drawn(Distribution::Normal(3.0, 0.5), 0.0, f64::MAX));
        assert!((normal - 3.0).abs() < 5.0 * 0.5 / root);
        let log = mean(
            &drawn(Distribution::LogNormal(2.0, 0.3), 0.0, f64::MAX)
                .iter()
                .map(|x| x.ln())
                .collect::<Vec<_>>(),
        );
        assert!((log - 2f64.ln()).abs() < 5.0 * 0.3 / root);
    }

    #[test]
    fn a_cut_normal_has_the_mean_of_the_half_normal() {
        let half = mean(&drawn(Distribution::Normal(0.0, 1.0), 0.0, f64::MAX));
        let expected = (2.0 / std::f64::consts::PI).sqrt();
        assert!((half - expected).abs() < 5.0 * (1.0 - 2.0 / std::f64::consts::PI).sqrt() / 200.0);
    }

    #[test]
    fn what_is_impossible_ends() {
        let quantity = Quantity {
            distribution: Distribution::Uniform(2.0, 3.0),
            lowest: 0.0,
            highest: 1.0,
        };
        assert_eq!(quantity.draw(1, 0, 3), None);
    }

    #[test]
    fn more_draws_begin_with_the_same() {
        let quantity = Quantity {
            distribution: Distribution::Normal(0.5, 0.5),
            lowest: 0.0,
            highest: 1.0,
        };
        assert_eq!(
            quantity.draw(1, 0, 100).unwrap(),
            quantity.draw(1, 0, 300).unwrap()[..100]
        );
    }
}
