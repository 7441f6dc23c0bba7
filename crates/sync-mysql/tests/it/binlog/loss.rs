//! Connections, positions and servers that go away.

use std::{os::unix::fs::FileExt as _, time::Duration};

use mysql_async::prelude::Queryable as _;
use sync_core::{change::ChangeLog as _, error::SourceErrorKind, state::StreamPosition};
use throwaway_server::{Flavor, Server};

use super::audience::{Audience, Heard, PATIENCE};
use crate::stage::{Stage, connect, on_both_servers, run};

on_both_servers!(
    a_stream_that_is_killed_comes_back_and_misses_nothing,
    two_readers_with_one_number_both_go_on,
);

async fn a_stream_that_is_killed_comes_back_and_misses_nothing(stage: Stage) {
    stage.execute("CREATE TABLE t (id INT PRIMARY KEY)");
    let audience = Audience::of(&stage, 7_301);
    let mut heard = Heard::now(&audience.changes("SELECT id FROM t")).await;
    let mut admin = connect(&stage.options()).await;
    let mut writer = connect(&stage.options()).await;
    let mut wanted = Vec::new();
    let mut killed = 0;
    for round in 0..12 {
        for row in 0..20 {
            let id = round * 20 + row;
            writer.query_drop(format!("INSERT INTO t VALUES ({id})")).await.unwrap();
            wanted.push(id.to_string());
        }
        if round % 4 == 1 {
            writer.query_drop("FLUSH BINARY LOGS").await.unwrap();
        }
        // Only our own stream: others test on this server too.
        let ids: Vec<u64> = admin.query(own_stream(&stage)).await.unwrap();
        for id in ids {
            if admin.query_drop(format!("KILL {id}")).await.is_ok() {
                killed += 1;
            }
        }
    }
    let wanted: Vec<&str> = wanted.iter().map(String::as_str).collect();
    heard.until_keys(&wanted).await;
    assert!(killed > 0, "no stream was killed");
    assert_eq!(heard.reconciles, [""; 0]);
}

/// Connections that read the log for this test: the database is the test's own.
fn own_stream(stage: &Stage) -> String {
    format!(
        "SELECT ID FROM information_schema.PROCESSLIST WHERE COMMAND LIKE 'Binlog Dump%' AND DB = '{}'",
        stage.db.name()
    )
}

async fn two_readers_with_one_number_both_go_on(stage: Stage) {
    stage.execute("CREATE TABLE t (id INT PRIMARY KEY)");
    let (one, other) = (Audience::of(&stage, 7_302), Audience::of(&stage, 7_302));
    let mut first = Heard::now(&one.changes("SELECT id FROM t")).await;
    first.until_caught_up().await;
    let mut second = Heard::now(&other.changes("SELECT id FROM t")).await;
    second.until_caught_up().await;
    stage.execute("INSERT INTO t VALUES (1)");
    first.until_keys(&["1"]).await;
    second.until_keys(&["1"]).await;
    stage.execute("INSERT INTO t VALUES (2)");
    first.until_keys(&["1", "2"]).await;
    second.until_keys(&["1", "2"]).await;
}

pub(super) fn private(flavor: Flavor, extra: &[&str]) -> Option<(Server, Stage)> {
    let server =
        throwaway_server::skip_if_unavailable(Server::start_with(flavor, extra)).unwrap()?;
    let db = server.create_database().unwrap();
    Some((server, Stage { db }))
}

/// The option, and the usual setting, of a server that does not log the columns' names.
pub(super) fn nameless(flavor: Flavor) -> &'static str {
    match flavor {
        Flavor::MariaDb => "--binlog-row-metadata=NO_LOG",
        Flavor::MySql => "--binlog-row-metadata=MINIMAL",
    }
}

/// On a server of the test's own: a purge would harm others.
fn a_purged_log_is_a_lost_position(flavor: Flavor) {
    let Some((_server, stage)) = private(flavor, &[]) else { return };
    run(async {
        stage.execute("CREATE TABLE t (id INT PRIMARY KEY)");
        let audience = Audience::of(&stage, 7_303);
        let changes = audience.changes("SELECT id FROM t");
        let place = changes.place().await.unwrap();
        stage.execute("INSERT INTO t VALUES (1); FLUSH BINARY LOGS; INSERT INTO t VALUES (2); FLUSH BINARY LOGS");
        // A file that a crash would still need is not purged at once.
        let purged = throwaway_server::wait_until(PATIENCE, || {
            let logs = stage.db.client().query("SHOW BINARY LOGS")?;
            let newest = logs.lines().last().unwrap().split_whitespace().next().unwrap().to_owned();
            stage.db.execute(&format!("PURGE BINARY LOGS TO '{newest}'"))?;
            let left = stage.db.client().query("SHOW BINARY LOGS")?;
            Ok(left.lines().filter(|line| line.contains("mysql-bin")).count() == 1)
        });
        assert!(purged.unwrap(), "the old files stayed");
        let mut heard = Heard::from(&changes, &place).await.unwrap();
        let error = heard.until_failure().await;
        assert_eq!(error.kind, SourceErrorKind::PositionLost, "{error:?}");
        assert!(error.remedy.contains("on_position_lost: repair"));
        // From here on it works again.
        let mut heard = Heard::now(&changes).await;
        stage.execute("INSERT INTO t VALUES (3)");
        heard.until_keys(&["3"]).await;
    });
}

#[test]
fn a_purged_log_is_a_lost_position_on_mariadb() {
    a_purged_log_is_a_lost_position(Flavor::MariaDb);
}

#[test]
fn a_purged_log_is_a_lost_position_on_mysql() {
    a_purged_log_is_a_lost_position(Flavor::MySql);
}

/// A server that is stopped and started goes on where it was.
fn a_restarted_server_is_found_again(flavor: Flavor) {
    let Some((mut server, stage)) = private(flavor, &[]) else { return };
    run(async {
        stage.execute("CREATE TABLE t (id INT PRIMARY KEY)");
        let audience = Audience::of(&stage, 7_304);
        let mut heard = Heard::now(&audience.changes("SELECT id FROM t")).await;
        stage.execute("INSERT INTO t VALUES (1)");
        heard.until_keys(&["1"]).await;
        server.kill().unwrap();
        server.restart().unwrap();
        stage.execute("INSERT INTO t VALUES (2)");
        heard.until_keys(&["1", "2"]).await;
        let position = heard.position.clone();
        drop(heard);
        stage.execute("INSERT INTO t VALUES (3)");
        if let Some(position) = read_elsewhere(&position) {
            let mut heard = Heard::from(&audience.changes("SELECT id FROM t"), &position).await;
            heard.as_mut().unwrap().until_keys(&["3"]).await;
        }
    });
}

/// The same position, as if the server had another host's name then; `None` where a server's name is its own.
fn read_elsewhere(position: &StreamPosition) -> Option<StreamPosition> {
    let mut stored: serde_json::Value = serde_json::from_str(&position.0).unwrap();
    let (number, _) = stored["server"].as_str()?.split_once('@')?;
    stored["server"] = format!("{number}@elsewhere:1").into();
    Some(StreamPosition(stored.to_string()))
}

#[test]
fn a_restarted_server_is_found_again_on_mariadb() {
    a_restarted_server_is_found_again(Flavor::MariaDb);
}

#[test]
fn a_restarted_server_is_found_again_on_mysql() {
    a_restarted_server_is_found_again(Flavor::MySql);
}

/// An image before and one after together are longer than any row that the server takes.
fn an_event_longer_than_a_packet_is_read(flavor: Flavor) {
    let Some((_server, stage)) = private(flavor, &["--max-allowed-packet=1M"]) else { return };
    run(async {
        stage.execute("CREATE TABLE t (id INT PRIMARY KEY, v LONGBLOB)");
        let audience = Audience::of(&stage, 7_306);
        let mut heard = Heard::now(&audience.changes("SELECT id FROM t")).await;
        stage.execute(
            "INSERT INTO t VALUES (1, REPEAT('a', 900000)); UPDATE t SET v = REPEAT('b', 900000); \
             INSERT INTO t VALUES (2, '')",
        );
        heard.until_keys(&["1", "2"]).await;
        assert_eq!(heard.reconciles, [""; 0]);
    });
}

#[test]
fn an_event_longer_than_a_packet_is_read_on_mariadb() {
    an_event_longer_than_a_packet_is_read(Flavor::MariaDb);
}

#[test]
fn an_event_longer_than_a_packet_is_read_on_mysql() {
    an_event_longer_than_a_packet_is_read(Flavor::MySql);
}

/// It stays so however often the reader connects, and each time the log begins well.
#[test]
fn an_event_that_stays_damaged_ends_the_reading() {
    let Some((server, stage)) = private(Flavor::MariaDb, &[]) else { return };
    run(async {
        stage.execute("CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(40))");
        let audience = Audience::hasty(&stage, 7_307, 200);
        let changes = audience.changes("SELECT id FROM t");
        let mut heard = Heard::now(&changes).await;
        heard.until_caught_up().await;
        let place = heard.position.clone();
        drop(heard);
        let word = "a word that is nowhere else in the log";
        stage.execute(&format!("INSERT INTO t VALUES (1, '{word}')"));
        let file = server.data_folder().join("mysql-bin.000001");
        let log = std::fs::read(&file).unwrap();
        // The last time: before the row stands the statement, which is not sent.
        let at = log.windows(word.len()).rposition(|some| some == word.as_bytes()).unwrap();
        let file = std::fs::OpenOptions::new().write(true).open(&file).unwrap();
        file.write_all_at(&[log[at] ^ 1], u64::try_from(at).unwrap()).unwrap();
        let mut heard = Heard::from(&changes, &place).await.unwrap();
        let error = heard.until_failure().await;
        assert!(error.message.contains("arrived damaged"), "{error:?}");
        assert!(error.remedy.contains("the server's log is damaged"), "{error:?}");
    });
}

/// Without names of transactions: file and offset, and time instead of the guard.
#[test]
fn mysql_without_names_is_followed_by_file_and_offset() {
    let extra = ["--gtid-mode=OFF", "--enforce-gtid-consistency=OFF"];
    let Some((_server, stage)) = private(Flavor::MySql, &extra) else { return };
    run(async {
        stage.execute("CREATE TABLE t (id INT PRIMARY KEY)");
        let audience = Audience::of(&stage, 7_305);
        let changes = audience.changes("SELECT id FROM t");
        let mut heard = Heard::now(&changes).await;
        stage.execute("INSERT INTO t VALUES (1); FLUSH BINARY LOGS; INSERT INTO t VALUES (2)");
        heard.until_keys(&["1", "2"]).await;
        let position = heard.position.clone();
        drop(heard);
        stage.execute("INSERT INTO t VALUES (3)");
        let mut heard = Heard::from(&changes, &position).await.unwrap();
        // Each key is named twice: the second time, the row can surely be seen. Those that were named once are, too.
        let twice = tokio::time::timeout(Duration::from_secs(12), async {
            let third = |heard: &Heard| heard.named.iter().filter(|key| key.text() == "3").count();
            while third(&heard) < 2 {
                heard.next().await.unwrap();
            }
        });
        twice.await.unwrap();
        // Who comes when a file was begun in which nothing is yet, as by a restart, is at the end all the same.
        let position = heard.position.clone();
        drop(heard);
        stage.execute("FLUSH BINARY LOGS");
        let mut heard = Heard::from(&changes, &position).await.unwrap();
        tokio::time::timeout(Duration::from_mins(1), heard.until_caught_up()).await.unwrap();
    });
}

/// Nobody may take a position for his own, or the log for read, before the second naming.
#[test]
fn mysql_without_names_moves_its_position_behind_the_second_naming() {
    let extra = ["--gtid-mode=OFF", "--enforce-gtid-consistency=OFF"];
    let Some((_server, stage)) = private(Flavor::MySql, &extra) else { return };
    run(async {
        stage.execute("CREATE TABLE t (id INT PRIMARY KEY)");
        let audience = Audience::of(&stage, 7_308);
        let changes = audience.changes("SELECT id FROM t");
        let place = changes.place().await.unwrap();
        stage.execute("INSERT INTO t VALUES (1)");
        let mut heard = Heard::from(&changes, &place).await.unwrap();
        heard.until_keys(&["1"]).await;
        assert_eq!(heard.position, place);
        assert_eq!(heard.named.len(), 1);
        // As after a kill.
        drop(heard);
        let mut heard = Heard::from(&changes, &place).await.unwrap();
        heard.until_caught_up().await;
        assert_eq!(heard.named.len(), 2, "{:?}", heard.named);
        assert_ne!(heard.position, place);
        // Where tables cannot be locked for a moment, as they are in use, everything is read once more instead.
        let mut other = connect(&stage.options()).await;
        other.query_drop("CREATE TABLE u (id INT)").await.unwrap();
        other.query_drop("LOCK TABLES u WRITE").await.unwrap();
        let mut heard = Heard::now(&changes).await;
        heard.until_reconcile("tables could not be locked").await;
    });
}

/// What a log that is deleted is begun anew by.
fn reset(flavor: Flavor) -> &'static str {
    match flavor {
        Flavor::MariaDb => "RESET MASTER",
        Flavor::MySql => "RESET BINARY LOGS AND GTIDS",
    }
}

/// Until the server's clock shows another second: it is by seconds that one can tell when a file was begun.
pub(super) fn another_second(stage: &Stage) {
    let second = || stage.db.client().query("SELECT UNIX_TIMESTAMP()");
    let before = second().unwrap();
    assert!(throwaway_server::wait_until(PATIENCE, || Ok(second()? != before)).unwrap());
}

/// Names, files and offsets begin at 1 again, on the same server, and soon are higher than those that were read.
fn a_log_that_is_begun_anew_is_a_lost_position(flavor: Flavor, extra: &[&str]) {
    let Some((_server, stage)) = private(flavor, extra) else { return };
    run(async {
        stage.execute("CREATE TABLE t (id INT PRIMARY KEY, v TEXT)");
        let audience = Audience::hasty(&stage, 7_309, 20);
        let changes = audience.changes("SELECT id FROM t");
        let mut heard = Heard::now(&changes).await;
        stage.execute("INSERT INTO t VALUES (1, '')");
        heard.until_keys(&["1"]).await;
        // Without names the position follows the second naming.
        stage.execute("INSERT INTO t VALUES (2, '')");
        heard.until_keys(&["1", "2"]).await;
        let position = heard.position.clone();
        drop(heard);
        drop(changes);
        drop(audience);
        another_second(&stage);
        stage.execute(reset(flavor));
        let rows: Vec<String> =
            (10..110).map(|id| format!("INSERT INTO t VALUES ({id}, REPEAT('x', 900))")).collect();
        stage.execute(&rows.join("; "));
        let audience = Audience::of(&stage, 7_309);
        let changes = audience.changes("SELECT id FROM t");
        // As it is after RESET MASTER, and where a new server was filled from a copy of the old one.
        for position in [Some(position.clone()), read_elsewhere(&position)].into_iter().flatten() {
            let mut heard = Heard::from(&changes, &position).await.unwrap();
            let error = heard.until_failure().await;
            assert_eq!(error.kind, SourceErrorKind::PositionLost, "{error:?}");
            assert!(error.message.contains("begun anew"), "{error:?}");
        }
        // From a new position it is followed as ever, until the same happens while it is read.
        let mut heard = Heard::now(&changes).await;
        stage.execute("INSERT INTO t VALUES (3, '')");
        heard.until_keys(&["3"]).await;
        if !extra.is_empty() {
            // Without names that shows only when the new log is longer than the old.
            return;
        }
        another_second(&stage);
        stage.execute(reset(flavor));
        let rows: Vec<String> =
            (200..400).map(|id| format!("INSERT INTO t VALUES ({id}, '')")).collect();
        stage.execute(&rows.join("; "));
        let error = heard.until_failure().await;
        assert_eq!(error.kind, SourceErrorKind::PositionLost, "{error:?}");
    });
}

#[test]
fn a_log_that_is_begun_anew_is_a_lost_position_on_mariadb() {
    a_log_that_is_begun_anew_is_a_lost_position(Flavor::MariaDb, &[]);
}

#[test]
fn a_log_that_is_begun_anew_is_a_lost_position_on_mysql() {
    a_log_that_is_begun_anew_is_a_lost_position(Flavor::MySql, &[]);
}

#[test]
fn a_log_that_is_begun_anew_is_a_lost_position_on_mysql_without_names() {
    let extra = ["--gtid-mode=OFF", "--enforce-gtid-consistency=OFF"];
    a_log_that_is_begun_anew_is_a_lost_position(Flavor::MySql, &extra);
}
