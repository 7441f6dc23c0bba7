//! Runs: begun, counted, ended, with their books.
//!
//! What a chunk or an answer changes is added to the books of the run under way in the same transaction, so that a run
//! that is killed has its counts too.

use jiff::Timestamp;
use rusqlite::{OptionalExtension as _, Transaction, params};
use sync_core::state::{Books, RunEnd, RunStatus, StateError, SyncId, Writer};

use crate::{column::count, failure::Failure};

pub(crate) fn begin(tx: &Transaction<'_>, writer: &Writer, now: Timestamp) -> Result<i64, Failure> {
    let (waiting_before, _) = backlog(tx, writer)?;
    let books = Books { waiting_before, ..Books::default() };
    Ok(tx.query_row(
        "INSERT INTO runs (sync_id, token, started_at, status, books) VALUES (?, ?, ?, 'running', ?) RETURNING id",
        params![
            writer.sync.0,
            writer.token,
            now.as_millisecond(),
            serde_json::to_string(&books)?
        ],
        |row| row.get(0),
    )?)
}

/// See [`sync_core::state::StateStore::backlog`].
pub(crate) fn backlog(tx: &Transaction<'_>, writer: &Writer) -> rusqlite::Result<(u64, u64)> {
    tx.query_row(
        "SELECT count(*) FILTER (WHERE state IN (0, 1, 3)), count(*) FILTER (WHERE state = 2) FROM outbox
         WHERE sync_id = ? AND destination_id = ?",
        [writer.sync.0, writer.destination.0],
        |row| Ok((count(row, 0)?, count(row, 1)?)),
    )
}

/// Adds what happened to the run that the writer has under way, if any.
pub(crate) fn add(
    tx: &Transaction<'_>,
    writer: &Writer,
    books: &Books,
    calls: i64,
) -> Result<(), Failure> {
    if *books == Books::default() && calls == 0 {
        return Ok(());
    }
    let under_way = tx
        .prepare_cached(
            "SELECT id, books FROM runs WHERE sync_id = ?1 AND id = (SELECT max(id) FROM runs WHERE sync_id = ?1)
               AND token = ?2 AND status = 'running'",
        )?
        .query_row([writer.sync.0, writer.token], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let Some((run, counted)) = under_way else { return Ok(()) };
    let mut sum = read(counted);
    sum += *books;
    sum.count_once();
    store(tx, run, &sum)?;
    tx.prepare_cached("UPDATE runs SET calls = calls + ? WHERE id = ?")?.execute([calls, run])?;
    Ok(())
}

/// Counts a call that reads, for the run that is under way.
pub(crate) fn count_call(tx: &Transaction<'_>, sync: SyncId) -> rusqlite::Result<()> {
    tx.prepare_cached(
        "UPDATE runs SET calls = calls + 1
         WHERE id = (SELECT max(id) FROM runs WHERE sync_id = ?) AND status = 'running'",
    )?
    .execute([sync.0])?;
    Ok(())
}

/// Runs of processes that are gone: what they left is counted, and the name says what happened to them.
pub(crate) fn interrupt(
    tx: &Transaction<'_>,
    writer: &Writer,
    now: Timestamp,
) -> Result<(), Failure> {
    let left: Vec<(i64, Option<String>)> = tx
        .prepare("SELECT id, books FROM runs WHERE sync_id = ? AND status = 'running'")?
        .query_map([writer.sync.0], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<_, _>>()?;
    for (run, counted) in left {
        let words = "the process ended before the run did";
        close(
            tx,
            writer,
            run,
            read(counted),
            (RunStatus::Interrupted, "process_gone", words),
            now,
        )?;
    }
    Ok(())
}

/// See [`sync_core::state::StateStore::fail_run`].
pub(crate) fn fail(
    tx: &Transaction<'_>,
    writer: &Writer,
    run: i64,
    error: &StateError,
    now: Timestamp,
) -> Result<(), Failure> {
    let counted = tx.query_row(
        "SELECT books FROM runs WHERE id = ? AND sync_id = ?",
        [run, writer.sync.0],
        |row| row.get(0),
    )?;
    let words = error.to_string();
    close(tx, writer, run, read(counted), (RunStatus::Failed, error.code(), &words), now)
}

/// Ends a run with the counts that were stored, and with what it leaves.
fn close(
    tx: &Transaction<'_>,
    writer: &Writer,
    run: i64,
    counted: Books,
    (status, code, words): (RunStatus, &str, &str),
    now: Timestamp,
) -> Result<(), Failure> {
    let (waiting_after, quarantine) = backlog(tx, writer)?;
    store(tx, run, &Books { waiting_after, quarantine, ..counted })?;
    tx.execute(
        "UPDATE runs SET status = ?, completed_at = ?, error_code = ?, error_message = ? WHERE id = ?",
        params![status.word(), now.as_millisecond(), code, words, run],
    )?;
    Ok(())
}

pub(crate) fn end(
    tx: &Transaction<'_>,
    writer: &Writer,
    run: i64,
    end: &RunEnd,
    now: Timestamp,
) -> Result<(), Failure> {
    store(tx, run, &end.books)?;
    tx.execute(
        "UPDATE runs SET status = ?, completed_at = ?, calls = ?, error_code = ?, error_message = ?
         WHERE id = ? AND sync_id = ?",
        params![
            end.status.word(),
            now.as_millisecond(),
            i64::try_from(end.calls).unwrap_or(i64::MAX),
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

fn read(books: Option<String>) -> Books {
    books.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default()
}

fn store(tx: &Transaction<'_>, run: i64, books: &Books) -> Result<(), Failure> {
    let column = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    tx.prepare_cached(
        "UPDATE runs SET records_processed = ?, records_created = ?, records_updated = ?, records_skipped = ?,
           books = ? WHERE id = ?",
    )?
    .execute(params![
        column(books.read),
        column(books.created),
        column(books.updated),
        column(books.unchanged + books.equal + books.adopted),
        serde_json::to_string(books)?,
        run,
    ])?;
    Ok(())
}
