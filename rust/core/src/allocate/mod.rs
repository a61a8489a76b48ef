//! Allocation of a compute budget: the split into N and D that minimises the predicted loss at a given cost.

mod draws;
mod monomial;
mod optimum;
mod split;
mod sweep;

pub use optimum::{Allocation, ClosedForm};
pub use sweep::{Quantity, Sweep, sweep};
