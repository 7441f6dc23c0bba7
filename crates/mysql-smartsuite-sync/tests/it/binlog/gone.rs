//! Rows that go while the binlog is followed.

use smartsuite_emulator::RouteKind::{BulkCreate, BulkDelete, BulkUpdate};

use super::{arrives, awaits, follow_table, rename, serve_until};
use crate::stage::{CUSTOMERS, Stage, on_every_server, signal};

on_every_server! {
    a_record_goes_a_moment_after_its_row
    an_archived_record_comes_back_a_moment_after_its_row
    many_at_once_wait_for_a_yes_while_all_else_goes_on
}

fn has(stage: &Stage, id: &str) -> bool {
    stage.records(CUSTOMERS).contains_key(id)
}

fn id_of(stage: &Stage, row: &str) -> String {
    stage.records(CUSTOMERS)[row]["id"].as_str().unwrap().to_owned()
}

fn a_record_goes_a_moment_after_its_row(stage: &mut Stage) {
    follow_table(stage, "      on_delete: delete");
    let child = serve_until(stage, 5);
    // The first sweep is over; the next is an hour away.
    rename(stage, 1, "warm");
    arrives(stage, 1, "warm");
    let before = stage.smartsuite.newest_request();
    let old = id_of(stage, "2");
    stage.sql("DELETE FROM customers WHERE id = 2");
    awaits(stage, "record 2 stayed", || !has(stage, "2"));
    // The row returns: its record is made anew, and nothing is done twice.
    stage.sql("INSERT INTO customers (id, customer_name) VALUES (2, 'Again')");
    awaits(stage, "record 2 did not return", || has(stage, "2"));
    assert_ne!(id_of(stage, "2"), old);
    // A row that is replaced in one transaction was never gone, nor was one that is the same as before.
    let kept = id_of(stage, "3");
    stage.sql(
        "CREATE TEMPORARY TABLE kept AS SELECT * FROM customers WHERE id = 3; START TRANSACTION; \
         DELETE FROM customers WHERE id = 3; INSERT INTO customers SELECT * FROM kept; COMMIT",
    );
    // A key that changes is a row that goes and another that comes.
    stage.sql("UPDATE customers SET id = 40 WHERE id = 4");
    awaits(stage, "record 40 did not come", || has(stage, "40") && !has(stage, "4"));
    assert_eq!(id_of(stage, "3"), kept);
    let made = stage.smartsuite.requests_after(before);
    let count = |kind| made.iter().filter(|request| request.route == kind).count();
    assert_eq!((count(BulkDelete), count(BulkCreate), count(BulkUpdate)), (2, 2, 0));
    signal(&child, "-TERM");
    stage.finish(child, 0).ended(0);
    stage.run(&["run", "--reconcile"]).ended(0).cost_nothing();
}

fn an_archived_record_comes_back_a_moment_after_its_row(stage: &mut Stage) {
    follow_table(
        stage,
        "      on_delete: archive
      archive: {field: sstatus001, value: Inactive, restored: Active}",
    );
    let child = serve_until(stage, 5);
    let status = || stage.records(CUSTOMERS)["2"]["sstatus001"].clone();
    let (id, before) = (id_of(stage, "2"), status());
    stage.sql("DELETE FROM customers WHERE id = 2");
    awaits(stage, "record 2 was not archived", || status() != before);
    let archived = status();
    stage.sql("INSERT INTO customers (id, customer_name, company) VALUES (2, 'Again', 'Back')");
    arrives(stage, 2, "Back");
    assert_ne!(status(), archived);
    assert_eq!(id_of(stage, "2"), id);
    signal(&child, "-TERM");
    stage.finish(child, 0).ended(0);
}

fn many_at_once_wait_for_a_yes_while_all_else_goes_on(stage: &mut Stage) {
    follow_table(stage, "      on_delete: delete");
    let child = serve_until(stage, 5);
    stage.sql("DELETE FROM customers WHERE id <> 5");
    let held = || stage.state_value::<i64>("SELECT count(*) FROM outbox WHERE state = 3");
    awaits(stage, "four records were not held", || held() == 4);
    rename(stage, 5, "goes on");
    arrives(stage, 5, "goes on");
    assert_eq!(stage.records(CUSTOMERS).len(), 5);
    stage
        .run(&["status"])
        .ended(0)
        .said(&["4 records to go with their rows", "run --allow-deletes 4"]);
    // One row is back: its record stays.
    stage.sql("INSERT INTO customers (id, customer_name, company) VALUES (1, 'Again', 'Back')");
    arrives(stage, 1, "Back");
    awaits(stage, "three records are not held", || held() == 3);
    signal(&child, "-TERM");
    stage.finish(child, 0).ended(0);
    stage.run(&["run"]).ended(2).said(&["[deletes_need_a_yes]"]).cost_nothing();
    stage.run(&["run", "--allow-deletes", "3"]).ended(0).said(&["3 deleted"]).cost(&[BulkDelete]);
    assert_eq!(stage.records(CUSTOMERS).keys().collect::<Vec<_>>(), ["1", "5"]);
}
