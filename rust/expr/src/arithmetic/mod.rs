//! The arithmetic that every result is made of: lanes, pairs of numbers, and our own elementary functions.
//!
//! Stage: below everything. The same bits on every machine (see [`lane`]); the evaluators of `eval` compile it for several
//! instruction sets, and [`math`] gives it for plain numbers.

pub(crate) mod lane;
pub mod math;
pub(crate) mod pair;
mod scalar;
pub(crate) mod vecmath;

/// Whether the processor has fused multiply-add, which changes the speed of lanes and no bit.
#[cfg(target_arch = "x86_64")]
pub(crate) fn has_fma() -> bool {
    is_x86_feature_detected!("fma")
}
