//! A server program that is ready to be started, wherever it came from.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::{Flavor, mariadb, mysql, program};

/// A server program on this machine and the words it needs before its own options.
#[derive(Clone, Debug)]
pub struct Installation {
    flavor: Flavor,
    version: String,
    /// The server program, behind a loader of its own where it was unpacked, not installed.
    server: Vec<OsString>,
    /// What it must be told in every start, such as where it was unpacked.
    options: Vec<OsString>,
    /// `mariadb-install-db`; `MySQL`'s server initialises a data folder itself.
    initialiser: Option<PathBuf>,
}

/// Small files, so that a data folder is quickly made and copied. Size is fixed when it is made.
const FILE_OPTIONS: [&str; 2] =
    ["--innodb-data-file-path=ibdata1:8M:autoextend", "--innodb-autoextend-increment=1"];

/// `MariaDB` makes its log in the size it is started with.
const MARIADB_LOG_OPTION: &str = "--innodb-log-file-size=8M";

/// `MySQL`'s default of 100 MB is most of a data folder.
const MYSQL_LOG_OPTION: &str = "--innodb-redo-log-capacity=32M";

/// `MySQL` makes only `root@localhost`, which a server that resolves no names never matches.
const MYSQL_LOOPBACK_ROOT: &str = "CREATE USER 'root'@'127.0.0.1';\n\
    GRANT ALL ON *.* TO 'root'@'127.0.0.1' WITH GRANT OPTION;\n\
    GRANT PROXY ON ''@'' TO 'root'@'127.0.0.1' WITH GRANT OPTION;\n";

impl Installation {
    /// Finds a server of this flavor or installs one, as [`Flavor`] says.
    pub fn find_or_install(flavor: Flavor) -> Result<Self> {
        match flavor {
            Flavor::MariaDb => mariadb::find_or_install(),
            Flavor::MySql => mysql::find_or_fetch(),
        }
    }

    /// Whichever server the machine has, `MariaDB` before `MySQL`, else `MariaDB`, installed.
    pub fn any() -> Result<Self> {
        if mariadb::find().is_none()
            && let Some(installation) = mysql::find()
        {
            return Ok(installation);
        }
        mariadb::find_or_install()
    }

    /// Asks the server program for its version and takes it if it is of this flavor.
    pub(crate) fn of(
        flavor: Flavor,
        server: Vec<OsString>,
        options: Vec<OsString>,
        initialiser: Option<PathBuf>,
    ) -> Option<Self> {
        let (program, leading) = server.split_first()?;
        let mut command = Command::new(program);
        let said = program::run(command.args(leading).arg("--version")).ok()?;
        let is_mariadb = said.contains("MariaDB");
        if is_mariadb != (flavor == Flavor::MariaDb) {
            return None;
        }
        let version = said.split_once("Ver ")?.1.split_whitespace().next()?.to_owned();
        Some(Self { flavor, version, server, options, initialiser })
    }

    /// The flavor.
    pub const fn flavor(&self) -> Flavor {
        self.flavor
    }

    /// The version as the program gives it, such as `10.11.19-MariaDB-0+deb12u1`.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Creates a data folder whose `root` has no password and may come by socket or loopback.
    pub(crate) fn initialise(&self, data: &Path) -> Result<()> {
        let mut command = if let Some(initialiser) = &self.initialiser {
            let mut script = Command::new(initialiser);
            script.arg("--no-defaults").args(user_option()).args([
                "--auth-root-authentication-method=normal",
                "--skip-test-db",
                "--skip-name-resolve",
                MARIADB_LOG_OPTION,
            ]);
            script
        } else {
            let accounts = data.with_extension("sql");
            fs::write(&accounts, MYSQL_LOOPBACK_ROOT)?;
            let mut server = self.command()?;
            server
                .args(["--initialize-insecure", MYSQL_LOG_OPTION])
                .arg(option("--init-file=", &accounts));
            server
        };
        program::run(command.arg(option("--datadir=", data)).args(FILE_OPTIONS))
            .with_context(|| {
                format!("failed to make a data folder of {} {}", self.flavor, self.version)
            })
            .map(drop)
    }

    /// The command that starts the server in `folder`, whose `data` is its data folder.
    pub(crate) fn start_command(&self, folder: &Path, port: u16) -> Result<Command> {
        let mut command = self.command()?;
        command
            .arg(option("--datadir=", &folder.join("data")))
            .arg(option("--socket=", &folder.join("socket")))
            .arg(option("--pid-file=", &folder.join("pid")))
            .arg(format!("--port={port}"))
            .args(FILE_OPTIONS)
            .args([
                "--bind-address=127.0.0.1",
                "--skip-name-resolve",
                "--character-set-server=utf8mb4",
                "--server-id=1",
                "--log-bin=mysql-bin",
                "--binlog-row-metadata=FULL",
                "--innodb-buffer-pool-size=64M",
                "--max-allowed-packet=64M",
                // A kill of the process loses nothing; only a power cut could, and then the
                // temporary folder is gone as well.
                "--innodb-flush-log-at-trx-commit=2",
                "--sync-binlog=0",
            ])
            .args(match self.flavor {
                Flavor::MariaDb => ["--binlog-format=ROW", MARIADB_LOG_OPTION].as_slice(),
                Flavor::MySql => &[
                    MYSQL_LOG_OPTION,
                    "--gtid-mode=ON",
                    "--enforce-gtid-consistency=ON",
                    "--mysqlx=OFF",
                ],
            });
        Ok(command)
    }

    fn command(&self) -> Result<Command> {
        let (program, leading) =
            self.server.split_first().context("an installation names its server program")?;
        let mut command = Command::new(program);
        // The server takes this one only before all its other options.
        command.args(leading).arg("--no-defaults").args(user_option()).args(&self.options);
        Ok(command)
    }
}

/// A server refuses to run as root unless it is told to.
fn user_option() -> Option<&'static str> {
    program::is_root().then_some("--user=root")
}

fn option(name: &str, path: &Path) -> OsString {
    let mut option = OsString::from(name);
    option.push(path);
    option
}
