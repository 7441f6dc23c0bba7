//! Matching rows with records that carry no key: see [`sync_core::state::MatchingStore`].

use jiff::Timestamp;
use rusqlite::{OptionalExtension as _, Transaction, params};
use sync_core::{
    draft::Fields,
    key::Key,
    matching::MatchDigest,
    record::RecordId,
    state::{Books, Matched, MatchingStore, Origin, StateError, Writer},
};

use crate::{
    SqliteStore,
    column::{KeyColumn, KeyParameter, RecordColumn, limit, record_parameter},
    effects,
    failure::Failure,
    quarantine::retry_at,
    runs, scan,
    settle::put_link,
};

/// Stable code of a row that several records, or several rows, keep from being matched.
const AMBIGUOUS: &str = "match_ambiguous";
/// What a person does about it.
const REMEDY: &str = "write the row's key into the external-id field of the right record, or delete the others in \
                      SmartSuite; the row is tried again by itself";
/// Most records that a complaint names.
const NAMED_MAX: usize = 10;

/// Entries that wait and have no record.
const WAITING: &str = "o.state = 0 AND NOT o.gone AND o.fields IS NOT NULL
  AND NOT EXISTS (SELECT 1 FROM links AS l WHERE l.sync_id = o.sync_id AND l.destination_id = o.destination_id
    AND l.key = o.key)";

impl MatchingStore for SqliteStore {
    fn waiting_drafts(
        &mut self,
        writer: &Writer,
        after: Option<&Key>,
        rows_max: usize,
    ) -> Result<Vec<(Key, Fields)>, StateError> {
        self.read_as(writer, |tx| waiting(tx, writer, after, rows_max))
    }

    fn begin_matching(&mut self, writer: &Writer) -> Result<(), StateError> {
        self.write_aside(writer, |tx| Ok(begin(tx, writer)?))
    }

    fn note_rows(
        &mut self,
        writer: &Writer,
        rows: &[(Key, MatchDigest)],
    ) -> Result<(), StateError> {
        self.write_aside(writer, |tx| {
            let mut insert = tx.prepare_cached(
                "INSERT OR REPLACE INTO temp.match_rows (sync_id, key, digest) VALUES (?, ?, ?)",
            )?;
            for (key, digest) in rows {
                insert.execute(params![writer.sync.0, KeyParameter(key), digest.0])?;
            }
            Ok(())
        })
    }

    fn matching_is_due(&mut self, writer: &Writer, by: &str) -> Result<bool, StateError> {
        self.read_as(writer, |tx| Ok(is_due(tx, writer, by)?))
    }

    fn begin_records(&mut self, writer: &Writer) -> Result<(), StateError> {
        self.write_aside(writer, |tx| {
            tables(tx)?;
            tx.execute("DELETE FROM temp.match_records WHERE sync_id = ?", [writer.sync.0])?;
            Ok(())
        })
    }

    fn note_records(
        &mut self,
        writer: &Writer,
        records: &[(RecordId, MatchDigest)],
    ) -> Result<(), StateError> {
        self.write_aside(writer, |tx| {
            let mut insert = tx.prepare_cached(
                "INSERT OR REPLACE INTO temp.match_records (sync_id, record_id, digest) VALUES (?, ?, ?)",
            )?;
            for (record, digest) in records {
                insert.execute(params![writer.sync.0, record_parameter(record), digest.0])?;
            }
            Ok(())
        })
    }

    fn match_up(
        &mut self,
        writer: &Writer,
        by: &str,
        now: Timestamp,
    ) -> Result<(Matched, Books), StateError> {
        let keeps_payload = self.keeping().payload;
        let logs = self.keeping().effects;
        self.write(writer, |tx| {
            let (matched, books) =
                Matching { tx, writer, by, now, keeps_payload, logs }.match_up()?;
            runs::add(tx, writer, &books, 0)?;
            Ok((matched, books))
        })
    }
}

fn begin(tx: &Transaction<'_>, writer: &Writer) -> rusqlite::Result<()> {
    tables(tx)?;
    tx.execute("DELETE FROM temp.match_rows WHERE sync_id = ?", [writer.sync.0])?;
    Ok(())
}

/// What is noted, of each sync whose table is being read: syncs of one process share the connection.
fn tables(tx: &Transaction<'_>) -> rusqlite::Result<()> {
    tx.execute_batch(
        "CREATE TEMP TABLE IF NOT EXISTS match_rows (sync_id INTEGER NOT NULL, key NOT NULL, digest BLOB NOT NULL,
           PRIMARY KEY (sync_id, key)) WITHOUT ROWID;
         CREATE INDEX IF NOT EXISTS temp.match_rows_digest ON match_rows (sync_id, digest);
         CREATE TEMP TABLE IF NOT EXISTS match_records (sync_id INTEGER NOT NULL, record_id NOT NULL,
           digest BLOB NOT NULL, PRIMARY KEY (sync_id, record_id)) WITHOUT ROWID;
         CREATE INDEX IF NOT EXISTS temp.match_records_digest ON match_records (sync_id, digest);",
    )
}

fn waiting(
    tx: &Transaction<'_>,
    writer: &Writer,
    after: Option<&Key>,
    rows_max: usize,
) -> Result<Vec<(Key, Fields)>, Failure> {
    // A condition that may be absent would cost SQLite the index, so it is left out or not.
    let condition = if after.is_some() { "AND o.key > ?4" } else { "AND ?4 IS NULL" };
    let mut select = tx.prepare_cached(&format!(
        "SELECT o.key, o.fields FROM outbox AS o
         WHERE o.sync_id = ?1 AND o.destination_id = ?2 AND {WAITING} {condition} ORDER BY o.key LIMIT ?3"
    ))?;
    let mut rows = select.query(params![
        writer.sync.0,
        writer.destination.0,
        limit(rows_max),
        after.map(KeyParameter)
    ])?;
    let mut waiting = Vec::new();
    while let Some(row) = rows.next()? {
        let fields: String = row.get(1)?;
        waiting.push((row.get::<_, KeyColumn>(0)?.0, serde_json::from_str(&fields)?));
    }
    Ok(waiting)
}

/// The table was never read for it, or a record that was left over then may be a waiting row's.
fn is_due(tx: &Transaction<'_>, writer: &Writer, by: &str) -> rusqlite::Result<bool> {
    let place = [writer.sync.0, writer.destination.0];
    let done: Option<Option<String>> = tx
        .query_row(
            "SELECT matched FROM targets WHERE sync_id = ? AND destination_id = ?",
            place,
            |row| row.get(0),
        )
        .optional()?;
    if done.flatten().as_deref() != Some(by) {
        return Ok(true);
    }
    tx.prepare_cached(
        "SELECT 1 FROM temp.match_rows AS r JOIN unmatched AS u
           ON u.sync_id = ?1 AND u.destination_id = ?2 AND u.digest = r.digest
         WHERE r.sync_id = ?1 LIMIT 1",
    )?
    .exists(place)
}

/// A row that some record may be for.
struct Contested {
    seq: i64,
    key: Key,
    digest: [u8; 16],
    /// Rows with the same values, this one among them.
    rows: i64,
}

struct Matching<'a> {
    tx: &'a Transaction<'a>,
    writer: &'a Writer,
    by: &'a str,
    now: Timestamp,
    keeps_payload: bool,
    logs: bool,
}

impl Matching<'_> {
    fn match_up(&self) -> Result<(Matched, Books), Failure> {
        let Self { tx, writer, .. } = *self;
        self.leave_what_is_held()?;
        let (mut matched, mut books) = (Matched::default(), Books::default());
        for Contested { seq, key, digest, rows } in self.contested()? {
            let records = self.records(&digest)?;
            match records.as_slice() {
                [only] if rows == 1 => {
                    put_link(tx, writer, self.now, &key, only, None, Origin::Adopted)?;
                    tx.prepare_cached(
                        "DELETE FROM temp.match_records WHERE sync_id = ? AND record_id = ?",
                    )?
                    .execute(params![writer.sync.0, record_parameter(only)])?;
                    if self.logs {
                        effects::log_found(tx, writer, self.now, &key, only)?;
                    }
                    matched.adopted += 1;
                }
                several => {
                    self.quarantine(seq, several, rows)?;
                    matched.ambiguous += 1;
                    books.quarantined += 1;
                }
            }
        }
        self.remember()?;
        Ok((matched, books))
    }

    /// Records that are somebody's already, also since they were noted.
    fn leave_what_is_held(&self) -> rusqlite::Result<()> {
        scan::begin(self.tx, self.writer)?;
        self.tx.execute(
            "DELETE FROM temp.match_records WHERE sync_id = ?1
               AND EXISTS (SELECT 1 FROM temp.linked AS l WHERE l.viewer = ?1 AND l.record_id = match_records.record_id)",
            [self.writer.sync.0],
        )?;
        Ok(())
    }

    /// Rows that match some record, with the number of rows that match the same.
    fn contested(&self) -> rusqlite::Result<Vec<Contested>> {
        self.tx
            .prepare(&format!(
                "SELECT o.seq, o.key, r.digest, count(*) OVER (PARTITION BY r.digest)
                 FROM outbox AS o JOIN temp.match_rows AS r ON r.sync_id = o.sync_id AND r.key = o.key
                 WHERE o.sync_id = ?1 AND o.destination_id = ?2 AND {WAITING}
                   AND EXISTS (SELECT 1 FROM temp.match_records AS m WHERE m.sync_id = ?1 AND m.digest = r.digest)
                 ORDER BY o.key"
            ))?
            .query_map([self.writer.sync.0, self.writer.destination.0], |row| {
                Ok(Contested {
                    seq: row.get(0)?,
                    key: row.get::<_, KeyColumn>(1)?.0,
                    digest: row.get(2)?,
                    rows: row.get(3)?,
                })
            })?
            .collect()
    }

    fn records(&self, digest: &[u8; 16]) -> rusqlite::Result<Vec<RecordId>> {
        self.tx
            .prepare_cached(
                "SELECT record_id FROM temp.match_records WHERE sync_id = ? AND digest = ?
                 ORDER BY record_id LIMIT ?",
            )?
            .query_map(params![self.writer.sync.0, digest, limit(NAMED_MAX + 1)], |row| {
                Ok(row.get::<_, RecordColumn>(0)?.0)
            })?
            .collect()
    }

    fn quarantine(&self, seq: i64, records: &[RecordId], rows: i64) -> rusqlite::Result<()> {
        let mut named: Vec<&str> =
            records.iter().take(NAMED_MAX).map(|record| record.0.as_str()).collect();
        if records.len() > NAMED_MAX {
            named.push("…");
        }
        let named = named.join(", ");
        let reason = match (records.len(), rows) {
            (1, rows) => format!(
                "record {named} carries no key and holds the same values in the fields of `match_on`, but {rows} rows \
                 of the source do"
            ),
            (_, 1) => format!(
                "several records carry no key and hold the same values in the fields of `match_on`: {named}"
            ),
            (_, rows) => format!(
                "several records carry no key and hold the same values in the fields of `match_on`, as do {rows} rows \
                 of the source: {named}"
            ),
        };
        let refusals: i64 = self
            .tx
            .prepare_cached("SELECT refusals FROM outbox WHERE seq = ?")?
            .query_row([seq], |row| row.get(0))?;
        self.tx
            .prepare_cached(
                "UPDATE outbox SET state = 2, suspects = NULL, not_before = ?1, omitted = NOT ?2,
                   fields = iif(?2, fields, NULL), attempts = 0, refusals = refusals + 1, code = ?3, slug = NULL,
                   reason = ?4, remedy = ?5 WHERE seq = ?6",
            )?
            .execute(params![
                retry_at(self.now, refusals + 1).as_millisecond(),
                self.keeps_payload,
                AMBIGUOUS,
                reason,
                REMEDY,
                seq
            ])?;
        Ok(())
    }

    /// What is left over may match a row that comes later.
    fn remember(&self) -> rusqlite::Result<()> {
        let place = [self.writer.sync.0, self.writer.destination.0];
        self.tx.execute("DELETE FROM unmatched WHERE sync_id = ? AND destination_id = ?", place)?;
        self.tx.execute(
            "INSERT OR IGNORE INTO unmatched (sync_id, destination_id, digest)
             SELECT ?1, ?2, digest FROM temp.match_records WHERE sync_id = ?1",
            place,
        )?;
        self.tx.execute(
            "UPDATE targets SET matched = ? WHERE sync_id = ? AND destination_id = ?",
            params![self.by, place[0], place[1]],
        )?;
        Ok(())
    }
}
