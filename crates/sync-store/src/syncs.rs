//! Syncs, their destinations and leases; what a changed definition does to them.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Transaction, params};
use sync_core::{
    port::Watermark,
    state::{
        DestinationId, FullReadReason, OpenedSync, StateError, Stop, SyncId, SyncIdentity, Writer,
    },
};

use crate::{column::count, failure::Failure};

/// What the state last saw of a definition.
struct Known {
    id: i64,
    destination: i64,
    external_id_field: Option<String>,
    values_hash: Option<String>,
    key_hash: Option<String>,
    full_read: Option<String>,
}

/// See [`sync_core::state::StateStore::open_sync`].
pub(crate) fn open(tx: &Transaction<'_>, identity: &SyncIdentity) -> Result<OpenedSync, Failure> {
    rename(tx, identity)?;
    let known = find_or_add(tx, &identity.name)?;
    let destination = destination(tx, identity)?;
    let mut reason = known.full_read.as_deref().map(FullReadReason::from_word);
    if differs(known.values_hash.as_deref(), &identity.values_hash) {
        reason = Some(FullReadReason::DefinitionChanged);
        make_quarantine_due(tx, known.id)?;
    }
    if differs(known.key_hash.as_deref(), &identity.key_hash) {
        if !identity.accept_key_change {
            return Err(StateError::KeyChanged { sync: identity.name.clone() }.into());
        }
        forget_keys(tx, known.id)?;
        reason = Some(FullReadReason::DefinitionChanged);
    }
    if known.destination == 0 {
        // The Python program did not record where its links point; it knew one table a sync.
        tx.execute(
            "UPDATE links SET destination_id = ? WHERE sync_id = ? AND destination_id = 0",
            params![destination, known.id],
        )?;
    } else if known.destination != destination {
        leave_destination(tx, known.id, known.destination)?;
        reason = Some(FullReadReason::DestinationChanged);
    } else if differs(known.external_id_field.as_deref(), &identity.external_id_field) {
        forget_fingerprints(tx, known.id, destination)?;
        reason = Some(FullReadReason::ExternalIdFieldChanged);
    }
    if reason.is_some() && reason != known.full_read.as_deref().map(FullReadReason::from_word) {
        // A changed definition is a new attempt for a sync that the breaker stopped.
        set_stop(tx, known.id, None)?;
    }
    tx.execute(
        "UPDATE syncs SET destination_id = ?, external_id_field = ?, values_hash = ?, key_hash = ?, full_read = ?
         WHERE id = ?",
        params![
            destination,
            identity.external_id_field,
            identity.values_hash,
            identity.key_hash,
            reason.map(FullReadReason::word),
            known.id
        ],
    )?;
    Ok(read(tx, known.id)?)
}

fn differs(known: Option<&str>, now: &str) -> bool {
    known.is_some_and(|known| known != now)
}

fn rename(tx: &Transaction<'_>, identity: &SyncIdentity) -> rusqlite::Result<()> {
    if let Some(previously) = &identity.previously {
        tx.execute(
            "UPDATE syncs SET name = ?1 WHERE name = ?2 AND NOT EXISTS (SELECT 1 FROM syncs WHERE name = ?1)",
            [&identity.name, previously],
        )?;
    }
    Ok(())
}

fn find_or_add(tx: &Transaction<'_>, name: &str) -> rusqlite::Result<Known> {
    tx.execute("INSERT OR IGNORE INTO syncs (name) VALUES (?)", [name])?;
    tx.query_row(
        "SELECT id, destination_id, external_id_field, values_hash, key_hash, full_read FROM syncs WHERE name = ?",
        [name],
        |row| {
            Ok(Known {
                id: row.get(0)?,
                destination: row.get(1)?,
                external_id_field: row.get(2)?,
                values_hash: row.get(3)?,
                key_hash: row.get(4)?,
                full_read: row.get(5)?,
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

/// Wishes and the position belong to the destination that is left; what was being sent there stays in doubt until
/// that destination is used again (`protocol.md` D11).
fn leave_destination(tx: &Transaction<'_>, sync: i64, destination: i64) -> rusqlite::Result<()> {
    tx.execute(
        "DELETE FROM outbox WHERE sync_id = ? AND destination_id = ? AND state <> 1",
        [sync, destination],
    )?;
    tx.execute("UPDATE syncs SET watermark = NULL WHERE id = ?", [sync])?;
    Ok(())
}

fn forget_fingerprints(tx: &Transaction<'_>, sync: i64, destination: i64) -> rusqlite::Result<()> {
    tx.execute(
        "UPDATE links SET fingerprint = NULL WHERE sync_id = ? AND destination_id = ?",
        [sync, destination],
    )?;
    Ok(())
}

/// Links and entries under other keys mean nothing now; the table must be read again to adopt its records.
fn forget_keys(tx: &Transaction<'_>, sync: i64) -> rusqlite::Result<()> {
    tx.execute(
        "UPDATE destinations SET mark = NULL WHERE id IN (SELECT destination_id FROM links WHERE sync_id = ?)",
        [sync],
    )?;
    for table in ["links", "outbox", "dirty"] {
        tx.execute(&format!("DELETE FROM {table} WHERE sync_id = ?"), [sync])?;
    }
    tx.execute("UPDATE syncs SET watermark = NULL WHERE id = ?", [sync])?;
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
    let differed = differs(known.as_deref(), shape_hash);
    tx.execute(
        "UPDATE syncs SET shape_hash = ?1, full_read = iif(?2, coalesce(full_read, ?3), full_read) WHERE id = ?4",
        params![shape_hash, differed, FullReadReason::DefinitionChanged.word(), sync],
    )?;
    if differed {
        make_quarantine_due(tx, sync)?;
    }
    Ok(differed)
}

fn read(connection: &Connection, sync: i64) -> rusqlite::Result<OpenedSync> {
    connection.query_row(
        "SELECT id, destination_id, watermark, full_read, stop_code, stop_message, stop_remedy,
           (SELECT count(*) FROM links WHERE sync_id = syncs.id AND destination_id = syncs.destination_id)
         FROM syncs WHERE id = ?",
        [sync],
        |row| {
            let code: Option<String> = row.get(4)?;
            Ok(OpenedSync {
                id: SyncId(row.get(0)?),
                destination: DestinationId(row.get(1)?),
                watermark: row.get::<_, Option<String>>(2)?.map(Watermark),
                full_read: row.get::<_, Option<String>>(3)?.as_deref().map(FullReadReason::from_word),
                stopped: match code {
                    Some(code) => Some(Stop {
                        code,
                        message: row.get::<_, Option<String>>(5)?.unwrap_or_default(),
                        remedy: row.get::<_, Option<String>>(6)?.unwrap_or_default(),
                    }),
                    None => None,
                },
                links: count(row, 7)?,
            })
        },
    )
}

/// Takes the lease; see [`sync_core::state::StateStore::hold`].
pub(crate) fn hold(
    tx: &Transaction<'_>,
    sync: &OpenedSync,
    holder: &str,
    now: Timestamp,
) -> Result<Writer, Failure> {
    let token: i64 = tx.query_row(
        "UPDATE syncs SET token = token + 1, holder = ?, heartbeat_at = ? WHERE id = ? RETURNING token",
        params![holder, now.as_millisecond(), sync.id.0],
        |row| row.get(0),
    )?;
    tx.execute(
        "UPDATE runs SET status = 'interrupted', completed_at = ?1, error_message = 'the process ended before the run did'
         WHERE sync_id = ?2 AND status = 'running'",
        params![now.as_millisecond(), sync.id.0],
    )?;
    Ok(Writer { sync: sync.id, destination: sync.destination, token })
}

/// Fails unless the token is the newest.
pub(crate) fn check_token(tx: &Transaction<'_>, writer: &Writer) -> Result<(), Failure> {
    let token: Option<i64> = tx
        .prepare_cached("SELECT token FROM syncs WHERE id = ?")?
        .query_row([writer.sync.0], |row| row.get(0))
        .optional()?;
    if token == Some(writer.token) { Ok(()) } else { Err(StateError::Fenced.into()) }
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
    tx.execute(
        "UPDATE syncs SET stop_code = ?, stop_message = ?, stop_remedy = ? WHERE id = ?",
        params![
            stop.map(|stop| &stop.code),
            stop.map(|stop| &stop.message),
            stop.map(|stop| &stop.remedy),
            sync
        ],
    )?;
    Ok(())
}
