//! The fuzzer's way into `fuzz_targets::client_answers`.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzz_targets::client_answers::run(input));
