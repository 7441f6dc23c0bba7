//! Reading a file that the Python program wrote: three tables, naive UTC times, SHA-256 hashes.
//!
//! Its links are kept with unknown fingerprints, as its hashes are of another form. Its position is not trusted: it
//! moved past rows that had failed to arrive.

use rusqlite::{OptionalExtension, Transaction, params};
use sync_core::{key::Key, record::RecordId};

use crate::column::{KeyParameter, record_parameter};

/// The tables that were found.
pub(crate) struct OldTables {
    runs: bool,
    links: bool,
    metadata: bool,
}

const RUNS: &str = "sync_runs";
const LINKS: &str = "record_mappings";
const METADATA: &str = "sync_metadata";

impl OldTables {
    /// Finds the tables; `None` in a file without any.
    pub(crate) fn find(tx: &Transaction<'_>) -> rusqlite::Result<Option<Self>> {
        let is_there = |name: &str| {
            tx.query_row(
                "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?",
                [name],
                |_| Ok(()),
            )
            .optional()
            .map(|found| found.is_some())
        };
        let found =
            Self { runs: is_there(RUNS)?, links: is_there(LINKS)?, metadata: is_there(METADATA)? };
        Ok((found.runs || found.links || found.metadata).then_some(found))
    }

    fn names(&self) -> impl Iterator<Item = &'static str> {
        [(self.runs, RUNS), (self.links, LINKS), (self.metadata, METADATA)]
            .into_iter()
            .filter_map(|(is_there, name)| is_there.then_some(name))
    }

    /// Renames them, so that the views can have their names.
    pub(crate) fn set_aside(&self, tx: &Transaction<'_>) -> rusqlite::Result<()> {
        // People's own views go on naming the tables as before, and find ours there.
        tx.pragma_update(None, "legacy_alter_table", true)?;
        for name in self.names() {
            tx.execute_batch(&format!("ALTER TABLE {name} RENAME TO old_{name}"))?;
        }
        tx.pragma_update(None, "legacy_alter_table", false)
    }

    /// Copies their content into the new tables and drops them; answers the number of links.
    pub(crate) fn take_over(&self, tx: &Transaction<'_>) -> rusqlite::Result<u64> {
        for name in self.names() {
            tx.execute_batch(&format!(
                "INSERT OR IGNORE INTO syncs (name, full_read)
                 SELECT DISTINCT sync_name, 'taken_over' FROM old_{name} WHERE sync_name IS NOT NULL ORDER BY 1"
            ))?;
        }
        if self.metadata {
            tx.execute_batch(&format!(
                "UPDATE syncs SET last_successful_run = (SELECT {} FROM old_{METADATA} WHERE sync_name = syncs.name)",
                milliseconds("last_successful_run")
            ))?;
        }
        if self.runs {
            take_over_runs(tx)?;
        }
        let links = if self.links { take_over_links(tx)? } else { 0 };
        for name in self.names() {
            tx.execute_batch(&format!("DROP TABLE old_{name}"))?;
        }
        Ok(links)
    }
}

/// SQL for a column's ISO 8601 text as milliseconds; NULL for what is no time.
fn milliseconds(column: &str) -> String {
    format!("CAST(round(1000 * unixepoch({column}, 'subsec')) AS INTEGER)")
}

fn take_over_runs(tx: &Transaction<'_>) -> rusqlite::Result<()> {
    let (started, completed) = (milliseconds("started_at"), milliseconds("completed_at"));
    tx.execute_batch(&format!(
        "INSERT INTO runs (id, sync_id, started_at, completed_at, status, records_processed, records_created,
           records_updated, records_skipped, error_message)
         SELECT old.id, syncs.id, coalesce({started}, {completed}, 0), {completed},
           CASE WHEN status = 'running' THEN 'interrupted' ELSE coalesce(status, 'failed') END,
           coalesce(records_processed, 0), coalesce(records_created, 0), coalesce(records_updated, 0),
           coalesce(records_skipped, 0), error_message
         FROM old_{RUNS} AS old JOIN syncs ON syncs.name = old.sync_name ORDER BY old.id"
    ))
}

/// One link per sync and source id, the newest where the old program wrote several. A record that several source ids
/// claim is left to be adopted by its external id, which says whose it is.
fn take_over_links(tx: &Transaction<'_>) -> rusqlite::Result<u64> {
    let mut select = tx.prepare(&format!(
        "SELECT syncs.id, CAST(source_id AS TEXT), CAST(smartsuite_record_id AS TEXT),
           coalesce(unixepoch(created_at), unixepoch(updated_at), 0), unixepoch(updated_at)
         FROM old_{LINKS} AS old JOIN syncs ON syncs.name = old.sync_name
         WHERE source_id IS NOT NULL AND smartsuite_record_id <> ''
           AND (sync_name, smartsuite_record_id) NOT IN (SELECT sync_name, smartsuite_record_id FROM old_{LINKS}
             WHERE sync_name IS NOT NULL AND smartsuite_record_id IS NOT NULL
             GROUP BY 1, 2 HAVING count(DISTINCT source_id) > 1)
         ORDER BY old.id"
    ))?;
    let mut insert = tx.prepare(
        "INSERT OR REPLACE INTO links (sync_id, destination_id, key, record_id, origin, created_at, updated_at)
         VALUES (?, 0, ?, ?, 1, ?, ?)",
    )?;
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        // A source id that is no text cannot have come from a key column; its record is adopted like any other.
        let (Ok(source_id), Ok(record)) = (row.get_ref(1)?.as_str(), row.get_ref(2)?.as_str())
        else {
            continue;
        };
        insert.execute(params![
            row.get::<_, i64>(0)?,
            KeyParameter(&Key::from_text(source_id)),
            record_parameter(&RecordId(record.to_owned())),
            row.get::<_, i64>(3)?,
            row.get::<_, Option<i64>>(4)?,
        ])?;
    }
    tx.query_row("SELECT count(*) FROM links", [], |row| crate::column::count(row, 0))
}
