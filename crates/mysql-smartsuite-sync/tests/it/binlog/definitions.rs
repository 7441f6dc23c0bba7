//! Tables that are defined anew, or emptied, while the service follows them.

use std::{fs, process::Child};

use smartsuite_emulator::{Fault, FaultKind, RouteKind::BulkUpdate};

use super::{arrives, awaits, company, follow_table, rename, serve_until};
use crate::stage::{CUSTOMERS, Stage, on_every_server, signal};

on_every_server! {
    a_table_that_changes_its_shape_is_followed_without_a_failed_run
    columns_that_change_while_a_call_is_under_way_fail_no_run
    an_emptied_table_is_said_at_once_and_deletes_nothing
}

/// Ends the service; no run of it may have failed.
fn end(stage: &Stage, child: Child) {
    signal(&child, "-TERM");
    stage.finish(child, 0).ended(0);
    let failed: i64 = stage.state_value(
        "SELECT count(*) FROM sync_runs WHERE status NOT IN ('success', 'interrupted')",
    );
    let log = || fs::read_to_string(stage.path("logs/sync.log")).unwrap_or_default();
    assert_eq!(failed, 0, "{}", log());
}

fn a_table_that_changes_its_shape_is_followed_without_a_failed_run(stage: &mut Stage) {
    follow_table(stage, "      on_delete: delete");
    let child = serve_until(stage, 5);
    let steps = [
        "ALTER TABLE customers ADD note TEXT FIRST",
        // Mapped columns of another type, and in another place.
        "ALTER TABLE customers MODIFY company TEXT",
        "ALTER TABLE customers MODIFY customer_name VARCHAR(200) NOT NULL AFTER email",
        // In one step, as tools for changes under load do it, and in two.
        "CREATE TABLE fresh LIKE customers; INSERT INTO fresh SELECT * FROM customers; \
         RENAME TABLE customers TO old, fresh TO customers",
        "RENAME TABLE customers TO aside; DO SLEEP(0.6); RENAME TABLE aside TO customers",
        "ALTER TABLE customers DROP note, ADD shade INT DEFAULT 3",
        "OPTIMIZE TABLE customers",
    ];
    stage.sql("SET foreign_key_checks = 0; DROP TABLE orders");
    for (step, sql) in steps.into_iter().enumerate() {
        // Changes just before and just after, so that keys are read by the old mapping and the new.
        rename(stage, 1, &format!("before {step}"));
        stage.sql(sql);
        for id in 2..=5 {
            rename(stage, id, &format!("after {step}"));
        }
        for id in 2..=5 {
            arrives(stage, id, &format!("after {step}"));
        }
        awaits(stage, "the change before", || company(stage, 1) == format!("before {step}"));
    }
    assert_eq!(stage.records(CUSTOMERS).len(), 5);
    end(stage, child);
}

/// Keys are marked while a call is under way, and are read when it is over: by then a mapped column is of another type,
/// and the mapping that the run began with does not fit any more.
fn columns_that_change_while_a_call_is_under_way_fail_no_run(stage: &mut Stage) {
    follow_table(stage, "");
    stage.remap("company: scompany01}", "company: scompany01, credit_limit: screditlim}");
    let child = serve_until(stage, 5);
    rename(stage, 1, "warm");
    arrives(stage, 1, "warm");
    let slow = Fault::new(FaultKind::DelayMs(1_500)).on(&[BulkUpdate]);
    stage.smartsuite.fault(slow.after_the_effect());
    rename(stage, 1, "under way");
    arrives(stage, 1, "under way");
    stage.sql("ALTER TABLE customers MODIFY credit_limit VARCHAR(20)");
    stage.sql("UPDATE customers SET credit_limit = '77', company = 'new type' WHERE id = 2");
    arrives(stage, 2, "new type");
    assert!(stage.records(CUSTOMERS)["2"]["screditlim"].to_string().contains("77"));
    end(stage, child);
}

fn an_emptied_table_is_said_at_once_and_deletes_nothing(stage: &mut Stage) {
    follow_table(stage, "      on_delete: delete");
    stage.sql(
        "SET foreign_key_checks = 0; DROP TABLE orders; \
         INSERT INTO customers (customer_name) SELECT 'more' FROM information_schema.COLUMNS LIMIT 45",
    );
    let child = serve_until(stage, 50);
    let said = |words: &str| {
        fs::read_to_string(stage.path("logs/sync.log")).unwrap_or_default().contains(words)
    };
    stage.sql("CREATE TABLE kept AS SELECT * FROM customers; TRUNCATE TABLE customers");
    awaits(stage, "nobody said it", || {
        said("TRUNCATE of table `customers`") && said("yields 0 rows where it yielded 50")
    });
    assert_eq!(stage.records(CUSTOMERS).len(), 50);
    // The rows are back, and with them the peace: the run that has seen all this ends well.
    stage.sql("INSERT INTO customers SELECT * FROM kept");
    rename(stage, 1, "back");
    arrives(stage, 1, "back");
    assert_eq!(stage.records(CUSTOMERS).len(), 50);
    signal(&child, "-TERM");
    stage.finish(child, 0).ended(0);
    stage.run(&["run", "--reconcile"]).ended(0).cost_nothing();
}
