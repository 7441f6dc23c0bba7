//! Tables without SQL: pages, keys and filters.

use std::collections::BTreeMap;

use sync_core::{
    config::model::{QueryText, SourceDefinition, SourceRows},
    error::SourceErrorKind,
    key::Key,
    port::{ReadScope, RowSource as _},
    value::Value,
};
use sync_mysql::MysqlSource;
use throwaway_server::{Flavor, Server};

use crate::stage::{Stage, definition, on_both_servers, read, source};

on_both_servers!(
    pages_show_every_row_once_whatever_the_key,
    a_key_that_does_not_sort_as_it_compares_is_read_at_once,
    pages_follow_the_index,
    a_table_has_a_filter_and_a_cursor,
    the_primary_key_is_learnt_from_the_schema,
    the_keys_of_all_rows_are_read_alone,
);

fn table(name: &str, key: &[&str], filter: Option<&str>, cursor: Option<&str>) -> SourceDefinition {
    let filter = filter.map(|text| QueryText { text: text.to_owned(), line: 1 });
    SourceDefinition {
        rows: SourceRows::Table { name: name.to_owned(), filter },
        ..definition("SELECT 1", key, cursor)
    }
}

/// Reads page by page; answers the notes of the rows in the order they came, and the sizes of the pages.
async fn pages(source: &MysqlSource, rows_max: usize) -> (Vec<Value>, Vec<usize>) {
    let (mut notes, mut sizes, mut after) = (Vec::new(), Vec::new(), None);
    loop {
        let scope = ReadScope::Page { after: after.take(), rows_max };
        let mut page = source.open(scope).await.unwrap();
        let mut rows = 0;
        loop {
            let some = page.next_rows(1).await.unwrap();
            if some.is_empty() {
                break;
            }
            rows += some.len();
            notes.extend(some.into_iter().filter_map(|row| row.0.last().cloned()));
        }
        sizes.push(rows);
        after = page.next_page();
        if after.is_none() {
            return (notes, sizes);
        }
    }
}

async fn pages_show_every_row_once_whatever_the_key(stage: Stage) {
    let mut types = vec![
        ("INT", "(-5), (0), (7), (70), (71)"),
        ("BIGINT UNSIGNED", "(0), (9), (10), (9223372036854775808), (18446744073709551615)"),
        ("DECIMAL(20,4)", "(-1.5), (0), (2), (10), (12345678901234.5678)"),
        ("VARCHAR(40) COLLATE utf8mb4_general_ci", "('b'), ('A'), ('a1'), ('Z'), ('é'), ('😀')"),
        ("VARCHAR(40) CHARACTER SET latin1", "('é'), ('€'), ('plain'), ('Z'), ('a')"),
        ("DATE", "('0000-00-00'), ('2024-00-00'), ('2024-02-29'), ('1000-01-01')"),
        ("DATETIME(6)", "('2024-02-29 23:59:59.000001'), ('2024-02-29 23:59:59'), ('2025-01-01')"),
        ("TIMESTAMP(3)", "('2024-02-29 23:59:59.5'), ('2024-02-29 23:59:59'), ('2025-01-01')"),
        ("BINARY(4)", "(0x00), (0xff00ff00), ('1234'), ('12')"),
        ("YEAR", "(0), (1999), (2024)"),
        ("BIT(9)", "(b'0'), (b'1'), (b'100000001')"),
    ];
    if stage.db.flavor() == Flavor::MariaDb {
        types.push((
            "UUID",
            "('123e4567-e89b-12d3-a456-426655440000'), \
            ('00000000-0000-0000-0000-000000000001'), ('ffffffff-e89b-12d3-a456-426655440000')",
        ));
        types.push(("INET6", "('::1'), ('10.0.0.1'), ('fe80::1')"));
    }
    for (number, (kind, values)) in types.iter().enumerate() {
        stage.execute(&format!(
            "SET sql_mode = '', time_zone = '+00:00';
             CREATE TABLE t{number} (k {kind} NOT NULL PRIMARY KEY, note INT AUTO_INCREMENT UNIQUE);
             INSERT INTO t{number} (k) VALUES {values}"
        ));
        let rows = values.matches("), (").count() + values.matches("), \\").count() + 1;
        let source =
            source(stage.options(), &table(&format!("t{number}"), &["k"], None, None), &["note"]);
        let (notes, sizes) = pages(&source.unwrap(), 2).await;
        let counts = notes.iter().fold(BTreeMap::new(), |mut counts, note| {
            let Value::Int(note) = note else { panic!("{note:?}") };
            *counts.entry(*note).or_insert(0) += 1;
            counts
        });
        assert!(counts.len() == notes.len() && notes.len() >= rows, "{kind}: {counts:?}");
        assert!(sizes.iter().all(|size| *size <= 2) && sizes.len() > 1, "{kind}: {sizes:?}");
    }
    stage.execute(
        "CREATE TABLE c (a INT, b VARCHAR(20), d DATE, note INT, PRIMARY KEY (a, b, d));
         INSERT INTO c VALUES (1, 'x|y', '2024-01-01', 1), (1, 'x', '2024-01-01', 2), (1, 'x', '2024-01-02', 3),
           (2, '', '2024-01-01', 4), (2, 'x|y', '2024-01-01', 5), (3, 'a', '2024-01-01', 6)",
    );
    let source = source(stage.options(), &table("c", &["a", "b", "d"], None, None), &["note"]);
    let (notes, sizes) = pages(&source.unwrap(), 1).await;
    assert_eq!((notes.len(), sizes), (6, vec![1, 1, 1, 1, 1, 1, 0]));
}

async fn a_key_that_does_not_sort_as_it_compares_is_read_at_once(stage: Stage) {
    stage.execute(
        "CREATE TABLE e (k ENUM('z', 'a', 'm') PRIMARY KEY, note INT);
         INSERT INTO e VALUES ('z', 1), ('a', 2), ('m', 3);
         CREATE TABLE n (k INT, note INT, KEY (k)); INSERT INTO n VALUES (1, 1), (1, 2), (2, 3)",
    );
    for name in ["e", "n"] {
        let source = source(stage.options(), &table(name, &["k"], None, None), &["note"]).unwrap();
        assert_eq!(pages(&source, 2).await.1, [3], "{name}");
    }
}

async fn pages_follow_the_index(stage: Stage) {
    let server = Server::start(stage.db.flavor()).unwrap();
    let stage = Stage { db: server.create_database().unwrap() };
    stage.execute(
        "CREATE TABLE t (a INT, b INT, note FLOAT, PRIMARY KEY (a, b), KEY (note));
         INSERT INTO t SELECT n DIV 10, n MOD 10, n FROM (
           SELECT p.d * 1000 + q.d * 100 + r.d * 10 + s.d AS n FROM
             (SELECT 0 d UNION SELECT 1 UNION SELECT 2) p,
             (SELECT 0 d UNION SELECT 1 UNION SELECT 2 UNION SELECT 3 UNION SELECT 4 UNION SELECT 5 UNION SELECT 6
               UNION SELECT 7 UNION SELECT 8 UNION SELECT 9) q,
             (SELECT 0 d UNION SELECT 1 UNION SELECT 2 UNION SELECT 3 UNION SELECT 4 UNION SELECT 5 UNION SELECT 6
               UNION SELECT 7 UNION SELECT 8 UNION SELECT 9) r,
             (SELECT 0 d UNION SELECT 1 UNION SELECT 2 UNION SELECT 3 UNION SELECT 4 UNION SELECT 5 UNION SELECT 6
               UNION SELECT 7 UNION SELECT 8 UNION SELECT 9) s) x;
         ANALYZE TABLE t",
    );
    let touched = || -> u64 {
        let shown = stage.db.client().query("SHOW GLOBAL STATUS LIKE 'Handler_read%'").unwrap();
        shown.lines().map(|line| line.rsplit('\t').next().unwrap().parse::<u64>().unwrap()).sum()
    };
    let source = source(stage.options(), &table("t", &["a", "b"], None, None), &["note"]).unwrap();
    let scope = |after: &str| ReadScope::Page { after: Some(Key::from_text(after)), rows_max: 10 };
    assert_eq!(read(&source, scope("1|5")).await.unwrap().rows.len(), 10);
    let before = touched();
    let page = read(&source, scope("200|5")).await.unwrap();
    let touched = touched() - before;
    assert_eq!(
        page.rows.first().unwrap().0,
        [Value::Int(200), Value::Int(6), Value::Float(2006.0)]
    );
    // The server counts its own tables too. A read from the start of the table would touch two thousand rows.
    assert!(touched < 1_000, "{touched} rows were touched for ten");
}

async fn a_table_has_a_filter_and_a_cursor(stage: Stage) {
    stage.execute(
        "CREATE TABLE t (id INT PRIMARY KEY, note INT, changed DATETIME(6), KEY (changed));
         INSERT INTO t VALUES (1, 1, '2020-01-01'), (2, 1, '2030-01-01'), (3, 0, '2030-01-01')",
    );
    let definition = table("t", &["id"], Some("note = 1 OR id = -- one\n1"), Some("changed"));
    let source = source(stage.options(), &definition, &["note"]).unwrap();
    let all = read(&source, ReadScope::Page { after: None, rows_max: 9 }).await.unwrap();
    assert_eq!(all.keys(), ["1", "2"]);
    assert!(all.watermark.is_some());
    let later = read(&source, ReadScope::Page { after: Some(Key::Int(1)), rows_max: 9 }).await;
    assert!(later.unwrap().watermark.is_none(), "the first page's position counts");
    let since = sync_core::port::Watermark("2025-01-01T00:00:00".into());
    assert_eq!(read(&source, ReadScope::Since(since)).await.unwrap().keys(), ["2"]);
    let keys = ReadScope::Keys(vec![Key::Int(1), Key::Int(3)]);
    assert_eq!(read(&source, keys).await.unwrap().keys(), ["1"]);
}

async fn the_primary_key_is_learnt_from_the_schema(stage: Stage) {
    stage.execute(
        "CREATE TABLE t (b INT, a INT, c INT, PRIMARY KEY (c, a)); CREATE TABLE bare (x INT);
         CREATE VIEW seen AS SELECT * FROM t",
    );
    let options = stage.options();
    assert_eq!(MysqlSource::primary_key(&options, "t").await.unwrap(), ["c", "a"]);
    let there = format!("{}.t", stage.db.name());
    assert_eq!(MysqlSource::primary_key(&options, &there).await.unwrap(), ["c", "a"]);
    for (name, words) in [
        ("bare", "`bare` has no primary key"),
        ("seen", "`seen` has no primary key"),
        ("none", "there is no table `none`"),
    ] {
        let error = MysqlSource::primary_key(&options, name).await.unwrap_err();
        assert!(error.message.contains(words), "{}", error.message);
    }
    let source = source(options, &table("none", &["id"], None, None), &[]).unwrap();
    let error = read(&source, ReadScope::Full).await.err().unwrap();
    assert_eq!(error.kind, SourceErrorKind::Sql);
    assert!(error.message.starts_with("MySQL cannot read table `none`"), "{}", error.message);
    assert!(
        !error.message.contains("line"),
        "the user has not written this SQL: {}",
        error.message
    );
}

async fn the_keys_of_all_rows_are_read_alone(stage: Stage) {
    stage.execute(
        "CREATE TABLE t (id INT PRIMARY KEY, note INT, secret TEXT);
         INSERT INTO t VALUES (1, 1, 'a'), (2, 0, 'b'), (3, 1, 'c')",
    );
    let of_table =
        source(stage.options(), &table("t", &["id"], Some("note = 1"), None), &["secret"]);
    let of_table = of_table.unwrap();
    let live = read(&of_table, ReadScope::LiveKeys).await.unwrap();
    assert_eq!((live.keys(), live.columns.len()), (vec!["1".to_owned(), "3".to_owned()], 1));
    let some = read(&of_table, ReadScope::KeysWhere("secret = 'c' -- note".into())).await.unwrap();
    assert_eq!((some.keys(), some.columns.len()), (vec!["3".to_owned()], 1));
    let mut queried = definition("SELECT id, secret FROM t WHERE note = 1", &["id"], None);
    let without = source(stage.options(), &queried, &["secret"]).unwrap();
    let error = read(&without, ReadScope::LiveKeys).await.err().unwrap();
    assert_eq!(error.message, "nothing yields the keys of all rows");
    if let SourceRows::Query { keys, .. } = &mut queried.rows {
        *keys = Some(QueryText {
            text: "SELECT CAST(id AS CHAR) AS id, 9 AS more FROM t".into(),
            line: 1,
        });
    }
    let with = source(stage.options(), &queried, &["secret"]).unwrap();
    let live = read(&with, ReadScope::LiveKeys).await.unwrap();
    assert_eq!(live.keys().len(), 3);
}
