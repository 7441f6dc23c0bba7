//! Where the story plays: a folder, a database, an emulator, and the product between them.

use std::cell::Cell;
use std::process::Command;

use anyhow::{Context as _, Result};
use serde_json::Value;
use throwaway_server::{Installation, Server, TestDatabase, TestUser};

use crate::demo::act::Act;
use crate::demo::emulator::{ACCOUNT, Emulator, TOKEN};
use crate::project;

/// Everything the product meets. Dropping it ends all processes and removes all files, and so does
/// the death of this process.
pub(crate) struct Stage {
    chapters: Cell<u32>,
    user: TestUser,
    // Order matters: what uses a thing goes before the thing.
    database: TestDatabase,
    server: Server,
    emulator: Emulator,
}

impl Stage {
    /// Loads the shop, and leaves SmartSuite empty.
    pub(crate) fn set() -> Result<Self> {
        let server = Server::start_installation(Installation::any()?, &[])?;
        let mut database = server.create_database()?;
        database.client().load(&project::root().join("sample/sample.sql"))?;
        let user = database.create_user("SELECT", "PROCESS")?;
        let emulator = Emulator::start()?;
        Ok(Self { chapters: Cell::new(0), user, database, server, emulator })
    }

    /// The database server, for people.
    pub(crate) fn server_name(&self) -> String {
        format!("{} {}", self.server.flavor(), self.server.version())
    }

    /// A heading.
    pub(crate) fn chapter(&self, title: &str) {
        self.chapters.set(self.chapters.get() + 1);
        println!("\n{}. {title}\n", self.chapters.get());
    }

    /// Someone changes the database, before everyone's eyes.
    pub(crate) fn sql(&self, sql: &str) -> Result<()> {
        for line in sql.lines() {
            println!("   mysql> {line}");
        }
        self.database.execute(sql)
    }

    /// Runs the product as a person would, in a folder of its own with nothing but the documented
    /// variables, and shows what it said and what it cost.
    pub(crate) fn run(&self, arguments: &[&str]) -> Result<Act> {
        let before = self.emulator.calls()?.len();
        println!("   $ mysql-smartsuite-sync {}", arguments.join(" "));
        let output = Command::new(project::target()?.join("debug/mysql-smartsuite-sync"))
            .arg("--config")
            .arg(project::root().join("config/sync_mappings.example.yml"))
            .args(arguments)
            .current_dir(self.emulator.folder())
            .env("MYSQL_HOST", self.database.host())
            .env("MYSQL_PORT", self.database.port().to_string())
            .env("MYSQL_USER", &self.user.name)
            .env("MYSQL_PASSWORD", &self.user.password)
            .env("MYSQL_DATABASE", self.database.name())
            .env("SMARTSUITE_BASE_URL", self.emulator.url())
            .env("SMARTSUITE_ACCOUNT_ID", ACCOUNT)
            .env("LOG_LEVEL", "ERROR")
            .env("SMARTSUITE_TOKEN", TOKEN)
            .env("STATE_DB_PATH", self.emulator.folder().join("sync_state.db"))
            .output()
            .context("failed to start the product")?;
        let calls = self.emulator.calls()?.split_off(before);
        let act = Act::new(&output, calls);
        act.show();
        Ok(act)
    }

    /// What SmartSuite holds in a table.
    pub(crate) fn records(&self, table: &str) -> Result<Vec<Value>> {
        self.emulator.records(table)
    }
}
