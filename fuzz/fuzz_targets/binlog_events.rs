//! The fuzzer's way into `fuzz_targets::binlog_events`.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzz_targets::binlog_events::run(input));
