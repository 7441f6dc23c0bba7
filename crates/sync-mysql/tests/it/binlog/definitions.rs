//! What changes rows without naming them leads to a reading of everything.

use mysql_async::prelude::Queryable as _;
use sync_core::error::SourceErrorKind;
use throwaway_server::{Flavor, Server};

use super::{
    audience::{Audience, Heard},
    loss::{nameless, private},
};
use crate::stage::{Stage, connect, on_both_servers};

on_both_servers!(
    emptying_and_altering_a_table_are_noticed,
    definitions_in_other_words_are_noticed,
    a_name_that_ends_in_a_backslash_is_noticed,
    a_dropped_table_is_said,
    a_table_that_is_made_anew_in_steps_is_followed_on,
    who_comes_while_a_table_is_missing_is_heard,
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

/// On a server that does not log the columns' names, so that their places must be learnt anew.
async fn definitions_in_other_words_are_noticed(stage: Stage) {
    let Some((_server, stage)) = private(stage.db.flavor(), &[nameless(stage.db.flavor())]) else {
        return;
    };
    stage.execute("CREATE TABLE t (id INT PRIMARY KEY, v INT)");
    let audience = Audience::of(&stage, 7_107);
    let mut heard = Heard::now(&audience.changes("SELECT id FROM t")).await;
    let mut check = async |sql: &str, why: &str, insert: i32| {
        stage.execute(&format!("{sql}; INSERT INTO t (v, id) VALUES (7777, {insert})"));
        heard.until_reconcile(why).await;
        // Had the column's new place not been learnt, 7777 would be named.
        while !heard.keys.contains(&insert.to_string()) {
            heard.next().await.unwrap();
        }
        assert!(!heard.keys.contains("7777"), "{sql}");
        heard.reconciles.clear();
    };
    let quoted = "SET sql_mode = ANSI_QUOTES; ALTER TABLE \"t\" MODIFY \"v\" INT FIRST";
    check(quoted, "ALTER of table `t`", 1).await;
    check("SET sql_mode = ANSI_QUOTES; TRUNCATE TABLE \"t\"", "TRUNCATE of table `t`", 2).await;
    check("/*!50000 ALTER TABLE t MODIFY id INT FIRST */", "ALTER of table `t`", 3).await;
    if stage.db.flavor() == Flavor::MariaDb {
        let set = "SET STATEMENT lock_wait_timeout = 50 FOR ALTER TABLE t MODIFY v INT FIRST";
        check(set, "ALTER of table `t`", 4).await;
    }
}

/// Where double quotes stand round names, a backslash before the last of them is the name's.
async fn a_name_that_ends_in_a_backslash_is_noticed(stage: Stage) {
    let mut conn = connect(&stage.options()).await;
    conn.query_drop(r"CREATE TABLE `t\` (id INT PRIMARY KEY)").await.unwrap();
    let audience = Audience::of(&stage, 7_108);
    let mut heard = Heard::now(&audience.changes(r"SELECT id FROM `t\`")).await;
    conn.query_drop("SET sql_mode = 'ANSI_QUOTES'").await.unwrap();
    for (sql, why) in [
        (r#"INSERT INTO "t\" VALUES (1)"#, None),
        (r#"TRUNCATE TABLE "t\""#, Some(r"TRUNCATE of table `t\`")),
        (r#"ALTER TABLE "t\" COMMENT 'it\'s "it"'"#, Some(r"ALTER of table `t\`")),
    ] {
        conn.query_drop(sql).await.unwrap();
        match why {
            None => heard.until_keys(&["1"]).await,
            Some(why) => heard.until_reconcile(why).await,
        }
        heard.reconciles.clear();
    }
}

async fn a_dropped_table_is_said(stage: Stage) {
    stage.execute("CREATE TABLE t (id INT PRIMARY KEY)");
    let audience = Audience::of(&stage, 7_102);
    let mut heard = Heard::now(&audience.changes("SELECT id FROM t")).await;
    stage.execute("DROP TABLE t");
    let error = heard.until_failure().await;
    assert!(matches!(error.kind, SourceErrorKind::Sql | SourceErrorKind::LogSettings), "{error:?}");
}

/// As `mysqldump` restores it, and as a careless migration renames it.
async fn a_table_that_is_made_anew_in_steps_is_followed_on(stage: Stage) {
    stage.execute("CREATE TABLE t (id INT PRIMARY KEY, v INT)");
    let audience = Audience::of(&stage, 7_105);
    let mut heard = Heard::now(&audience.changes("SELECT id FROM t")).await;
    heard.until_caught_up().await;
    stage.execute("DROP TABLE t; DO SLEEP(0.7); CREATE TABLE t (v INT, w INT, id INT PRIMARY KEY)");
    heard.until_reconcile("of table `t`").await;
    stage.execute("INSERT INTO t VALUES (1, 2, 3)");
    heard.until_keys(&["3"]).await;
    heard.reconciles.clear();
    stage.execute("RENAME TABLE t TO aside; DO SLEEP(0.7); RENAME TABLE aside TO t");
    heard.until_reconcile("RENAME of table `t`").await;
    stage.execute("INSERT INTO t VALUES (1, 2, 4)");
    heard.until_keys(&["3", "4"]).await;
}

async fn who_comes_while_a_table_is_missing_is_heard(stage: Stage) {
    stage.execute("CREATE TABLE t (id INT PRIMARY KEY); CREATE TABLE u (id INT PRIMARY KEY)");
    let audience = Audience::of(&stage, 7_106);
    let mut of_t = Heard::now(&audience.changes("SELECT id FROM t")).await;
    of_t.until_caught_up().await;
    stage.execute("DROP TABLE t");
    let mut of_u = Heard::now(&audience.changes("SELECT id FROM u")).await;
    stage.execute("CREATE TABLE t (id INT PRIMARY KEY); INSERT INTO u VALUES (1)");
    of_u.until_keys(&["1"]).await;
    of_t.until_reconcile("of table `t`").await;
}

/// On a server of its own: a statement may have changed any table, so that all who listen there
/// are told of it.
async fn statements_in_the_log_are_noticed(stage: Stage) {
    let server = Server::start(stage.db.flavor()).unwrap();
    let stage = Stage { db: server.create_database().unwrap() };
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
