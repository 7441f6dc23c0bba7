//! Another server takes over from the one that was followed.

use sync_core::{error::SourceErrorKind, port::ReadScope, state::StreamPosition};
use throwaway_server::{Flavor, Server, SqlClient, skip_if_unavailable, wait_until};

use super::audience::{Audience, Heard, PATIENCE};
use crate::stage::{Stage, read, run};

/// A server and its replica, which follows it by the names of transactions.
fn pair(flavor: Flavor) -> Option<(Server, Server)> {
    let start = |id: &str| Server::start_with(flavor, &[id, "--log-slave-updates=ON"]);
    let first = skip_if_unavailable(start("--server-id=11")).unwrap()?;
    let second = start("--server-id=12").unwrap();
    let port = first.port();
    second.client().unwrap().execute(&match flavor {
        Flavor::MariaDb => format!(
            "CHANGE MASTER TO MASTER_HOST = '127.0.0.1', MASTER_PORT = {port}, MASTER_USER = 'root', \
             MASTER_USE_GTID = slave_pos; START SLAVE"
        ),
        Flavor::MySql => format!(
            "CHANGE REPLICATION SOURCE TO SOURCE_HOST = '127.0.0.1', SOURCE_PORT = {port}, SOURCE_USER = 'root', \
             SOURCE_AUTO_POSITION = 1, GET_SOURCE_PUBLIC_KEY = 1; START REPLICA"
        ),
    })
    .unwrap();
    Some((first, second))
}

/// Lets a replica be a server of its own.
fn promote(flavor: Flavor, client: &SqlClient) {
    client
        .execute(match flavor {
            Flavor::MariaDb => "STOP SLAVE; RESET SLAVE ALL",
            Flavor::MySql => "STOP REPLICA; RESET REPLICA ALL",
        })
        .unwrap();
}

/// Following from a position that the server never had.
async fn is_lost(stage: &Stage, position: &StreamPosition) {
    let audience = Audience::hasty(stage, 7_603, 300);
    let error = match Heard::from(&audience.changes("SELECT id FROM t"), position).await {
        Ok(mut heard) => heard.until_failure().await,
        Err(error) => error,
    };
    assert_eq!(error.kind, SourceErrorKind::PositionLost, "{error:?}");
}

fn another_server_takes_over(flavor: Flavor) {
    let Some((mut first, second)) = pair(flavor) else { return };
    let stage = Stage { db: first.create_database().unwrap() };
    run(async {
        stage.execute("CREATE TABLE t (id INT PRIMARY KEY, v INT)");
        let audience = Audience::of(&stage, 7_601);
        let mut heard = Heard::now(&audience.changes("SELECT id, v FROM t")).await;
        stage.execute("INSERT INTO t VALUES (1, 0)");
        heard.until_keys(&["1"]).await;
        let position = heard.position.clone();
        drop(heard);
        drop(audience);
        stage.execute("INSERT INTO t VALUES (2, 0)");
        let there = second.client().unwrap().with_database(stage.db.name());
        let arrived = wait_until(PATIENCE, || {
            Ok(there.query("SELECT COUNT(*) FROM t").is_ok_and(|count| count.trim() == "2"))
        });
        assert!(arrived.unwrap(), "nothing is replicated");
        // Known to the first server only: what was read of it is lost with it.
        promote(flavor, &there);
        let mut after = Heard::now(&Audience::of(&stage, 7_602).changes("SELECT id FROM t")).await;
        stage.execute("INSERT INTO t VALUES (3, 0)");
        after.until_keys(&["3"]).await;
        let ahead = after.position.clone();
        drop(after);
        first.kill().unwrap();

        let moved = Stage { db: stage.db.at(second.port()).unwrap() };
        // It is waited for, two minutes of a hasty clock; then what it lacks is lost.
        is_lost(&moved, &ahead).await;
        there.execute("INSERT INTO t VALUES (4, 0); UPDATE t SET v = 1 WHERE id = 1").unwrap();
        // By now it has as many transactions, but not the same.
        is_lost(&moved, &ahead).await;
        let audience = Audience::of(&moved, 7_601);
        let mut heard =
            Heard::from(&audience.changes("SELECT id FROM t"), &position).await.unwrap();
        heard.until_keys(&["1", "2", "4"]).await;
        heard.until_caught_up().await;
        assert_eq!(heard.reconciles, [""; 0]);
        let source = audience.source("SELECT id, v FROM t", &["id"]);
        let keys = heard.named.clone();
        assert_eq!(read(&source, ReadScope::Keys(keys)).await.unwrap().keys(), ["1", "2", "4"]);
    });
}

#[test]
fn another_server_takes_over_on_mariadb() {
    another_server_takes_over(Flavor::MariaDb);
}

#[test]
fn another_server_takes_over_on_mysql() {
    another_server_takes_over(Flavor::MySql);
}
