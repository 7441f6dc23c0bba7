//! Streams of changes: their marks and their positions, together.

use rusqlite::{Transaction, params};
use sync_core::state::{StreamEnd, StreamMarks};

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
        tx.prepare_cached(
            "UPDATE syncs SET stream_position = ?, stream_as_of = ?, stream_retention = ? WHERE id = ?",
        )?
        .execute(params![
            end.position.0,
            end.as_of.as_millisecond(),
            end.retention.map(|length| i64::try_from(length.as_secs()).unwrap_or(i64::MAX)),
            writer.sync.0
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
