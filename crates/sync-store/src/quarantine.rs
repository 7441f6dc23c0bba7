//! Quarantine: when a row is tried again, and its way back.

use jiff::{SignedDuration, Timestamp};
use rusqlite::{Row, Transaction, params};
use sync_core::{
    key::Key,
    state::{Books, StateError, Writer},
};

use crate::{
    Custody, QuarantineFilter, SqliteStore,
    column::{KeyColumn, KeyParameter, count},
    failure::Failure,
    scan::mark_dirty,
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
    release_these(tx, writer, now, &due(tx, writer, now, all)?)
}

/// Puts entries out of quarantine.
fn release_these(
    tx: &Transaction<'_>,
    writer: &Writer,
    now: Timestamp,
    these: &[Parked],
) -> Result<Books, Failure> {
    let mut books = Books::default();
    let mut group = None;
    for parked in these {
        // The row is read again too: it may have changed, or be gone.
        mark_dirty(tx, writer, &parked.key)?;
        if parked.has_wish {
            // In a group of their own, so that they never travel with healthy rows.
            let group = match group {
                Some(group) => group,
                None => *group.insert(retry_group(tx)?),
            };
            tx.prepare_cached(
                "UPDATE outbox SET state = 0, suspects = ?, not_before = 0 WHERE seq = ?",
            )?
            .execute([group, parked.seq])?;
            books.released += 1;
        } else {
            // Its next try is the reading: a draft that is not kept must not equal what is read.
            tx.prepare_cached(
                "UPDATE outbox SET refusals = refusals + 1, not_before = ?,
                   fingerprint = iif(omitted, NULL, fingerprint) WHERE seq = ?",
            )?
            .execute(params![retry_at(now, parked.refusals + 1).as_millisecond(), parked.seq])?;
        }
    }
    Ok(books)
}

/// See [`sync_core::state::StateStore::put_off_retries`].
pub(crate) fn put_off(
    tx: &Transaction<'_>,
    writer: &Writer,
    now: Timestamp,
    all: bool,
) -> rusqlite::Result<Books> {
    let waiting: Vec<(i64, i64)> = tx
        .prepare(
            "SELECT seq, refusals FROM outbox WHERE sync_id = ? AND destination_id = ? AND state = 0
               AND suspects < 0 AND refusals > 0 AND code IS NOT NULL AND (?3 OR attempts > 0)",
        )?
        .query_map((writer.sync.0, writer.destination.0, all), |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<_, _>>()?;
    let mut books = Books::default();
    for (seq, refusals) in waiting {
        tx.prepare_cached(
            "UPDATE outbox SET state = 2, suspects = NULL, attempts = 0, not_before = ? WHERE seq = ?",
        )?
        .execute([retry_at(now, refusals).as_millisecond(), seq])?;
        books.quarantined += 1;
    }
    Ok(books)
}

/// See [`sync_core::state::StateStore::quarantined`].
pub(crate) fn size(tx: &Transaction<'_>, writer: &Writer) -> rusqlite::Result<u64> {
    tx.prepare_cached(
        "SELECT count(*) FROM outbox WHERE sync_id = ? AND destination_id = ? AND state = 2",
    )?
    .query_row([writer.sync.0, writer.destination.0], |row| count(row, 0))
}

impl SqliteStore {
    /// Takes rows out of quarantine to be tried again now: refused drafts wait, and every key is read again with the
    /// next run (`protocol.md` C7). Answers how many.
    ///
    /// # Errors
    /// The state fails.
    pub fn retry_quarantined(
        &mut self,
        custody: &Custody,
        filter: &QuarantineFilter,
        now: Timestamp,
    ) -> Result<u64, StateError> {
        let writer = custody.writer;
        self.write(&writer, |tx| {
            let these = meant(tx, &writer, filter)?;
            release_these(tx, &writer, now, &these)?;
            // Those that wait to be read leave with the next run: with the stop there would be none.
            lift_full_stop(tx, &writer, !these.is_empty())?;
            Ok(these.len() as u64)
        })
    }

    /// Forgets rows in quarantine: their records stay as they are, and each row is taken up again when it is next
    /// read. Answers how many.
    ///
    /// # Errors
    /// The state fails.
    pub fn drop_quarantined(
        &mut self,
        custody: &Custody,
        filter: &QuarantineFilter,
    ) -> Result<u64, StateError> {
        let writer = custody.writer;
        self.write(&writer, |tx| {
            let these = meant(tx, &writer, filter)?;
            for parked in &these {
                tx.prepare_cached("DELETE FROM outbox WHERE seq = ?")?.execute([parked.seq])?;
            }
            lift_full_stop(tx, &writer, !these.is_empty())?;
            Ok(these.len() as u64)
        })
    }
}

/// A sync that stopped because its quarantine was full goes on once a person made room.
fn lift_full_stop(tx: &Transaction<'_>, writer: &Writer, has_room: bool) -> rusqlite::Result<()> {
    if has_room {
        tx.execute(
            "UPDATE syncs SET stop_code = NULL, stop_message = NULL, stop_remedy = NULL, stop_key = NULL,
               stop_until = NULL
             WHERE id = ? AND stop_code = 'quarantine_full'",
            [writer.sync.0],
        )?;
    }
    Ok(())
}

fn meant(
    tx: &Transaction<'_>,
    writer: &Writer,
    filter: &QuarantineFilter,
) -> rusqlite::Result<Vec<Parked>> {
    let key = filter.stored_key();
    tx.prepare(&format!(
        "SELECT {PARKED} FROM outbox WHERE sync_id = ?1 AND destination_id = ?2 AND state = 2
           AND code IS coalesce(?3, code) AND (?4 IS NULL OR key = ?4) ORDER BY seq"
    ))?
    .query_map(
        params![writer.sync.0, writer.destination.0, filter.code, key.as_ref().map(KeyParameter)],
        parked,
    )?
    .collect()
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
    tx.prepare(&format!(
        "SELECT {PARKED} FROM outbox
         WHERE sync_id = ? AND destination_id = ? AND state = 2 AND (not_before <= ? OR ?) ORDER BY seq"
    ))?
    .query_map(
        params![writer.sync.0, writer.destination.0, now.as_millisecond(), all],
        parked,
    )?
    .collect()
}

/// The columns of [`Parked`].
const PARKED: &str = "seq, key, fields IS NOT NULL OR gone, refusals";

fn parked(row: &Row<'_>) -> rusqlite::Result<Parked> {
    Ok(Parked {
        seq: row.get(0)?,
        key: row.get::<_, KeyColumn>(1)?.0,
        has_wish: row.get(2)?,
        refusals: row.get(3)?,
    })
}

/// A group of entries that were refused earlier; its number is below zero.
pub(crate) fn retry_group(tx: &Transaction<'_>) -> rusqlite::Result<i64> {
    Ok(-new_group(tx)?)
}

/// A group of entries that travel apart from others.
pub(crate) fn new_group(tx: &Transaction<'_>) -> rusqlite::Result<i64> {
    tx.query_row(
        "UPDATE counters SET value = value + 1 WHERE name = 'suspects' RETURNING value",
        [],
        |row| row.get(0),
    )
}
