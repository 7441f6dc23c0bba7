//! The log: the engine's events as lines for the console and for `logs/sync.log`. No line holds a row's values or key.

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use sync_core::mapping::Severity;
use sync_engine::event::{Event, FullRead, Observer};
use tracing::{debug, info, level_filters::LevelFilter, warn};
use tracing_subscriber::{
    Layer as _, filter::Targets, fmt, layer::SubscriberExt as _, util::SubscriberInitExt as _,
};

use crate::{
    environment::{LogFormat, LogLevel},
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
    /// The form of lines, there and in the file.
    pub(crate) format: LogFormat,
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
    let form = LineFormat(to_console.format);
    let lines = fmt::layer().event_format(form).with_writer(console);
    let mut layers = vec![lines.with_filter(shown).boxed()];
    let mut problem = None;
    match RotatingFile::open(Path::new(LOG_FILE)) {
        Ok(file) => {
            let lines = fmt::layer().event_format(form).with_writer(file);
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

/// Writes events to the log, each with the run it belongs to.
#[derive(Debug, Default)]
pub(crate) struct LogObserver {
    /// The run that is under way, by sync.
    runs: Mutex<BTreeMap<String, i64>>,
}

impl LogObserver {
    /// The run that an event belongs to: from its beginning until its end is told.
    fn run_of(&self, sync: &str, event: &Event) -> Option<i64> {
        let mut runs = self.runs.lock().unwrap_or_else(PoisonError::into_inner);
        match event {
            Event::RunBegan { run, .. } => {
                runs.insert(sync.to_owned(), *run);
                Some(*run)
            }
            Event::RunEnded { .. } => runs.remove(sync),
            _ => runs.get(sync).copied(),
        }
    }
}

impl Observer for LogObserver {
    fn observe(&self, sync: &str, event: &Event) {
        let run = self.run_of(sync, event);
        match event {
            Event::RunBegan { waiting, .. } => {
                info!(sync.name = sync, run.id = run, waiting, "run began");
            }
            Event::ReadOpened { full } => match full {
                Some(why) => {
                    info!(sync.name = sync, run.id = run, "reads every row: {}", because(*why));
                }
                None => debug!(sync.name = sync, run.id = run, "reads rows that changed"),
            },
            Event::Note { text } => info!(sync.name = sync, run.id = run, "{text}"),
            Event::Finding(finding) => {
                let code = finding.code.code();
                if finding.severity() == Severity::Note {
                    debug!(sync.name = sync, run.id = run, code, "{}", finding.message);
                } else {
                    warn!(sync.name = sync, run.id = run, code, "{}", finding.message);
                }
            }
            Event::Captured { books } => {
                debug!(
                    sync.name = sync,
                    run.id = run,
                    rows = books.read,
                    queued = books.queued,
                    "rows stored"
                );
            }
            Event::Swept { shown, candidates } => info!(
                sync.name = sync,
                run.id = run,
                "swept {}: {} without a row",
                counted(*shown, "key"),
                counted(*candidates, "record")
            ),
            Event::CallLeft { kind, items, number } => {
                debug!(
                    sync.name = sync,
                    run.id = run,
                    kind = kind.word(),
                    items,
                    number,
                    "call leaves"
                );
            }
            Event::CallEnded { kind, took, error } => {
                let (kind, duration_ms) = (kind.word(), millis(*took));
                match error {
                    Some(error) => {
                        warn!(
                            sync.name = sync,
                            run.id = run,
                            kind,
                            duration_ms,
                            code = error.code(),
                            "{error}"
                        );
                    }
                    None => {
                        debug!(sync.name = sync, run.id = run, kind, duration_ms, "call answered");
                    }
                }
            }
            Event::Paused { until } => {
                warn!(sync.name = sync, run.id = run, %until, "SmartSuite asked for a pause; every call waits");
            }
            Event::Settled { books, waiting } => {
                debug!(
                    sync.name = sync,
                    run.id = run,
                    settled = books.left(),
                    waiting,
                    "answers settled"
                );
            }
            Event::Matched { adopted, ambiguous } => info!(
                sync.name = sync,
                ambiguous,
                "{} took over a record that carried no key; {} for a person to tell apart: see `quarantine list`",
                counted(*adopted, "row"),
                counted(*ambiguous, "row")
            ),
            Event::RowRefused { code, slug } => {
                debug!(sync.name = sync, run.id = run, code, field = slug, "row refused");
            }
            Event::InDoubt { entries } => {
                let creates = u64::try_from(*entries).unwrap_or(u64::MAX);
                warn!(
                    sync.name = sync,
                    run.id = run,
                    "nobody answered for {}: looked up before anything is created again",
                    counted(creates, "create")
                );
            }
            Event::RunEnded { status, books, calls, .. } => info!(
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

#[cfg(test)]
mod tests {
    use std::{io::Write, sync::Arc};

    use sync_core::state::{Books, CallKind, RunStatus};
    use tracing_subscriber::fmt::MakeWriter;

    use super::*;

    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    impl<'k> MakeWriter<'k> for Kept {
        type Writer = Self;

        fn make_writer(&'k self) -> Self {
            self.clone()
        }
    }

    fn lines(format: LogFormat) -> Vec<String> {
        let kept = Kept::default();
        let layer = fmt::layer().event_format(LineFormat(format)).with_writer(kept.clone());
        let log = tracing_subscriber::registry().with(layer);
        tracing::subscriber::with_default(log, || {
            let observer = LogObserver::default();
            let call = Event::CallLeft { kind: CallKind::Create, items: 25, number: None };
            observer.observe("a", &Event::RunBegan { run: 7, waiting: 2 });
            observer.observe("b", &call);
            observer.observe("a", &call);
            let (status, books) = (RunStatus::Success, Books::default());
            observer.observe("a", &Event::RunEnded { run: 7, status, books, calls: 1 });
            observer.observe("a", &Event::Note { text: "a \"note\"\nof two lines".to_owned() });
        });
        let bytes = kept.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap().lines().map(str::to_owned).collect()
    }

    #[test]
    fn every_line_of_a_run_names_it() {
        let lines = lines(LogFormat::Text);
        let with_run: Vec<bool> = lines.iter().map(|line| line.contains("run.id=7")).collect();
        assert_eq!(with_run, [true, false, true, true, false], "{lines:#?}");
    }

    #[test]
    fn as_json_each_line_is_one_object() {
        let lines: Vec<serde_json::Value> =
            lines(LogFormat::Json).iter().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines.len(), 5);
        assert_eq!(lines[2]["run.id"], 7);
        assert_eq!((&lines[2]["sync.name"], &lines[2]["items"]), (&"a".into(), &25.into()));
        assert_eq!(
            (&lines[2]["level"], &lines[2]["message"]),
            (&"DEBUG".into(), &"call leaves".into())
        );
        assert_eq!(lines[4]["message"], "a \"note\"\nof two lines");
    }
}
