//! The statistics: data sets, fits, covariance, allocation. Pure Rust: no Python, no I/O, no printing.

pub mod error;
pub mod linalg;

pub use error::{CoreError, ErrorKind};
