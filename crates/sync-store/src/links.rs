//! Links between syncs: which records the link fields of a row hold, and what the row points to.
//!
//! That a row is read again when the record of a row it points to appears, changes or goes is done by triggers
//! (`migrations/`), so that no writer of `links` can forget it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use rusqlite::{OptionalExtension, Transaction, params};
use sync_core::{
    draft::{Fields, LinkWish, LinkedRow},
    field_value::FieldValue,
    key::Key,
    slug::Slug,
    state::{CapturedRow, FullReadReason, LinkField, RowOutcome, StateError, Writer},
};

use crate::{
    column::{KeyColumn, KeyParameter, RecordColumn},
    failure::Failure,
    syncs,
};

/// A parent is looked into for one row at most this often: where a link is refused for another reason than that its
/// record is gone, asking again would cost calls for nothing.
const ASK_AGAIN: SignedDuration = SignedDuration::from_hours(24);

/// See [`sync_core::state::StateStore::set_links`].
pub(crate) fn set(
    tx: &Transaction<'_>,
    writer: &Writer,
    fields: &[LinkField],
) -> rusqlite::Result<bool> {
    let known: Vec<(i64, String, i64)> = tx
        .prepare_cached("SELECT id, slug, parent_id FROM link_fields WHERE sync_id = ?")?
        .query_map([writer.sync.0], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
        .collect::<Result<_, _>>()?;
    let mut wanted = BTreeMap::new();
    for field in fields {
        let parent =
            syncs::find_or_register(tx, &field.parent, field.parent_previously.as_deref())?;
        wanted.insert(field.slug.as_str(), (parent, field.table.as_str()));
    }
    for (id, slug, parent) in &known {
        if wanted.get(slug.as_str()).is_none_or(|(wanted, _)| wanted != parent) {
            tx.execute("DELETE FROM link_wishes WHERE field_id = ?", [id])?;
            tx.execute("DELETE FROM link_fields WHERE id = ?", [id])?;
        }
    }
    let mut is_new = false;
    for (slug, (parent, table)) in wanted {
        is_new |= !known.iter().any(|(_, name, known)| name == slug && *known == parent);
        tx.prepare_cached(
            "INSERT INTO link_fields (sync_id, slug, parent_id, table_id) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT DO UPDATE SET table_id = ?4 WHERE table_id <> ?4",
        )?
        .execute(params![writer.sync.0, slug, parent, table])?;
    }
    if is_new {
        // What rows point to is learnt by reading them.
        tx.execute(
            "UPDATE syncs SET full_read = coalesce(full_read, ?) WHERE id = ?",
            params![FullReadReason::DefinitionChanged.word(), writer.sync.0],
        )?;
    }
    Ok(is_new)
}

/// The link fields of a sync, looked up once for many rows.
#[derive(Default)]
pub(crate) struct Links {
    fields: Option<BTreeMap<String, Place>>,
}

/// Where the records are that a link field may hold.
#[derive(Clone, Copy)]
struct Place {
    field: i64,
    parent: i64,
    /// `None`: the parent does not write the table that the field links to, or has not been opened yet.
    destination: Option<i64>,
}

/// What a row's link fields hold.
pub(crate) struct Filled {
    pub(crate) values: Vec<(Slug, FieldValue)>,
    /// Whether a row that is pointed to has no record.
    pub(crate) lacks: bool,
}

impl Links {
    fn fields(
        &mut self,
        tx: &Transaction<'_>,
        writer: &Writer,
    ) -> rusqlite::Result<&BTreeMap<String, Place>> {
        if self.fields.is_none() {
            let fields = tx
                .prepare_cached(
                    "SELECT f.slug, f.id, f.parent_id, d.id FROM link_fields AS f
                       JOIN syncs AS p ON p.id = f.parent_id
                       JOIN destinations AS own ON own.id = ?2
                       LEFT JOIN destinations AS d ON d.id = p.destination_id AND d.table_id = f.table_id
                         AND d.host = own.host AND d.account = own.account
                     WHERE f.sync_id = ?1",
                )?
                .query_map([writer.sync.0, writer.destination.0], |row| {
                    let place = Place { field: row.get(1)?, parent: row.get(2)?, destination: row.get(3)? };
                    Ok((row.get(0)?, place))
                })?
                .collect::<Result<_, _>>()?;
            self.fields = Some(fields);
        }
        Ok(self.fields.get_or_insert_default())
    }

    /// A row as it is stored: with its link fields filled, and what it points to remembered. A row that is gone
    /// points to nothing. Answers also whether a link is lacking.
    pub(crate) fn filled<'r>(
        &mut self,
        tx: &Transaction<'_>,
        writer: &Writer,
        row: &'r CapturedRow,
    ) -> Result<(std::borrow::Cow<'r, CapturedRow>, bool), Failure> {
        match &row.outcome {
            RowOutcome::Linked(fields, wishes) => {
                let filled = self.fill(tx, writer, &row.key, wishes)?;
                self.remember(tx, writer, &row.key, wishes)?;
                let outcome = RowOutcome::draft(fields.clone().with(filled.values));
                let row = CapturedRow { key: row.key.clone(), outcome, cells: row.cells.clone() };
                Ok((std::borrow::Cow::Owned(row), filled.lacks))
            }
            RowOutcome::Gone | RowOutcome::Absent => {
                for place in self.fields(tx, writer)?.values() {
                    tx.prepare_cached("DELETE FROM link_wishes WHERE field_id = ? AND key = ?")?
                        .execute(params![place.field, KeyParameter(&row.key)])?;
                }
                Ok((std::borrow::Cow::Borrowed(row), false))
            }
            RowOutcome::Draft(..) | RowOutcome::Fault(..) | RowOutcome::Unseen => {
                Ok((std::borrow::Cow::Borrowed(row), false))
            }
        }
    }

    /// See [`sync_core::state::StateStore::resolve`].
    pub(crate) fn fill(
        &mut self,
        tx: &Transaction<'_>,
        writer: &Writer,
        key: &Key,
        wishes: &[LinkWish],
    ) -> Result<Filled, Failure> {
        let mut filled = Filled { values: Vec::with_capacity(wishes.len()), lacks: false };
        for wish in wishes {
            let place = self.place(tx, writer, &wish.slug)?;
            let mut records = Vec::with_capacity(wish.parents.len());
            for parent in &wish.parents {
                match record_of(tx, place, key, parent)? {
                    Some(record) => records.push(record),
                    None => filled.lacks = true,
                }
            }
            filled.values.push((Slug::clone(&wish.slug), FieldValue::ids(records)));
        }
        Ok(filled)
    }

    /// The rows that the links of a row lead to, as far as they have records.
    pub(crate) fn rows(
        &mut self,
        tx: &Transaction<'_>,
        writer: &Writer,
        key: &Key,
    ) -> rusqlite::Result<Vec<LinkedRow>> {
        let mut rows = Vec::new();
        for (slug, place) in self.fields(tx, writer)? {
            let mut select = tx.prepare_cached(
                "SELECT w.parent_key, l.record_id FROM link_wishes AS w JOIN links AS l
                   ON l.sync_id = ?3 AND l.destination_id = ?4 AND l.key = w.parent_key
                 WHERE w.field_id = ?1 AND w.key = ?2 AND l.standing IN (0, 1)",
            )?;
            let parameters =
                params![place.field, KeyParameter(key), place.parent, place.destination];
            let mut found = select.query(parameters)?;
            while let Some(row) = found.next()? {
                rows.push(LinkedRow {
                    slug: Slug::from(slug.as_str()),
                    record: row.get::<_, RecordColumn>(1)?.0.0,
                    key: row.get::<_, KeyColumn>(0)?.0,
                });
            }
        }
        Ok(rows)
    }

    fn place(
        &mut self,
        tx: &Transaction<'_>,
        writer: &Writer,
        slug: &Slug,
    ) -> Result<Place, Failure> {
        self.fields(tx, writer)?.get(slug.as_str()).copied().ok_or_else(|| {
            StateError::Other(format!("link field `{slug}` was not registered for this run")).into()
        })
    }

    /// Stores what the row points to, where that changed.
    fn remember(
        &mut self,
        tx: &Transaction<'_>,
        writer: &Writer,
        key: &Key,
        wishes: &[LinkWish],
    ) -> Result<(), Failure> {
        for wish in wishes {
            let Place { field, .. } = self.place(tx, writer, &wish.slug)?;
            let known: Vec<Key> = tx
                .prepare_cached(
                    "SELECT parent_key FROM link_wishes WHERE field_id = ? AND key = ? ORDER BY parent_key",
                )?
                .query_map(params![field, KeyParameter(key)], |row| Ok(row.get::<_, KeyColumn>(0)?.0))?
                .collect::<Result<_, _>>()?;
            if known == wish.parents {
                continue;
            }
            for gone in known.iter().filter(|parent| !wish.parents.contains(parent)) {
                tx.prepare_cached(
                    "DELETE FROM link_wishes WHERE field_id = ? AND key = ? AND parent_key = ?",
                )?
                .execute(params![field, KeyParameter(key), KeyParameter(gone)])?;
            }
            for new in wish.parents.iter().filter(|parent| !known.contains(parent)) {
                tx.prepare_cached(
                    "INSERT INTO link_wishes (field_id, key, parent_key) VALUES (?, ?, ?)",
                )?
                .execute(params![field, KeyParameter(key), KeyParameter(new)])?;
            }
        }
        Ok(())
    }
}

/// The record of the row with this key, unless the service did not take the link to it.
fn record_of(
    tx: &Transaction<'_>,
    place: Place,
    key: &Key,
    parent: &Key,
) -> rusqlite::Result<Option<String>> {
    tx.prepare_cached(
        "SELECT record_id FROM links WHERE sync_id = ?1 AND destination_id = ?2 AND key = ?3 AND standing IN (0, 1)
           AND NOT EXISTS (SELECT 1 FROM link_wishes
             WHERE field_id = ?4 AND key = ?5 AND parent_key = ?3 AND withheld)",
    )?
    .query_row(
        params![
            place.parent,
            place.destination,
            KeyParameter(parent),
            place.field,
            KeyParameter(key)
        ],
        |row| Ok(row.get::<_, RecordColumn>(0)?.0.0),
    )
    .optional()
}

/// What the service's answer about a row's link means.
pub(crate) enum Doubtful {
    /// Nothing: another reason must be found.
    Nothing,
    /// The row is to be read again, as it goes out otherwise: these links are withheld until their parents, which are
    /// read again too, have been written; or other records are linked to by now.
    Withheld(BTreeSet<String>),
}

/// The service did not take the links to `suspects` in one field: those records may be gone. Their rows are read again
/// and sent, which shows it; until then this row goes without them.
pub(crate) fn doubt(
    tx: &Transaction<'_>,
    writer: &Writer,
    now: Timestamp,
    key: &Key,
    slug: &Slug,
    suspects: &BTreeSet<String>,
) -> Result<Doubtful, Failure> {
    let mut links = Links::default();
    let Some(place) = links.fields(tx, writer)?.get(slug.as_str()).copied() else {
        return Ok(Doubtful::Nothing);
    };
    let mut current = BTreeSet::new();
    let mut withheld = BTreeSet::new();
    let wishes: Vec<(Key, Option<i64>)> = tx
        .prepare_cached(
            "SELECT parent_key, asked_at FROM link_wishes WHERE field_id = ? AND key = ?",
        )?
        .query_map(params![place.field, KeyParameter(key)], |row| {
            Ok((row.get::<_, KeyColumn>(0)?.0, row.get(1)?))
        })?
        .collect::<Result<_, _>>()?;
    let asked_before = now.saturating_sub(ASK_AGAIN).unwrap_or(now).as_millisecond();
    for (parent, asked_at) in wishes {
        let Some(record) = record_of(tx, place, key, &parent)? else { continue };
        current.insert(record.clone());
        if !suspects.contains(&record) || asked_at.is_some_and(|at| at > asked_before) {
            continue;
        }
        tx.prepare_cached(
            "UPDATE link_wishes SET withheld = 1, asked_at = ? WHERE field_id = ? AND key = ? AND parent_key = ?",
        )?
        .execute(params![now.as_millisecond(), place.field, KeyParameter(key), KeyParameter(&parent)])?;
        tx.prepare_cached(
            "UPDATE links SET fingerprint = NULL WHERE sync_id = ? AND destination_id = ? AND key = ?",
        )?
        .execute(params![place.parent, place.destination, KeyParameter(&parent)])?;
        mark_dirty(tx, place.parent, &parent)?;
        withheld.insert(record);
    }
    if withheld.is_empty() && suspects.is_subset(&current) {
        return Ok(Doubtful::Nothing);
    }
    mark_dirty(tx, writer.sync.0, key)?;
    Ok(Doubtful::Withheld(withheld))
}

fn mark_dirty(tx: &Transaction<'_>, sync: i64, key: &Key) -> rusqlite::Result<()> {
    tx.prepare_cached("INSERT OR REPLACE INTO dirty (sync_id, key) VALUES (?, ?)")?
        .execute(params![sync, KeyParameter(key)])?;
    Ok(())
}

/// What a row's record holds where the service left these records out of a link field.
pub(crate) fn without(sent: Fields, slug: &Slug, left_out: &BTreeSet<String>) -> Fields {
    let Some(FieldValue::Ids(ids)) = sent.get(slug) else { return sent };
    let rest = FieldValue::ids(ids.difference(left_out).cloned());
    sent.with(vec![(Slug::clone(slug), rest)])
}
