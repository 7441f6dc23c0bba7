//! A copy from before put in the state's place, or none at all (`protocol.md` D9).

use std::{fs, path::PathBuf};

use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, backup::Backup};
use sync_core::{
    key::Key,
    state::{FullReadReason, LinkChange, Origin, Outcome, SecondSettlement, StateStore as _},
};
use sync_store::SqliteStore;

use crate::fixture::{State, draft};

fn copy(from: &PathBuf, to: &PathBuf) {
    let from = Connection::open(from).unwrap();
    let mut to = Connection::open(to).unwrap();
    Backup::new(&from, &mut to)
        .unwrap()
        .run_to_completion(1000, std::time::Duration::ZERO, None)
        .unwrap();
}

/// Puts the copy in the state's place, as a person would while nothing runs.
fn put_back(state: &mut State, copy: &PathBuf) {
    let path = state.path();
    let elsewhere = state.folder.path().join("elsewhere.db");
    state.store = SqliteStore::open(&elsewhere).unwrap();
    for name in ["state.db", "state.db-wal", "state.db-shm"] {
        drop(fs::remove_file(state.folder.path().join(name)));
    }
    if copy.exists() {
        fs::copy(copy, &path).unwrap();
    }
    state.restart();
}

fn calls_from(state: &mut State) -> Option<Timestamp> {
    state.store.calls_from(&state.writer, state.now).unwrap()
}

/// Two links, read to the end; then a copy is made, and key 1 is written once more.
fn one_call_behind() -> (State, PathBuf) {
    let mut state = State::new();
    state.full_read(&[(1, "A"), (2, "A")], "w1");
    state.deliver();
    let saved = state.folder.path().join("saved.db");
    copy(&state.path(), &saved);
    state.later(10);
    state.capture(&[(1, "B")]);
    state.deliver();
    (state, saved)
}

#[test]
fn the_newest_state_is_believed() {
    let (mut state, _) = one_call_behind();
    state.restart();
    assert_eq!(state.sync.full_read, None);
    assert_eq!(state.slots(1), "link B");
    assert_eq!(calls_from(&mut state), None);
}

#[test]
fn an_older_copy_knows_no_values_and_reads_everything() {
    let (mut state, saved) = one_call_behind();
    put_back(&mut state, &saved);
    assert_eq!(state.sync.full_read, Some(FullReadReason::OlderState));
    assert_eq!((state.slots(1), state.slots(2)), ("link ?".into(), "link ?".into()));
    // The row may be what the copy remembers; it is written all the same.
    state.full_read(&[(1, "A"), (2, "A")], "w2");
    assert_eq!(state.slots(1), "waiting A, link ?");
}

#[test]
fn nothing_leaves_until_the_last_call_has_had_its_time() {
    let (mut state, saved) = one_call_behind();
    // An update, ten seconds after the last create.
    let sent = state.now;
    state.later(10);
    put_back(&mut state, &saved);
    let from = sent + SignedDuration::from_secs(90);
    assert_eq!(calls_from(&mut state), Some(from));
    state.now = from;
    assert_eq!(calls_from(&mut state), None);
}

/// Nobody knows how long ago the call left: it has its whole time, and not for ever.
#[test]
fn a_clock_that_was_set_back_neither_ends_the_wait_nor_makes_it_longer_than_it_was() {
    let (mut state, saved) = one_call_behind();
    put_back(&mut state, &saved);
    state.later(-7_200);
    let from = state.now + SignedDuration::from_secs(90);
    assert_eq!(calls_from(&mut state), Some(from));
    state.later(30);
    assert_eq!(calls_from(&mut state), Some(from));
    state.later(60);
    assert_eq!(calls_from(&mut state), None);
}

#[test]
fn a_state_that_is_gone_waits_too_and_starts_afresh() {
    let (mut state, _) = one_call_behind();
    put_back(&mut state, &PathBuf::from("/no such file"));
    assert_eq!(state.sync.full_read, Some(FullReadReason::First));
    assert!(calls_from(&mut state).is_some());
    assert_eq!(state.slots(1), "");
}

#[test]
fn an_older_copy_is_distrusted_once() {
    let (mut state, saved) = one_call_behind();
    put_back(&mut state, &saved);
    state.full_read(&[(1, "A"), (2, "A")], "w2");
    state.deliver();
    state.restart();
    assert_eq!(state.sync.full_read, None);
    assert_eq!(state.slots(1), "link A");
}

/// `protocol.md` D8: the audit is due, though everything is to be read for another reason that was there before.
#[test]
fn another_reason_to_read_everything_does_not_hide_that_the_state_is_older() {
    for reason in [None, Some(FullReadReason::Resync)] {
        let mut state = State::new();
        state.full_read(&[(1, "A")], "w1");
        state.deliver();
        state.store.begin_scan(&state.writer).unwrap();
        state.store.link_seen(&state.writer, &[], Some(9), state.now).unwrap();
        if let Some(reason) = reason {
            state.store.request_full_read(state.sync.id, reason).unwrap();
        }
        let saved = state.folder.path().join("saved.db");
        copy(&state.path(), &saved);
        state.capture(&[(1, "B")]);
        state.deliver();
        assert_eq!(state.store.mark(&state.writer).unwrap(), Some(9));
        put_back(&mut state, &saved);
        assert_eq!(state.sync.full_read, reason.or(Some(FullReadReason::OlderState)));
        assert_eq!(state.store.mark(&state.writer).unwrap(), None);
    }
}

/// What was marked and refused changed nothing, but the witness cannot know.
#[test]
fn a_refused_call_counts_too() {
    let (mut state, saved) = {
        let mut state = State::new();
        state.full_read(&[(1, "A")], "w1");
        let saved = state.folder.path().join("saved.db");
        copy(&state.path(), &saved);
        (state, saved)
    };
    let entry = state.single();
    state.settle(&entry, Outcome::Refused { fault: crate::fixture::fault("x") });
    put_back(&mut state, &saved);
    assert_eq!(state.sync.full_read, Some(FullReadReason::OlderState));
}

/// Decision 0052: what is believed archived may have come back by a call that this state knows nothing of.
#[test]
fn what_an_older_state_believes_archived_is_looked_at_and_opened_again() {
    for has_returned in [false, true] {
        let mut state = State::new();
        state.full_read(&[(1, "A")], "w1");
        state.deliver();
        state.adopt(7, Some(draft("A").fingerprint()));
        state.capture(&[(7, "gone")]);
        state.dispatch();
        assert_eq!(state.slots(7), "link A kept");
        let saved = state.folder.path().join("saved.db");
        copy(&state.path(), &saved);
        state.capture(&[(1, "B")]);
        state.deliver();
        put_back(&mut state, &saved);
        state.later(89);
        assert_eq!(state.store.second_looks(&state.writer, state.now, 9).unwrap(), []);
        state.later(1);
        if has_returned {
            state.capture(&[(7, "B")]);
        }
        let looks = state.store.second_looks(&state.writer, state.now, 9).unwrap();
        let kept: Vec<_> =
            looks.iter().map(|look| look.link.as_ref().and_then(|link| link.kept)).collect();
        // Its row brings the record back, as it does any that is archived.
        assert_eq!(kept, [(!has_returned).then_some(Origin::Adopted)]);
        let change = Some(LinkChange::Reopen);
        let reopened = SecondSettlement { key: Key::Int(7), change, again_at: None };
        state.store.settle_second_looks(&state.writer, &[reopened], state.now).unwrap();
        let slots = if has_returned { "waiting B, link ? kept" } else { "link ?" };
        assert_eq!(state.slots(7), slots);
    }
}
