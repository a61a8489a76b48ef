//! The statistics: data sets, fits, covariance, allocation. Pure Rust: no Python, no I/O, no printing.

pub mod error;
pub mod linalg;
pub mod loss;

pub use error::{CoreError, ErrorKind};
pub use loss::Loss;
