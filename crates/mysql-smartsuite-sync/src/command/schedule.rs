//! `schedule`: the service. One task a sync sleeps until its time and takes its turn; a database or a SmartSuite that
//! is down ends a turn, never the service.

use std::{sync::Arc, time::Duration};

use indicatif::{MultiProgress, ProgressDrawTarget};
use jiff::Timestamp;
use sync_core::{
    config::model::{CaptureMode, SyncDefinition},
    schedule::Schedule,
    state::RunStatus,
};
use sync_engine::{
    event::Observer,
    run::{RunOptions, RunOutcome},
};
use sync_store::{StateReader, check};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::{
    alerting::{Alarm, Troubles},
    budget::{BudgetKeeper, Manner},
    cli::{Global, ScheduleArgs},
    command,
    exit::Exit,
    failure::Failure,
    housekeeping::Housekeeping,
    mapping_file::select,
    precedence::{LastTurn, PATIENCE, Precedence},
    report::{Screen, counted},
    service,
    signal::Ending,
    telemetry::{Console, ConsoleLog, LogObserver, start_log},
    turn::Turn,
    wire::Wire,
};

/// A run that follows ends after this time, and the next begins: each has its books.
const RUN_LENGTH: Duration = Duration::from_hours(1);
/// Between a run that failed and the next, at first and at most.
const PAUSE_FIRST: Duration = Duration::from_secs(5);
const PAUSE_MAX: Duration = Duration::from_mins(5);

/// The longest sleep at once: timers stand still while a machine sleeps, the wall clock does not.
const NAP: Duration = Duration::from_secs(30);

/// Serves until it is ended.
pub(crate) fn perform(
    global: &Global,
    args: &ScheduleArgs,
    screen: &Screen,
) -> Result<Exit, Failure> {
    let environment = command::environment()?;
    let flags =
        crate::environment::Flags { interval_minutes: args.interval, ..command::flags(global) };
    let settings = environment.settings(&flags);
    let (file, config, settings) = command::everything(global, &environment, settings, screen)?;
    let syncs = select(&config, &[])?;
    if syncs.is_empty() {
        return Err(Failure::usage(
            "no sync is enabled in the mapping file",
            "set `enabled: true` where a sync should run",
        ));
    }
    let console = Console::new(MultiProgress::with_draw_target(ProgressDrawTarget::hidden()));
    let level = settings.local.log_level;
    let to_console =
        ConsoleLog { level, summary_follows: false, format: settings.local.log_format };
    let problem = start_log(level, to_console, console.clone());
    if let Some(problem) = &problem {
        tracing::warn!("{problem}");
    }
    if file.warnings() > 0 {
        let warnings = counted(u64::try_from(file.warnings()).unwrap_or(u64::MAX), "warning");
        tracing::warn!("`{}` has {warnings}; `validate` shows them", file.path);
    }
    let observer: Arc<dyn Observer> = Arc::new(LogObserver::default());
    let mut wire = Wire::new(&settings, &config, &environment, observer)?;
    if let Some(keeper) = BudgetKeeper::of(&config, &wire.state_path, Manner::Spread) {
        wire.engine = wire.engine.clone().governed_by(Arc::new(keeper));
    }
    wire.notes.iter().for_each(|note| tracing::warn!("{note}"));
    let mut timetable = Vec::new();
    for sync in syncs {
        let schedule = match &sync.schedule {
            Some(definition) => Schedule::new(definition).map_err(|error| {
                Failure::usage(
                    format!("the schedule of sync `{}` cannot be used: {error}", sync.name),
                    "mend `schedule` in the mapping file",
                )
            })?,
            None => Schedule::every(settings.local.interval_minutes),
        };
        timetable.push((sync.clone(), schedule));
    }
    check(&wire.state_path)?;
    let troubles = Arc::new(Troubles::default());
    let housekeeping = Housekeeping::new(&wire, config.state).telling(&troubles);
    let interval = settings.local.interval_minutes;
    let (path, clock) = (wire.state_path.clone(), Arc::clone(&wire.clock));
    let alarm = Alarm::of(&config, interval, path, troubles, clock);
    command::runtime()?.block_on(serve(
        wire,
        housekeeping,
        alarm,
        timetable,
        args.run_immediately,
        console,
    ))
}

async fn serve(
    wire: Wire,
    housekeeping: Housekeeping,
    alarm: Option<Alarm>,
    timetable: Vec<(SyncDefinition, Schedule)>,
    immediately: bool,
    console: Console,
) -> Result<Exit, Failure> {
    let ending = Ending::listen(move |text| console.line(text)).map_err(|error| {
        Failure::world(format!("signals cannot be listened to: {error}"), "see the system's log")
    })?;
    tracing::info!("serving {}", counted(u64::try_from(timetable.len()).unwrap_or(0), "sync"));
    service::ready();
    let wire = Arc::new(wire);
    let mut tasks = JoinSet::new();
    let start = immediately.then(|| wire.clock.now());
    let precedence = Precedence::of(&timetable.iter().map(|(sync, _)| sync).collect::<Vec<_>>());
    for (place, (definition, schedule)) in timetable.into_iter().enumerate() {
        let turn = Turn {
            wire: Arc::clone(&wire),
            definition,
            options: RunOptions { serves: true, ..RunOptions::default() },
            waits: false,
            busy_fails: false,
        };
        let asked = ending.asked().clone();
        if turn.definition.capture == CaptureMode::Binlog {
            // It is always under way: nobody waits for the end of its turn.
            precedence.set_due(place, None);
            tasks.spawn(keep_following(turn, asked));
        } else {
            let keeper = Keeper { turn, schedule, precedence: Arc::clone(&precedence), place };
            tasks.spawn(keeper.keep(start, asked));
        }
    }
    if let Some(alarm) = alarm {
        // Ends with the service: a message on its way is sent again by the next.
        drop(tokio::spawn(alarm.keep(ending.asked().clone())));
    }
    let housekeeper = tokio::spawn(housekeeping.keep(ending.asked().clone()));
    let mut stopping = Box::pin(ending.asked().cancelled());
    loop {
        tokio::select! {
            biased;
            () = &mut stopping => break,
            joined = tasks.join_next() => match joined {
                Some(joined) => joined.map_err(fault)?,
                None => {
                    housekeeper.abort();
                    return Ok(Exit::Done);
                }
            },
        }
    }
    service::stopping();
    while let Some(joined) = tasks.join_next().await {
        joined.map_err(fault)?;
    }
    housekeeper.await.map_err(fault)?;
    tracing::info!("ended: nothing is under way any more");
    Ok(if ending.by_system() { Exit::Done } else { Exit::Interrupted })
}

#[expect(clippy::needless_pass_by_value, reason = "what `map_err` hands over")]
fn fault(error: tokio::task::JoinError) -> Failure {
    Failure::world(
        format!("a sync ended in a fault of this program: {error}"),
        "please report this",
    )
}

/// Keeps one sync at its times.
struct Keeper {
    turn: Turn,
    schedule: Schedule,
    precedence: Arc<Precedence>,
    place: usize,
}

impl Keeper {
    /// Runs the sync at `start`, if there is one, and at its times, until the end is asked for.
    async fn keep(self, start: Option<Timestamp>, ending: CancellationToken) {
        let Self { turn, schedule, precedence, place } = self;
        let _last = LastTurn::of(&precedence, place);
        let clock = Arc::clone(&turn.wire.clock);
        let name = turn.definition.name.clone();
        let mut last_start = last_start(&turn);
        let mut start = start;
        while !ending.is_cancelled() {
            let now = clock.now();
            let due = start.take().or_else(|| schedule.next_after(now, last_start));
            let Some(due) = due else {
                tracing::info!(sync.name = name, "its schedule has no next time");
                return;
            };
            precedence.set_due(place, Some(due));
            tracing::info!(
                sync.name = name,
                "next run at {}",
                due.strftime("%Y-%m-%d %H:%M:%S UTC")
            );
            while clock.now() < due {
                let left = Duration::try_from(due.duration_since(clock.now())).unwrap_or_default();
                tokio::select! {
                    biased;
                    () = ending.cancelled() => return,
                    () = clock.sleep(left.min(NAP)) => {}
                }
            }
            // Syncs whose times were missed are due at once, whichever time it was.
            precedence.wait(place, due.max(now), clock.sleep(PATIENCE), &ending).await;
            if ending.is_cancelled() {
                return;
            }
            last_start = Some(clock.now());
            turn.take(&ending).await;
        }
    }
}

/// Follows the log for one sync until the end is asked for. A run at a time sweeps and compares when that is due.
async fn keep_following(mut turn: Turn, ending: CancellationToken) {
    let clock = Arc::clone(&turn.wire.clock);
    turn.options.follow = Some(RUN_LENGTH);
    let mut failures = 0;
    while !ending.is_cancelled() {
        let finished = turn.take(&ending).await;
        let is_well = matches!(
            finished.report.outcome,
            RunOutcome::Ran { status: RunStatus::Success | RunStatus::Partial, .. }
        );
        if is_well {
            failures = 0;
            continue;
        }
        let pause = PAUSE_FIRST * 2_u32.saturating_pow(failures);
        failures += 1;
        tokio::select! {
            biased;
            () = ending.cancelled() => return,
            () = clock.sleep(pause.min(PAUSE_MAX)) => {}
        }
    }
}

/// When the sync last began, here or in another process: a time that was missed since is made up for once.
fn last_start(turn: &Turn) -> Option<Timestamp> {
    let reader = StateReader::open(&turn.wire.state_path).ok()?;
    Some(reader.runs(&turn.definition.name, 1).ok()?.first()?.started_at)
}
