//! What is measured and what it stands between: a private MariaDB with many rows, the emulator, and the product.

mod emulator;
mod mode;
mod rows;

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use anyhow::{Context as _, Result};
use serde_json::Value;
use tempfile::TempDir;
use throwaway_server::{Flavor, Server, TestDatabase, TestUser};

pub(crate) use self::{
    emulator::Emulator,
    mode::{KEYS, Mode},
    rows::COLUMNS,
};
use crate::process::{Cost, measured, measured_without_output};

/// The account of the emulator.
pub(crate) const ACCOUNT: &str = "s1234567";
/// The table of SmartSuite that everything goes to.
pub(crate) const TABLE: &str = "6500000000000000000000c1";
/// The key that the product shows to the emulator.
pub(crate) const TOKEN: &str = "bench-token";
/// Opens the product's gate, towards an emulator on this machine alone.
pub(crate) const OPEN_GATE: (&str, &str) = ("SYNC_TEST_OPEN_GATE", "1");

/// Everything that runs.
pub(crate) struct Stage {
    pub(crate) database: TestDatabase,
    pub(crate) user: TestUser,
    product: PathBuf,
    folder: TempDir,
    // Last: the database goes before its server.
    pub(crate) server: Server,
}

impl Stage {
    /// Rows of tables that are not called large.
    pub(crate) const USUAL_ROWS_MAX: u64 = 2_000_000;

    /// A database server with room for the rows in its memory, and a table that is filled by the server itself.
    pub(crate) fn set(product: &Path, rows: u64) -> Result<Self> {
        Self::start(product, rows, "--skip-log-bin")
    }

    /// The same on a server that logs changes, but for the making of the rows. They have a column more, which nobody
    /// reads.
    pub(crate) fn with_log(product: &Path, rows: u64) -> Result<Self> {
        let stage = Self::start(product, rows, "--max-binlog-size=1G")?;
        stage.database.execute(
            "SET sql_log_bin = 0; ALTER TABLE people ADD touched INT NOT NULL DEFAULT 0",
        )?;
        Ok(stage)
    }

    fn start(product: &Path, rows: u64, log: &str) -> Result<Self> {
        // Rows and their index are read from memory, or the disk would be measured.
        let memory = if rows > Self::USUAL_ROWS_MAX { "6G" } else { "2G" };
        let pool = format!("--innodb-buffer-pool-size={memory}");
        let server = Server::start_with(
            Flavor::MariaDb,
            &[pool.as_str(), "--innodb-log-file-size=256M", log],
        )?;
        let mut database = server.create_database()?;
        database.execute(&format!("SET sql_log_bin = 0; {}", rows::fill(rows)))?;
        let user = database.create_user("SELECT", "PROCESS, REPLICATION SLAVE")?;
        let folder = tempfile::Builder::new().prefix("bench-").tempdir()?;
        let product = fs::canonicalize(product)
            .with_context(|| format!("there is no program `{}`", product.display()))?;
        Ok(Self { database, user, product, folder, server })
    }

    /// A folder for files of this run.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The mapping file of a mode.
    pub(crate) fn mapping(&self, mode: Mode) -> Result<PathBuf> {
        let path = self.folder().join(format!("{mode:?}.yml"));
        fs::write(&path, mode.mapping())?;
        Ok(path)
    }

    /// The product's command with the settings it needs; what it keeps is in `state`.
    pub(crate) fn product(&self, mode: Mode, emulator: &Emulator, state: &Path) -> Result<Command> {
        let mut command = Command::new(&self.product);
        command
            .arg("--config")
            .arg(self.mapping(mode)?)
            .current_dir(self.folder())
            .env("MYSQL_HOST", "127.0.0.1")
            .env("MYSQL_PORT", self.database.port().to_string())
            .env("MYSQL_USER", &self.user.name)
            .env("MYSQL_PASSWORD", &self.user.password)
            .env("MYSQL_DATABASE", self.database.name())
            .env("SMARTSUITE_BASE_URL", emulator.url())
            .env("SMARTSUITE_ACCOUNT_ID", ACCOUNT)
            .env("SMARTSUITE_TOKEN", TOKEN)
            .env("STATE_DB_PATH", state)
            .env("LOG_LEVEL", "ERROR");
        Ok(command)
    }

    /// `mariadb --quick` that selects the same as the mode does, its output thrown away.
    pub(crate) fn yardstick(&self, mode: Mode) -> Result<Cost> {
        self.yardstick_of(&mode.select())
    }

    /// The same with another query.
    pub(crate) fn yardstick_of(&self, query: &str) -> Result<Cost> {
        let mut command = Command::new("mariadb");
        command
            .args(["--no-defaults", "--default-character-set=utf8mb4", "--protocol=tcp"])
            .args(["--host=127.0.0.1", "--user=root", "--skip-ssl", "--quick", "--batch"])
            .arg(format!("--port={}", self.database.port()))
            .arg(format!("--database={}", self.database.name()))
            .arg(format!("--execute={query}"));
        measured_without_output(&mut command)
    }
}

/// Runs the product and reads its JSON.
pub(crate) fn run_json(command: &mut Command) -> Result<(Cost, Value)> {
    let cost = measured(command.arg("--json"))?;
    let report = serde_json::from_str(&cost.output)
        .with_context(|| format!("the product printed no JSON: {}", cost.output))?;
    Ok((cost, report))
}

/// A process that runs aside and is killed when it is no longer looked at.
pub(crate) struct Aside(Child);

impl Aside {
    /// Starts it; what it says is thrown away.
    pub(crate) fn start(command: &mut Command) -> Result<Self> {
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command.spawn().map(Self).context("failed to start the product")
    }

    /// Its process id.
    pub(crate) fn id(&self) -> u32 {
        self.0.id()
    }
}

impl Drop for Aside {
    fn drop(&mut self) {
        // What cannot be killed has ended.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}
