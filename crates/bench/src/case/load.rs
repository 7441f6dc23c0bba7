//! What it costs a run that people look at the service meanwhile: rounds with and without them, by turns.

use std::{
    io::{BufRead as _, BufReader, ErrorKind, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    time::Duration,
};

use anyhow::{Context as _, Result, ensure};
use serde::Deserialize;
use serde_json::Value;
use throwaway_server::wait_until;

use super::median;
use crate::{
    figure::{Figure, Figures},
    links::Links,
    process::{resident_mib, stopwatch},
    stage::{Aside, Emulator, Mode, Stage},
};

const CASE: &str = "200 requests a second and 50 open pages beside a run";
/// Requests a second, by so many clients.
const REQUESTS: u64 = 200;
const CLIENTS: u64 = 4;
/// Pages that are open and follow what happens.
const VIEWS: usize = 50;
/// How long is looked at the service, in seconds, and in how many rounds at least.
const LENGTH: f64 = 60.0;
const ROUNDS_MIN: usize = 5;
const LIMIT: Duration = Duration::from_mins(10);

/// What people ask for who look at pages, and what scrapes them.
const PATHS: [&str; 8] = [
    "/",
    "/web/main.js",
    "/api/v1/overview",
    "/api/v1/budget",
    "/api/v1/syncs/people",
    "/api/v1/quarantine",
    "/metrics",
    "/readyz",
];

/// Rows that change before each run that writes.
const CHANGED: u64 = 500;

/// Measures runs of a service that knows every row: those that write under SmartSuite's limit, and full reads in which
/// nothing changed.
pub(crate) fn measure(stage: &Stage, rows: u64, figures: &mut Figures) -> Result<()> {
    let changed = CHANGED.min(rows);
    let emulator = Emulator::start_with(stage, &["--rate-limit", "off"], 1..=changed)?;
    let (state, _) = Links::of(stage, &emulator)?.state(stage, &emulator, Mode::Cursor)?;
    let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string();
    let mut command = stage.product(Mode::Cursor, &emulator, &state)?;
    command.args(["schedule", "--interval", "1440", "--listen", &address]);
    let service = Service { process: Aside::start(&mut command)?, address };
    let is_ready = || {
        Ok(service.get("/readyz").is_ok_and(|ready| ready.pointer("/ready") == Some(&true.into())))
    };
    ensure!(wait_until(Duration::from_mins(1), is_ready)?, "the service is ready");
    let writing = || {
        stage.database.execute(&format!(
            "UPDATE people SET credit = credit + 0.01, updated_at = NOW(6) WHERE id <= {changed}"
        ))?;
        let run = service.run("run")?;
        ensure!(run.status == "success" && run.updated == changed, "all are updated: {run:?}");
        Ok(run.seconds())
    };
    let reading = || {
        let run = service.run("resync")?;
        let is_idle = run.status == "success" && run.read >= rows && run.read == run.unchanged;
        ensure!(is_idle, "every row is as it was: {run:?}");
        Ok(run.seconds())
    };
    // The first read makes the cursor and warms the server's memory up; the second shows what a run holds by itself.
    reading()?;
    reading()?;
    writing()?;
    let before = service.resident()?;
    let what = format!("a run of {changed} updates under the limit: its duration beside one alone");
    let ratio = service.beside(&what, writing, figures)?;
    figures.add(Figure::at_most(CASE, &what, ratio, 1.05));
    let what = format!("a full read of {rows} rows: its duration beside one alone");
    let ratio = service.beside(&what, reading, figures)?;
    figures.add(Figure::gated(CASE, &what, ratio));
    let more = service.resident()? - before;
    let more = Figure::at_most(CASE, "more resident memory, MiB", more.max(0.0), 32.0);
    figures.add(more.by_its_goal());
    Ok(())
}

/// A run, as the overview shows it.
#[derive(Debug, Deserialize)]
struct Run {
    id: i64,
    status: String,
    duration_ms: Option<f64>,
    read: u64,
    unchanged: u64,
    updated: u64,
}

impl Run {
    fn seconds(&self) -> f64 {
        self.duration_ms.unwrap_or_default() / 1_000.0
    }
}

/// The service under way.
struct Service {
    process: Aside,
    address: String,
}

impl Service {
    /// Does some work by itself and while people look at the service, by turns, for a minute of looking at least. Answers
    /// how much longer it takes then.
    fn beside(
        &self,
        what: &str,
        work: impl Fn() -> Result<f64>,
        figures: &mut Figures,
    ) -> Result<f64> {
        let (mut ratios, mut alone) = (Vec::new(), Vec::new());
        let (mut looked, mut asked) = (0.0, 0);
        while looked < LENGTH || ratios.len() < ROUNDS_MIN {
            let by_itself = work()?;
            let (took, length, requests) = self.looked_at(&work)?;
            looked += length;
            asked += requests;
            ratios.push(took / by_itself);
            alone.push(by_itself);
        }
        let rate = asked as f64 / looked;
        ensure!(
            rate > 0.9 * REQUESTS as f64,
            "{what}: only {rate} requests a second were answered"
        );
        figures.add(Figure::told(CASE, &format!("{what}: seconds alone"), median(alone)));
        figures.add(Figure::told(CASE, &format!("{what}: requests answered a second"), rate));
        Ok(median(ratios))
    }

    /// Asks for a run and waits for its end.
    fn run(&self, how: &str) -> Result<Run> {
        let before = self.newest()?.map_or(0, |run| run.id);
        self.ask("POST", &format!("/api/v1/syncs/people/{how}"))?;
        let mut ended = None;
        let has_ended = || {
            ended = self.newest()?.filter(|run| run.id > before && run.duration_ms.is_some());
            Ok(ended.is_some())
        };
        ensure!(wait_until(LIMIT, has_ended)?, "the run ends");
        ended.context("a run ended")
    }

    fn newest(&self) -> Result<Option<Run>> {
        let mut overview = self.get("/api/v1/overview")?;
        let run = overview.pointer_mut("/syncs/0/runs/0").map(Value::take);
        Ok(run.map(serde_json::from_value).transpose()?)
    }

    fn resident(&self) -> Result<f64> {
        resident_mib(self.process.id()).context("the service lives")
    }

    /// Does something while people look at the service. Tells what came of it, for how many seconds they looked and how
    /// many requests were answered.
    fn looked_at(&self, work: impl FnOnce() -> Result<f64>) -> Result<(f64, f64, u64)> {
        let mut views = Vec::new();
        for _ in 0..VIEWS {
            let mut view = TcpStream::connect(&self.address)?;
            view.write_all(b"GET /api/v1/live HTTP/1.1\r\nhost: localhost\r\n\r\n")?;
            view.set_nonblocking(true)?;
            views.push(view);
        }
        let (stop, answered, passed) = (AtomicBool::new(false), AtomicU64::new(0), stopwatch());
        std::thread::scope(|scope| {
            let follower = scope.spawn(|| follow(&mut views, &stop));
            let clients: Vec<_> =
                (0..CLIENTS).map(|_| scope.spawn(|| self.client(&stop, &answered))).collect();
            let done = work();
            stop.store(true, Ordering::Relaxed);
            let length = passed();
            for client in clients {
                client.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
            }
            follower.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
            Ok((done?, length, answered.load(Ordering::Relaxed)))
        })
    }

    /// One client, which keeps its connection and asks evenly.
    fn client(&self, stop: &AtomicBool, answered: &AtomicU64) -> Result<()> {
        let mut stream = BufReader::new(TcpStream::connect(&self.address)?);
        stream.get_ref().set_nodelay(true)?;
        let (passed, every) = (stopwatch(), CLIENTS as f64 / REQUESTS as f64);
        for (number, path) in PATHS.iter().cycle().enumerate() {
            if stop.load(Ordering::Relaxed) {
                break;
            }
            let early = number as f64 * every - passed();
            if early > 0.0 {
                pause(Duration::from_secs_f64(early));
            }
            write!(stream.get_mut(), "GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n")?;
            let (status, _) = answer(&mut stream)?;
            ensure!(status == 200, "{path}: {status}");
            answered.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    }

    fn get(&self, path: &str) -> Result<Value> {
        self.ask("GET", path)
    }

    fn ask(&self, method: &str, path: &str) -> Result<Value> {
        let mut stream = BufReader::new(TcpStream::connect(&self.address)?);
        write!(
            stream.get_mut(),
            "{method} {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-type: application/json\r\n\
             content-length: 2\r\n\r\n{{}}"
        )?;
        let (status, body) = answer(&mut stream)?;
        ensure!(status == 200, "{method} {path}: {status}");
        Ok(serde_json::from_slice(&body)?)
    }
}

/// Reads what the open pages are told, so that nothing stands in the way of more.
fn follow(views: &mut [TcpStream], stop: &AtomicBool) -> Result<()> {
    let mut buffer = [0; 16 * 1024];
    while !stop.load(Ordering::Relaxed) {
        for view in &mut *views {
            match view.read(&mut buffer) {
                Ok(length) => ensure!(length > 0, "an open page was closed"),
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(error) => return Err(error.into()),
            }
        }
        pause(Duration::from_millis(100));
    }
    Ok(())
}

/// One answer: its status and its body, which has a length.
fn answer(stream: &mut BufReader<TcpStream>) -> Result<(u16, Vec<u8>)> {
    let (mut status, mut length) = (None, 0);
    loop {
        let mut line = String::new();
        ensure!(stream.read_line(&mut line)? > 0, "the connection was closed");
        let line = line.trim_end();
        if line.is_empty() {
            break;
        }
        match (status, line.to_ascii_lowercase().strip_prefix("content-length:")) {
            (None, _) => status = line.split(' ').nth(1).and_then(|word| word.parse().ok()),
            (_, Some(text)) => length = text.trim().parse()?,
            (_, None) => {}
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body)?;
    Ok((status.context("no status")?, body))
}

#[expect(clippy::disallowed_methods, reason = "clients ask in real time")]
fn pause(length: Duration) {
    std::thread::sleep(length);
}
