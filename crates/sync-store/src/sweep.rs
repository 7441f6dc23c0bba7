//! Sweeps: which keys are known and were not shown. What a read has shown is kept in a table of the connection's own,
//! on disk, so that neither memory nor the state grows with it. Syncs of one process share the connection and may sweep
//! at once, so each has tables of its own.

use jiff::Timestamp;
use rusqlite::{Transaction, params};
use sync_core::{
    deletes::Going,
    key::Key,
    mutation::{self, Mutation},
    state::{SweepEnd, SweepTicket, Writer},
};

use crate::{
    capture::{HELD, WAITING},
    column::{KeyParameter, count, limit},
};

/// `links.standing` of records that a row should have: held, or found missing and left so.
const HAS_RECORD: &str = "standing IN (0, 3)";

/// The keys that a read has shown.
fn swept(writer: &Writer) -> String {
    format!("temp.swept_{}", writer.sync.0)
}

/// The keys that it has not shown.
fn candidates(writer: &Writer) -> String {
    format!("temp.candidates_{}", writer.sync.0)
}

/// See [`sync_core::state::StateStore::begin_sweep`].
pub(crate) fn begin(
    tx: &Transaction<'_>,
    writer: &Writer,
    now: Timestamp,
) -> rusqlite::Result<SweepTicket> {
    let (swept, candidates) = (swept(writer), candidates(writer));
    tx.execute_batch(&format!(
        "DROP TABLE IF EXISTS {swept}; DROP TABLE IF EXISTS {candidates};
         CREATE TABLE {swept} (key NOT NULL, PRIMARY KEY (key)) WITHOUT ROWID;
         CREATE TABLE {candidates} (id INTEGER PRIMARY KEY, key NOT NULL)"
    ))?;
    let entries_before = tx.query_row(
        "SELECT coalesce(max(seq), 0) FROM outbox WHERE sync_id = ?",
        [writer.sync.0],
        |row| row.get(0),
    )?;
    let reads_before =
        tx.query_row("SELECT read FROM syncs WHERE id = ?", [writer.sync.0], |row| row.get(0))?;
    Ok(SweepTicket { began: now, entries_before, reads_before })
}

/// See [`sync_core::state::StateStore::sweep`].
pub(crate) fn note(tx: &Transaction<'_>, writer: &Writer, keys: &[Key]) -> rusqlite::Result<()> {
    let insert = format!("INSERT OR IGNORE INTO {} (key) VALUES (?)", swept(writer));
    let mut insert = tx.prepare_cached(&insert)?;
    for key in keys {
        insert.execute([KeyParameter(key)])?;
    }
    Ok(())
}

/// See [`sync_core::state::StateStore::end_sweep`].
pub(crate) fn end(
    tx: &Transaction<'_>,
    writer: &Writer,
    ticket: SweepTicket,
    allowed: Option<u64>,
) -> rusqlite::Result<SweepEnd> {
    let shown = format!("SELECT count(*) FROM {}", swept(writer));
    let shown = tx.query_row(&shown, [], |row| count(row, 0))?;
    let place = [writer.sync.0, writer.destination.0];
    let records = tx.query_row(
        &format!(
            "SELECT count(*) FROM links WHERE sync_id = ? AND destination_id = ? AND {HAS_RECORD}"
        ),
        place,
        |row| count(row, 0),
    )?;
    if shown > 0 {
        find_candidates(tx, writer, ticket)?;
    }
    let linked = tx.query_row(
        &format!(
            "SELECT count(*) FROM {} AS c JOIN links AS l
               ON l.sync_id = ? AND l.destination_id = ? AND l.key = c.key AND l.{HAS_RECORD}",
            candidates(writer)
        ),
        place,
        |row| count(row, 0),
    )?;
    let going = Going { records: linked, of: records };
    let asks = going.needs_a_yes(allowed) && !mutation::is_on(Mutation::DeletesUnguarded);
    Ok(SweepEnd { shown, going, asks })
}

/// A key is a candidate unless what is wished for it already is that nothing is there. Links have whole seconds: one of
/// the second in which the sweep began counts as older, which costs at most a read.
fn find_candidates(
    tx: &Transaction<'_>,
    writer: &Writer,
    ticket: SweepTicket,
) -> rusqlite::Result<()> {
    let (swept, candidates) = (swept(writer), candidates(writer));
    tx.execute(
        &format!(
            "INSERT INTO {candidates} (key) SELECT key FROM links AS l
             WHERE sync_id = ?1 AND destination_id = ?2 AND {HAS_RECORD} AND created_at <= ?3
               AND NOT EXISTS (SELECT 1 FROM {swept} AS s WHERE s.key = l.key)
               AND NOT EXISTS (SELECT 1 FROM outbox AS o WHERE o.sync_id = ?1 AND o.destination_id = ?2
                 AND o.key = l.key AND o.gone)"
        ),
        params![writer.sync.0, writer.destination.0, ticket.began.as_second()],
    )?;
    tx.execute(
        &format!(
            "INSERT INTO {candidates} (key) SELECT DISTINCT key FROM outbox AS o
         WHERE sync_id = ?1 AND destination_id = ?2 AND NOT gone AND seq <= ?3
           AND NOT EXISTS (SELECT 1 FROM {swept} AS s WHERE s.key = o.key)
           AND NOT EXISTS (SELECT 1 FROM outbox AS g WHERE g.sync_id = ?1 AND g.destination_id = ?2
             AND g.key = o.key AND g.gone AND g.seq > o.seq)
           AND NOT EXISTS (SELECT 1 FROM {candidates} AS c WHERE c.key = o.key)"
        ),
        params![writer.sync.0, writer.destination.0, ticket.entries_before],
    )?;
    Ok(())
}

/// See [`sync_core::state::StateStore::may_go`].
pub(crate) fn may_go(tx: &Transaction<'_>, writer: &Writer, key: &Key) -> rusqlite::Result<bool> {
    tx.prepare_cached(&format!(
        "SELECT EXISTS (SELECT 1 FROM links WHERE sync_id = ?1 AND destination_id = ?2 AND key = ?3 AND {HAS_RECORD})
           OR EXISTS (SELECT 1 FROM outbox WHERE sync_id = ?1 AND destination_id = ?2 AND key = ?3 AND NOT gone)"
    ))?
    .query_row(params![writer.sync.0, writer.destination.0, KeyParameter(key)], |row| row.get(0))
}

/// Remembers the candidates that wait for a yes, and, where there is nothing to mark, that the sweep ended. A row that was
/// shown though its record waits to go is back: it is read before anything leaves.
pub(crate) fn remember(
    tx: &Transaction<'_>,
    writer: &Writer,
    ticket: SweepTicket,
    end: &SweepEnd,
    now: Timestamp,
) -> rusqlite::Result<()> {
    let held = if end.asks { end.going.records } else { 0 };
    tx.execute(
        "UPDATE syncs SET candidates = ? WHERE id = ?",
        params![i64::try_from(held).unwrap_or(i64::MAX), writer.sync.0],
    )?;
    if end.asks || end.shown == 0 {
        has_ended(tx, writer, ticket, now)?;
    }
    tx.execute(
        &format!(
            "INSERT OR REPLACE INTO dirty (sync_id, key) SELECT sync_id, key FROM outbox AS o
             WHERE sync_id = ? AND destination_id = ? AND gone AND state IN ({WAITING}, {HELD})
               AND EXISTS (SELECT 1 FROM {} AS s WHERE s.key = o.key)",
            swept(writer)
        ),
        [writer.sync.0, writer.destination.0],
    )?;
    Ok(())
}

/// The next sweep is due in its time, unless a stream has meanwhile not been able to say what changed.
fn has_ended(
    tx: &Transaction<'_>,
    writer: &Writer,
    ticket: SweepTicket,
    now: Timestamp,
) -> rusqlite::Result<()> {
    tx.prepare_cached(
        "UPDATE syncs SET swept_at = ?1
         WHERE id = ?2 AND (full_read IS NULL OR full_read_asked < ?3)",
    )?
    .execute([now.as_millisecond(), writer.sync.0, ticket.reads_before])?;
    Ok(())
}

/// See [`sync_core::state::StateStore::mark_candidates`]. With the last mark the sweep has ended: a process that dies before
/// leaves it due.
pub(crate) fn mark(
    tx: &Transaction<'_>,
    writer: &Writer,
    ticket: SweepTicket,
    keys_max: usize,
    now: Timestamp,
) -> rusqlite::Result<bool> {
    let candidates = candidates(writer);
    let marked = tx
        .prepare_cached(&format!(
            "INSERT OR REPLACE INTO dirty (sync_id, key, suspected)
             SELECT ?, key, 1 FROM {candidates} ORDER BY id LIMIT ?"
        ))?
        .execute(params![writer.sync.0, limit(keys_max)])?;
    tx.prepare_cached(&format!(
        "DELETE FROM {candidates} WHERE id IN (SELECT id FROM {candidates} ORDER BY id LIMIT ?)"
    ))?
    .execute([limit(keys_max)])?;
    let has_more = marked == keys_max;
    if !has_more {
        has_ended(tx, writer, ticket, now)?;
    }
    Ok(has_more)
}
