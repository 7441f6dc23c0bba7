//! The state file deleted, or an old copy put in its place, between runs of five thousand rows.

use std::fs;

use smartsuite_emulator::RouteKind::{BulkCreate, BulkUpdate, List};

use crate::{
    act::Act,
    stage::{CUSTOMERS, Stage, on_mariadb},
};

on_mariadb! {
    a_lost_or_restored_state_costs_calls_but_no_duplicate
}

const RUN: [&str; 3] = ["run", "--sync-name", "customers"];
/// The sample has five.
const ROWS: usize = 5_000;

fn more_customers(stage: &Stage, count: usize) {
    let rows: Vec<String> = (0..count).map(|row| format!("('More {row}', 'active')")).collect();
    stage.sql(&format!("INSERT INTO customers (customer_name, status) VALUES {}", rows.join(", ")));
}

fn remove(stage: &Stage, names: &[&str]) {
    for name in names {
        drop(fs::remove_file(stage.path(name)));
    }
}

const FILE: [&str; 3] = ["sync_state.db", "sync_state.db-wal", "sync_state.db-shm"];

/// Every record once, and each as its row is; says what it cost.
#[track_caller]
fn nothing_was_doubled(stage: &Stage, act: &Act, rows: usize, what: &str) {
    let records = stage.records(CUSTOMERS);
    assert_eq!(records.len(), rows);
    assert_eq!(records["1"]["scompany01"], "Changed");
    assert_eq!((act.calls(BulkCreate), act.calls(BulkUpdate)), (0, 0), "{}\n{}", act.out, act.err);
    let (lists, calls) = (act.calls(List), act.requests.len());
    eprintln!(
        "{what}, {rows} rows: {calls} calls, of which {lists} list records; none creates or updates"
    );
    assert!(calls <= rows.div_ceil(1_000) + 2, "{calls} calls");
}

fn a_lost_or_restored_state_costs_calls_but_no_duplicate(stage: &mut Stage) {
    // The time that a create on its way is given, a minute and a half, passes in a second and a half.
    stage.setting("SYNC_TEST_CLOCK", format!("60@{}", jiff::Timestamp::now()));
    more_customers(stage, ROWS - 5);
    let first = stage.run(&RUN).ended(0).said(&["5,000 created"]);
    eprintln!("first load, {ROWS} rows: {} calls", first.requests.len());
    stage.run(&["state", "backup", "--to", "copies"]).ended(0).said(&["copied to `copies/"]);

    // The world goes on: rows change, others come.
    stage.sql("UPDATE customers SET company = 'Changed' WHERE id <= 50");
    more_customers(stage, 30);
    stage.run(&RUN).ended(0).said(&["30 created", "50 updated"]);

    remove(stage, &FILE);
    let act = stage.run(&RUN).ended(0);
    nothing_was_doubled(stage, &act, ROWS + 30, "state deleted");

    // What lay beside it is lost too: another disk, another machine.
    remove(stage, &FILE);
    remove(stage, &["sync_state.db.lock"]);
    let act = stage.run(&RUN).ended(0);
    nothing_was_doubled(stage, &act, ROWS + 30, "state and what lay beside it deleted");

    let copy = fs::read_dir(stage.path("copies")).unwrap().next().unwrap().unwrap().path();
    for (beside, what) in [(true, "old copy restored"), (false, "old copy restored elsewhere")] {
        remove(stage, &FILE);
        if !beside {
            remove(stage, &["sync_state.db.lock"]);
        }
        fs::copy(&copy, stage.state()).unwrap();
        let act = stage
            .run(&RUN)
            .ended(0)
            .warned(&["an old copy of the state file was put in its place"]);
        nothing_was_doubled(stage, &act, ROWS + 30, what);
    }

    // Everything is as it was: nothing more to ask.
    stage.run(&["run", "--sync-name", "customers", "--full"]).ended(0).cost_nothing();
}
