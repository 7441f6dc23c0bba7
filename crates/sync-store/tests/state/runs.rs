//! Runs: their counts while they are under way, and what becomes of those whose process is gone.

use sync_core::state::{Books, Outcome, StateStore as _, SyncIdentity};
use sync_store::{RunReport, StateReader};

use crate::fixture::{State, fault, identity, written};

fn newest(state: &State) -> RunReport {
    let reader = StateReader::open(&state.path()).unwrap();
    reader.runs("customers", 1).unwrap().remove(0)
}

#[test]
fn a_run_is_counted_while_it_is_under_way() {
    let mut state = State::new();
    state.capture(&[(9, "A")]);
    state.store.begin_run(&state.writer, state.now).unwrap();
    assert_eq!(newest(&state).books, Some(Books { waiting_before: 1, ..Books::default() }));
    state.capture(&[(1, "A"), (2, "fault x")]);
    state.deliver();
    let run = newest(&state);
    assert_eq!(run.status, "running");
    let books =
        Books { waiting_before: 1, read: 2, queued: 1, parked: 1, created: 2, ..Books::default() };
    assert_eq!((run.books, run.calls), (Some(books), 1));
    assert_eq!((run.processed, run.created), (2, 2));
}

/// A row that is put aside for a choice, say, and read again when that was added.
#[test]
fn a_row_that_is_parked_and_read_again_in_one_run_counts_once() {
    let mut state = State::new();
    state.capture(&[(7, "fault old")]);
    state.later(60);
    state.store.begin_run(&state.writer, state.now).unwrap();
    state.capture(&[(1, "A"), (2, "fault x"), (3, "fault y"), (7, "fault old")]);
    let books = |state: &State| newest(state).books.unwrap();
    let first = Books { read: 4, queued: 1, parked: 2, unchanged: 1, ..Books::default() };
    assert_eq!(books(&state), first);
    // One is mended, one is no better, and one was parked by an earlier run.
    state.capture(&[(2, "B"), (3, "fault y"), (7, "C")]);
    let expected = Books { read: 5, queued: 3, parked: 1, unchanged: 1, ..Books::default() };
    assert_eq!(books(&state), expected);
    assert!(expected.rows_balance());
    // What SmartSuite refuses was counted as an entry, not as a row that could not become a draft.
    let entry = state.call().entries.remove(0);
    state.settle(&entry, Outcome::Refused { fault: fault("too_long") });
    state.capture(&[(1, "D")]);
    assert_eq!((books(&state).read, books(&state).parked), (6, 1));
}

/// Killed with a call on its way: the counts so far balance with what it left.
#[test]
fn a_killed_run_becomes_interrupted_and_its_counts_balance() {
    let mut state = State::new();
    state.store.begin_run(&state.writer, state.now).unwrap();
    state.capture(&[(1, "A"), (2, "A"), (3, "fault x")]);
    let call = state.call();
    state.settle(&call.entries[0], written(&call.entries[0]));
    state.capture(&[(2, "B")]);
    state.later(60);
    state.restart();
    let run = newest(&state);
    assert_eq!(run.status, "interrupted");
    assert_eq!(run.code.as_deref(), Some("process_gone"));
    assert_eq!(run.completed_at, Some(state.now));
    let books = run.books.unwrap();
    assert!(books.rows_balance() && books.entries_balance(), "{books:?}");
    assert_eq!((books.created, books.waiting_after, books.quarantine), (1, 2, 1));
    // The next run begins with what is left, and its counts are its own.
    state.store.begin_run(&state.writer, state.now).unwrap();
    assert_eq!(newest(&state).books, Some(Books { waiting_before: 2, ..Books::default() }));
}

#[test]
fn what_happens_outside_of_a_run_is_counted_for_none() {
    let mut state = State::new();
    state.store.begin_run(&state.writer, state.now).unwrap();
    state.restart();
    let before = newest(&state);
    state.capture(&[(1, "A")]);
    let entry = state.single();
    state.settle(&entry, Outcome::Refused { fault: fault("x") });
    assert_eq!(newest(&state), before);
}

/// Also where no run follows, and as it left it: before the definition that it ran by is replaced.
#[test]
fn a_killed_run_is_counted_before_its_sync_gets_another_definition() {
    let mut state = State::new();
    let run = state.store.begin_run(&state.writer, state.now).unwrap();
    state.capture(&[(1, "A"), (2, "A")]);
    let elsewhere = SyncIdentity { table: "another".into(), ..identity() };
    state.store.open_sync(&elsewhere, state.now).unwrap();
    let sql = rusqlite::Connection::open(state.path()).unwrap();
    let (status, books): (String, String) = sql
        .query_row("SELECT status, books FROM runs WHERE id = ?", [run], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .unwrap();
    let books: Books = serde_json::from_str(&books).unwrap();
    assert_eq!((status.as_str(), books.queued, books.waiting_after), ("interrupted", 2, 2));
    assert!(books.rows_balance() && books.entries_balance(), "{books:?}");
}
