//! The emulated SmartSuite: its process, its request log, and its records.

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use tempfile::TempDir;
use throwaway_server::{WatchedProcess, wait_until};

use crate::demo::call::Call;
use crate::project;

/// Account and key of the emulator's demo seed.
pub(crate) const ACCOUNT: &str = "s1234567";
pub(crate) const TOKEN: &str = "demo-token";

/// What its first line says before its address.
const ANNOUNCEMENT: &str = "listening on http://";

const START_LIMIT: Duration = Duration::from_secs(20);

/// A running emulator.
pub(crate) struct Emulator {
    address: String,
    // Order matters: the process goes before its folder.
    _process: WatchedProcess,
    folder: TempDir,
}

impl Emulator {
    /// Starts it on a free port with its demo tables, empty.
    pub(crate) fn start() -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("demo-emulator-").tempdir()?;
        let output = folder.path().join("output");
        let mut command = Command::new(project::target()?.join("debug/smartsuite-emulator"));
        command.args(["--port", "0"]);
        let mut process = WatchedProcess::start(&command, folder.path(), File::create(&output)?)?;
        let mut address = None;
        let started = wait_until(START_LIMIT, || {
            let said = fs::read_to_string(&output)?;
            ensure!(process.is_running()?, "the emulator ended: {}", said.trim());
            address = said.split_once(ANNOUNCEMENT).and_then(|(_, rest)| {
                // The line must be there in full, or the port may be cut off.
                rest.split_once('\n')?.0.split_whitespace().next().map(str::to_owned)
            });
            Ok(address.is_some())
        })?;
        ensure!(started, "the emulator did not start within {START_LIMIT:?}");
        let address = address.context("an emulator that has started said where")?;
        Ok(Self { address, _process: process, folder })
    }

    /// A folder that goes when the emulator goes, by whatever death of this process.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// `http://127.0.0.1:PORT`.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Every API call since the start.
    pub(crate) fn calls(&self) -> Result<Vec<Call>> {
        let log = self.ask("/_emulator/log")?;
        let requests = log.get("requests").and_then(Value::as_array);
        let requests = requests.context("the emulator's log lists requests")?;
        requests.iter().map(|entry| Call::from_log(entry).context("a call has a kind")).collect()
    }

    /// The records that a table holds.
    pub(crate) fn records(&self, table: &str) -> Result<Vec<Value>> {
        let dump = self.ask(&format!("/_emulator/tables/{table}/dump"))?;
        Ok(dump.get("records").and_then(Value::as_array).context("a dump has records")?.clone())
    }

    /// Asks the emulator's side door, whose requests are in no log.
    fn ask(&self, path: &str) -> Result<Value> {
        let mut stream = TcpStream::connect(&self.address)?;
        // HTTP/1.0: the answer ends where the connection does.
        write!(stream, "GET {path} HTTP/1.0\r\nHost: {}\r\n\r\n", self.address)?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        let (head, body) = answer.split_once("\r\n\r\n").context("an answer has a body")?;
        let status = head.lines().next().unwrap_or_default();
        ensure!(status.contains(" 200 "), "the emulator answered `{status}` to {path}: {body}");
        Ok(serde_json::from_str(body)?)
    }
}
