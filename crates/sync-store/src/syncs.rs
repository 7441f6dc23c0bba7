//! Syncs, their destinations and leases; what a changed definition does to them.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Transaction, params};
use sync_core::{
    mutation::{self, Mutation},
    port::Watermark,
    state::{
        DestinationId, FullReadReason, OpenedSync, PageMark, RECORDS_OF_ANOTHER_SYNC, StateError,
        Stop, StreamPosition, SyncId, SyncIdentity, Writer,
    },
};

use crate::{
    column::{KeyColumn, count, optional_count, optional_time},
    doubt,
    failure::Failure,
    filling, recordless, reset, runs, second_look,
};

/// What the state last saw of a definition.
struct Known {
    id: i64,
    destination: i64,
    values_hash: Option<String>,
    key_hash: Option<String>,
    full_read: Option<FullReadReason>,
}

/// See [`sync_core::state::StateStore::open_sync`].
pub(crate) fn open(
    tx: &Transaction<'_>,
    identity: &SyncIdentity,
    now: Timestamp,
) -> Result<OpenedSync, Failure> {
    rename(tx, identity)?;
    let known = find_or_add(tx, &identity.name)?;
    let destination = destination(tx, identity)?;
    // Before anything is changed: what a dead process left is counted as it left it, also where no run follows.
    close_runs(tx, &known, now)?;
    let change = apply_changes(tx, identity, &known, destination, now)?;
    tx.execute(
        "INSERT INTO targets (sync_id, destination_id, external_id_field) VALUES (?1, ?2, ?3)
         ON CONFLICT DO UPDATE SET external_id_field = ?3 WHERE external_id_field <> ?3",
        params![known.id, destination, identity.external_id_field],
    )?;
    if !identity.only_updates {
        recordless::forget_all(tx, known.id)?;
    }
    tx.execute(
        "UPDATE syncs SET only_updates = ?1 WHERE id = ?2 AND only_updates <> ?1",
        params![identity.only_updates, known.id],
    )?;
    let is_first =
        known.values_hash.is_none() || known.key_hash.is_none() && identity.key_hash.is_some();
    if change.is_some() || is_first || known.destination != destination {
        // A changed definition is a new attempt for a sync that the breaker stopped, and whoever runs by the old one
        // must not store what it read by it.
        tx.execute(
            "UPDATE syncs SET destination_id = ?, values_hash = ?, key_hash = coalesce(?, key_hash), full_read = ?,
               definition = definition + 1, token = token + 1, stop_code = NULL, stop_message = NULL, stop_remedy = NULL,
               stop_key = NULL, stop_until = NULL
             WHERE id = ?",
            params![
                destination,
                identity.values_hash,
                identity.key_hash,
                full_read(known.full_read, change).map(FullReadReason::word),
                known.id
            ],
        )?;
    }
    Ok(read(tx, known.id)?)
}

/// Whoever opens a sync has its lock: what still runs is dead.
fn close_runs(tx: &Transaction<'_>, known: &Known, now: Timestamp) -> Result<(), Failure> {
    let token =
        tx.query_row("SELECT token FROM syncs WHERE id = ?", [known.id], |row| row.get(0))?;
    let (sync, destination) = (SyncId(known.id), DestinationId(known.destination));
    runs::interrupt(tx, &Writer { sync, destination, token }, now)
}

/// See [`sync_core::state::StateStore::place`].
pub(crate) fn place(
    tx: &Transaction<'_>,
    identity: &SyncIdentity,
) -> rusqlite::Result<(SyncId, DestinationId)> {
    let sync = find_or_register(tx, &identity.name, identity.previously.as_deref())?;
    Ok((SyncId(sync), DestinationId(destination(tx, identity)?)))
}

/// Does to links, entries and position what the changes of the definition ask for; answers the one that matters
/// most.
fn apply_changes(
    tx: &Transaction<'_>,
    identity: &SyncIdentity,
    known: &Known,
    destination: i64,
    now: Timestamp,
) -> Result<Option<FullReadReason>, Failure> {
    let mut change = None;
    let is_noticed = !mutation::is_on(Mutation::DefinitionIgnored);
    if differs(known.values_hash.as_deref(), &identity.values_hash) && is_noticed {
        make_quarantine_due(tx, known.id)?;
        change = Some(FullReadReason::DefinitionChanged);
    }
    if identity.key_hash.as_deref().is_some_and(|hash| differs(known.key_hash.as_deref(), hash))
        && !mutation::is_on(Mutation::KeyChangeAccepted)
    {
        if !identity.accept_key_change {
            return Err(StateError::KeyChanged { sync: identity.name.clone() }.into());
        }
        refuse_unresolved(tx, identity, known.id, None)?;
        forget_keys(tx, known.id, now)?;
        change = Some(FullReadReason::DefinitionChanged);
    }
    if known.destination == 0 {
        // The Python program did not record where its links point; it knew one table a sync.
        tx.execute(
            "UPDATE links SET destination_id = ? WHERE sync_id = ? AND destination_id = 0",
            params![destination, known.id],
        )?;
    } else if known.destination != destination {
        leave_destination(tx, known.id, known.destination, now)?;
        if !mutation::is_on(Mutation::PositionKept) {
            change = Some(FullReadReason::DestinationChanged);
        }
    }
    let field: Option<String> = tx
        .query_row(
            "SELECT external_id_field FROM targets WHERE sync_id = ? AND destination_id = ?",
            [known.id, destination],
            |row| row.get(0),
        )
        .optional()?;
    if differs(field.as_deref(), &identity.external_id_field)
        && !mutation::is_on(Mutation::FieldChangeIgnored)
    {
        refuse_unresolved(tx, identity, known.id, Some(destination))?;
        forget_values(tx, known.id, destination, now)?;
        filling::begin(tx, known.id, destination)?;
        change = Some(FullReadReason::ExternalIdFieldChanged);
    }
    Ok(change)
}

/// The reason to show and act on: what is pending says more than that the mapping changed too.
fn full_read(
    pending: Option<FullReadReason>,
    change: Option<FullReadReason>,
) -> Option<FullReadReason> {
    match change {
        // What a person changed says more than what changed by itself.
        Some(FullReadReason::DefinitionChanged)
            if pending == Some(FullReadReason::SchemaChanged) =>
        {
            change
        }
        None
        | Some(
            FullReadReason::DefinitionChanged
            | FullReadReason::SchemaChanged
            | FullReadReason::Reset
            | FullReadReason::Imported,
        ) => pending.or(change),
        Some(
            FullReadReason::First
            | FullReadReason::TakenOver
            | FullReadReason::DestinationChanged
            | FullReadReason::ExternalIdFieldChanged
            | FullReadReason::OlderState
            | FullReadReason::LogGap
            | FullReadReason::PositionLost
            | FullReadReason::Resync,
        ) => change,
    }
}

/// A create in doubt is looked up by its key in the external-id field; under other ones it would not be found, and
/// created again. So too the record of one that was given up and may come late: nobody would see that it is one too many.
fn refuse_unresolved(
    tx: &Transaction<'_>,
    identity: &SyncIdentity,
    sync: i64,
    destination: Option<i64>,
) -> Result<(), Failure> {
    let creates = tx.query_row(
        "SELECT (SELECT count(*) FROM outbox WHERE sync_id = ?1 AND state = 1 AND operation = 'create'
             AND destination_id = coalesce(?2, destination_id))
           + (SELECT count(*) FROM second_looks WHERE sync_id = ?1 AND twin
             AND destination_id = coalesce(?2, destination_id))",
        params![sync, destination],
        |row| count(row, 0),
    )?;
    if creates == 0 {
        return Ok(());
    }
    Err(StateError::UnresolvedCreates { sync: identity.name.clone(), creates }.into())
}

fn differs(known: Option<&str>, now: &str) -> bool {
    known.is_some_and(|known| known != now)
}

fn rename(tx: &Transaction<'_>, identity: &SyncIdentity) -> rusqlite::Result<()> {
    if let Some(previously) = &identity.previously {
        make_way(tx, &identity.name, previously)?;
        tx.execute(
            "UPDATE syncs SET name = ?1 WHERE name = ?2 AND NOT EXISTS (SELECT 1 FROM syncs WHERE name = ?1)",
            [&identity.name, previously],
        )?;
    }
    Ok(())
}

/// A run under the new name, before anybody said which sync it was, has registered it. Where nothing came of that but a stop for
/// the records that the former one holds, the two change names.
fn make_way(tx: &Transaction<'_>, name: &str, previously: &str) -> rusqlite::Result<()> {
    let Some(sync) = in_the_way(tx, name, previously)? else { return Ok(()) };
    // What it has linked meanwhile is to be found again.
    tx.execute(
        "UPDATE targets SET mark = NULL WHERE sync_id = (SELECT id FROM syncs WHERE name = ?1)
           AND EXISTS (SELECT 1 FROM links WHERE sync_id = ?2)",
        params![previously, sync],
    )?;
    reset::forget_sync(tx, sync)?;
    // Whoever still runs it may store nothing more.
    tx.execute("UPDATE syncs SET token = token + 1 WHERE id = ?", [sync])?;
    for (from, to) in [(name, ""), (previously, name), ("", previously)] {
        tx.execute("UPDATE syncs SET name = ?2 WHERE name = ?1", [from, to])?;
    }
    Ok(())
}

/// The sync of the new name, where it has to make way for the one that has records under the former.
fn in_the_way(tx: &Transaction<'_>, name: &str, previously: &str) -> rusqlite::Result<Option<i64>> {
    tx.query_row(
        "SELECT s.id FROM syncs AS s JOIN syncs AS f ON f.name = ?2 WHERE s.name = ?1
           AND EXISTS (SELECT 1 FROM links WHERE sync_id = f.id
             UNION ALL SELECT 1 FROM outbox WHERE sync_id = f.id AND state = 1)
           AND NOT EXISTS (SELECT 1 FROM outbox WHERE sync_id = s.id AND state = 1)
           AND NOT EXISTS (SELECT 1 FROM second_looks WHERE sync_id = s.id)
           AND NOT EXISTS (SELECT 1 FROM late_records WHERE sync_id = s.id)
           AND (s.stop_code IS ?3 OR s.stop_code IS NULL AND NOT EXISTS (SELECT 1 FROM links WHERE sync_id = s.id))",
        [name, previously, RECORDS_OF_ANOTHER_SYNC],
        |row| row.get(0),
    )
    .optional()
}

/// The sync of this name, or of the name it had before; registered if there is none yet.
pub(crate) fn find_or_register(
    tx: &Transaction<'_>,
    name: &str,
    previously: Option<&str>,
) -> rusqlite::Result<i64> {
    if let Some(former) = previously
        && in_the_way(tx, name, former)?.is_some()
    {
        return find_or_register(tx, former, None);
    }
    // A sync that is to be renamed keeps its old name until it is opened.
    let known: Option<i64> = tx
        .query_row(
            "SELECT id FROM syncs WHERE name IN (?1, ?2) ORDER BY name = ?1 DESC LIMIT 1",
            (name, previously),
            |row| row.get(0),
        )
        .optional()?;
    match known {
        Some(sync) => Ok(sync),
        None => Ok(find_or_add(tx, name)?.id),
    }
}

fn find_or_add(tx: &Transaction<'_>, name: &str) -> rusqlite::Result<Known> {
    tx.execute("INSERT OR IGNORE INTO syncs (name) VALUES (?)", [name])?;
    tx.query_row(
        "SELECT id, destination_id, values_hash, key_hash, full_read FROM syncs WHERE name = ?",
        [name],
        |row| {
            Ok(Known {
                id: row.get(0)?,
                destination: row.get(1)?,
                values_hash: row.get(2)?,
                key_hash: row.get(3)?,
                full_read: row
                    .get::<_, Option<String>>(4)?
                    .as_deref()
                    .map(FullReadReason::from_word),
            })
        },
    )
}

fn destination(tx: &Transaction<'_>, identity: &SyncIdentity) -> rusqlite::Result<i64> {
    let place = params![identity.host, identity.account, identity.table];
    tx.execute(
        "INSERT OR IGNORE INTO destinations (host, account, table_id) VALUES (?, ?, ?)",
        place,
    )?;
    tx.query_row(
        "SELECT id FROM destinations WHERE host = ? AND account = ? AND table_id = ?",
        place,
        |row| row.get(0),
    )
}

/// Wishes and the position belong to the destination that is left. Creates that were being sent there stay in doubt
/// until that destination is used again (`protocol.md` D11). What else was being sent left its link unknown, so that
/// the full read which is due then decides anew: what was wished before it may have been overtaken. It may still take effect
/// after that, so that it is looked at once more.
fn leave_destination(
    tx: &Transaction<'_>,
    sync: i64,
    destination: i64,
    now: Timestamp,
) -> rusqlite::Result<()> {
    recordless::forget_all(tx, sync)?;
    forget_candidates(tx, sync)?;
    second_look::schedule_inherited(tx, sync, destination, now)?;
    tx.execute(
        "DELETE FROM outbox WHERE sync_id = ? AND destination_id = ? AND NOT (state = 1 AND operation = 'create')",
        [sync, destination],
    )?;
    if mutation::is_on(Mutation::CreatesForgotten) {
        tx.execute(
            "DELETE FROM outbox WHERE sync_id = ? AND destination_id = ?",
            [sync, destination],
        )?;
    }
    if !mutation::is_on(Mutation::PositionKept) {
        tx.execute(
            "UPDATE syncs SET watermark = NULL, stream_position = NULL WHERE id = ?",
            [sync],
        )?;
    }
    Ok(())
}

/// What is linked lacks the new external-id field, and so do the drafts that wait. What is being sent may take effect after
/// the field was filled.
fn forget_values(
    tx: &Transaction<'_>,
    sync: i64,
    destination: i64,
    now: Timestamp,
) -> rusqlite::Result<()> {
    recordless::forget_all(tx, sync)?;
    second_look::schedule_inherited(tx, sync, destination, now)?;
    tx.execute(
        "UPDATE links SET fingerprint = NULL WHERE sync_id = ? AND destination_id = ?",
        [sync, destination],
    )?;
    tx.execute("DELETE FROM outbox WHERE sync_id = ? AND destination_id = ?", [sync, destination])?;
    Ok(())
}

/// Links and entries under other keys mean nothing now; the table must be read again to adopt its records. What is being
/// sent, or went unanswered, may still change them after that.
fn forget_keys(tx: &Transaction<'_>, sync: i64, now: Timestamp) -> rusqlite::Result<()> {
    second_look::keep_by_record(tx, sync, now)?;
    forget_candidates(tx, sync)?;
    for forget in [
        "DELETE FROM links WHERE sync_id = ?",
        "DELETE FROM outbox WHERE sync_id = ?",
        "DELETE FROM dirty WHERE sync_id = ?",
        "DELETE FROM second_looks WHERE sync_id = ?",
        "DELETE FROM recordless WHERE sync_id = ?",
        "DELETE FROM link_wishes WHERE field_id IN (SELECT id FROM link_fields WHERE sync_id = ?)",
        "UPDATE targets SET mark = NULL, matched = NULL WHERE sync_id = ?",
        "UPDATE syncs SET watermark = NULL, stream_position = NULL WHERE id = ?",
    ] {
        tx.execute(forget, [sync])?;
    }
    Ok(())
}

/// What a sweep found is of records that are not the sync's any more.
pub(crate) fn forget_candidates(tx: &Transaction<'_>, sync: i64) -> rusqlite::Result<()> {
    tx.execute("UPDATE syncs SET candidates = 0, swept_at = NULL WHERE id = ?", [sync])?;
    Ok(())
}

/// See [`sync_core::state::StateStore::request_full_read`].
pub(crate) fn request_full_read(
    tx: &Transaction<'_>,
    sync: SyncId,
    reason: FullReadReason,
) -> rusqlite::Result<()> {
    tx.execute(
        "UPDATE syncs SET full_read = coalesce(full_read, ?), full_read_asked = read WHERE id = ?",
        params![reason.word(), sync.0],
    )?;
    Ok(())
}

/// Quarantined rows of the sync are tried again now: what refused them may have changed.
pub(crate) fn make_quarantine_due(tx: &Transaction<'_>, sync: i64) -> rusqlite::Result<()> {
    tx.execute("UPDATE outbox SET not_before = 0 WHERE sync_id = ? AND state = 2", [sync])?;
    Ok(())
}

/// See [`sync_core::state::StateStore::see_shape`].
pub(crate) fn see_shape(
    tx: &Transaction<'_>,
    sync: i64,
    shape_hash: &str,
) -> rusqlite::Result<bool> {
    let known: Option<String> =
        tx.query_row("SELECT shape_hash FROM syncs WHERE id = ?", [sync], |row| row.get(0))?;
    if known.as_deref() == Some(shape_hash) {
        return Ok(false);
    }
    let differed = known.is_some();
    tx.execute(
        "UPDATE syncs SET shape_hash = ?1, full_read = iif(?2, coalesce(full_read, ?3), full_read) WHERE id = ?4",
        params![shape_hash, differed, FullReadReason::SchemaChanged.word(), sync],
    )?;
    if differed {
        make_quarantine_due(tx, sync)?;
    }
    Ok(differed)
}

/// See [`sync_core::state::ChoiceStore::set_shape`].
pub(crate) fn set_shape(tx: &Transaction<'_>, sync: i64, shape_hash: &str) -> rusqlite::Result<()> {
    tx.execute("UPDATE syncs SET shape_hash = ? WHERE id = ?", params![shape_hash, sync])?;
    Ok(())
}

pub(crate) fn read(connection: &Connection, sync: i64) -> rusqlite::Result<OpenedSync> {
    connection.query_row(
        "SELECT id, destination_id, watermark, full_read, stop_code, stop_message, stop_remedy, stop_key, definition,
           page_after, page_watermark, full_read_at, swept_at, stream_position, full_rows, stop_until,
           stop_creates, page_read, candidates
         FROM syncs WHERE id = ?",
        [sync],
        |row| {
            let code: Option<String> = row.get(4)?;
            Ok(OpenedSync {
                id: SyncId(row.get(0)?),
                destination: DestinationId(row.get(1)?),
                watermark: row.get::<_, Option<String>>(2)?.map(Watermark),
                full_read: row.get::<_, Option<String>>(3)?.as_deref().map(FullReadReason::from_word),
                full_rows: optional_count(row, 14)?,
                stopped: match code {
                    Some(code) => Some(Stop {
                        code,
                        message: row.get::<_, Option<String>>(5)?.unwrap_or_default(),
                        remedy: row.get::<_, Option<String>>(6)?.unwrap_or_default(),
                        key: row.get(7)?,
                        until: optional_time(row, 15)?,
                        only_creates: row.get(16)?,
                    }),
                    None => None,
                },
                definition: row.get(8)?,
                page: match row.get::<_, Option<KeyColumn>>(9)? {
                    Some(after) => Some(PageMark {
                        after: after.0,
                        watermark: row.get::<_, Option<String>>(10)?.map(Watermark),
                        first_read: row.get(17)?,
                    }),
                    None => None,
                },
                full_read_at: optional_time(row, 11)?,
                swept_at: optional_time(row, 12)?,
                candidates: count(row, 18)?,
                stream_position: row.get::<_, Option<String>>(13)?.map(StreamPosition),
            })
        },
    )
}

/// Takes the lease, and puts in order what a dead holder left; see [`sync_core::state::StateStore::hold`].
pub(crate) fn hold(
    tx: &Transaction<'_>,
    sync: &OpenedSync,
    holder: &str,
    now: Timestamp,
) -> Result<Writer, Failure> {
    let token: Option<i64> = tx
        .query_row(
            "UPDATE syncs SET token = token + 1, holder = ?, heartbeat_at = ? WHERE id = ? AND definition = ?
             RETURNING token",
            params![holder, now.as_millisecond(), sync.id.0, sync.definition],
            |row| row.get(0),
        )
        .optional()?;
    // Another process has opened the sync by another definition since this one did.
    let token = token.ok_or(StateError::Fenced)?;
    let writer = Writer { sync: sync.id, destination: sync.destination, token };
    runs::interrupt(tx, &writer, now)?;
    doubt::inherit(tx, &writer, now)?;
    Ok(writer)
}

/// Fails unless the token is the newest.
pub(crate) fn check_token(tx: &Transaction<'_>, writer: &Writer) -> Result<(), Failure> {
    let token: Option<i64> = tx
        .prepare_cached("SELECT token FROM syncs WHERE id = ?")?
        .query_row([writer.sync.0], |row| row.get(0))
        .optional()?;
    let is_unchecked =
        [Mutation::TokenUnchecked, Mutation::TwoReaders].into_iter().any(mutation::is_on);
    if token == Some(writer.token) || is_unchecked {
        Ok(())
    } else {
        Err(StateError::Fenced.into())
    }
}

pub(crate) fn heartbeat(
    tx: &Transaction<'_>,
    writer: &Writer,
    now: Timestamp,
) -> rusqlite::Result<()> {
    tx.execute(
        "UPDATE syncs SET heartbeat_at = ? WHERE id = ?",
        params![now.as_millisecond(), writer.sync.0],
    )?;
    Ok(())
}

pub(crate) fn release(tx: &Transaction<'_>, writer: &Writer) -> rusqlite::Result<()> {
    tx.execute(
        "UPDATE syncs SET holder = NULL, heartbeat_at = NULL WHERE id = ?",
        [writer.sync.0],
    )?;
    Ok(())
}

pub(crate) fn set_stop(
    tx: &Transaction<'_>,
    sync: i64,
    stop: Option<&Stop>,
) -> rusqlite::Result<()> {
    let only_creates = stop.is_some_and(|stop| stop.only_creates);
    tx.execute(
        "UPDATE syncs SET stop_code = ?, stop_message = ?, stop_remedy = ?, stop_key = ?, stop_until = ?,
           stop_creates = ?
         WHERE id = ? AND NOT (? AND stop_code IS NOT NULL AND NOT stop_creates)",
        params![
            stop.map(|stop| &stop.code),
            stop.map(|stop| &stop.message),
            stop.map(|stop| &stop.remedy),
            stop.and_then(|stop| stop.key.as_ref()),
            stop.and_then(|stop| stop.until).map(Timestamp::as_millisecond),
            only_creates,
            sync,
            only_creates
        ],
    )?;
    Ok(())
}
