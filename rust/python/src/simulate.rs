//! Random numbers for simulated runs: a function of the seed, the series and the place, the same bytes everywhere.

use numpy::{IntoPyArray, PyArray1, PyReadonlyArray1};
use pyo3::prelude::*;
use scalefast_core::noise::{self, Series};
use scalefast_core::rng::{Random, Stream};

use crate::interrupt::{self, Call};

/// The standard normal number of each place in `places`; `series` keeps several kinds of noise apart.
#[pyfunction]
pub fn normals<'py>(
    py: Python<'py>,
    seed: u64,
    series: u32,
    places: PyReadonlyArray1<'py, u64>,
) -> PyResult<Bound<'py, PyArray1<f64>>> {
    let random = Random::new(seed, Stream::Noise);
    let places = places.as_slice()?;
    let drawn: Vec<f64> = places
        .iter()
        .map(|&place| random.normal(series, place))
        .collect();
    Ok(drawn.into_pyarray(py))
}

/// The number of Student's law of each place in `places`; `series` are those of its numerator and of its first square.
#[pyfunction]
pub fn students<'py>(
    py: Python<'py>,
    seed: u64,
    series: (u32, u32),
    degrees: u32,
    places: PyReadonlyArray1<'py, u64>,
) -> PyResult<Bound<'py, PyArray1<f64>>> {
    let random = Random::new(seed, Stream::Noise);
    let (numerator, squares) = series;
    let series = Series { numerator, squares };
    let places = places.as_slice()?;
    let drawn = interrupt::run(py, &Call::plain(), |control| {
        noise::students(random, series, degrees, places, None, control)
    })?;
    Ok(drawn.into_pyarray(py))
}

/// A whole number in 0..bound for each place in `places`.
#[pyfunction]
pub fn choices<'py>(
    py: Python<'py>,
    seed: u64,
    series: u32,
    places: PyReadonlyArray1<'py, u64>,
    bound: u64,
) -> PyResult<Bound<'py, PyArray1<u64>>> {
    let random = Random::new(seed, Stream::Noise);
    let places = places.as_slice()?;
    let drawn: Vec<u64> = places
        .iter()
        .map(|&place| random.below(series, place, bound))
        .collect();
    Ok(drawn.into_pyarray(py))
}
