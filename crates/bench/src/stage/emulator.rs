//! The emulated SmartSuite: a process of the product, and what is asked of it.

use std::{
    fs::{self, File},
    io::{Read as _, Write as _},
    net::TcpStream,
    process::{Child, Command, Stdio},
    time::Duration,
};

use anyhow::{Context as _, Result, ensure};
use jiff::Timestamp;
use serde_json::{Value, json};
use throwaway_server::wait_until;

use super::{ACCOUNT, Stage, TABLE, TOKEN, rows::fields};
use crate::links::record_of;

const START_LIMIT: Duration = Duration::from_mins(1);

/// A running emulator.
pub(crate) struct Emulator {
    process: Child,
    address: String,
}

impl Drop for Emulator {
    fn drop(&mut self) {
        // What cannot be killed has ended.
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

impl Emulator {
    /// Starts it with an empty table and the given options.
    pub(crate) fn start(stage: &Stage, options: &[&str]) -> Result<Self> {
        Self::start_with(stage, options, [])
    }

    /// Starts it with the records that rows of these keys are linked to.
    pub(crate) fn start_with(
        stage: &Stage,
        options: &[&str],
        keys: impl IntoIterator<Item = u64>,
    ) -> Result<Self> {
        let folder =
            tempfile::Builder::new().prefix("emulator-").tempdir_in(stage.folder())?.keep();
        let (seed, output) = (folder.join("seed.json"), folder.join("output"));
        fs::write(&seed, seed_text(keys).to_string())?;
        let process = Command::new(&stage.product)
            .args(["emulator", "--port", "0", "--seed"])
            .arg(&seed)
            .args(options)
            .stdin(Stdio::null())
            .stdout(File::create(&output)?)
            .stderr(Stdio::inherit())
            .spawn()
            .context("failed to start the emulator")?;
        let mut emulator = Self { process, address: String::new() };
        let started = wait_until(START_LIMIT, || {
            let said = fs::read_to_string(&output)?;
            let address = said.split_once("listening on http://").and_then(|(_, rest)| {
                // The line must be there in full, or the port may be cut off.
                rest.split_once('\n')?.0.split_whitespace().next()
            });
            address.unwrap_or_default().clone_into(&mut emulator.address);
            ensure!(emulator.process.try_wait()?.is_none(), "the emulator ended: {}", said.trim());
            Ok(address.is_some())
        })?;
        ensure!(started, "the emulator did not start within {START_LIMIT:?}");
        Ok(emulator)
    }

    /// Where the product finds it.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Its process.
    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    /// Requests of a kind so far, as the log has them. Asking is no request.
    pub(crate) fn log(&self, query: &str) -> Result<Vec<Value>> {
        let log = self.call("GET", &format!("/_emulator/log?{query}"), &Value::Null)?;
        let requests = log.get("requests").and_then(Value::as_array);
        requests.cloned().context("a log has requests")
    }

    /// When requests of a kind arrived, in milliseconds.
    pub(crate) fn arrivals(&self, query: &str) -> Result<Vec<i64>> {
        let arrival = |entry: &Value| {
            let at = entry.get("at").and_then(Value::as_str).context("an entry has a time")?;
            Ok(at.parse::<Timestamp>()?.as_millisecond())
        };
        self.log(query)?.iter().map(arrival).collect()
    }

    /// Records of the table.
    pub(crate) fn records(&self) -> Result<usize> {
        let path = format!("/_emulator/tables/{TABLE}/dump");
        let dump = self.call("GET", &path, &Value::Null)?;
        let records = dump.get("records").or(Some(&dump)).and_then(Value::as_array);
        records.map(Vec::len).context("a dump has records")
    }

    /// Something that goes wrong from now on.
    pub(crate) fn add_fault(&self, fault: &Value) -> Result<()> {
        self.call("POST", "/_emulator/faults", &json!([fault])).map(drop)
    }

    /// One request of its own connection.
    pub(crate) fn call(&self, method: &str, path: &str, body: &Value) -> Result<Value> {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let mut stream = TcpStream::connect(&self.address)?;
        // HTTP/1.0: the answer ends where the connection does.
        write!(
            stream,
            "{method} {path} HTTP/1.0\r\nHost: {}\r\nAccount-Id: {ACCOUNT}\r\nAuthorization: Token {TOKEN}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            self.address,
            body.len()
        )?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        let (head, body) = answer.split_once("\r\n\r\n").context("an answer has a body")?;
        let status = head.lines().next().unwrap_or_default();
        ensure!(status.contains(" 20"), "the emulator answered `{status}` to {path}: {body}");
        Ok(serde_json::from_str(body).unwrap_or_default())
    }
}

fn seed_text(keys: impl IntoIterator<Item = u64>) -> Value {
    let records: Vec<Value> = keys
        .into_iter()
        .map(|key| {
            json!({"id": record_of(key), "title": format!("Person number {key}"),
                   "skey000001": key.to_string()})
        })
        .collect();
    json!({"accounts": [{
        "id": ACCOUNT, "name": "Bench", "plan": "signature",
        "members": [{"id": "6500000000000000000000e1", "first_name": "Sync", "email": "sync@example.com",
                     "timezone": "UTC", "system": false}],
        "teams": [],
        "keys": [{"token": TOKEN, "member": "6500000000000000000000e1", "read_only": false,
                  "solutions": null, "denied_tables": []}],
        "solutions": [{"id": "6500000000000000000000a1", "name": "Bench", "tables": [
            {"id": TABLE, "name": "People", "fields": fields(), "records": records}]}]}]})
}
