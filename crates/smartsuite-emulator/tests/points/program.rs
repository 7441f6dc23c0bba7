//! The emulator as a program of its own, and the few bytes of HTTP that are spoken to it.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    path::Path,
    process::{Child, ChildStdout, Command, Stdio},
    time::Duration,
};

use serde_json::Value;
use smartsuite_emulator::{DEMO_ACCOUNT, DEMO_TOKEN};

/// Longer than anything here takes, so that a test that waits in vain ends.
const PATIENCE: Duration = Duration::from_mins(1);

/// What the first line says around the address.
const START: (&str, &str) =
    ("smartsuite-emulator listening on http://", " (an emulator, not SmartSuite)\n");

/// A running emulator; it ends with the test.
pub(crate) struct Program {
    child: Child,
    output: BufReader<ChildStdout>,
    pub(crate) address: String,
}

/// The program with some arguments, not started.
pub(crate) fn command(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_smartsuite-emulator"));
    command.args(args).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

impl Program {
    /// Starts it on a free port and waits for its first line.
    pub(crate) fn start(args: &[&str]) -> Self {
        let mut child = command(args).spawn().unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        let address = line.strip_prefix(START.0).and_then(|rest| rest.strip_suffix(START.1));
        let address = address.unwrap_or_else(|| panic!("{line:?}")).to_owned();
        Self { child, output, address }
    }

    /// With a file that keeps its data.
    pub(crate) fn with_data(file: &Path) -> Self {
        Self::start(&["--rate-limit", "off", "--data", file.to_str().unwrap()])
    }

    /// The next line it says.
    pub(crate) fn line(&mut self) -> String {
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        line
    }

    /// An API call as the demo's key, or one to the side door.
    #[track_caller]
    pub(crate) fn call(&self, method: &str, path: &str, body: &Value) -> Reply {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        match exchange(&self.address, &request(method, path, &body)) {
            Ok(bytes) => Reply::of(&bytes),
            Err(error) => panic!("{method} {path}: {error}"),
        }
    }

    /// Asks it to end and waits until it has; the exit code.
    pub(crate) fn terminate(mut self) -> Option<i32> {
        let killed = Command::new("kill").arg(self.child.id().to_string()).status().unwrap();
        assert!(killed.success());
        self.child.wait().unwrap().code()
    }

    /// Kills it in the middle of whatever it does.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended already.
        let _ended = self.child.kill();
        let _reaped = self.child.wait();
    }
}

/// A request with the usual headers, in spellings that no client uses.
pub(crate) fn request(method: &str, path: &str, body: &str) -> String {
    format!(
        "{method} {path} HTTP/1.1\r\nHost: emulator\r\naCcOuNt-Id: {DEMO_ACCOUNT}\r\n\
         AUTHORIZATION: Token {DEMO_TOKEN}\r\ncontent-type: application/json\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
}

/// A connection that has sent a request.
pub(crate) fn sent(address: &str, request: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    stream
}

/// All bytes that come back.
pub(crate) fn exchange(address: &str, request: &str) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    sent(address, request).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// An answer, taken apart.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) text: String,
    pub(crate) json: Value,
}

impl Reply {
    pub(crate) fn of(bytes: &[u8]) -> Self {
        let all = String::from_utf8(bytes.to_vec()).unwrap();
        let (head, text) = all.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{all:?}"));
        Self {
            status: head.split(' ').nth(1).unwrap().parse().unwrap(),
            head: head.to_lowercase(),
            text: text.to_owned(),
            json: serde_json::from_str(text).unwrap_or(Value::Null),
        }
    }

    /// The body of an answer that must be a success.
    #[track_caller]
    pub(crate) fn ok(self) -> Value {
        assert_eq!(self.status, 200, "{}", self.text);
        self.json
    }
}
