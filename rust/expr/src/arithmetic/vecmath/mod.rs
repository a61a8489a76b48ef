//! The elementary functions over lanes.
//!
//! Stage: the arithmetic below the programs. In and out: one [`Lane`] each. The common range is computed
//! without a branch; a group of lanes in which some argument is special takes a second path that agrees bit
//! for bit on ordinary arguments. Polynomials are near-minimax (Remez, computed at 240 bits); the
//! error bounds in units in the last place (ulp) are tested in `tests/ulp.rs`.
//!
//! | function | bound | | function | bound |
//! |---|---|---|---|---|
//! | `exp` | 1 | | `sin`, `cos` | 1 |
//! | `ln` | 1 | | `tan` | 3 |
//! | `log2`, `log10` | 1 | | `arctan` | 1 |
//! | `log1p` | 2 | | `tanh` | 3 |
//! | `expm1` | 2 | | `sigmoid` | 2.5 |
//! | `pow` | 1.5 | | | |

mod circular;
mod exponential;
mod logarithm;
mod parts;
mod power;

pub(crate) use circular::{arctan, cos, sin, tan};
pub(crate) use exponential::{exp, expm1, sigmoid, tanh};
pub(crate) use logarithm::{ln, ln_and_reciprocal, log1p, log2, log10};
pub(crate) use power::pow;
