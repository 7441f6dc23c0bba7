//! Reading the state from text, all of it or nothing.

use std::{collections::BTreeMap, io::BufRead};

use jiff::Timestamp;
use rusqlite::{OptionalExtension as _, Transaction, params};
use sync_core::{
    key::Key,
    record::RecordId,
    state::{CallKind, FullReadReason, StateError, SyncId},
};

use super::line::{
    CallsLine, End, FORMAT, Head, KeyText, Line, LinkLine, LookLine, SyncLine, VERSION,
};
use crate::{
    SqliteStore, SyncLock,
    column::{KeyParameter, record_parameter, time},
    failure::Failure,
    older,
    store::Durability,
};

/// Whether the file is the newest that is known of its syncs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trust {
    /// Nobody says so: something may have run since. Everything is read, and what records hold is compared.
    Nothing,
    /// The other installation rests for good, and nothing ran since the export.
    Newest,
}

/// What was read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Imported {
    /// Syncs.
    pub syncs: u64,
    /// Links.
    pub links: u64,
}

/// Why nothing was read.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The text is not what it should be. Nothing of it is shown, as it may hold keys.
    #[error("line {line} of the file {problem}")]
    Line {
        /// Counted from 1.
        line: u64,
        /// What is wrong.
        problem: &'static str,
    },
    /// The text cannot be read.
    #[error("the file cannot be read: {0}")]
    Read(#[from] std::io::Error),
    /// The state knows something of this sync already.
    #[error("the state has links of the sync `{0}` already")]
    Known(String),
    /// Another process runs this sync.
    #[error("the sync `{0}` is being run")]
    Busy(String),
    /// The state fails.
    #[error(transparent)]
    State(#[from] StateError),
}

impl SqliteStore {
    /// Reads what [`super::export()`] wrote, in one transaction. Its syncs must not have links here yet.
    ///
    /// # Errors
    /// See [`ImportError`]; the state is as before then.
    pub fn import(
        &mut self,
        from: &mut dyn BufRead,
        trust: Trust,
        now: Timestamp,
    ) -> Result<Imported, ImportError> {
        let state = self.path().to_owned();
        let mut problem = None;
        // The file raises the number of calls: whether the state is older than the world shows only before.
        let seen = self.witness.testimony()?;
        let done = self.transact(Durability::Power, |tx| {
            let is_older = older::distrust_if_older(tx, seen, now)?;
            let witnessed = seen.filter(|_| is_older).map(|seen| seen.calls);
            let mut reading = Reading::new(tx, trust, witnessed, now);
            reading.lines(from, &state).map_err(|error| match error {
                ImportError::State(error) => error.into(),
                other => {
                    problem = Some(other);
                    Failure::from(StateError::Other("nothing was imported".into()))
                }
            })
        });
        match (done, problem) {
            (Ok(imported), _) => Ok(imported),
            (Err(_), Some(problem)) => Err(problem),
            (Err(error), None) => Err(error.into()),
        }
    }
}

struct Reading<'a> {
    tx: &'a Transaction<'a>,
    trust: Trust,
    now: Timestamp,
    /// Calls that were sent from here, where the state that knew of them is lost.
    witnessed: Option<i64>,
    head: Option<Head>,
    /// Syncs of the file, by name, with their locks, which are held until everything is stored.
    syncs: BTreeMap<String, (i64, SyncLock)>,
    /// The sync and destination that links belong to.
    place: Option<(i64, i64)>,
    imported: Imported,
    ended: bool,
}

#[expect(clippy::needless_pass_by_value, reason = "what `map_err` hands over")]
fn sqlite(error: rusqlite::Error) -> ImportError {
    // The path stands in the error that reaches people.
    ImportError::State(crate::failure::translate(&error, std::path::Path::new("state")))
}

impl<'a> Reading<'a> {
    fn new(tx: &'a Transaction<'a>, trust: Trust, witnessed: Option<i64>, now: Timestamp) -> Self {
        Self {
            tx,
            trust,
            now,
            witnessed,
            head: None,
            syncs: BTreeMap::new(),
            place: None,
            imported: Imported::default(),
            ended: false,
        }
    }

    fn lines(
        &mut self,
        from: &mut dyn BufRead,
        state: &std::path::Path,
    ) -> Result<Imported, ImportError> {
        let mut text = String::new();
        let mut number = 0;
        loop {
            text.clear();
            if from.read_line(&mut text)? == 0 {
                break;
            }
            number += 1;
            if text.trim().is_empty() {
                continue;
            }
            let wrong = |problem| ImportError::Line { line: number, problem };
            let line: Line = serde_json::from_str(&text)
                .map_err(|_| wrong("is none of a state's export, or is cut off"))?;
            if self.ended {
                return Err(wrong("comes after the end"));
            }
            if self.head.is_none() != matches!(line, Line::State(_)) {
                return Err(wrong(
                    "stands in the wrong place: the first line says what the file is",
                ));
            }
            match line {
                Line::State(head) => self.head(head).map_err(wrong)?,
                Line::Sync(line) => self.sync(&line, state)?,
                Line::Link(line) => self.link(line).map_err(sqlite)?.map_err(wrong)?,
                Line::SecondLook(line) => self.look(line).map_err(sqlite)?.map_err(wrong)?,
                Line::Calls(line) => self.calls(&line).map_err(sqlite)?.map_err(wrong)?,
                Line::End(end) => self.end(end).map_err(wrong)?,
            }
        }
        if !self.ended {
            let problem = "is missing: the file is not whole";
            return Err(ImportError::Line { line: number + 1, problem });
        }
        self.conclude().map_err(sqlite)?;
        Ok(self.imported)
    }

    fn head(&mut self, head: Head) -> Result<(), &'static str> {
        if head.format != FORMAT {
            return Err("is no state's export");
        }
        if !(1..=VERSION).contains(&head.version) {
            return Err("is of a version that this program does not know");
        }
        if self.witnessed.is_some_and(|calls| head.calls < calls) {
            // Whoever vouches for the file does not know of what was sent since.
            self.trust = Trust::Nothing;
        }
        self.head = Some(head);
        Ok(())
    }

    fn sync(&mut self, line: &SyncLine, state: &std::path::Path) -> Result<(), ImportError> {
        let sync = match self.syncs.get(&line.name) {
            Some((sync, _)) => *sync,
            None => self.new_sync(&line.name, state)?,
        };
        let place = params![line.host, line.account, line.table];
        let tx = self.tx;
        let destination: i64 = (|| {
            tx.execute(
                "INSERT OR IGNORE INTO destinations (host, account, table_id) VALUES (?, ?, ?)",
                place,
            )?;
            tx.query_row(
                "UPDATE destinations SET own_member = coalesce(own_member, ?4)
                 WHERE host = ?1 AND account = ?2 AND table_id = ?3 RETURNING id",
                params![line.host, line.account, line.table, line.own_member],
                |row| row.get(0),
            )
        })()
        .map_err(sqlite)?;
        tx.execute(
            "INSERT OR REPLACE INTO targets (sync_id, destination_id, external_id_field, mark) VALUES (?, ?, ?, ?)",
            params![sync, destination, line.external_id_field, self.mark(line)],
        )
        .map_err(sqlite)?;
        if line.current {
            self.position(sync, destination, line).map_err(sqlite)?;
        }
        self.place = Some((sync, destination));
        Ok(())
    }

    /// The mark, where it may be believed: nothing was created since, and what was on its way lies above it. Else the table
    /// is read.
    fn mark(&self, line: &SyncLine) -> Option<i64> {
        let is_low = line.settled || self.head.as_ref().is_some_and(|head| head.version > 1);
        line.mark.filter(|_| self.trust == Trust::Newest && is_low)
    }

    /// The position is believed only where the file is the newest and nothing was under way in it. A place in a log that
    /// this state has from a time before is none of the file's rows, and what was asked for here is still due.
    fn position(&self, sync: i64, destination: i64, line: &SyncLine) -> rusqlite::Result<()> {
        let believed = self.trust == Trust::Newest && line.settled;
        let full_read = match (&line.full_read, believed) {
            (Some(reason), _) => Some(reason.as_str()),
            (None, true) => None,
            (None, false) => Some(FullReadReason::Imported.word()),
        };
        self.tx.execute(
            "UPDATE syncs SET destination_id = ?, values_hash = ?, key_hash = ?, watermark = ?,
               full_read = coalesce(?, nullif(full_read, 'first')), stream_position = NULL, stream_as_of = NULL,
               page_after = NULL, page_watermark = NULL, definition = definition + 1, token = token + 1 WHERE id = ?",
            params![
                destination,
                line.values_hash,
                line.key_hash,
                line.watermark,
                full_read,
                sync
            ],
        )?;
        Ok(())
    }

    fn new_sync(&mut self, name: &str, state: &std::path::Path) -> Result<i64, ImportError> {
        let tx = self.tx;
        tx.execute("INSERT OR IGNORE INTO syncs (name) VALUES (?)", [name]).map_err(sqlite)?;
        let sync: i64 = tx
            .query_row("SELECT id FROM syncs WHERE name = ?", [name], |row| row.get(0))
            .map_err(sqlite)?;
        let lock = SyncLock::try_take(state, SyncId(sync), name)?
            .ok_or_else(|| ImportError::Busy(name.to_owned()))?;
        let known = tx
            .query_row(
                "SELECT 1 FROM links WHERE sync_id = ?1 UNION ALL SELECT 1 FROM outbox WHERE sync_id = ?1 LIMIT 1",
                [sync],
                |_| Ok(()),
            )
            .optional()
            .map_err(sqlite)?;
        if known.is_some() {
            return Err(ImportError::Known(name.to_owned()));
        }
        self.syncs.insert(name.to_owned(), (sync, lock));
        self.imported.syncs += 1;
        Ok(sync)
    }

    fn link(&mut self, line: LinkLine) -> rusqlite::Result<Result<(), &'static str>> {
        let Some((sync, destination)) = self.place else { return Ok(Err("is of no sync")) };
        if line.record.is_empty() || !(0..=3).contains(&line.standing) {
            return Ok(Err("is no link"));
        }
        let print = match line.fingerprint.as_deref().map(bytes) {
            Some(None) => return Ok(Err("has a fingerprint that is none")),
            Some(print) if self.trust == Trust::Newest => print,
            Some(_) | None => None,
        };
        let stored = self
            .tx
            .prepare_cached(
                "INSERT INTO links (sync_id, destination_id, key, record_id, origin, standing, fingerprint,
                   created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
            )?
            .execute(params![
                sync,
                destination,
                KeyParameter(&key(line.key)),
                record_parameter(&RecordId(line.record)),
                line.adopted,
                line.standing,
                print,
                line.created_at,
                line.updated_at,
            ])?;
        if stored == 0 {
            return Ok(Err("has a key that another link has already"));
        }
        self.imported.links += 1;
        Ok(Ok(()))
    }

    fn look(&self, line: LookLine) -> rusqlite::Result<Result<(), &'static str>> {
        let Some((sync, destination)) = self.place else { return Ok(Err("is of no sync")) };
        self.tx
            .prepare_cached("INSERT OR REPLACE INTO second_looks (sync_id, destination_id, key, due_at) VALUES (?, ?, ?, ?)")?
            .execute(params![sync, destination, KeyParameter(&key(line.key)), line.due_at])?;
        Ok(Ok(()))
    }

    fn calls(&self, line: &CallsLine) -> rusqlite::Result<Result<(), &'static str>> {
        if line.day.parse::<jiff::civil::Date>().is_err()
            || CallKind::from_word(&line.kind).is_none()
        {
            return Ok(Err("counts calls of no day or kind"));
        }
        let Some((sync, _)) = self.syncs.get(&line.sync) else { return Ok(Ok(())) };
        self.tx
            .prepare_cached(
                "INSERT INTO calls (day, sync_id, kind, count) VALUES (?, ?, ?, ?)
                 ON CONFLICT DO UPDATE SET count = count + excluded.count",
            )?
            .execute(params![line.day, sync, line.kind, line.count.max(0)])?;
        Ok(Ok(()))
    }

    fn end(&mut self, end: End) -> Result<(), &'static str> {
        self.ended = true;
        if end.links == self.imported.links {
            return Ok(());
        }
        Err("counts other links than there are: the file is not whole")
    }

    /// Calls that write wait until the last one that the other installation may have sent has had its time (D9).
    fn conclude(&self) -> rusqlite::Result<()> {
        let Some(head) = &self.head else { return Ok(()) };
        older::raise_calls(self.tx, head.calls)?;
        let sent_at = match self.trust {
            Trust::Newest => time(head.created_at.min(self.now.as_millisecond())),
            Trust::Nothing => self.now,
        };
        if self.trust == Trust::Nothing {
            older::look_at_kept(self.tx, sent_at)?;
        }
        older::hold_calls(self.tx, sent_at)
    }
}

fn key(text: KeyText) -> Key {
    match text {
        KeyText::Int(number) => Key::Int(number),
        KeyText::Text(text) => Key::Text(text),
    }
}

fn bytes(hex: &str) -> Option<Vec<u8>> {
    if hex.len() != 32 || !hex.is_ascii() {
        return None;
    }
    (0..16).map(|at| u8::from_str_radix(hex.get(2 * at..2 * at + 2)?, 16).ok()).collect()
}
