//! Every column type arrives without loss.

use sync_core::{port::ReadScope, source::ColumnKind, value::Value};
use throwaway_server::{Flavor, Server};

use crate::stage::{Stage, in_words, on_both_servers, read};

on_both_servers!(
    every_type_arrives_exactly,
    zero_dates_arrive_as_text,
    floats_arrive_exactly,
    text_of_every_character_set_arrives_as_unicode,
    expressions_have_types_too,
    settings_of_the_server_do_not_change_values,
);

/// Type, value in SQL, and the value in words.
pub(crate) const TYPES: [(&str, &str, &str); 58] = [
    ("TINYINT", "-128", "-128"),
    ("TINYINT UNSIGNED", "255", "255"),
    ("BOOLEAN", "TRUE", "1"),
    ("SMALLINT", "-32768", "-32768"),
    ("MEDIUMINT", "-8388608", "-8388608"),
    ("MEDIUMINT UNSIGNED", "16777215", "16777215"),
    ("INT", "-2147483648", "-2147483648"),
    ("INT UNSIGNED", "4294967295", "4294967295"),
    ("INT(8) ZEROFILL", "42", "42"),
    ("BIGINT", "-9223372036854775808", "-9223372036854775808"),
    ("BIGINT UNSIGNED", "18446744073709551615", "18446744073709551615"),
    ("YEAR", "1901", "1901"),
    ("YEAR", "0", "0"),
    ("BIT(1)", "b'1'", "true"),
    ("BIT(1)", "b'0'", "false"),
    ("BIT(10)", "b'1000000001'", "513"),
    ("BIT(64)", "0xFFFFFFFFFFFFFFFF", "18446744073709551615"),
    (
        "DECIMAL(65,30)",
        "'-12345678901234567890123456789012345.123456789012345678901234567891'",
        "decimal -12345678901234567890123456789012345.123456789012345678901234567891",
    ),
    ("DECIMAL(10,2)", "10.50", "decimal 10.5"),
    ("DECIMAL(10,0) ZEROFILL", "7", "decimal 7"),
    ("FLOAT", "16777216", "float 16777216.0"),
    ("FLOAT", "0.1", "float 0.1"),
    ("FLOAT(10,2)", "12.3", "float 12.3"),
    ("DOUBLE", "0.1", "float 0.1"),
    ("DOUBLE", "1.7976931348623157e308", "float 1.7976931348623157e308"),
    ("DATE", "'2024-02-29'", "date 2024-02-29"),
    ("DATE", "'9999-12-31'", "date 9999-12-31"),
    ("DATETIME", "'1000-01-01 00:00:00'", "datetime 1000-01-01T00:00:00"),
    ("DATETIME(6)", "'2024-02-29 12:34:56.000001'", "datetime 2024-02-29T12:34:56.000001"),
    ("DATETIME(3)", "'2024-02-29 12:34:56.120'", "datetime 2024-02-29T12:34:56.12"),
    ("TIMESTAMP NULL", "'2024-02-29 12:34:56'", "instant 2024-02-29T12:34:56Z"),
    ("TIMESTAMP(6) NULL", "'2038-01-19 03:14:07.999999'", "instant 2038-01-19T03:14:07.999999Z"),
    ("TIME", "'-838:59:59'", "duration -3020399000000"),
    ("TIME(6)", "'-25:00:00.000001'", "duration -90000000001"),
    ("TIME", "'00:00:00'", "duration 0"),
    ("CHAR(10)", "'trail   '", "\"trail\""),
    ("VARCHAR(20)", "'trail   '", "\"trail   \""),
    ("VARCHAR(20)", "''", "\"\""),
    ("VARCHAR(20)", "'é😀\\'\\\\\"'", "\"é😀'\\\\\\\"\""),
    ("VARCHAR(20)", "'a\\0b'", "\"a\\0b\""),
    ("TEXT", "'long'", "\"long\""),
    ("LONGTEXT", "REPEAT('x', 10)", "\"xxxxxxxxxx\""),
    ("ENUM('new','it''s','ünï😀')", "'it\\'s'", "\"it's\""),
    ("ENUM('new','it''s','ünï😀')", "'ünï😀'", "\"ünï😀\""),
    ("SET('x','y','z')", "'z,x'", "labels [\"x\", \"z\"]"),
    ("SET('x','y','z')", "''", "labels []"),
    ("BINARY(4)", "0x00ff0000", "0x00ff0000"),
    ("BINARY(4)", "0xff", "0xff000000"),
    ("VARBINARY(10)", "0x00ff00", "0x00ff00"),
    ("VARBINARY(10)", "''", "0x"),
    ("BLOB", "'text'", "0x74657874"),
    ("LONGBLOB", "0x00", "0x00"),
    (
        "JSON",
        "'{\"a\": [1, true, null], \"b\": \"é\", \"n\": 12345678901234567890}'",
        "json {\"a\":[1,true,null],\"b\":\"é\",\"n\":12345678901234567890}",
    ),
    ("JSON", "'null'", "json null"),
    ("JSON", "'\"text\"'", "json \"text\""),
    (
        "POINT",
        "ST_GeomFromText('POINT(1 2)')",
        "0x000000000101000000000000000000f03f0000000000000040",
    ),
    ("VARCHAR(5) CHARACTER SET utf16", "'ü'", "\"ü\""),
    ("VARCHAR(5) CHARACTER SET latin1", "'€'", "\"€\""),
];

async fn every_type_arrives_exactly(stage: Stage) {
    let columns: Vec<String> =
        TYPES.iter().enumerate().map(|(n, (kind, ..))| format!("c{n} {kind}")).collect();
    stage.execute(&format!(
        "CREATE TABLE t (id INT PRIMARY KEY, {}) ROW_FORMAT=DYNAMIC",
        columns.join(", ")
    ));
    let values: Vec<&str> = TYPES.iter().map(|(_, value, _)| *value).collect();
    let nulls = vec!["NULL"; TYPES.len()];
    stage.execute(&format!(
        "SET time_zone = '+00:00', sql_mode = ''; INSERT INTO t VALUES (1, {}), (2, {})",
        values.join(", "),
        nulls.join(", ")
    ));
    let names: Vec<String> = (0..TYPES.len()).map(|n| format!("c{n}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let source = stage.source("SELECT * FROM t", &["id"], &names);
    let keys = vec![sync_core::key::Key::Int(1), sync_core::key::Key::Int(2)];
    // Once as the query is (though FLOAT wraps it), and once by key, on a connection that is used again.
    for scope in [ReadScope::Full, ReadScope::Keys(keys)] {
        let rows = read(&source, scope).await.unwrap().by_key();
        for ((n, (kind, _, expected)), seen) in TYPES.iter().enumerate().zip(&rows["1"]) {
            assert_eq!(seen, expected, "column {n}, {kind}");
        }
        assert!(rows["2"].iter().all(|cell| cell == "null"), "{rows:?}");
    }
    if stage.db.flavor() == Flavor::MariaDb {
        stage.execute(
            "CREATE TABLE m (id INT PRIMARY KEY, u UUID, i4 INET4, i6 INET6, lt LONGTEXT);
             INSERT INTO m VALUES (1, '123e4567-e89b-12d3-a456-426655440000', '10.0.0.1', '::1', '{}')",
        );
        let source = stage.source("SELECT * FROM m", &["id"], &["u", "i4", "i6", "lt"]);
        let rows = read(&source, ReadScope::Full).await.unwrap().by_key();
        let expected =
            ["\"123e4567-e89b-12d3-a456-426655440000\"", "\"10.0.0.1\"", "\"::1\"", "\"{}\""];
        assert_eq!(rows["1"], expected);
    }
}

async fn zero_dates_arrive_as_text(stage: Stage) {
    stage.execute(
        "SET sql_mode = 'ALLOW_INVALID_DATES';
         CREATE TABLE t (id INT PRIMARY KEY, d DATE, dt DATETIME(3), ts TIMESTAMP NULL);
         INSERT INTO t VALUES (1, '0000-00-00', '0000-00-00', '0000-00-00'),
           (2, '2024-00-00', '2024-05-00 10:00:00', NULL), (3, '2024-02-31', '2024-02-31 10:00:00', NULL)",
    );
    let source = stage.source("SELECT * FROM t", &["id"], &["d", "dt", "ts"]);
    let rows = read(&source, ReadScope::Full).await.unwrap().by_key();
    assert_eq!(
        rows["1"],
        ["zero 0000-00-00", "zero 0000-00-00 00:00:00.000", "zero 0000-00-00 00:00:00"]
    );
    assert_eq!(rows["2"], ["zero 2024-00-00", "zero 2024-05-00 10:00:00.000", "null"]);
    assert_eq!(rows["3"], ["zero 2024-02-31", "zero 2024-02-31 10:00:00.000", "null"]);
}

async fn floats_arrive_exactly(stage: Stage) {
    stage.execute("CREATE TABLE t (id INT PRIMARY KEY, f FLOAT)");
    // Every kind of magnitude; a fixed sequence, so that a failure can be repeated.
    let mut state = 1_u32;
    let mut floats = Vec::new();
    while floats.len() < 2_000 {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let float = f32::from_bits(state);
        if float.is_normal() {
            floats.push(float);
        }
    }
    let values: Vec<String> =
        floats.iter().enumerate().map(|(id, float)| format!("({id}, {float:e})")).collect();
    stage.execute(&format!("INSERT INTO t VALUES {}", values.join(", ")));
    let source = stage.source("SELECT id, f FROM t", &["id"], &["f"]);
    let seen = read(&source, ReadScope::Full).await.unwrap();
    assert_eq!(seen.columns[1].kind, ColumnKind::Float);
    assert_eq!(seen.rows.len(), floats.len());
    for row in &seen.rows {
        let (Value::Int(id), Value::Float(float)) = (&row.0[0], &row.0[1]) else {
            panic!("{row:?}")
        };
        let stored = floats[usize::try_from(*id).unwrap()];
        #[expect(
            clippy::cast_possible_truncation,
            reason = "that it truncates to the same is the test"
        )]
        let back = *float as f32;
        assert_eq!(back.to_bits(), stored.to_bits(), "{stored}");
        assert_eq!(float.to_string(), stored.to_string(), "the shortest form");
    }
}

async fn text_of_every_character_set_arrives_as_unicode(stage: Stage) {
    let sets = [
        ("latin1", "é€"),
        ("utf8mb3", "日本"),
        ("ucs2", "ж"),
        ("cp1251", "ж"),
        ("sjis", "日本"),
        ("gbk", "中"),
    ];
    for (number, (set, text)) in sets.iter().enumerate() {
        stage.execute(&format!(
            "CREATE TABLE t{number} (id INT PRIMARY KEY, a VARCHAR(9), b TEXT, c CHAR(9)) CHARACTER SET {set};
             INSERT INTO t{number} VALUES (1, '{text}', '{text}', '{text}')"
        ));
        let source = stage.source(&format!("SELECT * FROM t{number}"), &["id"], &["a", "b", "c"]);
        let rows = read(&source, ReadScope::Full).await.unwrap().by_key();
        assert_eq!(rows["1"], vec![format!("{text:?}"); 3], "{set}");
    }
}

async fn expressions_have_types_too(stage: Stage) {
    let source = stage.source(
        "SELECT 1 AS id, NULL AS n, 1 = 1 AS truth, 1/3 AS third, SUM(2) AS s, 0.1e0 AS d, CONCAT('a', 1) AS c,
            DATE'2024-01-01' + INTERVAL 1 SECOND AS dt, TIME'10:00:00' AS t, x'00ff' AS x, JSON_ARRAY(1) AS j
         GROUP BY 1",
        &["id"],
        &["n", "truth", "third", "s", "d", "c", "dt", "t", "x"],
    );
    for scope in [ReadScope::Full, ReadScope::Keys(vec![sync_core::key::Key::Int(1)])] {
        let rows = read(&source, scope).await.unwrap().by_key();
        assert_eq!(
            rows["1"],
            [
                "null",
                "1",
                "decimal 0.3333",
                "decimal 2",
                "float 0.1",
                "\"a1\"",
                "datetime 2024-01-01T00:00:01",
                "duration 36000000000",
                "0x00ff",
            ]
        );
    }
}

async fn settings_of_the_server_do_not_change_values(stage: Stage) {
    let mut settings = vec![
        "--sql-mode=PAD_CHAR_TO_FULL_LENGTH,ANSI_QUOTES",
        "--default-time-zone=+05:00",
        "--character-set-server=latin1",
    ];
    if stage.db.flavor() == Flavor::MariaDb {
        settings.push("--skip-character-set-client-handshake");
    }
    let mut server = Server::start_with(stage.db.flavor(), &settings).unwrap();
    let db = server.create_database().unwrap();
    db.execute(
        "SET NAMES utf8mb4; CREATE TABLE t (id INT PRIMARY KEY, c CHAR(5), e VARCHAR(5) CHARACTER SET utf8mb4, ts TIMESTAMP NULL);
         INSERT INTO t VALUES (1, 'a', '€😀', '2024-01-01 05:00:00');
         SET GLOBAL sql_select_limit = 1; SET GLOBAL group_concat_max_len = 4; INSERT INTO t VALUES (2, 'b', 'c', NULL)",
    )
    .unwrap();
    let stage = Stage { db };
    let source = stage.source(
        "SELECT id, c, e, ts, (SELECT GROUP_CONCAT(\"abc\") FROM t) AS g FROM t",
        &["id"],
        &["c", "e", "ts", "g"],
    );
    let seen = read(&source, ReadScope::Full).await.unwrap();
    let rows: Vec<Vec<String>> =
        seen.rows.iter().map(|row| row.0.iter().map(in_words).collect()).collect();
    assert_eq!(rows[0], ["1", "\"a\"", "\"€😀\"", "instant 2024-01-01T00:00:00Z", "\"abc,abc\""]);
    assert_eq!(rows.len(), 2);
    drop(stage);
    server.stop().unwrap();
}
