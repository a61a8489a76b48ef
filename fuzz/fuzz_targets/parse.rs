//! Any bytes as a formula: no panic, errors that can be shown, print and parse inverse.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| scalefast_expr::exercise::parse(data));
