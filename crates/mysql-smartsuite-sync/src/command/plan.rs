//! `plan`: what a run would do, record by record, and what it would cost. Writes nothing to SmartSuite and nothing to
//! the state.

use std::path::PathBuf;

use clap::Args;
use sync_engine::run::RunOptions;

use crate::{
    cli::Global,
    command,
    exit::Exit,
    failure::Failure,
    mapping_file::select,
    plan::{Wishes, make},
    report::{Screen, plan as report},
    signal::Ending,
};

/// Options of `plan`.
#[derive(Clone, Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the command line")]
pub(crate) struct PlanArgs {
    /// Only this sync; may be repeated. Without it: every enabled sync
    #[arg(long, value_name = "NAME")]
    sync_name: Vec<String>,
    /// Plan a run that reads every row
    #[arg(long)]
    full: bool,
    /// Plan a run that lets stopped syncs go again and tries refused rows
    #[arg(long)]
    retry: bool,
    /// Plan a run that takes changed key columns for meant
    #[arg(long)]
    accept_key_change: bool,
    /// Read what the records hold now, one call for each 25 of those shown
    #[arg(long, conflicts_with = "offline")]
    live: bool,
    /// Ask SmartSuite nothing: the tables must be known from earlier runs, and are taken to hold nothing that is not
    #[arg(long)]
    offline: bool,
    /// Show at most so many records a sync
    #[arg(long, value_name = "NUMBER", default_value_t = 10)]
    records: usize,
    /// Show every record
    #[arg(long, conflicts_with = "records")]
    all: bool,
    /// Keep the plan in this file, for `run --plan FILE`
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// As JSON
    #[arg(long)]
    json: bool,
}

/// Makes the plan and shows it.
pub(crate) fn perform(global: &Global, args: &PlanArgs, screen: &Screen) -> Result<Exit, Failure> {
    let environment = command::environment()?;
    let settings = environment.settings(&command::flags(global));
    let (_, config, settings) = command::everything(global, &environment, settings, screen)?;
    let chosen = select(&config, &args.sync_name)?;
    if chosen.is_empty() {
        screen.remark("no sync is enabled in the mapping file: nothing to plan");
        return Ok(Exit::Done);
    }
    let wishes = Wishes {
        settings: &settings,
        config: &config,
        environment: &environment,
        chosen: &chosen,
        options: RunOptions {
            full: args.full,
            retry: args.retry,
            accept_key_change: args.accept_key_change,
            ..RunOptions::default()
        },
        shown_max: if args.all { usize::MAX } else { args.records },
        offline: args.offline,
        live: args.live,
    };
    // One thread: the rehearsal's clock leaps when everybody else has had their turn.
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|error| {
            Failure::world(format!("no thread could be started: {error}"), "end other programs")
        })?;
    let spoken = *screen;
    let plan = runtime.block_on(async {
        let ending = Ending::listen(move |text| spoken.remark(text)).map_err(|error| {
            Failure::world(
                format!("signals cannot be listened to: {error}"),
                "see the system's log",
            )
        })?;
        make(&wishes, ending.asked()).await
    })?;
    let exit = report::exit(&plan);
    let json = report::json(&plan, exit);
    if let Some(path) = &args.out {
        plan.store(path, json.clone())?;
    }
    if args.json {
        screen.say(&format!("{json:#}"));
    } else {
        screen.say(&report::text(&plan, screen.out));
        if let Some(path) = &args.out {
            screen.say(&report::kept(path));
        }
    }
    Ok(exit)
}
