//! The log of effects: what was done to each record, when, and by which call of which run.
//!
//! Written in the transaction that settles the answer, so that the log and the links never tell different stories.

use jiff::Timestamp;
use rusqlite::{OptionalExtension as _, Transaction, params};
use sync_core::{
    key::Key,
    record::RecordId,
    slug::Slug,
    state::{Outcome, Writer},
};

use crate::{
    column::{KeyParameter, record_parameter},
    dispatch::ARCHIVE_FIRST,
    failure::Failure,
    settle::Sent,
};

/// What happened to a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EffectKind {
    /// It was created.
    Created,
    /// Fields of it were written.
    Updated,
    /// It was deleted.
    Deleted,
    /// It was found by its external id and linked.
    Found,
    /// It was found to be gone, though nobody here deleted it.
    Missing,
    /// SmartSuite refused what was to be written.
    Refused,
    /// A call for it left and was not answered: it may have taken effect or not.
    Unanswered,
    /// It was marked as archived, because its row was gone.
    Archived,
}

impl EffectKind {
    const ALL: [Self; 8] = [
        Self::Created,
        Self::Updated,
        Self::Deleted,
        Self::Found,
        Self::Missing,
        Self::Refused,
        Self::Unanswered,
        Self::Archived,
    ];

    /// The word for it on screens.
    pub fn word(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Updated => "updated",
            Self::Deleted => "deleted",
            Self::Found => "found",
            Self::Missing => "missing",
            Self::Refused => "refused",
            Self::Unanswered => "unanswered",
            Self::Archived => "archived",
        }
    }

    fn number(self) -> i64 {
        match self {
            Self::Created => 0,
            Self::Updated => 1,
            Self::Deleted => 2,
            Self::Found => 3,
            Self::Missing => 4,
            Self::Refused => 5,
            Self::Unanswered => 6,
            Self::Archived => 7,
        }
    }

    pub(crate) fn from_number(number: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.number() == number)
    }
}

/// One thing to be logged of a key.
struct Entry<'a> {
    kind: EffectKind,
    key: &'a Key,
    record: Option<&'a RecordId>,
    /// JSON of slugs.
    fields: Option<&'a str>,
    code: Option<&'a str>,
    call: Option<i64>,
}

/// Logs what an answer did to the record of an entry that was sent, if it did anything.
pub(crate) fn log_outcome(
    tx: &Transaction<'_>,
    writer: &Writer,
    now: Timestamp,
    sent: &Sent,
    outcome: &Outcome,
) -> Result<(), Failure> {
    let refused_field = match outcome {
        Outcome::Refused { fault } => slugs(fault.slug.as_ref())?,
        _ => None,
    };
    let mut entry = Entry {
        kind: EffectKind::Found,
        key: &sent.key,
        record: sent.record.as_ref(),
        fields: None,
        code: None,
        call: sent.call,
    };
    entry.kind = match outcome {
        Outcome::Written { record, .. } | Outcome::WrittenOtherwise { record, .. } => {
            entry.record = Some(record);
            entry.fields = sent.slugs.as_deref();
            match sent.operation.as_str() {
                "create" => EffectKind::Created,
                "archive" | ARCHIVE_FIRST => EffectKind::Archived,
                _ => EffectKind::Updated,
            }
        }
        Outcome::Found { record, .. } => {
            entry.record = Some(record);
            EffectKind::Found
        }
        Outcome::Deleted => EffectKind::Deleted,
        Outcome::Refused { fault } => {
            entry.fields = refused_field.as_deref();
            entry.code = Some(&fault.code);
            EffectKind::Refused
        }
        Outcome::Unanswered { .. } => EffectKind::Unanswered,
        // A look-up that found nothing says nothing new.
        Outcome::InDoubt { answered: false, .. } if !sent.was_in_doubt => EffectKind::Unanswered,
        Outcome::Missing | Outcome::LeftMissing => EffectKind::Missing,
        Outcome::InDoubt { .. } | Outcome::Back { .. } => return Ok(()),
    };
    log(tx, writer, now, &entry)?;
    Ok(())
}

fn slugs(slug: Option<&Slug>) -> Result<Option<String>, Failure> {
    Ok(slug.map(|slug| serde_json::to_string(&[slug])).transpose()?)
}

/// Logs that a record was found and linked, by an audit, a scan or a second look.
pub(crate) fn log_found(
    tx: &Transaction<'_>,
    writer: &Writer,
    now: Timestamp,
    key: &Key,
    record: &RecordId,
) -> rusqlite::Result<()> {
    let kind = EffectKind::Found;
    let record = Some(record);
    log(tx, writer, now, &Entry { kind, key, record, fields: None, code: None, call: None })
}

/// Logs that a record which shared its key with another was deleted, or lost its external id, which is `field`.
pub(crate) fn log_deduped(
    tx: &Transaction<'_>,
    writer: &Writer,
    now: Timestamp,
    key: &Key,
    record: &RecordId,
    field: Option<&Slug>,
) -> Result<(), Failure> {
    let kind = if field.is_some() { EffectKind::Updated } else { EffectKind::Deleted };
    let fields = slugs(field)?;
    let (record, fields) = (Some(record), fields.as_deref());
    log(tx, writer, now, &Entry { kind, key, record, fields, code: None, call: None })?;
    Ok(())
}

/// Logs one thing.
fn log(
    tx: &Transaction<'_>,
    writer: &Writer,
    now: Timestamp,
    entry: &Entry<'_>,
) -> rusqlite::Result<()> {
    let fields = entry.fields.map(|slugs| field_set(tx, slugs)).transpose()?;
    // The run that this writer began is the sync's newest, if it began one.
    tx.prepare_cached(
        "INSERT INTO effects (sync_id, key, at, kind, record_id, fields, code, run, call)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7,
           (SELECT iif(token = ?8, id, NULL) FROM runs WHERE sync_id = ?1 ORDER BY id DESC LIMIT 1), ?9)",
    )?
    .execute(params![
        writer.sync.0,
        KeyParameter(entry.key),
        now.as_millisecond(),
        entry.kind.number(),
        entry.record.map(record_parameter),
        fields,
        entry.code,
        writer.token,
        entry.call,
    ])?;
    Ok(())
}

fn field_set(tx: &Transaction<'_>, slugs: &str) -> rusqlite::Result<i64> {
    let known = tx
        .prepare_cached("SELECT id FROM field_sets WHERE slugs = ?")?
        .query_row([slugs], |row| row.get(0))
        .optional()?;
    match known {
        Some(id) => Ok(id),
        None => tx
            .prepare_cached("INSERT INTO field_sets (slugs) VALUES (?) RETURNING id")?
            .query_row([slugs], |row| row.get(0)),
    }
}
