//! What the log cannot name by key, while the sync that it is about reads everything.

use throwaway_server::wait_until;

use super::{LIMIT, arrives, awaits, follow, rename, serve};
use crate::stage::{CUSTOMERS, ORDERS, Stage, on_mariadb, signal};

on_mariadb! {
    a_gap_of_a_sync_that_reads_keeps_no_other_waiting
}

/// A sync's first read takes long. Meanwhile rows of its table go by a foreign key, which the log does not show, and then
/// more rows change than may wait for it.
fn a_gap_of_a_sync_that_reads_keeps_no_other_waiting(stage: &mut Stage) {
    follow(stage);
    stage.sql("DELETE FROM orders");
    stage.sql(
        "CREATE TABLE parents (id INT PRIMARY KEY); INSERT INTO parents VALUES (1), (2); \
         CREATE TABLE slow (id INT PRIMARY KEY AUTO_INCREMENT, parent INT, FOREIGN KEY (parent) REFERENCES parents (id) \
         ON DELETE CASCADE); INSERT INTO slow VALUES (1, 1), (2, 2)",
    );
    // The query asks for it row by row. Other tests use the server too.
    let lock = format!("held {}", stage.database.name());
    stage.map(&format!(
        "syncs:
  - name: slow
    capture: binlog
    source:
      query: SELECT id, parent FROM slow WHERE GET_LOCK('{lock}', 300) + RELEASE_LOCK('{lock}') >= 0
      primary_key: id
    destination: {{table_id: {ORDERS}, external_id_field: sorderexid, field_mappings: {{parent: title}}}}
  - name: customers
    capture: binlog
    source: {{table: customers}}
    destination:
      table_id: {CUSTOMERS}
      external_id_field: scustextid
      field_mappings: {{customer_name: title, company: scompany01}}
"
    ));
    let client = stage.database.client();
    let (database, sql) = (client.clone(), format!("SELECT GET_LOCK('{lock}', 0); DO SLEEP(600)"));
    // Ends when it is killed.
    let holder = std::thread::spawn(move || drop(database.execute(&sql)));
    let is_held = format!("SELECT IS_USED_LOCK('{lock}') IS NOT NULL");
    assert!(wait_until(LIMIT, || Ok(client.query(&is_held)?.trim() == "1")).unwrap());

    let child = serve(stage);
    awaits(stage, "the first load", || stage.smartsuite.records(CUSTOMERS).len() == 5);
    let waits = format!(
        "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE STATE = 'User lock' AND DB = '{}'",
        stage.database.name()
    );
    awaits(stage, "the other read is not held up", || client.query(&waits).unwrap().trim() != "0");
    stage.sql("DELETE FROM parents WHERE id = 1");
    stage.sql(
        "INSERT INTO slow (parent) SELECT 2 FROM information_schema.COLUMNS a, information_schema.COLUMNS b LIMIT 25000; \
         DELETE FROM slow WHERE id > 2",
    );
    rename(stage, 3, "heard all the same");
    arrives(stage, 3, "heard all the same");

    let holders = format!("SELECT IS_USED_LOCK('{lock}')");
    client.execute(&format!("KILL {}", client.query(&holders).unwrap().trim())).unwrap();
    holder.join().unwrap();
    // The first read showed both; the second, which the gap led to, is made.
    let records = || stage.records(ORDERS).into_keys().collect::<Vec<_>>();
    awaits(stage, "the slow rows", || records() == ["1", "2"]);
    let log = || std::fs::read_to_string(stage.path("logs/sync.log")).unwrap_or_default();
    let gap = "slow: reads every row: the binlog could not say which rows changed";
    awaits(stage, "the read that the gap led to", || log().contains(gap));
    signal(&child, "-TERM");
    stage.finish(child, 0).ended(0);
}
