//! One writer a sync, and what it inherits (`protocol.md` D1, D3, D10).

use sync_core::{
    delivery::Operation,
    key::Key,
    record::RecordId,
    state::{
        Books, Chunk, Dispatch, RunEnd, RunStatus, Settlement, StateError, StateStore as _, Stop,
        SyncIdentity,
    },
};
use sync_store::{SqliteStore, SyncLock};

use crate::fixture::{State, draft, in_doubt, whole, written};

#[test]
fn a_create_left_behind_is_in_doubt_counted_from_taking_the_lock() {
    let mut state = State::new();
    state.capture(&[(1, "A")]);
    state.call();
    state.later(1000);
    state.restart();
    assert_eq!(state.slots(1), "doubt A");
    assert_eq!(state.dispatch().0, Dispatch::Nothing(None));
    let taken = state.now;
    state.later(2);
    let doubts = state.doubts();
    assert_eq!((doubts[0].left_at, doubts[0].answered, doubts[0].empty_looks), (taken, false, 0));
}

#[test]
fn a_doubt_left_behind_keeps_its_time() {
    let mut state = State::new();
    state.capture(&[(1, "A")]);
    let entry = state.single();
    let left_at = state.now;
    state.settle(&entry, in_doubt(false, left_at));
    state.later(1000);
    state.restart();
    assert_eq!(state.doubts()[0].left_at, left_at);
}

#[test]
fn an_update_left_behind_is_sent_again() {
    let mut state = State::new();
    state.capture(&[(1, "A")]);
    state.deliver();
    state.capture(&[(1, "B")]);
    state.call();
    state.restart();
    assert_eq!(state.slots(1), "waiting B, link ?");
    let call = state.call();
    assert_eq!((call.operation, &call.entries[0].fields), (Operation::Update, &draft("B")));
}

#[test]
fn an_update_left_behind_gives_way_to_a_newer_row() {
    let mut state = State::new();
    state.capture(&[(1, "A")]);
    state.deliver();
    state.capture(&[(1, "B")]);
    state.call();
    state.capture(&[(1, "A")]);
    state.restart();
    assert_eq!(state.slots(1), "waiting A, link ?");
}

#[test]
fn an_update_left_behind_gives_way_to_a_newer_fault() {
    let mut state = State::new();
    state.capture(&[(1, "A")]);
    state.deliver();
    state.capture(&[(1, "B")]);
    state.call();
    state.capture(&[(1, "fault x")]);
    state.restart();
    assert_eq!(state.slots(1), "parked fault x, link ?");
}

#[test]
fn a_deletion_left_behind_is_sent_again() {
    let mut state = State::new();
    state.capture(&[(1, "A")]);
    state.deliver();
    state.capture(&[(1, "gone")]);
    state.call();
    state.restart();
    assert_eq!(state.call().operation, Operation::Delete);
}

#[test]
fn a_run_left_behind_is_interrupted() {
    let mut state = State::new();
    state.store.begin_run(&state.writer, state.now).unwrap();
    state.restart();
    let status: String =
        state.sql().query_row("SELECT status FROM sync_runs", [], |row| row.get(0)).unwrap();
    assert_eq!(status, "interrupted");
}

#[test]
fn one_syncs_new_holder_does_not_touch_another_sync() {
    let mut state = State::new();
    state.capture(&[(1, "A")]);
    state.call();
    let mut other = crate::fixture::identity();
    other.name = "other".into();
    let other = state.store.open_sync(&other, state.now).unwrap();
    state.store.hold(&other, "other", state.now).unwrap();
    assert_eq!(state.slots(1), "sending A");
}

/// D10: a state that is made anew counts its syncs anew, and whoever has the old one open knows nothing of what is sent
/// from then on.
#[test]
fn who_lost_the_state_runs_nothing_beside_who_still_has_it_and_nothing_after_it() {
    let State { folder, store: mut old, .. } = State::new();
    let path = folder.path().join("state.db");
    let now = jiff::Timestamp::UNIX_EPOCH;
    let other = SyncIdentity { name: "other".into(), ..crate::fixture::identity() };
    let second = old.open_sync(&other, now).unwrap();
    let runs = SyncLock::try_take(&path, second.id, "other").unwrap();
    assert!(runs.is_some());
    old.hold(&second, "old", now).unwrap();

    for name in ["state.db", "state.db-wal", "state.db-shm"] {
        drop(std::fs::remove_file(folder.path().join(name)));
    }
    let replaced = StateError::Replaced { path: path.display().to_string() };
    assert_eq!(old.hold(&second, "old", now), Err(replaced.clone()), "there is none");
    let mut new = SqliteStore::open(&path).unwrap();
    let first = new.open_sync(&other, now).unwrap();
    assert_ne!(first.id, second.id);
    assert!(SyncLock::try_take(&path, first.id, "other").unwrap().is_none(), "it runs still");
    drop(runs);
    let runs = SyncLock::try_take(&path, first.id, "other").unwrap();
    assert!(runs.is_some());
    new.hold(&first, "new", now).unwrap();
    drop(runs);
    assert_eq!(old.hold(&second, "old", now), Err(replaced.clone()));
    assert_eq!(old.take_custody("other", "a person", now).unwrap_err(), replaced);
}

type Method = Box<dyn Fn(&mut State) -> Result<(), StateError>>;

fn methods(state: &mut State) -> Vec<(&'static str, Method)> {
    let ticket = state.begin_read();
    let key = Key::Int(1);
    let chunk = Chunk {
        answered: vec![key.clone()],
        end: Some(whole(ticket, None)),
        ..state.chunk(ticket, &[(1, "B"), (2, "B"), (3, "gone")])
    };
    state.capture(&[(1, "A"), (2, "A"), (3, "A")]);
    let call = state.call();
    let settle: Vec<Settlement> = call
        .entries
        .iter()
        .take(2)
        .map(|entry| Settlement { id: entry.id, outcome: written(entry) })
        .collect();
    state.capture(&[(4, "A"), (5, "fault x")]);
    let run = state.store.begin_run(&state.writer, state.now).unwrap();
    let end = RunEnd {
        status: RunStatus::Success,
        books: Books::default(),
        calls: 1,
        error: None,
        code: None,
    };
    let stop = Stop {
        code: "c".into(),
        message: "m".into(),
        remedy: "r".into(),
        key: None,
        until: None,
        only_creates: false,
    };
    let dirty = key.clone();
    let linked = key.clone();
    vec![
        ("heartbeat", Box::new(|s| s.store.heartbeat(&s.writer, s.now))),
        ("release", Box::new(|s| s.store.release(&s.writer))),
        ("begin_read", Box::new(|s| s.store.begin_read(&s.writer).map(drop))),
        ("capture", Box::new(move |s| s.store.capture(&s.writer, &chunk).map(drop))),
        (
            "mark_dirty",
            Box::new(move |s| s.store.mark_dirty(&s.writer, std::slice::from_ref(&dirty))),
        ),
        ("leave_stream", Box::new(|s| s.store.leave_stream(&s.writer))),
        ("dirty", Box::new(|s| s.store.dirty(&s.writer, 1).map(drop))),
        (
            "release_quarantine",
            Box::new(|s| s.store.release_quarantine(&s.writer, s.now, true).map(drop)),
        ),
        (
            "dispatch",
            Box::new(|s| {
                let request = s.request();
                s.store.dispatch(&s.writer, &request).map(drop)
            }),
        ),
        ("settle", Box::new(move |s| s.store.settle(&s.writer, &settle, s.now).map(drop))),
        ("doubts", Box::new(|s| s.store.doubts(&s.writer, s.now, 9).map(drop))),
        ("control", Box::new(|s| s.store.control(&s.writer, &[], false).map(drop))),
        ("set_missing", Box::new(|s| s.store.set_missing(&s.writer, &Key::Int(1), true))),
        ("second_looks", Box::new(|s| s.store.second_looks(&s.writer, s.now, 9).map(drop))),
        ("settle_second_looks", Box::new(|s| s.store.settle_second_looks(&s.writer, &[], s.now))),
        ("calls_from", Box::new(|s| s.store.calls_from(&s.writer, s.now).map(drop))),
        (
            "linked_elsewhere",
            Box::new(move |s| {
                s.store.linked_elsewhere(&s.writer, &RecordId("r".into()), &linked).map(drop)
            }),
        ),
        ("may_go", Box::new(|s| s.store.may_go(&s.writer, &Key::Int(1)).map(drop))),
        ("linked_record", Box::new(|s| s.store.linked_record(&s.writer, &Key::Int(1)).map(drop))),
        ("begin_scan", Box::new(|s| s.store.begin_scan(&s.writer))),
        ("link_seen", Box::new(|s| s.store.link_seen(&s.writer, &[], Some(99), s.now).map(drop))),
        (
            "note_archived",
            Box::new(|s| s.store.note_archived(&s.writer, &[(Key::Int(1), RecordId("r".into()))])),
        ),
        ("mark", Box::new(|s| s.store.mark(&s.writer).map(drop))),
        ("link_count", Box::new(|s| s.store.link_count(&s.writer).map(drop))),
        ("see_shape", Box::new(|s| s.store.see_shape(&s.writer, "s2").map(drop))),
        ("unsettled", Box::new(|s| s.store.unsettled(&s.writer).map(drop))),
        ("waiting_creates", Box::new(|s| s.store.waiting_creates(&s.writer, None, 9).map(drop))),
        ("next_ready", Box::new(|s| s.store.next_ready(&s.writer, &s.request()).map(drop))),
        ("held_creates", Box::new(|s| s.store.held_creates(&s.writer).map(drop))),
        ("is_split", Box::new(|s| s.store.is_split(&s.writer).map(drop))),
        ("backlog", Box::new(|s| s.store.backlog(&s.writer).map(drop))),
        ("own_member", Box::new(|s| s.store.own_member(&s.writer).map(drop))),
        ("set_own_member", Box::new(|s| s.store.set_own_member(&s.writer, "m"))),
        ("set_stop", Box::new(move |s| s.store.set_stop(&s.writer, Some(&stop)))),
        ("begin_run", Box::new(|s| s.store.begin_run(&s.writer, s.now).map(drop))),
        ("end_run", Box::new(move |s| s.store.end_run(&s.writer, run, &end, s.now))),
    ]
}

#[test]
fn a_writer_that_was_replaced_can_do_nothing() {
    let mut state = State::new();
    let methods = methods(&mut state);
    let mut successor = SqliteStore::open(&state.path()).unwrap();
    successor.hold(&state.sync, "second", state.now).unwrap();
    let before = state.dump();
    for (name, method) in methods {
        assert_eq!(method(&mut state), Err(StateError::Fenced), "{name}");
        assert_eq!(state.dump(), before, "{name}");
    }
}

#[test]
fn each_method_works_for_the_writer_that_holds_the_lease() {
    let mut state = State::new();
    for (name, method) in methods(&mut state) {
        // The oldest read's chunk is refused for its age, which is no matter of the lease.
        if name != "capture" {
            assert_eq!(method(&mut state), Ok(()), "{name}");
        }
    }
}
