//! SmartSuite takes four calls a second, and MySQL changes thousands of rows.

use std::{
    fs,
    time::{Duration, Instant},
};

use smartsuite_emulator::RouteKind::{BulkCreate, BulkUpdate};
use throwaway_server::wait_until;

use super::{LIMIT, awaits, follow, serve};
use crate::stage::{CUSTOMERS, Stage, on_mariadb, signal};

on_mariadb! {
    a_slow_smartsuite_keeps_nothing_waiting_and_loses_nothing
}

const ROWS: usize = 400;
/// How long rows are changed.
const LENGTH: Duration = Duration::from_secs(8);
/// What the program may take, in KiB.
const MEMORY_MAX: u64 = 64 * 1024;

/// The most memory that the process had, in KiB.
fn memory(process: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// What the rows count and what the records do.
fn counts(stage: &Stage) -> (Vec<String>, Vec<String>) {
    let rows = stage.database.client().query("SELECT CONCAT(id, ':', n) FROM ticks").unwrap();
    let mut rows: Vec<String> = rows.lines().map(str::to_owned).collect();
    let records = stage.records(CUSTOMERS).into_iter();
    let mut records: Vec<String> = records
        .map(|(id, record)| format!("{id}:{}", record["title"].as_str().unwrap_or_default()))
        .collect();
    rows.sort_unstable();
    records.sort_unstable();
    (rows, records)
}

fn a_slow_smartsuite_keeps_nothing_waiting_and_loses_nothing(stage: &mut Stage) {
    follow(stage);
    let rows: Vec<String> = (1..=ROWS).map(|id| format!("({id}, 0)")).collect();
    stage.sql(&format!(
        "CREATE TABLE ticks (id INT PRIMARY KEY, n INT NOT NULL); INSERT INTO ticks VALUES {}",
        rows.join(", ")
    ));
    stage.map(&format!(
        "syncs:
  - name: ticks
    capture: binlog
    source: {{table: ticks}}
    destination:
      table_id: {CUSTOMERS}
      external_id_field: scustextid
      field_mappings: {{n: title}}
"
    ));
    stage.run(&["run"]).ended(0);
    // From here on with the usual distance between calls.
    stage.unset("SYNC_TEST_OPEN_GATE");
    let child = serve(stage);
    let client = stage.database.client().clone();
    let (began, before) = (Instant::now(), stage.smartsuite.newest_request());
    let writer = std::thread::spawn(move || {
        let mut times = 0;
        while began.elapsed() < LENGTH {
            let ten = "UPDATE ticks SET n = n + 1;".repeat(10);
            client.execute(&ten).unwrap();
            times += 10;
        }
        times
    });
    let shows_lag = wait_until(LENGTH, || {
        let status = stage.run(&["status", "--json"]).ended(0).json();
        let state = &status["syncs"][0]["state"];
        let behind = state["waiting"].as_u64().unwrap_or(0) + state["dirty"].as_u64().unwrap_or(0);
        Ok(state["binlog"]["lag_seconds"].is_number() && behind > 0)
    });
    let changed = writer.join().unwrap() * ROWS;
    let took = began.elapsed();
    let sent = |stage: &Stage| {
        let made = stage.smartsuite.requests_after(before);
        let writes = made.iter().filter(|call| matches!(call.route, BulkCreate | BulkUpdate));
        (made.len(), writes.map(|call| call.items.unwrap_or(0)).sum::<usize>())
    };
    let (calls, items) = sent(stage);
    awaits(stage, "not every row's newest count arrived", || {
        let (rows, records) = counts(stage);
        rows == records
    });
    let most = memory(child.id());
    let per_second = f64::from(u32::try_from(changed).unwrap()) / took.as_secs_f64();
    println!(
        "back-pressure: {changed} rows changed in {:.1} s ({per_second:.0} a second), meanwhile {calls} calls with {items} \
         records; the rest within {:.1} s; {} MiB at most",
        took.as_secs_f64(),
        began.elapsed().saturating_sub(took).as_secs_f64(),
        most / 1024
    );
    assert!(per_second > 2_000.0, "{per_second} rows a second are no pressure");
    assert!(
        f64::from(u32::try_from(calls).unwrap()) < took.as_secs_f64() * 4.0 + 5.0,
        "{calls} calls"
    );
    assert!(items * 10 < changed, "{items} of {changed} changes were sent: they did not coalesce");
    assert!(shows_lag.unwrap(), "status showed no lag");
    assert!(most < MEMORY_MAX, "{most} KiB");
    assert!(began.elapsed() < LIMIT);
    signal(&child, "-TERM");
    stage.finish(child, 0).ended(0);
}
