//! The statistics: data sets, fits, covariance, allocation. Pure Rust: no Python, no I/O, no printing.

#![forbid(unsafe_code)]

pub mod allocate;
pub mod association;
pub mod band;
pub mod batch;
pub mod covariance;
pub mod criteria;
pub mod dataset;
pub mod derive;
pub mod draw_band;
pub mod error;
pub mod exact;
pub mod executor;
pub mod fit;
pub mod inference;
pub mod linalg;
pub mod loss;
pub mod model;
pub mod moments;
pub mod multistart;
pub mod noise;
pub mod objective;
pub mod parameter;
pub mod predict;
pub mod profile;
pub mod quantile;
pub mod resample;
pub mod rng;
pub mod solver;
pub mod spacing;
pub mod start;
pub mod student;

pub use error::{CoreError, ErrorKind};
pub use loss::Loss;
