//! Random numbers as a function of (seed, stream, replicate, index), quantities drawn from them, and a low-discrepancy
//! sequence.

mod counter;
mod normal;
mod quantity;
mod sobol;

pub use counter::{Random, Stream, philox4x32};
pub use normal::normal_quantile;
pub use quantity::{Distribution, Quantity};
pub use sobol::{MAX_DIMENSION, Sobol};
