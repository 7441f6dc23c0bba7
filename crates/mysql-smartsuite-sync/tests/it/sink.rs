//! What receives messages: a web server and a mail server, each of a few lines.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

/// What arrived: where, or for whom, and what.
type Got = Vec<(String, String)>;

/// Keeps what arrives.
#[derive(Clone)]
pub(crate) struct Sink {
    pub(crate) port: u16,
    got: Arc<Mutex<Got>>,
    is_up: Arc<AtomicBool>,
}

impl Sink {
    /// A web server that answers 200 to everything, but nothing at all to `/hangs`.
    pub(crate) fn web() -> Self {
        Self::of(|stream, got| {
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            let (mut line, mut length) = (String::new(), 0);
            reader.read_line(&mut line).unwrap();
            let path = line.split(' ').nth(1).unwrap_or_default().to_owned();
            loop {
                let mut header = String::new();
                if reader.read_line(&mut header).unwrap() <= 2 {
                    break;
                }
                if let Some(value) = header.to_ascii_lowercase().strip_prefix("content-length:") {
                    length = value.trim().parse().unwrap();
                }
            }
            let mut body = vec![0; length];
            reader.read_exact(&mut body).unwrap();
            got.lock().unwrap().push((path.clone(), String::from_utf8(body).unwrap()));
            if path.starts_with("/hangs") {
                // Until the other side has had enough.
                drop(reader.read(&mut [0]));
                return;
            }
            let mut stream = stream;
            stream
                .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                .unwrap();
        })
    }

    /// A mail server that takes everything.
    pub(crate) fn mail() -> Self {
        Self::of(take_mail)
    }

    /// From now on every connection is closed unheard, or served again.
    pub(crate) fn set_up(&self, is_up: bool) {
        self.is_up.store(is_up, Ordering::SeqCst);
    }

    fn of(serve: fn(TcpStream, &Mutex<Got>)) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let got: Arc<Mutex<Got>> = Arc::default();
        let keeps = Arc::clone(&got);
        let is_up = Arc::new(AtomicBool::new(true));
        let serves = Arc::clone(&is_up);
        thread::spawn(move || {
            for stream in listener.incoming() {
                if !serves.load(Ordering::SeqCst) {
                    continue;
                }
                let (stream, keeps) = (stream.unwrap(), Arc::clone(&keeps));
                thread::spawn(move || serve(stream, &keeps));
            }
        });
        Self { port, got, is_up }
    }

    /// What arrived at a path, or for a receiver that contains `place`.
    pub(crate) fn at(&self, place: &str) -> Vec<String> {
        let got = self.got.lock().unwrap();
        got.iter().filter(|(to, _)| to.contains(place)).map(|(_, text)| text.clone()).collect()
    }
}

/// A mail server that takes everything.
fn take_mail(mut stream: TcpStream, got: &Mutex<Got>) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    stream.write_all(b"220 sink\r\n").unwrap();
    let mut to = String::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or(0) == 0 {
            return;
        }
        let answer: &[u8] = match line.get(..4).map(str::to_ascii_uppercase).as_deref() {
            Some("DATA") => {
                stream.write_all(b"354 go on\r\n").unwrap();
                let mut text = String::new();
                while !text.ends_with("\r\n.\r\n") {
                    reader.read_line(&mut text).unwrap();
                }
                got.lock().unwrap().push((to.clone(), text));
                b"250 taken\r\n"
            }
            Some("RCPT") => {
                line.trim_end().clone_into(&mut to);
                b"250 so be it\r\n"
            }
            Some("QUIT") => b"221 bye\r\n",
            _ => b"250 so be it\r\n",
        };
        if stream.write_all(answer).is_err() {
            return;
        }
    }
}
