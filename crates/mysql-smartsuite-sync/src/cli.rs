//! The command line. The manual, the man page and the completions are made from what stands here.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use smartsuite_emulator::EmulatorArgs;

use crate::{
    command::{
        dedupe::DedupeArgs,
        probe::ProbeArgs,
        verify::{RepairArgs, VerifyArgs},
    },
    environment::LogLevel,
};

/// Keeps SmartSuite in step with a MySQL or MariaDB database.
///
/// Rows of your queries become records of your tables: created once, updated when they change, never doubled.
#[derive(Debug, Parser)]
#[command(
    name = "mysql-smartsuite-sync",
    version,
    max_term_width = 100,
    subcommand_required = true,
    arg_required_else_help = true,
    after_help = "Exit codes: 0 done, 1 failed, 2 done with failed rows or drift, 64 usage or configuration, 130 interrupted."
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Options of every command.
#[derive(Clone, Debug, Args)]
pub(crate) struct Global {
    /// The mapping file
    #[arg(long, global = true, value_name = "FILE", default_value = "config/sync_mappings.yml")]
    pub(crate) config: PathBuf,
    /// How much is logged: DEBUG, INFO, WARNING or ERROR [default: LOG_LEVEL, else INFO]
    #[arg(long, global = true, value_name = "LEVEL")]
    pub(crate) log_level: Option<LogLevel>,
    /// No colours; the variable NO_COLOR does the same
    #[arg(long, global = true)]
    pub(crate) no_color: bool,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Bring SmartSuite in step with the database, once
    Run(RunArgs),

    /// Keep running: each sync at its times, until it is ended by Ctrl-C or SIGTERM
    Schedule(ScheduleArgs),
    /// Say whether everything is in place, and all that is not
    Validate(ValidateArgs),
    /// Show how each sync stands: what was done, what waits, what failed and why
    Status(StatusArgs),
    /// Compare every record with its row, both as they really are, and say what differs
    Verify(VerifyArgs),
    /// Compare, then bring what differs in step again
    Repair(RepairArgs),
    /// List records that share an external id, and resolve them
    Dedupe(DedupeArgs),
    /// Find out, in a scratch table, what is not known for sure about your SmartSuite
    Probe(ProbeArgs),
    /// Run a local SmartSuite to try things out
    Emulator(EmulatorArgs),
    /// Print what a shell needs to complete this command line
    Completions {
        /// The shell
        shell: Shell,
    },
    /// Print the manual page
    Man {
        /// Write a page for each command into this folder instead
        #[arg(long, value_name = "FOLDER")]
        folder: Option<PathBuf>,
    },
}

/// Options of `run`.
#[derive(Clone, Debug, Args)]
pub(crate) struct RunArgs {
    /// Only this sync; may be repeated. Without it: every enabled sync
    #[arg(long, value_name = "NAME")]
    pub(crate) sync_name: Vec<String>,
    /// Read every row, not only those changed since the last run. Unchanged rows cost no call
    #[arg(long)]
    pub(crate) full: bool,
    /// Let stopped syncs go again, and try refused rows now
    #[arg(long)]
    pub(crate) retry: bool,
    /// The key columns were changed on purpose: forget the links and find the records again by their new keys
    #[arg(long)]
    pub(crate) accept_key_change: bool,
    /// What to do when another process runs the same sync
    #[arg(long, value_name = "WHAT", default_value = "skip")]
    pub(crate) if_running: IfRunning,
    /// The summary as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// What `run` does when another process runs the same sync.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum IfRunning {
    /// Wait until it has finished, then run
    Wait,
    /// Leave that sync to it, and count it as done
    Skip,
    /// Leave that sync to it, and fail
    Fail,
}

/// Options of `schedule`.
#[derive(Clone, Debug, Args)]
pub(crate) struct ScheduleArgs {
    /// Minutes between the starts of syncs without a schedule of their own [default: SYNC_INTERVAL_MINUTES, else 5]
    #[arg(long, value_name = "MINUTES")]
    pub(crate) interval: Option<u32>,
    /// Run every sync once at the start, whatever its schedule
    #[arg(long)]
    pub(crate) run_immediately: bool,
}

/// Options of `validate`.
#[derive(Clone, Debug, Args)]
pub(crate) struct ValidateArgs {
    /// Ask both servers too: does every query work, does every mapping fit? Costs one call a table
    #[arg(long)]
    pub(crate) online: bool,
    /// As JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// Options of `status`.
#[derive(Clone, Debug, Args)]
pub(crate) struct StatusArgs {
    /// Only this sync; may be repeated
    #[arg(long, value_name = "NAME")]
    pub(crate) sync_name: Vec<String>,
    /// At most so many runs a sync, the newest first
    #[arg(long, value_name = "NUMBER", default_value_t = 5)]
    pub(crate) runs: usize,
    /// At most so many refused rows a sync
    #[arg(long, value_name = "NUMBER", default_value_t = 10)]
    pub(crate) rows: usize,
    /// As JSON
    #[arg(long)]
    pub(crate) json: bool,
}
