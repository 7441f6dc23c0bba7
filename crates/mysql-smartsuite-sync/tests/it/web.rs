//! The service as a client of HTTP meets it.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::TcpStream,
    process::Child,
    time::Duration,
};

use serde_json::Value;
use throwaway_server::wait_until;

use crate::stage::{Stage, signal};

const LIMIT: Duration = Duration::from_secs(30);

/// A service under way.
pub(crate) struct Service {
    pub(crate) child: Child,
    pub(crate) address: String,
    pub(crate) token: Option<String>,
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) text: String,
}

impl Reply {
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The status with the code of a problem, or with nothing.
    pub(crate) fn problem(&self) -> (u16, String) {
        let code = serde_json::from_str::<Value>(&self.text).unwrap_or_default();
        (self.status, code["error"]["code"].as_str().unwrap_or_default().to_owned())
    }
}

impl Service {
    /// Starts `schedule` at a free port and waits until it serves.
    pub(crate) fn start(stage: &Stage, arguments: &[&str]) -> Self {
        drop(fs::remove_file(stage.path("logs/sync.log")));
        let free = ["--listen", "127.0.0.1:0"];
        let free: &[&str] = if arguments.contains(&"--listen") { &[] } else { &free };
        let all = [&["schedule"], free, arguments].concat();
        let child = stage.start(&all);
        let mut address = String::new();
        let listens = wait_until(LIMIT, || {
            let log = fs::read_to_string(stage.path("logs/sync.log")).unwrap_or_default();
            let found = log.split("triggers at http://").nth(1);
            address = found.and_then(|rest| rest.split('/').next()).unwrap_or_default().to_owned();
            Ok(!address.is_empty())
        });
        assert!(listens.unwrap(), "it does not listen");
        let service = Self { child, address, token: None };
        service.until("/readyz", |answer| answer["ready"] == true);
        service
    }

    /// Sends a request as it stands and reads to the end.
    pub(crate) fn raw(&self, request: &[u8]) -> Reply {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(LIMIT)).unwrap();
        stream.write_all(request).unwrap();
        reply(&mut stream)
    }

    pub(crate) fn send(&self, method: &str, path: &str, headers: &str, body: &str) -> Reply {
        let token = self.token.as_ref().map(|token| format!("authorization: Bearer {token}\r\n"));
        let (host, token) = (&self.address, token.unwrap_or_default());
        let length = body.len();
        self.raw(
            format!(
                "{method} {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n{token}{headers}content-length: {length}\r\n\r\n{body}"
            )
            .as_bytes(),
        )
    }

    pub(crate) fn get(&self, path: &str) -> Reply {
        self.send("GET", path, "", "")
    }

    pub(crate) fn post(&self, path: &str, body: &str) -> Reply {
        self.send("POST", path, "content-type: application/json\r\n", body)
    }

    /// Waits until an answer is as it should be.
    #[track_caller]
    pub(crate) fn until(&self, path: &str, is_so: impl Fn(&Value) -> bool) -> Value {
        let mut last = Value::Null;
        let came = wait_until(LIMIT, || {
            let reply = self.get(path);
            last = serde_json::from_str(&reply.text).unwrap_or_default();
            Ok(is_so(&last))
        });
        assert!(came.unwrap(), "{last:#}");
        last
    }

    /// Ends it as a service manager does.
    pub(crate) fn end(self, stage: &Stage) -> crate::act::Act {
        signal(&self.child, "-TERM");
        stage.finish(self.child, 0).ended(0)
    }
}

pub(crate) fn reply(stream: &mut TcpStream) -> Reply {
    let mut bytes = Vec::new();
    // A server that refuses a body may close before it was read to its end.
    let _broken = stream.read_to_end(&mut bytes);
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
    Reply { status, head: head.to_ascii_lowercase(), text: unchunked(head, body) }
}

/// The content of a body that came in chunks.
fn unchunked(head: &str, body: &str) -> String {
    if !head.to_ascii_lowercase().contains("transfer-encoding: chunked") {
        return body.to_owned();
    }
    let (mut rest, mut whole) = (body, String::new());
    while let Some((size, after)) = rest.split_once("\r\n") {
        let size = usize::from_str_radix(size.trim(), 16).unwrap_or(0);
        let Some((chunk, after)) = after.split_at_checked(size).filter(|_| size > 0) else { break };
        whole.push_str(chunk);
        rest = after.trim_start_matches("\r\n");
    }
    whole
}
