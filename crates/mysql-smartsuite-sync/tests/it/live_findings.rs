//! Every finding about live servers, in reviewed words, each at its line and column.

use std::{collections::BTreeSet, fmt::Write as _};

use serde_json::{Value, json};
use sync_mysql::SourceFindingCode;
use throwaway_server::Flavor;

use crate::stage::{CUSTOMERS, Stage, on_every_server};

on_every_server! {
    every_finding_leads_to_its_line
}

const TABLES: [&str; 9] = [
    "CREATE TABLE t (id INT PRIMARY KEY, name VARCHAR(20), u DATETIME(6) NULL)",
    "INSERT INTO t VALUES (1, 'one', '2026-01-01')",
    "CREATE TABLE inexact (f FLOAT NOT NULL, s VARCHAR(5), name VARCHAR(20))",
    "CREATE TABLE unordered (n INT NOT NULL, name VARCHAR(20))",
    "CREATE TABLE parents (id INT PRIMARY KEY)",
    "CREATE TABLE children (id INT PRIMARY KEY, name VARCHAR(20), parent INT,
     FOREIGN KEY (parent) REFERENCES parents (id) ON DELETE CASCADE)",
    "CREATE TABLE odd (id INT PRIMARY KEY, name LONGTEXT, amount DECIMAL(12,4), t TIME, made DATETIME, owner INT)",
    "CREATE TABLE many (id INT PRIMARY KEY AUTO_INCREMENT, name VARCHAR(20))",
    "INSERT INTO many (name) SELECT 'x' FROM (SELECT 1 UNION SELECT 2 UNION SELECT 3 UNION SELECT 4 UNION SELECT 5 UNION SELECT 6
     UNION SELECT 7 UNION SELECT 8 UNION SELECT 9 UNION SELECT 10) a
     JOIN (SELECT 1 UNION SELECT 2 UNION SELECT 3 UNION SELECT 4 UNION SELECT 5 UNION SELECT 6 UNION SELECT 7 UNION SELECT 8
     UNION SELECT 9 UNION SELECT 10) b
     JOIN (SELECT 1 UNION SELECT 2 UNION SELECT 3 UNION SELECT 4 UNION SELECT 5 UNION SELECT 6 UNION SELECT 7 UNION SELECT 8
     UNION SELECT 9 UNION SELECT 10 UNION SELECT 11) c",
];

/// Each sync's name, and its source after `source: `.
const SOURCES: [(&str, &str); 12] = [
    (
        "no_index",
        r#"{query: "SELECT id, name, u FROM t WHERE u > :last_sync_time OR :last_sync_time IS NULL", primary_key: id, updated_at_field: u}"#,
    ),
    (
        "needs_time",
        r#"{query: "SELECT * FROM (SELECT id, name, u FROM t WHERE u > :last_sync_time) q", primary_key: id, updated_at_field: u}"#,
    ),
    ("unstable", r#"{query: "SELECT f, s, name FROM inexact", primary_key: [f, s]}"#),
    ("unordered", "{table: unordered, primary_key: n}"),
    ("unwrappable", r#"{query: "SELECT SQL_CALC_FOUND_ROWS id, name FROM t", primary_key: id}"#),
    ("unused", r#"{query: "SELECT id, name, u FROM t", primary_key: id, updated_at_field: u}"#),
    (
        "timeless",
        r#"{query: "SELECT id, name FROM t WHERE id > :last_sync_time OR :last_sync_time IS NULL", primary_key: id, updated_at_field: id}"#,
    ),
    (
        "unseen",
        r#"{query: "SELECT id, name FROM t WHERE u > :last_sync_time OR :last_sync_time IS NULL", primary_key: id, updated_at_field: u}"#,
    ),
    (
        "not_allowed",
        r#"{query: "SELECT Host AS id, User AS name FROM mysql.user", primary_key: id}"#,
    ),
    ("no_column", r#"{query: "SELECT id, name AS title FROM t", primary_key: id}"#),
    ("no_sql", r#"{query: "SELECT id, name FORM t", primary_key: id}"#),
    ("many", r#"{query: "SELECT id, name FROM many", primary_key: id}"#),
];

/// A table in SmartSuite with what can be wrong.
fn table(stage: &Stage) -> String {
    let field = |slug: &str, kind: &str, params: Value| json!({"slug": slug, "label": slug, "field_type": kind, "params": params, "is_new": true});
    let structure = json!([
        field("skey000001", "textfield", json!({})),
        field("sneeded001", "textfield", json!({"required": true})),
        field("samount001", "currencyfield", json!({"precision": 2})),
        field("sday000001", "datefield", json!({})),
        field(
            "slink00001",
            "linkedrecordfield",
            json!({"linked_application": CUSTOMERS, "entries_allowed": "multiple"})
        ),
    ]);
    let solution = stage.smartsuite.api("GET", "/api/v1/solutions/", &Value::Null)[0]["id"].clone();
    let body = json!({"name": "Odd", "solution": solution, "structure": structure});
    let made = stage.smartsuite.api("POST", "/api/v1/applications/", &body);
    made["id"].as_str().unwrap().to_owned()
}

fn mapping(table: &str) -> String {
    let mut text = "smartsuite: {plan: free}\nsyncs:\n".to_owned();
    let mut sync = |name: &str, capture: &str, source: &str, fields: &str| {
        writeln!(
            text,
            "  - name: {name}\n{capture}    source: {source}\n    destination:\n      table_id: {table}\n      \
             external_id_field: skey000001\n      key_prefix: \"{name}:\"\n      {fields}"
        )
        .unwrap();
    };
    let both = "field_mappings: {name: title}\n      fields: {sneeded001: {column: name}}";
    for (name, source) in SOURCES {
        sync(name, "", source, both);
    }
    let follows = r#"{query: "SELECT c.id, t.name FROM children c LEFT JOIN t ON t.id = c.id", primary_key: id}"#;
    sync("follows", "    capture: binlog\n", follows, both);
    let odd = r#"{query: "SELECT id, name, amount, t, made, owner FROM odd", primary_key: id}"#;
    let fields = "field_mappings:\n        amount: samount001\n        t: sday000001\n        made: first_created\n        \
                  name: title\n      links:\n        slink00001: {sync: no_index, from: owner}";
    sync("odd", "", odd, fields);
    text
}

fn every_finding_leads_to_its_line(stage: &mut Stage) {
    for sql in TABLES {
        stage.sql(sql);
    }
    let user = stage.database.create_user("SELECT", "PROCESS, REPLICATION SLAVE").unwrap();
    stage.setting("MYSQL_USER", user.name.clone());
    stage.setting("MYSQL_PASSWORD", user.password.clone());
    stage.map(&mapping(&table(stage)));
    let json = stage.run(&["validate", "--online", "--json"]).ended(64).json();
    let (mut said, mut codes) = (String::new(), BTreeSet::new());
    for sync in json["online"]["syncs"].as_array().unwrap() {
        writeln!(said, "{}", sync["name"].as_str().unwrap()).unwrap();
        for one in sync["diagnostics"].as_array().unwrap() {
            let text = |key: &str| one[key].as_str().unwrap().to_owned();
            let (line, column) = (&one["labels"][0]["line"], &one["labels"][0]["column"]);
            let (severity, code, message) = (text("severity"), text("code"), text("message"));
            writeln!(
                said,
                "  {severity}[{code}] at {line}:{column}: {message}\n    {}",
                text("hint")
            )
            .unwrap();
            codes.insert(code);
        }
    }
    let said = said.replace(stage.database.name(), "DATABASE").replace(&user.name, "USER");
    insta::assert_snapshot!(format!("live_findings_{:?}", stage.database.flavor()), said);
    // Those of the server's own settings have tests beside their code, in `binlog/changes.rs`.
    let mut elsewhere =
        vec![SourceFindingCode::BinlogRightNotSeen, SourceFindingCode::BinlogKeptBriefly];
    // This server logs what its foreign keys do.
    if stage.database.flavor() == Flavor::MySql {
        elsewhere.push(SourceFindingCode::BinlogForeignKey);
    }
    let missing: Vec<&str> = SourceFindingCode::ALL
        .iter()
        .copied()
        .filter(|code| !elsewhere.contains(code))
        .map(SourceFindingCode::code)
        .filter(|code| !codes.contains(*code))
        .collect();
    assert_eq!(missing, [""; 0], "no source shows these");
    for code in ["mysql_missing_privilege", "mysql_missing_column", "mysql_sql_error"] {
        assert!(codes.contains(code), "{code}: {codes:?}");
    }
}
