//! Evaluators: one arithmetic, compiled for several instruction sets.
//!
//! Stage: `program` and `reduce` run on it, and so does every loop of the layers above through
//! [`Kernel::dispatch`]. All kernels give the same bits (see `arithmetic::lane`); they differ in speed alone.

pub(crate) mod block;
pub(crate) mod code;
mod kernel;
pub mod reduce;
#[cfg(target_arch = "x86_64")]
mod x86;

pub use block::BLOCK;
pub(crate) use kernel::Task;
pub use kernel::{KERNEL_VARIABLE, Kernel};
