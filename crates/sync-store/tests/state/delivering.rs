//! From waiting entries to calls, and from answers to links (`protocol.md` C6, D1 to D7).

use jiff::SignedDuration;
use sync_core::{
    delivery::Operation,
    key::Key,
    record::RecordId,
    state::{
        Books, Call, Creates, Dispatch, DispatchRequest, Origin, Outcome, Settlement,
        StateStore as _,
    },
};

use crate::fixture::{State, back, draft, fault, found, in_doubt, record, written};

#[test]
fn a_call_is_marked_before_it_leaves_and_the_link_becomes_unknown() {
    let mut state = State::new();
    state.capture(&[(1, "A")]);
    let call = state.call();
    assert_eq!(call.operation, Operation::Create);
    assert_eq!(state.slots(1), "sending A");
    let books = state.settle(&call.entries[0], written(&call.entries[0]));
    assert_eq!(books, Books { created: 1, ..Books::default() });
    assert_eq!(state.slots(1), "link A");

    state.capture(&[(1, "B")]);
    let call = state.call();
    assert_eq!(call.operation, Operation::Update);
    assert_eq!(call.entries[0].record, Some(record(1)));
    assert_eq!(state.slots(1), "sending B, link ?");
    let books = state.settle(&call.entries[0], written(&call.entries[0]));
    assert_eq!(books, Books { updated: 1, ..Books::default() });
    assert_eq!(state.slots(1), "link B");

    state.capture(&[(1, "gone")]);
    let call = state.call();
    assert_eq!(call.operation, Operation::Delete);
    assert_eq!(state.slots(1), "sending gone, link ?");
    let books = state.settle(&call.entries[0], Outcome::Deleted);
    assert_eq!(books, Books { deleted: 1, ..Books::default() });
    assert_eq!(state.slots(1), "");
}

#[test]
fn a_key_with_something_in_flight_waits() {
    let mut state = State::new();
    state.capture(&[(1, "A")]);
    let entry = state.single();
    state.capture(&[(1, "B")]);
    assert_eq!(state.dispatch().0, Dispatch::Nothing(None));
    state.settle(&entry, written(&entry));
    assert_eq!(state.slots(1), "waiting B, link A");
    assert_eq!(state.single().record, Some(record(1)));
}

#[test]
fn an_answer_settles_only_the_entry_that_was_sent_and_only_once() {
    let mut state = State::new();
    state.capture(&[(1, "A")]);
    let entry = state.single();
    state.capture(&[(1, "B")]);
    state.settle(&entry, written(&entry));
    let dump = state.dump();
    let books = state.settle(&entry, written(&entry));
    assert_eq!(books, Books::default());
    assert_eq!(state.dump(), dump);
}

#[test]
fn full_calls_go_first_and_operations_do_not_mix() {
    let mut state = State::new();
    let rows: Vec<(i64, &str)> = (1..=30).map(|key| (key, "A")).collect();
    state.capture(&rows);
    state.deliver();
    state.capture(&[(100, "A")]);
    let rows: Vec<(i64, &str)> = (1..=30).map(|key| (key, "B")).collect();
    state.capture(&rows);
    let calls: Vec<(Operation, usize)> = (0..3)
        .map(|_| {
            let call = state.call();
            (call.operation, call.entries.len())
        })
        .collect();
    assert_eq!(calls, [(Operation::Update, 25), (Operation::Create, 1), (Operation::Update, 5)]);
}

#[test]
fn a_call_holds_no_more_bytes_than_asked_unless_one_draft_does() {
    let mut state = State::new();
    state.capture(&[(1, "A"), (2, "B"), (3, "C")]);
    let two = 2 * serde_json::to_string(&draft("A")).unwrap().len();
    for expected in [2, 1] {
        let request = DispatchRequest { bytes_max: two, ..state.request() };
        let (dispatch, _) = state.store.dispatch(&state.writer, &request).unwrap();
        let Dispatch::Send(call) = dispatch else { panic!("{dispatch:?}") };
        assert_eq!(call.entries.len(), expected);
    }
    state.capture(&[(4, "D")]);
    let request = DispatchRequest { bytes_max: 1, ..state.request() };
    let (dispatch, _) = state.store.dispatch(&state.writer, &request).unwrap();
    assert!(matches!(dispatch, Dispatch::Send(call) if call.entries.len() == 1));
}

#[test]
fn no_create_leaves_before_the_audit() {
    let mut state = State::new();
    state.capture(&[(1, "A")]);
    let request = DispatchRequest { creates: Creates::NotAudited, ..state.request() };
    let (dispatch, _) = state.store.dispatch(&state.writer, &request).unwrap();
    assert_eq!(dispatch, Dispatch::AuditFirst);
    assert_eq!(state.slots(1), "waiting A");
}

#[test]
fn what_equals_its_link_costs_no_call() {
    let mut state = State::new();
    state.capture(&[(1, "A"), (2, "A")]);
    state.adopt(1, Some(draft("A").fingerprint()));
    let (dispatch, books) = state.dispatch();
    assert!(matches!(dispatch, Dispatch::Send(call) if call.entries.len() == 1));
    assert_eq!(books, Books { equal: 1, ..Books::default() });
    assert_eq!(state.slots(1), "link A");
}

/// What becomes of a call of four, the first two in a group and the last two in another.
fn split(call: &Call, outcome: impl Fn(u32) -> Outcome) -> Vec<Settlement> {
    let entries = call.entries.iter().zip([0, 0, 1, 1]);
    entries.map(|(entry, group)| Settlement { id: entry.id, outcome: outcome(group) }).collect()
}

#[test]
fn a_refusal_splits_into_groups_that_travel_apart() {
    let mut state = State::new();
    let rows: Vec<(i64, &str)> = (1..=4).map(|key| (key, "A")).collect();
    state.capture(&rows);
    let call = state.call();
    state.capture(&[(9, "A")]);
    let not_before = state.now;
    let settlements = split(&call, |group| Outcome::Back { group: Some(group), not_before });
    let books = state.store.settle(&state.writer, &settlements, state.now).unwrap();
    assert_eq!(books, Books::default());
    for expected in [vec![3, 4], vec![1, 2], vec![9]] {
        assert_eq!(keys(state.dispatch().0), expected);
    }
}

/// Keys of a call, in its order.
fn keys(dispatch: Dispatch) -> Vec<i64> {
    let Dispatch::Send(call) = dispatch else { return Vec::new() };
    let number = |key: &Key| if let Key::Int(number) = key { *number } else { 0 };
    call.entries.iter().map(|entry| number(&entry.key)).collect()
}

#[test]
fn an_unanswered_call_splits_into_groups_that_travel_apart() {
    let mut state = State::new();
    let rows: Vec<(i64, &str)> = (1..=4).map(|key| (key, "A")).collect();
    state.capture(&rows);
    state.deliver();
    let changed: Vec<(i64, &str)> = (1..=4).map(|key| (key, "B")).collect();
    state.capture(&changed);
    assert!(!state.store.is_split(&state.writer).unwrap());
    let call = state.call();
    let not_before = state.now;
    let settlements = split(&call, |group| Outcome::Unanswered { group: Some(group), not_before });
    state.store.settle(&state.writer, &settlements, state.now).unwrap();
    assert!(state.store.is_split(&state.writer).unwrap());
    assert_eq!(keys(state.dispatch().0), [3, 4]);
    assert_eq!(keys(state.dispatch().0), [1, 2]);
    assert!(state.store.is_split(&state.writer).unwrap(), "while they are on their way");
}

#[test]
fn only_what_was_sent_before_goes_when_asked() {
    let mut state = State::new();
    state.capture(&[(1, "A")]);
    let entry = state.single();
    state.capture(&[(2, "A")]);
    let until = state.now + SignedDuration::from_secs(30);
    state.settle(&entry, back(until));
    let tried = |state: &State| DispatchRequest { tried_only: true, ..state.request() };
    let request = tried(&state);
    assert_eq!(state.store.next_ready(&state.writer, &request).unwrap(), Some(until));
    let (dispatch, _) = state.store.dispatch(&state.writer, &request).unwrap();
    assert_eq!(dispatch, Dispatch::Nothing(Some(until)), "2 was not sent yet");
    state.now = until;
    let request = tried(&state);
    assert_eq!(state.store.next_ready(&state.writer, &request).unwrap(), Some(until));
    assert_eq!(keys(state.store.dispatch(&state.writer, &request).unwrap().0), [1]);
    assert_eq!(state.store.next_ready(&state.writer, &tried(&state)).unwrap(), None);
}

#[test]
fn creates_have_a_bound_of_their_own() {
    let mut state = State::new();
    let rows: Vec<(i64, &str)> = (1..=4).map(|key| (key, "A")).collect();
    state.capture(&rows);
    let request = DispatchRequest { creates_max: 1, ..state.request() };
    assert_eq!(keys(state.store.dispatch(&state.writer, &request).unwrap().0), [1]);
    state.deliver();
    let changed: Vec<(i64, &str)> = (2..=4).map(|key| (key, "B")).collect();
    state.capture(&changed);
    let request = DispatchRequest { creates_max: 1, ..state.request() };
    assert_eq!(keys(state.store.dispatch(&state.writer, &request).unwrap().0), [2, 3, 4]);
}

/// Where creates are held, what waits for one is no reason to take a departure.
#[test]
fn held_creates_are_counted_and_are_never_ready() {
    let mut state = State::new();
    state.capture(&[(1, "A")]);
    state.deliver();
    state.capture(&[(2, "A"), (3, "A")]);
    let held = |state: &State| DispatchRequest { creates: Creates::Held, ..state.request() };
    assert_eq!(state.store.held_creates(&state.writer).unwrap(), 2);
    let request = held(&state);
    assert_eq!(state.store.next_ready(&state.writer, &request).unwrap(), None);
    assert_eq!(state.store.dispatch(&state.writer, &request).unwrap().0, Dispatch::Nothing(None));
    state.capture(&[(1, "B")]);
    assert_eq!(state.store.held_creates(&state.writer).unwrap(), 2);
    assert_eq!(state.store.next_ready(&state.writer, &request).unwrap(), Some(state.now));
    assert_eq!(keys(state.store.dispatch(&state.writer, &request).unwrap().0), [1]);
}

#[test]
fn fresh_rows_go_first_when_asked_and_suspects_when_there_are_none() {
    let mut state = State::new();
    state.capture(&[(1, "A")]);
    let entry = state.single();
    state.settle(&entry, Outcome::Back { group: Some(0), not_before: state.now });
    state.capture(&[(2, "A")]);
    for expected in [2, 1] {
        let request = DispatchRequest { fresh_first: true, ..state.request() };
        let (dispatch, _) = state.store.dispatch(&state.writer, &request).unwrap();
        let Dispatch::Send(call) = dispatch else { panic!("{dispatch:?}") };
        assert_eq!(call.entries[0].key, Key::Int(expected));
    }
}

#[test]
fn what_is_to_wait_waits_and_the_time_is_told() {
    let mut state = State::new();
    state.capture(&[(1, "A")]);
    let entry = state.single();
    let until = state.now + SignedDuration::from_secs(30);
    state.settle(&entry, back(until));
    assert_eq!(state.dispatch().0, Dispatch::Nothing(Some(until)));
    assert_ne!(state.store.next_ready(&state.writer, &state.request()).unwrap(), Some(state.now));
    state.now = until;
    assert_eq!(state.store.next_ready(&state.writer, &state.request()).unwrap(), Some(state.now));
    assert_eq!(state.single().attempts, 1);
}

#[test]
fn a_refused_row_is_quarantined_with_its_reason() {
    let mut state = State::new();
    state.capture(&[(1, "A")]);
    let entry = state.single();
    let books = state.settle(&entry, Outcome::Refused { fault: fault("too_long") });
    assert_eq!(books, Books { quarantined: 1, ..Books::default() });
    assert_eq!(state.slots(1), "parked A");
    assert_eq!(state.store.backlog(&state.writer).unwrap(), (0, 1));
    let books = state.capture(&[(1, "A")]);
    assert_eq!(books.unchanged, 1);
}

#[test]
fn a_refusal_of_an_older_row_is_not_kept() {
    let mut state = State::new();
    state.capture(&[(1, "A")]);
    let entry = state.single();
    state.capture(&[(1, "B")]);
    let books = state.settle(&entry, Outcome::Refused { fault: fault("too_long") });
    assert_eq!(books, Books { superseded: 1, ..Books::default() });
    assert_eq!(state.slots(1), "waiting B");
}

#[test]
fn a_create_in_doubt_is_looked_up_when_due_and_not_before() {
    let mut state = State::new();
    state.capture(&[(1, "A")]);
    let entry = state.single();
    state.settle(&entry, in_doubt(false, state.now));
    let (none, next) = state.store.doubts(&state.writer, state.now, 25).unwrap();
    assert_eq!(none, []);
    assert_eq!(next, Some(state.now + SignedDuration::from_secs(2)));
    let left_at = state.now;
    state.later(2);
    let doubts = state.doubts();
    assert_eq!(doubts.len(), 1);
    assert_eq!(doubts[0].id, entry.id);
    assert_eq!(doubts[0].left_at, left_at);
    assert_eq!(doubts[0].fields, draft("A"));
    assert_eq!(state.dispatch().0, Dispatch::Nothing(None), "it is not sent meanwhile");
}

#[test]
fn what_an_answer_said_against_a_row_is_told_with_its_doubt() {
    let mut state = State::new();
    state.capture(&[(1, "A")]);
    let entry = state.single();
    let doubt = Outcome::InDoubt {
        answered: true,
        left_at: state.now,
        empty_looks: 0,
        look_at: state.now,
        group: None,
        fault: Some(fault("bad")),
    };
    state.settle(&entry, doubt);
    assert_eq!(state.doubts()[0].fault, Some(fault("bad")));
    state.settle(&entry, back(state.now));
    assert_eq!(state.single().fields, draft("A"));
    state.settle(&entry, in_doubt(true, state.now));
    state.later(2);
    assert_eq!(state.doubts()[0].fault, None);
}

#[test]
fn a_found_record_that_holds_the_draft_settles_it() {
    let mut state = State::new();
    state.capture(&[(1, "A")]);
    let entry = state.single();
    let books = state.settle(&entry, found(&record(7), Some(draft("A").fingerprint())));
    assert_eq!(books, Books { adopted: 1, ..Books::default() });
    assert_eq!(state.slots(1), "link A");
    assert_eq!(state.linked(1), Some(record(7)));
}

/// `protocol.md` D5: the link takes what was read, and the entry goes on as an update.
#[test]
fn a_found_record_that_holds_something_else_is_updated() {
    for (print, slots) in
        [(Some(draft("B").fingerprint()), "waiting A, link B"), (None, "waiting A, link ?")]
    {
        let mut state = State::new();
        state.capture(&[(1, "A")]);
        let entry = state.single();
        let books = state.settle(&entry, found(&record(7), print));
        assert_eq!(books, Books::default());
        assert_eq!(state.slots(1), slots);
        let call = state.call();
        assert_eq!(call.operation, Operation::Update);
        assert_eq!(call.entries[0].record, Some(record(7)));
    }
}

#[test]
fn an_update_that_got_no_answer_is_sent_again() {
    let mut state = State::new();
    state.capture(&[(1, "A")]);
    state.deliver();
    state.capture(&[(1, "B")]);
    let entry = state.single();
    state.settle(&entry, back(state.now));
    assert_eq!(state.slots(1), "waiting B, link ?");
    // The row returns to what the link said before; what it holds is unknown, so it is written.
    state.capture(&[(1, "A")]);
    assert_eq!(state.slots(1), "waiting A, link ?");
    assert_eq!(state.single().fields, draft("A"));
}

/// `protocol.md` D7.
#[test]
fn a_missing_record_is_looked_up_before_it_is_created_again() {
    let mut state = State::new();
    state.capture(&[(1, "A")]);
    state.deliver();
    state.capture(&[(1, "B")]);
    let entry = state.single();
    state.settle(&entry, Outcome::Missing);
    assert_eq!(state.slots(1), "waiting B, link ? missing");
    assert_eq!(state.dispatch().0, Dispatch::Nothing(None));
    assert_eq!(state.slots(1), "doubt B, link ? missing");
    state.later(2);
    let doubts = state.doubts();
    assert!(doubts[0].answered, "one look-up decides");
    let look = Settlement { id: doubts[0].id, outcome: back(state.now) };
    state.store.settle(&state.writer, &[look], state.now).unwrap();
    assert_eq!(state.slots(1), "waiting B");
    assert_eq!(state.call().operation, Operation::Create);
}

#[test]
fn a_missing_record_that_turns_up_is_linked_again() {
    let mut state = State::new();
    state.capture(&[(1, "A")]);
    state.deliver();
    state.capture(&[(1, "B")]);
    let entry = state.single();
    state.settle(&entry, Outcome::Missing);
    state.dispatch();
    state.settle(&entry, found(&record(5), None));
    assert_eq!(state.slots(1), "waiting B, link ?");
    assert_eq!(state.linked(1), Some(record(5)));
}

#[test]
fn a_missing_record_whose_row_is_gone_too_costs_no_call() {
    let mut state = State::new();
    state.capture(&[(1, "A")]);
    state.deliver();
    state.capture(&[(1, "B")]);
    let entry = state.single();
    state.settle(&entry, Outcome::Missing);
    state.capture(&[(1, "gone")]);
    assert_eq!(state.dispatch().0, Dispatch::Nothing(None));
    assert_eq!(state.slots(1), "link ? missing");
    state.capture(&[(1, "A")]);
    state.dispatch();
    assert_eq!(state.slots(1), "doubt A, link ? missing");
}

#[test]
fn a_record_left_missing_is_left_until_its_row_changes() {
    let mut state = State::new();
    state.capture(&[(1, "A")]);
    state.deliver();
    state.capture(&[(1, "B")]);
    let entry = state.single();
    let books = state.settle(&entry, Outcome::LeftMissing);
    assert_eq!(books, Books { taken_back: 1, ..Books::default() });
    assert_eq!(state.capture(&[(1, "B")]).unchanged, 1);
    assert_eq!(state.capture(&[(1, "C")]).queued, 1);
}

/// `protocol.md` D1: adoption moved the link while an answer was on its way.
#[test]
fn an_answer_about_a_record_that_is_linked_no_more_is_decided_anew() {
    for outcome in [
        Outcome::Written { record: record(1), autonumber: None },
        Outcome::Missing,
        Outcome::LeftMissing,
    ] {
        let mut state = State::new();
        state.capture(&[(1, "A")]);
        state.deliver();
        state.capture(&[(1, "B")]);
        let entry = state.single();
        state.forget_link(1);
        state.store.begin_scan(&state.writer).unwrap();
        state.seen(1, &record(9), None);
        let books = state.settle(&entry, outcome);
        assert_eq!(books, Books::default());
        assert_eq!(state.slots(1), "waiting B, link ?");
        assert_eq!(state.single().record, Some(record(9)));
    }
}

#[test]
fn a_deletion_answered_after_the_link_moved_leaves_the_new_link() {
    let mut state = State::new();
    state.capture(&[(1, "A")]);
    state.deliver();
    state.capture(&[(1, "gone")]);
    let entry = state.single();
    state.forget_link(1);
    state.store.begin_scan(&state.writer).unwrap();
    state.seen(1, &record(9), None);
    state.settle(&entry, Outcome::Deleted);
    assert_eq!(state.linked(1), Some(record(9)));
    assert_eq!(state.slots(1), "waiting gone, link ?");
}

/// `protocol.md` C8: only what this tool created is deleted.
#[test]
fn an_adopted_record_whose_row_is_gone_stays_and_is_used_again_when_the_row_returns() {
    let mut state = State::new();
    state.adopt(1, Some(draft("A").fingerprint()));
    state.capture(&[(1, "gone")]);
    let (dispatch, books) = state.dispatch();
    assert_eq!(dispatch, Dispatch::Nothing(None));
    assert_eq!(books, Books { equal: 1, ..Books::default() });
    assert_eq!(state.slots(1), "link A kept");
    assert_eq!(state.capture(&[(1, "gone")]).unchanged, 1);
    state.capture(&[(1, "A")]);
    let call = state.call();
    assert_eq!(
        (call.operation, call.entries[0].record.clone()),
        (Operation::Update, Some(record(1)))
    );
    state.settle(&call.entries[0], written(&call.entries[0]));
    assert_eq!(state.slots(1), "link A");
}

#[test]
fn an_update_does_not_make_an_adopted_record_ours() {
    let mut state = State::new();
    state.adopt(1, None);
    state.capture(&[(1, "A")]);
    state.deliver();
    state.capture(&[(1, "gone")]);
    assert_eq!(state.dispatch().0, Dispatch::Nothing(None));
    assert_eq!(state.slots(1), "link A kept");
}

/// `protocol.md` D8: below a record in doubt nothing is accounted for, nor below one that a look-up or an update showed.
#[test]
fn the_mark_rises_with_creates_but_not_past_one_in_doubt() {
    let mut state = State::new();
    assert_eq!(state.store.mark(&state.writer).unwrap(), None);
    state.store.begin_scan(&state.writer).unwrap();
    state.store.link_seen(&state.writer, &[], Some(10), state.now).unwrap();
    let numbered = |record: RecordId, number| Outcome::Written { record, autonumber: Some(number) };
    state.capture(&[(1, "A"), (2, "A")]);
    let call = state.call();
    let settlements = [
        Settlement { id: call.entries[0].id, outcome: numbered(record(1), 12) },
        Settlement { id: call.entries[1].id, outcome: in_doubt(false, state.now) },
    ];
    state.store.settle(&state.writer, &settlements, state.now).unwrap();
    assert_eq!(state.store.mark(&state.writer).unwrap(), Some(10));
    let found = Outcome::Found {
        record: record(2),
        fingerprint: None,
        origin: Origin::Created,
        autonumber: Some(11),
    };
    state.settle(&call.entries[1], found);
    assert_eq!(state.store.mark(&state.writer).unwrap(), Some(10));
    // What was found may hold something else: it is written to.
    let update = state.single();
    assert_eq!(update.record, Some(record(2)));
    state.settle(&update, numbered(record(2), 11));
    assert_eq!(state.store.mark(&state.writer).unwrap(), Some(10));
    state.capture(&[(3, "A")]);
    let create = state.single();
    state.settle(&create, numbered(record(3), 13));
    assert_eq!(state.store.mark(&state.writer).unwrap(), Some(13));
}

/// `protocol.md` D8: of two calls under way the later one may be answered first, and the other one never.
#[test]
fn the_mark_does_not_rise_past_a_create_that_is_on_its_way() {
    let mut state = State::new();
    state.store.begin_scan(&state.writer).unwrap();
    state.store.link_seen(&state.writer, &[], Some(10), state.now).unwrap();
    state.capture(&[(1, "A"), (2, "A")]);
    let mut call = || {
        let request = DispatchRequest { creates_max: 1, ..state.request() };
        match state.store.dispatch(&state.writer, &request).unwrap().0 {
            Dispatch::Send(mut call) => call.entries.remove(0),
            other => panic!("{other:?}"),
        }
    };
    let (first, second) = (call(), call());
    let numbered = |record: RecordId, number| Outcome::Written { record, autonumber: Some(number) };
    state.settle(&second, numbered(record(2), 12));
    assert_eq!(state.store.mark(&state.writer).unwrap(), Some(10));
    state.settle(&first, in_doubt(false, state.now));
    assert_eq!(state.store.mark(&state.writer).unwrap(), Some(10));
    state.settle(&first, numbered(record(1), 11));
    assert_eq!(state.store.mark(&state.writer).unwrap(), Some(11));
}
