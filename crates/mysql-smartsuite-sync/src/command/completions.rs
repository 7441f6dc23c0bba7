//! `completions`: what a shell needs to complete the command line.

use clap::CommandFactory as _;
use clap_complete::Shell;

use crate::{cli::Cli, report::Screen};

/// The program's name as bash's script has it, where it goes on with a command; and as the generator writes it where it names
/// the same command again: there it takes the name's own hyphens for the ends of commands, and nothing would be completed
/// behind the first word.
const BASH_NAME: &str = "mysql__smartsuite__sync";
const BASH_NAME_SPLIT: &str = "mysql__subcmd__smartsuite__subcmd__sync";

/// Prints the script for `shell`.
pub(crate) fn perform(shell: Shell, screen: &Screen) {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "mysql-smartsuite-sync", &mut script);
    let script = String::from_utf8_lossy(&script);
    screen.say(script.replace(BASH_NAME_SPLIT, BASH_NAME).trim_end());
}
