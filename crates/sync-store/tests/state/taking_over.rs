//! A file that the Python program wrote. `python_program.sql` is the dump of one that Python's `sqlite3` made.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use rusqlite::Connection;
use sync_core::{
    key::Key,
    state::{FullReadReason, OpenedSync, StateStore as _, SyncIdentity},
};
use sync_store::{OpenNote, SqliteStore};
use tempfile::TempDir;

use crate::fixture::{dump, identity, rows};

const OLD: &str = include_str!("python_program.sql");

struct OldFile {
    folder: TempDir,
}

impl OldFile {
    fn new() -> Self {
        Self::with("")
    }

    /// The old file, changed by some SQL.
    fn with(change: &str) -> Self {
        let file = Self { folder: tempfile::tempdir().unwrap() };
        file.sql().execute_batch(OLD).unwrap();
        file.sql().execute_batch(change).unwrap();
        fs::set_permissions(file.path(), fs::Permissions::from_mode(0o644)).unwrap();
        file
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("sync_state.db")
    }

    fn backup(&self) -> PathBuf {
        self.folder.path().join("sync_state.db.before-v1")
    }

    fn sql(&self) -> Connection {
        Connection::open(self.path()).unwrap()
    }

    fn open(&self) -> SqliteStore {
        SqliteStore::open(&self.path()).unwrap()
    }

    fn rows(&self, query: &str) -> Vec<String> {
        rows(&self.sql(), query)
    }

    fn files(&self) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(self.folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn open_sync(store: &mut SqliteStore, name: &str) -> OpenedSync {
    let identity = SyncIdentity { name: name.into(), ..identity() };
    store.open_sync(&identity, Timestamp::UNIX_EPOCH).unwrap()
}

#[test]
fn the_original_is_copied_first() {
    let file = OldFile::new();
    let before = dump(&file.sql());
    let store = file.open();
    assert_eq!(store.notes(), [OpenNote::TakenOver { backup: file.backup(), links: 10 }]);
    assert_eq!(dump(&Connection::open(file.backup()).unwrap()), before);
    assert_eq!(mode(&file.backup()), 0o600);
    assert_eq!(mode(&file.path()), 0o600);
}

#[test]
fn a_copy_that_is_there_already_is_kept() {
    let file = OldFile::new();
    fs::write(file.backup(), "precious").unwrap();
    file.open();
    assert_eq!(fs::read(file.backup()).unwrap(), b"precious");
    assert!(file.folder.path().join("sync_state.db.before-v1.1").exists());
}

#[test]
fn the_second_opening_does_nothing() {
    let file = OldFile::new();
    drop(file.open());
    let after_first = dump(&file.sql());
    let names = file.files();
    let store = file.open();
    assert_eq!(store.notes(), []);
    drop(store);
    assert_eq!(dump(&file.sql()), after_first);
    assert_eq!(file.files(), names);
}

#[test]
fn runs_are_read_by_the_same_names_with_their_numbers_and_times() {
    let file = OldFile::new();
    file.open();
    assert_eq!(
        file.rows("SELECT * FROM sync_runs"),
        [
            "1|customers|2025-11-03T08:00:00.123Z|2025-11-03T08:00:09.999Z|success|5|5|0|0|NULL",
            "3|orders|2025-11-03T08:05:02.000Z|NULL|interrupted|0|0|0|0|NULL",
            "4|orders|2025-11-03T09:00:00.500Z|2025-11-03T09:00:02.000Z|failed|7|0|0|0|429 Client Error: it's too much",
            "5|customers|2025-11-04T08:00:00.250Z|NULL|failed|0|0|0|0|spaced time",
        ]
    );
}

#[test]
fn links_are_read_by_the_same_names_their_hashes_unknown() {
    let file = OldFile::new();
    file.open();
    let mappings = file.rows(
        "SELECT sync_name, source_id, smartsuite_record_id, data_hash, created_at, updated_at FROM record_mappings",
    );
    let link = |sync: &str, id: &str, record: &str, updated: u8| {
        format!("{sync}|{id}|{record}|NULL|2025-11-03T08:00:01Z|2025-11-03T08:00:0{updated}Z")
    };
    assert_eq!(
        mappings,
        [
            link("customers", "1", "65000000000000000000c001", 1),
            link("customers", "2", "65000000000000000000c002", 2),
            link("customers", "", "65000000000000000000c008", 2),
            link("customers", " 1", "65000000000000000000c004", 2),
            link("customers", "007", "65000000000000000000c003", 1),
            link("customers", "18446744073709551615", "65000000000000000000c007", 1),
            link("customers", "A|B", "65000000000000000000c005", 1),
            link("customers", "Ünï", "65000000000000000000c006", 2),
            link("orders", "1", "65000000000000000000d001", 2),
            link("orders", "short", "r1", 1),
        ]
    );
}

#[test]
fn its_position_is_not_trusted() {
    let file = OldFile::new();
    let mut store = file.open();
    assert_eq!(
        file.rows("SELECT * FROM sync_metadata"),
        ["customers|NULL|2025-11-03T08:00:09.999Z", "orders|NULL|NULL"]
    );
    let customers = open_sync(&mut store, "customers");
    assert_eq!(customers.full_read, Some(FullReadReason::TakenOver));
    assert_eq!(customers.watermark, None);
    assert_eq!(customers.links, 8);
}

#[test]
fn its_links_belong_to_the_table_that_the_sync_names_first() {
    let file = OldFile::new();
    let mut store = file.open();
    let customers = open_sync(&mut store, "customers");
    let writer = store.hold(&customers, "me", Timestamp::UNIX_EPOCH).unwrap();
    let linked = store.linked_record(&writer, &Key::Int(1)).unwrap().unwrap();
    assert_eq!(linked.0, "65000000000000000000c001");
    assert_eq!(file.rows("SELECT count(*) FROM record_mappings"), ["10"]);
    assert_eq!(open_sync(&mut store, "customers").links, 8, "opened again");
}

/// A source id that no key column can have had, no record, and a record that two source ids claim.
#[test]
fn links_that_say_nothing_certain_are_left_to_be_adopted() {
    let file = OldFile::new();
    file.open();
    let left = "SELECT count(*) FROM record_mappings WHERE smartsuite_record_id
                IN ('65000000000000000000c009', '65000000000000000000cccc', '')";
    assert_eq!(file.rows(left), ["0"]);
}

#[test]
fn the_newest_of_several_links_of_one_source_id_counts() {
    let file = OldFile::with(
        "CREATE TABLE copy AS SELECT * FROM record_mappings;
         DROP TABLE record_mappings; ALTER TABLE copy RENAME TO record_mappings;
         INSERT INTO record_mappings VALUES (15, 'orders', '1', '65000000000000000000d0ff', 'h', NULL, NULL);",
    );
    file.open();
    let record = "SELECT smartsuite_record_id, created_at FROM record_mappings WHERE sync_name = 'orders' AND source_id = '1'";
    assert_eq!(file.rows(record), ["65000000000000000000d0ff|1970-01-01T00:00:00Z"]);
}

#[test]
fn each_table_may_be_missing() {
    for table in ["sync_runs", "record_mappings", "sync_metadata"] {
        let file = OldFile::with(&format!("DROP TABLE {table}"));
        let mut store = file.open();
        let reason = open_sync(&mut store, "customers").full_read;
        assert_eq!(reason, Some(FullReadReason::TakenOver), "without {table}");
        assert!(file.backup().exists());
    }
}

#[test]
fn empty_tables_are_taken_over() {
    let file = OldFile::with(
        "DELETE FROM sync_runs; DELETE FROM record_mappings; DELETE FROM sync_metadata",
    );
    let mut store = file.open();
    assert_eq!(store.notes(), [OpenNote::TakenOver { backup: file.backup(), links: 0 }]);
    assert_eq!(open_sync(&mut store, "customers").full_read, Some(FullReadReason::First));
}

#[test]
fn peoples_own_views_go_on_working() {
    let file = OldFile::with(
        "CREATE VIEW created AS SELECT sync_name, sum(records_created) FROM sync_runs GROUP BY 1",
    );
    file.open();
    assert_eq!(file.rows("SELECT * FROM created"), ["customers|5", "orders|0"]);
}

#[test]
fn a_sync_that_the_old_program_did_not_know_starts_afresh() {
    let file = OldFile::new();
    let mut store = file.open();
    let new = open_sync(&mut store, "invoices");
    assert_eq!((new.full_read, new.links), (Some(FullReadReason::First), 0));
}

#[test]
fn a_migration_that_fails_leaves_the_old_file_as_it_was() {
    // A view in the way of ours makes the migration fail half-way.
    let file = OldFile::with(
        "DROP TABLE sync_metadata; CREATE VIEW sync_metadata AS SELECT 1 AS sync_name",
    );
    let before = fs::read(file.path()).unwrap();
    assert!(SqliteStore::open(&file.path()).is_err());
    assert_eq!(fs::read(file.path()).unwrap(), before);
}
