//! Reading a file that the Python program wrote: three tables, naive UTC times, SHA-256 hashes.
//!
//! Its links are kept with unknown fingerprints, as its hashes are of another form. Its position is not trusted: it
//! moved past rows that had failed to arrive.

use rusqlite::{OptionalExtension, Transaction, params};
use sync_core::{key::Key, record::RecordId};

use crate::column::{KeyParameter, count, record_parameter};

/// The tables, moved aside so that the views can have their names.
pub(crate) struct OldTables {
    runs: bool,
    links: bool,
    metadata: bool,
}

const RUNS: &str = "sync_runs";
const LINKS: &str = "record_mappings";
const METADATA: &str = "sync_metadata";

/// Finds the old tables and renames them; `None` in a file without any.
pub(crate) fn read(transaction: &Transaction<'_>) -> rusqlite::Result<Option<OldTables>> {
    let mut found = OldTables { runs: false, links: false, metadata: false };
    for (name, flag) in
        [(RUNS, &mut found.runs), (LINKS, &mut found.links), (METADATA, &mut found.metadata)]
    {
        *flag = transaction
            .query_row(
                "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?",
                [name],
                |_| Ok(()),
            )
            .optional()?
            .is_some();
        if *flag {
            transaction.execute_batch(&format!("ALTER TABLE {name} RENAME TO old_{name}"))?;
        }
    }
    Ok((found.runs || found.links || found.metadata).then_some(found))
}

/// Copies their content into the new tables and drops them; answers the number of links.
pub(crate) fn store(transaction: &Transaction<'_>, old: &OldTables) -> rusqlite::Result<u64> {
    for (present, table) in [(old.runs, RUNS), (old.links, LINKS), (old.metadata, METADATA)] {
        if present {
            transaction.execute_batch(&format!(
                "INSERT OR IGNORE INTO syncs (name, full_read)
                 SELECT DISTINCT sync_name, 'taken_over' FROM old_{table} WHERE sync_name IS NOT NULL ORDER BY 1"
            ))?;
        }
    }
    if old.metadata {
        transaction.execute_batch(
            "UPDATE syncs SET last_successful_run =
               (SELECT CAST(1000 * unixepoch(last_successful_run) AS INTEGER) FROM old_sync_metadata
                WHERE sync_name = syncs.name)",
        )?;
    }
    if old.runs {
        transaction.execute_batch(
            "INSERT INTO runs (sync_id, started_at, completed_at, status, records_processed, records_created,
               records_updated, records_skipped, error_message)
             SELECT syncs.id, coalesce(CAST(1000 * unixepoch(started_at) AS INTEGER), 0),
               CAST(1000 * unixepoch(completed_at) AS INTEGER),
               CASE WHEN status = 'running' THEN 'interrupted' ELSE coalesce(status, 'failed') END,
               coalesce(records_processed, 0), coalesce(records_created, 0), coalesce(records_updated, 0),
               coalesce(records_skipped, 0), error_message
             FROM old_sync_runs AS old JOIN syncs ON syncs.name = old.sync_name ORDER BY old.id",
        )?;
    }
    let links = if old.links { store_links(transaction)? } else { 0 };
    for (present, table) in [(old.runs, RUNS), (old.links, LINKS), (old.metadata, METADATA)] {
        if present {
            transaction.execute_batch(&format!("DROP TABLE old_{table}"))?;
        }
    }
    Ok(links)
}

/// One link per sync and source id, the newest where the old program wrote several.
fn store_links(transaction: &Transaction<'_>) -> rusqlite::Result<u64> {
    let mut insert = transaction.prepare(
        "INSERT OR REPLACE INTO links (sync_id, destination_id, key, record_id, origin, created_at, updated_at)
         VALUES (?, 0, ?, ?, 1, ?, ?)",
    )?;
    let mut select = transaction.prepare(
        "SELECT syncs.id, CAST(source_id AS TEXT), CAST(smartsuite_record_id AS TEXT),
           coalesce(unixepoch(created_at), 0), unixepoch(updated_at)
         FROM old_record_mappings AS old JOIN syncs ON syncs.name = old.sync_name
         WHERE source_id IS NOT NULL AND smartsuite_record_id IS NOT NULL ORDER BY old.id",
    )?;
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        let key = Key::from_text(&row.get::<_, String>(1)?);
        let record = RecordId(row.get(2)?);
        insert.execute(params![
            row.get::<_, i64>(0)?,
            KeyParameter(&key),
            record_parameter(&record),
            row.get::<_, i64>(3)?,
            row.get::<_, Option<i64>>(4)?,
        ])?;
    }
    transaction.query_row("SELECT count(*) FROM links", [], |row| count(row, 0))
}
