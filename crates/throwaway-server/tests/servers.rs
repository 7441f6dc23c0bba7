//! Real servers: started, used, ended, and gone.

use std::io::{BufRead as _, BufReader};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::Result;
use throwaway_server::{Flavor, Server, TestDatabase, skip_if_unavailable, wait_until};

const LIMIT: Duration = Duration::from_secs(30);

/// Calls `check` with a server of each flavor that is to be had.
fn on_each_server(check: impl Fn(Server) -> Result<()>) -> Result<()> {
    for flavor in Flavor::ALL {
        if let Some(server) = skip_if_unavailable(Server::start(flavor))? {
            check(server)?;
        }
    }
    Ok(())
}

fn is_listening(port: u16) -> bool {
    TcpStream::connect(("127.0.0.1", port)).is_ok()
}

#[test]
fn a_server_speaks_unicode_and_logs_rows_in_full() -> Result<()> {
    on_each_server(|server| {
        let client = server.client()?;
        let settings =
            client.query("SELECT @@log_bin, @@binlog_format, @@binlog_row_metadata, 'é😀'")?;
        assert_eq!(settings, "1\tROW\tFULL\té😀\n");
        let version = client.query("SELECT version()")?;
        assert_eq!(version.trim(), server.version());
        assert_eq!(version.contains("MariaDB"), server.flavor() == Flavor::MariaDb);
        Ok(())
    })
}

#[test]
fn extra_options_win() {
    let server = Server::start_with(Flavor::MariaDb, &["--binlog-row-metadata=MINIMAL"]).unwrap();
    let settings = server.client().unwrap().query("SELECT @@binlog_row_metadata").unwrap();
    assert_eq!(settings, "MINIMAL\n");
}

#[test]
fn a_wrong_option_is_reported_with_the_servers_own_words() {
    let error = Server::start_with(Flavor::MariaDb, &["--no-such-option"]).unwrap_err();
    assert!(format!("{error:#}").contains("no-such-option"), "{error:#}");
}

#[test]
fn data_survives_stop_kill_and_restart_on_the_same_port() -> Result<()> {
    on_each_server(|mut server| {
        let database = server.create_database()?;
        database.execute("CREATE TABLE kept (id INT PRIMARY KEY); INSERT INTO kept VALUES (1)")?;
        server.stop()?;
        assert!(!is_listening(server.port()));
        server.restart()?;
        database.execute("INSERT INTO kept VALUES (2)")?;
        server.kill()?;
        assert!(!is_listening(server.port()));
        server.restart()?;
        assert_eq!(database.client().query("SELECT count(*) FROM kept")?, "2\n");
        Ok(())
    })
}

#[test]
fn a_dropped_server_is_gone_with_its_files() {
    let server = Server::start(Flavor::MariaDb).unwrap();
    let (port, data) = (server.port(), server.data_folder());
    assert!(is_listening(port) && data.is_dir());
    drop(server);
    assert!(!is_listening(port) && !data.parent().unwrap().exists());
}

#[test]
fn a_test_database_is_dropped_with_its_users() -> Result<()> {
    on_each_server(|server| {
        let root = server.client()?;
        let mut database = server.create_database()?;
        let user = database.create_user("SELECT", "PROCESS")?;
        let grants = root.query(&format!("SHOW GRANTS FOR '{}'", user.name))?;
        assert!(grants.contains("PROCESS") && grants.contains("SELECT"), "{grants}");
        let name = database.name().to_owned();
        assert!(root.query("SHOW DATABASES")?.contains(&name));
        drop(database);
        assert!(!root.query("SHOW DATABASES")?.contains(&name));
        assert!(!root.query("SELECT user FROM mysql.user")?.contains(&user.name));
        Ok(())
    })
}

#[test]
fn test_databases_do_not_see_each_other() -> Result<()> {
    for flavor in Flavor::ALL {
        let (Some(one), Some(other)) =
            (TestDatabase::create(flavor)?, TestDatabase::create(flavor)?)
        else {
            continue;
        };
        one.execute("CREATE TABLE mine (id INT)")?;
        assert_eq!(one.client().query("SHOW TABLES")?, "mine\n");
        assert_eq!(other.client().query("SHOW TABLES")?, "");
        assert_eq!(one.version().contains("MariaDB"), flavor == Flavor::MariaDb);
    }
    Ok(())
}

#[test]
fn a_killed_owner_leaves_neither_server_nor_files() {
    // Examples are built beside the test binaries' folder.
    let this_test = std::env::current_exe().unwrap();
    let example = this_test.ancestors().nth(2).unwrap().join("examples/hold_server");
    let mut owner =
        Command::new(example).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(owner.stdout.take().unwrap()).lines().map(Result::unwrap);
    let url = lines.next().unwrap();
    let port: u16 = url.rsplit_once(':').unwrap().1.parse().unwrap();
    let data = lines.next().unwrap();
    let home = Path::new(&data).parent().unwrap();
    assert!(is_listening(port) && home.is_dir());
    owner.kill().unwrap();
    owner.wait().unwrap();
    assert!(wait_until(LIMIT, || Ok(!is_listening(port) && !home.exists())).unwrap());
}
