//! A state file that cannot be used, and definitions that changed since it was written.

use std::{fs, os::unix::fs::PermissionsExt as _, process::Command};

use smartsuite_emulator::RouteKind::{BulkCreate, BulkUpdate, List};

use crate::stage::{CUSTOMERS, ORDERS, Stage, on_every_server, on_mariadb};

on_every_server! {
    a_changed_mapping_reads_everything_and_writes_what_differs
    another_table_is_filled_and_the_first_is_left_alone
    another_external_id_field_is_filled_on_every_record
    other_key_columns_stop_the_sync_until_somebody_says_so
    a_renamed_sync_keeps_its_records
}

on_mariadb! {
    the_state_is_its_owners_alone
    a_lost_state_finds_its_records_again
    a_file_that_is_no_state
    a_file_of_a_newer_version
    a_place_that_cannot_be_written
    a_full_disk
}

const CUSTOMERS_ONLY: [&str; 3] = ["run", "--sync-name", "customers"];

fn a_changed_mapping_reads_everything_and_writes_what_differs(stage: &mut Stage) {
    stage.run(&CUSTOMERS_ONLY).ended(0);
    // The same values by another way: everything is read, nothing is sent.
    stage.remap(
        "        credit_limit: screditlim\n",
        "        credit_limit: screditlim\n        customer_id: ssecond001\n",
    );
    stage.remap("        customer_id: ssecond001\n", "");
    stage.remap(
        "SELECT id, customer_name, email",
        "SELECT id, TRIM(customer_name) AS customer_name, email",
    );
    stage.run(&CUSTOMERS_ONLY).ended(0).said(&["5 rows read (none changed)"]).cost_nothing();
    stage.remap("TRIM(customer_name)", "UPPER(customer_name)");
    stage.run(&CUSTOMERS_ONLY).ended(0).said(&["5 updated"]).cost(&[BulkUpdate]);
    assert_eq!(stage.records(CUSTOMERS)["2"]["title"], "TOM WHITFIELD");
}

fn another_table_is_filled_and_the_first_is_left_alone(stage: &mut Stage) {
    stage.run(&CUSTOMERS_ONLY).ended(0);
    let before = stage.records(CUSTOMERS);
    // A table of the same fields would do; Orders has its own, so the mapping changes with it.
    let orders = stage.mapping().split("  - name: orders").nth(1).unwrap().to_owned();
    let mapping = stage.mapping();
    let head = mapping.split("syncs:").next().unwrap();
    stage.map(&format!(
        "{head}syncs:\n  - name: customers{}",
        orders
            .replace("FROM orders", "FROM orders WHERE id < 4 AND")
            .replace("AND\n        WHERE", "AND (")
            .replace(
                ":last_sync_time IS NULL OR updated_at >= :last_sync_time",
                ":last_sync_time IS NULL OR updated_at >= :last_sync_time)"
            )
    ));
    let act = stage.run(&CUSTOMERS_ONLY).ended(0).said(&["3 created"]);
    assert!(act.err.contains("its destination changed"), "{}", act.err);
    assert_eq!(stage.records(ORDERS).len(), 3);
    assert_eq!(stage.records(CUSTOMERS), before);
}

fn another_external_id_field_is_filled_on_every_record(stage: &mut Stage) {
    stage.run(&CUSTOMERS_ONLY).ended(0);
    stage.remap("        company: scompany01\n", "");
    stage.run(&CUSTOMERS_ONLY).ended(0);
    stage.remap("external_id_field: scustextid", "external_id_field: scompany01");
    stage.sql("INSERT INTO customers (customer_name, status) VALUES ('New', 'active')");
    let act = stage.run(&CUSTOMERS_ONLY).ended(0);
    let act = act.said(&["1 created", "5 updated"]).warned(&["its external-id field changed"]);
    assert_eq!(act.calls(BulkUpdate), 1);
    let records = stage.smartsuite.records(CUSTOMERS);
    assert_eq!(records.len(), 6);
    assert!(
        records.iter().all(|record| record["scompany01"].as_str().is_some_and(|id| !id.is_empty()))
    );
}

fn other_key_columns_stop_the_sync_until_somebody_says_so(stage: &mut Stage) {
    stage.run(&CUSTOMERS_ONLY).ended(0);
    stage.remap("      # key_prefix: \"\"", "      key_prefix: \"c-\"");
    stage
        .run(&CUSTOMERS_ONLY)
        .ended(1)
        .said(&[
            "[state_key_changed]",
            "hint: put `primary_key` and `key_prefix` back",
            "--accept-key-change",
        ])
        .cost_nothing();
    let act = stage.run(&["run", "--sync-name", "customers", "--accept-key-change"]);
    // No record carries the new keys yet, so they are records of their own.
    act.ended(0).said(&["5 created"]);
    assert!(stage.smartsuite.records(CUSTOMERS).iter().any(|record| record["scustextid"] == "c-1"));
    stage.run(&CUSTOMERS_ONLY).ended(0).cost_nothing();
}

fn a_renamed_sync_keeps_its_records(stage: &mut Stage) {
    stage.run(&CUSTOMERS_ONLY).ended(0);
    stage.remap("    name: customers", "    name: clients\n    previously: customers");
    stage.run(&["run", "--sync-name", "clients"]).ended(0).cost_nothing();
    stage.sql("UPDATE customers SET company = 'New' WHERE id = 1");
    stage.run(&["run", "--sync-name", "clients"]).ended(0).said(&["1 updated"]).cost(&[BulkUpdate]);
    assert_eq!(stage.records(CUSTOMERS).len(), 5);
}

fn the_state_is_its_owners_alone(stage: &mut Stage) {
    stage.run(&["run"]).ended(0);
    let mode = fs::metadata(stage.state()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

fn a_lost_state_finds_its_records_again(stage: &mut Stage) {
    // A create that may be on its way is given a minute and a half, which pass in a second and a half.
    stage.setting("SYNC_TEST_CLOCK", format!("60@{}", jiff::Timestamp::now()));
    stage.run(&["run"]).ended(0);
    for file in ["sync_state.db", "sync_state.db-wal", "sync_state.db-shm"] {
        // The log is folded into the file when the last process closes it.
        drop(fs::remove_file(stage.path(file)));
    }
    stage.sql("UPDATE customers SET company = 'New' WHERE id = 1");
    let act = stage.run(&["run"]).ended(0);
    assert_eq!((act.calls(BulkCreate), act.calls(BulkUpdate)), (0, 1), "{}\n{}", act.out, act.err);
    assert!(act.calls(List) <= 4, "{} list calls", act.calls(List));
    assert_eq!(stage.records(CUSTOMERS).len(), 5);
    assert_eq!(stage.records(ORDERS).len(), 7);
    assert_eq!(stage.records(CUSTOMERS)["1"]["scompany01"], "New");
    stage.run(&["run", "--full"]).ended(0).cost_nothing();
}

fn a_file_that_is_no_state(stage: &mut Stage) {
    fs::write(stage.state(), "these are my shopping notes, not a state at all").unwrap();
    for command in ["run", "status", "schedule"] {
        stage
            .run(&[command])
            .ended(1)
            .warned(&["is damaged or is not a state file", "hint: restore a backup"])
            .cost_nothing();
    }
    stage.run(&["validate"]).ended(1).said(&["is damaged or is not a state file"]);
    let kept = fs::read_to_string(stage.state()).unwrap();
    assert_eq!(kept, "these are my shopping notes, not a state at all");
}

fn a_file_of_a_newer_version(stage: &mut Stage) {
    stage.run(&["run"]).ended(0);
    let connection = rusqlite::Connection::open(stage.state()).unwrap();
    connection.pragma_update(None, "user_version", 99).unwrap();
    drop(connection);
    for command in ["run", "status"] {
        stage
            .run(&[command])
            .ended(1)
            .warned(&["newer than this program's", "hint: use the newer program"]);
    }
}

fn a_place_that_cannot_be_written(stage: &mut Stage) {
    stage.setting("STATE_DB_PATH", "/proc/nowhere/sync_state.db");
    stage
        .run(&["run"])
        .ended(1)
        .warned(&["cannot be used", "hint: make the file and its folder readable and writable"])
        .cost_nothing();
    stage.run(&["validate"]).ended(1).said(&["cannot be used"]);
}

/// A file system of one megabyte, where that can be mounted.
fn a_full_disk(stage: &mut Stage) {
    let place = stage.path("small");
    fs::create_dir(&place).unwrap();
    let mount = ["-t", "tmpfs", "-o", "size=700k", "tmpfs"];
    let mounted = Command::new("mount").args(mount).arg(&place).output();
    if !mounted.is_ok_and(|output| output.status.success()) {
        eprintln!("no right to mount a file system here: the full disk is not tried");
        return;
    }
    let _unmount = Unmount(&place);
    stage.setting("STATE_DB_PATH", place.join("sync_state.db").display().to_string());
    stage.run(&CUSTOMERS_ONLY).ended(0);
    let rows: Vec<String> =
        (0..5_000).map(|row| format!("('More {row} {}', 'active')", "x".repeat(60))).collect();
    stage.sql(&format!("INSERT INTO customers (customer_name, status) VALUES {}", rows.join(", ")));
    let act =
        stage.run(&CUSTOMERS_ONLY).ended(1).said(&["the disk that holds the state file is full"]);
    act.said(&["[state_disk_full]", "hint: free some space"]);

    let grown =
        Command::new("mount").args(["-o", "remount,size=100m"]).arg(&place).status().unwrap();
    assert!(grown.success());
    stage.run(&CUSTOMERS_ONLY).ended(0);
    assert_eq!(stage.records(CUSTOMERS).len(), 5_005);
}

struct Unmount<'p>(&'p std::path::Path);

impl Drop for Unmount<'_> {
    fn drop(&mut self) {
        drop(Command::new("umount").arg(self.0).status());
    }
}
