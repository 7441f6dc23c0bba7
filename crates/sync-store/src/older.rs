//! A state that is older than the world: an old copy put in its place, or an empty one (`protocol.md` D9).

use std::time::Duration;

use jiff::Timestamp;
use rusqlite::{OptionalExtension, Transaction};
use sync_core::{
    doubt::LAST_LOOK,
    mutation::{self, Mutation},
    state::{FullReadReason, StateError},
};

use crate::{column::time, failure::Failure, witness::Testimony};

/// Writing calls that this state knows of.
const CALLS: &str = "calls";
/// No create before this, in milliseconds.
const CREATES_FROM: &str = "creates_from";

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

/// Where the witness saw more calls than this state knows of, what the links say their records hold is believed no
/// more, everything is read again, and no create leaves until the last one that was sent has had its time.
pub(crate) fn distrust_if_older(
    tx: &Transaction<'_>,
    seen: Testimony,
    now: Timestamp,
) -> rusqlite::Result<()> {
    let known = counter(tx, CALLS)?.unwrap_or(0);
    if known >= seen.calls || mutation::is_on(Mutation::OldStateBelieved) {
        return Ok(());
    }
    tx.execute("UPDATE links SET fingerprint = NULL", [])?;
    tx.execute(
        "UPDATE syncs SET full_read = coalesce(full_read, ?)",
        [FullReadReason::OlderState.word()],
    )?;
    // A clock that was wrong when the last create left must not keep creates out for years.
    let created_at = time(seen.created_at.min(now.as_millisecond()));
    let from = created_at.saturating_add(LAST_LOOK).unwrap_or(now);
    set_counter(tx, CREATES_FROM, from.as_millisecond())?;
    // A witness that cannot be understood gives no number to go on from; it takes the state's with the next call.
    let calls = if seen.calls == i64::MAX { known } else { seen.calls };
    set_counter(tx, CALLS, calls)
}

/// See [`sync_core::state::StateStore::creates_from`].
pub(crate) fn creates_from(
    tx: &Transaction<'_>,
    now: Timestamp,
) -> rusqlite::Result<Option<Timestamp>> {
    if mutation::is_on(Mutation::OldStateCreatesAtOnce) {
        return Ok(None);
    }
    let from = counter(tx, CREATES_FROM)?.map(time);
    // The clock may have been set back since.
    Ok(from.filter(|from| *from > now && from.duration_since(now) <= limit()))
}

fn limit() -> jiff::SignedDuration {
    jiff::SignedDuration::try_from(LAST_LOOK + Duration::from_secs(1)).unwrap_or_default()
}

fn counter(tx: &Transaction<'_>, name: &str) -> rusqlite::Result<Option<i64>> {
    tx.query_row("SELECT value FROM counters WHERE name = ?", [name], |row| row.get(0)).optional()
}

fn set_counter(tx: &Transaction<'_>, name: &str, value: i64) -> rusqlite::Result<()> {
    tx.execute("INSERT OR REPLACE INTO counters (name, value) VALUES (?, ?)", (name, value))?;
    Ok(())
}
