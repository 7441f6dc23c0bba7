//! What goes wrong has a kind, a message and a remedy.

use std::time::Duration;

use sync_core::{
    config::model::SourceRows,
    error::{SourceError, SourceErrorKind},
    port::{ReadScope, RowSource},
    secret::Secret,
};
use throwaway_server::Server;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use crate::stage::{Stage, definition, on_both_servers, read, run, source};

on_both_servers!(
    wrong_credentials_are_told_apart,
    sql_errors_show_the_line_of_the_users_query,
    all_missing_columns_are_named,
    a_missing_right_is_named,
    a_killed_server_interrupts_the_read,
    a_killed_connection_interrupts_the_read,
    a_silent_server_is_noticed,
    a_statement_limit_is_kept_by_the_server,
);

#[track_caller]
fn check(error: &SourceError, kind: SourceErrorKind, parts: &[&str]) {
    assert_eq!(error.kind, kind, "{error:?}");
    for part in parts {
        assert!(error.message.contains(part), "`{part}` is not in: {}", error.message);
    }
    assert!(!error.remedy.is_empty());
}

async fn failure(source: &sync_mysql::MysqlSource, scope: ReadScope) -> SourceError {
    match read(source, scope).await {
        Ok(_) => panic!("the read should fail"),
        Err(error) => error,
    }
}

async fn wrong_credentials_are_told_apart(mut stage: Stage) {
    let user = stage.db.create_user("SELECT", "").unwrap();
    let definition = definition("SELECT 1 AS id", &["id"], None);
    let good = stage.options_of(&user);
    read(&source(good.clone(), &definition, &[]).unwrap(), ReadScope::Full).await.unwrap();

    let mut options = good.clone();
    options.password = Secret::new("planted");
    let error = failure(&source(options, &definition, &[]).unwrap(), ReadScope::Full).await;
    check(
        &error,
        SourceErrorKind::AccessDenied,
        &["refuses the user or the password", "127.0.0.1"],
    );
    assert!(!format!("{error:?}").contains("planted") && !error.message.contains(&user.name));

    let mut options = stage.options();
    options.database = "no_such_database".to_owned();
    let error = failure(&source(options, &definition, &[]).unwrap(), ReadScope::Full).await;
    check(&error, SourceErrorKind::UnknownDatabase, &["does not know the database"]);

    // A user without rights on it learns no more.
    let mut options = good;
    options.database = "mysql".to_owned();
    let error = failure(&source(options, &definition, &[]).unwrap(), ReadScope::Full).await;
    check(&error, SourceErrorKind::UnknownDatabase, &["hides it"]);
}

async fn sql_errors_show_the_line_of_the_users_query(stage: Stage) {
    stage.execute("CREATE TABLE t (id INT PRIMARY KEY, f FLOAT)");
    let fails = async |query: &str| {
        let mut definition = definition(query, &["id"], None);
        if let SourceRows::Query { query, .. } = &mut definition.rows {
            query.line = 10;
        }
        failure(&source(stage.options(), &definition, &[]).unwrap(), ReadScope::Full).await
    };
    let error = fails("SELECT id,\n  f\nFORM t").await;
    check(
        &error,
        SourceErrorKind::Sql,
        &["1064", "near 't'", "line 3 of the query, column 6; line 12 of the file"],
    );
    let error = fails("SELECT id\nFROM t\nWHERE (id = 1").await;
    check(&error, SourceErrorKind::Sql, &["1064", "line 3 of the query, column 14"]);
    let error = fails("SELECT id,\n  colour\nFROM t").await;
    check(&error, SourceErrorKind::Sql, &["1054", "'colour'", "line 2 of the query, column 3"]);
    let error = fails("SELECT id\nFROM\n  things").await;
    check(&error, SourceErrorKind::Sql, &["1146", "things", "line 3 of the query, column 3"]);
    let error = fails("SELECT id FROM t WHERE f > :last_sync_time IS NULL OR nosuch(1)").await;
    check(&error, SourceErrorKind::Sql, &["1305"]);
}

async fn all_missing_columns_are_named(stage: Stage) {
    stage.execute("CREATE TABLE t (id INT PRIMARY KEY, Email TEXT)");
    let source = stage.source("SELECT id, Email FROM t", &["uid"], &["email", "id", "phone"]);
    let error = failure(&source, ReadScope::Full).await;
    check(
        &error,
        SourceErrorKind::MissingColumn,
        &["`uid`, `email` (but `Email`: case matters), `phone`"],
    );
}

async fn a_missing_right_is_named(mut stage: Stage) {
    stage.execute("CREATE TABLE t (id INT PRIMARY KEY); CREATE TABLE hidden (id INT PRIMARY KEY)");
    let user = stage.db.create_user("", "").unwrap();
    stage.execute(&format!("GRANT SELECT ON t TO '{}'@'%'", user.name));
    let definition = definition("SELECT id FROM hidden", &["id"], None);
    let source = source(stage.options_of(&user), &definition, &[]).unwrap();
    let error = failure(&source, ReadScope::Full).await;
    check(&error, SourceErrorKind::MissingPrivilege, &["a right is missing", "1142"]);
    assert!(!error.message.contains(&user.name), "{}", error.message);
}

const MANY_ROWS: &str = "SELECT a.n * 100 + b.n AS id, REPEAT('x', 10000) AS note
    FROM digits a, digits b, digits c";

fn fill(stage: &Stage) {
    stage.execute("CREATE TABLE digits (n INT PRIMARY KEY)");
    let values: Vec<String> = (0..100).map(|n| format!("({n})")).collect();
    stage.execute(&format!("INSERT INTO digits VALUES {}", values.join(", ")));
}

/// Reads to the end, which must be an error; and stays one.
async fn end_of(mut open: Box<dyn sync_core::port::RowRead>) -> SourceError {
    loop {
        match open.next_rows(1_000).await {
            Ok(rows) => assert!(!rows.is_empty(), "a cut read must not look complete"),
            Err(error) => {
                assert_eq!(open.next_rows(1).await.unwrap_err(), error);
                return error;
            }
        }
    }
}

async fn a_killed_server_interrupts_the_read(stage: Stage) {
    let mut server = Server::start(stage.db.flavor()).unwrap();
    let stage = Stage { db: server.create_database().unwrap() };
    fill(&stage);
    let source = stage.source(MANY_ROWS, &["id"], &["note"]);
    let mut open = source.open(ReadScope::Full).await.unwrap();
    assert!(!open.next_rows(10).await.unwrap().is_empty());
    server.kill().unwrap();
    check(&end_of(open).await, SourceErrorKind::Interrupted, &["broke while reading"]);
    check(
        &failure(&source, ReadScope::Full).await,
        SourceErrorKind::Unreachable,
        &["could not be reached"],
    );
    server.restart().unwrap();
    let mut open = source.open(ReadScope::Full).await.unwrap();
    assert!(!open.next_rows(10).await.unwrap().is_empty());
}

async fn a_killed_connection_interrupts_the_read(stage: Stage) {
    fill(&stage);
    let source = stage.source(MANY_ROWS, &["id"], &["note"]);
    for kill in ["KILL", "KILL QUERY"] {
        let mut open = source.open(ReadScope::Full).await.unwrap();
        assert!(!open.next_rows(10).await.unwrap().is_empty());
        let running = format!(
            "SELECT ID FROM information_schema.PROCESSLIST WHERE DB = '{}' AND INFO LIKE '%FROM digits a%' AND ID <> CONNECTION_ID()",
            stage.db.name()
        );
        let id = stage.db.client().query(&running).unwrap();
        stage.execute(&format!("{kill} {}", id.trim()));
        check(&end_of(open).await, SourceErrorKind::Interrupted, &[]);
    }
}

/// Passes bytes between a client and the server until `limit` bytes have come back, then only holds the line.
async fn silent_after(limit: usize, server_port: u16) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let server = TcpStream::connect(("127.0.0.1", server_port)).await.unwrap();
            tokio::spawn(pass(client, server, limit));
        }
    });
    port
}

async fn pass(client: TcpStream, server: TcpStream, limit: usize) {
    let (mut client_reads, mut client_writes) = client.into_split();
    let (mut server_reads, mut server_writes) = server.into_split();
    let up =
        tokio::spawn(async move { tokio::io::copy(&mut client_reads, &mut server_writes).await });
    let mut passed = 0;
    let mut buffer = vec![0; 8 * 1024];
    while passed < limit {
        let count = server_reads.read(&mut buffer).await.unwrap();
        if count == 0 || client_writes.write_all(&buffer[..count]).await.is_err() {
            return;
        }
        passed += count;
    }
    drop(up.await);
}

async fn a_silent_server_is_noticed(stage: Stage) {
    fill(&stage);
    let mut options = stage.options();
    // Through TLS the proxy would count other bytes, but that does not matter: it only has to stop.
    options.port = silent_after(2_000_000, stage.db.port()).await;
    options.limits.answer = Duration::from_secs(1);
    let definition = definition(MANY_ROWS, &["id"], None);
    let open =
        source(options, &definition, &["note"]).unwrap().open(ReadScope::Full).await.unwrap();
    check(&end_of(open).await, SourceErrorKind::Interrupted, &["said nothing for 1 seconds"]);
}

async fn a_statement_limit_is_kept_by_the_server(stage: Stage) {
    let mut options = stage.options();
    options.limits.statement = Some(Duration::from_millis(500));
    fill(&stage);
    let slow = "SELECT MAX(a.n + b.n + c.n + d.n + e.n) AS id FROM digits a, digits b, digits c, digits d, digits e";
    let definition = definition(slow, &["id"], None);
    let error = failure(&source(options, &definition, &[]).unwrap(), ReadScope::Full).await;
    check(&error, SourceErrorKind::Interrupted, &["the server stopped the read"]);
}

#[test]
fn nobody_at_the_port_is_unreachable() {
    run(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut options =
            sync_mysql::ConnectOptions::new("127.0.0.1", "u", Secret::new("planted"), "d");
        options.port = listener.local_addr().unwrap().port();
        options.limits.connect = Duration::from_secs(1);
        let definition = definition("SELECT 1 AS id", &["id"], None);
        let silent = source(options.clone(), &definition, &[]).unwrap();
        let error = failure(&silent, ReadScope::Full).await;
        check(&error, SourceErrorKind::Unreachable, &["did not answer within 1 seconds"]);
        drop(listener);
        let error = failure(&silent, ReadScope::Full).await;
        check(&error, SourceErrorKind::Unreachable, &["could not be reached", "refused"]);
        options.host = "no-such-host.invalid".to_owned();
        let error = failure(&source(options, &definition, &[]).unwrap(), ReadScope::Full).await;
        check(&error, SourceErrorKind::Unreachable, &["no-such-host.invalid"]);
    });
}

#[test]
fn a_server_of_another_kind_is_not_understood() {
    run(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                client
                    .write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
                    .await
                    .unwrap();
            }
        });
        let mut options = sync_mysql::ConnectOptions::new("127.0.0.1", "u", Secret::new("p"), "d");
        options.port = port;
        options.limits.connect = Duration::from_secs(2);
        let definition = definition("SELECT 1 AS id", &["id"], None);
        let error = failure(&source(options, &definition, &[]).unwrap(), ReadScope::Full).await;
        assert!(
            matches!(error.kind, SourceErrorKind::Protocol | SourceErrorKind::Unreachable),
            "{error:?}"
        );
    });
}

#[test]
fn queries_that_cannot_work_are_refused_without_a_server() {
    let options = sync_mysql::ConnectOptions::new("127.0.0.1", "u", Secret::new("p"), "d");
    for (query, part) in [
        ("SELECT id FROM t WHERE a = :id", "unknown parameter `:id`"),
        ("SELECT 1; SELECT 2", "more than one statement"),
        ("DELETE FROM t", "must be a SELECT"),
        ("SELECT id FROM t WHERE u > :last_sync_time", "yields nothing on a full read"),
    ] {
        let error = source(options.clone(), &definition(query, &["id"], None), &[]).unwrap_err();
        check(&error, SourceErrorKind::Sql, &[part]);
    }
    let mut zoned = definition("SELECT 1 AS id", &["id"], None);
    zoned.time_zone = Some("Mars/Olympus".to_owned());
    check(&source(options, &zoned, &[]).unwrap_err(), SourceErrorKind::Sql, &["time_zone"]);
}
