//! What changes rows without naming them leads to a reading of everything.

use sync_core::error::SourceErrorKind;

use super::audience::{Audience, Heard};
use crate::stage::{Stage, on_both_servers};

on_both_servers!(
    emptying_and_altering_a_table_are_noticed,
    a_dropped_table_is_said,
    statements_in_the_log_are_noticed,
    what_foreign_keys_change_is_noticed,
);

async fn emptying_and_altering_a_table_are_noticed(stage: Stage) {
    stage.execute("CREATE TABLE t (id INT PRIMARY KEY, v INT); INSERT INTO t VALUES (1, 1)");
    let audience = Audience::of(&stage, 7_101);
    let mut heard = Heard::now(&audience.changes("SELECT id FROM t")).await;
    stage.execute("TRUNCATE TABLE t");
    heard.until_reconcile("TRUNCATE of table `t`").await;
    heard.reconciles.clear();
    stage.execute("ALTER TABLE t ADD w INT FIRST; INSERT INTO t (id, w) VALUES (7, 8)");
    heard.until_reconcile("ALTER of table `t`").await;
    heard.until_keys(&["7"]).await;
    heard.reconciles.clear();
    stage.execute(
        // In one step, as tools that change tables do it: without a moment in which there is no `t`.
        "CREATE TABLE fresh (id INT PRIMARY KEY); INSERT INTO fresh VALUES (9); \
         RENAME TABLE t TO old, fresh TO t",
    );
    heard.until_reconcile("RENAME of table `t`").await;
}

async fn a_dropped_table_is_said(stage: Stage) {
    stage.execute("CREATE TABLE t (id INT PRIMARY KEY)");
    let audience = Audience::of(&stage, 7_102);
    let mut heard = Heard::now(&audience.changes("SELECT id FROM t")).await;
    stage.execute("DROP TABLE t");
    let error = heard.until_failure().await;
    assert!(matches!(error.kind, SourceErrorKind::Sql | SourceErrorKind::LogSettings), "{error:?}");
}

async fn statements_in_the_log_are_noticed(stage: Stage) {
    stage.execute("CREATE TABLE t (id INT PRIMARY KEY)");
    let audience = Audience::of(&stage, 7_103);
    let mut heard = Heard::now(&audience.changes("SELECT id FROM t")).await;
    stage.execute("SET SESSION binlog_format = STATEMENT; INSERT INTO t VALUES (1)");
    heard.until_reconcile("a statement instead of rows (INSERT)").await;
}

async fn what_foreign_keys_change_is_noticed(stage: Stage) {
    stage.execute(
        "CREATE TABLE grandparent (id INT PRIMARY KEY); \
         CREATE TABLE parent (id INT PRIMARY KEY, g INT, \
           FOREIGN KEY (g) REFERENCES grandparent (id) ON DELETE CASCADE); \
         CREATE TABLE child (id INT PRIMARY KEY, p INT, \
           FOREIGN KEY (p) REFERENCES parent (id) ON DELETE CASCADE); \
         INSERT INTO grandparent VALUES (1), (2); INSERT INTO parent VALUES (1, 1), (2, 2); \
         INSERT INTO child VALUES (10, 1), (20, 2)",
    );
    let audience = Audience::of(&stage, 7_104);
    let mut heard = Heard::now(&audience.changes("SELECT id FROM child")).await;
    let logs_cascades = stage
        .db
        .client()
        .query("SHOW VARIABLES LIKE 'innodb_native_foreign_keys'")
        .unwrap()
        .to_lowercase()
        .contains("off");
    stage.execute("DELETE FROM grandparent WHERE id = 1");
    if logs_cascades {
        heard.until_keys(&["10"]).await;
    } else {
        heard.until_reconcile("rows of table `grandparent` that others refer to changed").await;
        assert!(heard.notes.iter().any(|note| note.contains("foreign key")), "{:?}", heard.notes);
    }
}
