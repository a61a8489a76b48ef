//! The statistics: data sets, fits, covariance, allocation. Pure Rust: no Python, no I/O, no printing.
