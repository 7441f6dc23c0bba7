//! The log: the engine's events as lines for the console and for `logs/sync.log`. No line holds a row's values or key.

use std::{path::Path, time::Duration};

use sync_core::mapping::Severity;
use sync_engine::event::{Event, FullRead, Observer};
use tracing::{debug, info, level_filters::LevelFilter, warn};
use tracing_subscriber::{
    Layer as _, filter::Targets, fmt, layer::SubscriberExt as _, util::SubscriberInitExt as _,
};

use crate::{
    environment::LogLevel,
    report::{counted, run::SUMMARY},
    telemetry::{Console, line::LineFormat, rotation::RotatingFile},
};

/// Where the log file is, from the working directory: where the Python program had it.
const LOG_FILE: &str = "logs/sync.log";

/// What goes to the console.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ConsoleLog {
    /// The least grave lines shown.
    pub(crate) level: LogLevel,
    /// Whether lines are left out that repeat what a summary on the same terminal says.
    pub(crate) summary_follows: bool,
}

/// Lets log lines go to the file at `level`, and to the console. Answers what is wrong with the file, if it cannot be
/// written; the console goes on without it.
pub(crate) fn start_log(
    level: LogLevel,
    to_console: ConsoleLog,
    console: Console,
) -> Option<String> {
    // Only lines of this program: those of libraries may hold what must not be logged.
    let ours = |level| Targets::new().with_target(env!("CARGO_CRATE_NAME"), filter(level));
    let mut shown = ours(to_console.level);
    if to_console.summary_follows {
        shown = shown.with_target(SUMMARY, LevelFilter::OFF);
    }
    let lines = fmt::layer().event_format(LineFormat).with_writer(console);
    let mut layers = vec![lines.with_filter(shown).boxed()];
    let mut problem = None;
    match RotatingFile::open(Path::new(LOG_FILE)) {
        Ok(file) => {
            let lines = fmt::layer().event_format(LineFormat).with_writer(file);
            layers.push(lines.with_filter(ours(level)).boxed());
        }
        Err(error) => {
            problem = Some(format!("the log file `{LOG_FILE}` cannot be written: {error}"));
        }
    }
    // A second start in one process, as in tests, keeps the first one's log.
    drop(tracing_subscriber::registry().with(layers).try_init());
    problem
}

fn filter(level: LogLevel) -> LevelFilter {
    match level {
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Warning => LevelFilter::WARN,
        LogLevel::Error => LevelFilter::ERROR,
    }
}

/// Writes events to the log.
#[derive(Debug)]
pub(crate) struct LogObserver;

impl Observer for LogObserver {
    fn observe(&self, sync: &str, event: &Event) {
        match event {
            Event::RunBegan { run, waiting } => {
                info!(sync.name = sync, run.id = run, waiting, "run began");
            }
            Event::ReadOpened { full } => match full {
                Some(why) => info!(sync.name = sync, "reads every row: {}", because(*why)),
                None => debug!(sync.name = sync, "reads rows that changed"),
            },
            Event::Note { text } => info!(sync.name = sync, "{text}"),
            Event::Finding(finding) => {
                let code = finding.code.code();
                if finding.severity() == Severity::Note {
                    debug!(sync.name = sync, code, "{}", finding.message);
                } else {
                    warn!(sync.name = sync, code, "{}", finding.message);
                }
            }
            Event::Captured { books } => {
                debug!(sync.name = sync, rows = books.read, queued = books.queued, "rows stored");
            }
            Event::Swept { shown, candidates } => info!(
                sync.name = sync,
                "swept {}: {} without a row",
                counted(*shown, "key"),
                counted(*candidates, "record")
            ),
            Event::CallLeft { kind, items, number } => {
                debug!(sync.name = sync, kind = kind.word(), items, number, "call leaves");
            }
            Event::CallEnded { kind, took, error } => {
                let (kind, duration_ms) = (kind.word(), millis(*took));
                match error {
                    Some(error) => {
                        warn!(sync.name = sync, kind, duration_ms, code = error.code(), "{error}");
                    }
                    None => debug!(sync.name = sync, kind, duration_ms, "call answered"),
                }
            }
            Event::Paused { until } => {
                warn!(sync.name = sync, %until, "SmartSuite asked for a pause; every call waits");
            }
            Event::Settled { books, waiting } => {
                debug!(sync.name = sync, settled = books.left(), waiting, "answers settled");
            }
            Event::Matched { adopted, ambiguous } => info!(
                sync.name = sync,
                ambiguous,
                "{} took over a record that carried no key; {} for a person to tell apart: see `quarantine list`",
                counted(*adopted, "row"),
                counted(*ambiguous, "row")
            ),
            Event::RowRefused { code, slug } => {
                debug!(sync.name = sync, code, field = slug, "row refused");
            }
            Event::InDoubt { entries } => {
                let creates = u64::try_from(*entries).unwrap_or(u64::MAX);
                warn!(
                    sync.name = sync,
                    "nobody answered for {}: looked up before anything is created again",
                    counted(creates, "create")
                );
            }
            Event::RunEnded { run, status, books, calls } => info!(
                sync.name = sync,
                run.id = run,
                status = status.word(),
                calls,
                "{}",
                crate::report::run::happened(books)
            ),
        }
    }
}

fn because(why: FullRead) -> &'static str {
    match why {
        FullRead::Asked => "asked for",
        FullRead::Due(reason) => reason.because(),
        FullRead::NoCursor => "the sync has no `updated_at_field`",
        FullRead::Reconcile => "it is time again, for changes that the cursor column does not show",
    }
}

fn millis(length: Duration) -> u64 {
    u64::try_from(length.as_millis()).unwrap_or(u64::MAX)
}
