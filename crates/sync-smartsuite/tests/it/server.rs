//! A server that follows a script, byte by byte, connection by connection.

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

/// One step of a connection. After the last one the server closes it.
#[derive(Clone)]
pub(crate) enum Step {
    /// Reads one request, head and body.
    Read,
    /// Sends bytes.
    Send(Vec<u8>),
    /// Waits until the client has closed its side.
    Hang,
}

/// What a server has seen.
#[derive(Default)]
pub(crate) struct Seen {
    /// Connections accepted.
    pub(crate) connections: usize,
    /// Requests read, as text.
    pub(crate) requests: Vec<String>,
}

/// A running server; its thread ends with the process.
pub(crate) struct Server {
    /// `127.0.0.1:port`.
    pub(crate) address: String,
    seen: Arc<Mutex<Seen>>,
}

impl Server {
    /// Serves one connection after another by the scripts; those beyond are closed at once.
    pub(crate) fn start(scripts: Vec<Vec<Step>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let seen = Arc::new(Mutex::new(Seen::default()));
        let shared = Arc::clone(&seen);
        thread::spawn(move || {
            let mut scripts = scripts.into_iter();
            for connection in listener.incoming() {
                shared.lock().unwrap().connections += 1;
                let script = scripts.next().unwrap_or_default();
                // A client that leaves early is part of the script.
                let _left = play(&mut connection.unwrap(), &script, &shared);
            }
        });
        Self { address, seen }
    }

    /// The base URL of this server.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// How many connections and requests there have been.
    pub(crate) fn counts(&self) -> (usize, usize) {
        let seen = self.seen.lock().unwrap();
        (seen.connections, seen.requests.len())
    }

    /// The requests so far.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.seen.lock().unwrap().requests.clone()
    }
}

fn play(stream: &mut TcpStream, script: &[Step], seen: &Mutex<Seen>) -> std::io::Result<()> {
    for step in script {
        match step {
            Step::Read => {
                let request = read_request(stream)?;
                seen.lock().unwrap().requests.push(request);
            }
            Step::Send(bytes) => stream.write_all(bytes)?,
            Step::Hang => while stream.read(&mut [0; 1024])? > 0 {},
        }
    }
    Ok(())
}

fn read_request(stream: &mut TcpStream) -> std::io::Result<String> {
    let mut bytes = Vec::new();
    let mut byte = [0];
    while !bytes.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte)?;
        bytes.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&bytes).to_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    let mut body = vec![0; length.map_or(0, |length| length.trim().parse().unwrap())];
    stream.read_exact(&mut body)?;
    bytes.extend(body);
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// A whole answer with its length.
pub(crate) fn answer(status: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\n{headers}\r\n");
    [head.as_bytes(), body].concat()
}
