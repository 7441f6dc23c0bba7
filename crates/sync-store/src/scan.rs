//! Bringing what a scan or an audit of the table showed into the links.

use jiff::Timestamp;
use rusqlite::{OptionalExtension, Transaction, params};
use sync_core::{
    key::Key,
    mutation::{self, Mutation},
    record::RecordId,
    state::{DirtyKey, Mark, SeenLink, SeenLinks, Writer},
};

use crate::{
    column::{KeyColumn, KeyParameter, RecordColumn, count, fingerprint, limit, record_parameter},
    dispatch::KEPT,
    effects,
    failure::Failure,
    second_look::{self, Suspicion},
    settle::put_link,
};

/// Which links of the sync `?1`'s table hold their record against it: its own, and those of other syncs, but where one
/// of the two only changes records that are there: they share them.
const HOLDING: &str = "(l.sync_id = ?1 OR NOT EXISTS (SELECT 1 FROM syncs AS s
  WHERE s.id IN (?1, l.sync_id) AND s.only_updates))";

/// Indexes what is linked now by record, as the sync sees it. `links` itself has no such index: it would cost a third
/// of its size and serve only scans.
pub(crate) fn begin(tx: &Transaction<'_>, writer: &Writer) -> rusqlite::Result<()> {
    tx.execute_batch(
        "CREATE TEMP TABLE IF NOT EXISTS linked (viewer INTEGER NOT NULL, record_id NOT NULL,
           sync_id INTEGER NOT NULL, key NOT NULL, PRIMARY KEY (viewer, record_id, sync_id, key)) WITHOUT ROWID",
    )?;
    // Syncs of one process share the connection: another one's scan of its table may be under way.
    tx.execute("DELETE FROM temp.linked WHERE viewer = ?", [writer.sync.0])?;
    tx.execute(
        &format!(
            "INSERT INTO temp.linked SELECT ?1, record_id, sync_id, key FROM links AS l
             WHERE destination_id = ?2 AND {HOLDING} ORDER BY record_id"
        ),
        [writer.sync.0, writer.destination.0],
    )?;
    Ok(())
}

/// Whether another key or sync holds the record.
pub(crate) fn linked_elsewhere(
    tx: &Transaction<'_>,
    writer: &Writer,
    record: &RecordId,
    key: &Key,
) -> rusqlite::Result<bool> {
    tx.prepare_cached(&format!(
        "SELECT 1 FROM links AS l WHERE destination_id = ?2 AND record_id = ?3
           AND NOT (sync_id = ?1 AND key = ?4) AND {HOLDING} LIMIT 1"
    ))?
    .exists(params![
        writer.sync.0,
        writer.destination.0,
        record_parameter(record),
        KeyParameter(key)
    ])
}

/// See [`sync_core::state::StateStore::link_seen`].
pub(crate) fn link_seen(
    tx: &Transaction<'_>,
    writer: &Writer,
    seen: &[SeenLink],
    mark: Mark,
    now: Timestamp,
    log_effects: bool,
) -> Result<SeenLinks, Failure> {
    let mut links = SeenLinks::default();
    for one in seen {
        match (holder(tx, writer, &one.record)?, &one.key) {
            (Some((sync, key)), _) if sync == writer.sync.0 => refresh(tx, writer, &key, one)?,
            (Some((sync, _)), Some(key)) if waits(tx, writer, key)? => {
                links.holder = Some(name_of(tx, sync)?);
            }
            // Another sync's record, or none of our keys: nothing to take.
            (Some(_), _) | (None, None) => {}
            (None, Some(key)) => {
                if adopt(tx, writer, key, one, now)? {
                    links.adopted += 1;
                    if log_effects {
                        effects::log_found(tx, writer, now, key, &one.record)?;
                    }
                }
            }
        }
    }
    if let Some(mark) = mark.and_then(|mark| i64::try_from(mark).ok()) {
        tx.execute(
            "UPDATE targets SET mark = max(coalesce(mark, 0), ?) WHERE sync_id = ? AND destination_id = ?",
            [mark, writer.sync.0, writer.destination.0],
        )?;
    }
    Ok(links)
}

/// Whether a record is to be created for the key.
fn waits(tx: &Transaction<'_>, writer: &Writer, key: &Key) -> rusqlite::Result<bool> {
    tx.prepare_cached(
        "SELECT 1 FROM outbox WHERE sync_id = ?1 AND destination_id = ?2 AND key = ?3 AND state = 0 AND NOT gone
           AND NOT EXISTS (SELECT 1 FROM links WHERE sync_id = ?1 AND destination_id = ?2 AND key = ?3)",
    )?
    .exists(params![writer.sync.0, writer.destination.0, KeyParameter(key)])
}

fn name_of(tx: &Transaction<'_>, sync: i64) -> rusqlite::Result<String> {
    tx.query_row("SELECT name FROM syncs WHERE id = ?", [sync], |row| row.get(0))
}

/// What was read of a linked record. It becomes known where it was not; not while a write that is on its way, or got no
/// answer, may still change the record (D1), nor while its second look is due. Where it was known and is something else, it
/// is unknown from now on, and the row is read again (C7): the list may lag, and so may the row have been found equal.
fn refresh(
    tx: &Transaction<'_>,
    writer: &Writer,
    key: &Key,
    one: &SeenLink,
) -> rusqlite::Result<()> {
    let place =
        (writer.sync.0, writer.destination.0, KeyParameter(key), record_parameter(&one.record));
    let link = tx
        .prepare_cached(
            "SELECT fingerprint, standing IN (2, 3),
               EXISTS (SELECT 1 FROM outbox WHERE sync_id = ?1 AND destination_id = ?2 AND key = ?3
                 AND (state = 1 OR attempts > 0)),
               EXISTS (SELECT 1 FROM second_looks WHERE sync_id = ?1 AND destination_id = ?2 AND key = ?3)
             FROM links WHERE sync_id = ?1 AND destination_id = ?2 AND key = ?3 AND record_id = ?4",
        )?
        .query_row((place.0, place.1, &place.2, &place.3), |row| {
            let held = fingerprint(row.get(0)?);
            Ok((held, row.get::<_, bool>(1)?, row.get::<_, bool>(2)?, row.get::<_, bool>(3)?))
        })
        .optional()?;
    let Some((held, was_away, may_change, is_looked_at)) = link else { return Ok(()) };
    let held = held.filter(|_| !was_away);
    let is_other = held.is_some() && one.fingerprint.is_some() && held != one.fingerprint;
    let is_open = may_change || is_looked_at && held.is_none();
    let print = match one.fingerprint {
        Some(seen) => Some(seen).filter(|_| !is_open && !is_other),
        // An audit says that the record is there, and nothing of what it holds.
        None => held,
    };
    tx.prepare_cached(
        "UPDATE links SET standing = iif(standing IN (2, 3), 0, standing), fingerprint = ?5
         WHERE sync_id = ?1 AND destination_id = ?2 AND key = ?3 AND record_id = ?4",
    )?
    .execute((place.0, place.1, &place.2, &place.3, print.map(|print| print.0)))?;
    if is_other {
        mark_dirty(tx, writer, key)?;
    }
    Ok(())
}

fn holder(
    tx: &Transaction<'_>,
    writer: &Writer,
    record: &RecordId,
) -> rusqlite::Result<Option<(i64, Key)>> {
    tx.prepare_cached("SELECT sync_id, key FROM temp.linked WHERE viewer = ? AND record_id = ?")?
        .query_row(params![writer.sync.0, record_parameter(record)], |row| {
            Ok((row.get(0)?, row.get::<_, KeyColumn>(1)?.0))
        })
        .optional()
}

/// Links the record to its key, unless a record holds that key already: of several, the first seen stays, which is
/// the one with the lowest autonumber.
fn adopt(
    tx: &Transaction<'_>,
    writer: &Writer,
    key: &Key,
    one: &SeenLink,
    now: Timestamp,
) -> rusqlite::Result<bool> {
    if linked_record(tx, writer, key)?.is_some() {
        if mutation::is_on(Mutation::KnownKeyIgnored) {
            return Ok(false);
        }
        // Of two records with one key, either the linked one is gone, or one is too many (D8).
        second_look::schedule(tx, writer, key, Suspicion::Twin, now)?;
        return Ok(false);
    }
    put_link(tx, writer, now, key, &one.record, one.fingerprint, one.origin)?;
    tx.prepare_cached("INSERT OR IGNORE INTO temp.linked VALUES (?, ?, ?, ?)")?.execute(
        params![writer.sync.0, record_parameter(&one.record), writer.sync.0, KeyParameter(key)],
    )?;
    if !mutation::is_on(Mutation::AdoptedNotRead) {
        mark_dirty(tx, writer, key)?;
    }
    Ok(true)
}

/// See [`sync_core::state::StateStore::note_archived`].
pub(crate) fn note_archived(
    tx: &Transaction<'_>,
    writer: &Writer,
    records: &[(Key, RecordId)],
) -> rusqlite::Result<()> {
    for (key, record) in records {
        let noted = tx
            .prepare_cached(
                "UPDATE links SET standing = ?1, fingerprint = NULL
                 WHERE sync_id = ?2 AND destination_id = ?3 AND key = ?4 AND record_id = ?5 AND standing = 0
                   AND NOT EXISTS (SELECT 1 FROM outbox AS o WHERE o.sync_id = ?2 AND o.destination_id = ?3
                     AND o.key = ?4 AND o.state = 1)",
            )?
            .execute(params![
                KEPT,
                writer.sync.0,
                writer.destination.0,
                KeyParameter(key),
                record_parameter(record)
            ])?;
        if noted > 0 {
            mark_dirty(tx, writer, key)?;
        }
    }
    Ok(())
}

/// The record that the key is linked to, unless it was found missing.
pub(crate) fn linked_record(
    tx: &Transaction<'_>,
    writer: &Writer,
    key: &Key,
) -> rusqlite::Result<Option<RecordId>> {
    tx.prepare_cached(
        "SELECT record_id FROM links WHERE sync_id = ? AND destination_id = ? AND key = ? AND standing <> 2",
    )?
    .query_row(params![writer.sync.0, writer.destination.0, KeyParameter(key)], |row| {
        Ok(row.get::<_, RecordColumn>(0)?.0)
    })
    .optional()
}

pub(crate) fn mark_dirty(tx: &Transaction<'_>, writer: &Writer, key: &Key) -> rusqlite::Result<()> {
    mark_dirty_in(tx, writer.sync.0, key)
}

pub(crate) fn mark_dirty_in(tx: &Transaction<'_>, sync: i64, key: &Key) -> rusqlite::Result<()> {
    tx.prepare_cached("INSERT OR REPLACE INTO dirty (sync_id, key) VALUES (?, ?)")?
        .execute(params![sync, KeyParameter(key)])?;
    Ok(())
}

const OLDEST_MARKS: &str = "SELECT key, suspected FROM dirty WHERE sync_id = ? ORDER BY id LIMIT ?";

/// Keys to be read again, oldest mark first.
pub(crate) fn dirty(
    tx: &Transaction<'_>,
    writer: &Writer,
    keys_max: usize,
) -> rusqlite::Result<Vec<DirtyKey>> {
    tx.prepare_cached(OLDEST_MARKS)?
        .query_map(params![writer.sync.0, limit(keys_max)], |row| {
            Ok(DirtyKey { key: row.get::<_, KeyColumn>(0)?.0, suspected: row.get(1)? })
        })?
        .collect()
}

/// Waiting creates; waiting entries whose link's fingerprint is unknown.
pub(crate) fn unsettled(tx: &Transaction<'_>, writer: &Writer) -> rusqlite::Result<(u64, u64)> {
    tx.query_row(
        "SELECT count(*) FILTER (WHERE l.key IS NULL AND NOT o.gone),
           count(*) FILTER (WHERE l.key IS NOT NULL AND l.fingerprint IS NULL AND l.standing IN (0, 3))
         FROM outbox AS o LEFT JOIN links AS l
           ON l.sync_id = o.sync_id AND l.destination_id = o.destination_id AND l.key = o.key
         WHERE o.sync_id = ? AND o.destination_id = ? AND o.state = 0",
        [writer.sync.0, writer.destination.0],
        |row| Ok((count(row, 0)?, count(row, 1)?)),
    )
}

/// Keys of waiting creates after `after`, in order.
pub(crate) fn waiting_creates(
    tx: &Transaction<'_>,
    writer: &Writer,
    after: Option<&Key>,
    keys_max: usize,
) -> rusqlite::Result<Vec<Key>> {
    // A condition that may be absent would cost SQLite the index, so it is left out or not.
    let condition = if after.is_some() { "AND o.key > ?4" } else { "AND ?4 IS NULL" };
    tx.prepare_cached(&format!(
        "SELECT o.key FROM outbox AS o WHERE o.sync_id = ?1 AND o.destination_id = ?2 AND o.state = 0
           AND NOT o.gone {condition}
           AND NOT EXISTS (SELECT 1 FROM links AS l WHERE l.sync_id = o.sync_id
             AND l.destination_id = o.destination_id AND l.key = o.key)
         ORDER BY o.key LIMIT ?3"
    ))?
    .query_map(
        params![
            writer.sync.0,
            writer.destination.0,
            limit(keys_max),
            after.map(KeyParameter),
        ],
        |row| Ok(row.get::<_, KeyColumn>(0)?.0),
    )?
    .collect()
}

/// The table's mark, as far as this sync has accounted for its records.
pub(crate) fn mark(tx: &Transaction<'_>, writer: &Writer) -> rusqlite::Result<Mark> {
    let mark: Option<Option<i64>> = tx
        .query_row(
            "SELECT mark FROM targets WHERE sync_id = ? AND destination_id = ?",
            [writer.sync.0, writer.destination.0],
            |row| row.get(0),
        )
        .optional()?;
    Ok(mark.flatten().and_then(|mark| u64::try_from(mark).ok()))
}

#[cfg(test)]
mod tests {
    use rusqlite::{Connection, StatementStatus, params};

    use super::OLDEST_MARKS;
    use crate::SqliteStore;

    #[test]
    fn the_work_for_the_oldest_marks_does_not_grow_with_their_number() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.db");
        drop(SqliteStore::open(&path).unwrap());
        let connection = Connection::open(&path).unwrap();
        // Keys in another order than their marks, so that an index of keys is no help.
        let insert = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
                      INSERT OR IGNORE INTO dirty (sync_id, key) SELECT 1, i * 7919 % 100003 FROM n";
        let steps = |marks: i64| {
            connection.execute(insert, [marks]).unwrap();
            let mut statement = connection.prepare(OLDEST_MARKS).unwrap();
            let keys: Vec<i64> = statement
                .query_map(params![1, 10], |row| row.get(0))
                .unwrap()
                .collect::<Result<_, _>>()
                .unwrap();
            assert_eq!(keys.first(), Some(&7919));
            statement.get_status(StatementStatus::VmStep)
        };
        let (few, many) = (steps(1_000), steps(50_000));
        assert!(many <= few + 10, "{few} steps with a thousand marks, {many} with fifty thousand");
    }
}
