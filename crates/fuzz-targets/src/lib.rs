//! What fuzzers call: each target takes any bytes and must come back, without a panic, in time and memory that the input
//! bounds.
//!
//! `fuzz/` (a workspace of its own, as fuzzers want a compiler of their own) has a main for each target; the tests here
//! replay the inputs of `corpus/` and spoilt copies of them, so that whatever a fuzzer once found stays found.

pub mod client_answers;
pub mod emulator_requests;
pub mod expression;
mod input;
pub mod mapping_file;
pub mod query_text;

/// A target: its name, which is that of its corpus and of its main in `fuzz/`, and what it does with an input.
pub type Target = (&'static str, fn(&[u8]));

/// Every target.
pub const TARGETS: &[Target] = &[
    ("client_answers", client_answers::run),
    ("emulator_requests", emulator_requests::run),
    ("expression", expression::run),
    ("mapping_file", mapping_file::run),
    ("query_text", query_text::run),
];
