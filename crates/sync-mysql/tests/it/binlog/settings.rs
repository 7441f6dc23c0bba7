//! Settings and rights without which a log cannot be followed are said, with what to do.

use std::sync::Arc;

use sync_core::{change::ChangeLog as _, error::SourceErrorKind};
use sync_mysql::{SourceFindingCode, binlog::RelatedTable};
use throwaway_server::Flavor;

use super::{
    audience::{Audience, Heard},
    loss::private,
};
use crate::stage::{Stage, definition, on_both_servers, run, source};

on_both_servers!(
    two_rights_are_enough,
    a_missing_right_is_named,
    keys_that_cannot_be_followed_are_refused,
    a_joined_table_that_is_not_followed_is_said,
);

async fn two_rights_are_enough(mut stage: Stage) {
    stage.execute(
        "CREATE TABLE p (id INT PRIMARY KEY); CREATE TABLE t (id INT PRIMARY KEY, p INT, \
         FOREIGN KEY (p) REFERENCES p (id) ON DELETE CASCADE)",
    );
    let user = stage.db.create_user("SELECT", "REPLICATION SLAVE").unwrap();
    let audience = Audience::by(&stage, 7_401, Some(&user));
    let mut heard = Heard::now(&audience.changes("SELECT id FROM t")).await;
    stage.execute("INSERT INTO t VALUES (1, NULL)");
    heard.until_keys(&["1"]).await;
}

async fn a_missing_right_is_named(mut stage: Stage) {
    stage.execute("CREATE TABLE t (id INT PRIMARY KEY)");
    let user = stage.db.create_user("SELECT", "").unwrap();
    let audience = Audience::by(&stage, 7_402, Some(&user));
    let mut heard = Heard::now(&audience.changes("SELECT id FROM t")).await;
    let error = heard.until_failure().await;
    assert_eq!(error.kind, SourceErrorKind::MissingPrivilege, "{error:?}");
    assert!(error.remedy.contains("GRANT REPLICATION SLAVE ON *.*"), "{}", error.remedy);
}

async fn keys_that_cannot_be_followed_are_refused(stage: Stage) {
    stage.execute(
        "CREATE TABLE t (id FLOAT PRIMARY KEY, a INT); CREATE TABLE u (id INT PRIMARY KEY); \
         CREATE VIEW v AS SELECT id FROM u",
    );
    let audience = Audience::of(&stage, 7_403);
    for (query, words) in [
        ("SELECT id FROM t", "cannot be read from the binlog: it is a FLOAT"),
        ("SELECT id + 1 AS id FROM u", "is computed"),
        ("SELECT MAX(id) AS id FROM u", "is computed"),
    ] {
        let error = audience.changes(query).place().await.unwrap_err();
        assert_eq!(error.kind, SourceErrorKind::LogSettings, "{query}: {error:?}");
        assert!(error.message.contains(words), "{query}: {}", error.message);
    }
}

async fn a_joined_table_that_is_not_followed_is_said(stage: Stage) {
    stage.execute(
        "CREATE TABLE c (id INT PRIMARY KEY, name VARCHAR(20)); CREATE TABLE d (id INT PRIMARY KEY, x INT); \
         CREATE TABLE t (id INT PRIMARY KEY, c_id INT)",
    );
    let audience = Audience::of(&stage, 7_405);
    let query = "WITH e AS (SELECT id, name FROM c) SELECT t.id, t.c_id, c.name, d.x, e.name AS of_e \
                 FROM t LEFT JOIN c ON c.id = t.c_id LEFT JOIN d ON d.id = t.id LEFT JOIN e ON e.id = t.id";
    let of_t = definition(query, &["id"], None);
    let to_c = RelatedTable { table: "c".into(), column: "id".into(), matches: "c_id".into() };
    for (wanted, related, expected) in [
        (&["c_id", "name", "x", "of_e"][..], Vec::new(), &["c", "d"][..]),
        (&["name", "x"], vec![to_c], &["d"]),
        (&["c_id"], Vec::new(), &[]),
    ] {
        let source = Arc::new(source(stage.options(), &of_t, wanted).unwrap());
        let findings = audience.hub.changes(source, related).check().await;
        let of_joins: Vec<&str> = findings
            .iter()
            .filter(|finding| finding.code == SourceFindingCode::BinlogJoinUnfollowed)
            .filter_map(|finding| finding.message.split('`').nth(1))
            .collect();
        assert_eq!(of_joins, expected, "{findings:?}");
    }
}

fn refused(extra: &str, words: &str, remedy: &str) {
    refused_on(Flavor::MariaDb, &[extra], "DO 0", words, remedy);
}

/// On a server with such settings, after such a statement.
fn refused_on(flavor: Flavor, extra: &[&str], statement: &str, words: &str, remedy: &str) {
    let Some((_server, stage)) = private(flavor, extra) else { return };
    run(async {
        stage.execute(statement);
        stage.execute("CREATE TABLE t (id INT PRIMARY KEY)");
        let audience = Audience::of(&stage, 7_404);
        let error = audience.changes("SELECT id FROM t").place().await.unwrap_err();
        assert_eq!(error.kind, SourceErrorKind::LogSettings);
        assert!(error.message.contains(words), "{}", error.message);
        assert!(error.remedy.contains(remedy), "{}", error.remedy);
    });
}

#[test]
fn a_log_of_statements_is_refused() {
    refused("--binlog-format=MIXED", "binlog_format=MIXED", "binlog_format");
}

#[test]
fn a_server_without_a_log_is_refused() {
    refused("--skip-log-bin", "writes no binlog", "binlog_format");
}

#[test]
fn a_database_that_is_left_out_is_refused() {
    refused("--binlog-do-db=elsewhere", "(binlog_do_db)", "capture: query");
}

#[test]
fn a_replica_that_logs_nothing_of_its_source_is_refused_on_mariadb() {
    refused_on(
        Flavor::MariaDb,
        &["--log-slave-updates=OFF"],
        "CHANGE MASTER TO MASTER_HOST = '127.0.0.1', MASTER_USER = 'nobody'",
        "is a replica",
        "log_slave_updates",
    );
}

#[test]
fn a_replica_that_logs_nothing_of_its_source_is_refused_on_mysql() {
    refused_on(
        Flavor::MySql,
        &["--log-replica-updates=OFF"],
        "CHANGE REPLICATION SOURCE TO SOURCE_HOST = '127.0.0.1', SOURCE_USER = 'nobody'",
        "is a replica",
        "log_replica_updates",
    );
}
