//! `emulator`: a local SmartSuite.

use std::process::ExitCode;

use smartsuite_emulator::{EmulatorArgs, run_cli};

/// Serves until it is ended.
pub(crate) fn perform(args: &EmulatorArgs) -> ExitCode {
    run_cli(args)
}
