//! Rows into the outbox (`protocol.md` C1 to C6).

use sync_core::{
    key::Key,
    port::Watermark,
    state::{Books, Chunk, Extent, Outcome, ReadEnd, StateStore as _},
};

use crate::fixture::{State, back, draft, fault, in_doubt, record, whole, written};

#[test]
fn a_new_row_waits_and_the_same_row_again_changes_nothing() {
    let mut state = State::new();
    let books = state.capture(&[(1, "A")]);
    assert_eq!(books, Books { read: 1, queued: 1, ..Books::default() });
    assert_eq!(state.slots(1), "waiting A");
    let books = state.capture(&[(1, "A")]);
    assert_eq!(books, Books { read: 1, unchanged: 1, ..Books::default() });
    assert_eq!(state.slots(1), "waiting A");
}

#[test]
fn a_newer_row_replaces_what_waits() {
    let mut state = State::new();
    state.capture(&[(1, "A")]);
    let books = state.capture(&[(1, "B")]);
    assert_eq!(books, Books { read: 1, queued: 1, superseded: 1, ..Books::default() });
    assert_eq!(state.slots(1), "waiting B");
}

#[test]
fn a_row_that_returns_to_the_link_takes_back_what_waits() {
    let mut state = State::new();
    state.capture(&[(1, "A")]);
    state.deliver();
    state.capture(&[(1, "B")]);
    let books = state.capture(&[(1, "A")]);
    assert_eq!(books, Books { read: 1, withdrawn: 1, taken_back: 1, ..Books::default() });
    assert_eq!(state.slots(1), "link A");
}

#[test]
fn a_row_that_returns_to_the_link_takes_back_what_is_quarantined() {
    let mut state = State::new();
    state.capture(&[(1, "A")]);
    state.deliver();
    state.capture(&[(1, "B")]);
    let entry = state.single();
    state.settle(&entry, Outcome::Refused { fault: fault("too_long") });
    assert_eq!(state.slots(1), "parked B, link ?");
    // What the destination holds is known again after a look at it.
    state.adopt(1, Some(draft("A").fingerprint()));
    let books = state.capture(&[(1, "A")]);
    assert_eq!(books, Books { read: 1, withdrawn: 1, ..Books::default() });
    assert_eq!(state.slots(1), "link A");
}

#[test]
fn nothing_is_taken_back_while_something_is_being_sent() {
    let mut state = State::new();
    state.capture(&[(1, "A")]);
    state.deliver();
    state.capture(&[(1, "B")]);
    state.single();
    state.capture(&[(1, "A")]);
    assert_eq!(state.slots(1), "waiting A, sending B, link ?");
}

#[test]
fn an_unknown_fingerprint_equals_no_row() {
    let mut state = State::new();
    state.adopt(1, None);
    state.capture(&[(1, "A")]);
    assert_eq!(state.slots(1), "waiting A, link ?");
}

#[test]
fn a_row_that_cannot_become_a_draft_is_parked_in_place_of_what_waits() {
    let mut state = State::new();
    state.capture(&[(1, "A")]);
    let books = state.capture(&[(1, "fault x")]);
    assert_eq!(books, Books { read: 1, parked: 1, superseded: 1, ..Books::default() });
    assert_eq!(state.slots(1), "parked fault x");
    let books = state.capture(&[(1, "fault x")]);
    assert_eq!(books, Books { read: 1, unchanged: 1, ..Books::default() });
}

#[test]
fn a_corrected_row_leaves_quarantine_when_it_waits() {
    let mut state = State::new();
    state.capture(&[(1, "fault x")]);
    state.capture(&[(1, "A")]);
    assert_eq!(state.slots(1), "waiting A");
}

/// The fault is newer than what is on its way, so an answer to the older entry does not remove it.
#[test]
fn a_fault_that_came_while_a_draft_was_sent_outlives_the_answer() {
    let mut state = State::new();
    state.capture(&[(1, "A")]);
    let entry = state.single();
    state.capture(&[(1, "fault x")]);
    assert_eq!(state.slots(1), "sending A, parked fault x");
    state.settle(&entry, written(&entry));
    assert_eq!(state.slots(1), "parked fault x, link A");
}

#[test]
fn a_draft_refused_after_its_row_became_faulty_leaves_the_fault() {
    let mut state = State::new();
    state.capture(&[(1, "A")]);
    let entry = state.single();
    state.capture(&[(1, "fault x")]);
    let books = state.settle(&entry, Outcome::Refused { fault: fault("too_long") });
    assert_eq!(books, Books { superseded: 1, ..Books::default() });
    assert_eq!(state.slots(1), "parked fault x");
}

#[test]
fn a_draft_that_had_no_effect_is_not_sent_again_after_its_row_became_faulty() {
    let mut state = State::new();
    state.capture(&[(1, "A")]);
    let entry = state.single();
    state.capture(&[(1, "fault x")]);
    let books = state.settle(&entry, back(state.now));
    assert_eq!(books, Books { superseded: 1, ..Books::default() });
    assert_eq!(state.slots(1), "parked fault x");
}

#[test]
fn a_row_that_returns_to_what_is_being_sent_is_not_lost_behind_a_fault() {
    let mut state = State::new();
    state.capture(&[(1, "A")]);
    let entry = state.single();
    state.capture(&[(1, "fault x")]);
    state.capture(&[(1, "fault x")]);
    state.capture(&[(1, "A")]);
    assert_eq!(state.slots(1), "waiting A, sending A");
    state.settle(&entry, back(state.now));
    assert_eq!(state.slots(1), "waiting A");
}

#[test]
fn gone_before_anything_was_sent_takes_the_draft_back() {
    let mut state = State::new();
    state.capture(&[(1, "A")]);
    let books = state.capture(&[(1, "gone")]);
    assert_eq!(books, Books { read: 1, withdrawn: 1, taken_back: 1, ..Books::default() });
    assert_eq!(state.slots(1), "");
}

#[test]
fn gone_behind_a_create_that_did_not_happen_cancels_both() {
    let mut state = State::new();
    state.capture(&[(1, "A")]);
    let entry = state.single();
    state.settle(&entry, in_doubt(false, state.now));
    state.capture(&[(1, "gone")]);
    assert_eq!(state.slots(1), "waiting gone, doubt A");
    state.settle(&entry, back(state.now));
    state.deliver();
    assert_eq!(state.slots(1), "");
}

#[test]
fn gone_behind_a_create_that_did_happen_is_delivered() {
    let mut state = State::new();
    state.capture(&[(1, "A")]);
    let entry = state.single();
    state.settle(&entry, in_doubt(false, state.now));
    state.capture(&[(1, "gone")]);
    state.settle(&entry, written(&entry));
    assert_eq!(state.slots(1), "waiting gone, link A");
    assert_eq!(state.single().record, Some(record(1)));
}

/// Where records of deleted rows stay.
#[test]
fn what_waits_or_was_refused_is_void_when_its_row_is_absent() {
    let mut state = State::new();
    state.capture(&[(1, "A"), (2, "A"), (3, "fault x"), (4, "A")]);
    let call = state.call();
    state.settle(&call.entries[0], written(&call.entries[0]));
    state.settle(&call.entries[1], Outcome::Refused { fault: fault("too_long") });
    state.capture(&[(1, "B"), (5, "A")]);
    let books =
        state.capture(&[(1, "absent"), (2, "absent"), (3, "absent"), (4, "absent"), (5, "absent")]);
    assert_eq!(books, Books { taken_back: 2, ..Books::default() });
    let slots: Vec<String> = (1..=5).map(|key| state.slots(key)).collect();
    assert_eq!(slots, ["link A", "", "", "sending A", ""]);
}

#[test]
fn the_position_moves_with_the_last_chunk_and_not_before() {
    let mut state = State::new();
    let ticket = state.begin_read();
    let first = state.chunk(ticket, &[(1, "A")]);
    state.store.capture(&state.writer, &first).unwrap();
    state.restart();
    assert_eq!(state.sync.watermark, None);
    assert!(state.sync.full_read.is_some());

    let ticket = state.begin_read();
    let first = state.chunk(ticket, &[(1, "A")]);
    let end = whole(ticket, Some("w1"));
    let last = Chunk { end: Some(end), ..state.chunk(ticket, &[(2, "B")]) };
    state.store.capture(&state.writer, &first).unwrap();
    state.store.capture(&state.writer, &last).unwrap();
    state.restart();
    assert_eq!(state.sync.watermark, Some(Watermark("w1".into())));
    assert_eq!(state.sync.full_read, None);
    assert_eq!(state.slots(2), "waiting B");
}

#[test]
fn a_read_without_a_position_leaves_the_old_one() {
    let mut state = State::new();
    state.full_read(&[], "w1");
    let ticket = state.begin_read();
    let end = ReadEnd { extent: Extent::Changes, ..whole(ticket, None) };
    let chunk = Chunk { end: Some(end), ..state.chunk(ticket, &[]) };
    state.store.capture(&state.writer, &chunk).unwrap();
    state.restart();
    assert_eq!(state.sync.watermark, Some(Watermark("w1".into())));
}

#[test]
fn a_chunk_of_an_older_read_is_refused() {
    let mut state = State::new();
    let older = state.begin_read();
    state.capture(&[(1, "B")]);
    let chunk = state.chunk(older, &[(1, "A")]);
    assert!(state.store.capture(&state.writer, &chunk).is_err());
    assert_eq!(state.slots(1), "waiting B");
}

#[test]
fn a_mark_made_after_the_snapshot_outlives_the_read() {
    let mut state = State::new();
    let key = [Key::Int(1), Key::Int(2)];
    state.store.mark_dirty(&state.writer, &key).unwrap();
    let ticket = state.begin_read();
    state.store.mark_dirty(&state.writer, &key[..1]).unwrap();
    let chunk = Chunk { answered: key.to_vec(), ..state.chunk(ticket, &[(1, "A"), (2, "A")]) };
    state.store.capture(&state.writer, &chunk).unwrap();
    assert_eq!(state.dirty(), [1]);
    state.restart();
    assert_eq!(state.dirty(), [1]);
}

#[test]
fn marks_are_read_oldest_first() {
    let mut state = State::new();
    for key in [3, 1, 2, 3] {
        state.store.mark_dirty(&state.writer, &[Key::Int(key)]).unwrap();
    }
    assert_eq!(state.dirty(), [1, 2, 3]);
}

#[test]
fn rows_are_compared_with_their_own_links_in_any_order_and_however_far_apart() {
    let mut state = State::new();
    let words: Vec<String> = (0..=120).map(|key| format!("w{key}")).collect();
    for (key, word) in (1..=100).zip(words.iter().skip(1)) {
        state.adopt(key, Some(draft(word).fingerprint()));
    }
    // Texts come after all numbers; theirs hold what key 1 holds.
    for text in ["7|a", "a", "ab", "é"] {
        rusqlite::Connection::open(state.path())
            .unwrap()
            .execute(
                "INSERT INTO links (sync_id, destination_id, key, record_id, origin, fingerprint, created_at)
                 SELECT sync_id, destination_id, ?1, 'of ' || ?1, 1, fingerprint, 0 FROM links WHERE key = 1",
                [text],
            )
            .unwrap();
    }
    let all: Vec<i64> = (1..=100).collect();
    let far: Vec<i64> = vec![1, 2, 30, 31, 60, 69, 78, 100];
    for keys in [all.clone(), all.into_iter().rev().collect(), far, vec![99, 3, 57, 12, 100, 1]] {
        let rows: Vec<(i64, &str)> =
            keys.iter().map(|key| (*key, words[usize::try_from(*key).unwrap()].as_str())).collect();
        let ticket = state.begin_read();
        let mut chunk = state.chunk(ticket, &rows);
        for (place, text) in [(0, "a"), (1, "é"), (2, "7|a"), (0, "ab")] {
            let row = sync_core::state::CapturedRow {
                key: Key::Text(text.into()),
                ..crate::fixture::row(1, "w1")
            };
            chunk.rows.insert(place, row);
        }
        let rows = chunk.rows.len() as u64;
        let books = state.store.capture(&state.writer, &chunk).unwrap();
        assert_eq!(books, Books { read: rows, unchanged: rows, ..Books::default() });
    }
    // Each is compared with its own: none with its neighbour's, and what has no link is new.
    let ticket = state.begin_read();
    let rows = [(-5, "w1"), (2, "w1"), (3, "w3"), (50, "w51"), (101, "w101"), (120, "w100")];
    let mut chunk = state.chunk(ticket, &rows);
    for (text, word) in [("A", "w1"), ("a", "w2"), ("aa", "w1"), ("zz", "w1")] {
        let row = crate::fixture::row(1, word);
        chunk.rows.push(sync_core::state::CapturedRow { key: Key::Text(text.into()), ..row });
    }
    let books = state.store.capture(&state.writer, &chunk).unwrap();
    assert_eq!(books, Books { read: 10, unchanged: 1, queued: 9, ..Books::default() });
}
