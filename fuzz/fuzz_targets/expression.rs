//! The fuzzer's way into `fuzz_targets::expression`.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzz_targets::expression::run(input));
