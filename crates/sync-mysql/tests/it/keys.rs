//! Rows are found again by their key, whatever its type.

use sync_core::{key::Key, port::ReadScope, source::Row};
use throwaway_server::{Flavor, Server};

use crate::stage::{Seen, Stage, on_both_servers, read};

on_both_servers!(
    every_key_type_is_found_again,
    composite_keys_are_found_again,
    keys_are_exact_though_the_collation_is_not,
    keys_that_no_row_can_have_yield_nothing,
    a_key_outside_the_character_set_does_not_hide_the_others,
    unwanted_twins_do_not_disturb,
    reads_by_key_use_the_index,
);

fn key_of(seen: &Seen, row: &Row, length: usize) -> Key {
    let names = seen.columns.iter().map(|column| column.name.as_str());
    Key::from_cells(names.zip(&row.0).take(length)).unwrap()
}

/// Reads everything, then each key alone and all together.
async fn check_found_again(stage: &Stage, query: &str, key: &[&str], rows: usize) {
    let source = stage.source(query, key, &["note"]);
    let all = read(&source, ReadScope::Full).await.unwrap();
    assert_eq!(all.rows.len(), rows, "{query}");
    let keys: Vec<Key> = all.rows.iter().map(|row| key_of(&all, row, key.len())).collect();
    for (key, row) in keys.iter().zip(&all.rows) {
        let one = read(&source, ReadScope::Keys(vec![key.clone()])).await.unwrap();
        assert!(one.rows == std::slice::from_ref(row), "{query}: key {}", key.text());
        assert!(one.watermark.is_none());
    }
    let again = read(&source, ReadScope::Keys(keys)).await.unwrap();
    assert_eq!(again.rows.len(), rows, "{query}");
    assert_eq!(again.columns, all.columns, "{query}");
}

async fn every_key_type_is_found_again(stage: Stage) {
    let mut types = vec![
        ("INT", "(-5), (0), (7)"),
        ("INT(8) ZEROFILL", "(5), (70)"),
        ("BIGINT UNSIGNED", "(0), (18446744073709551615)"),
        ("YEAR", "(0), (1999), (2024)"),
        ("BIT(9)", "(b'0'), (b'100000001')"),
        ("BIT(1)", "(b'0'), (b'1')"),
        ("DECIMAL(20,4)", "(-1.5), (0), (12345678901234.5678)"),
        (
            "VARCHAR(40)",
            "(''), ('a\\'b'), ('c\\\\d'), ('😀'), ('00123'), (' x'), ('a\"b'), ('%_'), ('5')",
        ),
        ("VARCHAR(40) CHARACTER SET latin1", "('é'), ('€'), ('plain')"),
        ("CHAR(10) CHARACTER SET utf16", "('é'), ('ж'), ('plain')"),
        ("VARCHAR(40) COLLATE utf8mb4_bin", "('a'), ('A'), ('ä')"),
        ("ENUM('x','it''s','é😀')", "('x'), ('it\\'s'), ('é😀')"),
        ("DATE", "('0000-00-00'), ('2024-00-00'), ('2024-02-29'), ('1000-01-01')"),
        ("DATETIME", "('0000-00-00 00:00:00'), ('2024-02-29 23:59:59')"),
        ("DATETIME(6)", "('2024-02-29 23:59:59.000001'), ('2024-02-29 23:59:59')"),
        ("TIMESTAMP(3)", "('2024-02-29 23:59:59.5'), ('0000-00-00 00:00:00')"),
        ("BINARY(16)", "(0x00), (0xff00ff00ff00ff00ff00ff00ff00ff00), ('12345678')"),
        ("VARBINARY(16)", "(''), (0x00), (0x0000), (0xff), ('1234')"),
    ];
    if stage.db.flavor() == Flavor::MariaDb {
        types.push((
            "UUID",
            "('123e4567-e89b-12d3-a456-426655440000'), ('00000000-0000-0000-0000-000000000001')",
        ));
        types.push(("INET6", "('::1'), ('10.0.0.1')"));
    }
    for (number, (kind, values)) in types.iter().enumerate() {
        stage.execute(&format!(
            "SET sql_mode = '', time_zone = '+00:00';
             CREATE TABLE t{number} (k {kind} NOT NULL PRIMARY KEY, note INT DEFAULT 1);
             INSERT INTO t{number} (k) VALUES {values}"
        ));
        let rows = values.matches("), (").count() + 1;
        check_found_again(&stage, &format!("SELECT * FROM t{number}"), &["k"], rows).await;
    }
}

async fn composite_keys_are_found_again(stage: Stage) {
    stage.execute(
        "CREATE TABLE t (a INT, b VARCHAR(20), c DATE, note FLOAT DEFAULT 0.1, PRIMARY KEY (a, b, c));
         INSERT INTO t (a, b, c) VALUES (1, 'x|y', '2024-01-01'), (1, 'x', '2024-01-01'), (1, 'x\\\\', '2024-01-02'),
           (2, '', '2024-01-01'), (2, 'x|y', '2024-01-01')",
    );
    check_found_again(&stage, "SELECT a, b, c, note FROM t", &["a", "b", "c"], 5).await;
    check_found_again(&stage, "SELECT b, c, a, note FROM t", &["c", "a", "b"], 5).await;
}

async fn keys_are_exact_though_the_collation_is_not(stage: Stage) {
    stage.execute(
        "CREATE TABLE t (k VARCHAR(20) COLLATE utf8mb4_general_ci, note INT);
         INSERT INTO t VALUES ('a', 1), ('A', 2), ('á', 3), ('a ', 4)",
    );
    let source = stage.source("SELECT k, note FROM t", &["k"], &["note"]);
    for (key, note) in [("a", "1"), ("A", "2"), ("á", "3"), ("a ", "4")] {
        let seen = read(&source, ReadScope::Keys(vec![Key::from_text(key)])).await.unwrap();
        let notes: Vec<Vec<String>> = seen.by_key().into_values().collect();
        assert_eq!(notes, [[note]], "{key:?}");
    }
}

async fn keys_that_no_row_can_have_yield_nothing(stage: Stage) {
    stage.execute("CREATE TABLE t (id INT PRIMARY KEY); INSERT INTO t VALUES (0), (1)");
    let source = stage.source("SELECT id FROM t", &["id"], &[]);
    for keys in
        [vec![], vec![Key::from_text("abc")], vec![Key::from_text("1.0"), Key::from_text("")]]
    {
        assert!(read(&source, ReadScope::Keys(keys)).await.unwrap().rows.is_empty());
    }
    let seen =
        read(&source, ReadScope::Keys(vec![Key::from_text("abc"), Key::Int(1)])).await.unwrap();
    assert_eq!(seen.keys(), ["1"]);
}

async fn a_key_outside_the_character_set_does_not_hide_the_others(stage: Stage) {
    stage.execute(
        "CREATE TABLE t (k VARCHAR(20) CHARACTER SET latin1 PRIMARY KEY, note INT);
         INSERT INTO t VALUES ('a', 1), ('é', 2), ('?', 3)",
    );
    let source = stage.source("SELECT k, note FROM t", &["k"], &["note"]);
    let keys = ["😀", "é", "a"].map(Key::from_text).to_vec();
    let seen = read(&source, ReadScope::Keys(keys)).await.unwrap();
    assert_eq!(seen.keys(), ["\"a\"", "\"é\""]);
}

async fn unwanted_twins_do_not_disturb(stage: Stage) {
    stage.execute(
        "CREATE TABLE a (id INT PRIMARY KEY, x FLOAT); CREATE TABLE b (id INT PRIMARY KEY, y INT);
         INSERT INTO a VALUES (1, 0.1); INSERT INTO b VALUES (1, 5)",
    );
    let query = "SELECT a.id AS k, a.*, b.* FROM a JOIN b ON b.id = a.id";
    let source = stage.source(query, &["k"], &["x", "y"]);
    for scope in [ReadScope::Full, ReadScope::Keys(vec![Key::Int(1)])] {
        assert_eq!(read(&source, scope).await.unwrap().by_key()["1"], ["float 0.1", "5"]);
    }
    let source = stage.source(query, &["k"], &["id"]);
    let Err(error) = read(&source, ReadScope::Full).await else { panic!("`id` is there twice") };
    assert_eq!(error.message, "the query returns more than one column named `id`");
}

async fn reads_by_key_use_the_index(stage: Stage) {
    // A server of its own, since its counters are the measure.
    let server = Server::start(stage.db.flavor()).unwrap();
    let stage = Stage { db: server.create_database().unwrap() };
    stage.execute(
        "CREATE TABLE t (id INT PRIMARY KEY, big BIGINT UNSIGNED, price DECIMAL(20,4), name VARCHAR(20) COLLATE utf8mb4_general_ci,
           old VARCHAR(20) CHARACTER SET latin1, at DATETIME(6), stamp TIMESTAMP(3) NULL, day DATE, raw_id BINARY(4), u TIMESTAMP(3) NULL,
           UNIQUE (big), UNIQUE (price), UNIQUE (name), UNIQUE (old), UNIQUE (at), UNIQUE (stamp), UNIQUE (day), UNIQUE (raw_id),
           UNIQUE pair (name, at))",
    );
    let rows: Vec<String> = (1..=2_000)
        .map(|n| {
            format!(
                "({n}, {n}, {n} / 8, 'n{n}', 'o{n}', TIMESTAMP'2000-01-01 00:00:00' + INTERVAL {n} HOUR,
                  TIMESTAMP'2000-01-01 00:00:00' + INTERVAL {n} HOUR, DATE'2000-01-01' + INTERVAL {n} DAY, UNHEX(LPAD(HEX({n}), 8, '0')), NULL)"
            )
        })
        .collect();
    stage.execute(&format!("INSERT INTO t VALUES {}; ANALYZE TABLE t", rows.join(", ")));
    let scanned = || -> u64 {
        let shown =
            stage.db.client().query("SHOW GLOBAL STATUS LIKE 'Handler_read_rnd_next'").unwrap();
        shown.trim().rsplit('\t').next().unwrap().parse().unwrap()
    };
    let query = "SELECT * FROM t WHERE u > :last_sync_time OR :last_sync_time IS NULL";
    for key in [
        vec!["id"],
        vec!["big"],
        vec!["price"],
        vec!["name"],
        vec!["old"],
        vec!["at"],
        vec!["stamp"],
        vec!["day"],
        vec!["raw_id"],
        vec!["name", "at"],
    ] {
        let source = stage.source(query, &key, &[]);
        let all = read(&source, ReadScope::Full).await.unwrap();
        let keys: Vec<Key> =
            all.rows.iter().step_by(199).map(|row| key_of(&all, row, key.len())).collect();
        let before = scanned();
        let seen = read(&source, ReadScope::Keys(keys.clone())).await.unwrap();
        let scanned = scanned() - before;
        assert_eq!(seen.rows.len(), keys.len(), "{key:?}");
        assert!(scanned < 1_000, "{key:?}: {scanned} rows were scanned");
    }
}
