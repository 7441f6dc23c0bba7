//! Keys to look at once more (`protocol.md` D6).

use jiff::Timestamp;
use rusqlite::{Transaction, params};
use sync_core::{
    key::Key,
    mutation::{self, Mutation},
    record::RecordId,
    second_look::{HeldLink, SECOND_LOOK},
    state::{LinkChange, Origin, SecondLook, SecondSettlement, Writer},
};

use crate::{
    column::{KeyColumn, KeyParameter, RecordColumn, fingerprint, limit, record_parameter},
    dispatch::{KEPT, MISSING, forget_fingerprint},
    effects,
    failure::Failure,
    scan::mark_dirty,
    settle::put_link,
};

/// An hour after a call that was made, or ended, now.
pub(crate) fn in_an_hour(now: Timestamp) -> Timestamp {
    now.saturating_add(SECOND_LOOK).unwrap_or(now)
}

/// What a second look is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Suspicion {
    /// The linked record may hold something else.
    Values,
    /// A second record may carry the key, in the external-id field as it is now.
    Twin,
}

/// The key is looked at, not before `due`.
pub(crate) fn schedule(
    tx: &Transaction<'_>,
    writer: &Writer,
    key: &Key,
    suspicion: Suspicion,
    due: Timestamp,
) -> rusqlite::Result<()> {
    if mutation::is_on(Mutation::NoSecondLook) {
        return Ok(());
    }
    tx.prepare_cached(
        "INSERT INTO second_looks (sync_id, destination_id, key, due_at, twin) VALUES (?, ?, ?, ?, ?)
         ON CONFLICT DO UPDATE SET due_at = max(due_at, excluded.due_at), twin = max(twin, excluded.twin)",
    )?
    .execute(params![
        writer.sync.0,
        writer.destination.0,
        KeyParameter(key),
        due.as_millisecond(),
        suspicion == Suspicion::Twin
    ])?;
    Ok(())
}

/// A call for the key ended: the look that may be due waits until then.
pub(crate) fn postpone(
    tx: &Transaction<'_>,
    writer: &Writer,
    key: &Key,
    until: Timestamp,
) -> rusqlite::Result<()> {
    tx.prepare_cached(
        "UPDATE second_looks SET due_at = max(due_at, ?) WHERE sync_id = ? AND destination_id = ? AND key = ?",
    )?
    .execute(params![
        until.as_millisecond(),
        writer.sync.0,
        writer.destination.0,
        KeyParameter(key)
    ])?;
    Ok(())
}

/// What a dead process was updating or deleting: nobody heard the answer.
pub(crate) fn schedule_inherited(
    tx: &Transaction<'_>,
    sync: i64,
    destination: i64,
    now: Timestamp,
) -> rusqlite::Result<()> {
    if mutation::is_on(Mutation::NoSecondLook) {
        return Ok(());
    }
    tx.execute(
        "INSERT INTO second_looks (sync_id, destination_id, key, due_at, twin)
         SELECT sync_id, destination_id, key, ?1, 0 FROM outbox
         WHERE sync_id = ?2 AND destination_id = ?3 AND state = 1 AND operation <> 'create'
         ON CONFLICT DO UPDATE SET due_at = max(due_at, excluded.due_at)",
        [in_an_hour(now).as_millisecond(), sync, destination],
    )?;
    Ok(())
}

/// The keys of the sync change: what may still change a record is remembered by the record, whichever key it gets.
pub(crate) fn keep_by_record(
    tx: &Transaction<'_>,
    sync: i64,
    now: Timestamp,
) -> rusqlite::Result<()> {
    if mutation::is_on(Mutation::NoSecondLook) {
        return Ok(());
    }
    tx.execute(
        "DELETE FROM late_records WHERE sync_id = ? AND due_at <= ?",
        [sync, now.as_millisecond()],
    )?;
    tx.execute(
        "INSERT INTO late_records (sync_id, destination_id, record_id, due_at)
         SELECT sync_id, destination_id, record_id, ?1 FROM outbox
         WHERE sync_id = ?2 AND state = 1 AND record_id IS NOT NULL
         UNION ALL
         SELECT l.sync_id, l.destination_id, l.record_id, s.due_at FROM second_looks AS s JOIN links AS l
           ON l.sync_id = s.sync_id AND l.destination_id = s.destination_id AND l.key = s.key
         WHERE s.sync_id = ?2 AND s.due_at > ?3
         ON CONFLICT DO UPDATE SET due_at = max(due_at, excluded.due_at)",
        [in_an_hour(now).as_millisecond(), sync, now.as_millisecond()],
    )?;
    Ok(())
}

/// The key is linked to this record now: if a call that left before the keys changed may still change it, the key is
/// looked at.
pub(crate) fn schedule_for_record(
    tx: &Transaction<'_>,
    writer: &Writer,
    key: &Key,
    record: &RecordId,
    now: Timestamp,
) -> rusqlite::Result<()> {
    tx.prepare_cached(
        "INSERT INTO second_looks (sync_id, destination_id, key, due_at, twin)
         SELECT sync_id, destination_id, ?1, due_at, 0 FROM late_records
         WHERE sync_id = ?2 AND destination_id = ?3 AND record_id = ?4 AND due_at > ?5
         ON CONFLICT DO UPDATE SET due_at = max(due_at, excluded.due_at)",
    )?
    .execute(params![
        KeyParameter(key),
        writer.sync.0,
        writer.destination.0,
        record_parameter(record),
        now.as_millisecond()
    ])?;
    Ok(())
}

/// See [`sync_core::state::StateStore::second_looks`].
pub(crate) fn due(
    tx: &Transaction<'_>,
    writer: &Writer,
    now: Timestamp,
    keys_max: usize,
) -> Result<Vec<SecondLook>, Failure> {
    let mut select = tx.prepare_cached(
        "SELECT s.key, l.record_id, l.fingerprint, l.standing, l.origin,
           EXISTS (SELECT 1 FROM outbox AS w WHERE w.sync_id = s.sync_id AND w.destination_id = s.destination_id
             AND w.key = s.key)
         FROM second_looks AS s LEFT JOIN links AS l
           ON l.sync_id = s.sync_id AND l.destination_id = s.destination_id AND l.key = s.key
         WHERE s.sync_id = ?1 AND s.destination_id = ?2 AND s.due_at <= ?3
           AND NOT EXISTS (SELECT 1 FROM outbox AS o WHERE o.sync_id = s.sync_id
             AND o.destination_id = s.destination_id AND o.key = s.key AND o.state = 1)
         ORDER BY s.due_at, s.key LIMIT ?4",
    )?;
    let place = params![writer.sync.0, writer.destination.0, now.as_millisecond(), limit(keys_max)];
    let mut rows = select.query(place)?;
    let mut looks = Vec::new();
    while let Some(row) = rows.next()? {
        let standing: Option<i64> = row.get(3)?;
        let is_missing = standing == Some(MISSING);
        let is_kept = standing == Some(KEPT) && !row.get::<_, bool>(5)?;
        let origin = |code: i64| if code == 0 { Origin::Created } else { Origin::Adopted };
        let kept = row.get::<_, Option<i64>>(4)?.filter(|_| is_kept).map(origin);
        let record = row.get::<_, Option<RecordColumn>>(1)?.filter(|_| !is_missing);
        let print = fingerprint(row.get(2)?);
        looks.push(SecondLook {
            key: row.get::<_, KeyColumn>(0)?.0,
            link: record.map(|record| HeldLink { record: record.0, fingerprint: print, kept }),
        });
    }
    Ok(looks)
}

/// See [`sync_core::state::StateStore::settle_second_looks`].
pub(crate) fn settle(
    tx: &Transaction<'_>,
    writer: &Writer,
    settlements: &[SecondSettlement],
    now: Timestamp,
    log_effects: bool,
) -> Result<(), Failure> {
    for SecondSettlement { key, change, again_at } in settlements {
        match change {
            None => {}
            Some(LinkChange::Forget) => {
                if !mutation::is_on(Mutation::DifferenceOnlyMarked) {
                    forget_fingerprint(tx, writer, key)?;
                }
                mark_dirty(tx, writer, key)?;
            }
            Some(LinkChange::Reopen) => reopen(tx, writer, key)?,
            Some(LinkChange::MoveTo { record, origin }) => {
                put_link(tx, writer, now, key, record, None, *origin)?;
                mark_dirty(tx, writer, key)?;
                if log_effects {
                    effects::log_found(tx, writer, now, key, record)?;
                }
            }
        }
        let place = (writer.sync.0, writer.destination.0, KeyParameter(key));
        match again_at {
            Some(again_at) => tx
                .prepare_cached(
                    "UPDATE second_looks SET due_at = ?4 WHERE sync_id = ?1 AND destination_id = ?2 AND key = ?3",
                )?
                .execute((place.0, place.1, place.2, again_at.as_millisecond()))?,
            None => tx
                .prepare_cached(
                    "DELETE FROM second_looks WHERE sync_id = ? AND destination_id = ? AND key = ?",
                )?
                .execute(place)?,
        };
    }
    Ok(())
}

/// What was brought back is asked for again, and archived if its row is still gone. Not where something waits to be written:
/// a row that is there brings its record back.
fn reopen(tx: &Transaction<'_>, writer: &Writer, key: &Key) -> rusqlite::Result<()> {
    let reopened = tx
        .prepare_cached(
            "UPDATE links SET standing = 0, fingerprint = NULL
             WHERE sync_id = ?1 AND destination_id = ?2 AND key = ?3 AND standing = ?4
               AND NOT EXISTS (SELECT 1 FROM outbox WHERE sync_id = ?1 AND destination_id = ?2 AND key = ?3)",
        )?
        .execute(params![writer.sync.0, writer.destination.0, KeyParameter(key), KEPT])?;
    if reopened > 0 {
        mark_dirty(tx, writer, key)?;
    }
    Ok(())
}

/// In a state that is older than the world, records that it believes archived may have come back: they are looked at once
/// calls that it does not know of have had their time.
pub(crate) fn schedule_kept(tx: &Transaction<'_>, due: Timestamp) -> rusqlite::Result<()> {
    if mutation::is_on(Mutation::NoSecondLook) {
        return Ok(());
    }
    tx.execute(
        "INSERT INTO second_looks (sync_id, destination_id, key, due_at, twin)
         SELECT sync_id, destination_id, key, ?, 0 FROM links WHERE standing = ?
         ON CONFLICT DO UPDATE SET due_at = max(due_at, excluded.due_at)",
        [due.as_millisecond(), KEPT],
    )?;
    Ok(())
}
