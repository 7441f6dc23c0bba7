//! Streams of changes: their marks and their positions, together.

use rusqlite::{Transaction, params};
use sync_core::state::{FullReadReason, StreamEnd, StreamMarks};

use crate::{failure::Failure, scan::mark_dirty, syncs::check_token};

/// See [`sync_core::state::StateStore::mark_stream`].
pub(crate) fn mark(
    tx: &Transaction<'_>,
    marks: &[StreamMarks],
    end: &StreamEnd,
) -> Result<(), Failure> {
    for StreamMarks { writer, keys, full_read } in marks {
        check_token(tx, writer)?;
        for key in keys {
            mark_dirty(tx, writer, key)?;
        }
        // What asks for a full read already says more.
        tx.prepare_cached(
            "UPDATE syncs SET stream_position = ?, stream_as_of = ?, stream_retention = ?,
               full_read = coalesce(full_read, ?)
             WHERE id = ?",
        )?
        .execute(params![
            end.position.0,
            end.as_of.as_millisecond(),
            end.retention.map(|length| i64::try_from(length.as_secs()).unwrap_or(i64::MAX)),
            full_read.map(FullReadReason::word),
            writer.sync.0
        ])?;
    }
    Ok(())
}
