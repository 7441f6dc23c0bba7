//! The log of effects: what was done to each record, by which call of which run.

use sync_core::state::{Outcome, StateStore as _};
use sync_store::{Effect, EffectKind, Keeping, StateReader};

use crate::fixture::{State, fault, found, in_doubt, record, written};

/// What the log says of a key, oldest first, such as `created 1/1 title`: run, call and fields.
fn logged(state: &State, key: i64) -> Vec<String> {
    let reader = StateReader::open(&state.path()).unwrap();
    let mut effects = reader.effects("customers", &key.to_string(), 100).unwrap();
    effects.reverse();
    effects.iter().map(shown).collect()
}

fn shown(effect: &Effect) -> String {
    let number = |number: Option<i64>| number.map_or("-".to_owned(), |number| number.to_string());
    let mut shown =
        format!("{} {}/{}", effect.kind.word(), number(effect.run), number(effect.call));
    for field in &effect.fields {
        shown += &format!(" {field}");
    }
    effect.code.iter().for_each(|code| shown += &format!(" [{code}]"));
    shown
}

#[test]
fn what_is_done_to_a_record_is_logged_with_its_run_and_call() {
    let mut state = State::new();
    state.store.begin_run(&state.writer, state.now).unwrap();
    state.capture(&[(1, "A"), (2, "A")]);
    state.deliver();
    state.restart();
    state.store.begin_run(&state.writer, state.now).unwrap();
    state.later(60);
    state.capture(&[(1, "B")]);
    state.deliver();
    state.capture(&[(1, "gone")]);
    state.deliver();
    assert_eq!(logged(&state, 1), ["created 1/1 title", "updated 2/2 title", "deleted 2/3"]);
    assert_eq!(logged(&state, 2), ["created 1/1 title"]);
    let reader = StateReader::open(&state.path()).unwrap();
    let newest = &reader.effects("customers", "1", 1).unwrap()[0];
    assert_eq!((newest.kind, newest.at), (EffectKind::Deleted, state.now));
    assert_eq!(newest.record, Some(record(1)));
}

#[test]
fn what_went_wrong_is_logged_too() {
    let mut state = State::new();
    state.capture(&[(1, "A")]);
    let entry = state.single();
    state.settle(&entry, in_doubt(false, state.now));
    // A look-up that finds nothing says nothing new.
    state.settle(&entry, in_doubt(false, state.now));
    let print = crate::fixture::draft("A").fingerprint();
    state.settle(&entry, found(&record(1), Some(print)));
    state.capture(&[(1, "B")]);
    let entry = state.single();
    state.settle(&entry, Outcome::Unanswered { group: None, not_before: state.now });
    let entry = state.single();
    state.settle(&entry, Outcome::Refused { fault: fault("too_long") });
    let logged = logged(&state, 1);
    assert_eq!(
        logged,
        ["unanswered -/1", "found -/1", "unanswered -/2", "refused -/3 title [too_long]"]
    );
}

#[test]
fn an_answer_that_settles_nothing_leaves_no_trace() {
    let mut state = State::new();
    state.capture(&[(1, "A")]);
    let entry = state.single();
    state.settle(&entry, written(&entry));
    state.settle(&entry, written(&entry));
    assert_eq!(logged(&state, 1), ["created -/1 title"]);
}

#[test]
fn records_that_a_scan_finds_are_logged() {
    let mut state = State::new();
    state.adopt(7, None);
    assert_eq!(logged(&state, 7), ["found -/-"]);
}

#[test]
fn nothing_is_logged_where_that_is_not_wanted() {
    let mut state = State::new();
    state.store.set_keeping(Keeping { effects: false, ..Keeping::default() });
    state.capture(&[(1, "A")]);
    state.deliver();
    state.adopt(2, None);
    assert_eq!(logged(&state, 1), [""; 0]);
    assert_eq!(logged(&state, 2), [""; 0]);
}

/// Two hundred effects of one sync name two sets of fields.
#[test]
fn sets_of_fields_are_kept_once() {
    let mut state = State::new();
    let rows: Vec<(i64, &str)> = (0..200).map(|key| (key, "A")).collect();
    state.capture(&rows);
    state.deliver();
    let sets: i64 =
        state.sql().query_row("SELECT count(*) FROM field_sets", [], |row| row.get(0)).unwrap();
    assert_eq!(sets, 1);
    let bytes: f64 = state
        .sql()
        .query_row("SELECT sum(pgsize) / 200.0 FROM dbstat WHERE name LIKE 'effects%'", [], |row| {
            row.get(0)
        })
        .unwrap();
    assert!(bytes < 90.0, "{bytes} bytes an effect");
}
