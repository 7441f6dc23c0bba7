//! What `validate --online` is told.

use sync_core::{error::SourceErrorKind, source::ColumnKind};
use sync_mysql::{Flavour, Severity, SourceFinding, SourceReport};
use throwaway_server::Flavor;

use crate::stage::{Stage, definition, on_both_servers, source};

on_both_servers!(
    a_good_source_has_nothing_to_fix,
    a_cursor_without_an_index_is_a_warning_with_the_fix,
    a_query_that_needs_a_time_is_an_error,
    keys_that_cannot_be_keys_are_errors,
    rights_and_clocks_are_noted,
    a_view_need_not_be_shown_to_be_read,
    what_cannot_be_read_is_an_error,
);

const TABLE: &str =
    "CREATE TABLE t (id INT PRIMARY KEY, name VARCHAR(20), price DECIMAL(10,2) NOT NULL,
    u DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6))";

async fn report(stage: &Stage, query: &str, key: &[&str], cursor: Option<&str>) -> SourceReport {
    let definition = definition(query, key, cursor);
    source(stage.options(), &definition, &[]).unwrap().check().await.unwrap()
}

fn codes(report: &SourceReport) -> Vec<(Severity, &str)> {
    report.findings.iter().map(|finding| (finding.severity, finding.code.code())).collect()
}

fn errors(report: &SourceReport) -> Vec<&str> {
    let errors = report.findings.iter().filter(|finding| finding.severity == Severity::Error);
    errors.map(|finding| finding.code.code()).collect()
}

fn finding<'a>(report: &'a SourceReport, code: &str) -> &'a SourceFinding {
    report.findings.iter().find(|finding| finding.code.code() == code).unwrap()
}

const GOOD: &str =
    "SELECT id, name, price, u FROM t WHERE u > :last_sync_time OR :last_sync_time IS NULL";

async fn a_good_source_has_nothing_to_fix(stage: Stage) {
    stage.execute(TABLE);
    stage.execute("CREATE INDEX u_idx ON t (u)");
    for rows in ["", "INSERT INTO t (id, price) VALUES (1, 1), (2, 2)"] {
        stage.execute(rows);
        let report = report(&stage, GOOD, &["id"], Some("u")).await;
        assert_eq!(report.findings, []);
        let expected = match stage.db.flavor() {
            Flavor::MariaDb => Flavour::MariaDb,
            Flavor::MySql => Flavour::MySql,
        };
        assert_eq!(report.server.flavour, expected);
        assert!(report.server.number > (9, 0, 0), "{}", report.server);
        assert_eq!(report.cipher.is_some(), stage.db.flavor() == Flavor::MySql);
        let columns: Vec<(&str, &ColumnKind, bool)> = report
            .columns
            .iter()
            .map(|column| (column.name.as_str(), &column.kind, column.nullable))
            .collect();
        assert_eq!(
            columns,
            [
                ("id", &ColumnKind::Int { unsigned: false, width: 11 }, false),
                ("name", &ColumnKind::Text, true),
                ("price", &ColumnKind::Decimal { scale: 2 }, false),
                ("u", &ColumnKind::DateTime, false),
            ]
        );
    }
}

async fn a_cursor_without_an_index_is_a_warning_with_the_fix(stage: Stage) {
    stage.execute(TABLE);
    let missing = report(&stage, GOOD, &["id"], Some("u")).await;
    assert_eq!(codes(&missing), [(Severity::Warning, "cursor_index")]);
    let finding = finding(&missing, "cursor_index");
    assert!(
        finding.message.contains("no index begins with cursor column `u` of table `t`"),
        "{finding:?}"
    );
    // The fix fixes it.
    stage.execute(&finding.hint);
    assert_eq!(report(&stage, GOOD, &["id"], Some("u")).await.findings, []);
    // A function around the column makes the index useless.
    let wrapped = GOOD.replace("WHERE u >", "WHERE DATE_ADD(u, INTERVAL 1 SECOND) >");
    let unused = report(&stage, &wrapped, &["id"], Some("u")).await;
    assert_eq!(codes(&unused), [(Severity::Warning, "cursor_index")]);
    assert!(
        crate::checks::finding(&unused, "cursor_index").message.contains("cannot use the index")
    );
}

async fn a_query_that_needs_a_time_is_an_error(stage: Stage) {
    stage.execute(TABLE);
    stage.execute("CREATE INDEX u_idx ON t (u)");
    // Deep enough to escape the look at the text.
    let query = "SELECT * FROM (SELECT id, u FROM t WHERE u > :last_sync_time) q";
    let empty = report(&stage, query, &["id"], Some("u")).await;
    assert_eq!(errors(&empty), Vec::<&str>::new(), "an empty table proves nothing");
    stage.execute("INSERT INTO t (id, price) VALUES (1, 1)");
    let found = report(&stage, query, &["id"], Some("u")).await;
    assert_eq!(errors(&found), ["null_yields_nothing"]);
}

async fn keys_that_cannot_be_keys_are_errors(stage: Stage) {
    stage.execute(
        "CREATE TABLE k (f FLOAT NOT NULL, d DOUBLE, j JSON, s VARCHAR(5), i INT NOT NULL)",
    );
    let found = report(&stage, "SELECT * FROM k", &["f", "d", "j", "s", "i"], None).await;
    assert_eq!(
        codes(&found),
        [
            (Severity::Error, "key_kind"),
            (Severity::Error, "key_kind"),
            (Severity::Error, "key_kind"),
            (Severity::Warning, "key_nullable"),
        ]
    );
    assert!(found.findings[0].message.contains("`f` is a FLOAT"));
}

async fn rights_and_clocks_are_noted(mut stage: Stage) {
    stage.execute("CREATE TABLE t (id INT PRIMARY KEY, u DATETIME NULL, KEY (u))");
    let user = stage.db.create_user("SELECT", "").unwrap();
    let query = "SELECT id, u FROM t WHERE u > :last_sync_time OR :last_sync_time IS NULL";
    let source =
        source(stage.options_of(&user), &definition(query, &["id"], Some("u")), &[]).unwrap();
    let report = source.check().await.unwrap();
    let notes: Vec<&str> = report.findings.iter().map(|finding| finding.message.as_str()).collect();
    assert!(report.findings.iter().all(|finding| finding.severity == Severity::Note), "{notes:?}");
    for part in ["PROCESS", "`u` may be NULL", "ON UPDATE CURRENT_TIMESTAMP"] {
        assert!(notes.iter().any(|note| note.contains(part)), "{part}: {notes:?}");
    }
    let unreturned = crate::checks::report(
        &stage,
        "SELECT id FROM t WHERE u > :last_sync_time OR :last_sync_time IS NULL",
        &["id"],
        Some("u"),
    )
    .await;
    assert!(codes(&unreturned).contains(&(Severity::Note, "cursor_not_returned")));
    let unused = crate::checks::report(&stage, "SELECT id, u FROM t", &["id"], Some("u")).await;
    assert_eq!(codes(&unused), [(Severity::Note, "cursor_unused")]);
    let no_time = crate::checks::report(&stage, query, &["u"], Some("id")).await;
    assert!(codes(&no_time).contains(&(Severity::Warning, "cursor_no_time")));
}

async fn a_view_need_not_be_shown_to_be_read(mut stage: Stage) {
    stage.execute(TABLE);
    stage.execute("CREATE VIEW v AS SELECT * FROM t");
    let user = stage.db.create_user("SELECT", "PROCESS").unwrap();
    let query = "SELECT id, u FROM v WHERE u > :last_sync_time OR :last_sync_time IS NULL";
    let source =
        source(stage.options_of(&user), &definition(query, &["id"], Some("u")), &[]).unwrap();
    let report = source.check().await.unwrap();
    assert_eq!(errors(&report), [""; 0], "{:?}", report.findings);
    let index = finding(&report, "cursor_index");
    assert_eq!(index.severity, Severity::Note);
    assert!(index.message.contains("cannot be told"), "{index:?}");
    assert!(index.hint.contains("GRANT SHOW VIEW"), "{index:?}");
}

async fn what_cannot_be_read_is_an_error(stage: Stage) {
    stage.execute(TABLE);
    for (query, kind) in [
        ("SELECT name FROM t", SourceErrorKind::MissingColumn),
        ("SELECT id FROM nothing", SourceErrorKind::Sql),
    ] {
        let source = source(stage.options(), &definition(query, &["id"], None), &[]).unwrap();
        assert_eq!(source.check().await.unwrap_err().kind, kind);
    }
}
