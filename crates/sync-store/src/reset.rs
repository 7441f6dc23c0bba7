//! Forgetting part of what the state knows of one sync, on a person's word.

use rusqlite::Transaction;
use sync_core::state::{FullReadReason, StateError, Writer};

use crate::{Custody, SqliteStore, recordless, syncs};

/// What is forgotten.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ResetLevel {
    /// How far was read.
    Position,
    /// What the records hold.
    Values,
    /// Which record belongs to which row.
    Links,
    /// Everything.
    Sync,
}

impl ResetLevel {
    /// Every level, from the mildest.
    pub const ALL: [Self; 4] = [Self::Position, Self::Values, Self::Links, Self::Sync];

    /// The word for it on the command line.
    pub fn word(self) -> &'static str {
        match self {
            Self::Position => "position",
            Self::Values => "values",
            Self::Links => "links",
            Self::Sync => "sync",
        }
    }

    /// What it does and what it costs, in one sentence without its end.
    pub fn effect(self) -> &'static str {
        match self {
            Self::Position => {
                "the next run reads every row; rows whose records are as they should be cost no call"
            }
            Self::Values => {
                "the next run reads every row and compares every record: a call for each 1,000 records, and one for \
                 each 25 that differ"
            }
            Self::Links => {
                "the links to records are forgotten and found again by their external id: a call for each 1,000 \
                 records of the table; records made by this tool then count as found, so their rows' deletion \
                 leaves them unless the token's member is dedicated"
            }
            Self::Sync => {
                "everything about the sync is forgotten, its runs, log and quarantine too; the next run is as the \
                 first one and finds its records by their external id: a call for each 1,000 records of the table"
            }
        }
    }

    /// Whether something is lost that cannot be read again.
    pub fn is_destructive(self) -> bool {
        match self {
            Self::Position | Self::Values => false,
            Self::Links | Self::Sync => true,
        }
    }
}

impl SqliteStore {
    /// Forgets. Creates that nobody answered stay in doubt at every level, as they could be created twice otherwise;
    /// so does the time of the last create.
    ///
    /// # Errors
    /// The state fails; for [`ResetLevel::Sync`] also [`StateError::UnresolvedCreates`] while creates are in doubt.
    pub fn reset(&mut self, custody: &Custody, level: ResetLevel) -> Result<(), StateError> {
        let writer = custody.writer;
        self.write(&writer, |tx| {
            match level {
                ResetLevel::Position => {}
                ResetLevel::Values => forget_values(tx, &writer)?,
                ResetLevel::Links => {
                    forget_wishes(tx, &writer)?;
                    forget_links(tx, &writer)?;
                }
                ResetLevel::Sync => {
                    refuse_doubts(tx, &writer)?;
                    return Ok(forget_sync(tx, writer.sync.0)?);
                }
            }
            Ok(forget_position(tx, &writer)?)
        })
    }
}

fn forget_position(tx: &Transaction<'_>, writer: &Writer) -> rusqlite::Result<()> {
    tx.execute(
        "UPDATE syncs SET watermark = NULL, stream_position = NULL, page_after = NULL, page_watermark = NULL, full_read = coalesce(full_read, ?)
         WHERE id = ?",
        (FullReadReason::Reset.word(), writer.sync.0),
    )?;
    Ok(())
}

fn forget_values(tx: &Transaction<'_>, writer: &Writer) -> rusqlite::Result<()> {
    recordless::forget_all(tx, writer.sync.0)?;
    tx.execute(
        "UPDATE links SET fingerprint = NULL WHERE sync_id = ? AND destination_id = ?",
        [writer.sync.0, writer.destination.0],
    )?;
    Ok(())
}

/// What waits and what is in quarantine is read again; what was sent and not answered stays.
fn forget_wishes(tx: &Transaction<'_>, writer: &Writer) -> rusqlite::Result<()> {
    recordless::forget_all(tx, writer.sync.0)?;
    tx.execute(
        "DELETE FROM outbox WHERE sync_id = ? AND destination_id = ? AND state <> 1",
        [writer.sync.0, writer.destination.0],
    )?;
    Ok(())
}

/// Without a mark the table is read before anything is created (D8).
fn forget_links(tx: &Transaction<'_>, writer: &Writer) -> rusqlite::Result<()> {
    syncs::forget_candidates(tx, writer.sync.0)?;
    for forget in [
        "DELETE FROM links WHERE sync_id = ? AND destination_id = ?",
        "UPDATE targets SET mark = NULL, matched = NULL WHERE sync_id = ? AND destination_id = ?",
    ] {
        tx.execute(forget, [writer.sync.0, writer.destination.0])?;
    }
    Ok(())
}

fn refuse_doubts(tx: &Transaction<'_>, writer: &Writer) -> Result<(), crate::failure::Failure> {
    let (sync, creates): (String, u64) = tx.query_row(
        "SELECT name, (SELECT count(*) FROM outbox WHERE sync_id = syncs.id AND state = 1) FROM syncs WHERE id = ?",
        [writer.sync.0],
        |row| Ok((row.get(0)?, crate::column::count(row, 1)?)),
    )?;
    if creates == 0 {
        return Ok(());
    }
    Err(StateError::UnresolvedCreates { sync, creates }.into())
}

/// Every table that has rows of a sync, whoever made it.
pub(crate) fn forget_sync(tx: &Transaction<'_>, sync: i64) -> rusqlite::Result<()> {
    let tables: Vec<String> = tx
        .prepare(
            "SELECT m.name FROM sqlite_schema AS m JOIN pragma_table_info(m.name) AS c
             WHERE m.type = 'table' AND c.name = 'sync_id' AND m.name <> 'calls'",
        )?
        .query_map([], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    for table in tables {
        tx.execute(&format!("DELETE FROM {table} WHERE sync_id = ?"), [sync])?;
    }
    // Its number and its token stay, so that whoever still held it is fenced, and its calls of this month count.
    tx.execute(
        "UPDATE syncs SET destination_id = 0, values_hash = NULL, key_hash = NULL, shape_hash = NULL,
           watermark = NULL, read_at = NULL, full_read = 'first', stop_code = NULL, stop_message = NULL,
           stop_remedy = NULL, stop_key = NULL, stop_until = NULL, last_successful_run = NULL, page_after = NULL, page_watermark = NULL,
           full_read_at = NULL, swept_at = NULL, stream_position = NULL, full_rows = NULL, candidates = 0,
           unread_as_of = NULL, unnamed_as_of = NULL, definition = definition + 1
         WHERE id = ?",
        [sync],
    )?;
    Ok(())
}
