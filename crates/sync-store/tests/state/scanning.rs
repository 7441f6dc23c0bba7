//! What a scan or an audit brings into the links (`protocol.md` D8, C7).

use sync_core::{
    key::Key,
    state::{Origin, Outcome, SeenLink, SeenLinks, StateStore as _, SyncIdentity},
};

use crate::fixture::{State, back, draft, identity, record};

#[test]
fn an_unlinked_record_with_our_key_is_adopted_and_read_again() {
    let mut state = State::new();
    state.adopt(1, Some(draft("A").fingerprint()));
    assert_eq!(state.slots(1), "link A");
    assert_eq!(state.dirty(), [1]);
    assert_eq!(state.store.mark(&state.writer).unwrap(), Some(9));
    assert_eq!(state.seen(1, &record(1), None), 0, "adopted once");
}

/// `protocol.md` C7: the row may have been found equal to what the record held, and a list may lag.
#[test]
fn a_linked_record_that_holds_something_else_is_unknown_and_its_row_read_again() {
    let mut state = State::new();
    state.capture(&[(1, "A")]);
    state.deliver();
    state.adopt(1, Some(draft("A").fingerprint()));
    assert_eq!(state.slots(1), "link A");
    assert_eq!(state.dirty(), [0; 0]);
    state.adopt(1, Some(draft("B").fingerprint()));
    assert_eq!(state.slots(1), "link ?");
    assert_eq!(state.dirty(), [1]);
}

/// What an audit lists is there; what it holds, it does not say.
#[test]
fn an_audit_leaves_what_is_known_of_a_linked_record() {
    let mut state = State::new();
    state.capture(&[(1, "A")]);
    state.deliver();
    state.adopt(1, None);
    assert_eq!(state.slots(1), "link A");
    assert_eq!(state.dirty(), [0; 0]);
}

/// The wish that had no answer was replaced by another: what it did may still show.
#[test]
fn a_scan_does_not_make_known_what_is_to_be_looked_at_once_more() {
    let mut state = State::new();
    state.capture(&[(1, "A")]);
    state.deliver();
    state.capture(&[(1, "B")]);
    let entry = state.single();
    state.settle(&entry, Outcome::Unanswered { group: None, not_before: state.now });
    state.capture(&[(1, "A")]);
    state.adopt(1, Some(draft("A").fingerprint()));
    assert_eq!(state.slots(1), "waiting A, link ?");
}

#[test]
fn of_two_records_with_one_key_the_linked_one_stays() {
    let mut state = State::new();
    state.capture(&[(1, "A")]);
    state.deliver();
    state.store.begin_scan(&state.writer).unwrap();
    assert_eq!(state.seen(1, &record(9), None), 0);
    assert_eq!(state.linked(1), Some(record(1)));
    state.seen(2, &record(20), None);
    state.seen(2, &record(21), None);
    assert_eq!(state.linked(2), Some(record(20)));
}

#[test]
fn a_record_of_another_sync_is_not_taken() {
    let mut state = State::new();
    state.capture(&[(1, "A")]);
    state.deliver();
    let other = SyncIdentity { name: "other".into(), ..identity() };
    let other = state.store.open_sync(&other, state.now).unwrap();
    let other = state.store.hold(&other, "other", state.now).unwrap();
    state.store.begin_scan(&other).unwrap();
    let seen = SeenLink {
        key: Some(Key::Int(1)),
        record: record(1),
        fingerprint: None,
        origin: Origin::Adopted,
    };
    // Nothing of the other sync waits: it may have rows of its own.
    let seen = [seen];
    let links = state.store.link_seen(&other, &seen, None, state.now).unwrap();
    assert_eq!(links, SeenLinks::default());
    assert!(state.store.linked_elsewhere(&other, &record(1), &Key::Int(1)).unwrap());
    assert!(!state.store.linked_elsewhere(&state.writer, &record(1), &Key::Int(1)).unwrap());
    assert!(state.store.linked_elsewhere(&state.writer, &record(1), &Key::Int(2)).unwrap());
}

/// What one sync has accounted for, another has not: each has its own keys.
#[test]
fn a_mark_is_of_one_sync() {
    let mut state = State::new();
    let other = SyncIdentity { name: "other".into(), ..identity() };
    let other = state.store.open_sync(&other, state.now).unwrap();
    let other = state.store.hold(&other, "other", state.now).unwrap();
    state.adopt(1, None);
    assert_eq!(state.store.mark(&state.writer).unwrap(), Some(9));
    assert_eq!(state.store.mark(&other).unwrap(), None);
}

/// `protocol.md` D1: an update without an answer may still take effect, so what was read proves nothing.
#[test]
fn a_scan_does_not_make_known_what_an_unanswered_update_may_change() {
    let mut state = State::new();
    state.capture(&[(1, "A")]);
    state.deliver();
    state.capture(&[(1, "B")]);
    let entry = state.single();
    state.adopt(1, Some(draft("A").fingerprint()));
    assert_eq!(state.slots(1), "sending B, link ?");
    state.settle(&entry, back(state.now));
    state.adopt(1, Some(draft("A").fingerprint()));
    assert_eq!(state.slots(1), "waiting B, link ?");
    state.capture(&[(1, "A")]);
    assert_eq!(state.slots(1), "waiting A, link ?");
}

#[test]
fn what_a_scan_could_save_is_counted() {
    let mut state = State::new();
    state.adopt(1, None);
    state.adopt(2, Some(draft("A").fingerprint()));
    state.capture(&[(1, "A"), (2, "B"), (3, "A"), (4, "A")]);
    assert_eq!(state.store.unsettled(&state.writer).unwrap(), (2, 1));
}

#[test]
fn waiting_creates_are_listed_in_pages() {
    let mut state = State::new();
    state.adopt(2, None);
    state.capture(&[(3, "A"), (2, "A"), (1, "A"), (5, "A"), (4, "gone")]);
    let mut page = |after: Option<i64>| -> Vec<i64> {
        let after = after.map(Key::Int);
        let keys = state.store.waiting_creates(&state.writer, after.as_ref(), 2).unwrap();
        keys.iter().map(|key| key.text().parse().unwrap()).collect()
    };
    assert_eq!(page(None), [1, 3]);
    assert_eq!(page(Some(3)), [5]);
    assert_eq!(page(Some(5)), [0; 0]);
}

#[test]
fn a_control_is_a_linked_key_that_is_not_asked_about() {
    let mut state = State::new();
    let control = |state: &mut State, except: &[i64], from_end| {
        let except: Vec<Key> = except.iter().copied().map(Key::Int).collect();
        let control = state.store.control(&state.writer, &except, from_end).unwrap();
        control.map(|control| (control.key, control.record))
    };
    assert_eq!(control(&mut state, &[], false), None);
    state.capture(&[(1, "A"), (2, "A"), (3, "A")]);
    state.deliver();
    assert_eq!(control(&mut state, &[], false), Some((Key::Int(1), record(1))));
    assert_eq!(control(&mut state, &[1], false), Some((Key::Int(2), record(2))));
    assert_eq!(control(&mut state, &[1], true), Some((Key::Int(3), record(3))));
    assert_eq!(control(&mut state, &[1, 2, 3], true), None);
    // One whose record was found missing is none, whatever the policy makes of it.
    state.store.set_missing(&state.writer, &Key::Int(1), true).unwrap();
    state.store.set_missing(&state.writer, &Key::Int(3), false).unwrap();
    assert_eq!(control(&mut state, &[], false), Some((Key::Int(2), record(2))));
    assert_eq!(control(&mut state, &[2], false), None);
    // The row of one that is to be made again is read in the run that found it missing (C7).
    assert_eq!(state.dirty(), [3]);
}

/// The syncs of one process share its connection.
#[test]
fn two_syncs_may_scan_their_tables_at_the_same_time() {
    let mut state = State::new();
    state.full_read(&[(1, "A")], "w1");
    state.deliver();
    let other = SyncIdentity { name: "orders".into(), table: "t2".into(), ..identity() };
    let opened = state.store.open_sync(&other, state.now).unwrap();
    let other = state.store.hold(&opened, "first", state.now).unwrap();
    state.store.begin_scan(&state.writer).unwrap();
    state.store.begin_scan(&other).unwrap();
    let print = draft("B").fingerprint();
    assert_eq!(state.seen(1, &record(1), Some(print)), 0, "it is linked already");
    assert_eq!(state.slots(1), "link ?", "and what was read is heeded");
    let looks: i64 =
        state.sql().query_row("SELECT count(*) FROM second_looks", [], |row| row.get(0)).unwrap();
    assert_eq!(looks, 0, "it is no second record");
}
