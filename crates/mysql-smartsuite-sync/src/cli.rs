//! The command line. The manual, the man page and the completions are made from what stands here.

#[cfg(test)]
mod reference;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use smartsuite_emulator::EmulatorArgs;

use crate::{
    command::{
        dedupe::DedupeArgs,
        explain::ExplainArgs,
        init::InitArgs,
        plan::PlanArgs,
        probe::ProbeArgs,
        resync::ResyncArgs,
        verify::{RepairArgs, VerifyArgs},
    },
    environment::{LogFormat, LogLevel},
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
    /// The form of log lines: text or json [default: LOG_FORMAT, else text]
    #[arg(long, global = true, value_name = "FORMAT")]
    pub(crate) log_format: Option<LogFormat>,
    /// No colours; the variable NO_COLOR does the same
    #[arg(long, global = true)]
    pub(crate) no_color: bool,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Write a mapping file: reads both schemas, proposes which column goes where, and asks
    Init(InitArgs),
    /// Bring SmartSuite in step with the database, once
    Run(RunArgs),
    /// Say what a run would do, record by record, and what it would cost; writes nothing
    Plan(PlanArgs),
    /// Keep running: each sync at its times, until it is ended by Ctrl-C or SIGTERM
    Schedule(ScheduleArgs),
    /// Say whether everything is in place, and all that is not
    Validate(ValidateArgs),
    /// Show how each sync stands: what was done, what waits, what failed and why
    Status(StatusArgs),
    /// Say why a record is as it is: its row, what that becomes, what is known and what was done
    Explain(ExplainArgs),
    /// Rows that could not be written: see them, try them again, or forget them
    Quarantine(QuarantineArgs),
    /// The state file: look at it, keep copies, move it, forget parts of it
    State(StateArgs),
    /// Look whether everything can be reached, with which rights, and what stands in the way; costs one API call
    Doctor(JsonArgs),
    /// Compare every record with its row, both as they really are, and say what differs
    Verify(VerifyArgs),
    /// Compare, then bring what differs in step again
    Repair(RepairArgs),
    /// Read rows again, whatever the position says: some, or all
    Resync(ResyncArgs),
    /// List records that share an external id, and resolve them
    Dedupe(DedupeArgs),
    /// Who is told when something is wrong
    Alerts(AlertsArgs),
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

/// Options of commands that have no other.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct JsonArgs {
    /// As JSON
    #[arg(long)]
    pub(crate) json: bool,
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
    /// Read every row, and where deletes are on, every key: finds what the cursor column does not show
    #[arg(long)]
    pub(crate) reconcile: bool,
    /// Let so many records go whose rows are gone, where that is more than goes by itself
    #[arg(long, value_name = "NUMBER")]
    pub(crate) allow_deletes: Option<u64>,
    /// Let stopped syncs go again, and try refused rows now
    #[arg(long)]
    pub(crate) retry: bool,
    /// Send what waits though it is more than the month's calls allow; see `plan`
    #[arg(long)]
    pub(crate) over_budget: bool,
    /// The key columns were changed on purpose: forget the links and find the records again by their new keys
    #[arg(long)]
    pub(crate) accept_key_change: bool,
    /// Do what this plan says and nothing else; made by `plan --out FILE`. Where anything has changed since, nothing
    /// is sent
    #[arg(long, value_name = "FILE", conflicts_with_all = ["sync_name", "full", "retry", "accept_key_change"])]
    pub(crate) plan: Option<PathBuf>,
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
    /// Where pages, triggers and metrics are served, or `off`. Other addresses than this machine's own need a token
    /// [default: SYNC_LISTEN, else 127.0.0.1:8787]
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) listen: Option<String>,
}

/// Options of `alerts`.
#[derive(Clone, Debug, Args)]
pub(crate) struct AlertsArgs {
    #[command(subcommand)]
    pub(crate) action: AlertsAction,
}

/// What to do with alerts.
#[derive(Clone, Copy, Debug, Subcommand)]
pub(crate) enum AlertsAction {
    /// Send a message by every way that is set, now, and say how that went
    Test {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
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

/// Options of `state`.
#[derive(Clone, Debug, Args)]
pub(crate) struct StateArgs {
    #[command(subcommand)]
    pub(crate) action: StateAction,
}

/// What to do with the state file.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum StateAction {
    /// What the file holds, how large it is, and which copies there are
    Show {
        /// Look at every page, too: is the file whole?
        #[arg(long)]
        check: bool,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Copy the file while it is in use
    Backup {
        /// Into this folder [default: the state's own]
        #[arg(long, value_name = "FOLDER")]
        to: Option<PathBuf>,
        /// Only if the newest copy there is at least so many hours old
        #[arg(long, value_name = "HOURS")]
        every: Option<u32>,
        /// Then remove all copies there but so many of the newest
        #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..))]
        keep: Option<u32>,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Write links and positions as lines of JSON, to move them to another machine
    Export {
        /// Into this file, which must not be there yet; `-` is standard output
        file: PathBuf,
        /// As JSON, unless the export itself goes to standard output
        #[arg(long)]
        json: bool,
    },
    /// Read what `export` wrote. The syncs must have no links here yet
    Import {
        /// The file; `-` is standard input
        file: PathBuf,
        /// The other installation is stopped for good, and nothing ran since the export: believe it all. Without this,
        /// every row is read and every record compared, a call for each 1,000
        #[arg(long)]
        nothing_ran_since: bool,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Forget part of what is known of a sync; says first what that costs
    Reset {
        /// What to forget
        level: Level,
        /// Of this sync; may be repeated
        #[arg(long, value_name = "NAME", required = true)]
        sync_name: Vec<String>,
        /// Do it, though it cannot be undone
        #[arg(long)]
        yes: bool,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Remove old runs and old lines of the log of effects
    Prune {
        /// Runs that began more than so many days ago [default: `state.keep_runs_days`]
        #[arg(long, value_name = "DAYS")]
        runs: Option<u32>,
        /// Effects older than so many days [default: `state.keep_effects_days`]
        #[arg(long, value_name = "DAYS")]
        effects: Option<u32>,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
}

/// What `state reset` forgets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Level {
    /// How far was read: the next run reads every row
    Position,
    /// What the records hold: the next run compares every record
    Values,
    /// Which record belongs to which row: they are found again by their external id. Needs --yes
    Links,
    /// Everything about the sync, its runs and log too. Needs --yes
    Sync,
}

/// Options of `quarantine`.
#[derive(Clone, Debug, Args)]
pub(crate) struct QuarantineArgs {
    #[command(subcommand)]
    pub(crate) action: QuarantineAction,
}

/// What to do with rows in quarantine.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum QuarantineAction {
    /// A line for each row
    List {
        #[command(flatten)]
        meant: Meant,
        /// At most so many rows a sync
        #[arg(long, value_name = "NUMBER", default_value_t = 50)]
        rows: usize,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Everything about one row: why it was refused, what to do, what was to be written
    Show {
        /// The sync
        sync: String,
        /// The row's key; the parts of a composite key are joined by `|`
        key: String,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Try rows again with the next run, whatever their time. Costs a call for each 25, more where rows are refused
    /// again
    Retry {
        #[command(flatten)]
        meant: Meant,
        /// Every row
        #[arg(long)]
        all: bool,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Forget rows. Their records stay as they are; a row is taken up again when it changes or everything is read
    Drop {
        #[command(flatten)]
        meant: Meant,
        /// Every row
        #[arg(long)]
        all: bool,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
}

/// Which rows in quarantine are meant: those that meet every condition.
#[derive(Clone, Debug, Args)]
pub(crate) struct Meant {
    /// Only of this sync; may be repeated
    #[arg(long, value_name = "NAME")]
    pub(crate) sync_name: Vec<String>,
    /// Only with this complaint, such as `smartsuite_refused`
    #[arg(long, value_name = "CODE")]
    pub(crate) code: Option<String>,
    /// Only the row with this key
    #[arg(long, value_name = "KEY")]
    pub(crate) key: Option<String>,
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
