//! `run`: every enabled sync once.

use std::{sync::Arc, time::Duration};

use indicatif::MultiProgress;
use sync_core::{
    config::model::SyncDefinition,
    error::SourceError,
    state::{Books, RunStatus, StateError},
};
use sync_engine::{
    event::Observer,
    run::{RunOptions, RunOutcome, RunReport, SyncTask, Trouble},
};
use tokio::task::JoinSet;

use crate::{
    cli::{Global, IfRunning, RunArgs},
    command,
    environment::{LogLevel, Settings},
    exit::Exit,
    failure::Failure,
    mapping_file::select,
    report::{
        Screen, counted,
        run::{self, Finished},
    },
    signal::Ending,
    telemetry::{Console, LogObserver, Observers, Progress, RefusalCount, start_log},
    wire::Wire,
};

/// How often a sync that is busy elsewhere is asked for again.
const WAIT: Duration = Duration::from_millis(500);

/// Runs the syncs and says what they came to.
pub(crate) fn perform(global: &Global, args: &RunArgs, screen: &Screen) -> Result<Exit, Failure> {
    let environment = command::environment()?;
    let settings = environment.settings(&command::flags(global));
    let (file, config, settings) = command::everything(global, &environment, settings, screen)?;
    let chosen = select(&config, &args.sync_name)?;
    if chosen.is_empty() {
        screen.remark("no sync is enabled in the mapping file: nothing to do");
        return Ok(Exit::Done);
    }
    let bars = MultiProgress::new();
    let console = Console::new(bars.clone());
    start_logging(&settings, global, &console, screen);
    if file.warnings() > 0 {
        let warnings = counted(u64::try_from(file.warnings()).unwrap_or(u64::MAX), "warning");
        tracing::warn!("`{}` has {warnings}; `validate` shows them", file.path);
    }
    let refusals = Arc::new(RefusalCount::default());
    let mut observers: Vec<Arc<dyn Observer>> =
        vec![Arc::new(LogObserver), Arc::<RefusalCount>::clone(&refusals)];
    if Screen::is_watched() {
        let width = chosen.iter().map(|sync| sync.name.chars().count()).max().unwrap_or(0);
        observers.push(Arc::new(Progress::new(bars, width)));
    }
    let wire = Wire::new(&settings, &config, &environment, Arc::new(Observers(observers)))?;
    for note in &wire.notes {
        tracing::warn!("{note}");
    }
    let finished =
        command::runtime()?.block_on(run_all(&wire, &chosen, args, &refusals, console))?;
    let exit = finished.iter().fold(Exit::Done, |exit, one| exit.and(one.exit()));
    if args.json {
        screen.say(&format!("{:#}", run::json(&finished, exit)));
    } else {
        screen.say(&run::summary(&finished, screen.out));
    }
    Ok(exit)
}

/// On a terminal the bars say what INFO lines would; the file has them all the same.
fn start_logging(settings: &Settings, global: &Global, console: &Console, screen: &Screen) {
    let level = settings.local.log_level;
    let quiet = Screen::is_watched() && global.log_level.is_none();
    let console_level = if quiet { level.max(LogLevel::Warning) } else { level };
    if let Some(problem) = start_log(level, console_level, console.clone(), screen.err.color) {
        tracing::warn!("{problem}");
    }
}

/// All at once: the database serves them side by side, and the gate lets their calls take turns.
async fn run_all(
    wire: &Wire,
    chosen: &[&SyncDefinition],
    args: &RunArgs,
    refusals: &RefusalCount,
    console: Console,
) -> Result<Vec<Finished>, Failure> {
    let ending = Ending::listen(move |text| console.line(text)).map_err(|error| {
        Failure::world(format!("signals cannot be listened to: {error}"), "see the system's log")
    })?;
    let options = RunOptions {
        full: args.full,
        retry: args.retry,
        accept_key_change: args.accept_key_change,
    };
    let mut under_way = JoinSet::new();
    for (place, definition) in chosen.iter().enumerate() {
        let (engine, clock, ending) =
            (wire.engine.clone(), Arc::clone(&wire.clock), ending.clone());
        let (task, name) = (wire.task(definition), definition.name.clone());
        let waits = args.if_running == IfRunning::Wait;
        under_way.spawn(async move {
            let began = clock.elapsed();
            let report = match task {
                Ok(task) => one(&engine, &*clock, &task, options, waits, &ending).await,
                Err(error) => Ok(unusable(&name, &error)),
            };
            let report = report.unwrap_or_else(|error| broken(&name, &error));
            (place, report, clock.elapsed().saturating_sub(began))
        });
    }
    let mut finished = Vec::new();
    while let Some(joined) = under_way.join_next().await {
        let (place, report, took) = joined.map_err(|error| {
            Failure::world(
                format!("a sync ended in a fault of this program: {error}"),
                "please report this",
            )
        })?;
        let refusals = refusals.take(&report.sync);
        let busy_fails = args.if_running == IfRunning::Fail;
        finished.push((place, Finished { report, took, refusals, holder: None, busy_fails }));
    }
    finished.sort_by_key(|(place, _)| *place);
    Ok(finished.into_iter().map(|(_, one)| one).collect())
}

/// Runs one sync, waiting for another process that has it if asked to.
async fn one(
    engine: &sync_engine::engine::Engine,
    clock: &dyn sync_core::port::Clock,
    task: &SyncTask,
    options: RunOptions,
    waits: bool,
    ending: &Ending,
) -> Result<RunReport, StateError> {
    loop {
        let report = Box::pin(engine.run(task, options, ending.asked())).await?;
        let busy = matches!(report.outcome, RunOutcome::Busy);
        if !busy || !waits || ending.asked().is_cancelled() {
            return Ok(report);
        }
        tokio::select! {
            biased;
            () = ending.asked().cancelled() => {}
            () = clock.sleep(WAIT) => {}
        }
    }
}

/// The report of a sync whose query cannot be used.
fn unusable(sync: &str, error: &SourceError) -> RunReport {
    failed(sync, Trouble::from(error))
}

/// The report of a sync that the state gave up on.
fn broken(sync: &str, error: &StateError) -> RunReport {
    failed(sync, Trouble::from(error))
}

fn failed(sync: &str, trouble: Trouble) -> RunReport {
    RunReport {
        sync: sync.to_owned(),
        outcome: RunOutcome::Ran { status: RunStatus::Failed, trouble: Some(trouble) },
        books: Books::default(),
        calls: 0,
    }
}
