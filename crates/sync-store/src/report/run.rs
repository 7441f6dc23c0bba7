//! Runs of a sync.

use jiff::{SignedDuration, Timestamp};
use rusqlite::Row;
use sync_core::state::{Books, StateError};

use super::StateReader;
use crate::column::{count, limit, optional_time, time};

/// One run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunReport {
    /// Its number.
    pub id: i64,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended; `None` while it runs, and where a process was killed and nobody has run since.
    pub completed_at: Option<Timestamp>,
    /// `running`, or how it ended: a word of [`sync_core::state::RunStatus`]; the Python program's runs keep theirs.
    pub status: String,
    /// Rows read.
    pub processed: u64,
    /// Records created.
    pub created: u64,
    /// Records updated.
    pub updated: u64,
    /// Rows whose records were as they should be.
    pub skipped: u64,
    /// All counts; while it runs, and where its process was killed, those so far. `None` for the Python program's runs.
    pub books: Option<Books>,
    /// Calls it made.
    pub calls: u64,
    /// Stable code of what went wrong.
    pub code: Option<String>,
    /// What went wrong, in one line.
    pub error: Option<String>,
}

impl RunReport {
    /// How long it took; `None` while it runs.
    pub fn duration(&self) -> Option<SignedDuration> {
        Some(self.completed_at?.duration_since(self.started_at))
    }
}

/// What is read of each run of a sync.
const RUNS: &str =
    "SELECT id, started_at, completed_at, status, records_processed, records_created,
  records_updated, records_skipped, books, calls, error_code, error_message FROM runs
  WHERE sync_id = (SELECT id FROM syncs WHERE name = ?1)";

impl StateReader {
    /// The sync's newest runs, newest first, at most `runs_max`.
    pub fn runs(&self, name: &str, runs_max: usize) -> Result<Vec<RunReport>, StateError> {
        self.all(&format!("{RUNS} ORDER BY id DESC LIMIT ?2"), (name, limit(runs_max)), run)
    }

    /// The run that was under way at a time at which something of the sync was stored; `None`: it was pruned.
    pub fn run_at(&self, name: &str, at: Timestamp) -> Result<Option<RunReport>, StateError> {
        self.first(
            &format!("{RUNS} AND started_at <= ?2 ORDER BY id DESC LIMIT 1"),
            (name, at.as_millisecond()),
            run,
        )
    }
}

fn run(row: &Row<'_>) -> rusqlite::Result<RunReport> {
    let books: Option<String> = row.get(8)?;
    Ok(RunReport {
        id: row.get(0)?,
        started_at: time(row.get(1)?),
        completed_at: optional_time(row, 2)?,
        status: row.get(3)?,
        processed: count(row, 4)?,
        created: count(row, 5)?,
        updated: count(row, 6)?,
        skipped: count(row, 7)?,
        books: books.and_then(|text| serde_json::from_str(&text).ok()),
        calls: count(row, 9)?,
        code: row.get(10)?,
        error: row.get(11)?,
    })
}
