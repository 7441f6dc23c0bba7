//! A state that is older than the world: an old copy put in its place, or an empty one (`protocol.md` D9).

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Transaction};
use sync_core::{
    doubt::LAST_LOOK,
    mutation::{self, Mutation},
    state::{FullReadReason, StateError},
};

use crate::{column::time, failure::Failure, second_look, witness::Testimony};

/// Writing calls that this state knows of.
const CALLS: &str = "calls";
/// Set in a copy of a state: the calls that it knew of.
const COPIED: &str = "copied_at_calls";
/// No writing call before this, in milliseconds; the name is of a time when it was for creates alone.
const CALLS_FROM: &str = "creates_from";

/// When a record was deleted last, in milliseconds.
const DELETED_AT: &str = "deleted_at";

/// SQLite's number for `synchronous=FULL`.
const FULL: i64 = 2;

/// Counts a writing call that is about to be marked; answers the number. Refused in a transaction that a power cut
/// may undo, as the call would then have left unmarked (`protocol.md` D1).
pub(crate) fn count_call(tx: &Transaction<'_>) -> Result<i64, Failure> {
    let synchronous: i64 = tx.query_row("PRAGMA synchronous", [], |row| row.get(0))?;
    if synchronous < FULL && !mutation::is_on(Mutation::MarkedWithoutSync) {
        return Err(
            StateError::Other("a call was marked where a power cut undoes it".into()).into()
        );
    }
    Ok(tx
        .prepare_cached("UPDATE counters SET value = value + 1 WHERE name = ? RETURNING value")?
        .query_row([CALLS], |row| row.get(0))?)
}

/// Says in a copy that it is one.
pub(crate) fn say_copied(copy: &Connection) -> rusqlite::Result<()> {
    copy.execute(
        "INSERT OR REPLACE INTO counters (name, value) SELECT ?, value FROM counters WHERE name = ?",
        [COPIED, CALLS],
    )?;
    Ok(())
}

/// Where the witness saw more calls than this state knows of, what the links say their records hold is believed no
/// more, nor that all records up to the mark are known; everything is read again, and nothing that the table shows counts
/// until the last call that was sent has had its time. So too in a copy: nobody knows how old it is, as what lies beside it
/// may be from another day. Answers whether the witness saw more.
pub(crate) fn distrust_if_older(
    tx: &Transaction<'_>,
    seen: Option<Testimony>,
    now: Timestamp,
) -> rusqlite::Result<bool> {
    let known = counter(tx, CALLS)?.unwrap_or(0);
    if mutation::is_on(Mutation::OldStateBelieved) {
        return Ok(false);
    }
    let is_copy = counter(tx, COPIED)?.is_some();
    if is_copy {
        tx.execute("DELETE FROM counters WHERE name = ?", [COPIED])?;
    }
    let seen = match seen {
        seen if is_copy => Testimony {
            calls: seen.map_or(known, |seen| seen.calls),
            sent_at: now.as_millisecond(),
        },
        Some(seen) if known < seen.calls => seen,
        Some(_) | None => return Ok(false),
    };
    tx.execute("UPDATE links SET fingerprint = NULL", [])?;
    // The audit is due, for whatever other reason everything may be read (D8).
    tx.execute("UPDATE targets SET mark = NULL", [])?;
    tx.execute("DELETE FROM recordless", [])?;
    tx.execute(
        "UPDATE syncs SET full_read = coalesce(full_read, ?)",
        [FullReadReason::OlderState.word()],
    )?;
    // A clock that was wrong when the last call left must not keep calls back for years.
    let sent_at = time(seen.sent_at.min(now.as_millisecond()));
    hold_calls(tx, sent_at)?;
    look_at_kept(tx, sent_at)?;
    // A witness that cannot be understood gives no number to go on from; it takes the state's with the next call.
    let calls = if seen.calls == i64::MAX { known } else { seen.calls.max(known) };
    set_counter(tx, CALLS, calls)?;
    Ok(known < seen.calls)
}

/// No call that writes leaves before the last one that may have been sent elsewhere, at `sent_at`, has had its time. What
/// holds longer already stays.
pub(crate) fn hold_calls(tx: &Transaction<'_>, sent_at: Timestamp) -> rusqlite::Result<()> {
    let from = after_last_look(sent_at).as_millisecond();
    set_counter(tx, CALLS_FROM, from.max(counter(tx, CALLS_FROM)?.unwrap_or(from)))
}

/// What is believed archived may have come back by a call that this state knows nothing of.
pub(crate) fn look_at_kept(tx: &Transaction<'_>, sent_at: Timestamp) -> rusqlite::Result<()> {
    second_look::schedule_kept(tx, after_last_look(sent_at))
}

fn after_last_look(sent_at: Timestamp) -> Timestamp {
    sent_at.saturating_add(LAST_LOOK).unwrap_or(sent_at)
}

/// Writing calls that the state knows of.
pub(crate) fn calls(tx: &Connection) -> rusqlite::Result<i64> {
    Ok(counter(tx, CALLS)?.unwrap_or(0))
}

/// The number goes on from at least here.
pub(crate) fn raise_calls(tx: &Transaction<'_>, least: i64) -> rusqlite::Result<()> {
    set_counter(tx, CALLS, calls(tx)?.max(least))
}

/// See [`sync_core::state::StateStore::calls_from`].
pub(crate) fn calls_from(
    tx: &Transaction<'_>,
    now: Timestamp,
) -> rusqlite::Result<Option<Timestamp>> {
    if mutation::is_on(Mutation::OldStateCreatesAtOnce) || !is_held(tx, now)? {
        return Ok(None);
    }
    // A clock that was set back since does not tell how long ago the call left: it has its whole time from now on, once.
    let latest = after_last_look(now).as_millisecond();
    let from = counter(tx, CALLS_FROM)?.unwrap_or(latest);
    if from > latest {
        set_counter(tx, CALLS_FROM, latest)?;
    }
    Ok(Some(time(from.min(latest))))
}

/// A record was deleted: lists may show it for a moment longer.
pub(crate) fn note_deleted(tx: &Transaction<'_>, now: Timestamp) -> rusqlite::Result<()> {
    set_counter(tx, DELETED_AT, now.as_millisecond())
}

/// See [`sync_core::state::StateStore::deleted_at`].
pub(crate) fn deleted_at(tx: &Connection) -> rusqlite::Result<Option<Timestamp>> {
    Ok(counter(tx, DELETED_AT)?.map(time))
}

/// Whether a call that this state does not know of may still be on its way.
pub(crate) fn is_held(tx: &Transaction<'_>, now: Timestamp) -> rusqlite::Result<bool> {
    Ok(counter(tx, CALLS_FROM)?.is_some_and(|from| from > now.as_millisecond()))
}

fn counter(tx: &Connection, name: &str) -> rusqlite::Result<Option<i64>> {
    tx.prepare_cached("SELECT value FROM counters WHERE name = ?")?
        .query_row([name], |row| row.get(0))
        .optional()
}

fn set_counter(tx: &Transaction<'_>, name: &str, value: i64) -> rusqlite::Result<()> {
    tx.prepare_cached("INSERT OR REPLACE INTO counters (name, value) VALUES (?, ?)")?
        .execute((name, value))?;
    Ok(())
}
