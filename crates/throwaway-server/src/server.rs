//! One private server process.

use std::fs::{self, File};
use std::net::{Ipv4Addr, TcpListener};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use tempfile::TempDir;

use crate::watched_process::WatchedProcess;
use crate::{
    Flavor, Installation, SqlClient, TestDatabase, greeting, ledger, program, template, wait_until,
};

/// A loaded machine may need many times the usual second.
const START_LIMIT: Duration = Duration::from_mins(1);
const STOP_LIMIT: Duration = Duration::from_mins(1);

/// Between choosing a port and listening on it another process may take it.
const PORT_TRIES: u32 = 5;

/// A server of our own on a loopback port, with the binary log on (rows, full metadata, `MySQL`
/// with GTIDs) and `utf8mb4`. Its `root` has no password. Dropping it kills it and removes its
/// files; so does the death of this process.
#[derive(Debug)]
pub struct Server {
    installation: Installation,
    extra: Vec<String>,
    /// The system's time zone, where it is not this process's.
    zone: Option<String>,
    version: String,
    port: u16,
    // Order matters: the process goes before its folder.
    process: Option<WatchedProcess>,
    folder: TempDir,
}

impl Server {
    /// Finds or installs a server and starts it. The error is an
    /// [`Unavailable`](crate::Unavailable) where [`Flavor`] allows a server to be missing.
    pub fn start(flavor: Flavor) -> Result<Self> {
        Self::start_with(flavor, &[])
    }

    /// As [`Server::start`], with further server options, such as `--net-write-timeout=2`. They
    /// win over the usual ones.
    pub fn start_with(flavor: Flavor, extra: &[&str]) -> Result<Self> {
        Self::start_installation(Installation::find_or_install(flavor)?, extra)
    }

    /// As [`Server::start`], on a machine whose system time zone is `zone`, as POSIX writes it: `AAA5` is five hours
    /// behind UTC.
    pub fn start_in_zone(flavor: Flavor, zone: &str) -> Result<Self> {
        Self::launch_new(Installation::find_or_install(flavor)?, &[], Some(zone.to_owned()))
    }

    /// As [`Server::start_with`], for an installation that is already known.
    pub fn start_installation(installation: Installation, extra: &[&str]) -> Result<Self> {
        Self::launch_new(installation, extra, None)
    }

    fn launch_new(
        installation: Installation,
        extra: &[&str],
        zone: Option<String>,
    ) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("throwaway-server-").tempdir()?;
        template::copy_to(&installation, &folder.path().join("data"))?;
        let mut server = Self {
            installation,
            extra: extra.iter().map(|&option| option.to_owned()).collect(),
            zone,
            version: String::new(),
            port: 0,
            process: None,
            folder,
        };
        for _ in 0..PORT_TRIES {
            server.port = free_port()?;
            match server.launch() {
                Err(error) if error.is::<PortTaken>() => {}
                outcome => {
                    outcome?;
                    ledger::record(server.flavor(), &server.version);
                    return Ok(server);
                }
            }
        }
        bail!("{PORT_TRIES} ports in a row were taken by other processes before the server could")
    }

    /// The flavor.
    pub const fn flavor(&self) -> Flavor {
        self.installation.flavor()
    }

    /// The version as the server itself greets with it, such as `9.7.4-2`.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The port on 127.0.0.1, the same for the server's whole life.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// `mysql://root@127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("mysql://root@127.0.0.1:{}", self.port)
    }

    /// The server's data folder, to look at its files or to damage them.
    pub fn data_folder(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// What the server has logged so far.
    pub fn log(&self) -> Result<String> {
        Ok(String::from_utf8_lossy(&fs::read(self.log_path())?).into_owned())
    }

    /// A client that speaks as `root`.
    pub fn client(&self) -> Result<SqlClient> {
        SqlClient::new(self.port)
    }

    /// An empty database of its own on this server, dropped with the value.
    pub fn create_database(&self) -> Result<TestDatabase> {
        TestDatabase::on(self.flavor(), self.port, &self.version)
    }

    /// Shuts the server down as an administrator would: connections are cut, everything is written.
    pub fn stop(&mut self) -> Result<()> {
        self.end("TERM")
    }

    /// Kills the server at once, as a crash would.
    pub fn kill(&mut self) -> Result<()> {
        self.end("KILL")
    }

    /// Starts the server again on its port and data, after stopping it if it runs.
    pub fn restart(&mut self) -> Result<()> {
        self.stop()?;
        self.launch()
    }

    fn end(&mut self, signal: &str) -> Result<()> {
        if let Some(mut process) = self.process.take() {
            let ended = process.end(signal, STOP_LIMIT);
            if ended.is_err() {
                self.process = Some(process);
            }
            return ended.with_context(|| format!("failed to stop {}", self.installation.flavor()));
        }
        Ok(())
    }

    fn launch(&mut self) -> Result<()> {
        let mut command = self.installation.start_command(self.folder.path(), self.port)?;
        command.args(&self.extra);
        if let Some(zone) = &self.zone {
            command.env("TZ", zone);
        }
        let log = File::options().create(true).append(true).open(self.log_path())?;
        let mut process = WatchedProcess::start(&command, self.folder.path(), log)?;
        let port = self.port;
        let mut greeted = None;
        // A greeting may come from a stranger on the same port, but then our own server ends soon
        // and its log says so; its pid file appears only once it listens.
        let pid_file = self.folder.path().join("pid");
        let ready = wait_until(START_LIMIT, || {
            if !process.is_running()? {
                bail!("the server ended while starting");
            }
            if pid_file.exists() {
                greeted = greeting::version_at(port);
            }
            Ok(greeted.is_some())
        });
        match (ready, greeted) {
            (Ok(true), Some(version)) => {
                self.version = version;
                self.process = Some(process);
                Ok(())
            }
            (outcome, _) => Err(self.start_failure(outcome.err())),
        }
    }

    fn start_failure(&self, error: Option<anyhow::Error>) -> anyhow::Error {
        let log = self.log().unwrap_or_default();
        if log.contains("Do you already have another") || log.contains("Address already in use") {
            return PortTaken.into();
        }
        error.unwrap_or_else(|| anyhow::anyhow!("no greeting within {START_LIMIT:?}")).context(
            format!(
                "failed to start {} {}; its log ends with:\n{}",
                self.installation.flavor(),
                self.installation.version(),
                program::last_lines(&log, 10)
            ),
        )
    }

    fn log_path(&self) -> PathBuf {
        self.folder.path().join("log")
    }
}

/// The port that we chose was no longer free when the server wanted it.
#[derive(Debug)]
struct PortTaken;

impl std::fmt::Display for PortTaken {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("another process took the server's port")
    }
}

impl std::error::Error for PortTaken {}

/// A port that nothing listens on, below the range from which the kernel takes the ports of
/// outgoing connections: a restart must find it free again.
fn free_port() -> Result<u16> {
    for _ in 0..100 {
        let drawn = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        let port = 10_000 + drawn % 20_000;
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return Ok(port);
        }
    }
    bail!("found no free port on 127.0.0.1")
}
