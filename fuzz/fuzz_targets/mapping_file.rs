//! The fuzzer's way into `fuzz_targets::mapping_file`.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzz_targets::mapping_file::run(input));
