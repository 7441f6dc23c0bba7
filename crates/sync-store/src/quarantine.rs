//! Quarantine: when a row is tried again, and its way back.

use jiff::{SignedDuration, Timestamp};
use rusqlite::{Transaction, params};
use sync_core::{
    key::Key,
    state::{Books, Writer},
};

use crate::{column::KeyColumn, failure::Failure, scan::mark_dirty};

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
    let mut books = Books::default();
    for parked in due(tx, writer, now, all)? {
        if parked.has_wish {
            // Alone in its group, so that it never travels with healthy rows.
            tx.prepare_cached(
                "UPDATE outbox SET state = 0, suspects = ?, not_before = 0 WHERE seq = ?",
            )?
            .execute([new_group(tx)?, parked.seq])?;
            books.released += 1;
        } else {
            mark_dirty(tx, writer, &parked.key)?;
            tx.prepare_cached(
                "UPDATE outbox SET refusals = refusals + 1, not_before = ? WHERE seq = ?",
            )?
            .execute([retry_at(now, parked.refusals + 1).as_millisecond(), parked.seq])?;
        }
    }
    Ok(books)
}

/// An entry in quarantine.
struct Parked {
    seq: i64,
    key: Key,
    /// Whether it says what to send; a row that could not become a draft does not.
    has_wish: bool,
    refusals: i64,
}

fn due(
    tx: &Transaction<'_>,
    writer: &Writer,
    now: Timestamp,
    all: bool,
) -> rusqlite::Result<Vec<Parked>> {
    tx.prepare(
        "SELECT seq, key, fields IS NOT NULL OR gone, refusals FROM outbox
         WHERE sync_id = ? AND destination_id = ? AND state = 2 AND (not_before <= ? OR ?) ORDER BY seq",
    )?
    .query_map(params![writer.sync.0, writer.destination.0, now.as_millisecond(), all], |row| {
        Ok(Parked {
            seq: row.get(0)?,
            key: row.get::<_, KeyColumn>(1)?.0,
            has_wish: row.get(2)?,
            refusals: row.get(3)?,
        })
    })?
    .collect()
}

/// A group of entries that travel apart from others.
pub(crate) fn new_group(tx: &Transaction<'_>) -> rusqlite::Result<i64> {
    tx.query_row(
        "UPDATE counters SET value = value + 1 WHERE name = 'suspects' RETURNING value",
        [],
        |row| row.get(0),
    )
}
