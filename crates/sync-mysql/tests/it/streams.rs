//! Long reads: bounded memory, abandoned reads, connections used again.

use std::time::Duration;

use sync_core::{
    key::Key,
    port::{ReadScope, RowSource},
};
use throwaway_server::{Flavor, Server, wait_until};

use crate::stage::{Stage, on_both_servers, read};

on_both_servers!(
    many_rows_stream_in_bounded_memory,
    an_abandoned_read_is_not_drained,
    one_connection_serves_reads_one_after_another,
    a_connection_that_broke_at_rest_is_replaced,
    two_reads_may_be_open_at_once,
    a_read_sees_one_moment,
);

const LIMIT: Duration = Duration::from_secs(20);

/// A table of `rows` rows of about a kilobyte.
fn fill(stage: &Stage, rows: usize) {
    let numbers = match stage.db.flavor() {
        Flavor::MariaDb => format!("seq_1_to_{rows}"),
        Flavor::MySql => format!(
            "(WITH RECURSIVE s AS (SELECT 1 AS seq UNION ALL SELECT seq + 1 FROM s WHERE seq < {rows}) SELECT * FROM s) n"
        ),
    };
    let recursion = match stage.db.flavor() {
        Flavor::MariaDb => String::new(),
        Flavor::MySql => format!("SET cte_max_recursion_depth = {rows};"),
    };
    stage.execute(&format!(
        "{recursion} CREATE TABLE big (id INT PRIMARY KEY, note VARCHAR(1000));
         INSERT INTO big SELECT seq, REPEAT('x', 1000) FROM {numbers}"
    ));
}

/// The most memory this process ever had resident, in kilobytes.
fn peak_memory() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

async fn many_rows_stream_in_bounded_memory(stage: Stage) {
    fill(&stage, 200_000);
    let source = stage.source("SELECT * FROM big", &["id"], &["note"]);
    let before = peak_memory();
    let mut open = source.open(ReadScope::Full).await.unwrap();
    let mut count = 0;
    loop {
        let rows = open.next_rows(1_000).await.unwrap();
        if rows.is_empty() {
            break;
        }
        count += rows.len();
    }
    assert_eq!(count, 200_000);
    let grown = peak_memory() - before;
    assert!(grown < 16 * 1024, "200 MB of rows took {grown} kB");
}

async fn an_abandoned_read_is_not_drained(stage: Stage) {
    let server = Server::start(stage.db.flavor()).unwrap();
    let stage = Stage { db: server.create_database().unwrap() };
    fill(&stage, 50_000);
    let sent = || -> u64 {
        let shown = stage.db.client().query("SHOW GLOBAL STATUS LIKE 'Bytes_sent'").unwrap();
        shown.trim().rsplit('\t').next().unwrap().parse().unwrap()
    };
    let source = stage.source("SELECT * FROM big", &["id"], &["note"]);
    let before = sent();
    for _ in 0..3 {
        let mut open = source.open(ReadScope::Full).await.unwrap();
        assert!(!open.next_rows(10).await.unwrap().is_empty());
        drop(open);
        let next = read(&source, ReadScope::Keys(vec![Key::Int(7)]));
        let next = tokio::time::timeout(LIMIT, next).await.unwrap().unwrap();
        assert_eq!(next.keys(), ["7"]);
    }
    wait_until(LIMIT, || {
        let running = "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE INFO LIKE '%FROM big%' AND ID <> CONNECTION_ID()";
        Ok(stage.db.client().query(running)?.trim() == "0")
    })
    .unwrap();
    // Draining would have fetched 50 MB three times; what the sockets hold is some MB.
    let fetched = sent() - before;
    assert!(fetched < 60_000_000, "{fetched} bytes were sent");
}

/// The ids of all connections of the source's user.
fn connections(stage: &Stage, user: &str) -> Vec<String> {
    let sql = format!("SELECT ID FROM information_schema.PROCESSLIST WHERE USER = '{user}'");
    stage.db.client().query(&sql).unwrap().lines().map(str::to_owned).collect()
}

/// A source whose connections can be told from others.
fn source_of_its_own(stage: &mut Stage) -> (sync_mysql::MysqlSource, String) {
    stage.execute("CREATE TABLE t (id INT PRIMARY KEY); INSERT INTO t VALUES (1), (2)");
    let user = stage.db.create_user("SELECT", "").unwrap();
    let options = stage.options_of(&user);
    let definition = crate::stage::definition("SELECT id FROM t", &["id"], None);
    (crate::stage::source(options, &definition, &[]).unwrap(), user.name)
}

async fn one_connection_serves_reads_one_after_another(mut stage: Stage) {
    let (source, user) = source_of_its_own(&mut stage);
    read(&source, ReadScope::Full).await.unwrap();
    let first = connections(&stage, &user);
    assert_eq!(first.len(), 1);
    for _ in 0..5 {
        read(&source, ReadScope::Full).await.unwrap();
        read(&source, ReadScope::Keys(vec![Key::Int(1)])).await.unwrap();
    }
    assert_eq!(connections(&stage, &user), first);
    drop(source);
    wait_until(LIMIT, || Ok(connections(&stage, &user).is_empty())).unwrap();
}

async fn a_connection_that_broke_at_rest_is_replaced(mut stage: Stage) {
    let (source, user) = source_of_its_own(&mut stage);
    for _ in 0..3 {
        assert_eq!(read(&source, ReadScope::Full).await.unwrap().keys(), ["1", "2"]);
        for id in connections(&stage, &user) {
            stage.execute(&format!("KILL {id}"));
        }
        wait_until(LIMIT, || Ok(connections(&stage, &user).is_empty())).unwrap();
    }
}

async fn two_reads_may_be_open_at_once(mut stage: Stage) {
    let (source, _) = source_of_its_own(&mut stage);
    let mut one = source.open(ReadScope::Full).await.unwrap();
    let mut two = source.open(ReadScope::Keys(vec![Key::Int(2)])).await.unwrap();
    assert_eq!(one.next_rows(10).await.unwrap().len(), 2);
    assert_eq!(two.next_rows(10).await.unwrap().len(), 1);
    assert!(one.next_rows(10).await.unwrap().is_empty());
    assert!(two.next_rows(10).await.unwrap().is_empty());
}

async fn a_read_sees_one_moment(stage: Stage) {
    fill(&stage, 20_000);
    let source = stage.source("SELECT * FROM big", &["id"], &["note"]);
    let mut open = source.open(ReadScope::Full).await.unwrap();
    stage.execute("DELETE FROM big; INSERT INTO big VALUES (0, 'late')");
    let mut count = 0;
    loop {
        let rows = open.next_rows(1_000).await.unwrap();
        if rows.is_empty() {
            break;
        }
        count += rows.len();
    }
    assert_eq!(count, 20_000);
    assert_eq!(read(&source, ReadScope::Full).await.unwrap().keys(), ["0"]);
}
