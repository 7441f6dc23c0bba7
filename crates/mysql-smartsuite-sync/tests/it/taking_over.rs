//! The Python program's files: its state with what it knew and what it did not.

use rusqlite::{Connection, params};
use smartsuite_emulator::RouteKind::{BulkCreate, BulkUpdate, List};

use crate::stage::{CUSTOMERS, ORDERS, Stage, on_every_server, on_mariadb};

on_every_server! {
    its_links_are_kept_and_only_what_differs_is_written
    its_settings_are_read_from_its_env_file
}

// It waits for a minute and a half, for the sake of SmartSuite alone.
on_mariadb! {
    records_without_links_are_found_by_their_external_id
}

/// A file as the Python program left it: links of the customers, no orders, a time that passed undelivered rows.
fn python_state(stage: &Stage) {
    let records = stage.records(CUSTOMERS);
    for file in ["sync_state.db", "sync_state.db-wal", "sync_state.db-shm"] {
        drop(std::fs::remove_file(stage.path(file)));
    }
    let file = Connection::open(stage.state()).unwrap();
    file.execute_batch(
        "CREATE TABLE sync_runs (id INTEGER PRIMARY KEY AUTOINCREMENT, sync_name TEXT NOT NULL,
           started_at TIMESTAMP NOT NULL, completed_at TIMESTAMP, status TEXT NOT NULL,
           records_processed INTEGER DEFAULT 0, records_created INTEGER DEFAULT 0,
           records_updated INTEGER DEFAULT 0, records_skipped INTEGER DEFAULT 0, error_message TEXT);
         CREATE TABLE record_mappings (id INTEGER PRIMARY KEY AUTOINCREMENT, sync_name TEXT NOT NULL,
           source_id TEXT NOT NULL, smartsuite_record_id TEXT NOT NULL, data_hash TEXT NOT NULL,
           created_at TIMESTAMP NOT NULL, updated_at TIMESTAMP NOT NULL, UNIQUE(sync_name, source_id));
         CREATE TABLE sync_metadata (sync_name TEXT PRIMARY KEY, last_sync_time TIMESTAMP,
           last_successful_run TIMESTAMP);
         INSERT INTO sync_runs VALUES (1, 'customers', '2025-10-06T10:00:00', '2025-10-06T10:00:09.123456',
           'success', 5, 5, 0, 0, NULL);
         INSERT INTO sync_metadata VALUES ('customers', '2035-01-01T00:00:00', '2025-10-06T10:00:09');",
    )
    .unwrap();
    for (key, record) in records {
        let hash = format!("{:064x}", 7);
        file.execute(
            "INSERT INTO record_mappings (sync_name, source_id, smartsuite_record_id, data_hash, created_at, updated_at)
             VALUES ('customers', ?, ?, ?, '2025-10-06T10:00:01', '2025-10-06T10:00:01')",
            params![key, record["id"].as_str(), hash],
        )
        .unwrap();
    }
}

fn its_links_are_kept_and_only_what_differs_is_written(stage: &mut Stage) {
    stage.run(&["run"]).ended(0);
    python_state(stage);
    // Its runs are from long ago.
    stage.map(&format!("state:\n  keep_runs_days: 3650\n{}", stage.mapping()));
    // One row changed since, and one record was made without its external id.
    stage.sql("UPDATE customers SET company = 'New' WHERE id = 2");
    let three = stage.records(CUSTOMERS)["3"]["id"].as_str().unwrap().to_owned();
    stage.smartsuite.person("update", CUSTOMERS, &three, serde_json::json!({"scustextid": ""}));

    let act = stage
        .run(&["run", "--sync-name", "customers"])
        .ended(0)
        .said(&["5 rows read", "2 updated", "3 found equal"])
        .warned(&[
            "took over the Python program's state `sync_state.db` with 5 links",
            "the original is kept as `sync_state.db.before-v1`",
            "its position is not trusted",
        ]);
    assert_eq!((act.calls(BulkCreate), act.calls(BulkUpdate), act.calls(List)), (0, 1, 1));
    let records = stage.records(CUSTOMERS);
    assert_eq!(records.len(), 5);
    assert_eq!(records["2"]["scompany01"], "New");
    assert_eq!(records["3"]["id"], three.as_str());

    // Its history is still there to be queried.
    assert_eq!(
        stage.state_value::<i64>("SELECT count(*) FROM sync_runs WHERE sync_name = 'customers'"),
        2
    );
    stage
        .run(&["status", "--sync-name", "customers"])
        .said(&["2025-10-06 10:00:00", "5 rows read, 5 created"]);
    stage.run(&["run", "--sync-name", "customers"]).ended(0).cost_nothing();
    let original = Connection::open(stage.path("sync_state.db.before-v1")).unwrap();
    let links: i64 =
        original.query_row("SELECT count(*) FROM record_mappings", [], |row| row.get(0)).unwrap();
    assert_eq!(links, 5);
}

fn records_without_links_are_found_by_their_external_id(stage: &mut Stage) {
    stage.run(&["run"]).ended(0);
    python_state(stage);
    let act = stage.run(&["run", "--sync-name", "orders"]).ended(0);
    assert_eq!((act.calls(BulkCreate), act.calls(BulkUpdate)), (0, 0), "{}\n{}", act.out, act.err);
    assert!(act.calls(List) <= 2);
    assert_eq!(stage.records(ORDERS).len(), 7);
}

fn its_settings_are_read_from_its_env_file(stage: &mut Stage) {
    let variables = [
        ("MYSQL_USER", stage.user.name.clone()),
        ("MYSQL_PASSWORD", stage.user.password.clone()),
        ("SMARTSUITE_TOKEN", "demo-token".to_owned()),
        ("LOG_LEVEL", "INFO".to_owned()),
        ("STATE_DB_PATH", "from_env.db".to_owned()),
    ];
    let lines: Vec<String> =
        variables.iter().map(|(name, value)| format!("{name}='{value}'")).collect();
    std::fs::write(stage.path(".env"), format!("# settings\n{}\n", lines.join("\n"))).unwrap();
    for (name, _) in variables {
        stage.unset(name);
    }
    stage.run(&["run"]).ended(0).said(&["5 created"]);
    assert!(stage.path("from_env.db").exists());
    // The environment beats the file, and a flag beats both.
    stage.setting("LOG_LEVEL", "ERROR");
    assert_eq!(stage.run(&["run"]).ended(0).err, "");
    stage.run(&["--log-level", "DEBUG", "run"]).ended(0).warned(&["DEBUG"]);
}
