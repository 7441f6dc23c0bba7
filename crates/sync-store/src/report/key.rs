//! Everything that the state holds of one key.

use jiff::Timestamp;
use rusqlite::{Row, params};
use sync_core::{
    draft::{Fields, Fingerprint},
    error::Quoted,
    key::Key,
    record::RecordId,
    slug::Slug,
    state::{Fault, Origin, StateError},
    table::TableStructure,
};

use super::StateReader;
use crate::column::{KeyParameter, RecordColumn, count, fingerprint, time};

/// What the state holds of one key. `Debug` hides values and reasons.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct KeyReport {
    /// The record that is the key's own.
    pub link: Option<LinkReport>,
    /// Of the row that was found to have no record, in a sync that makes none.
    pub recordless: Option<Fingerprint>,
    /// What is wished for it, the oldest first.
    pub entries: Vec<EntryReport>,
    /// Whether the row is to be read again.
    pub is_dirty: bool,
    /// When the record is looked at once more.
    pub look_again_at: Option<Timestamp>,
}

/// A link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkReport {
    /// The record.
    pub record: RecordId,
    /// Where it came from.
    pub origin: Origin,
    /// What is known of the record.
    pub standing: LinkStanding,
    /// Of what it is believed to hold; `None`: unknown.
    pub fingerprint: Option<Fingerprint>,
    /// When it was linked.
    pub created_at: Timestamp,
    /// When it was last written or compared.
    pub updated_at: Timestamp,
}

/// What is known of a linked record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkStanding {
    /// It is there.
    Held,
    /// Its row is gone, but it is kept.
    Gone,
    /// It was found missing; its id is looked up before it is created again.
    Missing,
    /// It was found missing and is left so.
    LeftMissing,
}

/// An entry of the outbox.
#[derive(Clone, Debug, PartialEq)]
pub struct EntryReport {
    /// Where it stands.
    pub standing: EntryStanding,
    /// The draft; `None` for gone, and for a row that could not become one.
    pub fields: Option<Fields>,
    /// Whether no record is wished for.
    pub is_gone: bool,
    /// Of what is wished.
    pub fingerprint: Option<Fingerprint>,
    /// The record it was sent to.
    pub record: Option<RecordId>,
    /// Not before this.
    pub not_before: Timestamp,
    /// How often it was sent without being settled.
    pub attempts: u64,
    /// How often it was refused.
    pub refusals: u64,
    /// Why it is in quarantine.
    pub fault: Option<Fault>,
    /// When the row was read.
    pub since: Timestamp,
}

/// Where an entry stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryStanding {
    /// To be sent.
    Waiting,
    /// Being sent.
    Sending,
    /// Nobody knows whether it was created: to be looked up.
    InDoubt,
    /// In quarantine.
    Quarantined,
    /// Held back until somebody agrees.
    Held,
}

impl StateReader {
    /// What was last written to the record of the row with this key, where that is kept (`state.keep_values`) and is what the
    /// record is believed to hold.
    pub fn values(&self, name: &str, key: &Key) -> Result<Option<(RecordId, Fields)>, StateError> {
        let kept: Option<(RecordId, Option<Fingerprint>, String)> = self.first(
            "SELECT record_id, fingerprint, base
             FROM links AS l JOIN syncs AS s ON s.id = l.sync_id AND s.destination_id = l.destination_id
             WHERE s.name = ? AND l.key = ? AND base IS NOT NULL",
            params![name, KeyParameter(key)],
            |row| Ok((row.get::<_, RecordColumn>(0)?.0, fingerprint(row.get(1)?), row.get(2)?)),
        )?;
        let Some((record, print, text)) = kept else { return Ok(None) };
        let fields: Option<Fields> = serde_json::from_str(&text).ok();
        let believed = fields.filter(|fields| Some(fields.fingerprint()) == print);
        Ok(believed.map(|fields| (record, fields)))
    }

    /// What the state holds of the row with this key; empty where it knows nothing.
    pub fn key(&self, name: &str, key: &Key) -> Result<KeyReport, StateError> {
        let key = KeyParameter(key);
        let link = self.first(
            "SELECT record_id, origin, standing, fingerprint, l.created_at, coalesce(l.updated_at, l.created_at)
             FROM links AS l JOIN syncs AS s ON s.id = l.sync_id AND s.destination_id = l.destination_id
             WHERE s.name = ? AND l.key = ?",
            params![name, key],
            link,
        )?;
        let recordless = self.first(
            "SELECT fingerprint FROM recordless AS r
               JOIN syncs AS s ON s.id = r.sync_id AND s.destination_id = r.destination_id
             WHERE s.name = ? AND r.key = ?",
            params![name, key],
            |row| Ok(fingerprint(row.get(0)?)),
        )?;
        let entries = self.all(
            "SELECT o.state, o.doubt, o.gone, o.fields, o.fingerprint, o.record_id, o.not_before, o.attempts,
               o.refusals, o.code, o.slug, o.reason, o.remedy, o.created_at
             FROM outbox AS o JOIN syncs AS s ON s.id = o.sync_id AND s.destination_id = o.destination_id
             WHERE s.name = ? AND o.key = ? ORDER BY o.seq",
            params![name, key],
            entry,
        )?;
        let dirty = self.first(
            "SELECT 1 FROM dirty AS d JOIN syncs AS s ON s.id = d.sync_id WHERE s.name = ? AND d.key = ?",
            params![name, key],
            |_| Ok(()),
        )?;
        let look_again_at = self.first(
            "SELECT due_at FROM second_looks AS l JOIN syncs AS s
               ON s.id = l.sync_id AND s.destination_id = l.destination_id
             WHERE s.name = ? AND l.key = ?",
            params![name, key],
            |row| Ok(time(row.get(0)?)),
        )?;
        Ok(KeyReport {
            link,
            recordless: recordless.flatten(),
            entries,
            is_dirty: dirty.is_some(),
            look_again_at,
        })
    }

    /// The sync's table as it was read last, and when; `None` if it never was.
    pub fn table(&self, name: &str) -> Result<Option<(TableStructure, Timestamp)>, StateError> {
        let found = self.first(
            "SELECT structure, structure_read_at FROM destinations AS d JOIN syncs AS s ON s.destination_id = d.id
             WHERE s.name = ?",
            [name],
            |row| Ok((row.get::<_, Option<String>>(0)?, row.get::<_, Option<i64>>(1)?)),
        )?;
        let Some((Some(json), Some(read_at))) = found else { return Ok(None) };
        // One of an older form is as good as none.
        Ok(serde_json::from_str(&json).ok().map(|table| (table, time(read_at))))
    }
}

fn link(row: &Row<'_>) -> rusqlite::Result<LinkReport> {
    let seconds = |column: usize| -> rusqlite::Result<Timestamp> {
        Ok(time(row.get::<_, i64>(column)?.saturating_mul(1_000)))
    };
    Ok(LinkReport {
        record: row.get::<_, RecordColumn>(0)?.0,
        origin: match row.get::<_, i64>(1)? {
            0 => Origin::Created,
            _ => Origin::Adopted,
        },
        standing: match row.get::<_, i64>(2)? {
            1 => LinkStanding::Gone,
            2 => LinkStanding::Missing,
            3 => LinkStanding::LeftMissing,
            _ => LinkStanding::Held,
        },
        fingerprint: fingerprint(row.get(3)?),
        created_at: seconds(4)?,
        updated_at: seconds(5)?,
    })
}

fn entry(row: &Row<'_>) -> rusqlite::Result<EntryReport> {
    let text = |column: usize| -> rusqlite::Result<String> {
        Ok(row.get::<_, Option<String>>(column)?.unwrap_or_default())
    };
    let code: Option<String> = row.get(9)?;
    let fault = match code {
        Some(code) => Some(Fault {
            code,
            slug: row.get::<_, Option<String>>(10)?.map(Slug::from),
            reason: Quoted(text(11)?),
            remedy: text(12)?,
        }),
        None => None,
    };
    let fields: Option<String> = row.get(3)?;
    Ok(EntryReport {
        standing: match (row.get::<_, i64>(0)?, row.get::<_, bool>(1)?) {
            (0, _) => EntryStanding::Waiting,
            (1, true) => EntryStanding::InDoubt,
            (1, false) => EntryStanding::Sending,
            (2, _) => EntryStanding::Quarantined,
            _ => EntryStanding::Held,
        },
        is_gone: row.get(2)?,
        fields: fields.and_then(|json| serde_json::from_str(&json).ok()),
        fingerprint: fingerprint(row.get(4)?),
        record: row.get::<_, Option<RecordColumn>>(5)?.map(|record| record.0),
        not_before: time(row.get(6)?),
        attempts: count(row, 7)?,
        refusals: count(row, 8)?,
        fault,
        since: time(row.get(13)?),
    })
}
