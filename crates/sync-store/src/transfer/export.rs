//! Writing the state as text.

use std::{
    io::{self, Write},
    path::Path,
};

use jiff::Timestamp;
use rusqlite::{Connection, OpenFlags, Row, Transaction};
use sync_core::{key::Key, state::StateError};

use super::line::{
    CallsLine, End, FORMAT, Head, KeyText, Line, LinkLine, LookLine, SyncLine, VERSION,
};
use crate::{
    StateReader,
    column::{KeyColumn, RecordColumn},
    failure::translate,
    older,
    witness::Witness,
};

/// What was written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Exported {
    /// Syncs.
    pub syncs: u64,
    /// Links.
    pub links: u64,
}

/// What can go wrong inside.
enum Failed {
    State(StateError),
    Sqlite(rusqlite::Error),
    Write(io::Error),
}

impl From<rusqlite::Error> for Failed {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl From<io::Error> for Failed {
    fn from(error: io::Error) -> Self {
        Self::Write(error)
    }
}

impl From<serde_json::Error> for Failed {
    fn from(error: serde_json::Error) -> Self {
        Self::Write(error.into())
    }
}

/// Writes the state at `path` as one moment saw it, a line at a time; others may use it meanwhile.
///
/// # Errors
/// The state cannot be read or is not of this version, or the text cannot be written.
pub fn export(path: &Path, to: &mut dyn Write, now: Timestamp) -> Result<Exported, StateError> {
    drop(StateReader::open(path)?);
    write_all(path, to, now).map_err(|failed| match failed {
        Failed::State(error) => error,
        Failed::Sqlite(error) => translate(&error, path),
        Failed::Write(error) => StateError::Other(format!("the export cannot be written: {error}")),
    })
}

fn write_all(path: &Path, to: &mut dyn Write, now: Timestamp) -> Result<Exported, Failed> {
    // The witness last: what it saw may then be more than the state knew, never less.
    let mut connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let tx = connection.transaction()?;
    let calls = older::calls(&tx)?;
    let witness = Witness::beside(path).testimony().map_err(Failed::State)?;
    put(
        to,
        &Line::State(Head {
            format: FORMAT.to_owned(),
            version: VERSION,
            at: now.as_millisecond(),
            calls,
            created_at: witness.map_or(0, |witness| witness.sent_at.min(now.as_millisecond())),
        }),
    )?;
    let mut exported = Exported::default();
    for (sync, destination, line) in syncs(&tx)? {
        put(to, &Line::Sync(line))?;
        exported.syncs += 1;
        exported.links += links(&tx, sync, destination, to)?;
        looks(&tx, sync, destination, to)?;
    }
    calls_by_day(&tx, to)?;
    put(to, &Line::End(End { links: exported.links }))?;
    to.flush()?;
    Ok(exported)
}

fn put(to: &mut dyn Write, line: &Line) -> Result<(), Failed> {
    serde_json::to_writer(&mut *to, line)?;
    to.write_all(b"\n")?;
    Ok(())
}

/// Every sync with every destination that it knows something of, the present one last.
fn syncs(tx: &Transaction<'_>) -> rusqlite::Result<Vec<(i64, i64, SyncLine)>> {
    tx.prepare(
        "SELECT s.id, d.id, s.name, d.host, d.account, d.table_id, d.id = s.destination_id, t.external_id_field,
           t.mark, d.own_member, s.values_hash, s.key_hash, s.watermark, s.full_read,
           NOT EXISTS (SELECT 1 FROM outbox AS o WHERE o.sync_id = s.id)
             AND NOT EXISTS (SELECT 1 FROM dirty WHERE dirty.sync_id = s.id)
         FROM targets AS t JOIN syncs AS s ON s.id = t.sync_id JOIN destinations AS d ON d.id = t.destination_id
         ORDER BY s.name, d.id = s.destination_id, d.id",
    )?
    .query_map([], |row| {
        let current: bool = row.get(6)?;
        Ok((
            row.get(0)?,
            row.get(1)?,
            SyncLine {
                name: row.get(2)?,
                host: row.get(3)?,
                account: row.get(4)?,
                table: row.get(5)?,
                current,
                external_id_field: row.get(7)?,
                mark: row.get(8)?,
                own_member: row.get(9)?,
                values_hash: row.get(10)?,
                key_hash: row.get(11)?,
                watermark: row.get(12)?,
                full_read: row.get(13)?,
                settled: row.get(14)?,
            },
        ))
    })?
    .collect()
}

fn links(
    tx: &Transaction<'_>,
    sync: i64,
    destination: i64,
    to: &mut dyn Write,
) -> Result<u64, Failed> {
    let mut select = tx.prepare(
        "SELECT key, record_id, origin, standing, lower(hex(fingerprint)), created_at, updated_at FROM links
         WHERE sync_id = ? AND destination_id = ? ORDER BY key",
    )?;
    let mut rows = select.query([sync, destination])?;
    let mut count = 0;
    while let Some(row) = rows.next()? {
        put(to, &Line::Link(link(row)?))?;
        count += 1;
    }
    Ok(count)
}

fn link(row: &Row<'_>) -> rusqlite::Result<LinkLine> {
    Ok(LinkLine {
        key: key(row.get::<_, KeyColumn>(0)?.0),
        record: row.get::<_, RecordColumn>(1)?.0.0,
        adopted: row.get::<_, i64>(2)? == 1,
        standing: row.get(3)?,
        fingerprint: row.get::<_, Option<String>>(4)?.filter(|hex| hex.len() == 32),
        created_at: row.get(5)?,
        updated_at: row.get(6)?,
    })
}

fn key(key: Key) -> KeyText {
    match key {
        Key::Int(number) => KeyText::Int(number),
        Key::Text(text) => KeyText::Text(text),
    }
}

fn looks(
    tx: &Transaction<'_>,
    sync: i64,
    destination: i64,
    to: &mut dyn Write,
) -> Result<(), Failed> {
    let mut select = tx
        .prepare("SELECT key, due_at FROM second_looks WHERE sync_id = ? AND destination_id = ?")?;
    let mut rows = select.query([sync, destination])?;
    while let Some(row) = rows.next()? {
        let line = LookLine { key: key(row.get::<_, KeyColumn>(0)?.0), due_at: row.get(1)? };
        put(to, &Line::SecondLook(line))?;
    }
    Ok(())
}

fn calls_by_day(tx: &Transaction<'_>, to: &mut dyn Write) -> Result<(), Failed> {
    let mut select = tx.prepare(
        "SELECT c.day, s.name, c.kind, c.count FROM calls AS c JOIN syncs AS s ON s.id = c.sync_id
         ORDER BY c.day, s.name, c.kind",
    )?;
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        let line = CallsLine {
            day: row.get(0)?,
            sync: row.get(1)?,
            kind: row.get(2)?,
            count: row.get(3)?,
        };
        put(to, &Line::Calls(line))?;
    }
    Ok(())
}
