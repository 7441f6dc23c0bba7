//! The fuzzer's way into `fuzz_targets::emulator_requests`.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzz_targets::emulator_requests::run(input));
