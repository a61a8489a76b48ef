//! A formula and its gradient through every kernel: no panic, and the same bits.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| scalefast_expr::exercise::compile_evaluate(data));
