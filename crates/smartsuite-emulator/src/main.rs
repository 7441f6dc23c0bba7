//! `smartsuite-emulator`: the emulator as a program of its own.

use std::process::ExitCode;

use clap::Parser;
use smartsuite_emulator::{EmulatorArgs, run_cli};

/// A local SmartSuite for tests and for trying things out. It is an emulator: it reproduces public
/// material, not a live account.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 100)]
struct Cli {
    #[command(flatten)]
    args: EmulatorArgs,
}

fn main() -> ExitCode {
    match Cli::try_parse() {
        Ok(cli) => run_cli(&cli.args),
        Err(error) => {
            // Help and version go to standard output and are no failure.
            let shown = error.print();
            if error.use_stderr() || shown.is_err() {
                ExitCode::from(64)
            } else {
                ExitCode::SUCCESS
            }
        }
    }
}
