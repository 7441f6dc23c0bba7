//! One sync over a state file, driven in a few words.

use std::path::PathBuf;

use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, OptionalExtension as _, params, types::ValueRef};
use sync_core::{
    deletes::GonePolicy,
    delivery::Operation,
    draft::{Fields, Fingerprint},
    error::Quoted,
    field_value::FieldValue,
    key::Key,
    port::Watermark,
    record::RecordId,
    slug::Slug,
    state::{
        Books, Call, CallEntry, CapturedRow, Chunk, Creates, Dispatch, DispatchRequest, Doubt,
        Extent, Fault, OpenedSync, Origin, Outcome, ReadEnd, ReadTicket, RowOutcome, SeenLink,
        Settlement, StateError, StateStore, SyncIdentity, Writer,
    },
};
use sync_store::SqliteStore;
use tempfile::TempDir;

/// A sync with its lease taken. A word such as `A` stands for a draft with that title; `gone` for no record; `unseen` for no row as one read
/// says; `absent`
/// for no row, whose record stays; a word that begins with `fault` for a row that cannot become a draft.
pub(crate) struct State {
    pub(crate) folder: TempDir,
    pub(crate) store: SqliteStore,
    pub(crate) identity: SyncIdentity,
    pub(crate) sync: OpenedSync,
    pub(crate) writer: Writer,
    pub(crate) now: Timestamp,
}

/// A sync as its definition has it at first.
pub(crate) fn identity() -> SyncIdentity {
    SyncIdentity {
        name: "customers".into(),
        previously: None,
        host: "app.smartsuite.com".into(),
        account: "s1234567".into(),
        table: "t1".into(),
        external_id_field: "sexternal".into(),
        values_hash: "v1".into(),
        key_hash: Some("k1".into()),
        only_updates: false,
        accept_key_change: false,
    }
}

/// A draft with one field.
pub(crate) fn draft(word: &str) -> Fields {
    Fields::new(vec![(Slug::from("title"), FieldValue::text(word))])
}

/// A complaint with this code.
pub(crate) fn fault(code: &str) -> Fault {
    Fault {
        code: code.into(),
        slug: Some(Slug::from("title")),
        reason: Quoted(format!("because of {code}")),
        remedy: "correct the row".into(),
    }
}

/// The record id that [`State::deliver`] gives to a key.
pub(crate) fn record(number: i64) -> RecordId {
    RecordId(format!("{number:024x}"))
}

pub(crate) fn row(key: i64, word: &str) -> CapturedRow {
    let outcome = if word == "gone" {
        RowOutcome::Gone
    } else if word == "unseen" {
        RowOutcome::Unseen
    } else if word == "absent" {
        RowOutcome::Absent
    } else if word.starts_with("fault") {
        RowOutcome::Fault(fault(word), draft(word).fingerprint())
    } else {
        RowOutcome::draft(draft(word))
    };
    CapturedRow {
        key: Key::Int(key),
        outcome,
        cells: word.starts_with("fault").then(|| Quoted(format!("{{\"id\":\"{key}\"}}"))),
    }
}

/// The end of a read of everything.
pub(crate) fn whole(ticket: ReadTicket, watermark: Option<&str>) -> ReadEnd {
    let watermark = watermark.map(|text| Watermark(text.into()));
    ReadEnd { watermark, extent: Extent::Everything, first_read: ticket.read }
}

impl State {
    pub(crate) fn new() -> Self {
        Self::with(identity())
    }

    pub(crate) fn with(identity: SyncIdentity) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let now: Timestamp = "2026-11-23T10:00:00Z".parse().unwrap();
        let mut store = SqliteStore::open(&folder.path().join("state.db")).unwrap();
        let sync = store.open_sync(&identity, now).unwrap();
        let writer = store.hold(&sync, "first", now).unwrap();
        Self { folder, store, identity, sync, writer, now }
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("state.db")
    }

    /// Takes a link away, as another sync's does that takes the record.
    pub(crate) fn forget_link(&self, key: i64) {
        let state = Connection::open(self.path()).unwrap();
        state.execute("DELETE FROM links WHERE key = ?", [key]).unwrap();
    }

    pub(crate) fn later(&mut self, seconds: i64) {
        self.now += SignedDuration::from_secs(seconds);
    }

    /// As a new process would: another connection, the definition as it is now, a new lease.
    pub(crate) fn restart(&mut self) {
        self.store = SqliteStore::open(&self.path()).unwrap();
        self.reopen().unwrap();
    }

    /// Opens the sync with the definition as it is now and takes the lease.
    pub(crate) fn reopen(&mut self) -> Result<(), StateError> {
        self.sync = self.store.open_sync(&self.identity, self.now)?;
        self.writer = self.store.hold(&self.sync, "next", self.now)?;
        Ok(())
    }

    pub(crate) fn begin_read(&mut self) -> ReadTicket {
        self.store.begin_read(&self.writer).unwrap()
    }

    pub(crate) fn chunk(&self, ticket: ReadTicket, rows: &[(i64, &str)]) -> Chunk {
        // That a row is gone shows only where it was asked for.
        let gone = rows.iter().filter(|(_, word)| *word == "gone");
        Chunk {
            ticket,
            rows: rows.iter().map(|(key, word)| row(*key, word)).collect(),
            unchanged: 0,
            answered: gone.map(|(key, _)| Key::Int(*key)).collect(),
            end: None,
            now: self.now,
        }
    }

    /// A read of these rows that does not move the position.
    pub(crate) fn capture(&mut self, rows: &[(i64, &str)]) -> Books {
        let ticket = self.begin_read();
        let chunk = self.chunk(ticket, rows);
        self.store.capture(&self.writer, &chunk).unwrap()
    }

    /// A full read of these rows, to its end.
    pub(crate) fn full_read(&mut self, rows: &[(i64, &str)], watermark: &str) -> Books {
        let ticket = self.begin_read();
        let end = whole(ticket, Some(watermark));
        let chunk = Chunk { end: Some(end), ..self.chunk(ticket, rows) };
        self.store.capture(&self.writer, &chunk).unwrap()
    }

    pub(crate) fn request(&self) -> DispatchRequest {
        DispatchRequest {
            now: self.now,
            entries_max: 25,
            creates_max: 25,
            bytes_max: 1_000_000,
            creates: Creates::Audited,
            fresh_first: false,
            tried_only: false,
            gone: GonePolicy::Delete { adopted: false },
        }
    }

    pub(crate) fn dispatch(&mut self) -> (Dispatch, Books) {
        self.store.dispatch(&self.writer, &self.request()).unwrap()
    }

    /// The next call, which must exist.
    pub(crate) fn call(&mut self) -> Call {
        match self.dispatch().0 {
            Dispatch::Send(call) => call,
            other @ (Dispatch::AuditFirst | Dispatch::Nothing(_)) => panic!("{other:?}"),
        }
    }

    /// The next call's only entry.
    pub(crate) fn single(&mut self) -> CallEntry {
        let mut call = self.call();
        assert_eq!(call.entries.len(), 1);
        call.entries.remove(0)
    }

    pub(crate) fn settle(&mut self, entry: &CallEntry, outcome: Outcome) -> Books {
        let settlement = Settlement { id: entry.id, outcome };
        self.store.settle(&self.writer, &[settlement], self.now).unwrap()
    }

    pub(crate) fn doubts(&mut self) -> Vec<Doubt> {
        self.store.doubts(&self.writer, self.now, 25).unwrap().0
    }

    /// Sends what may be sent; the service accepts everything.
    pub(crate) fn deliver(&mut self) {
        while let Dispatch::Send(call) = self.dispatch().0 {
            let settlements: Vec<Settlement> = call
                .entries
                .iter()
                .map(|entry| Settlement {
                    id: entry.id,
                    outcome: match call.operation {
                        Operation::Delete => Outcome::Deleted,
                        Operation::Create | Operation::Update | Operation::Archive => {
                            written(entry)
                        }
                    },
                })
                .collect();
            self.store.settle(&self.writer, &settlements, self.now).unwrap();
        }
    }

    /// Links the key to its record, as a scan that saw it would.
    pub(crate) fn adopt(&mut self, key: i64, print: Option<Fingerprint>) {
        self.store.begin_scan(&self.writer).unwrap();
        self.seen(key, &record(key), print);
    }

    pub(crate) fn seen(&mut self, key: i64, record: &RecordId, print: Option<Fingerprint>) -> u64 {
        let seen = SeenLink {
            key: Some(Key::Int(key)),
            record: record.clone(),
            fingerprint: print,
            origin: Origin::Adopted,
        };
        self.store.link_seen(&self.writer, &[seen], Some(9), self.now).unwrap().adopted
    }

    /// The record that the key is linked to.
    pub(crate) fn linked(&mut self, key: i64) -> Option<RecordId> {
        self.store.linked_record(&self.writer, &Key::Int(key)).unwrap()
    }

    pub(crate) fn dirty(&mut self) -> Vec<i64> {
        let keys = self.store.dirty(&self.writer, 100).unwrap();
        keys.iter().map(|dirty| dirty.key.text().parse().unwrap()).collect()
    }

    /// The dirty keys, asked past the port: whoever holds the sync.
    pub(crate) fn dirty_now(&self) -> Vec<i64> {
        numbers(&self.sql(), "SELECT key FROM dirty ORDER BY id")
    }

    pub(crate) fn sql(&self) -> Connection {
        Connection::open(self.path()).unwrap()
    }

    /// Everything in the file, to see that nothing changed.
    pub(crate) fn dump(&self) -> Vec<String> {
        dump(&self.sql())
    }

    /// What is stored for a key at the present destination, such as `waiting B, link A`; `?` is an unknown
    /// fingerprint.
    pub(crate) fn slots(&self, key: i64) -> String {
        self.slots_at(key, self.writer.destination.0)
    }

    pub(crate) fn slots_at(&self, key: i64, destination: i64) -> String {
        let sql = self.sql();
        let place = params![self.writer.sync.0, destination, key];
        let mut slots: Vec<String> = sql
            .prepare(
                "SELECT CASE state WHEN 0 THEN 'waiting' WHEN 3 THEN 'held' WHEN 2 THEN 'parked' ELSE iif(doubt, 'doubt', 'sending') END
                   || ' ' || CASE WHEN gone THEN 'gone' WHEN fields IS NULL THEN code
                     ELSE json_extract(fields, '$[0][1].Text') END
                 FROM outbox WHERE sync_id = ? AND destination_id = ? AND key = ? ORDER BY state",
            )
            .unwrap()
            .query_map(place, |row| row.get(0))
            .unwrap()
            .collect::<Result<_, _>>()
            .unwrap();
        let link: Option<(Option<Vec<u8>>, i64)> = sql
            .query_row(
                "SELECT fingerprint, standing FROM links WHERE sync_id = ? AND destination_id = ? AND key = ?",
                place,
                |row| Ok((row.get(0)?, row.get(1)?)),
            )
            .optional()
            .unwrap();
        if let Some((print, standing)) = link {
            let known = ["A", "B", "C", "D"]
                .into_iter()
                .find(|word| print.as_deref() == Some(draft(word).fingerprint().0.as_slice()));
            let standing = ["", " kept", " missing"][usize::try_from(standing).unwrap()];
            slots.push(format!("link {}{standing}", known.unwrap_or("?")));
        }
        slots.join(", ")
    }
}

/// Every row of every table.
pub(crate) fn dump(sql: &Connection) -> Vec<String> {
    let tables: Vec<String> = texts(sql, "SELECT name FROM sqlite_schema WHERE type = 'table'");
    tables
        .iter()
        .flat_map(|table| {
            let rows = rows(sql, &format!("SELECT * FROM {table}"));
            rows.into_iter().map(move |row| format!("{table}: {row}"))
        })
        .collect()
}

/// The rows of a query as `sqlite3` prints them, with `NULL` spelled out.
pub(crate) fn rows(sql: &Connection, query: &str) -> Vec<String> {
    let mut select = sql.prepare(query).unwrap();
    let columns = select.column_count();
    let row = |row: &rusqlite::Row<'_>| {
        let cells = (0..columns).map(|at| cell(row.get_ref(at).unwrap())).collect::<Vec<_>>();
        Ok(cells.join("|"))
    };
    select.query_map([], row).unwrap().collect::<Result<_, _>>().unwrap()
}

fn cell(value: ValueRef<'_>) -> String {
    match value {
        ValueRef::Null => "NULL".into(),
        ValueRef::Integer(number) => number.to_string(),
        ValueRef::Real(number) => number.to_string(),
        ValueRef::Text(text) => String::from_utf8_lossy(text).into_owned(),
        ValueRef::Blob(bytes) => format!("{bytes:02x?}"),
    }
}

/// The first column of a query, which holds numbers.
pub(crate) fn numbers(sql: &Connection, query: &str) -> Vec<i64> {
    let mut select = sql.prepare(query).unwrap();
    select.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap()
}

/// The first column of a query.
pub(crate) fn texts(sql: &Connection, query: &str) -> Vec<String> {
    let mut select = sql.prepare(query).unwrap();
    select.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap()
}

pub(crate) fn written(entry: &CallEntry) -> Outcome {
    let number: i64 = entry.key.text().parse().unwrap();
    Outcome::Written {
        record: entry.record.clone().unwrap_or_else(|| record(number)),
        autonumber: None,
    }
}

pub(crate) fn found(record: &RecordId, print: Option<Fingerprint>) -> Outcome {
    Outcome::Found {
        record: record.clone(),
        fingerprint: print,
        origin: Origin::Adopted,
        autonumber: None,
    }
}

pub(crate) fn back(now: Timestamp) -> Outcome {
    Outcome::Back { group: None, not_before: now }
}

pub(crate) fn in_doubt(answered: bool, now: Timestamp) -> Outcome {
    Outcome::InDoubt {
        answered,
        left_at: now,
        empty_looks: 0,
        look_at: now + SignedDuration::from_secs(2),
        group: None,
        fault: None,
    }
}
