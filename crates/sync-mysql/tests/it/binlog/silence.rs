//! Streams that stand still: a server that says nothing, a reader that takes nothing.

use std::{fs, process::Command};

use throwaway_server::{Flavor, Server};

use super::{
    audience::{Audience, Heard, PATIENCE},
    loss::private,
};
use crate::stage::run;

/// Stops a server, or lets it go on, as a machine does that is out of breath.
fn signal(server: &Server, name: &str) {
    let file = server.data_folder().parent().unwrap().join("pid");
    let pid = fs::read_to_string(file).unwrap();
    let done = Command::new("kill").args([name, pid.trim()]).status().unwrap();
    assert!(done.success());
}

/// Without heartbeats a stream that waits for the next change would wait for ever.
fn silence_counts_as_loss(flavor: Flavor) {
    let Some((server, stage)) = private(flavor, &[]) else { return };
    run(async {
        stage.execute("CREATE TABLE t (id INT PRIMARY KEY)");
        let audience = Audience::of(&stage, 7_501);
        let mut heard = Heard::now(&audience.changes("SELECT id FROM t")).await;
        stage.execute("INSERT INTO t VALUES (1)");
        heard.until_keys(&["1"]).await;
        signal(&server, "-STOP");
        // Three heartbeats of a second each.
        heard.until_note("connecting again").await;
        signal(&server, "-CONT");
        stage.execute("INSERT INTO t VALUES (2)");
        heard.until_keys(&["1", "2"]).await;
        assert_eq!(heard.reconciles, [""; 0]);
    });
}

/// A server cuts a connection that nobody reads from; what it had still to send is sent again.
fn a_reader_that_stands_still_misses_nothing(flavor: Flavor) {
    const ROWS: usize = 40_000;
    let Some((_server, stage)) = private(flavor, &["--net-write-timeout=1"]) else { return };
    run(async {
        stage.execute("CREATE TABLE t (id INT PRIMARY KEY AUTO_INCREMENT, v VARCHAR(1000))");
        let audience = Audience::of(&stage, 7_502);
        let mut heard = Heard::now(&audience.changes("SELECT id FROM t")).await;
        heard.until_caught_up().await;
        // More than all buffers on the way hold, and more keys than may wait to be taken.
        let rows = vec!["(REPEAT('x', 1000))"; 1_000].join(", ");
        for _ in 0..ROWS / 1_000 {
            stage.execute(&format!("INSERT INTO t (v) VALUES {rows}"));
        }
        let client = stage.db.client().clone();
        let cut = tokio::task::spawn_blocking(move || {
            let readers = "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE COMMAND LIKE 'Binlog Dump%'";
            throwaway_server::wait_until(PATIENCE, || Ok(client.query(readers)?.trim() == "0"))
        });
        assert!(cut.await.unwrap().unwrap(), "the server did not cut the stream");
        while heard.keys.len() < ROWS {
            heard.next().await.unwrap();
        }
        assert_eq!(heard.reconciles, [""; 0]);
    });
}

#[test]
fn a_reader_that_stands_still_misses_nothing_on_mariadb() {
    a_reader_that_stands_still_misses_nothing(Flavor::MariaDb);
}

#[test]
fn a_reader_that_stands_still_misses_nothing_on_mysql() {
    a_reader_that_stands_still_misses_nothing(Flavor::MySql);
}

#[test]
fn silence_counts_as_loss_on_mariadb() {
    silence_counts_as_loss(Flavor::MariaDb);
}

#[test]
fn silence_counts_as_loss_on_mysql() {
    silence_counts_as_loss(Flavor::MySql);
}
