//! A query that joins tables, while the service follows them all.

use serde_json::Value;

use super::{awaits, follow, serve};
use crate::stage::{ORDERS, Stage, on_every_server, signal};

on_every_server! {
    a_changed_related_row_changes_the_records_of_its_rows
    rows_that_leave_a_join_lose_their_records
}

/// The titles of the orders, in the order of their numbers.
fn titles(stage: &Stage) -> Vec<String> {
    let title = |record: &Value| record["title"].as_str().unwrap_or_default().to_owned();
    stage.records(ORDERS).values().map(title).collect()
}

/// Nothing of the orders themselves changes, nor their `updated_at`.
fn a_changed_related_row_changes_the_records_of_its_rows(stage: &mut Stage) {
    follow(stage);
    stage.sql(
        "CREATE TABLE regions (code VARCHAR(10) PRIMARY KEY, name VARCHAR(20)); \
         CREATE TABLE buyers (id INT PRIMARY KEY, name VARCHAR(20), region VARCHAR(10)); \
         CREATE TABLE sales (id INT PRIMARY KEY, buyer INT, region VARCHAR(10)); \
         INSERT INTO regions VALUES ('n', 'North'), ('s', 'South'); \
         INSERT INTO buyers VALUES (1, 'Ann', 'n'), (2, 'Bob', 's'); \
         INSERT INTO sales VALUES (1, 1, 'n'), (2, 1, 's'), (3, 2, 'n'), (4, 9, 'w')",
    );
    stage.map(&format!(
        "syncs:
  - name: sales
    capture: binlog
    source:
      query: >-
        SELECT s.id, s.buyer, s.region, CONCAT(COALESCE(b.name, '?'), ' in ', COALESCE(r.name, '?')) AS title
        FROM sales s LEFT JOIN buyers b ON b.id = s.buyer LEFT JOIN regions r ON r.code = s.region
      primary_key: id
      related:
        - {{table: buyers, column: id, matches: buyer}}
        - {{table: regions, column: code, matches: region}}
    destination: {{table_id: {ORDERS}, external_id_field: sorderexid, field_mappings: {{title: title}}}}
"
    ));
    let mut child = serve(stage);
    let becomes = |stage: &Stage, wanted: [&str; 4]| {
        awaits(stage, &format!("not {wanted:?}"), || titles(stage) == wanted);
    };
    becomes(stage, ["Ann in North", "Ann in South", "Bob in North", "? in ?"]);
    for (sql, wanted) in [
        (
            "UPDATE buyers SET name = 'Eve' WHERE id = 1",
            ["Eve in North", "Eve in South", "Bob in North", "? in ?"],
        ),
        // Of two tables in one transaction.
        (
            "START TRANSACTION; INSERT INTO buyers VALUES (9, 'Cid', 'w'); INSERT INTO regions VALUES ('w', 'West'); COMMIT",
            ["Eve in North", "Eve in South", "Bob in North", "Cid in West"],
        ),
        (
            "DELETE FROM regions WHERE code = 'n'",
            ["Eve in ?", "Eve in South", "Bob in ?", "Cid in West"],
        ),
        // One that takes another's place.
        (
            "UPDATE regions SET code = 'n' WHERE code = 's'",
            ["Eve in South", "Eve in ?", "Bob in South", "Cid in West"],
        ),
        (
            "UPDATE sales SET buyer = 2 WHERE id = 4",
            ["Eve in South", "Eve in ?", "Bob in South", "Bob in West"],
        ),
    ] {
        stage.sql(sql);
        becomes(stage, wanted);
    }
    // What changed while nobody followed.
    signal(&child, "-KILL");
    child.wait().unwrap();
    stage.sql("UPDATE buyers SET name = 'Dan' WHERE id = 2");
    child = serve(stage);
    becomes(stage, ["Eve in South", "Eve in ?", "Dan in South", "Dan in West"]);
    signal(&child, "-TERM");
    stage.finish(child, 0).ended(0);
    stage.run(&["run", "--full"]).ended(0).cost_nothing();
}

/// What tells that is in another table, and the rows themselves are still in theirs.
fn rows_that_leave_a_join_lose_their_records(stage: &mut Stage) {
    follow(stage);
    stage.sql(
        "CREATE TABLE buyers (id INT PRIMARY KEY, name VARCHAR(20), active INT); \
         CREATE TABLE sales (id INT PRIMARY KEY, buyer INT); \
         INSERT INTO buyers VALUES (1, 'Ann', 1), (2, 'Bob', 1); INSERT INTO sales VALUES (1, 1), (2, 1), (3, 2)",
    );
    stage.map(&format!(
        "syncs:
  - name: sales
    capture: binlog
    source:
      query: SELECT s.id, s.buyer, b.name FROM sales s JOIN buyers b ON b.id = s.buyer WHERE b.active = 1
      primary_key: id
      related: [{{table: buyers, column: id, matches: buyer}}]
    destination:
      {{table_id: {ORDERS}, external_id_field: sorderexid, on_delete: delete, field_mappings: {{name: title}}}}
"
    ));
    stage.run(&["run"]).ended(0);
    assert_eq!(titles(stage), ["Ann", "Ann", "Bob"]);
    stage.sql("UPDATE buyers SET active = 0 WHERE id = 2");
    stage.run(&["run"]).ended(0).said(&["1 deleted"]);
    assert_eq!(titles(stage), ["Ann", "Ann"]);
    stage.sql("UPDATE buyers SET active = 1 WHERE id = 2");
    stage.run(&["run"]).ended(0);
    assert_eq!(titles(stage), ["Ann", "Ann", "Bob"]);
}
