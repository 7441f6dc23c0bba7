//! Every way to change a row is named by its key.

use std::sync::Arc;

use jiff::Timestamp;
use sync_core::{
    change::ChangeLog as _,
    key::Key,
    port::{ReadScope, Watermark},
};
use sync_mysql::binlog::RelatedTable;
use throwaway_server::Flavor;

use super::{
    audience::{Audience, Heard, TestClock},
    loss::{another_second, nameless, private},
};
use crate::{
    stage::{Stage, definition, on_both_servers, read, run, source},
    types::TYPES,
};

on_both_servers!(
    every_change_of_a_row_is_named,
    what_a_stream_missed_is_named_after_it_comes_back,
    keys_of_every_type_are_those_of_a_select,
    keys_of_several_columns_are_those_of_a_select,
    rows_are_named_by_a_changed_related_row,
    related_rows_that_come_go_and_change_places_name_the_rows_that_hold_them,
    prepared_transactions_are_named_when_they_commit,
    one_connection_serves_several_syncs,
    what_waits_in_the_log_is_as_old_as_it_is,
    compressed_logs_are_read,
    smaller_images_are_read,
    keys_behind_columns_of_every_type_are_found,
);

async fn every_change_of_a_row_is_named(stage: Stage) {
    stage.execute("CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(20)); INSERT INTO t VALUES (1, 'a'), (2, 'b')");
    let audience = Audience::of(&stage, 7_001);
    let mut heard = Heard::now(&audience.changes("SELECT * FROM t")).await;
    heard.until_caught_up().await;
    assert!(heard.keys.is_empty(), "what was there before is not new");
    stage.execute(
        "INSERT INTO t VALUES (3, 'c'); UPDATE t SET v = 'x' WHERE id = 1; DELETE FROM t WHERE id = 2; \
         UPDATE t SET id = 30 WHERE id = 3",
    );
    heard.until_keys(&["1", "2", "3", "30"]).await;
    stage.execute("START TRANSACTION; INSERT INTO t VALUES (4, 'd'); ROLLBACK");
    stage.execute("INSERT INTO t VALUES (5, 'e'), (6, 'f')");
    heard.until_keys(&["1", "2", "3", "30", "5", "6"]).await;
    assert_eq!(heard.reconciles, [""; 0]);
}

async fn what_a_stream_missed_is_named_after_it_comes_back(stage: Stage) {
    stage.execute("CREATE TABLE t (id INT PRIMARY KEY)");
    let audience = Audience::of(&stage, 7_002);
    let changes = audience.changes("SELECT id FROM t");
    let mut heard = Heard::now(&changes).await;
    stage.execute("INSERT INTO t VALUES (1)");
    heard.until_keys(&["1"]).await;
    let position = heard.position.clone();
    drop(heard);
    stage.execute("INSERT INTO t VALUES (2); FLUSH BINARY LOGS; INSERT INTO t VALUES (3)");
    // Another process, with a connection of its own.
    let audience = Audience::of(&stage, 7_002);
    let mut heard = Heard::from(&audience.changes("SELECT id FROM t"), &position).await.unwrap();
    heard.until_keys(&["2", "3"]).await;
    heard.until_caught_up().await;
}

async fn keys_of_every_type_are_those_of_a_select(stage: Stage) {
    let mut types = vec![
        ("MEDIUMINT", "-5"),
        ("BIGINT UNSIGNED", "18446744073709551615"),
        ("DECIMAL(20, 4)", "-12345678.0100"),
        ("VARCHAR(20) CHARACTER SET utf8mb4", "'é😀'"),
        ("VARCHAR(20) CHARACTER SET latin1", "'é€'"),
        ("CHAR(20) CHARACTER SET utf16", "'é😀 x'"),
        ("BINARY(4)", "X'01020000'"),
        ("VARBINARY(300)", "X'0102'"),
        ("DATE", "'2024-02-29'"),
        ("DATETIME(3)", "'2024-02-29 12:34:56.120'"),
        ("DATE", "'0000-00-00'"),
        ("DATE", "'2024-02-00'"),
        ("DATETIME", "'2024-02-29 12:34:56'"),
        ("DATETIME", "'0000-00-00 00:00:00'"),
        ("DATETIME(3)", "'0000-00-00 00:00:00'"),
        ("DATETIME(6)", "'2024-00-00 01:02:03.5'"),
        ("TIMESTAMP(6) NOT NULL DEFAULT '2020-01-01'", "'2024-02-29 12:34:56.000001'"),
        ("TIMESTAMP NOT NULL DEFAULT '2020-01-01'", "'0000-00-00 00:00:00'"),
        ("TIMESTAMP(3) NOT NULL DEFAULT '2020-01-01'", "'0000-00-00 00:00:00'"),
        ("BIT(1)", "b'1'"),
        ("BIT(12)", "b'100000000001'"),
        ("BIT(64)", "X'8000000000000001'"),
        ("ENUM('a', 'it''s')", "'it''s'"),
        ("YEAR", "2024"),
    ];
    if stage.db.flavor() == Flavor::MariaDb {
        types.extend([
            ("UUID", "'f47ac10b-58cc-1372-a567-0e02b2c3d400'"),
            ("UUID", "'f47ac10b-58cc-4372-a567-0e02b2c3d479'"),
            ("INET4", "'10.0.0.0'"),
            ("INET6", "'2001:db8::ff00:42:0'"),
            ("INET6", "'1:0:2:3:4:5:6:7'"),
            ("INET6", "'::1:2'"),
        ]);
    }
    let audience = Audience::of(&stage, 7_003);
    for (index, (column_type, value)) in types.into_iter().enumerate() {
        let table = format!("t{index}");
        stage.execute(&format!("CREATE TABLE {table} (x INT, id {column_type}, PRIMARY KEY (id))"));
        let query = format!("SELECT id FROM {table}");
        let changes = audience.changes(&query);
        let mut heard = Heard::now(&changes).await;
        // Dates that are none are kept only if the session allows them.
        stage.execute(&format!("SET sql_mode = ''; INSERT INTO {table} VALUES (1, {value})"));
        while heard.keys.is_empty() {
            heard.next().await.unwrap();
        }
        // A key that is not exactly the row's own would find no row, or seem to be gone.
        let key = heard.named.first().unwrap().clone();
        let source = audience.source(&query, &["id"]);
        let scope = ReadScope::Keys(vec![key.clone()]);
        let rows = read(&source, scope).await.unwrap().rows;
        assert_eq!(rows.len(), 1, "{column_type}: {:?} finds no row", heard.keys);
        let shown = Key::from_cells([("id", &rows[0].0[0])]).unwrap();
        assert_eq!(shown, key, "{column_type}");
        assert_eq!(heard.reconciles, [""; 0], "{column_type}");
    }
}

async fn keys_of_several_columns_are_those_of_a_select(stage: Stage) {
    stage.execute(
        "CREATE TABLE t (at DATETIME(3), x INT, name VARCHAR(20) CHARACTER SET latin1, flags BIT(9), day DATE, \
         PRIMARY KEY (name, at, flags, day))",
    );
    let audience = Audience::of(&stage, 7_010);
    let query = "SELECT at, name, flags, day FROM t";
    let source = audience.source(query, &["name", "at", "flags", "day"]);
    let mut heard = Heard::now(&audience.hub.changes(Arc::clone(&source), Vec::new())).await;
    stage.execute(
        "SET sql_mode = ''; INSERT INTO t VALUES ('2024-02-29 12:34:56.120', 1, 'a\\\\b', b'100000001', '2024-02-29'), \
         ('0000-00-00', 2, 'é,', b'0', '0000-00-00'); UPDATE t SET x = 3",
    );
    while heard.keys.len() < 2 {
        heard.next().await.unwrap();
    }
    assert_eq!(heard.reconciles, [""; 0]);
    let all = read(&source, ReadScope::Full).await.unwrap().by_key();
    assert_eq!(all.len(), 2);
    let named = read(&source, ReadScope::Keys(heard.named.clone())).await.unwrap().by_key();
    assert_eq!(all, named);
}

/// Columns that MariaDB adds for itself stand behind the others, whenever those came.
#[test]
fn tables_with_hidden_columns_are_followed_by_key() {
    let private = private(Flavor::MariaDb, &[nameless(Flavor::MariaDb)]);
    let Some((_server, stage)) = private else { return };
    run(hidden_columns_are_passed_over(stage));
}

async fn hidden_columns_are_passed_over(stage: Stage) {
    let audience = Audience::of(&stage, 7_011);
    for (table, definition) in [
        ("versioned", "(v INT) WITH SYSTEM VERSIONING"),
        ("hashed", "(v TEXT UNIQUE, w BLOB UNIQUE)"),
        ("twofold", "(v TEXT UNIQUE) WITH SYSTEM VERSIONING"),
        (
            "declared",
            "(v INT, f TIMESTAMP(6) GENERATED ALWAYS AS ROW START, \
             u TIMESTAMP(6) GENERATED ALWAYS AS ROW END, PERIOD FOR SYSTEM_TIME (f, u)) WITH SYSTEM VERSIONING",
        ),
        ("indexed", "(v VARCHAR(20) UNIQUE, w TEXT, KEY (w(10)))"),
    ] {
        stage.execute(&format!(
            "SET system_versioning_alter_history = KEEP; CREATE TABLE {table} {definition}; \
             ALTER TABLE {table} ADD id INT PRIMARY KEY"
        ));
        let mut heard = Heard::now(&audience.changes(&format!("SELECT id FROM {table}"))).await;
        stage.execute(&format!(
            "INSERT INTO {table} (v, id) VALUES ('1', 1), ('2', 2), ('3', 3); \
             UPDATE {table} SET v = '4' WHERE id = 2; DELETE FROM {table} WHERE id = 3"
        ));
        while heard.keys.len() < 3 && heard.reconciles.is_empty() {
            heard.next().await.unwrap();
        }
        assert_eq!(heard.reconciles, [""; 0], "{table}");
        heard.until_keys(&["1", "2", "3"]).await;
    }
}

async fn rows_are_named_by_a_changed_related_row(stage: Stage) {
    stage.execute(
        "CREATE TABLE customers (id INT PRIMARY KEY, name VARCHAR(20)); \
         CREATE TABLE orders (id INT PRIMARY KEY, customer_id INT); \
         INSERT INTO customers VALUES (1, 'a'), (2, 'b'); \
         INSERT INTO orders VALUES (10, 1), (11, 1), (12, 2)",
    );
    let audience = Audience::of(&stage, 7_004);
    let query = "SELECT o.id, o.customer_id, c.name FROM orders o LEFT JOIN customers c ON c.id = o.customer_id";
    let related = RelatedTable {
        table: "customers".into(),
        column: "id".into(),
        matches: "customer_id".into(),
    };
    let mut heard = Heard::now(&audience.related(query, related)).await;
    stage.execute("UPDATE customers SET name = 'x' WHERE id = 1");
    heard.until_keys(&["10", "11"]).await;
    stage.execute("UPDATE orders SET customer_id = 1 WHERE id = 12");
    heard.until_keys(&["10", "11", "12"]).await;
    assert_eq!(heard.reconciles, [""; 0]);
}

/// A related row that comes, goes, or takes another's place; rows that hold no value of it, or write it in another way
/// that is the same to the join; and a log that shows no more of a row than it must.
async fn related_rows_that_come_go_and_change_places_name_the_rows_that_hold_them(stage: Stage) {
    stage.execute(
        "CREATE TABLE groups_ (id INT PRIMARY KEY, code VARCHAR(20) UNIQUE, name VARCHAR(20)); \
         CREATE TABLE members (id INT PRIMARY KEY, code VARCHAR(20) CHARACTER SET latin1); \
         INSERT INTO groups_ VALUES (1, 'a', 'A'), (2, 'b', 'B'), (3, NULL, 'nobody'); \
         INSERT INTO members VALUES (10, 'a'), (11, 'b'), (12, 'c'), (13, 'd'), (14, NULL), (15, 'a'), \
         (16, 'C')",
    );
    let audience = Audience::of(&stage, 7_012);
    let query = "SELECT m.id, m.code, g.name FROM members m LEFT JOIN groups_ g ON g.code = m.code";
    let related =
        RelatedTable { table: "groups_".into(), column: "code".into(), matches: "code".into() };
    for (sql, named) in [
        ("INSERT INTO groups_ VALUES (4, 'c', 'C')", &["12", "16"][..]),
        ("DELETE FROM groups_ WHERE id = 2", &["11"]),
        // Those that held it, and those that hold it now.
        ("UPDATE groups_ SET code = 'd' WHERE id = 1", &["10", "13", "15"]),
        (
            "UPDATE groups_ SET name = 'x' WHERE id = 3; UPDATE members SET code = 'a' WHERE id = 14",
            &["14"],
        ),
        ("UPDATE groups_ SET code = 'b' WHERE id = 3", &["11"]),
        (
            "START TRANSACTION; UPDATE groups_ SET name = 'y' WHERE id = 1; ROLLBACK; \
          UPDATE groups_ SET name = 'z' WHERE id = 4",
            &["12", "16"],
        ),
        // Beside values that the members' character set cannot write.
        (
            "INSERT INTO groups_ VALUES (5, 'ж', 'far'), (6, 'я', 'farther'); UPDATE groups_ SET name = 'C' WHERE id = 4",
            &["12", "16"],
        ),
    ] {
        let mut heard = Heard::now(&audience.related(query, related.clone())).await;
        stage.execute(sql);
        heard.until_keys(named).await;
        assert_eq!(heard.reconciles, [""; 0], "{sql}");
    }
}

/// On a server of its own: whoever begins to listen between the two halves of such a transaction
/// is told to look, whatever the tables.
async fn prepared_transactions_are_named_when_they_commit(stage: Stage) {
    let Some((_server, stage)) = private(stage.db.flavor(), &[]) else { return };
    stage.execute("CREATE TABLE t (id INT PRIMARY KEY)");
    let audience = Audience::of(&stage, 7_005);
    let mut heard = Heard::now(&audience.changes("SELECT id FROM t")).await;
    let name = stage.db.name();
    stage.execute(&format!(
        "XA START '{name}'; INSERT INTO t VALUES (1); XA END '{name}'; XA PREPARE '{name}'"
    ));
    stage.execute("INSERT INTO t VALUES (2)");
    heard.until_keys(&["2"]).await;
    stage.execute(&format!("XA COMMIT '{name}'"));
    heard.until_keys(&["1", "2"]).await;
    stage.execute(&format!(
        "XA START '{name}'; INSERT INTO t VALUES (3); XA END '{name}'; XA PREPARE '{name}'"
    ));
    stage.execute(&format!("XA ROLLBACK '{name}'"));
    stage.execute("INSERT INTO t VALUES (4)");
    heard.until_keys(&["1", "2", "4"]).await;
    stage.execute(&format!(
        "XA START '{name}'; INSERT INTO t VALUES (5); XA END '{name}'; XA COMMIT '{name}' ONE PHASE"
    ));
    heard.until_keys(&["1", "2", "4", "5"]).await;
    assert_eq!(heard.reconciles, [""; 0]);
}

async fn one_connection_serves_several_syncs(stage: Stage) {
    stage.execute("CREATE TABLE a (id INT PRIMARY KEY); CREATE TABLE b (id INT PRIMARY KEY)");
    let audience = Audience::of(&stage, 7_006);
    let (of_a, of_b) = (audience.changes("SELECT id FROM a"), audience.changes("SELECT id FROM b"));
    let early = of_b.place().await.unwrap();
    let mut a = Heard::now(&of_a).await;
    stage.execute("INSERT INTO a VALUES (1); INSERT INTO b VALUES (2)");
    a.until_keys(&["1"]).await;
    // One that stands further back makes the others hear again, which is harmless.
    let mut b = Heard::from(&of_b, &early).await.unwrap();
    b.until_keys(&["2"]).await;
    stage.execute("INSERT INTO a VALUES (3); INSERT INTO b VALUES (4)");
    a.until_keys(&["1", "3"]).await;
    b.until_keys(&["2", "4"]).await;
    // The database is the test's own.
    let readers = format!(
        "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE COMMAND LIKE 'Binlog Dump%' AND DB = '{}'",
        stage.db.name()
    );
    let mine = stage.db.client().query(&readers).unwrap();
    let mine = mine.lines().last().unwrap_or_default();
    assert_eq!(mine.trim(), "1", "one connection for both");
    drop(a);
    stage.execute("INSERT INTO b VALUES (5)");
    b.until_keys(&["2", "4", "5"]).await;
}

/// A reader that is behind says since when: by the time of the last transaction that it has read, of whatever table. On a
/// server of its own: the transactions of other tests are of now.
async fn what_waits_in_the_log_is_as_old_as_it_is(stage: Stage) {
    const THEN: i64 = 1_700_000_000;
    let Some((_server, stage)) = private(stage.db.flavor(), &[]) else { return };
    stage.execute("CREATE TABLE t (id INT PRIMARY KEY AUTO_INCREMENT, v INT); CREATE TABLE other (id INT PRIMARY KEY)");
    // Positions are passed on soon, and the server is not silent for so long that it would say that nothing is new.
    let audience = Audience::hasty(&stage, 7_013, 20);
    let changes = audience.changes("SELECT id FROM t");
    let place = changes.place().await.unwrap();
    let before = TestClock::start().now();
    // More keys than may wait to be taken: behind each transaction the reader stands still until somebody takes them.
    // No table of the server's own: MariaDB would put the join into files in /tmp, where a server that starts removes them.
    let ten = ["SELECT 1"; 10].join(" UNION ALL ");
    let tens = ["a", "b", "c", "d", "e"].map(|name| format!("({ten}) {name}")).join(", ");
    let rows = format!("INSERT INTO t (v) SELECT 1 FROM {tens} LIMIT 20001");
    let at = |seconds: i64| format!("SET TIMESTAMP = {}; {rows}; ", THEN + seconds);
    stage.execute(&format!("{}{}", at(0), at(60)));
    let mut heard = Heard::from(&changes, &place).await.unwrap();
    heard.next().await.unwrap();
    assert_eq!(heard.as_of.map(Timestamp::as_second), Some(THEN));
    heard.until_caught_up().await;
    assert_eq!(heard.keys.len(), 40_002);
    let caught_up = heard.as_of.unwrap();
    assert!(caught_up >= before, "it has read to the end as it was then, and not to {caught_up}");
    // From here on the transactions say how far it is, though none is of its table.
    another_second(&stage);
    stage.execute("INSERT INTO other VALUES (1)");
    while heard.as_of.unwrap() <= caught_up {
        heard.next().await.unwrap();
    }
    let read = heard.as_of.unwrap();
    assert_eq!(read.subsec_nanosecond(), 0, "{read} is no time of a transaction");
    assert_eq!(heard.keys.len(), 40_002);
}

async fn compressed_logs_are_read(stage: Stage) {
    stage.execute("CREATE TABLE t (id INT PRIMARY KEY, v LONGTEXT)");
    let audience = Audience::of(&stage, 7_007);
    let mut heard = Heard::now(&audience.changes("SELECT id FROM t")).await;
    let rows = "INSERT INTO t VALUES (1, REPEAT('a', 5000)), (2, REPEAT('b', 5000)); \
                UPDATE t SET v = REPEAT('c', 9000) WHERE id = 1; DELETE FROM t WHERE id = 2; \
                INSERT INTO t VALUES (3, 'x')";
    match stage.db.flavor() {
        // A server-wide setting, on for a moment: what other tests write is read all the same.
        Flavor::MariaDb => stage.execute(&format!(
            "SET GLOBAL log_bin_compress = ON; SET GLOBAL log_bin_compress_min_len = 10; {rows}; \
             SET GLOBAL log_bin_compress = OFF"
        )),
        Flavor::MySql => {
            stage.execute(&format!("SET SESSION binlog_transaction_compression = ON; {rows}"));
        }
    }
    heard.until_keys(&["1", "2", "3"]).await;
    assert_eq!(heard.reconciles, [""; 0]);
}

async fn smaller_images_are_read(stage: Stage) {
    stage.execute("CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(20), j JSON); INSERT INTO t VALUES (1, 'a', '{\"a\": 1}'), (2, 'b', '{}')");
    let audience = Audience::of(&stage, 7_008);
    let mut heard = Heard::now(&audience.changes("SELECT id FROM t")).await;
    let partial = match stage.db.flavor() {
        Flavor::MariaDb => "",
        Flavor::MySql => "SET SESSION binlog_row_value_options = PARTIAL_JSON;",
    };
    stage.execute(&format!(
        "SET SESSION binlog_row_image = MINIMAL; {partial} UPDATE t SET v = 'x' WHERE id = 1; \
         UPDATE t SET j = JSON_SET(j, '$.a', 2) WHERE id = 2; UPDATE t SET id = 3 WHERE id = 2"
    ));
    heard.until_keys(&["1", "2", "3"]).await;
    assert_eq!(heard.reconciles, [""; 0]);
}

/// The key stands last, behind every kind of cell, once with values and once without. Each way to read shows the same of
/// a row: everything, what changed since a moment, and what the log named.
async fn keys_behind_columns_of_every_type_are_found(stage: Stage) {
    let with_values: Vec<&str> = TYPES.iter().map(|(_, value, _)| *value).collect();
    let columns: Vec<String> =
        TYPES.iter().enumerate().map(|(n, (kind, ..))| format!("c{n} {kind}")).collect();
    let nulls = vec!["NULL"; TYPES.len()].join(", ");
    let names: Vec<String> = (0..TYPES.len()).map(|n| format!("c{n}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    stage.execute(&format!(
        "CREATE TABLE t ({}, changed TIMESTAMP(6) NOT NULL DEFAULT '2026-01-01', id INT PRIMARY KEY) ROW_FORMAT=DYNAMIC",
        columns.join(", ")
    ));
    let audience = Audience::of(&stage, 7_009);
    let query = "SELECT * FROM t WHERE changed >= :last_sync_time OR :last_sync_time IS NULL";
    let of_t = definition(query, &["id"], Some("changed"));
    let source = Arc::new(source(stage.options(), &of_t, &names).unwrap());
    let changes = audience.hub.changes(Arc::clone(&source), Vec::new());
    let mut heard = Heard::now(&changes).await;
    let values = with_values.join(", ");
    stage.execute(&format!(
        "SET sql_mode = ''; INSERT INTO t VALUES ({values}, DEFAULT, 1), ({nulls}, DEFAULT, 2); \
         UPDATE t SET c1 = 7 WHERE id = 1; UPDATE t SET c1 = 255 WHERE id = 1; \
         INSERT INTO t VALUES ({values}, DEFAULT, 3)"
    ));
    heard.until_keys(&["1", "2", "3"]).await;
    assert_eq!(heard.reconciles, [""; 0]);
    // What is read by key is what a full read shows, cell by cell.
    let all = read(&source, ReadScope::Full).await.unwrap().by_key();
    assert_eq!(all["1"], all["3"]);
    let named = read(&source, ReadScope::Keys(heard.named.clone())).await.unwrap().by_key();
    assert_eq!(all, named);
    let since = ReadScope::Since(Watermark("2025-12-31T00:00:00".into()));
    assert_eq!(all, read(&source, since).await.unwrap().by_key());
    stage.execute("DELETE FROM t WHERE id = 3; UPDATE t SET id = 4 WHERE id = 2");
    heard.until_keys(&["1", "2", "3", "4"]).await;
}
