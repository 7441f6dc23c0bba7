//! `schedule`: the service. One task a sync sleeps until its time and takes its turn; a database or a SmartSuite that
//! is down ends a turn, never the service.

use std::sync::Arc;

use indicatif::{MultiProgress, ProgressDrawTarget};
use sync_core::{config::model::Config, schedule::Schedule};
use sync_engine::event::Observer;
use sync_server::Live;
use sync_store::check;
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
    report::{Screen, counted},
    service::{Http, ServiceDesk, Shift, ShiftPlan, manager},
    signal::Ending,
    telemetry::{Console, ConsoleLog, LogObserver, Observers, start_log},
    wire::{Usage, Wire},
};

/// Serves until it is ended.
pub(crate) fn perform(
    global: &Global,
    args: &ScheduleArgs,
    screen: &Screen,
) -> Result<Exit, Failure> {
    let environment = command::environment()?;
    let flags = crate::environment::Flags {
        interval_minutes: args.interval,
        listen: args.listen.clone(),
        ..command::flags(global)
    };
    let http = environment.http_settings(&flags)?;
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
    let clock = Usage::of(&settings, &config, &environment)?.clock;
    let live = Arc::new(Live::new(Arc::clone(&clock)));
    let observers: Vec<Arc<dyn Observer>> =
        vec![Arc::new(LogObserver::default()), Arc::<Live>::clone(&live)];
    let observer = Arc::new(Observers(observers));
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
    let path = wire.state_path.clone();
    let alarm = Alarm::of(&config, interval, path.clone(), troubles, Arc::clone(&clock));
    let desk = Arc::new(ServiceDesk::new(path.clone(), Arc::clone(&clock)));
    let http = Http::new(http, Arc::clone(&desk), live, &clock, path)?;
    let plan = ShiftPlan { wire, timetable, immediately: args.run_immediately };
    command::runtime()?.block_on(serve(
        plan,
        (config, interval),
        desk,
        http,
        housekeeping,
        alarm,
        console,
    ))
}

async fn serve(
    plan: ShiftPlan,
    (config, interval_minutes): (Config, u32),
    desk: Arc<ServiceDesk>,
    http: Option<Http>,
    housekeeping: Housekeeping,
    alarm: Option<Alarm>,
    console: Console,
) -> Result<Exit, Failure> {
    let ending = Ending::listen(move |text| console.line(text)).map_err(|error| {
        Failure::world(format!("signals cannot be listened to: {error}"), "see the system's log")
    })?;
    let syncs = u64::try_from(plan.timetable.len()).unwrap_or(0);
    tracing::info!("serving {}", counted(syncs, "sync"));
    let closing = CancellationToken::new();
    let http = http.map(|http| tokio::spawn(http.keep(closing.clone())));
    manager::ready();
    let mut shift = Shift::start(plan, ending.asked());
    desk.open(&shift, config, interval_minutes);
    if let Some(alarm) = alarm {
        // Ends with the service: a message on its way is sent again by the next.
        drop(tokio::spawn(alarm.keep(ending.asked().clone())));
    }
    let housekeeper = tokio::spawn(housekeeping.keep(ending.asked().clone()));
    loop {
        tokio::select! {
            biased;
            () = ending.asked().cancelled() => break,
            ended = shift.next_ended() => if !ended? {
                break;
            },
        }
    }
    manager::stopping();
    desk.close();
    shift.end().await?;
    // Until now it said that the service is ending.
    closing.cancel();
    if let Some(http) = http {
        drop(http.await);
    }
    housekeeper.await.map_err(|error| {
        Failure::world(format!("the housekeeping ended in a fault: {error}"), "please report this")
    })?;
    tracing::info!("ended: nothing is under way any more");
    Ok(if ending.by_system() { Exit::Done } else { Exit::Interrupted })
}
