//! The program: the only place that knows every other crate.
//!
//! Reading order: [`main`] to `cli` (what can be asked), `command` (one file for each), `wire` (real ports from
//! settings). `report` is what people and machines see, `telemetry` how the engine's events become log lines and bars;
//! `clock`, `dice`, `environment` and `signal` are the four places that touch the real world's time, chance, variables
//! and signals.

mod alerting;
mod budget;
mod cli;
mod clock;
mod command;
mod dice;
mod environment;
mod exit;
mod failure;
mod housekeeping;
mod init;
mod log_reader;
mod mapping_file;
mod mapping_test;
mod plan;
mod precedence;
mod report;
mod service;
mod signal;
mod state_gate;
mod telemetry;
mod test_settings;
mod turn;
mod wire;

use std::{ffi::OsString, process::ExitCode};

use clap::{CommandFactory as _, Parser as _};

pub use exit::Exit;

use crate::report::Screen;

/// The command line's declaration, from which the manual, the man page and the completions are made.
pub fn declaration() -> clap::Command {
    cli::Cli::command()
}

/// Does what the arguments ask and says how it ended.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let cli = match cli::Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version go to standard output and are no failure; nobody may be listening.
            let shown = error.print();
            let wrong = error.use_stderr() || shown.is_err();
            return if wrong { Exit::Usage } else { Exit::Done }.into();
        }
    };
    let screen = Screen::new(!cli.global.no_color && environment::variable("NO_COLOR").is_none());
    command::perform(cli, &screen).unwrap_or_else(|failure| {
        screen.failure(&failure);
        failure.exit.into()
    })
}
