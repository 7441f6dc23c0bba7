//! The fuzzer's way into `fuzz_targets::query_text`.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzz_targets::query_text::run(input));
