//! What an estimate is worth: standard errors, intervals, leverage and influence, all by first order.
//!
//! In: a [`FitSpec`], its [`Fit`], the same `m` rows. Out: the covariance of the `p` free parameters (`statistics.md` F21:
//! Gauss–Newton for the squared loss, a sandwich for others), an estimate with its interval for any formula of the
//! parameters, and for each row how much it pulls. Rows are worked through in chunks, so that no `m × p` matrix is kept.

mod clusters;
mod covariances;
mod estimates;
mod influence;
mod neighbours;
mod rows;

pub use estimates::{Estimate, Inference};
pub use influence::{RowStatistics, row_statistics};
pub use neighbours::serial_deviate;
