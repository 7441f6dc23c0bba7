//! SQL through the command-line client that comes with the servers.

use std::fs::File;
use std::io::{Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};

use crate::program;

/// Speaks to the server at a loopback port as its `root`, one client process for each call.
#[derive(Clone, Debug)]
pub struct SqlClient {
    program: PathBuf,
    port: u16,
    database: Option<String>,
}

impl SqlClient {
    /// A client for the server at this port of 127.0.0.1. An error where the machine has no client.
    pub fn new(port: u16) -> Result<Self> {
        let program = program::find("mariadb").or_else(|| program::find("mysql")).context(
            "there is no `mariadb` client on this machine; \
             on Debian or Ubuntu install `mariadb-client-core`",
        )?;
        Ok(Self { program, port, database: None })
    }

    /// The same client with a default database.
    #[must_use]
    pub fn with_database(&self, name: &str) -> Self {
        Self { database: Some(name.to_owned()), ..self.clone() }
    }

    /// Runs statements, separated by `;`, in one session. The first that fails ends it and is the
    /// error.
    pub fn execute(&self, sql: &str) -> Result<()> {
        self.query(sql).map(drop)
    }

    /// Runs statements and returns their rows: one line each, tabs between columns, no headings,
    /// `NULL` for NULL, and tab, line feed and backslash in values escaped by a backslash.
    pub fn query(&self, sql: &str) -> Result<String> {
        let mut script = tempfile::tempfile()?;
        script.write_all(sql.as_bytes())?;
        script.rewind()?;
        self.run(script)
    }

    /// Runs a file of statements.
    pub fn load(&self, path: &Path) -> Result<()> {
        let script =
            File::open(path).with_context(|| format!("failed to open `{}`", path.display()))?;
        self.run(script).with_context(|| format!("failed to load `{}`", path.display())).map(drop)
    }

    fn run(&self, script: File) -> Result<String> {
        let is_mysql = self.program.ends_with("mysql");
        let output = Command::new(&self.program)
            .args(["--no-defaults", "--default-character-set=utf8mb4", "--protocol=tcp"])
            .args(["--host=127.0.0.1", "--user=root", "--batch", "--skip-column-names"])
            .arg(format!("--port={}", self.port))
            .arg(if is_mysql { "--ssl-mode=PREFERRED" } else { "--skip-ssl" })
            .args(self.database.as_deref().map(|name| format!("--database={name}")))
            .env_remove("MYSQL_PWD")
            .stdin(Stdio::from(script))
            .output()
            .with_context(|| format!("failed to start `{}`", self.program.display()))?;
        if !output.status.success() {
            bail!("{}", String::from_utf8_lossy(&output.stderr).trim());
        }
        String::from_utf8(output.stdout).context("the client printed something else than UTF-8")
    }
}
