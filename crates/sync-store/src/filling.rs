//! After a change of the external-id field, every linked record gets its key in the new one before anything is created:
//! look-ups ask for the new field, and would not find what still lacks it.

use rusqlite::{Transaction, params};
use sync_core::state::Writer;

fn name(sync: i64, destination: i64) -> String {
    format!("filling {sync} {destination}")
}

/// From now on updates go before creates.
pub(crate) fn begin(tx: &Transaction<'_>, sync: i64, destination: i64) -> rusqlite::Result<()> {
    tx.execute("INSERT OR REPLACE INTO counters VALUES (?, 1)", [name(sync, destination)])?;
    Ok(())
}

/// Whether records are still to be filled; once none is, creates go as usual.
pub(crate) fn is_under_way(tx: &Transaction<'_>, writer: &Writer) -> rusqlite::Result<bool> {
    let name = name(writer.sync.0, writer.destination.0);
    let has_begun = tx.prepare_cached("SELECT 1 FROM counters WHERE name = ?")?.exists([&name])?;
    if !has_begun {
        return Ok(false);
    }
    let is_left = tx
        .prepare_cached(
            "SELECT 1 FROM outbox AS o JOIN links AS l
               ON l.sync_id = o.sync_id AND l.destination_id = o.destination_id AND l.key = o.key
             WHERE o.sync_id = ? AND o.destination_id = ? AND NOT o.gone AND l.standing IN (0, 3)
               AND (o.state = 0 OR o.state = 1 AND o.operation = 'update') LIMIT 1",
        )?
        .exists(params![writer.sync.0, writer.destination.0])?;
    if !is_left {
        tx.execute("DELETE FROM counters WHERE name = ?", [&name])?;
    }
    Ok(is_left)
}
