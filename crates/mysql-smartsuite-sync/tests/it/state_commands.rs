//! `quarantine` and `state`: what people do to the state by hand, and what the program does to it by itself.

use std::{fs, os::unix::fs::PermissionsExt as _, time::Duration};

use smartsuite_emulator::RouteKind::{BulkCreate, BulkUpdate, List, Table};
use throwaway_server::wait_until;

use crate::stage::{CUSTOMERS, Stage, on_mariadb, signal};

on_mariadb! {
    refused_rows_are_listed_shown_retried_and_forgotten
    ten_thousand_refused_rows_stop_the_sync
    rows_that_vanish_are_said_until_somebody_accepts_it
    a_state_is_shown_copied_and_restored_when_it_is_damaged
    a_state_is_moved_to_another_machine
    parts_of_the_state_are_forgotten_on_demand
    the_service_copies_the_state_and_removes_what_is_old
    what_is_done_to_the_state_is_told_to_machines_too
}

const RUN: [&str; 3] = ["run", "--sync-name", "customers"];
const LIMIT: Duration = Duration::from_secs(30);

fn refused_rows_are_listed_shown_retried_and_forgotten(stage: &mut Stage) {
    stage.run(&["quarantine", "list"]).ended(1).warned(&["there is no state file"]);
    stage.sql(
        "ALTER TABLE customers MODIFY status VARCHAR(40) NOT NULL;
         UPDATE customers SET status = 'vip' WHERE id = 2;
         UPDATE customers SET credit_limit = 2000000 WHERE id IN (3, 4);
         UPDATE customers SET updated_at = NOW() - INTERVAL 1 DAY",
    );
    stage.run(&RUN).ended(2).said(&["2 created, 3 refused"]);
    let list = stage.run(&["quarantine", "list"]).ended(0).cost_nothing();
    let list = list.said(&[
        "sync       key  code                 field",
        "customers  2    choice_unknown",
        "number_out_of_range",
    ]);
    assert_eq!(list.out.lines().count(), 5, "{}", list.out);
    let some = stage.run(&["quarantine", "list", "--code", "number_out_of_range", "--rows", "1"]);
    some.ended(0).said(&["the first 1 row; `--rows NUMBER` shows more"]);
    let json = stage.run(&["quarantine", "list", "--key", "2", "--json"]).ended(0).json();
    assert_eq!(json["rows"][0]["code"], "choice_unknown");
    assert_eq!(json["rows"][0]["values"]["status"], "vip");
    stage.run(&["quarantine", "show", "customers", "3"]).ended(0).said(&[
        "customers  key 3",
        "[number_out_of_range]",
        "attempts   1",
        "credit_limit: ",
    ]);
    stage.run(&["quarantine", "show", "customers", "77"]).ended(1).warned(&["`quarantine list`"]);
    stage
        .run(&["quarantine", "show", "costumers", "3"])
        .ended(64)
        .warned(&["it knows `customers`"]);

    stage.run(&["quarantine", "retry"]).ended(64).warned(&["say `--all`"]);
    stage
        .run(&["quarantine", "retry", "--key", "3"])
        .ended(0)
        .said(&["customers: 1 row tried again with its next run"])
        .cost_nothing();
    stage.sql("UPDATE customers SET credit_limit = 5 WHERE id = 3");
    stage.run(&RUN).ended(2).said(&["1 created", "2 refused earlier"]);
    stage
        .run(&["quarantine", "drop", "--sync-name", "customers"])
        .ended(0)
        .said(&["2 rows forgotten"]);
    stage.run(&["quarantine", "drop", "--all"]).ended(0).said(&["no row in quarantine is meant"]);
    stage.run(&RUN).ended(0).cost_nothing();
    // Read again, they are refused again: nothing is lost.
    stage.run(&["run", "--sync-name", "customers", "--full"]).ended(2).said(&["2 refused"]);
}

fn ten_thousand_refused_rows_stop_the_sync(stage: &mut Stage) {
    stage.run(&RUN).ended(0);
    stage.sql(
        "ALTER TABLE customers MODIFY status VARCHAR(40) NOT NULL;
         INSERT INTO customers (customer_name, status) SELECT CONCAT('Bad ', seq), 'vip' FROM seq_1_to_12000",
    );
    stage
        .run(&RUN)
        .ended(1)
        .said(&["10,000 rows", "[quarantine_full]", "`quarantine list`"])
        .cost_nothing();
    stage.run(&RUN).ended(1).said(&["stopped: it was stopped before"]).cost_nothing();
    let rows: i64 = stage.state_value("SELECT count(*) FROM outbox WHERE state = 2");
    assert!((10_000..11_000).contains(&rows), "{rows} rows: no more than a chunk above the bound");
    stage.sql("UPDATE customers SET status = 'active' WHERE status = 'vip' AND id <= 30");
    stage.sql("DELETE FROM customers WHERE status = 'vip'");
    stage.run(&["quarantine", "drop", "--all"]).ended(0);
    let act = stage.run(&["run", "--sync-name", "customers", "--full"]).ended(0);
    assert!(act.calls(BulkCreate) >= 1);
    assert_eq!(stage.records(CUSTOMERS).len(), 30);
}

fn rows_that_vanish_are_said_until_somebody_accepts_it(stage: &mut Stage) {
    let rows: Vec<String> = (0..95).map(|row| format!("('More {row}', 'active')")).collect();
    stage.sql(&format!("INSERT INTO customers (customer_name, status) VALUES {}", rows.join(", ")));
    // Without a cursor column every run reads everything.
    stage.remap("      updated_at_field: updated_at\n", "");
    stage.remap("WHERE :last_sync_time IS NULL OR updated_at >= :last_sync_time", "");
    stage.run(&RUN).ended(0).said(&["100 created"]);
    stage.sql("CREATE TABLE kept AS SELECT * FROM customers; DELETE FROM customers WHERE id > 40");
    for _ in 0..2 {
        stage
            .run(&RUN)
            .ended(2)
            .said(&[
                "the query yields 40 rows where it yielded 100",
                "[rows_vanished]",
                "`run --full`",
            ])
            .cost_nothing();
    }
    let status = stage.run(&["status"]).ended(0);
    status.said(&["partial", "the query yields 40 rows"]);
    stage.sql("SET FOREIGN_KEY_CHECKS = 0; DELETE FROM customers");
    stage.run(&RUN).ended(2).said(&["the query yields 0 rows where it yielded 100"]);
    stage.sql("SET FOREIGN_KEY_CHECKS = 0; INSERT INTO customers SELECT * FROM kept");
    stage.run(&RUN).ended(0).cost_nothing();
    stage.sql("DELETE FROM customers WHERE id > 40");
    stage.run(&["run", "--sync-name", "customers", "--full"]).ended(2).said(&["[rows_vanished]"]);
    stage.run(&RUN).ended(0).cost_nothing();
    assert_eq!(stage.records(CUSTOMERS).len(), 100, "records stay as they are");
}

fn copies(stage: &Stage) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(stage.folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.contains(".backup-"))
        .collect();
    names.sort();
    names
}

fn a_state_is_shown_copied_and_restored_when_it_is_damaged(stage: &mut Stage) {
    stage.run(&["run"]).ended(0);
    stage.run(&["state", "backup"]).ended(0).said(&["copied to `sync_state.db.backup-"]);
    stage.run(&["state", "backup", "--every", "1", "--keep", "3"]).ended(0).said(&["young enough"]);
    let copy = copies(stage).remove(0);
    let mode = fs::metadata(stage.path(&copy)).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode, 0o600);
    stage
        .run(&["state", "show", "--check"])
        .ended(0)
        .said(&["every page is whole", "1 copy", "customers  5", "orders     7"])
        .cost_nothing();
    let json = stage.run(&["state", "show", "--json"]).ended(0).json();
    assert_eq!((&json["effects"], &json["runs"]), (&12.into(), &2.into()));

    // A page in the middle is overwritten, once nothing is left in the log beside the file.
    let connection = rusqlite::Connection::open(stage.state()).unwrap();
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
    drop(connection);
    let mut bytes = fs::read(stage.state()).unwrap();
    let page = bytes.len() / 2 / 4096 * 4096;
    bytes[page..page + 4096].fill(0x5a);
    fs::write(stage.state(), &bytes).unwrap();
    let act = stage.run(&["run"]).ended(1).cost_nothing();
    act.warned(&[
        "is damaged",
        "hint: restore a backup",
        &format!("the newest backup is `{copy}`"),
    ]);
    assert!(fs::read(stage.state()).unwrap() == bytes, "it is left alone");
    fs::copy(stage.path(&copy), stage.state()).unwrap();
    // Nobody knows how old a copy is: every record is compared, once a call on its way has had its minute and a half, which
    // pass in a second and a half.
    stage.setting("SYNC_TEST_CLOCK", format!("60@{}", jiff::Timestamp::now()));
    stage.run(&["run"]).ended(0).said(&["5 found equal", "7 found equal"]).cost(&[List, List]);
}

fn a_state_is_moved_to_another_machine(stage: &mut Stage) {
    stage.run(&["run"]).ended(0);
    stage.run(&["state", "export", "state.jsonl"]).ended(0).said(&["wrote 12 links of 2 syncs"]);
    stage
        .run(&["state", "export", "state.jsonl"])
        .ended(1)
        .warned(&["a file that is not there yet"]);
    let mode = fs::metadata(stage.path("state.jsonl")).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode, 0o600);
    stage.run(&["state", "import", "state.jsonl"]).ended(1).warned(&["`state reset sync`"]);

    // The time that a call on its way is given, a minute and a half, passes in a second and a half.
    stage.setting("SYNC_TEST_CLOCK", format!("60@{}", jiff::Timestamp::now()));
    stage.setting("STATE_DB_PATH", "there/state.db");
    let import = ["state", "import", "state.jsonl", "--nothing-ran-since"];
    stage.run(&import).ended(0).said(&["read 12 links of 2 syncs"]).cost_nothing();
    // What the tables look like is asked for, and nothing else.
    stage.run(&["run"]).ended(0).cost(&[Table, Table]);
    stage.run(&["run"]).ended(0).cost_nothing();
    stage.sql("UPDATE customers SET company = 'New' WHERE id = 1");
    stage.run(&RUN).ended(0).said(&["1 updated"]);

    // Nobody says that nothing ran since, and something did.
    stage.setting("STATE_DB_PATH", "elsewhere/state.db");
    let import = stage.run(&["state", "import", "state.jsonl"]).ended(0);
    import.said(&["the next runs read every row and compare every record"]);
    let act = stage.run(&["run"]).ended(0);
    let calls = (act.calls(BulkCreate), act.calls(BulkUpdate), act.calls(List));
    assert_eq!(calls, (0, 0, 2), "{}\n{}", act.out, act.err);
    assert_eq!(stage.records(CUSTOMERS)["1"]["scompany01"], "New");
}

fn parts_of_the_state_are_forgotten_on_demand(stage: &mut Stage) {
    stage.run(&["run"]).ended(0);
    let reset = |level| ["state", "reset", level, "--sync-name", "customers"];
    stage.run(&reset("position")).ended(0).said(&["customers: done; the next run reads every row"]);
    stage.run(&RUN).ended(0).said(&["5 rows read (none changed)"]).cost_nothing();
    stage.run(&reset("values")).ended(0).said(&["compares every record"]);
    let act = stage.run(&RUN).ended(0).said(&["5 found equal"]);
    assert_eq!((act.calls(List), act.calls(BulkUpdate)), (1, 0));
    for level in ["links", "sync"] {
        stage.run(&reset(level)).ended(64).warned(&["cannot be undone", "`--yes`"]);
        let reset = ["state", "reset", level, "--sync-name", "customers", "--yes"];
        stage.run(&reset).ended(0).cost_nothing();
        let act = stage.run(&RUN).ended(0);
        assert_eq!((act.calls(BulkCreate), act.calls(BulkUpdate)), (0, 0), "{}", act.out);
        assert_eq!(stage.records(CUSTOMERS).len(), 5);
    }
    stage
        .run(&["state", "reset", "links", "--sync-name", "nobody", "--yes"])
        .ended(64)
        .warned(&["knows no sync"]);
    stage
        .run(&["state", "prune", "--effects", "1"])
        .ended(0)
        .said(&["removed 0 runs and 0 effects"]);
}

fn the_service_copies_the_state_and_removes_what_is_old(stage: &mut Stage) {
    stage.run(&["run"]).ended(0);
    let connection = rusqlite::Connection::open(stage.state()).unwrap();
    connection.execute_batch("UPDATE effects SET at = at - 100 * 86400000 WHERE id <= 3").unwrap();
    drop(connection);
    for day in 1..=9 {
        fs::write(stage.path(&format!("sync_state.db.backup-2026010{day}T000000Z")), "").unwrap();
    }
    let child = stage.start(&["schedule", "--interval", "60"]);
    let done = wait_until(LIMIT, || {
        let effects: i64 = stage.state_value("SELECT count(*) FROM effects");
        Ok(effects == 9 && copies(stage).len() == 7)
    });
    signal(&child, "-TERM");
    stage.finish(child, 0).ended(0).warned(&["the state was copied to `sync_state.db.backup-2"]);
    assert!(done.unwrap(), "{:?}", copies(stage));
    // A run by hand removes what is old too.
    let connection = rusqlite::Connection::open(stage.state()).unwrap();
    connection.execute_batch("UPDATE effects SET at = at - 100 * 86400000").unwrap();
    drop(connection);
    stage.run(&["run"]).ended(0);
    assert_eq!(stage.state_value::<i64>("SELECT count(*) FROM effects"), 0);
}

fn what_is_done_to_the_state_is_told_to_machines_too(stage: &mut Stage) {
    stage.sql(
        "ALTER TABLE customers MODIFY status VARCHAR(40) NOT NULL;
         UPDATE customers SET status = 'vip' WHERE id = 2",
    );
    stage.run(&RUN).ended(2);
    let told = |stage: &Stage, arguments: &[&str]| {
        let json = stage.run(&[arguments, &["--json"]].concat()).ended(0).json();
        assert_eq!(json["exit_code"], 0);
        json
    };
    let json = told(stage, &["quarantine", "retry", "--key", "2"]);
    assert_eq!((&json["rows"], &json["syncs"]["customers"]), (&1.into(), &1.into()));
    stage.run(&RUN).ended(2);
    assert_eq!(told(stage, &["quarantine", "drop", "--all"])["rows"], 1);
    let json = told(stage, &["state", "backup", "--keep", "1"]);
    assert!(
        std::path::Path::new(json["copied_to"].as_str().unwrap()).exists() || {
            stage.path(json["copied_to"].as_str().unwrap()).exists()
        }
    );
    assert_eq!(told(stage, &["state", "export", "out.jsonl"])["links"], 4);
    assert_eq!(told(stage, &["state", "prune"])["runs"], 0);
    let json = told(stage, &["state", "reset", "sync", "--sync-name", "customers", "--yes"]);
    assert_eq!(json["syncs"][0], "customers");
    assert_eq!(told(stage, &["state", "import", "out.jsonl"])["calls_to_compare"], 1);
}
