//! Allocation of a compute budget: the split into N and D that minimises the predicted loss at a given cost.

mod answers;
mod bracket;
mod cells;
mod decision;
mod drawn;
mod draws;
mod lanes;
mod monomial;
mod numeric;
mod optimum;
mod question;
mod split;
mod status;
mod sweep;

pub use answers::spread;
pub use cells::{Asked, Cells, Kept, Quantity, Spread, Wanted};
pub use decision::{Column, Outcome, Stake, indifference, least_regret};
pub use numeric::{Answers, answer};
pub use optimum::{Allocation, ClosedForm};
pub use question::{Aim, Question};
pub use status::Status;
pub use sweep::sweep;
