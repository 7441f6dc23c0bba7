//! The fuzzer's way into `fuzz_targets::gtid_text`.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzz_targets::gtid_text::run(input));
