//! The cached structure of a destination's table.

use jiff::Timestamp;
use rusqlite::{OptionalExtension, Transaction, params};
use sync_core::{
    state::{ChoiceStore, DestinationId, StateError, Writer},
    table::TableStructure,
};

use crate::{SqliteStore, column::time, failure::Failure, syncs};

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

/// The name of the counter that says until when a process changes the choices of a table.
fn turn(writer: &Writer) -> String {
    format!("choices {}", writer.destination.0)
}

/// See [`sync_core::state::ChoiceStore::take_turn`]. A process that died holds it until its time is over.
pub(crate) fn take_turn(
    tx: &Transaction<'_>,
    writer: &Writer,
    now: Timestamp,
    until: Timestamp,
) -> rusqlite::Result<bool> {
    let taken = tx.execute(
        "INSERT INTO counters (name, value) VALUES (?1, ?2) ON CONFLICT DO UPDATE SET value = ?2 WHERE value <= ?3",
        params![turn(writer), until.as_millisecond(), now.as_millisecond()],
    )?;
    Ok(taken > 0)
}

/// See [`sync_core::state::ChoiceStore::has_turn`].
pub(crate) fn has_turn(
    tx: &Transaction<'_>,
    writer: &Writer,
    now: Timestamp,
    until: Timestamp,
) -> rusqlite::Result<bool> {
    if now >= until {
        return Ok(false);
    }
    tx.prepare_cached("SELECT 1 FROM counters WHERE name = ? AND value = ?")?
        .exists(params![turn(writer), until.as_millisecond()])
}

/// See [`sync_core::state::ChoiceStore::end_turn`].
pub(crate) fn end_turn(
    tx: &Transaction<'_>,
    writer: &Writer,
    until: Timestamp,
) -> rusqlite::Result<()> {
    tx.execute(
        "DELETE FROM counters WHERE name = ? AND value = ?",
        params![turn(writer), until.as_millisecond()],
    )?;
    Ok(())
}

impl ChoiceStore for SqliteStore {
    fn set_shape(&mut self, writer: &Writer, shape_hash: &str) -> Result<(), StateError> {
        self.write(writer, |tx| Ok(syncs::set_shape(tx, writer.sync.0, shape_hash)?))
    }

    fn take_turn(
        &mut self,
        writer: &Writer,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<bool, StateError> {
        self.write(writer, |tx| Ok(take_turn(tx, writer, now, until)?))
    }

    fn has_turn(
        &mut self,
        writer: &Writer,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<bool, StateError> {
        self.read_as(writer, |tx| Ok(has_turn(tx, writer, now, until)?))
    }

    fn end_turn(&mut self, writer: &Writer, until: Timestamp) -> Result<(), StateError> {
        self.write(writer, |tx| Ok(end_turn(tx, writer, until)?))
    }
}
