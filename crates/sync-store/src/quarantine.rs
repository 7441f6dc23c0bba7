//! Quarantine: when a row is tried again, and its way back.

use jiff::{SignedDuration, Timestamp};
use rusqlite::{Transaction, params};
use sync_core::state::{Books, Writer};

use crate::{
    column::{KeyColumn, KeyParameter},
    failure::Failure,
};

/// After 1, 6 and 24 hours, then daily.
const RETRY_HOURS: [i64; 3] = [1, 6, 24];

/// When a row that was refused `refusals` times is tried again.
pub(crate) fn retry_at(now: Timestamp, refusals: i64) -> Timestamp {
    let step = usize::try_from(refusals - 1).unwrap_or(0).min(RETRY_HOURS.len() - 1);
    let hours = RETRY_HOURS.get(step).copied().unwrap_or(24);
    now.saturating_add(SignedDuration::from_hours(hours)).unwrap_or(now)
}

/// When a row that was parked for the first time is tried again.
pub(crate) fn first_retry(now: Timestamp) -> Timestamp {
    retry_at(now, 1)
}

/// See [`sync_core::state::StateStore::release_quarantine`].
pub(crate) fn release(
    tx: &Transaction<'_>,
    writer: &Writer,
    now: Timestamp,
    all: bool,
) -> Result<Books, Failure> {
    let mut due = tx.prepare(
        "SELECT seq, key, fields IS NOT NULL OR gone, refusals FROM outbox
         WHERE sync_id = ? AND destination_id = ? AND state = 2 AND (not_before <= ? OR ?) ORDER BY seq",
    )?;
    let mut rows =
        due.query(params![writer.sync.0, writer.destination.0, now.as_millisecond(), all])?;
    let mut books = Books::default();
    while let Some(row) = rows.next()? {
        let (seq, key) = (row.get::<_, i64>(0)?, row.get::<_, KeyColumn>(1)?.0);
        let refusals: i64 = row.get(3)?;
        if row.get::<_, bool>(2)? {
            books.released += u64::from(requeue(tx, writer, seq, &KeyParameter(&key))?);
        } else {
            tx.execute(
                "INSERT OR REPLACE INTO dirty (sync_id, key) VALUES (?, ?)",
                params![writer.sync.0, KeyParameter(&key)],
            )?;
            tx.execute(
                "UPDATE outbox SET refusals = refusals + 1, not_before = ? WHERE seq = ?",
                params![retry_at(now, refusals + 1).as_millisecond(), seq],
            )?;
        }
    }
    Ok(books)
}

/// A refused entry waits again, in a group of its own so that it never travels with healthy rows. If a newer entry
/// of its key waits already, it is dropped.
fn requeue(
    tx: &Transaction<'_>,
    writer: &Writer,
    seq: i64,
    key: &KeyParameter<'_>,
) -> rusqlite::Result<bool> {
    let newer_waits: bool = tx
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM outbox WHERE sync_id = ? AND destination_id = ? AND key = ? AND state = 0)",
        )?
        .query_row(params![writer.sync.0, writer.destination.0, key], |row| row.get(0))?;
    if newer_waits {
        tx.execute("DELETE FROM outbox WHERE seq = ?", [seq])?;
        return Ok(false);
    }
    let group = new_group(tx)?;
    tx.execute(
        "UPDATE outbox SET state = 0, suspects = ?, not_before = 0 WHERE seq = ?",
        [group, seq],
    )?;
    Ok(true)
}

/// A group of entries that travel apart from others.
pub(crate) fn new_group(tx: &Transaction<'_>) -> rusqlite::Result<i64> {
    tx.query_row(
        "UPDATE counters SET value = value + 1 WHERE name = 'suspects' RETURNING value",
        [],
        |row| row.get(0),
    )
}
