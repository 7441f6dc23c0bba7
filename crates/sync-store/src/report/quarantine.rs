//! Rows in quarantine.

use jiff::Timestamp;
use rusqlite::{Row, params};
use serde_json::{Map, Value};
use sync_core::{
    error::Quoted,
    key::Key,
    slug::Slug,
    state::{EntryId, Fault, StateError},
};

use super::StateReader;
use crate::column::{KeyColumn, KeyParameter, count, limit, time};

/// How many rows one complaint keeps in quarantine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuarantineCount {
    /// The complaint's stable code.
    pub code: String,
    /// The field to blame, where one is.
    pub slug: Option<Slug>,
    /// Rows.
    pub rows: u64,
}

/// One row in quarantine. `Debug` hides the key and the reason, which may echo the row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuarantinedRow {
    /// Its number; pages are asked for by it.
    pub id: EntryId,
    /// Its key.
    pub key: Key,
    /// What is wrong and what to do.
    pub fault: Fault,
    /// How often it was refused.
    pub refusals: u64,
    /// When the row was read.
    pub since: Timestamp,
    /// When it is tried again by itself.
    pub next_try: Timestamp,
    /// What was to be written, as a JSON object by field; or the row's cells by column, where it could not become a
    /// record. `None` where it is not kept, or the wish was that no record exists.
    pub payload: Option<Quoted>,
}

/// Which rows of one sync are meant; those that meet every condition.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct QuarantineFilter {
    /// With this complaint.
    pub code: Option<String>,
    /// With this key, written as in `record_mappings`.
    pub key: Option<String>,
}

impl QuarantineFilter {
    /// The key as it is stored; kept by the caller while a query runs.
    pub(crate) fn stored_key(&self) -> Option<Key> {
        self.key.as_deref().map(Key::from_text)
    }
}

impl StateReader {
    /// Rows of the sync in quarantine, in the order in which they were read: at most `rows_max`, those after `after`,
    /// which is the last row of the page before.
    pub fn quarantine(
        &self,
        name: &str,
        after: Option<EntryId>,
        rows_max: usize,
    ) -> Result<Vec<QuarantinedRow>, StateError> {
        self.quarantine_where(name, &QuarantineFilter::default(), after, rows_max)
    }

    /// [`StateReader::quarantine`], but only the rows that are meant.
    pub fn quarantine_where(
        &self,
        name: &str,
        filter: &QuarantineFilter,
        after: Option<EntryId>,
        rows_max: usize,
    ) -> Result<Vec<QuarantinedRow>, StateError> {
        self.all(
            "SELECT o.seq, o.key, o.code, o.slug, o.reason, o.remedy, o.refusals, o.created_at, o.not_before,
               o.fields, o.payload
             FROM outbox AS o JOIN syncs AS s ON s.id = o.sync_id AND s.destination_id = o.destination_id
             WHERE s.name = ?1 AND o.state = 2 AND o.seq > ?2 AND o.code IS coalesce(?4, o.code)
               AND (?5 IS NULL OR o.key = ?5) ORDER BY o.seq LIMIT ?3",
            params![
                name,
                after.map_or(i64::MIN, |id| id.0),
                limit(rows_max),
                filter.code,
                filter.stored_key().as_ref().map(KeyParameter),
            ],
            quarantined,
        )
    }

    pub(super) fn quarantine_counts(&self, sync: i64) -> Result<Vec<QuarantineCount>, StateError> {
        self.all(
            "SELECT coalesce(o.code, ''), o.slug, count(*) FROM outbox AS o
             JOIN syncs AS s ON s.id = o.sync_id AND s.destination_id = o.destination_id
             WHERE s.id = ? AND o.state = 2 GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2",
            [sync],
            |row| {
                Ok(QuarantineCount {
                    code: row.get(0)?,
                    slug: row.get::<_, Option<String>>(1)?.map(Slug::from),
                    rows: count(row, 2)?,
                })
            },
        )
    }
}

fn quarantined(row: &Row<'_>) -> rusqlite::Result<QuarantinedRow> {
    let text = |column: usize| -> rusqlite::Result<String> {
        Ok(row.get::<_, Option<String>>(column)?.unwrap_or_default())
    };
    Ok(QuarantinedRow {
        id: EntryId(row.get(0)?),
        key: row.get::<_, KeyColumn>(1)?.0,
        fault: Fault {
            code: text(2)?,
            slug: row.get::<_, Option<String>>(3)?.map(Slug::from),
            reason: Quoted(text(4)?),
            remedy: text(5)?,
        },
        refusals: count(row, 6)?,
        since: time(row.get(7)?),
        next_try: time(row.get(8)?),
        payload: match row.get::<_, Option<String>>(9)? {
            Some(fields) => by_field(&fields),
            None => row.get::<_, Option<String>>(10)?.map(Quoted),
        },
    })
}

/// A stored draft as a JSON object by field.
fn by_field(stored: &str) -> Option<Quoted> {
    let fields: Vec<(String, Value)> = serde_json::from_str(stored).ok()?;
    let object: Map<String, Value> =
        fields.into_iter().map(|(slug, value)| (slug, untagged(value))).collect();
    Some(Quoted(Value::Object(object).to_string()))
}

/// A stored value without the word for its kind.
fn untagged(value: Value) -> Value {
    match value {
        Value::String(word) if word == "Yes" => Value::Bool(true),
        Value::String(_) => Value::Null,
        Value::Object(tagged) if tagged.len() == 1 => {
            tagged.into_iter().next().map_or(Value::Null, |(_, value)| value)
        }
        other => other,
    }
}
