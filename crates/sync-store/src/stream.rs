//! Streams of changes: their marks and their positions, together.

use rusqlite::{Transaction, params};
use sync_core::state::{StreamEnd, StreamMarks, Writer};

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
        // What has no name was committed after everything that was named before.
        tx.prepare_cached(
            "UPDATE syncs SET stream_position = ?1, stream_as_of = ?2, stream_retention = ?3,
               unnamed_as_of = iif(?5 AND unnamed_as_of IS NULL,
                 iif(stream_position IS NULL, read_at, coalesce(stream_as_of, read_at)), unnamed_as_of)
             WHERE id = ?4",
        )?
        .execute(params![
            end.position.0,
            end.as_of.as_millisecond(),
            end.retention.map(|length| i64::try_from(length.as_secs()).unwrap_or(i64::MAX)),
            writer.sync.0,
            full_read.is_some(),
        ])?;
        if let Some(reason) = full_read {
            // What asks for a full read already says more. One that is read in pages begins anew all the same. Rows may
            // have gone unseen, so the next sweep is due, whoever makes it.
            tx.execute(
                "UPDATE syncs SET full_read = coalesce(full_read, ?), full_read_asked = read, swept_at = NULL
                 WHERE id = ?",
                params![reason.word(), writer.sync.0],
            )?;
        }
    }
    Ok(())
}

/// See [`sync_core::state::StateStore::leave_stream`].
pub(crate) fn leave(tx: &Transaction<'_>, writer: &Writer) -> rusqlite::Result<()> {
    tx.execute("UPDATE syncs SET stream_as_of = NULL WHERE id = ?", [writer.sync.0])?;
    Ok(())
}
