//! The gate and the count of calls, shared by every process of the state.

use std::time::Duration;

use jiff::Timestamp;
use rusqlite::{OptionalExtension, Transaction, params};
use sync_core::{
    pace::{GateState, Rate},
    state::{CallKind, SyncId},
};

use crate::column::time;

/// See [`sync_core::state::StateStore::depart`].
pub(crate) fn depart(
    tx: &Transaction<'_>,
    sync: SyncId,
    key_digest: &str,
    kind: Option<CallKind>,
    rate: Rate,
    now: Timestamp,
) -> rusqlite::Result<Timestamp> {
    let mut gate = gate(tx, key_digest, now)?;
    let departure = gate.reserve(now, rate);
    store(tx, key_digest, &gate)?;
    if let Some(kind) = kind {
        count(tx, sync, kind, now)?;
    }
    Ok(departure)
}

/// Counts one call.
pub(crate) fn count(
    tx: &Transaction<'_>,
    sync: SyncId,
    kind: CallKind,
    now: Timestamp,
) -> rusqlite::Result<()> {
    tx.prepare_cached(
        "INSERT INTO calls (day, sync_id, kind, count) VALUES (?, ?, ?, 1)
         ON CONFLICT DO UPDATE SET count = count + 1",
    )?
    .execute(params![now.strftime("%Y-%m-%d").to_string(), sync.0, kind.word()])?;
    Ok(())
}

/// See [`sync_core::state::StateStore::close_gate`].
pub(crate) fn close(
    tx: &Transaction<'_>,
    key_digest: &str,
    retry_after: Option<Duration>,
    jitter: Duration,
    now: Timestamp,
) -> rusqlite::Result<()> {
    let mut gate = gate(tx, key_digest, now)?;
    gate.close(now, retry_after, jitter);
    store(tx, key_digest, &gate)
}

/// Until when the gate is closed, if it is.
pub(crate) fn closed_until(
    tx: &Transaction<'_>,
    key_digest: &str,
    now: Timestamp,
) -> rusqlite::Result<Option<Timestamp>> {
    let gate = gate(tx, key_digest, now)?;
    Ok((gate.closed_until > now).then_some(gate.closed_until))
}

fn gate(tx: &Transaction<'_>, key_digest: &str, now: Timestamp) -> rusqlite::Result<GateState> {
    let found = tx
        .prepare_cached("SELECT next, closed_until FROM gates WHERE key_digest = ?")?
        .query_row([key_digest], |row| {
            Ok(GateState { next: time(row.get(0)?), closed_until: time(row.get(1)?) })
        })
        .optional()?;
    Ok(found.unwrap_or_else(|| GateState::open(now)))
}

fn store(tx: &Transaction<'_>, key_digest: &str, gate: &GateState) -> rusqlite::Result<()> {
    // Milliseconds are kept: rounding up keeps the distance.
    let up = |at: Timestamp| {
        at.as_nanosecond().div_euclid(1_000_000)
            + i128::from(at.as_nanosecond().rem_euclid(1_000_000) > 0)
    };
    tx.prepare_cached(
        "INSERT OR REPLACE INTO gates (key_digest, next, closed_until) VALUES (?, ?, ?)",
    )?
    .execute(params![
        key_digest,
        i64::try_from(up(gate.next)).unwrap_or(i64::MAX),
        i64::try_from(up(gate.closed_until)).unwrap_or(i64::MAX)
    ])?;
    Ok(())
}
