//! `resync`: rows are read again, whatever the position says; then the sync runs, or the service that runs it does.

use std::sync::Arc;

use clap::Args;
use indicatif::MultiProgress;
use sync_core::{config::model::SyncDefinition, key::Key, sql::whole_condition};
use sync_engine::{
    event::Observer,
    resync::{Marked, Resync},
    run::{RunOptions, RunOutcome},
};

use crate::{
    cli::Global,
    command,
    command::run::start_logging,
    exit::Exit,
    failure::Failure,
    mapping_file::select,
    report::{
        Screen, counted,
        run::{self, Finished},
    },
    signal::Ending,
    telemetry::{Console, LogObserver},
    turn::Turn,
    wire::Wire,
};

/// Options of `resync`.
#[derive(Clone, Debug, Args)]
pub(crate) struct ResyncArgs {
    /// The sync
    #[arg(value_name = "SYNC")]
    pub(crate) sync: String,
    /// The row with this key, as `status` shows it; may be repeated
    #[arg(long = "id", value_name = "KEY", conflicts_with = "condition")]
    pub(crate) ids: Vec<String>,
    /// Rows for which this SQL condition holds, over the columns of the query or table
    #[arg(long = "where", value_name = "SQL")]
    pub(crate) condition: Option<String>,
    /// The summary as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

impl ResyncArgs {
    fn rows(&self) -> Result<Resync, Failure> {
        match &self.condition {
            Some(condition) if whole_condition(condition).is_err() => Err(Failure::usage(
                "`--where` is no condition by itself",
                "write one condition, as after WHERE: `status = 'open' AND total > 0`",
            )),
            Some(condition) => Ok(Resync::Where(condition.clone())),
            None if self.ids.is_empty() => Ok(Resync::Everything),
            None => Ok(Resync::Keys(self.ids.iter().map(|id| Key::from_text(id)).collect())),
        }
    }
}

/// Marks the rows and runs the sync.
pub(crate) fn perform(
    global: &Global,
    args: &ResyncArgs,
    screen: &Screen,
) -> Result<Exit, Failure> {
    let rows = args.rows()?;
    let environment = command::environment()?;
    let settings = environment.settings(&command::flags(global));
    let (_, config, settings) = command::everything(global, &environment, settings, screen)?;
    let chosen = select(&config, std::slice::from_ref(&args.sync))?;
    let Some(definition) = chosen.first() else { return Ok(Exit::Done) };
    let console = Console::new(MultiProgress::new());
    start_logging(&settings, global, &console);
    let observer: Arc<dyn Observer> = Arc::new(LogObserver::default());
    let wire = Wire::new(&settings, &config, &environment, observer)?;
    let finished =
        command::runtime()?.block_on(read_again(wire, definition, rows, console, screen))?;
    let exit = finished.exit();
    if args.json {
        screen.say(&format!("{:#}", run::json(std::slice::from_ref(&finished), exit)));
    } else {
        screen.say(&run::summary(std::slice::from_ref(&finished), screen.out));
    }
    Ok(exit)
}

async fn read_again(
    wire: Wire,
    definition: &SyncDefinition,
    rows: Resync,
    console: Console,
    screen: &Screen,
) -> Result<Finished, Failure> {
    let ending = Ending::listen(move |text| console.line(text)).map_err(|error| {
        Failure::world(format!("signals cannot be listened to: {error}"), "see the system's log")
    })?;
    let task = wire.task(definition).await;
    let marked = wire.engine.resync(&task, rows).await?.map_err(|error| {
        Failure::world(format!("{} [{}]", error.message, error.kind.code()), error.remedy)
    })?;
    screen.remark(&match marked {
        Marked::Keys(keys) => format!("{} marked to be read again", counted(keys, "row")),
        Marked::Everything => "every row is marked to be read again".to_owned(),
    });
    let turn = Turn {
        wire: Arc::new(wire),
        definition: definition.clone(),
        options: RunOptions::default(),
        waits: false,
        busy_fails: false,
    };
    let finished = turn.take(ending.asked()).await;
    if matches!(finished.report.outcome, RunOutcome::Busy) {
        screen.remark("whoever runs the sync reads them with its next run");
    }
    Ok(finished)
}
