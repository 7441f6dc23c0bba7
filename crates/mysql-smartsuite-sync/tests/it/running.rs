//! The main job: created once, then updated, then skipped.

use serde_json::json;
use smartsuite_emulator::RouteKind::{BulkCreate, BulkUpdate, List, Table};

use crate::stage::{CUSTOMERS, ORDERS, Stage, on_every_server};

on_every_server! {
    the_first_run_creates_with_one_call_a_table
    the_second_run_makes_no_call
    a_change_is_an_update_of_that_row
    a_mapping_in_both_forms_writes_exact_values
    every_row_is_read_on_demand_and_costs_nothing
    one_sync_can_be_named
    a_row_that_went_back_before_it_was_sent_is_not_sent
}

fn the_first_run_creates_with_one_call_a_table(stage: &mut Stage) {
    stage
        .run(&["run"])
        .ended(0)
        .said(&[
            "customers  done: 5 rows read, 5 created",
            "orders     done: 7 rows read, 7 created",
        ])
        .cost(&[Table, Table, List, List, BulkCreate, BulkCreate]);
    assert_eq!(stage.records(CUSTOMERS).len(), 5);
    assert_eq!(stage.records(ORDERS).len(), 7);
}

fn the_second_run_makes_no_call(stage: &mut Stage) {
    stage.run(&["run"]).ended(0);
    stage.run(&["run"]).ended(0).said(&["(no API calls, "]).cost_nothing();
}

fn a_change_is_an_update_of_that_row(stage: &mut Stage) {
    stage.run(&["run"]).ended(0);
    let before = stage.records(CUSTOMERS);
    stage.sql("UPDATE customers SET credit_limit = 20000.50 WHERE id = 1");
    stage.run(&["run"]).ended(0).said(&["1 updated"]).cost(&[BulkUpdate]);
    let after = stage.records(CUSTOMERS);
    assert_eq!(after["1"]["screditlim"], "20000.5");
    assert_eq!(after["1"]["id"], before["1"]["id"]);
    assert_eq!(after["2"], before["2"]);
}

fn a_mapping_in_both_forms_writes_exact_values(stage: &mut Stage) {
    stage.run(&["run"]).ended(0);
    // `customers` is mapped by `field_types`, `orders` by `transformations`.
    let customers = stage.records(CUSTOMERS);
    assert_eq!(customers["1"]["title"], "Amélie Roche");
    assert_eq!(customers["1"]["sstatus001"], "aCt1V");
    assert_eq!(customers["1"]["screditlim"], "12345.6");
    assert_eq!(customers["3"]["screditlim"], json!(null), "NULL is no zero");
    let orders = stage.records(ORDERS);
    assert_eq!(orders["2"]["stotalamnt"], "12345.6");
    assert_eq!(orders["7"]["stotalamnt"], "0.99");
    assert_eq!(orders["1"]["title"], "Order SO-2025-0001");
}

fn every_row_is_read_on_demand_and_costs_nothing(stage: &mut Stage) {
    stage.run(&["run"]).ended(0);
    stage
        .run(&["run", "--full"])
        .ended(0)
        .said(&["5 rows read (none changed)", "7 rows read (none changed)"])
        .cost_nothing();
}

fn one_sync_can_be_named(stage: &mut Stage) {
    stage.run(&["run", "--sync-name", "orders"]).ended(0).said(&["orders  done: 7 rows read"]);
    assert!(stage.records(CUSTOMERS).is_empty());
    stage
        .run(&["run", "--sync-name", "custmers"])
        .ended(64)
        .warned(&["there is no sync `custmers`", "hint: did you mean `customers`?"])
        .cost_nothing();
    stage.remap("  - name: orders", "  - name: orders\n    enabled: false");
    stage
        .run(&["run", "--sync-name", "orders"])
        .ended(64)
        .warned(&["the sync `orders` is disabled"]);
    stage.run(&["run"]).ended(0).said(&["5 created"]);
    assert_eq!(stage.records(ORDERS).len(), 7);
}

/// A becomes B while SmartSuite is down, and A again before it is up.
fn a_row_that_went_back_before_it_was_sent_is_not_sent(stage: &mut Stage) {
    stage.run(&["run"]).ended(0);
    let up = stage.smartsuite.url.clone();
    stage.setting("SMARTSUITE_BASE_URL", "http://127.0.0.1:9");
    stage.sql("UPDATE customers SET company = 'B' WHERE id = 1");
    stage.run(&["run", "--sync-name", "customers"]).ended(1).said(&[
        "1 waiting",
        "SmartSuite could not be reached",
        "[smartsuite_unreachable]",
    ]);
    stage.sql("UPDATE customers SET company = 'Roche Fleurs' WHERE id = 1");
    stage.setting("SMARTSUITE_BASE_URL", up);
    // Nothing was sent and nothing is: at most the record is looked at, as B was marked to leave.
    let act = stage.run(&["run"]).ended(0);
    assert!(act.requests.iter().all(|request| request.route == List), "{:?}", act.requests);
    assert_eq!(stage.records(CUSTOMERS)["1"]["scompany01"], "Roche Fleurs");
    stage.run(&["run"]).ended(0).cost_nothing();
}
