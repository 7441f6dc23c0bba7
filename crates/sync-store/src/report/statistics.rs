//! A sync over all its runs, and single links.

use jiff::Timestamp;
use sync_core::{key::Key, record::RecordId, state::StateError};

use super::StateReader;
use crate::column::{KeyParameter, RecordColumn, count, optional_time};

/// Sums over all runs of a sync that the state remembers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SyncStatistics {
    /// Runs.
    pub runs: u64,
    /// Those that succeeded.
    pub successful: u64,
    /// Those that failed.
    pub failed: u64,
    /// Rows read.
    pub processed: u64,
    /// Records created.
    pub created: u64,
    /// Records updated.
    pub updated: u64,
    /// Rows whose records were as they should be.
    pub skipped: u64,
    /// Calls made.
    pub calls: u64,
    /// When the first of them began.
    pub first_run: Option<Timestamp>,
    /// When the last of them began.
    pub last_run: Option<Timestamp>,
}

impl StateReader {
    /// Sums over the sync's runs; all zero for a sync without any.
    pub fn statistics(&self, name: &str) -> Result<SyncStatistics, StateError> {
        let sums = self.first(
            "SELECT count(*), count(*) FILTER (WHERE status = 'success'), count(*) FILTER (WHERE status = 'failed'),
               coalesce(sum(records_processed), 0), coalesce(sum(records_created), 0),
               coalesce(sum(records_updated), 0), coalesce(sum(records_skipped), 0), coalesce(sum(calls), 0),
               min(started_at), max(started_at)
             FROM runs WHERE sync_id = (SELECT id FROM syncs WHERE name = ?)",
            [name],
            |row| {
                Ok(SyncStatistics {
                    runs: count(row, 0)?,
                    successful: count(row, 1)?,
                    failed: count(row, 2)?,
                    processed: count(row, 3)?,
                    created: count(row, 4)?,
                    updated: count(row, 5)?,
                    skipped: count(row, 6)?,
                    calls: count(row, 7)?,
                    first_run: optional_time(row, 8)?,
                    last_run: optional_time(row, 9)?,
                })
            },
        )?;
        Ok(sums.unwrap_or_default())
    }

    /// The record that the row with this key is linked to, as `record_mappings` shows it. A composite key is written
    /// as there: its parts joined by `|`.
    pub fn record_of(&self, name: &str, source_id: &str) -> Result<Option<RecordId>, StateError> {
        self.first(
            "SELECT l.record_id FROM links AS l
             JOIN syncs AS s ON s.id = l.sync_id AND s.destination_id = l.destination_id
             WHERE s.name = ? AND l.key = ? AND l.standing = 0",
            rusqlite::params![name, KeyParameter(&Key::from_text(source_id))],
            |row| Ok(row.get::<_, RecordColumn>(0)?.0),
        )
    }
}
