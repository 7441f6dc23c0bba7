//! The program as people use it: the real binary, a real database server, the emulator over HTTP.
//!
//! Every story runs on MariaDB and on MySQL. What a story needs stands in its own lines: rows, mapping file, faults.
#![cfg(test)]
#![expect(
    clippy::disallowed_methods,
    clippy::needless_pass_by_value,
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "stories drive real processes in real time, and say aloud what they skip"
)]

mod act;
mod browser;
mod emulator;
mod sink;
mod stage;
mod web;

mod alerting;
mod binlog;
mod binlog_chaos;
mod budget;
mod chaos;
mod comparing;
mod doctor;
mod doubt;
mod drifting;
mod ending;
mod explaining;
mod failing;
mod gone;
mod init;
mod linking;
mod live_findings;
mod lost_state;
mod machines;
mod mistakes;
mod overlap;
mod pages;
mod people;
mod planning;
mod quarantine;
mod reloading;
mod running;
mod scheduling;
mod secrecy;
mod serving;
mod size;
mod state_commands;
mod state_file;
mod status;
mod taking_over;
mod triggering;
mod types;
mod validating;
