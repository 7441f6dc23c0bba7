//! Sweeps, the guard before deletes, pages, and marks from outside (`protocol.md` C1, C4, C5, C8).

use jiff::Timestamp;
use sync_core::{
    deletes::{Going, GonePolicy},
    key::Key,
    port::Watermark,
    state::{
        Chunk, Extent, FullReadReason, Origin, Outcome, PageMark, ReadEnd, Settlement, StateError,
        StateStore as _, StreamEnd, StreamMarks, StreamPosition, SweepEnd, SweepTicket,
        SyncIdentity,
    },
};

use crate::fixture::{State, draft, identity, record, whole};

/// A sweep whose read shows these keys.
fn sweep(state: &mut State, shown: &[i64], allowed: Option<u64>) -> SweepEnd {
    let (writer, now) = (state.writer, state.now);
    let ticket = state.store.begin_sweep(&writer, now).unwrap();
    let keys: Vec<Key> = shown.iter().copied().map(Key::Int).collect();
    state.store.sweep(&writer, &keys).unwrap();
    state.store.end_sweep(&writer, ticket, allowed, now).unwrap()
}

/// The ticket of a sweep that began before all else.
const FIRST: SweepTicket =
    SweepTicket { began: Timestamp::UNIX_EPOCH, entries_before: 0, reads_before: i64::MAX };

/// Marks what the sweep found, and answers which keys that are.
fn marked(state: &mut State) -> Vec<i64> {
    while state.store.mark_candidates(&state.writer, FIRST, 2, state.now).unwrap() {}
    let dirty = state.store.dirty(&state.writer, 100).unwrap();
    assert!(dirty.iter().all(|dirty| dirty.suspected));
    state.dirty()
}

/// Rows 1 to `rows` with their records.
fn linked(rows: i64) -> State {
    let mut state = State::new();
    let all: Vec<(i64, &str)> = (1..=rows).map(|key| (key, "A")).collect();
    state.full_read(&all, "w1");
    state.deliver();
    state.later(60);
    state
}

#[test]
fn what_a_sweep_does_not_show_is_suspected() {
    let mut state = linked(8);
    // 9 only waits, 10 is in quarantine, 11 is wished gone already.
    state.capture(&[(9, "A"), (10, "fault x")]);
    let end = sweep(&mut state, &[1, 2, 3, 4, 5, 6, 7], None);
    assert_eq!((end.shown, end.going, end.asks), (7, Going { records: 1, of: 8 }, false));
    assert_eq!(marked(&mut state), [8, 9, 10]);
}

/// Syncs of one process share a connection, and may sweep at once.
#[test]
fn sweeps_of_two_syncs_at_once_do_not_mix() {
    let mut state = linked(4);
    let (one, now) = (state.writer, state.now);
    let other = SyncIdentity { name: "other".into(), ..identity() };
    let opened = state.store.open_sync(&other, now).unwrap();
    let other = state.store.hold(&opened, "p", now).unwrap();
    let ticket = state.store.begin_sweep(&one, now).unwrap();
    state.store.sweep(&one, &[1, 2].map(Key::Int)).unwrap();
    let others = state.store.begin_sweep(&other, now).unwrap();
    state.store.sweep(&other, &[4, 5].map(Key::Int)).unwrap();
    state.store.sweep(&one, &[Key::Int(3)]).unwrap();
    let end = state.store.end_sweep(&other, others, None, now).unwrap();
    assert_eq!((end.shown, end.going.records), (2, 0));
    let end = state.store.end_sweep(&one, ticket, None, now).unwrap();
    assert_eq!((end.shown, end.going), (3, Going { records: 1, of: 4 }));
    assert!(!state.store.mark_candidates(&other, FIRST, 2, state.now).unwrap());
    assert_eq!(marked(&mut state), [4]);
}

#[test]
fn a_sweep_that_shows_nothing_finds_nothing() {
    let mut state = linked(3);
    let end = sweep(&mut state, &[], Some(3));
    assert_eq!((end.shown, end.going.records), (0, 0));
    assert_eq!(marked(&mut state), [0_i64; 0]);
}

#[test]
fn what_came_while_the_sweep_read_is_no_candidate() {
    let mut state = linked(4);
    let ticket = state.store.begin_sweep(&state.writer, state.now).unwrap();
    state.later(5);
    state.capture(&[(5, "A")]);
    state.deliver();
    state.capture(&[(6, "A")]);
    state.store.sweep(&state.writer, &[1, 2, 3].map(Key::Int)).unwrap();
    state.store.end_sweep(&state.writer, ticket, None, state.now).unwrap();
    assert_eq!(marked(&mut state), [4]);
}

#[test]
fn a_record_that_was_kept_is_no_candidate_again() {
    let mut state = linked(4);
    state.adopt(7, Some(draft("A").fingerprint()));
    state.later(60);
    state.capture(&[(7, "gone")]);
    state.deliver();
    assert_eq!(state.slots(7), "link A kept");
    sweep(&mut state, &[1, 2, 3, 4], None);
    assert_eq!(marked(&mut state), [0; 0]);
}

#[test]
fn a_row_that_one_read_does_not_show_is_asked_for_once_more() {
    let mut state = linked(2);
    let ticket = state.begin_read();
    let chunk = Chunk {
        answered: vec![Key::Int(1)],
        ..state.chunk(ticket, &[(1, "unseen"), (9, "unseen")])
    };
    let books = state.store.capture(&state.writer, &chunk).unwrap();
    assert_eq!((books.read, books.suspected, books.unchanged), (2, 1, 1));
    assert_eq!((state.slots(1).as_str(), state.dirty()), ("link A", vec![1]));
    assert!(state.store.dirty(&state.writer, 9).unwrap()[0].suspected);
    // The key is marked for another reason: it is suspected no longer.
    state.store.mark_dirty(&state.writer, &[Key::Int(1)]).unwrap();
    assert!(!state.store.dirty(&state.writer, 9).unwrap()[0].suspected);
}

#[test]
fn what_is_too_much_to_go_is_held_back_and_let_go() {
    let mut state = linked(6);
    state.capture(&[(1, "gone"), (2, "gone"), (3, "gone"), (4, "gone")]);
    let policy = GonePolicy::Delete { adopted: false };
    let guard = |state: &mut State, done, allowed| {
        state.store.guard_deletes(&state.writer, policy, done, allowed).unwrap()
    };
    assert_eq!(guard(&mut state, 0, None), (Going { records: 4, of: 6 }, true));
    assert_eq!(state.slots(1), "held gone, link A");
    state.deliver();
    assert_eq!(state.store.backlog(&state.writer).unwrap().0, 4);
    // One row is there again: what was held is taken back, and what is left may go.
    state.capture(&[(1, "A")]);
    assert_eq!(state.slots(1), "link A");
    assert_eq!(guard(&mut state, 0, None), (Going { records: 3, of: 6 }, false));
    assert_eq!(state.slots(2), "waiting gone, link A");
    // Those that went in this run count.
    assert_eq!(guard(&mut state, 3, None), (Going { records: 6, of: 9 }, true));
    assert_eq!(guard(&mut state, 3, Some(6)), (Going { records: 6, of: 9 }, false));
    // Nothing is a delete where records stay.
    assert!(!state.store.guard_deletes(&state.writer, GonePolicy::Leave, 9, None).unwrap().1);
}

/// A create in doubt may have made its record, which goes as soon as a look-up links it.
#[test]
fn what_is_gone_behind_a_create_in_doubt_is_counted() {
    let mut state = linked(2);
    state.capture(&[(11, "A"), (12, "A"), (13, "A")]);
    state.call();
    state.restart();
    state.later(5);
    state.capture(&[(11, "gone"), (12, "gone"), (13, "gone")]);
    let guard = |state: &mut State, policy| {
        state.store.guard_deletes(&state.writer, policy, 0, None).unwrap()
    };
    let policy = GonePolicy::Delete { adopted: false };
    assert_eq!(guard(&mut state, policy), (Going { records: 3, of: 5 }, true));
    assert_eq!(state.slots(11), "doubt A, held gone");
    // One had made its record, of two nothing came.
    for doubt in state.doubts() {
        let outcome = match doubt.key {
            Key::Int(11) => Outcome::Found {
                record: record(11),
                fingerprint: Some(draft("A").fingerprint()),
                origin: Origin::Created,
                autonumber: None,
            },
            _ => Outcome::Back { group: None, not_before: state.now },
        };
        let settlement = Settlement { id: doubt.id, outcome };
        state.store.settle(&state.writer, &[settlement], state.now).unwrap();
    }
    assert_eq!(
        (state.slots(11).as_str(), state.slots(12).as_str()),
        ("held gone, link A", "held gone")
    );
    assert_eq!(guard(&mut state, policy), (Going { records: 1, of: 3 }, false));
    state.deliver();
    assert_eq!((state.linked(11), state.store.backlog(&state.writer).unwrap()), (None, (0, 0)));
    assert!(state.linked(1).is_some());
}

#[test]
fn marks_of_a_stream_and_its_position_are_one_write() {
    let mut state = linked(2);
    let mut other = identity();
    other.name = "orders".into();
    let opened = state.store.open_sync(&other, state.now).unwrap();
    let second = state.store.hold(&opened, "first", state.now).unwrap();
    let position = |text: &str| StreamPosition(text.to_owned());
    let marks = [
        StreamMarks { writer: state.writer, keys: vec![Key::Int(1)], full_read: None },
        StreamMarks { writer: second, keys: Vec::new(), full_read: None },
    ];
    let end = |text: &str| StreamEnd {
        position: position(text),
        as_of: Timestamp::UNIX_EPOCH,
        retention: None,
    };
    state.store.mark_stream(&marks, &end("p1")).unwrap();
    for identity in [state.identity.clone(), other.clone()] {
        let opened = state.store.open_sync(&identity, state.now).unwrap();
        assert_eq!(opened.stream_position, Some(position("p1")));
    }
    assert_eq!(state.dirty(), [1]);
    // One of the syncs is held by somebody else by now: nothing moves.
    state.store.hold(&opened, "second", state.now).unwrap();
    let gap = Some(FullReadReason::LogGap);
    let mine = StreamMarks { writer: state.writer, keys: vec![Key::Int(2)], full_read: gap };
    let marks = [mine.clone(), marks[1].clone()];
    let refused = state.store.mark_stream(&marks, &end("p2"));
    assert_eq!(refused, Err(StateError::Fenced));
    assert_eq!(state.dirty(), [1]);
    let opened = state.store.open_sync(&state.identity, state.now).unwrap();
    assert_eq!(opened.stream_position, Some(position("p1")));
    // What the stream cannot name is due from the write that moves its position past it.
    state.store.mark_stream(&[mine], &end("p2")).unwrap();
    let opened = state.store.open_sync(&state.identity, state.now).unwrap();
    assert_eq!((opened.stream_position, opened.full_read), (Some(position("p2")), gap));
}

/// Also where the process that noticed dies before it sweeps.
#[test]
fn what_the_stream_could_not_name_makes_a_sweep_due() {
    let mut state = linked(2);
    let swept_at =
        |state: &mut State| state.store.open_sync(&state.identity, state.now).unwrap().swept_at;
    sweep(&mut state, &[1, 2], None);
    assert_eq!(swept_at(&mut state), None, "a process that dies here has marked nothing");
    marked(&mut state);
    assert!(swept_at(&mut state).is_some());
    let position = StreamPosition("p".to_owned());
    let end = StreamEnd { position, as_of: Timestamp::UNIX_EPOCH, retention: None };
    let marks = |full_read| StreamMarks { writer: state.writer, keys: Vec::new(), full_read };
    let (none, gap) = (marks(None), marks(Some(FullReadReason::LogGap)));
    state.store.mark_stream(&[none], &end).unwrap();
    assert!(swept_at(&mut state).is_some());
    // It happens while another sweep is under way.
    let (writer, now) = (state.writer, state.now);
    let ticket = state.store.begin_sweep(&writer, now).unwrap();
    state.store.sweep(&writer, &[1, 2].map(Key::Int)).unwrap();
    state.store.mark_stream(&[gap], &end).unwrap();
    assert_eq!(swept_at(&mut state), None);
    state.store.end_sweep(&writer, ticket, None, now).unwrap();
    assert!(!state.store.mark_candidates(&writer, ticket, 2, now).unwrap());
    assert_eq!(swept_at(&mut state), None, "that sweep did not see what is gone");
}

#[test]
fn anybody_may_ask_for_rows_to_be_read_again() {
    let mut state = linked(2);
    let ticket = state.begin_read();
    state.store.request_reads(state.writer.sync, &[Key::Int(2)]).unwrap();
    let chunk = Chunk { answered: vec![Key::Int(2)], ..state.chunk(ticket, &[(2, "A")]) };
    state.store.capture(&state.writer, &chunk).unwrap();
    assert_eq!(state.dirty(), [2], "the mark is newer than the read");
    state.store.request_full_read(state.writer.sync, FullReadReason::Resync).unwrap();
    state.restart();
    assert_eq!(state.sync.full_read, Some(FullReadReason::Resync));
}

/// Whoever asks for it, a command or a log that could not name what changed: rows may have changed behind the read that is
/// under way, or behind the first of its pages.
#[test]
fn a_full_read_that_is_asked_for_during_another_stays_due() {
    type Ask = fn(&mut State);
    let ask: [Ask; 2] = [
        |state| {
            let sync = state.writer.sync;
            state.store.request_full_read(sync, FullReadReason::Resync).unwrap();
        },
        |state| {
            let full_read = Some(FullReadReason::LogGap);
            let marks = StreamMarks { writer: state.writer, keys: Vec::new(), full_read };
            let position = StreamPosition("p".to_owned());
            let end = StreamEnd { position, as_of: state.now, retention: None };
            state.store.mark_stream(&[marks], &end).unwrap();
        },
    ];
    for ask in ask {
        let mut state = linked(2);
        let ends = |state: &mut State, ticket, end| {
            let chunk = Chunk { end: Some(end), ..state.chunk(ticket, &[]) };
            state.store.capture(&state.writer, &chunk).unwrap();
            state.restart();
        };
        // Before the read, during it, and during its first page.
        ask(&mut state);
        let ticket = state.begin_read();
        ends(&mut state, ticket, whole(ticket, None));
        assert_eq!(state.sync.full_read, None);
        let ticket = state.begin_read();
        ask(&mut state);
        ends(&mut state, ticket, whole(ticket, None));
        assert!(state.sync.full_read.is_some());
        let first = state.begin_read();
        ask(&mut state);
        let page = ReadEnd { extent: Extent::Page(Key::Int(1)), ..whole(first, None) };
        ends(&mut state, first, page);
        let first_read = state.sync.page.as_ref().unwrap().first_read;
        let second = state.begin_read();
        ends(&mut state, second, ReadEnd { first_read, ..whole(second, None) });
        assert!(state.sync.full_read.is_some() && state.sync.page.is_none());
        let ticket = state.begin_read();
        ends(&mut state, ticket, whole(ticket, None));
        assert_eq!(state.sync.full_read, None);
    }
}

#[test]
fn a_place_between_pages_is_kept_until_everything_is_to_be_read_anew() {
    let mut state = State::new();
    let page = |state: &mut State, extent| {
        let ticket = state.begin_read();
        let end = ReadEnd { extent, ..whole(ticket, Some("w1")) };
        let chunk = Chunk { end: Some(end), ..state.chunk(ticket, &[(1, "A")]) };
        state.store.capture(&state.writer, &chunk).unwrap();
        state.restart();
    };
    page(&mut state, Extent::Page(Key::Int(5)));
    let watermark = Some(Watermark("w1".into()));
    let place = PageMark { after: Key::Int(5), watermark, first_read: 1 };
    assert_eq!((state.sync.page.clone(), state.sync.watermark.clone()), (Some(place), None));
    state.store.see_shape(&state.writer, "s1").unwrap();
    state.restart();
    assert_eq!(state.sync.page, None, "the table's fields are others");
    page(&mut state, Extent::Page(Key::Text("k".into())));
    state.identity.values_hash = "v2".into();
    state.restart();
    assert_eq!(state.sync.page, None, "the definition is another");
    page(&mut state, Extent::Page(Key::Int(7)));
    page(&mut state, Extent::Everything);
    assert_eq!((state.sync.page.clone(), state.sync.full_read), (None, None));
    assert_eq!(state.sync.watermark, Some(Watermark("w1".into())));
    assert_eq!(state.sync.full_read_at, Some(state.now));
}

/// Memory does not grow with the keys that a sweep is shown.
#[test]
#[expect(clippy::print_stdout, reason = "the figure is what the test is run for")]
fn a_sweep_of_many_keys_takes_little_memory() {
    const KEYS: i64 = 600_000;
    let mut state = linked(3);
    let ticket = state.store.begin_sweep(&state.writer, state.now).unwrap();
    let before = resident();
    for chunk in 0..KEYS / 5_000 {
        // In no order, as a query yields them.
        let keys: Vec<Key> = (0..5_000)
            .map(|number| Key::Int((chunk * 5_000 + number).wrapping_mul(0x9e37_79b9) % (1 << 40)))
            .collect();
        state.store.sweep(&state.writer, &keys).unwrap();
    }
    let end = state.store.end_sweep(&state.writer, ticket, None, state.now).unwrap();
    let grown = resident().saturating_sub(before);
    println!("{} keys swept: {grown} KiB more", end.shown);
    assert!(end.shown > 500_000, "{}", end.shown);
    assert!(grown < 12 * 1024, "{grown} KiB more");
}

/// Resident memory in KiB.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// What a sweep found is of records that the sync does not have any more.
#[test]
fn candidates_are_forgotten_with_the_links() {
    let mut state = linked(100);
    let end = sweep(&mut state, &[1], None);
    assert!(end.asks);
    state.restart();
    assert_eq!(state.sync.candidates, 99);
    let elsewhere = SyncIdentity { table: "another".into(), ..identity() };
    let opened = state.store.open_sync(&elsewhere, state.now).unwrap();
    assert_eq!((opened.candidates, opened.swept_at), (0, None));
}

#[test]
fn only_what_has_a_record_or_will_have_one_may_go() {
    let mut state = linked(1);
    state.capture(&[(2, "A")]);
    state.adopt(3, Some(draft("A").fingerprint()));
    state.capture(&[(3, "gone")]);
    state.dispatch();
    assert_eq!(state.slots(3), "link A kept");
    let may_go = [1, 2, 3, 4].map(|key| state.store.may_go(&state.writer, &Key::Int(key)).unwrap());
    assert_eq!(may_go, [true, true, false, false]);
}
