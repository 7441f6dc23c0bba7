//! The tables of the program that this one replaces, as people query them with `sqlite3`.

use sync_core::state::{Books, Outcome, RunEnd, RunStatus, StateStore as _};

use crate::fixture::{State, draft, rows};

#[test]
fn the_columns_are_those_of_the_old_tables_in_their_order() {
    let state = State::new();
    let columns = |view: &str| {
        let sql = state.sql();
        let select = sql.prepare(&format!("SELECT * FROM {view}")).unwrap();
        select.column_names().collect::<Vec<_>>().join(" ")
    };
    assert_eq!(
        columns("sync_runs"),
        "id sync_name started_at completed_at status records_processed records_created records_updated \
         records_skipped error_message"
    );
    assert_eq!(
        columns("record_mappings"),
        "id sync_name source_id smartsuite_record_id data_hash created_at updated_at"
    );
    assert_eq!(columns("sync_metadata"), "sync_name last_sync_time last_successful_run");
}

#[test]
fn a_run_is_shown_while_it_runs_and_when_it_ended() {
    let mut state = State::new();
    let run = state.store.begin_run(&state.writer, state.now).unwrap();
    let show = |state: &State| rows(&state.sql(), "SELECT * FROM sync_runs");
    assert_eq!(show(&state), ["1|customers|2026-11-23T10:00:00.000Z|NULL|running|0|0|0|0|NULL"]);
    state.now = "2026-11-23T10:00:07.007008Z".parse().unwrap();
    let books = Books { read: 9, created: 2, updated: 3, unchanged: 4, ..Books::default() };
    let end = RunEnd {
        status: RunStatus::Partial,
        books,
        calls: 1,
        error: Some("1 row in quarantine".into()),
        code: None,
    };
    state.store.end_run(&state.writer, run, &end, state.now).unwrap();
    assert_eq!(
        show(&state),
        [
            "1|customers|2026-11-23T10:00:00.000Z|2026-11-23T10:00:07.007Z|partial|9|2|3|4|1 row in quarantine"
        ]
    );
}

#[test]
fn a_link_is_shown_with_its_times_and_its_hash_while_that_is_known() {
    let mut state = State::new();
    state.capture(&[(42, "A")]);
    state.deliver();
    state.later(60);
    let show = |state: &State| {
        rows(
            &state.sql(),
            "SELECT * FROM record_mappings WHERE sync_name = 'customers' AND source_id = '42'",
        )
    };
    let hash = |word: &str| format!("{:?}", draft(word).fingerprint());
    let created = "2026-11-23T10:00:00Z";
    let id = "00000000000000000000002a";
    assert_eq!(show(&state), [format!("1|customers|42|{id}|{}|{created}|{created}", hash("A"))]);
    state.capture(&[(42, "B")]);
    let entry = state.single();
    assert_eq!(show(&state), [format!("1|customers|42|{id}|NULL|{created}|{created}")]);
    state.settle(&entry, crate::fixture::written(&entry));
    let updated = "2026-11-23T10:01:00Z";
    assert_eq!(show(&state), [format!("1|customers|42|{id}|{}|{created}|{updated}", hash("B"))]);
}

#[test]
fn a_record_that_is_missing_or_of_another_table_is_not_shown() {
    let mut state = State::new();
    state.capture(&[(1, "A"), (2, "A")]);
    state.deliver();
    state.capture(&[(2, "B")]);
    let entry = state.single();
    state.settle(&entry, Outcome::Missing);
    let show = |state: &State| rows(&state.sql(), "SELECT source_id FROM record_mappings");
    assert_eq!(show(&state), ["1"]);
    state.identity.table = "t2".into();
    state.restart();
    assert_eq!(show(&state), [""; 0]);
}

#[test]
fn the_last_sync_and_the_last_success_are_times_in_utc() {
    let mut state = State::new();
    let show = |state: &State| rows(&state.sql(), "SELECT * FROM sync_metadata");
    assert_eq!(show(&state), ["customers|NULL|NULL"]);
    state.full_read(&[], "2026-11-23T12:00:00");
    let run = state.store.begin_run(&state.writer, state.now).unwrap();
    state.later(1);
    let end = RunEnd {
        status: RunStatus::Success,
        books: Books::default(),
        calls: 0,
        error: None,
        code: None,
    };
    state.store.end_run(&state.writer, run, &end, state.now).unwrap();
    assert_eq!(show(&state), ["customers|2026-11-23T10:00:00.000Z|2026-11-23T10:00:01.000Z"]);
}

#[test]
fn milliseconds_survive() {
    let mut state = State::new();
    for millisecond in (0..1000).step_by(37) {
        let text = format!("2026-11-23T10:00:59.{millisecond:03}Z");
        state.now = text.parse().unwrap();
        state.store.begin_run(&state.writer, state.now).unwrap();
        let shown = rows(&state.sql(), "SELECT started_at FROM sync_runs ORDER BY id DESC LIMIT 1");
        assert_eq!(shown, [text]);
    }
}

#[test]
fn people_ask_across_the_tables() {
    let mut state = State::new();
    state.capture(&[(1, "A"), (2, "A")]);
    state.deliver();
    state.store.begin_run(&state.writer, state.now).unwrap();
    let joined =
        "SELECT r.sync_name, count(m.id), max(r.started_at) > '2026-01-01' FROM sync_runs r
                  JOIN record_mappings m USING (sync_name) WHERE date(m.created_at) = '2026-11-23'
                  GROUP BY r.sync_name";
    assert_eq!(rows(&state.sql(), joined), ["customers|2|1"]);
}
