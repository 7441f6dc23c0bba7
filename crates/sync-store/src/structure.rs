//! The cached structure of a destination's table.

use jiff::Timestamp;
use rusqlite::{OptionalExtension, Transaction, params};
use sync_core::{state::DestinationId, table::TableStructure};

use crate::{column::time, failure::Failure, syncs};

pub(crate) fn get(
    tx: &Transaction<'_>,
    destination: DestinationId,
) -> Result<Option<(TableStructure, Timestamp)>, Failure> {
    let stored: Option<(Option<String>, Option<i64>)> = tx
        .query_row(
            "SELECT structure, structure_read_at FROM destinations WHERE id = ?",
            [destination.0],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .optional()?;
    let Some((Some(text), Some(read_at))) = stored else { return Ok(None) };
    // A cache of an older form is no error: it is read again.
    Ok(serde_json::from_str(&text).ok().map(|structure| (structure, time(read_at))))
}

/// See [`sync_core::state::StateStore::set_structure`].
pub(crate) fn set(
    tx: &Transaction<'_>,
    destination: DestinationId,
    structure: &TableStructure,
    now: Timestamp,
) -> Result<bool, Failure> {
    let differed = get(tx, destination)?.is_none_or(|(known, _)| known != *structure);
    tx.execute(
        "UPDATE destinations SET structure = ?, structure_read_at = ? WHERE id = ?",
        params![serde_json::to_string(structure)?, now.as_millisecond(), destination.0],
    )?;
    if differed {
        let syncs: Vec<i64> = tx
            .prepare("SELECT id FROM syncs WHERE destination_id = ?")?
            .query_map([destination.0], |row| row.get(0))?
            .collect::<Result<_, _>>()?;
        for sync in syncs {
            syncs::set_stop(tx, sync, None)?;
            syncs::make_quarantine_due(tx, sync)?;
        }
    }
    Ok(differed)
}
