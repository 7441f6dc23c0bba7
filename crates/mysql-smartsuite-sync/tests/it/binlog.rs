//! Syncs that follow the binlog.

mod definitions;
mod gap;
mod gone;
mod pressure;
mod related;
mod retention;

use std::{
    fs,
    process::Child,
    time::{Duration, Instant},
};

use smartsuite_emulator::RouteKind::{BulkCreate, BulkUpdate};
use throwaway_server::wait_until;

use crate::stage::{CUSTOMERS, Stage, on_every_server, signal};

on_every_server! {
    a_run_catches_up_and_ends
    the_service_follows_within_a_moment
    killed_again_and_again_it_loses_nothing
    a_lost_position_stops_the_sync_or_is_mended
    a_missing_right_is_named
}

const LIMIT: Duration = Duration::from_mins(1);

/// Lets customers follow the binlog, by a user who may.
fn follow(stage: &mut Stage) {
    let user = stage.database.create_user("SELECT", "PROCESS, REPLICATION SLAVE").unwrap();
    stage.setting("MYSQL_USER", user.name);
    stage.setting("MYSQL_PASSWORD", user.password);
    stage.remap("    name: customers\n", "    name: customers\n    capture: binlog\n");
    stage.remap("  - name: orders", "  - name: orders\n    enabled: false");
}

/// The customers as a table that is followed, without orders that refer to them; `more` belongs to the destination.
fn follow_table(stage: &mut Stage, more: &str) {
    follow(stage);
    stage.sql("DELETE FROM orders");
    stage.map(&format!(
        "syncs:
  - name: customers
    capture: binlog
    source:
      table: customers
    destination:
      table_id: {CUSTOMERS}
      external_id_field: scustextid
{more}
      field_mappings: {{customer_name: title, company: scompany01}}
"
    ));
}

/// Waits for what must come, and says what the service said if it does not.
#[track_caller]
fn awaits(stage: &Stage, what: &str, mut condition: impl FnMut() -> bool) {
    let came = wait_until(LIMIT, || Ok(condition())).unwrap();
    let log = || fs::read_to_string(stage.path("logs/sync.log")).unwrap_or_default();
    assert!(came, "{what}:\n{}", log());
}

/// A change that no query on `updated_at` would see.
fn rename(stage: &Stage, id: u32, company: &str) {
    stage.sql(&format!(
        "UPDATE customers SET company = '{company}', updated_at = '2001-01-01' WHERE id = {id}"
    ));
}

fn company(stage: &Stage, id: u32) -> String {
    let records = stage.records(CUSTOMERS);
    let record = records.get(&id.to_string());
    record.and_then(|record| record["scompany01"].as_str()).unwrap_or_default().to_owned()
}

#[track_caller]
fn arrives(stage: &Stage, id: u32, name: &str) {
    awaits(stage, &format!("{name} did not arrive"), || company(stage, id) == name);
}

fn serve(stage: &Stage) -> Child {
    stage.start(&["schedule", "--interval", "60"])
}

/// Starts the service and waits until so many records are there.
fn serve_until(stage: &Stage, records: usize) -> Child {
    let child = serve(stage);
    awaits(stage, "the first load", || stage.smartsuite.records(CUSTOMERS).len() == records);
    child
}

fn a_run_catches_up_and_ends(stage: &mut Stage) {
    follow(stage);
    stage.run(&["run"]).ended(0);
    assert_eq!(stage.records(CUSTOMERS).len(), 5);
    stage.run(&["run"]).ended(0).cost_nothing();
    rename(stage, 1, "Named by the log");
    rename(stage, 2, "Named too");
    stage.sql("INSERT INTO customers (id, customer_name) VALUES (77, 'New')");
    let act = stage.run(&["run"]).ended(0);
    assert_eq!((act.calls(BulkCreate), act.calls(BulkUpdate)), (1, 1), "{}", act.err);
    assert_eq!(company(stage, 2), "Named too");
    assert!(stage.records(CUSTOMERS).contains_key("77"));
    stage.run(&["run"]).ended(0).cost_nothing();
    // How far behind it is, grows while nobody reads the log, and is gone when somebody does.
    last_read(stage, 5_000);
    let before = lag(stage);
    assert!((5_000..6_000).contains(&before), "{before} seconds");
    stage.run(&["status"]).said(&["binlog", "seconds behind"]);
    stage.run(&["run"]).ended(0).cost_nothing();
    let after = lag(stage);
    assert!(after < 1_000, "{after} seconds");
    // A write that bypasses the log is drift: the next run reads what the log names, and nothing else.
    stage.sql("SET sql_log_bin = 0; UPDATE customers SET company = 'Unseen' WHERE id = 4");
    rename(stage, 5, "Named once more");
    let report = stage.run(&["verify", "--sync-name", "customers", "--json"]).ended(2).json();
    let report = &report["syncs"][0];
    assert_eq!((&report["drift"]["different"], &report["explained"]), (&1.into(), &1.into()));
    stage.run(&["repair", "--sync-name", "customers", "--yes"]).ended(0);
    assert_eq!([4, 5].map(|id| company(stage, id)), ["Unseen", "Named once more"]);
    // Rows that bypass the log's names: everything is read, and nothing is sent that is the same.
    stage.sql("ALTER TABLE customers ADD internal_note TEXT");
    stage.run(&["run"]).ended(0).warned(&["ALTER of table `customers`"]).cost_nothing();
    // Who follows no more is not behind.
    stage.remap("    capture: binlog\n", "");
    stage.run(&["run"]).ended(0);
    let status = stage.run(&["status", "--json"]).json();
    assert!(
        status["syncs"].as_array().unwrap().iter().all(|sync| sync["state"]["binlog"].is_null())
    );
}

/// Lets the state have read the log so many seconds ago.
fn last_read(stage: &Stage, seconds: i64) {
    let at = jiff::Timestamp::now().as_millisecond() - seconds * 1_000;
    let connection = rusqlite::Connection::open(stage.state()).unwrap();
    connection.execute("UPDATE syncs SET stream_as_of = ? WHERE name = 'customers'", [at]).unwrap();
}

/// How many seconds the customers are behind, as `status` says.
fn lag(stage: &Stage) -> i64 {
    let status = stage.run(&["status", "--json"]).json();
    let mut syncs = status["syncs"].as_array().unwrap().iter();
    let binlog = syncs.find_map(|sync| sync["state"]["binlog"].as_object()).unwrap();
    binlog["lag_seconds"].as_i64().unwrap()
}

fn the_service_follows_within_a_moment(stage: &mut Stage) {
    follow(stage);
    let child = serve_until(stage, 5);
    rename(stage, 1, "warm");
    arrives(stage, 1, "warm");
    let mut times = Vec::new();
    for round in 0..25 {
        let name = format!("round {round}");
        rename(stage, 1 + round % 5, &name);
        let began = Instant::now();
        let what = format!("{name} did not arrive");
        awaits(stage, &what, || company(stage, 1 + round % 5) == name);
        times.push(began.elapsed());
    }
    times.sort_unstable();
    let at = |share: usize| times[(times.len() * share / 100).min(times.len() - 1)];
    eprintln!(
        "commit to record, {:?}: p50 {:?}, p99 {:?}, of which 200 ms are gathering",
        stage.database.flavor(),
        at(50),
        at(99)
    );
    assert!(at(50) < Duration::from_secs(3), "{times:?}");
    signal(&child, "-TERM");
    stage.finish(child, 0).ended(0);
}

/// Some rows change again and again, and each of others once: nothing later would make up for its loss. None is new: a
/// create whose answer a kill loses is looked for a minute and a half later.
fn killed_again_and_again_it_loses_nothing(stage: &mut Stage) {
    const CHANGES: u32 = 45;
    follow(stage);
    let rows: Vec<String> =
        (1..=CHANGES).map(|round| format!("({}, 'once')", once(round))).collect();
    let rows = rows.join(", ");
    stage.sql(&format!("INSERT INTO customers (id, customer_name) VALUES {rows}"));
    stage.run(&["run"]).ended(0);
    let mut round = 0;
    for kill in 0..6 {
        let mut child = serve(stage);
        let before = stage.smartsuite.newest_request();
        let mut change = |times: usize| {
            for _ in 0..times {
                round += 1;
                let name = format!("round {round}");
                rename(stage, 1 + round % 5, &name);
                rename(stage, once(round), &name);
            }
        };
        change(5);
        // One time it is killed while it starts, else while it sends.
        if kill > 0 {
            awaits(stage, "nothing was sent", || stage.smartsuite.newest_request() > before);
        }
        change(kill);
        signal(&child, "-KILL");
        child.wait().unwrap();
    }
    assert_eq!(round, CHANGES);
    let child = serve(stage);
    // A change of its own tells that it is up: the others may have arrived before.
    stage.sql("UPDATE customers SET customer_name = 'last' WHERE id = 5");
    awaits(stage, "the last change", || stage.records(CUSTOMERS)["5"]["title"] == "last");
    for id in 1..=5 {
        let last = (0..=round).rev().find(|round| 1 + round % 5 == id).unwrap();
        arrives(stage, id, &format!("round {last}"));
    }
    for round in 1..=CHANGES {
        arrives(stage, once(round), &format!("round {round}"));
    }
    signal(&child, "-TERM");
    stage.finish(child, 0).ended(0);
    stage.run(&["run", "--full"]).ended(0).cost_nothing();
}

/// The row that changes in one round alone.
fn once(round: u32) -> u32 {
    1_000 + round
}

fn a_lost_position_stops_the_sync_or_is_mended(stage: &mut Stage) {
    follow(stage);
    stage.run(&["run"]).ended(0);
    let lose = |stage: &Stage| {
        let connection = rusqlite::Connection::open(stage.state()).unwrap();
        connection
            .execute("UPDATE syncs SET stream_position = '{}' WHERE name = 'customers'", [])
            .unwrap();
    };
    lose(stage);
    rename(stage, 3, "while it was lost");
    let act = stage.run(&["run"]).cost_nothing();
    assert_ne!(act.code, Some(0));
    assert!(act.out.contains("binlog_position_lost"), "{}\n{}", act.out, act.err);
    stage.run(&["run", "--full"]).ended(0).cost(&[BulkUpdate]);
    assert_eq!(company(stage, 3), "while it was lost");
    stage.remap("    capture: binlog", "    capture: binlog\n    on_position_lost: repair");
    lose(stage);
    rename(stage, 4, "lost again");
    stage.run(&["run"]).ended(0).cost(&[BulkUpdate]);
    assert_eq!(company(stage, 4), "lost again");
    stage.run(&["run"]).ended(0).cost_nothing();
}

fn a_missing_right_is_named(stage: &mut Stage) {
    stage.remap("    name: customers\n", "    name: customers\n    capture: binlog\n");
    stage.remap("  - name: orders", "  - name: orders\n    enabled: false");
    let act = stage.run(&["run"]);
    assert_ne!(act.code, Some(0));
    act.said(&["mysql_missing_privilege", "GRANT REPLICATION SLAVE"]);
}
