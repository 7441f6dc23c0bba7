//! A plan before a run: nothing is written, and what it says is what happens.

use std::os::unix::fs::PermissionsExt as _;

use smartsuite_emulator::RouteKind::{BulkCreate, BulkUpdate, List, Table};

use crate::stage::{CUSTOMERS, ORDERS, Stage, on_every_server, on_mariadb};

on_every_server! {
    a_first_run_is_planned_to_the_call
    a_changed_row_is_shown_field_by_field
}

on_mariadb! {
    a_plan_that_needs_no_call_leaves_every_byte_of_the_state
    a_plan_that_reads_smartsuite_counts_its_calls_and_changes_nothing_else
    a_run_by_a_plan_does_what_it_says_and_nothing_else
    a_first_load_of_linked_tables_is_planned_and_run_by_its_plan
    values_that_are_kept_show_what_changes_without_a_call
    a_plan_is_refused_when_the_mapping_has_changed
    rows_that_cannot_be_written_are_part_of_the_plan
    a_plan_offline_asks_nothing
    a_plan_can_be_made_of_the_older_programs_state
}

fn a_first_run_is_planned_to_the_call(stage: &mut Stage) {
    let act = stage.run(&["plan", "--json"]).ended(0).cost(&[Table, Table, List, List]);
    let plan = act.json();
    assert_eq!(plan["calls_made"], 4);
    assert!(!stage.state().exists(), "planning makes no state");
    assert!(stage.records(CUSTOMERS).is_empty());
    let run = stage.run(&["run", "--json"]).ended(0);
    let done = run.json();
    for (planned, ran) in [(0, 0), (1, 1)] {
        let (planned, ran) = (&plan["syncs"][planned], &done["syncs"][ran]);
        assert_eq!(planned["sync"], ran["sync"]);
        assert_eq!(planned["calls"], ran["calls"]);
        assert_eq!(planned["create"], ran["counts"]["created"]);
    }
    assert_eq!(plan["calls"], run.requests.len());
    // And the run after it, which does nothing.
    let plan = stage.run(&["plan", "--json"]).ended(0).cost_nothing().json();
    assert_eq!(plan["calls"], 0);
}

fn a_changed_row_is_shown_field_by_field(stage: &mut Stage) {
    stage.run(&["run"]).ended(0);
    stage.sql("UPDATE customers SET company = 'Elsewhere', status = 'inactive' WHERE id = 1");
    stage
        .run(&["plan"])
        .ended(0)
        .said(&[
            "customers  would update 1: 1 row read",
            "1 API call: 1 update",
            "~ update 1",
            "Status        Inactive",
            "hint: `--live` shows what the records hold now",
        ])
        .cost_nothing();
    let act = stage.run(&["plan", "--live"]).ended(0).cost(&[List]);
    let act =
        act.said(&["Roche Fleurs -> Elsewhere", "Active -> Inactive", "1 API call made to read"]);
    assert!(!act.out.contains("Amélie"), "only what changes is shown:\n{}", act.out);
    stage.remap("# smartsuite:", "smartsuite:\n  monthly_calls: 5000");
    stage
        .run(&["plan"])
        .ended(0)
        .said(&["1 API call", "0.1 % of the month's 5,000, of which 7 are used"]);
}

fn a_plan_that_needs_no_call_leaves_every_byte_of_the_state(stage: &mut Stage) {
    stage.run(&["run"]).ended(0);
    stage.sql("UPDATE customers SET company = 'Elsewhere'");
    // All but `-shm`, in which SQLite notes who reads. An empty log is none.
    let files = |stage: &Stage| {
        ["sync_state.db", "sync_state.db-wal", "sync_state.db.lock"]
            .map(|name| std::fs::read(stage.path(name)).unwrap_or_default())
    };
    // A process that ends may leave its log to whoever closes the file next: let that be us.
    let connection = rusqlite::Connection::open(stage.state()).unwrap();
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
    drop(connection);
    let before = files(stage);
    stage.run(&["plan"]).ended(0).said(&["update 5"]).cost_nothing();
    stage.run(&["plan", "--full", "--retry", "--offline"]).ended(1);
    let same: Vec<bool> =
        files(stage).iter().zip(&before).map(|(now, before)| now == before).collect();
    assert_eq!(same, [true; 3], "file, log and lock of the state are as they were");
}

fn a_plan_that_reads_smartsuite_counts_its_calls_and_changes_nothing_else(stage: &mut Stage) {
    stage.run(&["run"]).ended(0);
    stage.sql("INSERT INTO customers (customer_name, status) VALUES ('New', 'active')");
    let dump = |stage: &Stage, tables: &str| -> String {
        stage.state_value(&format!(
            "SELECT group_concat(quote(t), '|') FROM (SELECT json_array({tables}) AS t)"
        ))
    };
    let all =
        "(SELECT count(*) FROM links), (SELECT count(*) FROM outbox), (SELECT count(*) FROM runs),
               (SELECT max(token) FROM syncs), (SELECT group_concat(watermark) FROM syncs),
               (SELECT value FROM counters WHERE name = 'calls'), (SELECT count(*) FROM dirty)";
    let before = dump(stage, all);
    let calls: i64 = stage.state_value("SELECT sum(count) FROM calls");
    stage.run(&["plan"]).ended(0).said(&["create 1", "1 create, 1 audit"]).cost(&[List]);
    assert_eq!(dump(stage, all), before);
    assert_eq!(stage.state_value::<i64>("SELECT sum(count) FROM calls"), calls + 1);
}

fn a_run_by_a_plan_does_what_it_says_and_nothing_else(stage: &mut Stage) {
    stage.run(&["plan", "--out", "the.plan"]).ended(0).said(&["run --plan the.plan"]);
    let mode = std::fs::metadata(stage.path("the.plan")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "it shows rows");
    stage
        .run(&["run", "--plan", "the.plan"])
        .ended(0)
        .cost(&[Table, Table, List, List, BulkCreate, BulkCreate]);
    assert_eq!(stage.records(CUSTOMERS).len(), 5);
    // Once.
    stage
        .run(&["run", "--plan", "the.plan"])
        .ended(1)
        .said(&["[plan_outdated]", "make a new plan"])
        .cost_nothing();
    stage.sql("UPDATE customers SET company = 'One' WHERE id = 1");
    stage.run(&["plan", "--out", "the.plan"]).ended(0);
    stage.sql("UPDATE customers SET company = 'Two' WHERE id = 2");
    stage.run(&["run", "--plan", "the.plan"]).ended(1).said(&["[plan_outdated]"]).cost_nothing();
    stage.run(&["run"]).ended(0).said(&["2 updated"]).cost(&[BulkUpdate]);
}

/// Parents are rehearsed first, and a link to a record that the plan creates is known by its row.
fn a_first_load_of_linked_tables_is_planned_and_run_by_its_plan(stage: &mut Stage) {
    stage.map_with_links();
    let act = stage.run(&["plan", "--all", "--out", "the.plan"]).ended(0);
    act.said(&["would create 5", "new record of customers 1"]);
    let plan = stage.run(&["plan", "--json", "--out", "the.plan"]).ended(0).json();
    let names: Vec<_> =
        plan["syncs"].as_array().unwrap().iter().map(|sync| &sync["sync"]).collect();
    let run = stage.run(&["run", "--plan", "the.plan", "--json"]).ended(0);
    let done = run.json();
    for (place, name) in names.into_iter().enumerate() {
        let ran =
            done["syncs"].as_array().unwrap().iter().find(|sync| sync["sync"] == *name).unwrap();
        let planned = &plan["syncs"][place];
        assert_eq!(planned["calls"], ran["calls"], "{name}");
        assert_eq!(planned["create"], ran["counts"]["created"], "{name}");
        assert_eq!(ran["counts"]["unlinked"], 0, "{name}");
    }
    assert_eq!(plan["calls"], run.requests.len());
    let customers = stage.records(CUSTOMERS);
    for order in stage.records(ORDERS).values() {
        let linked = order["scustomer0"].as_array().unwrap();
        assert!(customers.values().any(|customer| linked.contains(&customer["id"])), "{order}");
    }
    stage.run(&["run", "--full"]).ended(0).cost_nothing();
    // A plan for one row more knows the records that are there, and refuses another link than the one planned.
    stage.sql("UPDATE orders SET customer_id = 3 WHERE id = 1");
    stage.run(&["plan", "--out", "the.plan"]).ended(0).said(&["(customers 3)"]);
    stage.sql("UPDATE orders SET customer_id = 2 WHERE id = 1");
    stage.run(&["run", "--plan", "the.plan"]).ended(1).said(&["[plan_outdated]"]).cost_nothing();
}

fn values_that_are_kept_show_what_changes_without_a_call(stage: &mut Stage) {
    let kept = |stage: &Stage| -> i64 {
        stage.state_value("SELECT count(*) FROM links WHERE base IS NOT NULL")
    };
    stage.run(&["run"]).ended(0);
    assert_eq!(kept(stage), 0, "values are kept only where somebody said so");
    let mapping = stage.mapping();
    stage.map(&format!("state: {{keep_values: true}}\n{mapping}"));
    stage.sql("UPDATE customers SET company = 'One'");
    stage.run(&["run"]).ended(0);
    assert_eq!(kept(stage), 5);
    stage.sql("UPDATE customers SET company = 'Elsewhere', status = 'inactive' WHERE id = 1");
    let act = stage.run(&["plan"]).ended(0).cost_nothing();
    let act = act.said(&["One -> Elsewhere", "Active -> Inactive"]);
    assert!(!act.out.contains("Amélie"), "only what changes is shown:\n{}", act.out);
    assert!(!act.out.contains("--live"), "{}", act.out);
    // What the record is not believed to hold is not shown as if it did.
    let connection = rusqlite::Connection::open(stage.state()).unwrap();
    connection.execute("UPDATE links SET fingerprint = NULL", []).unwrap();
    drop(connection);
    let act = stage.run(&["plan"]).ended(0);
    assert!(!act.out.contains("->"), "{}", act.out);
    stage.map(&mapping);
    stage.run(&["run"]).ended(0);
    assert_eq!(kept(stage), 0, "forgotten once they are not to be kept");
}

fn a_plan_is_refused_when_the_mapping_has_changed(stage: &mut Stage) {
    stage.run(&["plan", "--out", "the.plan"]).ended(0);
    stage.remap("        company: scompany01\n", "");
    stage
        .run(&["run", "--plan", "the.plan"])
        .ended(1)
        .warned(&["the definition of sync `customers` has changed", "[plan_outdated]"])
        .cost_nothing();
    stage
        .run(&["run", "--plan", "no.plan"])
        .ended(64)
        .warned(&["the plan `no.plan` cannot be read"]);
    std::fs::write(stage.path("bad.plan"), "{}").unwrap();
    stage.run(&["run", "--plan", "bad.plan"]).ended(64).warned(&["`bad.plan` is no plan"]);
}

fn rows_that_cannot_be_written_are_part_of_the_plan(stage: &mut Stage) {
    stage.sql(
        "ALTER TABLE customers MODIFY status ENUM('active', 'inactive', 'pending', 'vip') NOT NULL;
         UPDATE customers SET status = 'vip' WHERE id = 2",
    );
    stage.run(&["plan", "--records", "1"]).ended(2).said(&[
        "customers  would create 4: 5 rows read",
        "1 row cannot be written: choice_unknown (field `sstatus001`)",
        "… 3 more records; `--all` shows every one",
    ]);
    assert!(stage.records(CUSTOMERS).is_empty());
}

fn a_plan_offline_asks_nothing(stage: &mut Stage) {
    stage
        .run(&["plan", "--offline"])
        .ended(1)
        .said(&["the table is not known yet", "[plan_table_unknown]"])
        .cost_nothing();
    stage.run(&["validate", "--online"]).ended(0);
    stage
        .run(&["plan", "--offline"])
        .ended(0)
        .said(&["would create 5", "SmartSuite was not asked"])
        .cost_nothing();
}

fn a_plan_can_be_made_of_the_older_programs_state(stage: &mut Stage) {
    let connection = rusqlite::Connection::open(stage.state()).unwrap();
    connection
        .execute_batch(
            "CREATE TABLE sync_runs (id INTEGER PRIMARY KEY, sync_name, started_at, completed_at, status,
               records_processed, records_created, records_updated, records_skipped, error_message);
             CREATE TABLE record_mappings (id INTEGER PRIMARY KEY, sync_name, source_id, smartsuite_record_id,
               data_hash, created_at, updated_at);
             CREATE TABLE sync_metadata (sync_name PRIMARY KEY, last_sync_time, last_successful_run);",
        )
        .unwrap();
    drop(connection);
    let before = std::fs::read(stage.state()).unwrap();
    stage.run(&["plan"]).ended(0).said(&["customers  would create 5"]);
    assert_eq!(std::fs::read(stage.state()).unwrap(), before);
    assert!(!stage.path("sync_state.db.before-v1").exists());
}
