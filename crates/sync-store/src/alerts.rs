//! What was wrong and told of, and messages on their way.

use jiff::{SignedDuration, Timestamp};
use rusqlite::{Row, Transaction, params};
use sync_core::{
    alert::{AlertKind, Condition, Message, Remembered},
    state::{StateError, SyncId},
};

use crate::{
    SqliteStore,
    column::{count, optional_time, time},
    failure::Failure,
    store::Durability,
};

/// A message that nobody took for so long is dropped: what it says is old, and what still holds is on screens.
const AGE_MAX: SignedDuration = SignedDuration::from_hours(72);
/// Between two attempts, at first and at most.
const PAUSE_FIRST: SignedDuration = SignedDuration::from_secs(30);
const PAUSE_MAX: SignedDuration = SignedDuration::from_mins(30);

/// A message on one of its ways.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlertMessage {
    /// Its number.
    pub id: i64,
    /// The way: `email`, `slack`, `teams`, `webhook`.
    pub channel: String,
    /// What it says.
    pub message: Message,
    /// How often it was tried.
    pub attempts: u64,
    /// Why it could not be sent; `None`: it was not tried yet.
    pub error: Option<String>,
}

pub(crate) const REMEMBERED: &str = "SELECT subject, kind, since, text, hint, level, told, pending, is_over FROM alerts ORDER BY subject, kind";
pub(crate) const MESSAGES: &str = "SELECT id, channel, message, attempts, error FROM alert_messages WHERE next_try <= ?1 ORDER BY id";

impl SqliteStore {
    /// Holds what is remembered against what is wrong now, in one transaction: `decide` is given what is remembered
    /// and answers what is to be, with a message that is put on each of `channels`.
    pub fn alert(
        &mut self,
        channels: &[&str],
        now: Timestamp,
        decide: impl FnOnce(Vec<Remembered>) -> sync_core::alert::Decision,
    ) -> Result<(), StateError> {
        self.transact(Durability::Process, |tx| {
            let before: Vec<Remembered> = tx
                .prepare_cached(REMEMBERED)?
                .query_map([], remembered)?
                .filter_map(Result::transpose)
                .collect::<rusqlite::Result<_>>()?;
            let decision = decide(before.clone());
            if decision.remembered != before {
                store(tx, &decision.remembered)?;
            }
            if let Some(message) = &decision.message {
                let text = serde_json::to_string(message)?;
                for channel in channels {
                    tx.execute(
                        "INSERT INTO alert_messages (channel, at, message, next_try) VALUES (?, ?, ?, ?)",
                        params![channel, now.as_millisecond(), text, now.as_millisecond()],
                    )?;
                }
            }
            Ok(())
        })
    }

    /// Messages that may be sent now, the oldest first. Those of ways that are no more, and those that are too old,
    /// are dropped.
    pub fn alert_messages(
        &mut self,
        channels: &[&str],
        now: Timestamp,
    ) -> Result<Vec<AlertMessage>, StateError> {
        self.transact(Durability::Process, |tx| {
            let too_old = now.saturating_sub(AGE_MAX).unwrap_or(Timestamp::MIN).as_millisecond();
            tx.execute("DELETE FROM alert_messages WHERE at < ?", [too_old])?;
            let known = serde_json::to_string(channels)?;
            tx.execute(
                "DELETE FROM alert_messages WHERE channel NOT IN (SELECT value FROM json_each(?))",
                [known],
            )?;
            let messages = tx
                .prepare_cached(MESSAGES)?
                .query_map([now.as_millisecond()], message)?
                .filter_map(Result::transpose)
                .collect::<rusqlite::Result<_>>()?;
            Ok(messages)
        })
    }

    /// Stores what became of a message: it is done, or is tried again later.
    pub fn alert_sent(
        &mut self,
        message: &AlertMessage,
        outcome: Result<(), String>,
        now: Timestamp,
    ) -> Result<(), StateError> {
        self.transact(Durability::Process, |tx| {
            match outcome {
                Ok(()) => tx.execute("DELETE FROM alert_messages WHERE id = ?", [message.id])?,
                Err(error) => {
                    let doublings = u32::try_from(message.attempts.min(10)).unwrap_or(10);
                    let pause = (PAUSE_FIRST * 2_i32.saturating_pow(doublings)).min(PAUSE_MAX);
                    let next = now.saturating_add(pause).unwrap_or(now);
                    tx.execute(
                        "UPDATE alert_messages SET attempts = attempts + 1, error = ?, next_try = ? WHERE id = ?",
                        params![error, next.as_millisecond(), message.id],
                    )?
                }
            };
            Ok(())
        })
    }
}

/// See [`sync_core::state::StateStore::note_shared_ids`].
pub(crate) fn note_shared_ids(
    tx: &Transaction<'_>,
    sync: SyncId,
    ids: u64,
    at_least: bool,
) -> Result<(), Failure> {
    let ids = i64::try_from(ids).unwrap_or(i64::MAX);
    tx.execute(
        "UPDATE syncs SET shared_ids = iif(?1, max(shared_ids, ?2), ?2) WHERE id = ?3",
        params![at_least, ids, sync.0],
    )?;
    Ok(())
}

fn store(tx: &Transaction<'_>, alerts: &[Remembered]) -> Result<(), Failure> {
    tx.execute("DELETE FROM alerts", [])?;
    let mut insert = tx.prepare_cached(
        "INSERT INTO alerts (subject, kind, since, text, hint, level, told, pending, is_over)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )?;
    let number = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    for alert in alerts {
        let condition = &alert.condition;
        insert.execute(params![
            condition.subject,
            condition.kind.word(),
            alert.since.as_millisecond(),
            condition.text,
            condition.hint,
            number(condition.level),
            alert.told.map(number),
            alert.pending.map(Timestamp::as_millisecond),
            alert.is_over,
        ])?;
    }
    Ok(())
}

/// `None`: of a kind that only newer programs know.
pub(crate) fn remembered(row: &Row<'_>) -> rusqlite::Result<Option<Remembered>> {
    let kind: String = row.get(1)?;
    let Some(kind) = AlertKind::from_word(&kind) else { return Ok(None) };
    let told: Option<i64> = row.get(6)?;
    Ok(Some(Remembered {
        condition: Condition {
            kind,
            subject: row.get(0)?,
            text: row.get(3)?,
            hint: row.get(4)?,
            level: count(row, 5)?,
        },
        since: time(row.get(2)?),
        told: told.and_then(|told| u64::try_from(told).ok()),
        pending: optional_time(row, 7)?,
        is_over: row.get(8)?,
    }))
}

pub(crate) fn message(row: &Row<'_>) -> rusqlite::Result<Option<AlertMessage>> {
    let text: String = row.get(2)?;
    // One of a newer form is left to the program that wrote it.
    let Ok(message) = serde_json::from_str(&text) else { return Ok(None) };
    Ok(Some(AlertMessage {
        id: row.get(0)?,
        channel: row.get(1)?,
        message,
        attempts: count(row, 3)?,
        error: row.get(4)?,
    }))
}
