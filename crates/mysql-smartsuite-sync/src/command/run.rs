//! `run`: every enabled sync once.

use std::{collections::BTreeMap, sync::Arc};

use indicatif::MultiProgress;
use jiff::Timestamp;
use sync_core::config::model::SyncDefinition;
use sync_engine::{event::Observer, run::RunOptions};
use tokio::task::JoinSet;

use crate::{
    budget::{BudgetKeeper, Manner},
    cli::{Global, IfRunning, RunArgs},
    command,
    environment::{LogLevel, Settings},
    exit::Exit,
    failure::Failure,
    housekeeping::Housekeeping,
    mapping_file::select,
    plan::KeptPlan,
    precedence::{LastTurn, Precedence},
    report::{
        Screen, counted,
        run::{self, Finished},
    },
    signal::Ending,
    telemetry::{Console, ConsoleLog, LogObserver, Observers, Progress, start_log},
    turn::Turn,
    wire::Wire,
};

/// Runs the syncs and says what they came to.
pub(crate) fn perform(global: &Global, args: &RunArgs, screen: &Screen) -> Result<Exit, Failure> {
    let environment = command::environment()?;
    let settings = environment.settings(&command::flags(global));
    let (file, config, settings) = command::everything(global, &environment, settings, screen)?;
    let kept = args.plan.as_deref().map(KeptPlan::read).transpose()?;
    let chosen = match &kept {
        Some(plan) => plan.select(&config)?,
        None => select(&config, &args.sync_name)?,
    };
    if chosen.is_empty() {
        screen.remark("no sync is enabled in the mapping file: nothing to do");
        return Ok(Exit::Done);
    }
    let bars = MultiProgress::new();
    let console = Console::new(bars.clone());
    start_logging(&settings, global, &console);
    if file.warnings() > 0 {
        let warnings = counted(u64::try_from(file.warnings()).unwrap_or(u64::MAX), "warning");
        tracing::warn!("`{}` has {warnings}; `validate` shows them", file.path);
    }
    let mut observers: Vec<Arc<dyn Observer>> = vec![Arc::new(LogObserver::default())];
    if Screen::is_watched() {
        let width = chosen.iter().map(|sync| sync.name.chars().count()).max().unwrap_or(0);
        observers.push(Arc::new(Progress::new(bars, width)));
    }
    let mut wire = Wire::new(&settings, &config, &environment, Arc::new(Observers(observers)))?;
    for note in &wire.notes {
        tracing::warn!("{note}");
    }
    let manner = if args.over_budget { Manner::Agreed } else { Manner::Ask };
    if let Some(keeper) = BudgetKeeper::of(&config, &wire.state_path, manner) {
        wire.engine = wire.engine.clone().governed_by(Arc::new(keeper));
    }
    let mut options = RunOptions {
        full: args.full,
        retry: args.retry,
        accept_key_change: args.accept_key_change,
        follow: None,
        reconcile: args.reconcile,
        allow_deletes: args.allow_deletes,
        serves: false,
    };
    let runtime = command::runtime()?;
    if let Some(plan) = &kept {
        for definition in &chosen {
            if !plan.is_of(&definition.name, &runtime.block_on(wire.task(definition)).digest()) {
                return Err(outdated(&definition.name));
            }
        }
        options = plan.options();
        wire.engine = wire.engine.clone().overseen_by(Arc::new(plan.keeper()));
    }
    let housekeeping = Housekeeping::new(&wire, config.state);
    let finished =
        runtime.block_on(run_all(wire, &chosen, args, options, kept.as_ref(), console))?;
    housekeeping.prune();
    let exit = finished.iter().fold(Exit::Done, |exit, one| exit.and(one.exit()));
    if args.json {
        screen.say(&format!("{:#}", run::json(&finished, exit)));
    } else {
        screen.say(&run::summary(&finished, screen.out));
    }
    Ok(exit)
}

fn outdated(sync: &str) -> Failure {
    Failure::world(
        format!(
            "the definition of sync `{sync}` has changed since the plan was made [plan_outdated]"
        ),
        "make a new plan, or run without one",
    )
}

/// On a terminal the bars say what INFO lines would, and the summary what went wrong; the file has it all.
pub(crate) fn start_logging(settings: &Settings, global: &Global, console: &Console) {
    let level = settings.local.log_level;
    let quiet = Screen::is_watched() && global.log_level.is_none();
    let to_console = ConsoleLog {
        level: if quiet { level.max(LogLevel::Warning) } else { level },
        summary_follows: quiet,
        format: settings.local.log_format,
    };
    if let Some(problem) = start_log(level, to_console, console.clone()) {
        tracing::warn!("{problem}");
    }
}

/// All at once, but for those whose rows point to another's: the database serves them side by side, and the gate lets
/// their calls take turns.
async fn run_all(
    wire: Wire,
    chosen: &[&SyncDefinition],
    args: &RunArgs,
    options: RunOptions,
    kept: Option<&KeptPlan>,
    console: Console,
) -> Result<Vec<Finished>, Failure> {
    let ending = Ending::listen(move |text| console.line(text)).map_err(|error| {
        Failure::world(format!("signals cannot be listened to: {error}"), "see the system's log")
    })?;
    let wire = Arc::new(wire);
    let precedence = Precedence::of(chosen);
    let turns: Vec<Turn> =
        chosen.iter().map(|definition| turn(&wire, definition, args, options)).collect();
    let mut under_way = JoinSet::new();
    for (place, turn) in turns.iter().cloned().enumerate() {
        let (asked, precedence) = (ending.asked().clone(), Arc::clone(&precedence));
        under_way.spawn(async move {
            let _last = LastTurn::of(&precedence, place);
            let patience = Box::pin(std::future::pending());
            precedence.wait(place, Timestamp::MAX, patience, &asked).await;
            (place, turn.take(&asked).await)
        });
    }
    let mut finished = BTreeMap::new();
    while let Some(joined) = under_way.join_next().await {
        let (place, one) = joined.map_err(|error| {
            Failure::world(
                format!("a sync ended in a fault of this program: {error}"),
                "please report this",
            )
        })?;
        finished.insert(place, one);
    }
    // Tables that point to each other: what the later ones created is linked from the earlier ones now. A plan allows
    // what it shows and nothing else.
    for place in precedence.again() {
        let (Some(turn), Some(first)) = (turns.get(*place), finished.get_mut(place)) else {
            continue;
        };
        let is_planned = kept.is_none_or(|plan| plan.has_second_turn(&turn.definition.name));
        if is_planned
            && first.may_go_on()
            && !ending.asked().is_cancelled()
            && turn.has_dirty_keys()
        {
            let options = RunOptions { full: false, ..turn.options };
            let second = Turn { options, ..turn.clone() }.take(ending.asked()).await;
            first.add(second);
        }
    }
    Ok(finished.into_values().collect())
}

fn turn(
    wire: &Arc<Wire>,
    definition: &SyncDefinition,
    args: &RunArgs,
    options: RunOptions,
) -> Turn {
    Turn {
        wire: Arc::clone(wire),
        definition: definition.clone(),
        options,
        waits: args.if_running == IfRunning::Wait,
        busy_fails: args.if_running == IfRunning::Fail,
    }
}
