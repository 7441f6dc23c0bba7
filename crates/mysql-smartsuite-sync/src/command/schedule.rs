//! `schedule`: the service. One task a sync sleeps until its time and takes its turn; a database or a SmartSuite that
//! is down ends a turn, never the service.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use indicatif::{MultiProgress, ProgressDrawTarget};
use sync_core::{config::model::Config, port::Clock};
use sync_engine::event::Observer;
use sync_server::Live;
use sync_store::check;
use tokio_util::sync::CancellationToken;

use crate::{
    cli::{Global, ScheduleArgs},
    command,
    exit::Exit,
    failure::Failure,
    report::{Screen, counted},
    service::{
        Beside, Http, Manager, Reload, ServiceDesk, Shift, ShiftPlan, Vitals, health, within,
    },
    signal::Ending,
    telemetry::{Console, ConsoleLog, LogObserver, Observers, start_log},
    wire::Usage,
};

/// How long what is under way may take to end: the service manager's patience is two minutes.
const ENDING_MAX: Duration = Duration::from_secs(110);
/// How long those may take who are told last: who answers over HTTP, and who tells the service manager.
const LAST_MAX: Duration = Duration::from_secs(5);
/// How long threads may take that cannot be told to end.
const LEFT_MAX: Duration = Duration::from_secs(2);

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
    let observer: Arc<dyn Observer> = Arc::new(Observers(observers));
    let path = global.config.clone();
    let mut reload = Reload::new(path, environment, settings, observer, Arc::clone(&clock));
    let plan = reload.plan(&config, args.run_immediately)?;
    let state = plan.wire.state_path.clone();
    check(&state)?;
    let vitals = Arc::new(Vitals::default());
    let desk = ServiceDesk::new(state.clone(), Arc::clone(&clock), Arc::clone(&vitals));
    let desk = Arc::new(desk);
    let http = Http::new(http, Arc::clone(&desk), live, &clock, state)?;
    let runtime = command::runtime()?;
    let service = Service { desk, http, vitals, manager: Manager::of_environment() };
    let served = runtime.block_on(serve(plan, config, &mut reload, service, console));
    // Without this a name that is still looked up would hold the process.
    runtime.shutdown_timeout(LEFT_MAX);
    served
}

/// What lasts as long as the service, whatever the mapping file becomes.
struct Service {
    desk: Arc<ServiceDesk>,
    http: Option<Http>,
    vitals: Arc<Vitals>,
    manager: Manager,
}

async fn serve(
    mut plan: ShiftPlan,
    mut config: Config,
    reload: &mut Reload,
    service: Service,
    console: Console,
) -> Result<Exit, Failure> {
    let Service { desk, mut http, vitals, manager } = service;
    let unheard = |error: std::io::Error| {
        Failure::world(format!("signals cannot be listened to: {error}"), "see the system's log")
    };
    let ending = Ending::listen(move |text| console.line(text)).map_err(unheard)?;
    reload.listen().map_err(unheard)?;
    let syncs = u64::try_from(plan.timetable.len()).unwrap_or(0);
    tracing::info!("serving {}", counted(syncs, "sync"));
    let (closing, clock) = (CancellationToken::new(), Arc::clone(reload.clock()));
    let (mut tasks, mut legacies) = (Vec::new(), BTreeMap::new());
    loop {
        let mut shift = Shift::start(plan, legacies, ending.asked());
        let beside = Beside::start(&shift.wire, &config, reload, &vitals, ending.asked());
        desk.open(&shift, config, reload.interval_minutes());
        if tasks.is_empty() {
            if let Some(http) = &mut http {
                http.listen().await;
            }
            // Whoever asks from now on is answered.
            manager.ready();
            let (path, clock) = (shift.wire.state_path.clone(), Arc::clone(&clock));
            let (teller, seen) = (manager.clone(), Arc::clone(&vitals));
            tasks.push(tokio::spawn(health::tell(teller, path, clock, seen, closing.clone())));
            let pages = http.take().map(|http| http.keep(closing.clone()));
            let pages = pages.map(|pages| vitals.watch("pages", &closing, pages));
            tasks.extend(pages.map(tokio::spawn));
        }
        let next = loop {
            tokio::select! {
                biased;
                () = ending.asked().cancelled() => break None,
                () = reload.wanted() => if let Some(next) = reload.read() {
                    break Some(next);
                },
                ended = shift.next_ended() => if !ended? {
                    break None;
                },
            }
        };
        // What is under way ends. Under the new configuration, if there is one, its keepers see that it was broken off.
        desk.close();
        end(&mut shift, beside, &ending, clock.as_ref(), &manager).await?;
        match next {
            Some(next) if !ending.asked().is_cancelled() => {
                legacies = shift.close();
                (config, plan) = next;
            }
            _ => break,
        }
    }
    // Until now it said that the service is ending.
    closing.cancel();
    let last = async {
        for task in tasks {
            drop(task.await);
        }
    };
    within(LAST_MAX, clock.as_ref(), last).await;
    tracing::info!("ended: nothing is under way any more");
    Ok(if ending.by_system() { Exit::Done } else { Exit::Interrupted })
}

/// Ends a shift and what goes on beside it. Once the end of the service is asked for, that takes no longer than a service
/// manager waits.
async fn end(
    shift: &mut Shift,
    beside: Beside,
    ending: &Ending,
    clock: &dyn Clock,
    manager: &Manager,
) -> Result<(), Failure> {
    let patience = async {
        ending.asked().cancelled().await;
        manager.stopping();
        clock.sleep(ENDING_MAX).await;
    };
    let all = async { tokio::join!(shift.end(), beside.end()).0 };
    tokio::select! {
        biased;
        // First, as it tells that the service ends, however soon that is.
        () = patience => {
            tracing::warn!(
                "not everything has ended in time; what was being sent is looked up by the next run"
            );
            Ok(())
        }
        ended = all => ended,
    }
}
