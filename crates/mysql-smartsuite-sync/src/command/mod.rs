//! One file for each command.

mod alerts;
mod aside;
mod completions;
mod consent;
pub(crate) mod dedupe;
mod doctor;
mod emulator;
pub(crate) mod explain;
pub(crate) mod init;
mod man;
pub(crate) mod plan;
pub(crate) mod probe;
mod quarantine;
pub(crate) mod resync;
mod run;
mod schedule;
pub(crate) mod state;
mod status;
mod validate;
pub(crate) mod verify;

use std::{path::Path, process::ExitCode};

use crate::{
    cli::{Cli, Command, Global},
    environment::{Environment, Flags},
    exit::Exit,
    failure::Failure,
    mapping_file::MappingFile,
    report::Screen,
};

/// Does what was asked.
pub(crate) fn perform(cli: Cli, screen: &Screen) -> Result<ExitCode, Failure> {
    let Cli { global, command } = cli;
    match command {
        Command::Run(args) => run::perform(&global, &args, screen).map(Into::into),
        Command::Plan(args) => plan::perform(&global, &args, screen).map(Into::into),
        Command::Schedule(args) => schedule::perform(&global, &args, screen).map(Into::into),
        Command::Status(args) => status::perform(&global, &args, screen).map(Into::into),
        Command::Validate(args) => validate::perform(&global, &args, screen).map(Into::into),
        Command::Explain(args) => explain::perform(&global, &args, screen).map(Into::into),
        Command::Init(args) => init::perform(&global, &args, screen).map(Into::into),
        Command::Quarantine(args) => quarantine::perform(&global, &args, screen).map(Into::into),
        Command::State(args) => state::perform(&global, &args, screen).map(Into::into),
        Command::Doctor(args) => doctor::perform(&global, &args, screen).map(Into::into),
        Command::Verify(args) => verify::perform(&global, &args, screen).map(Into::into),
        Command::Repair(args) => verify::repair(&global, &args, screen).map(Into::into),
        Command::Resync(args) => resync::perform(&global, &args, screen).map(Into::into),
        Command::Dedupe(args) => dedupe::perform(&global, &args, screen).map(Into::into),
        Command::Alerts(args) => alerts::perform(&global, &args, screen).map(Into::into),
        Command::Probe(args) => probe::perform(&global, &args, screen).map(Into::into),
        Command::Completions { shell } => {
            completions::perform(shell, screen);
            Ok(Exit::Done.into())
        }
        Command::Man { folder } => {
            man::perform(folder.as_deref(), screen).map(|()| Exit::Done.into())
        }
        Command::Emulator(args) => Ok(emulator::perform(&args)),
    }
}

/// The process's variables and those of `.env` in the working directory.
pub(crate) fn environment() -> Result<Environment, Failure> {
    Ok(Environment::of_process(Path::new(".env"))?)
}

pub(crate) fn flags(global: &Global) -> Flags {
    Flags { log_level: global.log_level, log_format: global.log_format, ..Flags::default() }
}

/// The mapping file, if it can be used, together with the settings, if they can: else everything that is wrong with
/// either is shown.
fn everything<S>(
    global: &Global,
    environment: &Environment,
    settings: Result<S, crate::environment::SettingsError>,
    screen: &Screen,
) -> Result<(MappingFile, sync_core::config::model::Config, S), Failure> {
    let file = MappingFile::read(&global.config, environment);
    let file = file.and_then(|mut file| match file.config.take() {
        Some(config) => Ok((file, config)),
        None => {
            let color = screen.err.color;
            let shown = crate::report::diagnostic::screen(&file.diagnostics, &file.sources, color);
            screen.remark(shown.trim_end());
            Err(Failure::usage("", ""))
        }
    });
    match (file, settings) {
        (Ok((file, config)), Ok(settings)) => Ok((file, config, settings)),
        (Ok(_), Err(error)) => Err(error.into()),
        (Err(failure), Ok(_)) => Err(failure),
        (Err(failure), Err(error)) => {
            screen.failure(&failure);
            Err(error.into())
        }
    }
}

/// What asynchronous commands run on.
fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(|error| {
        Failure::world(format!("no thread could be started: {error}"), "end other programs")
    })
}
