//! Drives the store as an engine would, with every fault that a call and a process can meet.

use std::{collections::BTreeMap, collections::BTreeSet, path::PathBuf};

use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, backup::Backup};
use sync_core::{
    deletes::GonePolicy,
    delivery::Operation,
    key::Key,
    state::{
        Books, Call, CallEntry, CapturedRow, Chunk, Creates, Dispatch, DispatchRequest, Doubt,
        Extent, Origin, Outcome, ReadEnd, ReadTicket, RowOutcome, Settlement, StateError,
        StateStore as _, Writer,
    },
};
use sync_store::SqliteStore;
use tempfile::TempDir;

use super::{
    KEYS,
    service::{Service, number},
};
use crate::fixture::{draft, dump, fault, identity, in_doubt, row, whole};

/// Something happens.
#[derive(Clone, Debug)]
pub(super) enum Op {
    /// A row becomes this.
    Change(i64, &'static str),
    /// What changed since the position is read, so many rows a chunk; perhaps not to its end; a mark may be made
    /// after its snapshot.
    Read { rows: usize, to_its_end: bool, marked: Option<i64> },
    /// Keys with a mark are read again.
    ReadMarked,
    /// A key is marked as to be read again.
    Mark(i64),
    /// A call leaves, unless one is on its way.
    Dispatch { entries: usize, fresh: bool },
    /// The call on its way comes back, with a fate for each entry.
    Answer(Vec<Fate>),
    /// Creates in doubt whose time has come are looked up.
    LookUp,
    /// So many seconds pass.
    Wait(i64),
    /// Quarantined rows are tried again: all, or those that are due.
    Release(bool),
    /// A person deletes the key's record.
    PersonDeletes(i64),
    /// The whole table is read.
    Scan,
    /// The process dies and another starts; what was on its way may have taken effect.
    Crash(Vec<bool>),
    /// The same, and what was not yet safe against power loss is gone.
    PowerCut(Vec<bool>),
    /// Another process takes over while this one still runs.
    Successor(Vec<bool>),
}

/// What becomes of an entry on its way.
#[derive(Clone, Copy, Debug)]
pub(super) enum Fate {
    /// It is done, and the answer says so.
    Done,
    /// The service refuses it.
    Refused,
    /// The call was refused and is split; this half.
    Split(u32),
    /// The call was answered, but not this entry; it may have taken effect.
    Unnamed(bool),
    /// No answer came; it may have taken effect.
    Lost(bool),
    /// The answer blames the entry without proving that it had no effect.
    Blamed(bool),
    /// The connection was never made.
    NotSent,
    /// Done, except where its record is gone and is to stay so.
    LeftMissing,
}

/// What is on disk, and what the model knew then.
struct Saved {
    path: PathBuf,
    captured: BTreeMap<i64, usize>,
    marked: BTreeSet<i64>,
}

pub(super) struct Machine {
    folder: TempDir,
    files: usize,
    pub(super) store: SqliteStore,
    pub(super) writer: Writer,
    now: Timestamp,
    pub(super) service: Service,
    /// Every change of the source: key and word. The position is an index into it.
    pub(super) history: Vec<(i64, &'static str)>,
    /// For each key the newest change that was captured.
    pub(super) captured: BTreeMap<i64, usize>,
    /// Keys that must have a mark.
    pub(super) marked: BTreeSet<i64>,
    flight: Option<Call>,
    saved: Option<Saved>,
    /// The books of the present run.
    pub(super) books: Books,
}

impl Machine {
    pub(super) fn new() -> Self {
        // In memory where that is possible: the disk's own speed proves nothing here.
        let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
        let now: Timestamp = "2026-11-23T10:00:00Z".parse().unwrap();
        let path = folder.path().join("0.db");
        let (store, writer) = start(&path, now).unwrap();
        let mut machine = Self {
            folder,
            files: 0,
            store,
            writer,
            now,
            service: Service::default(),
            history: Vec::new(),
            captured: BTreeMap::new(),
            marked: BTreeSet::new(),
            flight: None,
            saved: None,
            books: Books::default(),
        };
        machine.begin_run();
        machine.save();
        machine
    }

    pub(super) fn step(&mut self, op: &Op) {
        match op {
            Op::Change(key, word) => self.history.push((*key, word)),
            Op::Read { rows, to_its_end, marked } => self.read(*rows, *to_its_end, *marked),
            Op::ReadMarked => self.read_marked(),
            Op::Mark(key) => self.mark(*key),
            Op::Dispatch { entries, fresh } => self.dispatch(*entries, *fresh),
            Op::Answer(fates) => self.answer(fates),
            Op::LookUp => self.look_up(),
            Op::Wait(seconds) => self.now += SignedDuration::from_secs(*seconds),
            Op::Release(all) => {
                let released = self.store.release_quarantine(&self.writer, self.now, *all);
                self.books += released.unwrap();
            }
            Op::PersonDeletes(key) => self.service.delete_by_hand(*key),
            Op::Scan => self.scan(),
            Op::Crash(effects) => {
                self.land_unseen(effects);
                self.restart();
            }
            Op::PowerCut(effects) => self.cut_power(effects),
            Op::Successor(effects) => self.give_way(effects),
        }
    }

    /// All faults stop: in a few rounds everything that can be delivered is.
    pub(super) fn come_right(&mut self) {
        self.step(&Op::Crash(vec![true; 4]));
        for _ in 0..6 {
            self.now += SignedDuration::from_hours(25);
            self.step(&Op::Release(true));
            self.read(100, true, None);
            for _ in Self::keys() {
                self.read_marked();
                self.look_up();
                self.dispatch(25, false);
                self.answer(&[Fate::Done; 25]);
            }
            self.check();
        }
        self.check_at_rest();
    }

    pub(super) fn path(&self) -> PathBuf {
        self.folder.path().join(format!("{}.db", self.files))
    }

    /// What the row with this key is now.
    pub(super) fn source(&self, key: i64) -> Option<&'static str> {
        self.history.iter().rev().find(|(of, _)| *of == key).map(|(_, word)| *word)
    }

    /// The position, as the state has it.
    pub(super) fn position(&mut self) -> usize {
        let sql = Connection::open(self.path()).unwrap();
        let select = "SELECT watermark FROM syncs";
        let mark: Option<String> = sql.query_row(select, [], |row| row.get(0)).unwrap();
        mark.map_or(0, |mark| mark.parse().unwrap())
    }

    fn read(&mut self, rows: usize, to_its_end: bool, marked: Option<i64>) {
        let from = self.position();
        let ticket = self.store.begin_read(&self.writer).unwrap();
        let until = self.history.len();
        let mut changed: BTreeMap<i64, usize> = BTreeMap::new();
        for (index, (key, _)) in self.history.iter().enumerate().skip(from) {
            changed.insert(*key, index);
        }
        if let Some(key) = marked {
            self.mark(key);
        }
        let changed: Vec<(i64, usize)> = changed.into_iter().collect();
        for chunk in changed.chunks(rows) {
            self.capture(ticket, chunk, Vec::new(), None);
        }
        if to_its_end {
            let extent = if from == 0 { Extent::Everything } else { Extent::Changes };
            let end = ReadEnd { extent, ..whole(ticket, Some(&until.to_string())) };
            self.capture(ticket, &[], Vec::new(), Some(end));
        }
    }

    fn read_marked(&mut self) {
        let dirty = self.store.dirty(&self.writer, 3).unwrap();
        let keys: Vec<Key> = dirty.into_iter().map(|dirty| dirty.key).collect();
        let ticket = self.store.begin_read(&self.writer).unwrap();
        let rows: Vec<(i64, usize)> = keys
            .iter()
            .filter_map(|key| {
                let newest = self.history.iter().rposition(|(of, _)| *of == number(key));
                newest.map(|index| (number(key), index))
            })
            .collect();
        for key in &keys {
            self.marked.remove(&number(key));
        }
        self.capture(ticket, &rows, keys, None);
    }

    fn capture(
        &mut self,
        ticket: ReadTicket,
        rows: &[(i64, usize)],
        answered: Vec<Key>,
        end: Option<ReadEnd>,
    ) {
        let mut rows_left: Vec<_> =
            rows.iter().map(|(key, index)| row(*key, self.history[*index].1)).collect();
        let unchanged = self.leave_out_unchanged(ticket, &mut rows_left);
        let chunk = Chunk { ticket, rows: rows_left, unchanged, answered, end, now: self.now };
        self.books += self.store.capture(&self.writer, &chunk).unwrap();
        // As the state does: a row that this run parked and read again counts once.
        self.books.count_once();
        for (key, index) in rows {
            self.captured.insert(*key, *index);
        }
    }

    /// Takes the rows away that the state knows to be unchanged by their fingerprints, as the engine does.
    fn leave_out_unchanged(&mut self, ticket: ReadTicket, rows: &mut Vec<CapturedRow>) -> u64 {
        let prints = rows.iter().filter_map(|row| match &row.outcome {
            RowOutcome::Draft(_, print) => Some((&row.key, *print)),
            _ => None,
        });
        let known = self.store.unchanged(&self.writer, ticket, &prints.collect::<Vec<_>>());
        let mut known = known.unwrap().into_iter();
        let before = rows.len();
        rows.retain(|row| {
            !matches!(row.outcome, RowOutcome::Draft(..)) || known.next() != Some(true)
        });
        (before - rows.len()) as u64
    }

    fn mark(&mut self, key: i64) {
        self.store.mark_dirty(&self.writer, &[Key::Int(key)]).unwrap();
        self.marked.insert(key);
    }

    fn dispatch(&mut self, entries: usize, fresh_first: bool) {
        if self.flight.is_some() {
            return;
        }
        let request = DispatchRequest {
            now: self.now,
            entries_max: entries,
            creates_max: entries,
            bytes_max: 1_000_000,
            creates: Creates::Audited,
            fresh_first,
            tried_only: false,
            gone: GonePolicy::Delete { adopted: false },
        };
        let (dispatch, books) = self.store.dispatch(&self.writer, &request).unwrap();
        self.books += books;
        if let Dispatch::Send(call) = dispatch {
            self.flight = Some(call);
        }
        self.save();
    }

    fn answer(&mut self, fates: &[Fate]) {
        let Some(call) = self.flight.take() else { return };
        let settlements: Vec<Settlement> = call
            .entries
            .iter()
            .zip(fates.iter().cycle())
            .map(|(entry, fate)| Settlement {
                id: entry.id,
                outcome: self.outcome(call.operation, entry, *fate),
            })
            .collect();
        self.settle(&settlements);
    }

    fn outcome(&mut self, operation: Operation, entry: &CallEntry, fate: Fate) -> Outcome {
        let creates = operation == Operation::Create;
        let now = self.now;
        let doubt = |answered, group, blamed: bool| {
            let mut outcome = in_doubt(answered, now);
            if let Outcome::InDoubt { group: of, fault: against, .. } = &mut outcome {
                (*of, *against) = (group, blamed.then(|| fault("blamed")));
            }
            outcome
        };
        let back = |group| Outcome::Back { group, not_before: now };
        match fate {
            Fate::Refused => Outcome::Refused { fault: fault("refused") },
            Fate::Split(group) if creates => doubt(true, Some(group), false),
            Fate::Split(group) => back(Some(group)),
            Fate::NotSent => back(None),
            Fate::Unnamed(effect) | Fate::Lost(effect) | Fate::Blamed(effect) => {
                let answered = !matches!(fate, Fate::Lost(_));
                let outcome = if creates {
                    doubt(answered, None, matches!(fate, Fate::Blamed(_)))
                } else {
                    back(None)
                };
                if effect {
                    self.take_effect(operation, entry);
                }
                outcome
            }
            Fate::Done | Fate::LeftMissing => match self.take_effect(operation, entry) {
                Some(outcome) => outcome,
                None if matches!(fate, Fate::Done) => Outcome::Missing,
                None => Outcome::LeftMissing,
            },
        }
    }

    /// Does what the entry asks for; `None` where its record is gone.
    fn take_effect(&mut self, operation: Operation, entry: &CallEntry) -> Option<Outcome> {
        let record = entry.record.clone();
        Some(match (operation, record) {
            (Operation::Create, _) => {
                let (record, autonumber) = self.service.create(&entry.key, &entry.fields);
                Outcome::Written { record, autonumber: Some(autonumber) }
            }
            (Operation::Update, Some(record)) => {
                if !self.service.update(&record, &entry.fields) {
                    return None;
                }
                Outcome::Written { record, autonumber: None }
            }
            (Operation::Delete, Some(record)) => {
                self.service.delete(&record);
                Outcome::Deleted
            }
            (Operation::Update | Operation::Delete | Operation::Archive, _) => {
                panic!("no record to write to")
            }
        })
    }

    /// The sender will never know what became of its call.
    fn land_unseen(&mut self, effects: &[bool]) {
        let Some(call) = self.flight.take() else { return };
        for (entry, effect) in call.entries.iter().zip(effects.iter().cycle()) {
            if *effect {
                self.take_effect(call.operation, entry);
            }
        }
    }

    fn look_up(&mut self) {
        let (doubts, _) = self.store.doubts(&self.writer, self.now, 24).unwrap();
        let settlements: Vec<Settlement> = doubts
            .iter()
            .map(|doubt| Settlement { id: doubt.id, outcome: self.look(doubt) })
            .collect();
        self.settle(&settlements);
    }

    fn look(&self, doubt: &Doubt) -> Outcome {
        let found = self.service.of_key(number(&doubt.key));
        if let Some((record, word)) = found.into_iter().next() {
            let origin = if doubt.answered { Origin::Created } else { Origin::Adopted };
            let fingerprint = Some(draft(word).fingerprint());
            return Outcome::Found { record, fingerprint, origin, autonumber: None };
        }
        let settled = doubt.left_at + SignedDuration::from_secs(90);
        if doubt.answered || (doubt.empty_looks > 0 && self.now >= settled) {
            return match &doubt.fault {
                Some(fault) => Outcome::Refused { fault: fault.clone() },
                None => Outcome::Back { group: None, not_before: self.now },
            };
        }
        Outcome::InDoubt {
            answered: doubt.answered,
            left_at: doubt.left_at,
            empty_looks: doubt.empty_looks + 1,
            look_at: settled,
            group: None,
            fault: doubt.fault.clone(),
        }
    }

    fn settle(&mut self, settlements: &[Settlement]) {
        self.books += self.store.settle(&self.writer, settlements, self.now).unwrap();
    }

    fn scan(&mut self) {
        let (seen, highest) = self.service.all();
        self.store.begin_scan(&self.writer).unwrap();
        self.store.link_seen(&self.writer, &seen, Some(highest), self.now).unwrap();
    }

    fn restart(&mut self) {
        (self.store, self.writer) = start(&self.path(), self.now).unwrap();
        self.begin_run();
        self.save();
    }

    fn begin_run(&mut self) {
        // What a run parked is told by its time.
        self.now += SignedDuration::from_millis(1);
        let (waiting_before, _) = self.store.backlog(&self.writer).unwrap();
        self.books = Books { waiting_before, ..Books::default() };
        self.store.begin_run(&self.writer, self.now).unwrap();
    }

    /// Remembers the file as it is after a commit that is safe against power loss.
    fn save(&mut self) {
        let path = self.folder.path().join("saved.db");
        copy(&self.path(), &path);
        let (captured, marked) = (self.captured.clone(), self.marked.clone());
        self.saved = Some(Saved { path, captured, marked });
    }

    fn cut_power(&mut self, effects: &[bool]) {
        self.land_unseen(effects);
        let Saved { path, captured, marked } = self.saved.take().unwrap();
        self.files += 1;
        copy(&path, &self.path());
        (self.captured, self.marked) = (captured, marked);
        self.restart();
    }

    fn give_way(&mut self, effects: &[bool]) {
        let (store, writer) = start(&self.path(), self.now).unwrap();
        let before = dump(&Connection::open(self.path()).unwrap());
        let ticket = self.store.begin_read(&self.writer);
        assert_eq!(ticket, Err(StateError::Fenced));
        let settled = self.flight.as_ref().map(|call| {
            let settlements: Vec<Settlement> = call
                .entries
                .iter()
                .map(|entry| Settlement { id: entry.id, outcome: Outcome::Deleted })
                .collect();
            self.store.settle(&self.writer, &settlements, self.now)
        });
        assert!(settled.is_none_or(|settled| settled == Err(StateError::Fenced)));
        assert_eq!(dump(&Connection::open(self.path()).unwrap()), before);
        self.land_unseen(effects);
        (self.store, self.writer) = (store, writer);
        self.begin_run();
        self.save();
    }

    pub(super) fn keys() -> std::ops::Range<i64> {
        0..KEYS
    }
}

/// A process starts: it opens the file and takes the lease.
fn start(path: &std::path::Path, now: Timestamp) -> Result<(SqliteStore, Writer), StateError> {
    let mut store = SqliteStore::open(path)?;
    let opened = store.open_sync(&identity(), now)?;
    let writer = store.hold(&opened, "a process", now)?;
    Ok((store, writer))
}

fn copy(from: &std::path::Path, to: &std::path::Path) {
    let from = Connection::open(from).unwrap();
    let mut to = Connection::open(to).unwrap();
    let backup = Backup::new(&from, &mut to).unwrap();
    backup.run_to_completion(1000, std::time::Duration::ZERO, None).unwrap();
}
