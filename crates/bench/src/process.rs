//! A process under measurement: how long it took, what it burnt, and the most memory it held.

use std::{
    fs::{self, File},
    io::{Read as _, Seek as _},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};

/// How often a process is looked at. Its high-water mark is the kernel's, so only growth of the last moment can be missed.
const LOOK: Duration = Duration::from_millis(2);
/// Ticks of a second in `/proc/PID/stat`: the same on every Linux.
const TICKS: f64 = 100.0;

/// What a process cost.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cost {
    /// From start to end, in seconds.
    pub(crate) seconds: f64,
    /// On all cores together, in seconds.
    pub(crate) cpu_seconds: f64,
    /// Of that, the product's thread that owns the state, where there is one.
    pub(crate) state_seconds: f64,
    /// The most resident memory (`VmHWM`), in MiB.
    pub(crate) resident_mib: f64,
    /// What it wrote to standard output.
    pub(crate) output: String,
    state_thread: Option<PathBuf>,
}

/// Runs a command to its end and keeps what it wrote.
pub(crate) fn measured(command: &mut Command) -> Result<Cost> {
    let folder = tempfile::tempdir()?;
    let output = folder.path().join("out");
    let mut cost = ended(command.stdout(File::create(&output)?))?;
    File::open(&output)?.read_to_string(&mut cost.output)?;
    Ok(cost)
}

/// Runs a command to its end and throws away what it writes.
pub(crate) fn measured_without_output(command: &mut Command) -> Result<Cost> {
    ended(command.stdout(Stdio::null()))
}

#[expect(clippy::disallowed_methods, reason = "measuring is asking the real clock")]
fn ended(command: &mut Command) -> Result<Cost> {
    let shown = command.get_program().display().to_string();
    let mut errors = tempfile::tempfile()?;
    command.stdin(Stdio::null()).stderr(errors.try_clone()?);
    let began = Instant::now();
    let mut child = command.spawn().with_context(|| format!("failed to start `{shown}`"))?;
    let id = child.id();
    let mut cost = Cost::default();
    let is_over = AtomicBool::new(false);
    // Looked at beside it, so that its end is seen at once.
    let (status, seconds) = std::thread::scope(|scope| {
        scope.spawn(|| {
            while !is_over.load(Ordering::Relaxed) {
                cost.look(id);
                std::thread::sleep(LOOK);
            }
        });
        let status = child.wait();
        let seconds = began.elapsed().as_secs_f64();
        is_over.store(true, Ordering::Relaxed);
        (status, seconds)
    });
    let status = status?;
    cost.seconds = seconds;
    let mut said = String::new();
    errors.rewind()?;
    errors.read_to_string(&mut said)?;
    ensure!(status.success(), "`{shown}` ended with {status}: {said}");
    Ok(cost)
}

/// Tells the seconds since it was made.
#[expect(clippy::disallowed_methods, reason = "measuring is asking the real clock")]
pub(crate) fn stopwatch() -> impl Fn() -> f64 {
    let began = Instant::now();
    move || began.elapsed().as_secs_f64()
}

/// Does something and tells the seconds it took.
#[expect(clippy::disallowed_methods, reason = "measuring is asking the real clock")]
pub(crate) fn elapsed<T>(work: impl FnOnce() -> T) -> (f64, T) {
    let began = Instant::now();
    let done = work();
    (began.elapsed().as_secs_f64(), done)
}

impl Cost {
    /// Takes what the kernel says of a process while it lives.
    fn look(&mut self, id: u32) {
        self.resident_mib = resident_mib(id).unwrap_or(0.0).max(self.resident_mib);
        self.cpu_seconds = cpu_seconds(id).unwrap_or(0.0).max(self.cpu_seconds);
        self.state_thread = self.state_thread.take().or_else(|| state_thread(id));
        let state = self.state_thread.as_deref().and_then(ticked);
        self.state_seconds = state.unwrap_or(0.0).max(self.state_seconds);
    }
}

/// Where the kernel tells the times of the thread that owns the product's state.
fn state_thread(id: u32) -> Option<PathBuf> {
    let mut threads = fs::read_dir(format!("/proc/{id}/task")).ok()?.flatten();
    let thread = threads.find(|thread| {
        fs::read_to_string(thread.path().join("comm")).is_ok_and(|name| name.trim() == "state")
    })?;
    Some(thread.path().join("stat"))
}

/// The most resident memory of a living process so far, in MiB.
pub(crate) fn resident_mib(id: u32) -> Option<f64> {
    let status = fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: f64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib / 1024.0)
}

/// What a living process has burnt so far, in seconds of a core.
pub(crate) fn cpu_seconds(id: u32) -> Option<f64> {
    ticked(Path::new(&format!("/proc/{id}/stat")))
}

fn ticked(stat: &Path) -> Option<f64> {
    let stat = fs::read_to_string(stat).ok()?;
    // The name in brackets may hold anything; behind it, user and system time are the 12th and 13th.
    let (_, rest) = stat.rsplit_once(')')?;
    let mut words = rest.split_whitespace().skip(11);
    let ticks = words.next()?.parse::<f64>().ok()? + words.next()?.parse::<f64>().ok()?;
    Some(ticks / TICKS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_measured_to_its_end() {
        let script = "i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done; sleep 0.2; echo done";
        let cost = measured(Command::new("sh").args(["-c", script])).unwrap();
        assert!(cost.seconds >= 0.2 && cost.cpu_seconds < cost.seconds, "{cost:?}");
        assert!(cost.resident_mib > 0.1, "{cost:?}");
        assert_eq!(cost.output, "done\n");
        assert!(measured(Command::new("sh").args(["-c", "exit 3"])).is_err());
    }
}
