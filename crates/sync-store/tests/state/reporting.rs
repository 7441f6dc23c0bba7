//! What the state says to those who only ask.

use std::{fs, path::Path, time::Duration};

use jiff::{SignedDuration, Timestamp, civil::date};
use rusqlite::Connection;
use sync_core::{
    key::Key,
    pace::Rate,
    port::Watermark,
    record::RecordId,
    state::{
        Books, CallKind, Chunk, FullReadReason, Outcome, ReadTicket, RunEnd, RunStatus, StateError,
        StateStore as _, Stop, StreamEnd, StreamMarks, StreamPosition, SyncIdentity,
    },
};
use sync_store::{
    CallCount, DestinationReport, Holder, QuarantineCount, StateReader, SyncReport, SyncStatistics,
};

use crate::fixture::{State, fault, identity, in_doubt, record, whole};

fn reader(state: &State) -> StateReader {
    StateReader::open(&state.path()).unwrap()
}

fn report(state: &State) -> SyncReport {
    reader(state).sync("customers").unwrap().unwrap()
}

fn end(status: RunStatus, books: Books) -> RunEnd {
    RunEnd { status, books, calls: 3, error: None, code: None }
}

#[test]
fn a_new_sync_has_done_nothing_yet() {
    let state = State::new();
    assert_eq!(
        reader(&state).syncs().unwrap(),
        [SyncReport {
            name: "customers".into(),
            destination: Some(DestinationReport {
                host: "app.smartsuite.com".into(),
                account: "s1234567".into(),
                table: "t1".into(),
            }),
            first_run_at: None,
            last_success: None,
            last_sync_time: None,
            watermark: None,
            full_read: Some(FullReadReason::First),
            waiting: 0,
            next_send: None,
            oldest_unsent: None,
            held: 0,
            candidates: 0,
            swept_at: None,
            full_read_at: None,
            sending: 0,
            in_doubt: 0,
            in_doubt_elsewhere: 0,
            quarantined: Vec::new(),
            dirty: 0,
            unread_as_of: None,
            left_out: Vec::new(),
            shared_ids: 0,
            stopped: None,
            stream: None,
            holder: Some(Holder { name: "first".into(), heartbeat_at: state.now, is_seen: false }),
        }]
    );
    assert_eq!(reader(&state).sync("unknown").unwrap(), None);
    assert_eq!(reader(&state).runs("customers", 9).unwrap(), []);
    assert_eq!(reader(&state).statistics("customers").unwrap(), SyncStatistics::default());
}

#[test]
fn what_waits_is_sent_in_doubt_and_in_quarantine_is_counted() {
    let mut state = State::new();
    state.full_read(&[(1, "A"), (2, "A"), (3, "A"), (4, "A")], "w1");
    let call = state.call();
    state.settle(&call.entries[0], in_doubt(false, state.now));
    state.settle(&call.entries[1], Outcome::Refused { fault: fault("too_long") });
    let later = state.now + SignedDuration::from_secs(30);
    state.settle(&call.entries[2], Outcome::Back { group: None, not_before: later });
    state.capture(&[(5, "fault x"), (6, "fault x")]);
    state.adopt(7, None);
    assert_eq!(reader(&state).links("customers").unwrap(), 1);
    let report = report(&state);
    assert_eq!((report.waiting, report.sending, report.in_doubt, report.dirty), (1, 1, 1, 1));
    assert_eq!(report.next_send, Some(later));
    let count =
        |code: &str, rows| QuarantineCount { code: code.into(), slug: Some("title".into()), rows };
    assert_eq!(report.quarantined, [count("fault x", 2), count("too_long", 1)]);
    assert_eq!(report.watermark, Some(Watermark("w1".into())));
    assert_eq!(report.last_sync_time, Some(state.now));
    assert_eq!(reader(&state).last_sync_time("customers").unwrap(), Some(state.now));
    assert_eq!(report.full_read, None);
}

#[test]
fn records_are_as_fresh_as_the_oldest_row_that_waits() {
    let mut state = State::new();
    assert_eq!(report(&state).fresh_as_of(), None);
    let read_at = state.now;
    state.full_read(&[(1, "A")], "w1");
    state.later(60);
    state.full_read(&[(1, "A"), (2, "A")], "w2");
    assert_eq!(report(&state).fresh_as_of(), Some(read_at));
    let call = state.call();
    for entry in &call.entries {
        state.settle(entry, Outcome::Refused { fault: fault("too_long") });
    }
    assert_eq!(report(&state).fresh_as_of(), Some(state.now), "what is refused waits for people");
}

/// Moves the stream to its place at this moment, after these keys or what it could not name; the time up to which records are
/// fresh after that.
fn named(state: &mut State, keys: &[i64], full_read: Option<FullReadReason>) -> Option<Timestamp> {
    let keys = keys.iter().copied().map(Key::Int).collect();
    let marks = StreamMarks { writer: state.writer, keys, full_read };
    let position = StreamPosition("p".into());
    let end = StreamEnd { position, as_of: state.now, retention: None };
    state.store.mark_stream(&[marks], &end).unwrap();
    report(state).fresh_as_of()
}

/// Reads these keys again, and finds their rows as they were; the time up to which records are fresh after that.
fn read_again(state: &mut State, ticket: ReadTicket, keys: &[i64]) -> Option<Timestamp> {
    let rows: Vec<(i64, &str)> = keys.iter().map(|key| (*key, "A")).collect();
    let answered = keys.iter().copied().map(Key::Int).collect();
    let chunk = Chunk { answered, ..state.chunk(ticket, &rows) };
    state.store.capture(&state.writer, &chunk).unwrap();
    report(state).fresh_as_of()
}

/// Two records in step, and a stream that has named nothing.
fn following() -> State {
    let mut state = State::new();
    state.full_read(&[(1, "A"), (2, "A")], "w1");
    state.deliver();
    state.later(60);
    assert_eq!(named(&mut state, &[], None), Some(state.now));
    state
}

/// Catches: a stream that has named changes for hours which nobody has read, and records that count as fresh as its position.
#[test]
fn records_are_no_fresher_than_the_oldest_key_that_was_named_and_not_read() {
    let mut state = following();
    let before = state.now;
    state.later(60);
    assert_eq!(named(&mut state, &[1], None), Some(before), "the change is younger than that");
    state.later(60);
    assert_eq!(named(&mut state, &[], None), Some(before), "and still not read");
    // A mark that is made anew, by whomever, is no younger for it.
    named(&mut state, &[1, 2], None);
    state.store.request_reads(state.writer.sync, &[Key::Int(1)]).unwrap();
    assert_eq!(report(&state).fresh_as_of(), Some(before));
    let ticket = state.begin_read();
    assert_eq!(read_again(&mut state, ticket, &[1]), Some(before), "one of two");
    // One that was named since the read began is not read.
    let ticket = state.begin_read();
    named(&mut state, &[2], None);
    assert_eq!(read_again(&mut state, ticket, &[2]), Some(before));
    let ticket = state.begin_read();
    assert_eq!(read_again(&mut state, ticket, &[2]), Some(state.now));
    state.restart();
    let before = state.now;
    state.later(60);
    assert_eq!(
        named(&mut state, &[2], None),
        Some(before),
        "the next one counts from its own time"
    );
}

/// Catches: an emptied table whose rows are all to be read again, and records that count as fresh meanwhile.
#[test]
fn records_are_no_fresher_than_what_the_stream_could_not_name() {
    let mut state = following();
    let before = state.now;
    state.later(60);
    let first = state.begin_read();
    assert_eq!(named(&mut state, &[], Some(FullReadReason::LogGap)), Some(before));
    state.later(60);
    assert_eq!(named(&mut state, &[], Some(FullReadReason::LogGap)), Some(before));
    // A full read that began before may have missed it.
    let end = |ticket| Some(whole(ticket, Some("w2")));
    let chunk = Chunk { end: end(first), ..state.chunk(first, &[]) };
    state.store.capture(&state.writer, &chunk).unwrap();
    assert_eq!(report(&state).fresh_as_of(), Some(before));
    state.full_read(&[(1, "A"), (2, "A")], "w3");
    assert_eq!(report(&state).fresh_as_of(), Some(state.now));
}

/// Catches: a sync that follows the log no more, and whose records are as old as the day it left for ever after.
#[test]
fn the_position_of_a_stream_that_was_left_says_nothing_of_records() {
    let mut state = following();
    state.later(60);
    state.store.leave_stream(&state.writer).unwrap();
    state.full_read(&[(1, "A"), (2, "A")], "w2");
    let shown = report(&state);
    assert_eq!((shown.fresh_as_of(), shown.stream), (Some(state.now), None));
    state.restart();
    assert_eq!(state.sync.stream_position, Some(StreamPosition("p".into())), "for its return");
    named(&mut state, &[], None);
    assert!(report(&state).stream.is_some());
}

/// Without a stream, too: what is marked is known to be amiss.
#[test]
fn records_are_no_fresher_than_the_last_read_before_a_mark() {
    let mut state = State::new();
    state.full_read(&[(1, "A")], "w1");
    state.deliver();
    let before = state.now;
    state.later(60);
    state.store.mark_dirty(&state.writer, &[Key::Int(1)]).unwrap();
    state.full_read(&[(1, "A")], "w2");
    assert_eq!(report(&state).fresh_as_of(), Some(before), "this read may be older than the mark");
    let ticket = state.begin_read();
    assert_eq!(read_again(&mut state, ticket, &[1]), Some(state.now));
}

/// Catches: a first load that is under way while the log is read, and whose records count as fresh.
#[test]
fn where_a_log_is_followed_nothing_is_fresh_before_the_first_read() {
    let mut state = State::new();
    let marks = StreamMarks {
        writer: state.writer,
        keys: Vec::new(),
        full_read: Some(FullReadReason::First),
    };
    let as_of = state.now;
    let position = StreamPosition("p1".into());
    let end = StreamEnd { position, as_of, retention: None };
    state.store.mark_stream(&[marks], &end).unwrap();
    assert_eq!(report(&state).fresh_as_of(), None);
    state.later(60);
    state.full_read(&[(1, "A")], "w1");
    let call = state.call();
    state.settle(&call.entries[0], Outcome::Refused { fault: fault("too_long") });
    assert_eq!(report(&state).fresh_as_of(), Some(as_of));
}

#[test]
fn records_age_from_the_first_run_on_until_a_read_has_ended() {
    let mut state = State::new();
    assert_eq!(report(&state).aged_from(), None);
    let began = state.now;
    state.store.begin_run(&state.writer, state.now).unwrap();
    state.later(60);
    state.store.begin_run(&state.writer, state.now).unwrap();
    state.capture(&[(1, "A")]);
    let position = StreamPosition("p".into());
    let end = StreamEnd { position, as_of: state.now, retention: None };
    let marks = StreamMarks { writer: state.writer, keys: Vec::new(), full_read: None };
    state.store.mark_stream(&[marks], &end).unwrap();
    let shown = report(&state);
    assert_eq!((shown.fresh_as_of(), shown.aged_from()), (None, Some(began)), "however far a log");
    state.full_read(&[(1, "A")], "w1");
    state.deliver();
    let shown = report(&state);
    assert_eq!((shown.fresh_as_of(), shown.aged_from()), (Some(state.now), Some(state.now)));
}

#[test]
fn the_run_that_stored_something_is_found_by_its_time() {
    let mut state = State::new();
    let before = state.now;
    state.later(60);
    let (began, one) = (state.now, state.store.begin_run(&state.writer, state.now).unwrap());
    state.later(60);
    let during = state.now;
    state
        .store
        .end_run(&state.writer, one, &end(RunStatus::Success, Books::default()), during)
        .unwrap();
    state.later(60);
    let (later, two) = (state.now, state.store.begin_run(&state.writer, state.now).unwrap());
    for (at, run) in [(before, None), (began, Some(one)), (during, Some(one)), (later, Some(two))] {
        let found = reader(&state).run_at("customers", at).unwrap();
        assert_eq!(found.map(|run| run.id), run, "{at}");
    }
}

#[test]
fn counts_of_one_sync_are_not_anothers() {
    let mut state = State::new();
    state.capture(&[(1, "A"), (2, "fault x")]);
    let other = SyncIdentity { name: "a first one".into(), ..identity() };
    state.store.open_sync(&other, state.now).unwrap();
    let reports = reader(&state).syncs().unwrap();
    let counts: Vec<_> = reports
        .iter()
        .map(|report| (report.name.as_str(), report.waiting, report.quarantined.len()))
        .collect();
    assert_eq!(counts, [("a first one", 0, 0), ("customers", 1, 1)]);
}

#[test]
fn what_is_in_doubt_at_an_earlier_table_is_not_forgotten() {
    let mut state = State::new();
    state.capture(&[(1, "A")]);
    state.call();
    state.identity.table = "t2".into();
    state.restart();
    let report = report(&state);
    assert_eq!((report.sending, report.in_doubt, report.in_doubt_elsewhere), (0, 0, 1));
}

#[test]
fn a_stopped_sync_says_why() {
    let mut state = State::new();
    let stop = Stop {
        code: "refused".into(),
        message: "why".into(),
        remedy: "how".into(),
        key: None,
        until: Some(state.now),
        only_creates: true,
    };
    state.store.set_stop(&state.writer, Some(&stop)).unwrap();
    assert_eq!(report(&state).stopped, Some(stop));
    state.store.set_stop(&state.writer, None).unwrap();
    assert_eq!(report(&state).stopped, None);
}

#[test]
fn the_holder_is_told_with_the_age_of_its_heartbeat() {
    let mut state = State::new();
    state.later(60);
    state.store.heartbeat(&state.writer, state.now).unwrap();
    state.later(5);
    let holder = report(&state).holder.unwrap();
    assert_eq!(
        (holder.name.as_str(), holder.age(state.now)),
        ("first", SignedDuration::from_secs(5))
    );
    state.store.release(&state.writer).unwrap();
    assert_eq!(report(&state).holder, None);
}

#[test]
fn runs_are_told_newest_first_with_counts_calls_and_duration() {
    let mut state = State::new();
    let began = state.now;
    let run = state.store.begin_run(&state.writer, state.now).unwrap();
    state.later(90);
    let books = Books { read: 7, created: 2, updated: 1, unchanged: 4, ..Books::default() };
    state.store.end_run(&state.writer, run, &end(RunStatus::Success, books), state.now).unwrap();
    let succeeded = state.now;
    state.later(60);
    let failed = state.store.begin_run(&state.writer, state.now).unwrap();
    let running = &reader(&state).runs("customers", 1).unwrap()[0];
    assert_eq!(
        (running.status.as_str(), running.duration(), running.books),
        ("running", None, Some(Books::default()))
    );
    let failure = RunEnd {
        error: Some("SmartSuite could not be reached".into()),
        code: Some("smartsuite_unreachable".into()),
        ..end(RunStatus::Failed, Books::default())
    };
    state.store.end_run(&state.writer, failed, &failure, state.now).unwrap();

    let runs = reader(&state).runs("customers", 9).unwrap();
    assert_eq!(runs.len(), 2);
    assert_eq!((runs[0].id, runs[0].status.as_str()), (failed, "failed"));
    assert_eq!(runs[0].error.as_deref(), Some("SmartSuite could not be reached"));
    assert_eq!(runs[0].code.as_deref(), Some("smartsuite_unreachable"));
    assert_eq!((runs[1].id, runs[1].status.as_str()), (run, "success"));
    assert_eq!(runs[1].duration(), Some(SignedDuration::from_secs(90)));
    assert_eq!(runs[1].books, Some(books));
    let counts =
        (runs[1].processed, runs[1].created, runs[1].updated, runs[1].skipped, runs[1].calls);
    assert_eq!(counts, (7, 2, 1, 4, 3));

    assert_eq!(report(&state).last_success, Some(succeeded));
    assert_eq!(
        reader(&state).statistics("customers").unwrap(),
        SyncStatistics {
            runs: 2,
            successful: 1,
            failed: 1,
            processed: 7,
            created: 2,
            updated: 1,
            skipped: 4,
            calls: 6,
            first_run: Some(began),
            last_run: Some(state.now),
        }
    );
}

#[test]
fn quarantined_rows_are_told_page_by_page_with_reason_and_next_try() {
    let mut state = State::new();
    state.capture(&[(1, "A")]);
    let entry = state.single();
    state.settle(&entry, Outcome::Refused { fault: fault("too_long") });
    state.capture(&[(2, "fault x"), (3, "fault y")]);
    let reader = reader(&state);
    let first = reader.quarantine("customers", None, 2).unwrap();
    assert_eq!(first.len(), 2);
    assert_eq!((&first[0].key, &first[1].key), (&Key::Int(1), &Key::Int(2)));
    assert_eq!(first[0].fault, fault("too_long"));
    assert_eq!(first[0].refusals, 1);
    assert_eq!(first[0].since, state.now);
    assert_eq!(first[0].next_try, state.now + SignedDuration::from_hours(1));
    let second = reader.quarantine("customers", Some(first[1].id), 2).unwrap();
    assert_eq!(second.len(), 1);
    assert_eq!(second[0].fault, fault("fault y"));
    assert_eq!(reader.quarantine("customers", Some(second[0].id), 2).unwrap(), []);
}

#[test]
fn a_quarantined_row_does_not_show_its_values_by_accident() {
    let mut state = State::new();
    state.capture(&[(4711, "fault x")]);
    let shown = format!("{:?}", reader(&state).quarantine("customers", None, 9).unwrap());
    assert!(!shown.contains("4711") && !shown.contains("because"), "{shown}");
}

#[test]
fn calls_are_told_by_day_and_kind() {
    let mut state = State::new();
    let mut depart = |kind, now: &str| {
        let now: Timestamp = now.parse().unwrap();
        state.store.depart(state.sync.id, "digest", kind, Rate(4), now).unwrap();
    };
    depart(Some(CallKind::Scan), "2026-11-22T23:59:59Z");
    depart(Some(CallKind::Scan), "2026-11-23T00:00:00Z");
    depart(Some(CallKind::Audit), "2026-11-23T12:00:00Z");
    depart(Some(CallKind::Scan), "2026-11-23T12:00:00Z");
    depart(None, "2026-11-23T12:00:00Z");
    state.capture(&[(1, "A")]);
    state.call();
    let calls = |day, kind, calls| CallCount { day, sync: "customers".into(), kind, calls };
    let today = date(2026, 11, 23);
    assert_eq!(
        reader(&state).calls(today).unwrap(),
        [
            calls(today, CallKind::Audit, 1),
            calls(today, CallKind::Create, 1),
            calls(today, CallKind::Scan, 2),
        ]
    );
    assert_eq!(reader(&state).calls(date(2026, 11, 22)).unwrap().len(), 4);
}

#[test]
fn a_closed_gate_is_told_until_it_opens() {
    let mut state = State::new();
    assert_eq!(reader(&state).gate_closed_until(state.now).unwrap(), None);
    state.store.close_gate("digest", None, Duration::from_millis(1), state.now).unwrap();
    let until = state.now + SignedDuration::from_millis(30_001);
    assert_eq!(reader(&state).gate_closed_until(state.now).unwrap(), Some(until));
    assert_eq!(reader(&state).gate_closed_until(until).unwrap(), None);
}

#[test]
fn a_rows_record_is_found_by_its_key() {
    let mut state = State::new();
    state.capture(&[(1, "A"), (2, "A")]);
    state.deliver();
    state.capture(&[(2, "B")]);
    let entry = state.single();
    state.settle(&entry, Outcome::Missing);
    let reader = reader(&state);
    assert_eq!(reader.record_of("customers", "1").unwrap(), Some(record(1)));
    assert_eq!(reader.record_of("customers", "01").unwrap(), None);
    assert_eq!(reader.record_of("customers", "2").unwrap(), None, "it is missing");
    assert_eq!(reader.record_of("other", "1").unwrap(), None);
}

#[test]
fn a_composite_key_is_asked_for_as_record_mappings_shows_it() {
    let mut state = State::new();
    let seen = sync_core::state::SeenLink {
        key: Some(Key::Text("7|A\\|B".into())),
        record: RecordId("r".into()),
        fingerprint: None,
        origin: sync_core::state::Origin::Adopted,
    };
    state.store.begin_scan(&state.writer).unwrap();
    state.store.link_seen(&state.writer, &[seen], None, state.now).unwrap();
    let shown: String = state
        .sql()
        .query_row("SELECT source_id FROM record_mappings", [], |row| row.get(0))
        .unwrap();
    let record = reader(&state).record_of("customers", &shown).unwrap();
    assert_eq!(record, Some(RecordId("r".into())));
}

#[test]
fn a_reader_sees_what_a_writer_stored_and_keeps_it_from_nothing() {
    let mut state = State::new();
    let reader = reader(&state);
    let ask = || reader.sync("customers").unwrap().unwrap().waiting;
    assert_eq!(ask(), 0);
    state.capture(&[(1, "A")]);
    assert_eq!(ask(), 1);
    // A reader that stands in the middle of its reading.
    let other = Connection::open(state.path()).unwrap();
    other.execute_batch("BEGIN; SELECT * FROM outbox").unwrap();
    state.capture(&[(2, "A")]);
    state.dispatch();
    assert_eq!(ask(), 0);
}

#[test]
fn asking_changes_nothing() {
    let mut state = State::new();
    state.capture(&[(1, "A")]);
    let before = state.dump();
    let reader = reader(&state);
    reader.syncs().unwrap();
    reader.runs("customers", 1).unwrap();
    assert_eq!(state.dump(), before);
}

#[test]
fn no_file_and_an_empty_file_are_no_state_yet() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    let missing = StateError::Missing { path: path.display().to_string() };
    assert_eq!(StateReader::open(&path).unwrap_err(), missing);
    assert!(!path.exists(), "asking does not make it");
    fs::write(&path, "").unwrap();
    assert_eq!(StateReader::open(&path).unwrap_err(), missing);
    assert_eq!(fs::read(&path).unwrap(), b"");
}

/// Opening for reading fails with this code and leaves the file as it is.
fn refused(path: &Path) -> &'static str {
    let before = fs::read(path).unwrap();
    let error = StateReader::open(path).unwrap_err();
    assert_eq!(fs::read(path).unwrap(), before);
    error.code()
}

#[test]
fn a_file_of_another_version_is_named_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let old = folder.path().join("old.db");
    Connection::open(&old).unwrap().execute_batch(include_str!("python_program.sql")).unwrap();
    assert_eq!(refused(&old), "state_older");

    let state = State::new();
    state.sql().pragma_update(None, "user_version", 99).unwrap();
    drop(state.sql());
    let error = StateReader::open(&state.path()).unwrap_err();
    assert!(matches!(error, StateError::Newer { found: 99, .. }), "{error:?}");
}

#[test]
fn another_programs_file_and_garbage_are_no_state() {
    let folder = tempfile::tempdir().unwrap();
    let other = folder.path().join("other.db");
    Connection::open(&other).unwrap().execute_batch("CREATE TABLE cats (name)").unwrap();
    assert_eq!(refused(&other), "state_corrupt");
    let garbage = folder.path().join("garbage.db");
    fs::write(&garbage, "not a database, but long enough to be read as one".repeat(100)).unwrap();
    assert_eq!(refused(&garbage), "state_corrupt");
    assert_eq!(StateReader::open(folder.path()).unwrap_err().code(), "state_not_writable");
}
