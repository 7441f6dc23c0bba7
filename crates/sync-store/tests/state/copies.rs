//! Backups, and what becomes of one that is put in the state's place; removing what is old.

use std::{
    cell::Cell,
    fs,
    os::unix::fs::PermissionsExt as _,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use jiff::SignedDuration;
use sync_core::state::{Books, FullReadReason, RunEnd, RunStatus, StateStore as _};
use sync_store::{SqliteStore, back_up, back_up_while, backups, check, thin_out};

use crate::fixture::State;

/// Puts the copy in the state's place.
fn put_back(state: &mut State, copy: &Path) {
    let path = state.path();
    state.store = SqliteStore::open(&state.folder.path().join("elsewhere.db")).unwrap();
    for name in ["state.db", "state.db-wal", "state.db-shm"] {
        drop(fs::remove_file(state.folder.path().join(name)));
    }
    fs::copy(copy, path).unwrap();
    state.restart();
}

fn one_link() -> State {
    let mut state = State::new();
    state.full_read(&[(1, "A")], "w1");
    state.deliver();
    state
}

#[test]
fn a_backup_is_taken_while_a_transaction_is_open_and_is_the_owners_alone() {
    let state = one_link();
    let writer = state.sql();
    writer.execute_batch("BEGIN IMMEDIATE; DELETE FROM links").unwrap();
    let backup = back_up(&state.path(), state.folder.path(), state.now).unwrap();
    writer.execute_batch("ROLLBACK").unwrap();
    assert_eq!(backup.path, state.folder.path().join("state.db.backup-20261123T100000Z"));
    let mode = fs::metadata(&backup.path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode, 0o600);
    check(&backup.path).unwrap();
    let links: i64 = rusqlite::Connection::open(&backup.path)
        .unwrap()
        .query_row("SELECT count(*) FROM links", [], |row| row.get(0))
        .unwrap();
    assert_eq!(links, 1);
}

/// Makes the state some times larger than what is copied at once; answers its pages.
fn grow(state: &State) -> u32 {
    let sql = state.sql();
    sql.execute_batch(
        "CREATE TABLE many AS WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers LIMIT 20000)
           SELECT n, zeroblob(900) AS bytes FROM numbers",
    )
    .unwrap();
    sql.query_row("PRAGMA page_count", [], |row| row.get(0)).unwrap()
}

#[test]
fn a_backup_ends_though_others_write_between_all_of_its_steps() {
    let state = one_link();
    assert!(grow(&state) > 4_000);
    let writer = state.sql();
    writer.execute_batch("CREATE TABLE written (at_step INTEGER)").unwrap();
    let path = state.path();
    let steps = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&steps);
    // It is asked before each step.
    let backup = back_up_while(&path.clone(), state.folder.path(), state.now, move || {
        let writer = rusqlite::Connection::open(&path).unwrap();
        let step = counted.fetch_add(1, Ordering::Relaxed);
        writer.execute("INSERT INTO written VALUES (?)", [step]).unwrap();
        // Without an end of its own it would end here, and fail.
        step < 100
    })
    .unwrap();
    assert!(steps.load(Ordering::Relaxed) > 4, "it was copied at once");
    let copy = rusqlite::Connection::open(&backup.path).unwrap();
    let written: i64 =
        copy.query_row("SELECT count(*) FROM written", [], |row| row.get(0)).unwrap();
    assert_eq!(written, 0, "it is of the moment at which it began");
}

#[test]
fn a_backup_that_is_not_wanted_any_more_ends_and_leaves_nothing() {
    let state = one_link();
    let pages = grow(&state);
    let files = || fs::read_dir(state.folder.path()).unwrap().count();
    let before = files();
    let asked = Arc::new(AtomicU32::new(0));
    let count = Arc::clone(&asked);
    let whole = back_up_while(&state.path(), state.folder.path(), state.now, move || {
        count.fetch_add(1, Ordering::Relaxed);
        true
    });
    fs::remove_file(whole.unwrap().path).unwrap();
    let all = asked.load(Ordering::Relaxed);
    assert!(all > pages / 1000 + 2, "the check asks too: {all} times in all for {pages} pages");
    // In the middle of copying, and in the middle of the check.
    for last in [2, all - 1] {
        let left = Cell::new(last);
        let given_up = back_up_while(&state.path(), state.folder.path(), state.now, move || {
            left.set(left.get() - 1);
            left.get() > 0
        });
        assert!(given_up.is_err(), "{last} of {all}");
        assert_eq!(files(), before);
    }
}

#[test]
fn what_a_killed_process_left_unfinished_is_removed_by_the_next_backup() {
    let mut state = one_link();
    let named = |name: &str| state.folder.path().join(format!("state.db.backup-{name}"));
    let (old, journal, young) = (
        named("20261122T095959Z.part"),
        named("20261122T095959Z.part-journal"),
        named("20261122T100001Z.part"),
    );
    for file in [&old, &journal, &young] {
        fs::write(file, "").unwrap();
    }
    back_up(&state.path(), state.folder.path(), state.now).unwrap();
    let there = [old.exists(), journal.exists(), young.exists()];
    assert_eq!(there, [false, false, true], "another may be at work on it");
    state.later(2);
    back_up(&state.path(), state.folder.path(), state.now).unwrap();
    assert!(!young.exists());
}

#[test]
fn the_newest_backups_are_kept() {
    let mut state = one_link();
    let folder = state.folder.path().to_owned();
    let other = folder.join("state.db.before-v1");
    fs::write(&other, "").unwrap();
    for _ in 0..4 {
        back_up(&state.path(), &folder, state.now).unwrap();
        state.later(3600);
    }
    let all = backups(&state.path(), &folder).unwrap();
    assert_eq!(all.len(), 4);
    let gone = thin_out(&state.path(), &folder, 3).unwrap();
    assert_eq!(gone, all[..1]);
    assert_eq!(backups(&state.path(), &folder).unwrap(), all[1..]);
    assert!(other.exists(), "only backups are removed");
}

#[test]
fn a_backup_that_cannot_be_finished_leaves_nothing() {
    let state = one_link();
    let nowhere = state.folder.path().join("file");
    fs::write(&nowhere, "").unwrap();
    let error = back_up(&state.path(), &nowhere, state.now).unwrap_err();
    assert_eq!(error.code(), "state_not_writable");
    assert_eq!(backups(&state.path(), state.folder.path()).unwrap(), []);
}

/// What lies beside the copy may be from another day than the copy: from the image of a disk, or gone. Nobody tells how old
/// the copy is, and what another process sent may still be on its way.
#[test]
fn a_backup_is_older_than_the_world_whatever_lies_beside_it() {
    for beside in ["the newest witness", "one from before the backup", "none"] {
        let mut state = one_link();
        state.store.begin_scan(&state.writer).unwrap();
        state.store.link_seen(&state.writer, &[], Some(9), state.now).unwrap();
        let witness = state.folder.path().join("state.db.lock");
        let early = fs::read(&witness).unwrap();
        state.capture(&[(1, "B")]);
        state.deliver();
        let backup = back_up(&state.path(), state.folder.path(), state.now).unwrap();
        match beside {
            "none" => fs::remove_file(&witness).unwrap(),
            "the newest witness" => {}
            _ => fs::write(&witness, early).unwrap(),
        }
        state.later(1_000);
        put_back(&mut state, &backup.path);
        assert_eq!(state.sync.full_read, Some(FullReadReason::OlderState), "{beside}");
        assert_eq!(state.slots(1), "link ?", "{beside}");
        assert_eq!(state.store.mark(&state.writer).unwrap(), None, "{beside}");
        let from = state.store.calls_from(&state.writer, state.now).unwrap();
        assert_eq!(from, Some(state.now + SignedDuration::from_secs(90)), "{beside}");
        // Once: it is no copy any more.
        state.full_read(&[(1, "A")], "w2");
        state.deliver();
        state.restart();
        assert_eq!((state.sync.full_read, state.slots(1)), (None, "link A".into()), "{beside}");
    }
}

#[test]
fn a_damaged_page_is_found() {
    let mut state = State::new();
    let rows: Vec<(i64, &str)> = (0..2000).map(|key| (key, "A")).collect();
    state.capture(&rows);
    let State { folder, store, .. } = state;
    drop(store);
    let path = folder.path().join("state.db");
    check(&path).unwrap();
    let mut bytes = fs::read(&path).unwrap();
    let middle = bytes.len() / 2 / 4096 * 4096;
    bytes[middle..middle + 4096].fill(0x5a);
    fs::write(&path, bytes).unwrap();
    assert_eq!(check(&path).unwrap_err().code(), "state_corrupt");
    assert_eq!(
        back_up(&path, folder.path(), jiff::Timestamp::UNIX_EPOCH).unwrap_err().code(),
        "state_corrupt"
    );
    assert_eq!(
        backups(&path, folder.path()).unwrap(),
        [],
        "no damaged copy passes for a whole one"
    );
}

#[test]
fn what_is_old_is_removed_but_not_the_newest_run() {
    let mut state = State::new();
    let run = |state: &mut State, status: RunStatus| {
        let run = state.store.begin_run(&state.writer, state.now).unwrap();
        let end = RunEnd { status, books: Books::default(), calls: 0, error: None, code: None };
        state.store.end_run(&state.writer, run, &end, state.now).unwrap();
        state.later(86_400);
    };
    state.capture(&[(1, "A")]);
    run(&mut state, RunStatus::Success);
    state.deliver();
    run(&mut state, RunStatus::Success);
    run(&mut state, RunStatus::Failed);
    run(&mut state, RunStatus::Failed);
    state.capture(&[(1, "B")]);
    state.deliver();
    let none = state.store.prune(jiff::Timestamp::UNIX_EPOCH, jiff::Timestamp::UNIX_EPOCH);
    assert_eq!(none.unwrap(), sync_store::Pruned::default());
    let pruned = state.store.prune(state.now, state.now).unwrap();
    assert_eq!((pruned.runs, pruned.effects), (2, 1), "a successful one and the newest stay");
    let left: Vec<i64> = crate::fixture::rows(&state.sql(), "SELECT id FROM runs ORDER BY id")
        .iter()
        .map(|id| id.parse().unwrap())
        .collect();
    assert_eq!(left, [2, 4]);
}
