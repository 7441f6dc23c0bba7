//! [`SqliteStore`]: the port, each method one transaction.

mod transaction;

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension};
use sync_core::{
    deletes::{Going, GonePolicy},
    draft::{Fingerprint, LinkWish},
    field_value::FieldValue,
    key::Key,
    mutation::{self, Mutation},
    pace::Rate,
    record::RecordId,
    slug::Slug,
    state::{
        Books, CallKind, Chunk, Control, DestinationId, DirtyKey, Dispatch, DispatchRequest, Doubt,
        FullReadReason, LinkField, Mark, OpenedSync, ReadTicket, RunEnd, SecondLook,
        SecondSettlement, SeenLink, SeenLinks, Settlement, StateError, StateStore, Stop, StreamEnd,
        StreamMarks, SweepEnd, SweepTicket, SyncId, SyncIdentity, Writer,
    },
    table::TableStructure,
};

use crate::{
    alerts, calls, capture,
    column::{count, time},
    deletes, digest, dispatch, doubt, drift,
    failure::Failure,
    failure::translate,
    filling,
    keeping::Keeping,
    links,
    links::Links,
    older, open,
    open::OpenNote,
    place,
    place::FileIdentity,
    place::Place,
    quarantine, recordless, runs, scan, second_look, settle, stream, structure, sweep, syncs,
    witness::Witness,
};

pub(crate) use self::transaction::Durability;

/// The state in one SQLite file.
#[derive(Debug)]
pub struct SqliteStore {
    connection: Connection,
    path: PathBuf,
    /// Which file that was when it was opened.
    file: FileIdentity,
    pub(crate) witness: Witness,
    notes: Vec<OpenNote>,
    keeping: Keeping,
}

impl SqliteStore {
    /// Opens the file, making or migrating it as needed.
    ///
    /// # Errors
    /// The file cannot be written, is no state, is newer than this program, or lies on a network file system.
    pub fn open(path: &Path) -> Result<Self, StateError> {
        Self::open_at(path, place::place_of(path))
    }

    fn open_at(path: &Path, place: Option<Place>) -> Result<Self, StateError> {
        let (connection, notes) = open::open(path, place)?;
        Ok(Self {
            connection,
            path: path.to_owned(),
            file: FileIdentity::of(path).map_err(|error| open::not_writable(path, &error))?,
            witness: Witness::beside(path),
            notes,
            keeping: Keeping::default(),
        })
    }

    /// What is kept beyond what the work needs: the default, unless this says otherwise.
    pub fn set_keeping(&mut self, keeping: Keeping) {
        self.keeping = keeping;
    }

    /// Opens a copy that will be thrown away: it may lie anywhere.
    pub(crate) fn open_thrown_away(path: &Path) -> Result<Self, StateError> {
        Self::open_at(path, None)
    }

    /// What opening found worth saying.
    pub fn notes(&self) -> &[OpenNote] {
        &self.notes
    }

    /// The file's size; 0 where it cannot be told.
    pub fn bytes(&self) -> u64 {
        std::fs::metadata(&self.path).map_or(0, |file| file.len())
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Fails unless the file that was opened is still the one in its place. To be asked by whoever has a sync's lock:
    /// nobody who finds another file there can have run the sync since, nor will before the lock is free.
    pub(crate) fn check_in_place(&self) -> Result<(), StateError> {
        match FileIdentity::of(&self.path) {
            Ok(file) if file == self.file => Ok(()),
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(open::not_writable(&self.path, &error))
            }
            Ok(_) | Err(_) => Err(StateError::Replaced { path: self.path.display().to_string() }),
        }
    }

    /// Lets the file grow by at most so many pages while this value lives: as on a disk that is nearly full. For tests
    /// of what a full disk does.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn limit_growth(&mut self, pages: u32) -> Result<(), StateError> {
        let limit = |connection: &Connection| {
            let now: i64 = connection.query_row("PRAGMA page_count", [], |row| row.get(0))?;
            let set = format!("PRAGMA max_page_count = {}", now + i64::from(pages));
            connection.query_row(&set, [], |_| Ok(()))
        };
        limit(&self.connection).map_err(|error| translate(&error, &self.path))
    }

    /// After a batch, where only the file itself outlives the container: its log is folded into it.
    fn fold_log(&self) -> Result<(), StateError> {
        if self.notes.contains(&OpenNote::MountPoint) {
            self.connection
                .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
                .map_err(|error| translate(&error, &self.path))?;
        }
        Ok(())
    }
}

impl StateStore for SqliteStore {
    fn open_sync(
        &mut self,
        identity: &SyncIdentity,
        now: Timestamp,
    ) -> Result<OpenedSync, StateError> {
        // The witness first: what it saw was in the state before.
        let seen = self.witness.testimony()?;
        self.transact(Durability::Process, |tx| {
            older::distrust_if_older(tx, seen, now)?;
            syncs::open(tx, identity, now)
        })
    }

    fn place(&mut self, identity: &SyncIdentity) -> Result<(SyncId, DestinationId), StateError> {
        self.transact(Durability::Process, |tx| Ok(syncs::place(tx, identity)?))
    }

    fn hold(
        &mut self,
        sync: &OpenedSync,
        holder: &str,
        now: Timestamp,
    ) -> Result<Writer, StateError> {
        self.check_in_place()?;
        self.transact(Durability::Power, |tx| syncs::hold(tx, sync, holder, now))
    }

    fn heartbeat(&mut self, writer: &Writer, now: Timestamp) -> Result<(), StateError> {
        self.write(writer, |tx| Ok(syncs::heartbeat(tx, writer, now)?))
    }

    fn release(&mut self, writer: &Writer) -> Result<(), StateError> {
        self.write(writer, |tx| Ok(syncs::release(tx, writer)?))?;
        self.fold_log()
    }

    fn begin_read(&mut self, writer: &Writer) -> Result<ReadTicket, StateError> {
        self.write(writer, |tx| Ok(capture::begin_read(tx, writer)?))
    }

    fn unchanged(
        &mut self,
        writer: &Writer,
        ticket: ReadTicket,
        rows: &[(&Key, Fingerprint)],
    ) -> Result<Vec<bool>, StateError> {
        self.read_as(writer, |tx| capture::unchanged(tx, writer, ticket, rows))
    }

    fn capture(&mut self, writer: &Writer, chunk: &Chunk) -> Result<Books, StateError> {
        let keep_payload = self.keeping.payload;
        let books = self.write(writer, |tx| {
            let books = capture::capture(tx, writer, chunk, keep_payload)?;
            runs::add(tx, writer, &books, 0)?;
            Ok(books)
        })?;
        self.fold_log()?;
        Ok(books)
    }

    fn set_links(&mut self, writer: &Writer, fields: &[LinkField]) -> Result<bool, StateError> {
        self.write(writer, |tx| Ok(links::set(tx, writer, fields)?))
    }

    fn resolve(
        &mut self,
        writer: &Writer,
        key: &Key,
        wishes: &[LinkWish],
    ) -> Result<Vec<(Slug, FieldValue)>, StateError> {
        self.read_as(writer, |tx| Ok(Links::default().fill(tx, writer, key, wishes)?.values))
    }

    fn mark_dirty(&mut self, writer: &Writer, keys: &[Key]) -> Result<(), StateError> {
        self.write(writer, |tx| {
            keys.iter().try_for_each(|key| scan::mark_dirty(tx, writer, key)).map_err(Failure::from)
        })
    }

    fn request_reads(&mut self, sync: SyncId, keys: &[Key]) -> Result<(), StateError> {
        self.transact(Durability::Process, |tx| {
            keys.iter()
                .try_for_each(|key| scan::mark_dirty_in(tx, sync.0, key))
                .map_err(Failure::from)
        })
    }

    fn request_full_read(
        &mut self,
        sync: SyncId,
        reason: FullReadReason,
    ) -> Result<(), StateError> {
        self.transact(Durability::Process, |tx| Ok(syncs::request_full_read(tx, sync, reason)?))
    }

    fn mark_stream(&mut self, marks: &[StreamMarks], end: &StreamEnd) -> Result<(), StateError> {
        self.transact(Durability::Process, |tx| stream::mark(tx, marks, end))
    }

    fn leave_stream(&mut self, writer: &Writer) -> Result<(), StateError> {
        self.write(writer, |tx| Ok(stream::leave(tx, writer)?))
    }

    fn dirty(&mut self, writer: &Writer, keys_max: usize) -> Result<Vec<DirtyKey>, StateError> {
        self.read_as(writer, |tx| Ok(scan::dirty(tx, writer, keys_max)?))
    }

    fn begin_sweep(&mut self, writer: &Writer, now: Timestamp) -> Result<SweepTicket, StateError> {
        self.write_aside(writer, |tx| Ok(sweep::begin(tx, writer, now)?))
    }

    fn sweep(&mut self, writer: &Writer, keys: &[Key]) -> Result<(), StateError> {
        self.write_aside(writer, |tx| Ok(sweep::note(tx, writer, keys)?))
    }

    fn end_sweep(
        &mut self,
        writer: &Writer,
        ticket: SweepTicket,
        allowed: Option<u64>,
        now: Timestamp,
    ) -> Result<SweepEnd, StateError> {
        let end = self.write_aside(writer, |tx| Ok(sweep::end(tx, writer, ticket, allowed)?))?;
        self.write(writer, |tx| Ok(sweep::remember(tx, writer, ticket, &end, now)?))?;
        Ok(end)
    }

    fn mark_candidates(
        &mut self,
        writer: &Writer,
        ticket: SweepTicket,
        keys_max: usize,
        now: Timestamp,
    ) -> Result<bool, StateError> {
        self.write(writer, |tx| Ok(sweep::mark(tx, writer, ticket, keys_max, now)?))
    }

    fn guard_deletes(
        &mut self,
        writer: &Writer,
        policy: GonePolicy,
        done: u64,
        allowed: Option<u64>,
    ) -> Result<(Going, bool), StateError> {
        self.write(writer, |tx| Ok(deletes::guard(tx, writer, policy, done, allowed)?))
    }

    fn release_quarantine(
        &mut self,
        writer: &Writer,
        now: Timestamp,
        all: bool,
    ) -> Result<Books, StateError> {
        self.write(writer, |tx| {
            let books = quarantine::release(tx, writer, now, all)?;
            runs::add(tx, writer, &books, 0)?;
            Ok(books)
        })
    }

    fn put_off_retries(
        &mut self,
        writer: &Writer,
        now: Timestamp,
        all: bool,
    ) -> Result<Books, StateError> {
        self.write(writer, |tx| {
            let books = quarantine::put_off(tx, writer, now, all)?;
            runs::add(tx, writer, &books, 0)?;
            Ok(books)
        })
    }

    fn quarantined(&mut self, writer: &Writer) -> Result<u64, StateError> {
        self.read_as(writer, |tx| Ok(quarantine::size(tx, writer)?))
    }

    fn dispatch(
        &mut self,
        writer: &Writer,
        request: &DispatchRequest,
    ) -> Result<(Dispatch, Books), StateError> {
        let unsafe_marks = mutation::is_on(Mutation::MarkedWithoutSync);
        let durability = if unsafe_marks { Durability::Process } else { Durability::Power };
        let dispatched = self.transact(durability, |tx| {
            syncs::check_token(tx, writer)?;
            let dispatched = dispatch::dispatch(tx, writer, request)?;
            let calls = i64::from(matches!(dispatched.0, Dispatch::Send(_)));
            runs::add(tx, writer, &dispatched.1, calls)?;
            Ok(dispatched)
        })?;
        self.fold_log()?;
        if let (Dispatch::Send(call), false) = (&dispatched.0, unsafe_marks) {
            self.witness.raise(call.number, request.now)?;
        }
        Ok(dispatched)
    }

    fn settle(
        &mut self,
        writer: &Writer,
        settlements: &[Settlement],
        now: Timestamp,
    ) -> Result<Books, StateError> {
        let keeping = self.keeping;
        let books = self.write(writer, |tx| {
            let books = settle::settle(tx, writer, settlements, now, keeping)?;
            runs::add(tx, writer, &books, 0)?;
            Ok(books)
        })?;
        self.fold_log()?;
        Ok(books)
    }

    fn doubts(
        &mut self,
        writer: &Writer,
        now: Timestamp,
        doubts_max: usize,
    ) -> Result<(Vec<Doubt>, Option<Timestamp>), StateError> {
        self.read_as(writer, |tx| doubt::due(tx, writer, now, doubts_max))
    }

    fn second_looks(
        &mut self,
        writer: &Writer,
        now: Timestamp,
        keys_max: usize,
    ) -> Result<Vec<SecondLook>, StateError> {
        self.read_as(writer, |tx| second_look::due(tx, writer, now, keys_max))
    }

    fn settle_second_looks(
        &mut self,
        writer: &Writer,
        settlements: &[SecondSettlement],
        now: Timestamp,
    ) -> Result<(), StateError> {
        let log_effects = self.keeping.effects;
        self.write(writer, |tx| second_look::settle(tx, writer, settlements, now, log_effects))
    }

    fn control(
        &mut self,
        writer: &Writer,
        except: &[Key],
        from_end: bool,
    ) -> Result<Option<Control>, StateError> {
        self.read_as(writer, |tx| doubt::control(tx, writer, except, from_end))
    }

    fn set_missing(&mut self, writer: &Writer, key: &Key, is_left: bool) -> Result<(), StateError> {
        self.write(writer, |tx| Ok(doubt::set_missing(tx, writer, key, is_left)?))
    }

    fn linked_elsewhere(
        &mut self,
        writer: &Writer,
        record: &RecordId,
        key: &Key,
    ) -> Result<bool, StateError> {
        self.read_as(writer, |tx| Ok(scan::linked_elsewhere(tx, writer, record, key)?))
    }

    fn linked_record(
        &mut self,
        writer: &Writer,
        key: &Key,
    ) -> Result<Option<RecordId>, StateError> {
        self.read_as(writer, |tx| Ok(scan::linked_record(tx, writer, key)?))
    }

    fn may_go(&mut self, writer: &Writer, key: &Key) -> Result<bool, StateError> {
        self.read_as(writer, |tx| Ok(sweep::may_go(tx, writer, key)?))
    }

    fn begin_scan(&mut self, writer: &Writer) -> Result<(), StateError> {
        self.write_aside(writer, |tx| Ok(scan::begin(tx, writer)?))
    }

    fn link_seen(
        &mut self,
        writer: &Writer,
        seen: &[SeenLink],
        mark: Mark,
        now: Timestamp,
    ) -> Result<SeenLinks, StateError> {
        let log_effects = self.keeping.effects;
        self.write(writer, |tx| scan::link_seen(tx, writer, seen, mark, now, log_effects))
    }

    fn note_archived(
        &mut self,
        writer: &Writer,
        records: &[(Key, RecordId)],
    ) -> Result<(), StateError> {
        self.write(writer, |tx| Ok(scan::note_archived(tx, writer, records)?))
    }

    fn mark(&mut self, writer: &Writer) -> Result<Mark, StateError> {
        self.read_as(writer, |tx| Ok(scan::mark(tx, writer)?))
    }

    fn link_count(&mut self, writer: &Writer) -> Result<u64, StateError> {
        self.read_as(writer, |tx| {
            Ok(tx.query_row(
                "SELECT count(*) FROM links WHERE sync_id = ? AND destination_id = ?",
                [writer.sync.0, writer.destination.0],
                |row| count(row, 0),
            )?)
        })
    }

    fn recordless(&mut self, writer: &Writer) -> Result<u64, StateError> {
        self.read_as(writer, |tx| Ok(recordless::number(tx, writer)?))
    }

    fn unsettled(&mut self, writer: &Writer) -> Result<(u64, u64), StateError> {
        self.read_as(writer, |tx| Ok(scan::unsettled(tx, writer)?))
    }

    fn waiting_creates(
        &mut self,
        writer: &Writer,
        after: Option<&Key>,
        keys_max: usize,
    ) -> Result<Vec<Key>, StateError> {
        self.read_as(writer, |tx| Ok(scan::waiting_creates(tx, writer, after, keys_max)?))
    }

    fn next_ready(
        &mut self,
        writer: &Writer,
        request: &DispatchRequest,
    ) -> Result<Option<Timestamp>, StateError> {
        self.read_as(writer, |tx| Ok(dispatch::next_ready(tx, writer, request)?))
    }

    fn held_creates(&mut self, writer: &Writer) -> Result<u64, StateError> {
        self.read_as(writer, |tx| Ok(dispatch::held_creates(tx, writer)?))
    }

    fn is_split(&mut self, writer: &Writer) -> Result<bool, StateError> {
        self.read_as(writer, |tx| Ok(dispatch::is_split(tx, writer)?))
    }

    fn is_filling(&mut self, writer: &Writer) -> Result<bool, StateError> {
        self.write(writer, |tx| Ok(filling::is_under_way(tx, writer)?))
    }

    fn see_shape(&mut self, writer: &Writer, shape_hash: &str) -> Result<bool, StateError> {
        self.write(writer, |tx| Ok(syncs::see_shape(tx, writer.sync.0, shape_hash)?))
    }

    fn known_schema(&mut self, sync: SyncId) -> Result<Option<String>, StateError> {
        self.read(|tx| drift::known_schema(tx, sync))
    }

    fn set_known_schema(
        &mut self,
        writer: &Writer,
        text: &str,
        rereads: bool,
    ) -> Result<(), StateError> {
        self.write(writer, |tx| drift::set_known_schema(tx, writer, text, rereads))
    }

    fn set_left_out(
        &mut self,
        writer: &Writer,
        fields: &[(Slug, String)],
    ) -> Result<(), StateError> {
        self.write(writer, |tx| drift::set_left_out(tx, writer, fields))
    }

    fn deleted_at(&mut self) -> Result<Option<Timestamp>, StateError> {
        self.transact(Durability::Process, |tx| Ok(older::deleted_at(tx)?))
    }

    fn last_call_at(&mut self) -> Result<Option<Timestamp>, StateError> {
        let seen = self.witness.testimony()?;
        Ok(seen.filter(|seen| seen.sent_at > 0).map(|seen| time(seen.sent_at)))
    }

    fn calls_from(
        &mut self,
        writer: &Writer,
        now: Timestamp,
    ) -> Result<Option<Timestamp>, StateError> {
        self.write(writer, |tx| Ok(older::calls_from(tx, now)?))
    }

    fn backlog(&mut self, writer: &Writer) -> Result<(u64, u64), StateError> {
        self.read_as(writer, |tx| Ok(runs::backlog(tx, writer)?))
    }

    fn outbox_digest(&mut self, writer: &Writer) -> Result<[u8; 16], StateError> {
        self.read_as(writer, |tx| digest::of_outbox(tx, writer))
    }

    fn own_member(&mut self, writer: &Writer) -> Result<Option<String>, StateError> {
        self.read_as(writer, |tx| {
            let member: Option<Option<String>> = tx
                .prepare_cached(
                    "SELECT coalesce(d.own_member, (SELECT o.own_member FROM destinations AS o
                       WHERE o.host = d.host AND o.account = d.account AND o.own_member IS NOT NULL LIMIT 1))
                     FROM destinations AS d WHERE d.id = ?",
                )?
                .query_row([writer.destination.0], |row| row.get(0))
                .optional()?;
            Ok(member.flatten())
        })
    }

    fn set_own_member(&mut self, writer: &Writer, member: &str) -> Result<(), StateError> {
        self.write(writer, |tx| {
            tx.execute(
                "UPDATE destinations SET own_member = ?1
                 WHERE (host, account) = (SELECT host, account FROM destinations WHERE id = ?2)",
                rusqlite::params![member, writer.destination.0],
            )?;
            Ok(())
        })
    }

    fn structure(
        &mut self,
        destination: DestinationId,
    ) -> Result<Option<(TableStructure, Timestamp)>, StateError> {
        self.read(|tx| structure::get(tx, destination))
    }

    fn set_structure(
        &mut self,
        destination: DestinationId,
        table: &TableStructure,
        now: Timestamp,
    ) -> Result<bool, StateError> {
        self.transact(Durability::Process, |tx| structure::set(tx, destination, table, now))
    }

    fn stop(&mut self, writer: &Writer) -> Result<Option<Stop>, StateError> {
        self.read_as(writer, |tx| Ok(syncs::read(tx, writer.sync.0)?.stopped))
    }

    fn set_stop(&mut self, writer: &Writer, stop: Option<&Stop>) -> Result<(), StateError> {
        self.write(writer, |tx| Ok(syncs::set_stop(tx, writer.sync.0, stop)?))
    }

    fn depart(
        &mut self,
        sync: SyncId,
        key_digest: &str,
        kind: Option<CallKind>,
        rate: Rate,
        now: Timestamp,
    ) -> Result<Timestamp, StateError> {
        self.transact(Durability::Process, |tx| {
            if kind.is_some() {
                runs::count_call(tx, sync)?;
            }
            Ok(calls::depart(tx, sync, key_digest, kind, rate, now)?)
        })
    }

    fn close_gate(
        &mut self,
        key_digest: &str,
        retry_after: Option<Duration>,
        jitter: Duration,
        now: Timestamp,
    ) -> Result<(), StateError> {
        self.transact(Durability::Process, |tx| {
            Ok(calls::close(tx, key_digest, retry_after, jitter, now)?)
        })
    }

    fn gate_closed_until(
        &mut self,
        key_digest: &str,
        now: Timestamp,
    ) -> Result<Option<Timestamp>, StateError> {
        self.read(|tx| Ok(calls::closed_until(tx, key_digest, now)?))
    }

    fn begin_run(&mut self, writer: &Writer, now: Timestamp) -> Result<i64, StateError> {
        self.write(writer, |tx| runs::begin(tx, writer, now))
    }

    fn set_full_rows(&mut self, writer: &Writer, rows: u64) -> Result<(), StateError> {
        self.write(writer, |tx| {
            tx.execute(
                "UPDATE syncs SET full_rows = ? WHERE id = ?",
                rusqlite::params![i64::try_from(rows).unwrap_or(i64::MAX), writer.sync.0],
            )?;
            Ok(())
        })
    }

    fn note_shared_ids(
        &mut self,
        writer: &Writer,
        ids: u64,
        at_least: bool,
    ) -> Result<(), StateError> {
        self.write(writer, |tx| alerts::note_shared_ids(tx, writer.sync, ids, at_least))
    }

    fn fail_run(
        &mut self,
        writer: &Writer,
        run: i64,
        error: &StateError,
        now: Timestamp,
    ) -> Result<(), StateError> {
        self.write(writer, |tx| {
            runs::fail(tx, writer, run, error, now)?;
            Ok(syncs::release(tx, writer)?)
        })
    }

    fn end_run(
        &mut self,
        writer: &Writer,
        run: i64,
        end: &RunEnd,
        now: Timestamp,
    ) -> Result<(), StateError> {
        self.write(writer, |tx| runs::end(tx, writer, run, end, now))
    }
}

#[cfg(test)]
mod tests;
