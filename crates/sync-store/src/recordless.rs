//! Rows without a record, of syncs that only change records that are there.
//!
//! That such a row is read again when a record with its key is linked is done by a trigger (`migrations/`), as any sync
//! may link it.

use rusqlite::{OptionalExtension as _, Transaction, params};
use sync_core::{draft::Fingerprint, key::Key, state::Writer};

use crate::column::{KeyParameter, count, fingerprint};

/// Remembers that the row with this draft has no record.
pub(crate) fn remember(
    tx: &Transaction<'_>,
    writer: &Writer,
    key: &Key,
    print: Fingerprint,
) -> rusqlite::Result<()> {
    tx.prepare_cached(
        "INSERT OR REPLACE INTO recordless (sync_id, destination_id, key, fingerprint) VALUES (?, ?, ?, ?)",
    )?
    .execute(params![writer.sync.0, writer.destination.0, KeyParameter(key), print.0])?;
    Ok(())
}

/// What the row held when it was found to have no record.
pub(crate) fn known(
    tx: &Transaction<'_>,
    writer: &Writer,
    key: &Key,
) -> rusqlite::Result<Option<Fingerprint>> {
    let print = tx
        .prepare_cached(
            "SELECT fingerprint FROM recordless WHERE sync_id = ? AND destination_id = ? AND key = ?",
        )?
        .query_row(params![writer.sync.0, writer.destination.0, KeyParameter(key)], |row| {
            row.get(0)
        })
        .optional()?;
    Ok(fingerprint(print))
}

/// There is no row any more.
pub(crate) fn forget(tx: &Transaction<'_>, writer: &Writer, key: &Key) -> rusqlite::Result<()> {
    tx.prepare_cached(
        "DELETE FROM recordless WHERE sync_id = ? AND destination_id = ? AND key = ?",
    )?
    .execute(params![writer.sync.0, writer.destination.0, KeyParameter(key)])?;
    Ok(())
}

/// What was found before counts no more: the sync, its keys or its destination are others now.
pub(crate) fn forget_all(tx: &Transaction<'_>, sync: i64) -> rusqlite::Result<()> {
    tx.execute("DELETE FROM recordless WHERE sync_id = ?", [sync])?;
    Ok(())
}

/// See [`sync_core::state::StateStore::recordless`].
pub(crate) fn number(tx: &Transaction<'_>, writer: &Writer) -> rusqlite::Result<u64> {
    tx.query_row(
        "SELECT count(*) FROM recordless WHERE sync_id = ? AND destination_id = ?",
        [writer.sync.0, writer.destination.0],
        |row| count(row, 0),
    )
}

/// Whether the sync only changes records that are there.
pub(crate) fn only_updates(tx: &Transaction<'_>, writer: &Writer) -> rusqlite::Result<bool> {
    tx.prepare_cached("SELECT only_updates FROM syncs WHERE id = ?")?
        .query_row([writer.sync.0], |row| row.get(0))
}
