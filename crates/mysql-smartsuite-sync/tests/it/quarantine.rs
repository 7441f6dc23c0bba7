//! One bad row harms one row; a mistake that hits everything stops early.

use smartsuite_emulator::RouteKind::{BulkCreate, BulkUpdate};

use crate::stage::{CUSTOMERS, Stage, on_every_server};

on_every_server! {
    a_row_without_a_choice_waits_and_the_others_go_on
    a_row_that_smartsuite_refuses_waits_and_the_others_go_on
    a_refused_row_goes_on_when_it_changes_or_somebody_says_so
    a_mistake_that_hits_everything_stops_the_sync
    rows_without_a_key_are_counted_and_said
    two_rows_of_one_key_that_differ_both_fail
}

/// What SmartSuite refuses here, and nothing in the table's structure says so.
const TOO_LONG: &str = "REPEAT('x', 61)";

/// So many more customers.
fn more_customers(stage: &Stage, count: usize, company: &str) {
    let rows: Vec<String> =
        (0..count).map(|row| format!("('More {row}', 'active', {company})")).collect();
    stage.sql(&format!(
        "INSERT INTO customers (customer_name, status, company) VALUES {}",
        rows.join(", ")
    ));
}

fn a_row_without_a_choice_waits_and_the_others_go_on(stage: &mut Stage) {
    stage.run(&["run"]).ended(0);
    stage.sql(
        "ALTER TABLE customers MODIFY status ENUM('active', 'inactive', 'pending', 'vip') NOT NULL;
         UPDATE customers SET status = 'vip' WHERE id = 2;
         UPDATE customers SET company = 'Sato Ceramics' WHERE id = 5;",
    );
    stage
        .run(&["run"])
        .ended(2)
        .said(&[
            "customers  partly done: 2 rows read, 1 updated, 1 refused",
            "1 row: choice_unknown (field `sstatus001`)",
            "hint: see `status`",
        ])
        .cost(&[BulkUpdate]);
    assert_eq!(stage.records(CUSTOMERS)["5"]["scompany01"], "Sato Ceramics");
    stage
        .run(&["status"])
        .ended(0)
        .said(&["key 2: ", "`vip`", "\"Active\", \"Inactive\", \"Pending\"", "[choice_unknown]"])
        .cost_nothing();
    stage.run(&["run"]).ended(2).said(&["1 refused earlier"]).cost_nothing();
}

fn a_row_that_smartsuite_refuses_waits_and_the_others_go_on(stage: &mut Stage) {
    stage.refuse_texts_beyond(Some(60));
    more_customers(stage, 40, "'Some'");
    stage.sql(&format!("UPDATE customers SET company = {TOO_LONG} WHERE id = 3"));
    let act =
        stage.run(&["run", "--sync-name", "customers"]).ended(2).said(&["44 created, 1 refused"]);
    assert!(act.calls(BulkCreate) <= 12, "{} calls", act.calls(BulkCreate));
    assert_eq!(stage.records(CUSTOMERS).len(), 44);
    stage.run(&["status", "--sync-name", "customers"]).said(&[
        "key 3: ",
        "[smartsuite_refused]",
        "tried again when the row changes, else at ",
    ]);
}

fn a_refused_row_goes_on_when_it_changes_or_somebody_says_so(stage: &mut Stage) {
    stage.refuse_texts_beyond(Some(60));
    stage.sql(&format!("UPDATE customers SET company = {TOO_LONG} WHERE id IN (3, 4)"));
    stage.run(&["run", "--sync-name", "customers"]).ended(2).said(&["3 created, 2 refused"]);
    stage.run(&["run", "--sync-name", "customers"]).ended(2).cost_nothing();
    stage.sql("UPDATE customers SET company = 'Short' WHERE id = 3");
    stage
        .run(&["run", "--sync-name", "customers"])
        .ended(2)
        .said(&["1 created, 1 refused earlier"]);
    // Longer texts are allowed, and a person says so.
    stage.refuse_texts_beyond(None);
    stage.run(&["run", "--sync-name", "customers", "--retry"]).ended(0).said(&["1 created"]);
    assert_eq!(stage.records(CUSTOMERS).len(), 5);
}

fn a_mistake_that_hits_everything_stops_the_sync(stage: &mut Stage) {
    stage.refuse_texts_beyond(Some(60));
    more_customers(stage, 195, TOO_LONG);
    stage.sql(&format!("UPDATE customers SET company = {TOO_LONG}"));
    let act = stage.run(&["run", "--sync-name", "customers"]).ended(1).said(&[
        "failed: 200 rows read",
        "[smartsuite_refused]",
        "`run --retry`",
    ]);
    assert!(act.requests.len() <= 40, "the mistake cost {} calls", act.requests.len());
    assert!(stage.records(CUSTOMERS).is_empty());

    stage
        .run(&["run", "--sync-name", "customers"])
        .ended(1)
        .said(&["stopped: it was stopped before, and no call was made"])
        .cost_nothing();
    stage.run(&["status"]).said(&["stopped", "whole batches", "`run --retry`"]).cost_nothing();

    stage.sql("UPDATE customers SET company = 'Short'");
    stage.run(&["run", "--sync-name", "customers", "--retry"]).ended(0).said(&["200 created"]);
    assert_eq!(stage.records(CUSTOMERS).len(), 200);
}

fn rows_without_a_key_are_counted_and_said(stage: &mut Stage) {
    stage.remap(
        "SELECT id, customer_name, email",
        "SELECT NULLIF(id, 4) AS id, customer_name, email",
    );
    let act = stage.run(&["run", "--sync-name", "customers"]);
    let act =
        act.ended(2).said(&["5 rows read, 4 created, 1 without a key of their own", "hint: "]);
    assert_eq!(act.calls(BulkCreate), 1);
    assert_eq!(stage.records(CUSTOMERS).len(), 4);
}

fn two_rows_of_one_key_that_differ_both_fail(stage: &mut Stage) {
    stage.remap(
        "SELECT id, customer_name, email",
        "SELECT IF(id = 4, 3, id) AS id, customer_name, email",
    );
    stage
        .run(&["run", "--sync-name", "customers"])
        .ended(2)
        .said(&["3 created, 1 refused", "1 row: key_twice"]);
    assert_eq!(stage.records(CUSTOMERS).keys().collect::<Vec<_>>(), ["1", "2", "5"]);
    stage.run(&["status"]).said(&["key 3: two rows of the query have this key and differ"]);
}
