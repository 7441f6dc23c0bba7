//! An empty database for one test.

use std::process;
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Context as _, Result};

use crate::shared::greeted_version;
use crate::{Flavor, Server, SharedServer, SqlClient, ledger, skip_if_unavailable};

/// The password of every [`TestUser`].
const PASSWORD: &str = "throw-away password";

/// Numbers the databases and users that this process has made.
static COUNT: AtomicU32 = AtomicU32::new(0);

/// A database that nobody else uses, dropped with its users when the value is dropped.
#[derive(Debug)]
pub struct TestDatabase {
    flavor: Flavor,
    version: String,
    port: u16,
    name: String,
    root: SqlClient,
    users: Vec<String>,
    // A server that was started for this database alone.
    private: Option<Server>,
    // Somebody else drops it.
    is_borrowed: bool,
}

/// An account with the rights that a test gave it, and a password.
#[derive(Clone, Debug)]
pub struct TestUser {
    /// The account's name.
    pub name: String,
    /// Its password.
    pub password: String,
}

impl TestDatabase {
    /// Creates a database on the shared server that the environment names, else on a server of its
    /// own. `None`, with a loud line, where no such server is to be had.
    pub fn create(flavor: Flavor) -> Result<Option<Self>> {
        skip_if_unavailable(Self::create_or_fail(flavor))
    }

    fn create_or_fail(flavor: Flavor) -> Result<Self> {
        match SharedServer::from_environment(flavor)? {
            Some(SharedServer::Running { port }) => {
                let version = greeted_version(port)?;
                ledger::record(flavor, &version);
                Self::on(flavor, port, &version)
            }
            Some(SharedServer::Unavailable(unavailable)) => Err(unavailable.into()),
            None => {
                let server = Server::start(flavor)?;
                let mut database = server.create_database()?;
                database.private = Some(server);
                Ok(database)
            }
        }
    }

    pub(crate) fn on(flavor: Flavor, port: u16, version: &str) -> Result<Self> {
        let root = SqlClient::new(port)?;
        let name = loop {
            let name = unique_name();
            match root.execute(&format!("CREATE DATABASE {name} CHARACTER SET utf8mb4")) {
                Ok(()) => break name,
                // Left behind by a process of the same number that was killed.
                Err(error) if error.to_string().contains("ERROR 1007") => {}
                Err(error) => return Err(error.context("failed to create a database")),
            }
        };
        Ok(Self {
            flavor,
            version: version.to_owned(),
            port,
            root: root.with_database(&name),
            name,
            users: Vec::new(),
            private: None,
            is_borrowed: false,
        })
    }

    /// The same database on another server of the machine, such as a replica. It is not dropped with the value.
    pub fn at(&self, port: u16) -> Result<Self> {
        Ok(Self {
            flavor: self.flavor,
            version: greeted_version(port)?,
            port,
            name: self.name.clone(),
            root: SqlClient::new(port)?.with_database(&self.name),
            users: Vec::new(),
            private: None,
            is_borrowed: true,
        })
    }

    /// The flavor of the server.
    pub const fn flavor(&self) -> Flavor {
        self.flavor
    }

    /// The version that the server greets with.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Always `127.0.0.1`.
    pub const fn host(&self) -> &'static str {
        "127.0.0.1"
    }

    /// The server's port.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// The database's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// `mysql://root@127.0.0.1:PORT/NAME`.
    pub fn url(&self) -> String {
        format!("mysql://root@127.0.0.1:{}/{}", self.port, self.name)
    }

    /// The client, as `root`, in this database: for [`SqlClient::query`] and [`SqlClient::load`].
    pub const fn client(&self) -> &SqlClient {
        &self.root
    }

    /// Runs statements as `root` in this database; see [`SqlClient::execute`].
    pub fn execute(&self, sql: &str) -> Result<()> {
        self.root.execute(sql)
    }

    /// Creates an account with a password and these rights: `on_database` on this database
    /// (`"SELECT"`), `global` on the server (`"PROCESS, REPLICATION SLAVE"`); `""` for none.
    pub fn create_user(&mut self, on_database: &str, global: &str) -> Result<TestUser> {
        let name = unique_name();
        let account = format!("'{name}'@'%'");
        let mut statements = vec![format!("CREATE USER {account} IDENTIFIED BY '{PASSWORD}'")];
        for (rights, scope) in
            [(on_database, format!("{}.*", self.name)), (global, "*.*".to_owned())]
        {
            if !rights.is_empty() {
                statements.push(format!("GRANT {rights} ON {scope} TO {account}"));
            }
        }
        self.root.execute(&statements.join(";\n")).context("failed to create a user")?;
        self.users.push(account);
        Ok(TestUser { name, password: PASSWORD.to_owned() })
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        if self.private.is_some() || self.is_borrowed {
            return;
        }
        let mut statements = vec!["SET lock_wait_timeout = 5".to_owned()];
        statements.extend(self.users.iter().map(|account| format!("DROP USER {account}")));
        statements.push(format!("DROP DATABASE {}", self.name));
        // A server that the test has stopped took the database with it.
        drop(self.root.execute(&statements.join(";\n")));
    }
}

fn unique_name() -> String {
    format!("test_{}_{}", process::id(), COUNT.fetch_add(1, Ordering::Relaxed))
}
