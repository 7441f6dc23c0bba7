//! Quarantine: when rows are tried again, with whom they travel, and what is kept of them.

use jiff::SignedDuration;
use sync_core::{
    key::Key,
    state::{Books, CallEntry, Chunk, Outcome, Settlement, StateError, StateStore as _, Stop},
};
use sync_store::{Keeping, QuarantineFilter, StateReader, SyncLock};

use crate::fixture::{State, back, fault};

/// These keys, refused.
fn refused(state: &mut State, keys: std::ops::Range<i64>) {
    let rows: Vec<(i64, &str)> = keys.map(|key| (key, "A")).collect();
    state.capture(&rows);
    while let sync_core::state::Dispatch::Send(call) = state.dispatch().0 {
        for entry in &call.entries {
            state.settle(entry, Outcome::Refused { fault: fault("too_long") });
        }
    }
}

fn keys(entries: &[CallEntry]) -> Vec<i64> {
    entries.iter().map(|entry| entry.key.text().parse().unwrap()).collect()
}

fn release(state: &mut State) -> Books {
    state.store.release_quarantine(&state.writer, state.now, true).unwrap()
}

#[test]
fn quarantined_rows_are_tried_after_1_6_and_24_hours_then_daily() {
    let mut state = State::new();
    state.capture(&[(1, "A")]);
    for hours in [1, 6, 24, 24] {
        let entry = state.single();
        let books = state.settle(&entry, Outcome::Refused { fault: fault("too_long") });
        assert_eq!(books.quarantined, 1);
        let due = state.now + SignedDuration::from_hours(hours);
        let early = due - SignedDuration::from_secs(1);
        let released = state.store.release_quarantine(&state.writer, early, false).unwrap();
        assert_eq!(released.released, 0, "before {hours} h");
        let released = state.store.release_quarantine(&state.writer, due, false).unwrap();
        assert_eq!(released.released, 1, "after {hours} h");
        state.now = due;
    }
}

#[test]
fn a_faulty_row_is_read_again_when_it_is_due() {
    let mut state = State::new();
    state.capture(&[(1, "fault x"), (2, "fault y")]);
    state.store.release_quarantine(&state.writer, state.now, false).unwrap();
    assert_eq!(state.dirty(), [0; 0]);
    state.later(3600);
    state.store.release_quarantine(&state.writer, state.now, false).unwrap();
    assert_eq!(state.dirty(), [1, 2]);
    assert_eq!(state.slots(1), "parked fault x");
    let ticket = state.begin_read();
    let answered = vec![Key::Int(1), Key::Int(2)];
    let chunk = Chunk { answered, ..state.chunk(ticket, &[(1, "A")]) };
    state.store.capture(&state.writer, &chunk).unwrap();
    assert_eq!(state.slots(1), "waiting A");
    assert_eq!(state.dirty(), [0; 0]);
}

#[test]
fn released_rows_travel_together_after_healthy_ones() {
    let mut state = State::new();
    refused(&mut state, 0..60);
    state.capture(&[(100, "B"), (101, "C")]);
    assert_eq!(release(&mut state), Books { released: 60, ..Books::default() });
    assert_eq!(keys(&state.call().entries), [100, 101], "healthy rows do not wait");
    let sizes = [(); 3].map(|()| {
        let entries = state.call().entries;
        assert!(entries.iter().all(|entry| entry.refusals == 1));
        entries.len()
    });
    assert_eq!(sizes, [25, 25, 10], "sixty rows that are healed cost three calls");
}

/// The halves of a refused call are seen through before the other released rows, and healthy rows go before both.
#[test]
fn a_split_call_of_released_rows_stays_behind_healthy_ones() {
    let mut state = State::new();
    refused(&mut state, 0..50);
    release(&mut state);
    let call = state.call();
    let settlements: Vec<Settlement> = call
        .entries
        .iter()
        .enumerate()
        .map(|(item, entry)| Settlement {
            id: entry.id,
            outcome: Outcome::Back { group: Some(u32::from(item >= 13)), not_before: state.now },
        })
        .collect();
    state.store.settle(&state.writer, &settlements, state.now).unwrap();
    state.capture(&[(100, "B")]);
    assert_eq!(keys(&state.call().entries), [100]);
    let mut halves = [state.call().entries.len(), state.call().entries.len()];
    halves.sort_unstable();
    assert_eq!(halves, [12, 13]);
    assert_eq!(state.call().entries.len(), 25);
}

/// They stand in quarantine as before.
#[test]
fn the_rest_of_a_retry_can_be_put_off() {
    let mut state = State::new();
    refused(&mut state, 0..40);
    release(&mut state);
    let call = state.call();
    state.settle(&call.entries[0], back(state.now));
    let books = state.store.put_off_retries(&state.writer, state.now, false).unwrap();
    assert_eq!(books, Books { quarantined: 1, ..Books::default() }, "what was sent and came back");
    let books = state.store.put_off_retries(&state.writer, state.now, true).unwrap();
    assert_eq!(books, Books { quarantined: 15, ..Books::default() });
    assert_eq!(state.store.backlog(&state.writer).unwrap(), (24, 16));
    let codes: i64 = state
        .sql()
        .query_row("SELECT count(*) FROM outbox WHERE state = 2 AND code = 'too_long'", [], |row| {
            row.get(0)
        })
        .unwrap();
    assert_eq!(codes, 16, "their reasons are kept");
    let early = state.now + SignedDuration::from_mins(59);
    assert_eq!(state.store.release_quarantine(&state.writer, early, false).unwrap().released, 0);
    let due = state.now + SignedDuration::from_hours(1);
    assert_eq!(state.store.release_quarantine(&state.writer, due, false).unwrap().released, 16);
}

/// A create that is tried again and gets no answer is not taken for one that was refused.
#[test]
fn an_old_complaint_is_forgotten_when_the_row_is_sent_again() {
    let mut state = State::new();
    refused(&mut state, 1..2);
    release(&mut state);
    state.call();
    state.restart();
    state.later(5);
    let doubts = state.doubts();
    assert_eq!((doubts.len(), doubts[0].fault.is_none()), (1, true));
}

#[test]
fn a_draft_that_is_not_kept_is_read_again_and_then_tried() {
    let mut state = State::new();
    state.store.set_keeping(Keeping { payload: false, ..Keeping::default() });
    refused(&mut state, 1..2);
    let kept: i64 = state
        .sql()
        .query_row("SELECT count(*) FROM outbox WHERE fields IS NOT NULL", [], |row| row.get(0))
        .unwrap();
    assert_eq!(kept, 0);
    // The same row again changes nothing: it would be sent with every run.
    assert_eq!(state.capture(&[(1, "A")]), Books { read: 1, unchanged: 1, ..Books::default() });
    assert_eq!(release(&mut state), Books::default());
    assert_eq!(state.dirty(), [1]);
    let books = state.capture(&[(1, "A"), (2, "B")]);
    assert_eq!(books, Books { read: 2, queued: 2, ..Books::default() });
    assert_eq!(keys(&state.call().entries), [2], "apart from healthy rows");
    let entry = state.single();
    assert_eq!(entry.refusals, 2, "it is remembered how often");
    state.settle(&entry, Outcome::Refused { fault: fault("too_long") });
    let due = state.now + SignedDuration::from_hours(23);
    state.store.release_quarantine(&state.writer, due, false).unwrap();
    assert_eq!(state.slots(1), "parked too_long");
}

#[test]
fn the_cells_of_a_faulty_row_are_kept_if_that_is_wanted() {
    for (payload, expected) in [(true, Some("{\"id\":\"1\"}".to_owned())), (false, None)] {
        let mut state = State::new();
        state.store.set_keeping(Keeping { payload, ..Keeping::default() });
        state.capture(&[(1, "fault x")]);
        let kept: Option<String> =
            state.sql().query_row("SELECT payload FROM outbox", [], |row| row.get(0)).unwrap();
        assert_eq!(kept, expected);
    }
}

#[test]
fn what_stands_in_quarantine_is_counted() {
    let mut state = State::new();
    refused(&mut state, 0..3);
    state.capture(&[(9, "fault x"), (10, "A")]);
    assert_eq!(state.store.quarantined(&state.writer).unwrap(), 4);
}

fn custody(state: &mut State) -> sync_store::Custody {
    state.store.take_custody("customers", "a person", state.now).unwrap().unwrap()
}

fn shown(state: &State, filter: &QuarantineFilter) -> Vec<String> {
    let reader = StateReader::open(&state.path()).unwrap();
    let rows = reader.quarantine_where("customers", filter, None, 100).unwrap();
    rows.iter().map(|row| row.key.text().into_owned()).collect()
}

fn of_key(key: &str) -> QuarantineFilter {
    QuarantineFilter { key: Some(key.to_owned()), ..QuarantineFilter::default() }
}

fn of_code(code: &str) -> QuarantineFilter {
    QuarantineFilter { code: Some(code.to_owned()), ..QuarantineFilter::default() }
}

/// C7: out of quarantine and to be read again, in one write.
#[test]
fn a_person_has_rows_tried_again() {
    let mut state = State::new();
    refused(&mut state, 1..4);
    state.capture(&[(9, "fault other")]);
    let custody = custody(&mut state);
    let retried = state.store.retry_quarantined(&custody, &of_key("2"), state.now).unwrap();
    assert_eq!(retried, 1);
    assert_eq!((state.slots(2), state.dirty_now()), ("waiting A".into(), vec![2]));
    let retried = state.store.retry_quarantined(&custody, &of_code("fault other"), state.now);
    assert_eq!(retried.unwrap(), 1);
    assert_eq!(state.dirty_now(), [2, 9]);
    assert_eq!(shown(&state, &QuarantineFilter::default()), ["1", "3", "9"]);
    assert_eq!(state.store.retry_quarantined(&custody, &of_key("77"), state.now).unwrap(), 0);
    state.store.release_custody(custody).unwrap();
    state.reopen().unwrap();
    assert_eq!(keys(&state.call().entries), [2]);
}

#[test]
fn a_person_has_rows_forgotten() {
    let mut state = State::new();
    refused(&mut state, 1..4);
    let custody = custody(&mut state);
    assert_eq!(state.store.drop_quarantined(&custody, &of_key("2")).unwrap(), 1);
    assert_eq!(shown(&state, &QuarantineFilter::default()), ["1", "3"]);
    assert_eq!(state.store.drop_quarantined(&custody, &of_code("too_long")).unwrap(), 2);
    state.store.release_custody(custody).unwrap();
    state.reopen().unwrap();
    // When it is read again, it is taken up again.
    assert_eq!(state.capture(&[(2, "A")]).queued, 1);
}

#[test]
fn what_was_refused_is_shown_with_its_values() {
    let mut state = State::new();
    refused(&mut state, 1..2);
    state.capture(&[(9, "fault x")]);
    let reader = StateReader::open(&state.path()).unwrap();
    let rows = reader.quarantine("customers", None, 9).unwrap();
    let payloads: Vec<&str> =
        rows.iter().map(|row| row.payload.as_ref().unwrap().0.as_str()).collect();
    assert_eq!(payloads, ["{\"title\":\"A\"}", "{\"id\":\"9\"}"]);
    assert!(!format!("{rows:?}").contains("title\\\":"), "values are not shown by accident");
}

fn a_stop() -> Stop {
    Stop {
        code: "quarantine_full".into(),
        message: String::new(),
        remedy: String::new(),
        key: None,
        until: None,
        only_creates: false,
    }
}

#[test]
fn a_sync_whose_quarantine_was_full_goes_on_when_a_person_made_room() {
    let full = a_stop();
    let mut state = State::new();
    refused(&mut state, 1..3);
    state.store.set_stop(&state.writer, Some(&full)).unwrap();
    let custody = custody(&mut state);
    state.store.drop_quarantined(&custody, &of_key("77")).unwrap();
    state.reopen().unwrap();
    assert_eq!(state.sync.stopped, Some(full));
    drop(custody);
    let custody = self::custody(&mut state);
    state.store.drop_quarantined(&custody, &of_key("1")).unwrap();
    state.reopen().unwrap();
    assert_eq!(state.sync.stopped, None);
}

/// Rows that could not become drafts are read again by the next run: there must be one.
#[test]
fn a_sync_whose_quarantine_was_full_goes_on_when_a_person_wants_its_rows_tried_again() {
    let mut state = State::new();
    state.capture(&[(1, "fault x"), (2, "fault x")]);
    let stop = a_stop();
    state.store.set_stop(&state.writer, Some(&stop)).unwrap();
    let custody = custody(&mut state);
    state.store.retry_quarantined(&custody, &of_key("77"), state.now).unwrap();
    state.reopen().unwrap();
    assert_eq!(state.sync.stopped, Some(stop), "no row is meant");
    drop(custody);
    let custody = self::custody(&mut state);
    assert_eq!(state.store.retry_quarantined(&custody, &of_key("1"), state.now), Ok(1));
    state.reopen().unwrap();
    assert_eq!(state.sync.stopped, None);
}

#[test]
fn a_sync_that_is_run_is_nobody_elses_to_change() {
    let mut state = State::new();
    let lock = SyncLock::try_take(&state.path(), state.sync.id, "customers").unwrap();
    assert!(state.store.take_custody("customers", "a person", state.now).unwrap().is_none());
    drop(lock);
    let custody = custody(&mut state);
    // Whoever ran it before is fenced.
    assert_eq!(state.store.quarantined(&state.writer), Err(StateError::Fenced));
    assert!(SyncLock::try_take(&state.path(), state.sync.id, "customers").unwrap().is_none());
    state.store.release_custody(custody).unwrap();
    assert!(SyncLock::try_take(&state.path(), state.sync.id, "customers").unwrap().is_some());
}
