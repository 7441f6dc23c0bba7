//! What a sync's mapping used of both schemas when it last fitted them, and what it leaves out now.

use rusqlite::{OptionalExtension as _, Transaction, params};
use sync_core::{
    slug::Slug,
    state::{FullReadReason, SyncId, Writer},
};

use crate::failure::Failure;

/// See [`sync_core::state::StateStore::known_schema`].
pub(crate) fn known_schema(tx: &Transaction<'_>, sync: SyncId) -> Result<Option<String>, Failure> {
    let known: Option<Option<String>> = tx
        .query_row("SELECT known_schema FROM syncs WHERE id = ?", [sync.0], |row| row.get(0))
        .optional()?;
    Ok(known.flatten())
}

/// See [`sync_core::state::StateStore::set_known_schema`].
pub(crate) fn set_known_schema(
    tx: &Transaction<'_>,
    writer: &Writer,
    text: &str,
    rereads: bool,
) -> Result<(), Failure> {
    tx.execute(
        "UPDATE syncs SET known_schema = ?1, full_read = iif(?2, coalesce(full_read, ?3), full_read) WHERE id = ?4",
        params![text, rereads, FullReadReason::SchemaChanged.word(), writer.sync.0],
    )?;
    Ok(())
}

/// See [`sync_core::state::StateStore::set_left_out`].
pub(crate) fn set_left_out(
    tx: &Transaction<'_>,
    writer: &Writer,
    left_out: &[(Slug, String)],
) -> Result<(), Failure> {
    let text = (!left_out.is_empty()).then(|| serde_json::to_string(left_out)).transpose()?;
    tx.execute(
        "UPDATE syncs SET left_out = ?1 WHERE id = ?2 AND left_out IS NOT ?1",
        params![text, writer.sync.0],
    )?;
    Ok(())
}
