//! A state file that cannot be used: one clear error each, and the file as it was.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    thread,
};

use rusqlite::Connection;
use sync_core::state::{StateError, StateStore as _};
use sync_store::{OpenNote, SqliteStore, StateReader};

use crate::fixture::{State, identity};

fn refused(path: &Path) -> StateError {
    SqliteStore::open(path).map(|_| ()).unwrap_err()
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// Copies made before a migration.
fn copies(folder: &Path) -> Vec<String> {
    names(folder).into_iter().filter(|name| name.contains("before")).collect()
}

/// The error's code; the file has the same bytes after it, and nothing new lies beside it.
fn refused_untouched(path: &Path) -> &'static str {
    let folder = path.parent().unwrap();
    let before = (fs::read(path).unwrap(), names(folder));
    let error = refused(path);
    assert_eq!((fs::read(path).unwrap(), names(folder)), before);
    assert!(error.to_string().contains(&path.display().to_string()), "{error}");
    assert!(!error.remedy().is_empty());
    error.code()
}

#[test]
fn a_new_file_and_what_lies_beside_it_are_for_the_owner_alone() {
    let mut state = State::new();
    state.capture(&[(1, "A")]);
    let folder = state.folder.path().to_owned();
    assert_eq!(names(&folder), ["state.db", "state.db-shm", "state.db-wal"]);
    for name in names(&folder) {
        let mode = fs::metadata(folder.join(&name)).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{name}");
    }
}

#[test]
fn a_missing_folder_is_made() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a/b/state.db");
    SqliteStore::open(&path).unwrap();
    assert!(path.exists());
}

#[test]
fn an_empty_file_becomes_a_state() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    fs::write(&path, "").unwrap();
    let mut store = SqliteStore::open(&path).unwrap();
    assert_eq!(store.notes(), []);
    store.open_sync(&identity(), jiff::Timestamp::UNIX_EPOCH).unwrap();
    assert_eq!(names(folder.path()), ["state.db", "state.db-shm", "state.db-wal"]);
}

#[test]
fn a_place_where_no_file_can_be_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let places: [PathBuf; 3] =
        [folder.path().to_owned(), file.join("state.db"), "/proc/state.db".into()];
    for place in places {
        let error = refused(&place);
        assert_eq!(error.code(), "state_not_writable", "{error}");
        assert!(error.to_string().contains(&place.display().to_string()), "{error}");
    }
}

#[test]
fn garbage_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    fs::write(&path, "these are not the bytes of a database\n".repeat(1000)).unwrap();
    assert_eq!(refused_untouched(&path), "state_corrupt");
    fs::write(&path, "short").unwrap();
    assert_eq!(refused_untouched(&path), "state_corrupt");
}

#[test]
fn another_programs_database_is_refused_and_left_alone() {
    for setup in [
        "CREATE TABLE cats (name)",
        "CREATE TABLE cats (name); PRAGMA user_version = 1",
        "CREATE TABLE cats (name); PRAGMA user_version = 7; PRAGMA application_id = 99",
    ] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.db");
        Connection::open(&path).unwrap().execute_batch(setup).unwrap();
        assert_eq!(refused_untouched(&path), "state_corrupt", "{setup}");
    }
}

#[test]
fn a_newer_file_is_refused_and_left_alone() {
    let State { folder, store, .. } = State::new();
    drop(store);
    let path = folder.path().join("state.db");
    Connection::open(&path).unwrap().pragma_update(None, "user_version", 99).unwrap();
    assert_eq!(refused_untouched(&path), "state_newer");
    let known = i64::try_from(fs::read_dir(migrations()).unwrap().count()).unwrap();
    let newer = StateError::Newer { path: path.display().to_string(), found: 99, known };
    assert_eq!(refused(&path), newer);
}

fn migrations() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src/migrations")
}

/// Each released form is a file that somebody may still have.
#[test]
fn a_file_of_every_older_version_is_copied_and_brought_up_to_date() {
    let mut steps: Vec<PathBuf> =
        fs::read_dir(migrations()).unwrap().map(|entry| entry.unwrap().path()).collect();
    steps.sort();
    for from in 1..steps.len() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.db");
        let old = Connection::open(&path).unwrap();
        for step in &steps[..from] {
            old.execute_batch(&fs::read_to_string(step).unwrap()).unwrap();
        }
        let version = i64::try_from(from).unwrap();
        old.pragma_update(None, "application_id", 0x6d73_7373).unwrap();
        old.pragma_update(None, "user_version", version).unwrap();
        old.execute_batch(
            "INSERT INTO syncs (id, name) VALUES (1, 'customers');
             INSERT INTO links (sync_id, destination_id, key, record_id, origin, created_at) VALUES (1, 1, 7, 'r', 0, 0)",
        )
        .unwrap();
        drop(old);
        assert!(matches!(StateReader::open(&path), Err(StateError::Older { .. })));
        let store = SqliteStore::open(&path).unwrap();
        let backup = folder.path().join(format!("state.db.before-v{}", from + 1));
        assert_eq!(store.notes(), [OpenNote::Migrated { from: version, backup: backup.clone() }]);
        let links = |path: &Path| -> i64 {
            let sql = Connection::open(path).unwrap();
            sql.query_row("SELECT count(*) FROM links WHERE key = 7", [], |row| row.get(0)).unwrap()
        };
        assert_eq!((links(&path), links(&backup)), (1, 1));
        assert_eq!(StateReader::open(&path).unwrap().syncs().unwrap().len(), 1);
        drop(store);
        assert_eq!(SqliteStore::open(&path).unwrap().notes(), []);
    }
}

/// An earlier program raised marks past creates that were on their way, and did not lower those of an older state.
#[test]
fn marks_that_an_earlier_program_left_too_high_are_not_believed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    let old = Connection::open(&path).unwrap();
    let mut steps: Vec<PathBuf> =
        fs::read_dir(migrations()).unwrap().map(|entry| entry.unwrap().path()).collect();
    steps.sort();
    for step in &steps[..14] {
        old.execute_batch(&fs::read_to_string(step).unwrap()).unwrap();
    }
    old.pragma_update(None, "application_id", 0x6d73_7373).unwrap();
    old.pragma_update(None, "user_version", 14).unwrap();
    old.execute_batch(
        "INSERT INTO syncs (id, name, full_read) VALUES (1, 'at rest', NULL), (2, 'in doubt', NULL), (3, 'older', 'older_state');
         INSERT INTO targets (sync_id, destination_id, external_id_field, mark)
           VALUES (1, 1, 'x', 50), (2, 1, 'x', 50), (2, 2, 'x', 50), (3, 1, 'x', 50);
         INSERT INTO outbox (sync_id, destination_id, key, state, operation, created_at)
           VALUES (1, 1, 7, 1, 'update', 0), (2, 1, 7, 1, 'create', 0), (2, 2, 7, 0, NULL, 0);
         INSERT INTO second_looks VALUES (1, 1, 7, 0)",
    )
    .unwrap();
    drop(old);
    drop(SqliteStore::open(&path).unwrap());
    let sql = Connection::open(&path).unwrap();
    let marks = crate::fixture::rows(&sql, "SELECT sync_id, destination_id, mark FROM targets");
    assert_eq!(marks, ["1|1|50", "2|1|NULL", "2|2|50", "3|1|NULL"]);
    assert_eq!(crate::fixture::rows(&sql, "SELECT twin FROM second_looks"), ["1"]);
}

#[test]
fn a_file_that_lost_its_end_is_found_damaged() {
    let mut state = State::new();
    let rows: Vec<(i64, &str)> = (0..2000).map(|key| (key, "A")).collect();
    state.capture(&rows);
    let State { folder, store, .. } = state;
    drop(store);
    let path = folder.path().join("state.db");
    let whole = fs::metadata(&path).unwrap().len();
    fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(whole / 2).unwrap();
    assert_eq!(refused_untouched(&path), "state_corrupt");
}

#[test]
fn many_processes_may_make_the_file_at_once() {
    for _ in 0..5 {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.db");
        thread::scope(|scope| {
            let openings: Vec<_> = (0..6)
                .map(|_| {
                    scope.spawn(|| {
                        let mut store = SqliteStore::open(&path)?;
                        store.open_sync(&identity(), jiff::Timestamp::UNIX_EPOCH)
                    })
                })
                .collect();
            for opening in openings {
                opening.join().unwrap().unwrap();
            }
        });
        assert_eq!(copies(folder.path()), [""; 0], "an empty file is not copied");
    }
}

#[test]
fn many_processes_may_find_the_old_file_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    let old = include_str!("python_program.sql");
    Connection::open(&path).unwrap().execute_batch(old).unwrap();
    thread::scope(|scope| {
        let openings: Vec<_> = (0..6).map(|_| scope.spawn(|| SqliteStore::open(&path))).collect();
        let stores: Vec<_> = openings.into_iter().map(|one| one.join().unwrap().unwrap()).collect();
        let notes: usize = stores.iter().map(|store| store.notes().len()).sum();
        assert_eq!(notes, 1, "one takes it over");
    });
    assert_eq!(copies(folder.path()), ["state.db.before-v1"]);
}
