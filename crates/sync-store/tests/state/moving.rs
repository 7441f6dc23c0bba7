//! The state as text: written here, read elsewhere.

use std::io::Cursor;

use jiff::SignedDuration;
use sync_core::{
    key::Key,
    state::{
        FullReadReason, Outcome, StateError, StateStore as _, StreamEnd, StreamMarks,
        StreamPosition, SyncIdentity,
    },
};
use sync_store::{
    ImportError, Imported, ResetLevel, SqliteStore, StateReader, SyncLock, Trust, export,
};

use crate::fixture::{State, fault, identity, in_doubt, record};

fn exported(state: &State) -> String {
    let mut text = Vec::new();
    export(&state.path(), &mut text, state.now).unwrap();
    String::from_utf8(text).unwrap()
}

/// Another machine, on which this was imported and the sync opened.
fn moved(state: &State, text: &str, trust: Trust) -> State {
    let folder = tempfile::tempdir().unwrap();
    let mut store = SqliteStore::open(&folder.path().join("state.db")).unwrap();
    store.import(&mut Cursor::new(text), trust, state.now).unwrap();
    let sync = store.open_sync(&identity(), state.now).unwrap();
    let writer = store.hold(&sync, "there", state.now).unwrap();
    State { folder, store, identity: identity(), sync, writer, now: state.now }
}

fn import(text: &str) -> Result<Imported, ImportError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    let mut store = SqliteStore::open(&path).unwrap();
    let before = crate::fixture::dump(&rusqlite::Connection::open(&path).unwrap());
    let done = store.import(&mut Cursor::new(text), Trust::Newest, jiff::Timestamp::UNIX_EPOCH);
    if done.is_err() {
        let after = crate::fixture::dump(&rusqlite::Connection::open(&path).unwrap());
        assert_eq!(after, before, "all or nothing");
    }
    done
}

/// Links created, adopted and gone; one of unknown values; a look that is due.
fn varied() -> State {
    let mut state = State::new();
    state.full_read(&[(1, "A"), (2, "A"), (3, "A")], "w1");
    state.deliver();
    state.adopt(4, Some(crate::fixture::draft("D").fingerprint()));
    state.adopt(5, None);
    let marks = vec![Key::Int(4), Key::Int(5)];
    let ticket = state.begin_read();
    let chunk = sync_core::state::Chunk {
        answered: marks,
        ..state.chunk(ticket, &[(4, "D"), (5, "gone")])
    };
    state.store.capture(&state.writer, &chunk).unwrap();
    state.deliver();
    state
}

#[test]
fn a_state_at_rest_is_moved_as_it_is() {
    let state = varied();
    let mut there = moved(&state, &exported(&state), Trust::Newest);
    for key in 1..=5 {
        assert_eq!(there.slots(key), state.slots(key), "{key}");
    }
    assert_eq!(there.sync.watermark, state.sync.watermark.clone().or(there.sync.watermark.clone()));
    assert_eq!(there.sync.full_read, None, "its position is believed");
    assert_eq!(there.store.mark(&there.writer).unwrap(), Some(9));
    assert_eq!(there.linked(4), Some(record(4)));
    // Nothing to send, and nothing to ask.
    there.full_read(&[(1, "A"), (2, "A"), (3, "A"), (4, "D")], "w2");
    assert!(matches!(there.dispatch().0, sync_core::state::Dispatch::Nothing(None)));
    // The next export of it is the same but for its head.
    let tail = |text: &str| text.split_once('\n').map(|(_, tail)| tail.to_owned()).unwrap();
    assert_eq!(
        tail(&exported(&state)).replace("w1", "w2"),
        tail(&exported(&there)).replace("w1", "w2")
    );
}

/// D9: nobody says that the other installation rests.
#[test]
fn an_import_that_nobody_vouches_for_is_older_than_the_world() {
    let state = varied();
    let mut there = moved(&state, &exported(&state), Trust::Nothing);
    assert_eq!(there.sync.full_read, Some(FullReadReason::Imported));
    assert_eq!((there.slots(1), there.linked(1)), ("link ?".into(), Some(record(1))));
    let from = there.store.calls_from(&there.writer, there.now).unwrap();
    assert_eq!(from, Some(there.now + SignedDuration::from_secs(90)), "a create may be on its way");
    // What was created since, and whose rows went, must be known before a sweep counts.
    assert_eq!(there.store.mark(&there.writer).unwrap(), None);
}

/// What is believed archived is looked at where nobody vouches for it.
#[test]
fn an_import_looks_at_what_is_archived_unless_somebody_vouches_for_it() {
    let mut state = varied();
    state.adopt(7, None);
    state.capture(&[(7, "gone")]);
    state.dispatch();
    assert_eq!(state.slots(7), "link ? kept");
    for (trust, looks) in [(Trust::Nothing, 1), (Trust::Newest, 0)] {
        let mut there = moved(&state, &exported(&state), trust);
        there.later(90);
        let due = there.store.second_looks(&there.writer, there.now, 9).unwrap();
        assert_eq!(due.iter().filter(|look| look.key == Key::Int(7)).count(), looks);
    }
}

/// Two creates on their way, of which the later one is answered: the export lies between the two.
#[test]
fn creates_without_an_answer_lie_above_the_mark_that_is_moved() {
    let mut state = varied();
    state.later(10);
    state.capture(&[(7, "A"), (8, "A")]);
    let mut call = || {
        let request = sync_core::state::DispatchRequest { creates_max: 1, ..state.request() };
        match state.store.dispatch(&state.writer, &request).unwrap().0 {
            sync_core::state::Dispatch::Send(mut call) => call.entries.remove(0),
            other => panic!("{other:?}"),
        }
    };
    let (first, second) = (call(), call());
    state.settle(&second, Outcome::Written { record: record(8), autonumber: Some(12) });
    state.settle(&first, in_doubt(false, state.now));
    let text = exported(&state);
    let mut there = moved(&state, &text, Trust::Newest);
    assert_eq!(there.store.mark(&there.writer).unwrap(), Some(9));
    // An earlier program did not see to that.
    let earlier =
        text.replace("\"version\":2", "\"version\":1").replace("\"mark\":9", "\"mark\":12");
    let mut there = moved(&state, &earlier, Trust::Newest);
    assert_eq!(there.store.mark(&there.writer).unwrap(), None);
    let rests = exported(&varied()).replace("\"version\":2", "\"version\":1");
    let mut there = moved(&state, &rests, Trust::Newest);
    assert_eq!(there.store.mark(&there.writer).unwrap(), Some(9));
}

/// The last call of any installation has its time.
#[test]
fn a_second_import_does_not_shorten_the_wait_of_the_first() {
    let mut state = varied();
    let older = exported(&state).replace("\"customers\"", "\"orders\"");
    state.later(60);
    state.capture(&[(1, "B")]);
    state.deliver();
    let mut there = moved(&state, &exported(&state), Trust::Newest);
    let from = there.store.calls_from(&there.writer, there.now).unwrap();
    assert_eq!(from, Some(state.now + SignedDuration::from_secs(90)));
    there.store.import(&mut Cursor::new(older), Trust::Newest, there.now).unwrap();
    assert_eq!(there.store.calls_from(&there.writer, there.now).unwrap(), from);
}

/// What a state has of a sync without links is no part of what is imported: from its place in the log on, nothing would be
/// read of what changed before.
/// The file knows of more calls than the witness beside the state does.
#[test]
fn an_import_does_not_make_an_old_copy_new() {
    let mut state = State::new();
    state.full_read(&[(1, "A")], "w1");
    state.deliver();
    let old = state.folder.path().join("old.db");
    let whole = |path: &std::path::Path| {
        let state = rusqlite::Connection::open(path).unwrap();
        state.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
    };
    whole(&state.path());
    std::fs::copy(state.path(), &old).unwrap();
    state.capture(&[(1, "B")]);
    state.deliver();
    let mut other = State::with(SyncIdentity { name: "orders".into(), ..identity() });
    for word in ["A", "B", "C", "D", "E"] {
        other.capture(&[(1, word)]);
        other.deliver();
    }
    let text = exported(&other);
    let (path, now) = (state.path(), state.now);
    drop(state.store);
    std::fs::copy(&old, &path).unwrap();
    for beside in ["-wal", "-shm"] {
        let mut name = path.clone().into_os_string();
        name.push(beside);
        drop(std::fs::remove_file(name));
    }
    let mut store = SqliteStore::open(&path).unwrap();
    store.import(&mut Cursor::new(text), Trust::Newest, now).unwrap();
    let opened = store.open_sync(&identity(), now).unwrap();
    assert_eq!(opened.full_read, Some(FullReadReason::OlderState));
}

/// Whoever vouches for the file does not know what was sent from here since.
#[test]
fn an_old_export_is_not_believed_where_the_state_that_knew_more_was_lost() {
    let mut state = State::new();
    state.full_read(&[(1, "A")], "w1");
    state.deliver();
    let text = exported(&state);
    state.capture(&[(1, "B")]);
    state.deliver();
    let (path, now) = (state.path(), state.now);
    drop(state.store);
    for file in ["", "-wal", "-shm"] {
        let mut name = path.clone().into_os_string();
        name.push(file);
        drop(std::fs::remove_file(name));
    }
    let mut store = SqliteStore::open(&path).unwrap();
    store.import(&mut Cursor::new(text), Trust::Newest, now).unwrap();
    let opened = store.open_sync(&identity(), now).unwrap();
    assert_eq!(opened.full_read, Some(FullReadReason::Imported));
    let believed: i64 = rusqlite::Connection::open(&path)
        .unwrap()
        .query_row("SELECT count(*) FROM links WHERE fingerprint IS NOT NULL", [], |row| row.get(0))
        .unwrap();
    assert_eq!(believed, 0);
}

#[test]
fn a_place_in_the_log_does_not_outlive_an_import_and_what_was_asked_for_does() {
    let state = varied();
    let mut there = State::new();
    let position = StreamPosition("p".to_owned());
    let end = StreamEnd { position, as_of: there.now, retention: None };
    let marks = StreamMarks { writer: there.writer, keys: Vec::new(), full_read: None };
    there.store.mark_stream(&[marks], &end).unwrap();
    for asked in [None, Some(FullReadReason::Resync)] {
        if let Some(reason) = asked {
            let custody = there.store.take_custody("customers", "p", there.now).unwrap().unwrap();
            there.store.reset(&custody, ResetLevel::Sync).unwrap();
            there.store.release_custody(custody).unwrap();
            there.reopen().unwrap();
            there.full_read(&[], "w0");
            there.store.request_full_read(there.writer.sync, reason).unwrap();
        }
        there.store.import(&mut Cursor::new(exported(&state)), Trust::Newest, there.now).unwrap();
        there.reopen().unwrap();
        assert_eq!((there.sync.stream_position.clone(), there.sync.full_read), (None, asked));
        assert_eq!(there.slots(1), "link A");
    }
}

/// A vouched-for state that was not at rest: what waited is read again, and what was on its way is asked for.
#[test]
fn what_was_under_way_is_found_again() {
    let mut state = varied();
    state.later(10);
    state.capture(&[(1, "B"), (7, "A"), (8, "fault x")]);
    while let sync_core::state::Dispatch::Send(call) = state.dispatch().0 {
        for entry in &call.entries {
            match call.operation {
                sync_core::delivery::Operation::Create => {
                    state.settle(entry, in_doubt(false, state.now))
                }
                _ => state.settle(entry, Outcome::Refused { fault: fault("x") }),
            };
        }
    }
    let mut there = moved(&state, &exported(&state), Trust::Newest);
    assert_eq!(there.sync.full_read, Some(FullReadReason::Imported));
    assert_eq!(there.slots(1), "link ?", "what was sent to it and not answered may hold");
    assert_eq!(there.slots(2), "link A");
    let from = there.store.calls_from(&there.writer, there.now).unwrap();
    assert_eq!(from, Some(state.now + SignedDuration::from_secs(90)));
    assert_eq!(
        there.store.mark(&there.writer).unwrap(),
        Some(9),
        "the audit finds what was created above"
    );
    let books = there.full_read(&[(1, "B"), (2, "A"), (7, "A")], "w2");
    assert_eq!((books.queued, books.unchanged), (2, 1));
}

#[test]
fn a_file_that_is_not_whole_or_not_ours_changes_nothing() {
    let text = exported(&varied());
    let lines: Vec<&str> = text.lines().collect();
    let wrong = |text: &str| match import(text).unwrap_err() {
        ImportError::Line { line, problem } => (line, problem),
        other => panic!("{other}"),
    };
    let count = lines.len() as u64;
    assert_eq!(
        wrong(&lines[..lines.len() - 1].join("\n")),
        (count, "is missing: the file is not whole")
    );
    let cut = text.trim_end().strip_suffix('}').unwrap();
    assert_eq!(wrong(cut), (count, "is none of a state's export, or is cut off"));
    let without_a_link: Vec<&str> =
        lines.iter().filter(|line| !line.contains("\"key\":2")).copied().collect();
    assert!(wrong(&without_a_link.join("\n")).1.contains("the file is not whole"));
    assert!(wrong(&text.replace("\"version\":2", "\"version\":3")).1.contains("version"));
    assert_eq!(wrong("shopping notes").0, 1);
    assert_eq!(wrong(lines[1]).0, 1);
    let twice = format!("{}\n{text}", lines[..3].join("\n"));
    assert!(wrong(&twice).1.contains("wrong place"));
    let doubled = text.replace(lines[2], &format!("{}\n{}", lines[2], lines[2]));
    assert!(wrong(&doubled).1.contains("another link"));
    assert_eq!(import(&text).unwrap(), Imported { syncs: 1, links: 5 });
}

#[test]
fn what_the_state_knows_already_is_not_overwritten() {
    let mut state = varied();
    let text = exported(&state);
    let again = state.store.import(&mut Cursor::new(&text), Trust::Newest, state.now);
    assert!(matches!(again, Err(ImportError::Known(name)) if name == "customers"));
    let custody = state.store.take_custody("customers", "a person", state.now).unwrap().unwrap();
    let busy = state.store.import(&mut Cursor::new(&text), Trust::Newest, state.now);
    assert!(matches!(busy, Err(ImportError::Busy(_))));
    state.store.reset(&custody, ResetLevel::Sync).unwrap();
    state.store.release_custody(custody).unwrap();
    state.store.import(&mut Cursor::new(&text), Trust::Newest, state.now).unwrap();
    state.reopen().unwrap();
    assert_eq!(state.slots(1), "link A");
    assert!(
        SyncLock::try_take(&state.path(), state.sync.id, "customers").unwrap().is_some(),
        "the lock is free"
    );
}

#[test]
fn each_level_of_a_reset_forgets_what_it_says() {
    for level in ResetLevel::ALL {
        let mut state = varied();
        state.capture(&[(1, "B"), (8, "fault x"), (9, "A")]);
        let create = loop {
            let call = state.call();
            if call.operation == sync_core::delivery::Operation::Create {
                break call;
            }
        };
        let custody =
            state.store.take_custody("customers", "a person", state.now).unwrap().unwrap();
        let done = state.store.reset(&custody, level);
        if level == ResetLevel::Sync {
            let refused = StateError::UnresolvedCreates { sync: "customers".into(), creates: 1 };
            assert_eq!(done, Err(refused), "a create in doubt is not forgotten");
            continue;
        }
        done.unwrap();
        state.store.release_custody(custody).unwrap();
        state.reopen().unwrap();
        assert_eq!(state.sync.full_read, Some(FullReadReason::Reset));
        assert_eq!(state.sync.watermark, None);
        assert_eq!(
            state.slots(9),
            "doubt A",
            "{level:?}: it is looked up before it is created again"
        );
        assert_eq!(create.entries.len(), 1);
        let (two, eight, mark) = match level {
            ResetLevel::Position => ("link A", "parked fault x", Some(9)),
            ResetLevel::Values => ("link ?", "parked fault x", Some(9)),
            ResetLevel::Links | ResetLevel::Sync => ("", "", None),
        };
        assert_eq!((state.slots(2).as_str(), state.slots(8).as_str()), (two, eight), "{level:?}");
        assert_eq!(state.store.mark(&state.writer).unwrap(), mark);
    }
}

#[test]
fn a_sync_that_is_forgotten_is_as_new_and_its_holder_is_fenced() {
    let mut state = varied();
    state.store.begin_run(&state.writer, state.now).unwrap();
    state.sql().execute("UPDATE syncs SET candidates = 3", []).unwrap();
    let custody = state.store.take_custody("customers", "a person", state.now).unwrap().unwrap();
    state.store.reset(&custody, ResetLevel::Sync).unwrap();
    state.store.release_custody(custody).unwrap();
    assert_eq!(state.store.quarantined(&state.writer), Err(StateError::Fenced));
    state.reopen().unwrap();
    assert_eq!(state.sync.full_read, Some(FullReadReason::First));
    for table in ["links", "outbox", "dirty", "second_looks", "runs", "effects"] {
        let rows = crate::fixture::rows(&state.sql(), &format!("SELECT count(*) FROM {table}"));
        assert_eq!(rows, ["0"], "{table}");
    }
    let report = StateReader::open(&state.path()).unwrap().sync("customers").unwrap().unwrap();
    assert_eq!(report.candidates, 0, "nobody is asked for a yes any more");
    assert_eq!(state.store.mark(&state.writer).unwrap(), None);
}
