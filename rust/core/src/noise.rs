//! Student's t of simulated noise: a normal number over the root of a mean of squares, each a function of seed and place.

use rayon::prelude::*;

use crate::error::CoreError;
use crate::executor::{Control, with_pool};
use crate::rng::Random;

/// Normal numbers of one parallel task, about.
const NUMBERS: usize = 1 << 16;

/// Which series of random numbers make a t: the one of its numerator, and the first of one series per degree of freedom.
#[derive(Clone, Copy, Debug)]
pub struct Series {
    /// The normal number above.
    pub numerator: u32,
    /// The squares below: this series and those that follow it.
    pub squares: u32,
}

/// A number of Student's law with `degrees` ≥ 1 degrees of freedom for each place.
///
/// # Errors
/// Those of the executor: `bad-threads`, `interrupted`, `timeout`.
pub fn students(
    random: Random,
    series: Series,
    degrees: u32,
    places: &[u64],
    threads: Option<usize>,
    control: &Control,
) -> Result<Vec<f64>, CoreError> {
    let one = |place: u64| {
        let squares = (0..degrees).fold(0.0, |sum, degree| {
            let z = random.normal(series.squares + degree, place);
            sum + z * z
        });
        random.normal(series.numerator, place) / (squares / f64::from(degrees)).sqrt()
    };
    let step = (NUMBERS / (degrees as usize + 1)).max(1);
    control.set_total(places.len().div_ceil(step) as u64);
    let mut drawn = vec![0.0; places.len()];
    let run = |(out, places): (&mut [f64], &[u64])| {
        control.check()?;
        out.iter_mut()
            .zip(places)
            .for_each(|(t, &place)| *t = one(place));
        control.advance(1);
        Ok(())
    };
    if places.len() <= step {
        run((&mut drawn, places))?;
    } else {
        with_pool(threads, || {
            drawn
                .par_chunks_mut(step)
                .zip(places.par_chunks(step))
                .try_for_each(run)
        })?;
    }
    Ok(drawn)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Stream;
    use crate::student::two_sided_quantile;

    const SERIES: Series = Series {
        numerator: 0,
        squares: 16,
    };

    fn drawn(degrees: u32, count: u64, threads: usize) -> Vec<f64> {
        let places: Vec<u64> = (0..count).collect();
        let random = Random::new(3, Stream::Noise);
        students(
            random,
            SERIES,
            degrees,
            &places,
            Some(threads),
            &Control::new(),
        )
        .unwrap()
    }

    #[test]
    fn the_shares_are_those_of_the_law() {
        let count = 200_000;
        for degrees in [1, 3, 10] {
            let values = drawn(degrees, count, 2);
            for level in [0.5, 0.9, 0.99] {
                let limit = two_sided_quantile(level, degrees as usize);
                let share = values.iter().filter(|t| t.abs() < limit).count() as f64 / count as f64;
                let error = (level * (1.0 - level) / count as f64).sqrt();
                assert!(
                    (share - level).abs() < 4.0 * error,
                    "{degrees} {level}: {share}"
                );
            }
        }
    }

    #[test]
    fn a_number_depends_on_its_place_alone() {
        let many = drawn(3, 70_001, 1);
        assert_eq!(many, drawn(3, 70_001, 3));
        assert_eq!(many[..100], drawn(3, 100, 1));
        let control = Control::new();
        control.cancel();
        let random = Random::new(3, Stream::Noise);
        let error = students(random, SERIES, 3, &[0, 1], None, &control).unwrap_err();
        assert_eq!(error.code, "interrupted");
    }
}
