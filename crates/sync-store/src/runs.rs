//! Runs: begun, ended, with their books.

use jiff::Timestamp;
use rusqlite::{Transaction, params};
use sync_core::state::{RunEnd, RunStatus, Writer};

use crate::failure::Failure;

pub(crate) fn begin(
    tx: &Transaction<'_>,
    writer: &Writer,
    now: Timestamp,
) -> rusqlite::Result<i64> {
    tx.query_row(
        "INSERT INTO runs (sync_id, token, started_at, status) VALUES (?, ?, ?, 'running') RETURNING id",
        params![writer.sync.0, writer.token, now.as_millisecond()],
        |row| row.get(0),
    )
}

pub(crate) fn end(
    tx: &Transaction<'_>,
    writer: &Writer,
    run: i64,
    end: &RunEnd,
    now: Timestamp,
) -> Result<(), Failure> {
    let books = &end.books;
    tx.execute(
        "UPDATE runs SET status = ?, completed_at = ?, records_processed = ?, records_created = ?,
           records_updated = ?, records_skipped = ?, calls = ?, books = ?, error_code = ?, error_message = ?
         WHERE id = ? AND sync_id = ?",
        params![
            end.status.word(),
            now.as_millisecond(),
            i64::try_from(books.read).unwrap_or(i64::MAX),
            i64::try_from(books.created).unwrap_or(i64::MAX),
            i64::try_from(books.updated).unwrap_or(i64::MAX),
            i64::try_from(books.unchanged + books.equal + books.adopted).unwrap_or(i64::MAX),
            i64::try_from(end.calls).unwrap_or(i64::MAX),
            serde_json::to_string(books)?,
            end.code,
            end.error,
            run,
            writer.sync.0
        ],
    )?;
    if end.status == RunStatus::Success {
        tx.execute(
            "UPDATE syncs SET last_successful_run = ? WHERE id = ?",
            params![now.as_millisecond(), writer.sync.0],
        )?;
    }
    Ok(())
}
