//! What a new mapping file, a kill, another process or a state that does not answer comes between is not lost.

use std::{fs, time::Duration};

use rusqlite::Connection;
use throwaway_server::wait_until;

use crate::{
    stage::{CUSTOMERS, Stage, now, on_mariadb, signal},
    web::Service,
};

on_mariadb! {
    neither_a_reload_nor_a_kill_loses_a_run_or_what_was_asked_for
    a_trigger_waits_for_another_process_that_runs_the_sync
    a_pause_holds_though_the_state_could_not_be_read
}

const LIMIT: Duration = Duration::from_secs(30);

/// How the runs of a sync ended, oldest first.
fn runs(stage: &Stage, sync: &str) -> String {
    stage.state_value(&format!(
        "SELECT group_concat(status) FROM (SELECT status FROM runs
           WHERE sync_id = (SELECT id FROM syncs WHERE name = '{sync}') ORDER BY id)"
    ))
}

#[track_caller]
fn until(is_so: impl Fn() -> bool) {
    assert!(wait_until(LIMIT, || Ok(is_so())).unwrap());
}

/// For nine minutes no call leaves: a run that has something to send is under way as long.
fn close_gate(stage: &Stage) {
    set_gate(stage, "closed_until = next + 540000");
}

fn open_gate(stage: &Stage) {
    // Who waited has reserved a departure.
    set_gate(stage, "closed_until = 0, next = 0");
}

fn set_gate(stage: &Stage, how: &str) {
    let state = Connection::open(stage.state()).unwrap();
    state.busy_timeout(LIMIT).unwrap();
    assert_eq!(state.execute(&format!("UPDATE gates SET {how}"), []).unwrap(), 1);
}

fn neither_a_reload_nor_a_kill_loses_a_run_or_what_was_asked_for(stage: &mut Stage) {
    // A minute is six seconds.
    stage.setting("SYNC_TEST_CLOCK", format!("10@{}", now()));
    stage.map_with_links();
    stage.refuse_texts_beyond(Some(60));
    stage.sql("UPDATE customers SET company = repeat('x', 61) WHERE id IN (1, 3)");
    stage.run(&["run"]).ended(2);
    stage.refuse_texts_beyond(None);
    let parked = || {
        stage.state_value::<i64>(
            "SELECT count(*) FROM outbox WHERE state = 2
               AND sync_id = (SELECT id FROM syncs WHERE name = 'customers')",
        )
    };
    assert_eq!(parked(), 2);
    let orders = runs(stage, "orders");
    close_gate(stage);
    stage.sql("UPDATE customers SET company = 'New' WHERE id = 2");
    let mut service = Service::start(stage, &["--interval", "600"]);
    assert_eq!(service.post("/webhook/sync/customers", "").status, 202);
    until(|| runs(stage, "customers") == "partial,running");
    let forget = |service: &Service, key: &str| {
        let request = format!(r#"{{"sync": "customers", "key": "{key}"}}"#);
        service.post("/api/v1/quarantine/drop", &request).json()["status"].clone()
    };
    assert_eq!(forget(&service, "1"), "later");
    // Their rows point to customers, so they wait for that run.
    assert_eq!(service.post("/webhook/sync/orders", "").status, 202);
    stage.map(&format!("# Another file.\n{}", stage.mapping()));
    until(|| runs(stage, "customers") == "partial,interrupted,running");
    assert_eq!(parked(), 1, "what was to be done after the run");
    assert_eq!(forget(&service, "3"), "later");
    signal(&service.child, "-KILL");
    service.child.wait().unwrap();
    open_gate(stage);
    let service = Service::start(stage, &["--interval", "600"]);
    until(|| stage.records(CUSTOMERS)["2"]["scompany01"] == "New");
    until(|| runs(stage, "orders").starts_with(&format!("{orders},")));
    until(|| stage.state_value::<i64>("SELECT count(*) FROM promises") == 0);
    assert_eq!(parked(), 0);
    service.end(stage);
}

fn a_trigger_waits_for_another_process_that_runs_the_sync(stage: &mut Stage) {
    // A minute is six seconds.
    stage.setting("SYNC_TEST_CLOCK", format!("10@{}", now()));
    stage.run(&["run"]).ended(0);
    close_gate(stage);
    stage.sql("UPDATE customers SET company = 'First' WHERE id = 2");
    let mut other = stage.start(&["run", "--sync-name", "customers"]);
    until(|| runs(stage, "customers") == "success,running");
    let service = Service::start(stage, &["--interval", "600"]);
    stage.sql("UPDATE customers SET company = 'Second' WHERE id = 3");
    assert_eq!(service.post("/webhook/sync/customers", "").status, 202);
    until(|| fs::read_to_string(stage.path("logs/sync.log")).unwrap().contains("customers: waits"));
    signal(&other, "-KILL");
    other.wait().unwrap();
    open_gate(stage);
    until(|| stage.records(CUSTOMERS)["3"]["scompany01"] == "Second");
    service.end(stage);
}

fn a_pause_holds_though_the_state_could_not_be_read(stage: &mut Stage) {
    // A minute is a second.
    stage.setting("SYNC_TEST_CLOCK", format!("60@{}", now()));
    let service = Service::start(stage, &["--interval", "1"]);
    service.until("/api/v1/overview", |all| all["syncs"][0]["standing"] == "good");
    let state = Connection::open(stage.state()).unwrap();
    let version: i64 = state.query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap();
    // As another program of a newer version would leave it, with a pause that nobody here was told of.
    state
        .execute_batch(
            "BEGIN IMMEDIATE; INSERT INTO pauses VALUES ('customers', 0); PRAGMA user_version = 99; COMMIT",
        )
        .unwrap();
    let waits = "customers: waits, as the state cannot be read";
    until(|| fs::read_to_string(stage.path("logs/sync.log")).unwrap().contains(waits));
    let before = runs(stage, "customers");
    state.pragma_update(None, "user_version", version).unwrap();
    until(|| {
        let log = fs::read_to_string(stage.path("logs/sync.log")).unwrap();
        log.split(waits).last().unwrap().contains("customers: paused")
    });
    assert_eq!(runs(stage, "customers"), before);
    service.end(stage);
}
