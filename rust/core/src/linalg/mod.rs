//! Dense linear algebra for a handful of parameters (up to about 16 columns): Cholesky, symmetric eigenvalues by
//! Jacobi rotations, Householder QR with column scaling and pivoting.
//!
//! Square matrices are row-major slices `n × n`; tall matrices (`m` rows, `n` columns) are column-major. Only
//! arithmetic and square roots in a fixed order, so the same input gives the same bits everywhere.
//! Sources: Golub & Van Loan, Matrix Computations (4th ed.), 4.2 (Cholesky), 5.1–5.5 (QR), 8.5 (Jacobi).

#![allow(
    clippy::needless_range_loop,
    reason = "matrix indices read as in the textbook"
)]

mod cholesky;
mod eigen;
mod qr;
mod scaled;
mod triangle;
mod vector;

pub use cholesky::{cholesky_in_place, cholesky_inverse, cholesky_inverse_into, cholesky_solve};
pub use eigen::{singular_values, symmetric_eigen};
pub use qr::Qr;
pub(crate) use scaled::{scaled, scaled_condition};
pub use triangle::{solve_lower, solve_lower_transposed, solve_upper};
pub use vector::{dot, norm, quadratic_form};
