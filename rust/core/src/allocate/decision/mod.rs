//! One size for many possible worlds: what a size gives in each of them, and the size of least expected regret.
//!
//! Stage: after the numeric solver. In: stakes, each a law and a cost with `K` lanes, one a possible world: draws of the
//! parameters, of what the cost reads, and of the compute that there is. Out: each lane's own best split, the data and
//! loss that a given N has in each lane, and the N whose loss, averaged over lanes and stakes, is least.
//!
//! In lane k a size N has the loss L_k(N, D_k(N)), D_k(N) being what the lane's compute pays for, or the upper bound of D
//! where it pays for more. Its regret is the share of the compute that the loss would not have needed. That share has one
//! unit in all laws, so that regrets add where losses do not, and it lies between 0 and 1, so that a draw of the law gone
//! astray counts for no more than any other; regret in nats has neither merit, and is reported beside. Source: Savage,
//! "The theory of statistical decision", 1951.

mod lanes;
mod search;
mod stake;
#[cfg(test)]
mod tests;
mod worth;

pub use lanes::Outcome;
pub use search::{indifference, least_regret};
pub use stake::{Column, Stake};
