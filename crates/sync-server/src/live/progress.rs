//! How far a run under way has come.

use std::time::Duration;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use sync_core::{
    mapping::{Finding, Severity},
    state::CallKind,
};
use sync_engine::event::Event;

/// A run under way.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct Progress {
    /// The run's number.
    run: i64,
    /// When it began.
    began_at: Timestamp,
    #[serde(skip)]
    pub(super) began_elapsed: Duration,
    /// What it is doing.
    phase: Phase,
    /// Whether every row is read.
    reads_everything: bool,
    /// Rows read so far.
    rows: u64,
    /// Entries that left the outbox in this run.
    settled: u64,
    /// Entries still to be sent.
    waiting: u64,
    /// Rows refused in this run.
    refused: u64,
    /// API calls made.
    calls: u64,
    /// Until when all calls wait, if they do.
    paused_until: Option<Timestamp>,
}

/// What a run is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Phase {
    /// Connecting to the database.
    Connecting,
    /// Reading rows.
    Reading,
    /// Looking at the table.
    LookingAtTable,
    /// Looking up records.
    LookingUp,
    /// Sending.
    Sending,
    /// Waiting after a 429.
    Paused,
}

impl Progress {
    pub(super) fn begin(run: i64, waiting: u64, now: Timestamp, elapsed: Duration) -> Self {
        Self {
            run,
            began_at: now,
            began_elapsed: elapsed,
            phase: Phase::Connecting,
            reads_everything: false,
            rows: 0,
            settled: 0,
            waiting,
            refused: 0,
            calls: 0,
            paused_until: None,
        }
    }

    pub(super) fn take(&mut self, event: &Event) {
        match event {
            Event::ReadOpened { full } => {
                self.phase = Phase::Reading;
                self.reads_everything = full.is_some();
            }
            Event::Captured { books } => {
                self.rows = (self.rows + books.read).saturating_sub(books.unparked);
                self.waiting += books.queued;
                self.refused = (self.refused + books.parked).saturating_sub(books.unparked);
            }
            Event::CallLeft { kind, .. } => {
                self.calls += 1;
                self.paused_until = None;
                self.phase = match kind {
                    CallKind::Create | CallKind::Update | CallKind::Delete => Phase::Sending,
                    CallKind::Structure | CallKind::Audit | CallKind::Scan => Phase::LookingAtTable,
                    CallKind::LookUp => Phase::LookingUp,
                };
            }
            Event::Settled { books, waiting } => {
                self.settled += books.left();
                self.refused += books.quarantined;
                self.waiting = *waiting;
            }
            Event::Paused { until } => {
                self.phase = Phase::Paused;
                self.paused_until = Some(*until);
            }
            _ => {}
        }
    }
}

/// What the mapping had to say.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct Note {
    /// Stable code.
    code: &'static str,
    /// Whether rows suffer from it.
    is_error: bool,
    /// In one line.
    message: String,
    /// What to do about it.
    hint: Option<String>,
    /// The source column that it is about.
    column: Option<String>,
    /// The field that it is about.
    field: Option<String>,
}

impl Note {
    pub(super) fn of(finding: &Finding) -> Self {
        Self {
            code: finding.code.code(),
            is_error: finding.severity() == Severity::Error,
            message: finding.message.clone(),
            hint: finding.hint.clone(),
            column: finding.column.clone(),
            field: finding.slug.as_ref().map(ToString::to_string),
        }
    }
}
