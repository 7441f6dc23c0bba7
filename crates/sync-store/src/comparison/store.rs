//! The port's methods, and what they read back.

use jiff::Timestamp;
use rusqlite::{OptionalExtension as _, Transaction, params};
use sync_core::{
    comparison::{Cause, ComparedRecord, ComparedRow, Difference, Disagreement},
    key::Key,
    record::RecordId,
    shared_id::SharingRecord,
    slug::Slug,
    state::{Compared, ComparisonStore, Rest, RestPolicy, StateError, Writer},
};

use crate::{
    SqliteStore,
    column::{KeyColumn, KeyParameter, RecordColumn, count, limit},
    comparison, effects,
};

impl ComparisonStore for SqliteStore {
    fn begin_comparison(&mut self, writer: &Writer, now: Timestamp) -> Result<(), StateError> {
        self.write_aside(writer, |tx| Ok(comparison::begin(tx, writer, now)?))
    }

    fn keep_records(
        &mut self,
        writer: &Writer,
        records: &[ComparedRecord],
    ) -> Result<(), StateError> {
        self.write_aside(writer, |tx| Ok(comparison::keep(tx, records)?))
    }

    fn compare_rows(
        &mut self,
        writer: &Writer,
        rows: &[ComparedRow],
        shape: &[Slug],
        all_read_next: bool,
    ) -> Result<Compared, StateError> {
        self.write(writer, |tx| comparison::rows(tx, writer, rows, shape, all_read_next))
    }

    fn note_read_next(&mut self, writer: &Writer, keys: &[Key]) -> Result<(), StateError> {
        self.write_aside(writer, |tx| Ok(comparison::note_read_next(tx, keys)?))
    }

    fn compare_rest(
        &mut self,
        writer: &Writer,
        policy: &RestPolicy,
        after: i64,
        records_max: usize,
    ) -> Result<(Rest, Option<i64>), StateError> {
        self.write_aside(writer, |tx| comparison::rest(tx, writer, policy, after, records_max))
    }

    fn count_differences(
        &mut self,
        writer: &Writer,
    ) -> Result<Vec<(Disagreement, Cause, u64)>, StateError> {
        self.read_as(writer, |tx| {
            let mut select = tx.prepare_cached(
                "SELECT disagreement, cause, count(*) FROM temp.differences GROUP BY 1, 2",
            )?;
            let rows = select.query_map([], |row| {
                let (disagreement, cause) = words(row, 0)?;
                Ok((disagreement, cause, count(row, 2)?))
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    fn differences(
        &mut self,
        writer: &Writer,
        after: i64,
        differences_max: usize,
    ) -> Result<Vec<(i64, Difference)>, StateError> {
        self.read_as(writer, |tx| {
            let mut select = tx.prepare_cached(
                "SELECT place, disagreement, cause, key, external_id, record_id, fields, code FROM temp.differences
                 WHERE place > ? ORDER BY place LIMIT ?",
            )?;
            let rows = select.query_map(params![after, limit(differences_max)], |row| {
                Ok((row.get(0)?, difference(row)?))
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    fn link_compared(
        &mut self,
        writer: &Writer,
        after: i64,
        records_max: usize,
        now: Timestamp,
    ) -> Result<(u64, Option<i64>), StateError> {
        self.write(writer, |tx| comparison::link_compared(tx, writer, after, records_max, now))
    }

    fn distrust(&mut self, writer: &Writer, keys: &[Key]) -> Result<(), StateError> {
        self.write(writer, |tx| Ok(comparison::distrust(tx, writer, keys)?))
    }

    fn shared_ids(
        &mut self,
        writer: &Writer,
        after: Option<&str>,
        ids_max: usize,
    ) -> Result<Vec<(String, Vec<SharingRecord>)>, StateError> {
        self.read_as(writer, |tx| Ok(shared_ids(tx, writer, after, ids_max)?))
    }

    fn log_dedupe(
        &mut self,
        writer: &Writer,
        deleted: &[(Key, RecordId)],
        cleared: &[(Key, RecordId)],
        field: &Slug,
        now: Timestamp,
    ) -> Result<(), StateError> {
        self.write(writer, |tx| {
            for (key, record) in deleted {
                effects::log_deduped(tx, writer, now, key, record, None)?;
            }
            for (key, record) in cleared {
                effects::log_deduped(tx, writer, now, key, record, Some(field))?;
            }
            Ok(())
        })
    }

    fn linked_keys(
        &mut self,
        writer: &Writer,
        after: Option<&Key>,
        keys_max: usize,
    ) -> Result<Vec<Key>, StateError> {
        self.read_as(writer, |tx| {
            // A condition that may be absent would cost SQLite the index, so it is left out or not.
            let condition = if after.is_some() { "AND key > ?4" } else { "AND ?4 IS NULL" };
            let mut select = tx.prepare_cached(&format!(
                "SELECT key FROM links WHERE sync_id = ?1 AND destination_id = ?2 AND standing = 0 {condition}
                 ORDER BY key LIMIT ?3"
            ))?;
            let place = params![
                writer.sync.0,
                writer.destination.0,
                limit(keys_max),
                after.map(KeyParameter)
            ];
            let keys = select.query_map(place, |row| Ok(row.get::<_, KeyColumn>(0)?.0))?;
            Ok(keys.collect::<Result<_, _>>()?)
        })
    }
}

/// A disagreement and its cause, from two columns that only this crate writes.
fn words(row: &rusqlite::Row<'_>, at: usize) -> rusqlite::Result<(Disagreement, Cause)> {
    let (disagreement, cause): (String, String) = (row.get(at)?, row.get(at + 1)?);
    let disagreement = Disagreement::from_word(&disagreement);
    Ok((
        disagreement.ok_or(rusqlite::Error::InvalidQuery)?,
        Cause::from_word(&cause).ok_or(rusqlite::Error::InvalidQuery)?,
    ))
}

fn difference(row: &rusqlite::Row<'_>) -> rusqlite::Result<Difference> {
    let (disagreement, cause) = words(row, 1)?;
    let fields: String = row.get(6)?;
    Ok(Difference {
        disagreement,
        cause,
        key: row.get::<_, Option<KeyColumn>>(3)?.map(|key| key.0),
        external_id: row.get(4)?,
        record: row.get::<_, Option<RecordColumn>>(5)?.map(|record| record.0),
        fields: fields.split(',').filter(|slug| !slug.is_empty()).map(Slug::from).collect(),
        code: row.get(7)?,
    })
}

fn shared_ids(
    tx: &Transaction<'_>,
    writer: &Writer,
    after: Option<&str>,
    ids_max: usize,
) -> rusqlite::Result<Vec<(String, Vec<SharingRecord>)>> {
    let mut shared = Vec::new();
    let mut after = after.unwrap_or_default().to_owned();
    while shared.len() < ids_max {
        // An empty id is kept as NULL, so that the empty text comes before all.
        let next: Option<String> = tx
            .prepare_cached(
                "SELECT external_id FROM temp.kept WHERE external_id > ? GROUP BY external_id HAVING count(*) > 1
                 ORDER BY external_id LIMIT 1",
            )?
            .query_row([&after], |row| row.get(0))
            .optional()?;
        let Some(id) = next else { break };
        let records = tx
            .prepare_cached(
                "SELECT record_id, autonumber, is_untouched,
                   EXISTS (SELECT 1 FROM temp.linked AS l WHERE l.viewer = ?2 AND l.record_id = k.record_id)
                 FROM temp.kept AS k WHERE external_id = ?1",
            )?
            .query_map(params![id, writer.sync.0], |row| {
                let autonumber: Option<i64> = row.get(1)?;
                Ok(SharingRecord {
                    record: row.get::<_, RecordColumn>(0)?.0,
                    autonumber: autonumber.and_then(|number| u64::try_from(number).ok()),
                    is_untouched: row.get(2)?,
                    is_linked: row.get(3)?,
                })
            })?
            .collect::<Result<_, _>>()?;
        after.clone_from(&id);
        shared.push((id, records));
    }
    Ok(shared)
}
