//! Starts the program and ends the process with its exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    mysql_smartsuite_sync::main(std::env::args_os())
}
