//! What only the connection itself can show: how safe a commit is, and what happens when the disk or another process
//! stands in the way.

use std::{fs, path::PathBuf, time::Duration};

use sync_core::{
    draft::Fields,
    field_value::FieldValue,
    state::{
        CallEntry, CapturedRow, Creates, DispatchRequest, EntryId, OpenedSync, Outcome, RowOutcome,
    },
};
use tempfile::TempDir;

use super::*;

struct Sync {
    folder: TempDir,
    store: SqliteStore,
    opened: OpenedSync,
    writer: Writer,
}

fn now() -> Timestamp {
    Timestamp::UNIX_EPOCH
}

fn identity() -> SyncIdentity {
    SyncIdentity {
        name: "customers".into(),
        previously: None,
        host: "h".into(),
        account: "a".into(),
        table: "t".into(),
        external_id_field: "x".into(),
        values_hash: "v".into(),
        key_hash: Some("k".into()),
        only_updates: false,
        accept_key_change: false,
    }
}

fn place(kind: &str, is_mount_point: bool) -> Place {
    Place { kind: kind.into(), is_mount_point }
}

impl Sync {
    fn at(place: Option<Place>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut store = SqliteStore::open_at(&folder.path().join("state.db"), place).unwrap();
        let opened = store.open_sync(&identity(), now()).unwrap();
        let writer = store.hold(&opened, "me", now()).unwrap();
        Self { folder, store, opened, writer }
    }

    fn capture(&mut self, keys: std::ops::Range<i64>, text: &str) -> Result<Books, StateError> {
        let ticket = self.store.begin_read(&self.writer)?;
        let fields = Fields::new(vec![("title".into(), FieldValue::text(text))]);
        let row = |key| CapturedRow {
            key: Key::Int(key),
            outcome: RowOutcome::draft(fields.clone()),
            cells: None,
        };
        let rows = keys.map(row).collect();
        let chunk =
            Chunk { ticket, rows, unchanged: 0, answered: Vec::new(), end: None, now: now() };
        self.store.capture(&self.writer, &chunk)
    }

    fn dispatch(&mut self) -> Vec<CallEntry> {
        let request = DispatchRequest {
            now: now(),
            entries_max: 25,
            creates_max: 25,
            bytes_max: 1_000_000,
            creates: Creates::Audited,
            fresh_first: false,
            tried_only: false,
            gone: GonePolicy::Leave,
        };
        match self.store.dispatch(&self.writer, &request).unwrap().0 {
            Dispatch::Send(call) => call.entries,
            Dispatch::AuditFirst | Dispatch::Nothing(_) => Vec::new(),
        }
    }

    fn settle(&mut self, id: EntryId) {
        let record = RecordId("r".into());
        let outcome = Outcome::Written { record, autonumber: None };
        self.store.settle(&self.writer, &[Settlement { id, outcome }], now()).unwrap();
    }

    fn entries(&self) -> i64 {
        self.store
            .connection
            .query_row("SELECT count(*) FROM outbox", [], |row| row.get(0))
            .unwrap()
    }

    fn log(&self) -> PathBuf {
        self.folder.path().join("state.db-wal")
    }

    /// What has not been folded into the file, in bytes.
    fn log_size(&self) -> u64 {
        fs::metadata(self.log()).unwrap().len()
    }
}

fn synchronous(connection: &Connection) -> i64 {
    connection.query_row("PRAGMA synchronous", [], |row| row.get(0)).unwrap()
}

const NORMAL: i64 = 1;
const FULL: i64 = 2;

#[test]
fn a_commit_against_power_loss_is_full_and_the_next_one_is_not() {
    let mut sync = Sync::at(None);
    assert_eq!(synchronous(&sync.store.connection), NORMAL);
    let within = sync.store.transact(Durability::Power, |tx| Ok(synchronous(tx)));
    assert_eq!(within, Ok(FULL));
    assert_eq!(synchronous(&sync.store.connection), NORMAL);
    let within = sync.store.transact(Durability::Process, |tx| Ok(synchronous(tx)));
    assert_eq!(within, Ok(NORMAL));
    let failed: Result<(), _> =
        sync.store.transact(Durability::Power, |_| Err(StateError::Fenced.into()));
    assert_eq!(failed, Err(StateError::Fenced));
    assert_eq!(synchronous(&sync.store.connection), NORMAL);
}

/// `protocol.md` D1: the mark survives a power cut before the call leaves; the answer need not.
#[test]
fn marking_is_full_and_settling_is_not() {
    let mut sync = Sync::at(None);
    sync.store
        .connection
        .execute_batch(
            "CREATE TEMP TABLE seen (state, synchronous);
             CREATE TEMP TRIGGER marked AFTER UPDATE ON main.outbox BEGIN
               INSERT INTO seen SELECT new.state, synchronous FROM pragma_synchronous; END;
             CREATE TEMP TRIGGER settled AFTER DELETE ON main.outbox BEGIN
               INSERT INTO seen SELECT 'settled', synchronous FROM pragma_synchronous; END;",
        )
        .unwrap();
    sync.capture(1..2, "A").unwrap();
    let entries = sync.dispatch();
    sync.settle(entries[0].id);
    let seen: Vec<(String, i64)> = sync
        .store
        .connection
        .prepare("SELECT CAST(state AS TEXT), synchronous FROM temp.seen")
        .unwrap()
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    assert_eq!(seen, [("1".to_owned(), FULL), ("settled".to_owned(), NORMAL)]);
}

#[test]
fn a_full_disk_stores_nothing_by_halves_and_harms_nothing() {
    let mut sync = Sync::at(None);
    sync.capture(0..10, "A").unwrap();
    let limit = |sync: &Sync, pages: i64| {
        let set = format!("PRAGMA max_page_count = {pages}");
        sync.store.connection.query_row(&set, [], |_| Ok(())).unwrap();
    };
    // SQLite takes a limit below the present size as that size.
    limit(&sync, 1);
    let big = "B".repeat(10_000);
    assert_eq!(sync.capture(0..100, &big), Err(StateError::DiskFull));
    assert_eq!(sync.entries(), 10);
    assert_eq!(sync.dispatch().len(), 10, "what fits goes on");
    limit(&sync, 1_000_000);
    let books = sync.capture(0..100, &big).unwrap();
    assert_eq!((books.read, books.queued), (100, 100));
}

#[test]
fn another_process_that_keeps_the_file_is_waited_for_and_then_named() {
    let mut sync = Sync::at(None);
    sync.store.connection.busy_timeout(Duration::from_millis(1)).unwrap();
    let other = Connection::open(sync.store.path()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    assert_eq!(sync.capture(0..1, "A"), Err(StateError::Busy));
    other.execute_batch("COMMIT").unwrap();
    assert_eq!(sync.capture(0..1, "A").unwrap().queued, 1);
}

#[test]
fn the_file_can_be_opened_while_another_process_writes() {
    let sync = Sync::at(None);
    let other = Connection::open(sync.store.path()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let mut second = SqliteStore::open(sync.store.path()).unwrap();
    assert_eq!(second.structure(sync.opened.destination), Ok(None));
}

#[test]
fn a_file_that_is_a_mount_point_holds_everything_after_each_batch() {
    let mut sync = Sync::at(Some(place("ext4", true)));
    assert_eq!(sync.store.notes(), [OpenNote::MountPoint]);
    sync.capture(1..2, "A").unwrap();
    assert_eq!(sync.log_size(), 0, "after a chunk");
    let entries = sync.dispatch();
    assert_eq!(sync.log_size(), 0, "after a mark");
    sync.settle(entries[0].id);
    assert_eq!(sync.log_size(), 0, "after an answer");
    sync.store.release(&sync.writer).unwrap();
    assert_eq!(sync.log_size(), 0, "at the end");
}

#[test]
fn an_ordinary_file_keeps_its_log() {
    let mut sync = Sync::at(Some(place("ext4", false)));
    assert_eq!(sync.store.notes(), []);
    sync.capture(1..2, "A").unwrap();
    assert!(sync.log_size() > 0);
}

#[test]
fn a_network_file_system_is_refused_before_anything_is_made() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new").join("state.db");
    for kind in ["nfs4", "cifs", "fuse.sshfs"] {
        let refused = SqliteStore::open_at(&path, Some(place(kind, false))).unwrap_err();
        let expected =
            StateError::NetworkFileSystem { path: path.display().to_string(), kind: kind.into() };
        assert_eq!(refused, expected);
    }
    assert!(!folder.path().join("new").exists());
}
