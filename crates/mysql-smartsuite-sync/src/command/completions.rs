//! `completions`: what a shell needs to complete the command line.

use clap::CommandFactory as _;
use clap_complete::Shell;

use crate::{cli::Cli, report::Screen};

/// Prints the script for `shell`.
pub(crate) fn perform(shell: Shell, screen: &Screen) {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "mysql-smartsuite-sync", &mut script);
    screen.say(String::from_utf8_lossy(&script).trim_end());
}
