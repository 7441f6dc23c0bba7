//! A process that cannot outlive the one that started it.

use std::fs::File;
use std::io::Write as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result};

use crate::wait_until;

/// A shell stands between us and the process and reads a pipe whose other end only we hold. Each
/// line names a signal to pass on. The end of the pipe means that we are gone, by whatever death:
/// the process is killed and its folder (`$0`) removed. `read` is a builtin, so the reader leaves
/// no process of its own behind.
const GUARDIAN: &str = r#"
exec 3<&0
"$@" 3<&- </dev/null &
process=$!
(
    while read -r signal <&3; do kill -s "$signal" "$process"; done
    true >"$0/abandoned"
    kill -s KILL "$process"
) &
reader=$!
wait "$process"
code=$?
[ ! -e "$0/abandoned" ] || rm -rf -- "$0"
kill -s KILL "$reader" 2>/dev/null
exit "$code"
"#;

/// A running process that ends when this value is dropped or the process that holds it dies, and the
/// guardian that sees to it.
#[derive(Debug)]
pub struct WatchedProcess {
    guardian: Child,
    pipe: Option<ChildStdin>,
}

impl WatchedProcess {
    /// Starts a program with its arguments and no standard input; its output is appended to `log`.
    /// `folder` holds the process's files: it is removed, together with the process, by the drop and
    /// by this process's death.
    pub fn start(command: &Command, folder: &Path, log: File) -> Result<Self> {
        let mut guardian = Command::new("sh")
            .args(["-c", GUARDIAN])
            .arg(folder)
            .arg(command.get_program())
            .args(command.get_args())
            .envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))))
            .stdin(Stdio::piped())
            .stdout(log.try_clone()?)
            .stderr(log)
            // Out of reach of a terminal's Ctrl-C: we stop it, in our own time.
            .process_group(0)
            .spawn()
            .context("failed to start `sh`")?;
        let pipe = guardian.stdin.take();
        Ok(Self { guardian, pipe })
    }

    /// Whether the process has not ended yet.
    pub fn is_running(&mut self) -> Result<bool> {
        Ok(self.guardian.try_wait()?.is_none())
    }

    /// Sends a signal (`TERM`, `KILL`) and waits for the process to end; an error after `limit`.
    pub fn end(&mut self, signal: &str, limit: Duration) -> Result<()> {
        if !self.is_running()? {
            return Ok(());
        }
        let pipe = self.pipe.as_mut().context("the pipe is open until the drop")?;
        writeln!(pipe, "{signal}").context("the guardian does not listen")?;
        let ended = wait_until(limit, || Ok(!self.is_running()?))?;
        anyhow::ensure!(ended, "the process goes on {limit:?} after the signal {signal}");
        Ok(())
    }
}

impl Drop for WatchedProcess {
    fn drop(&mut self) {
        drop(self.pipe.take());
        drop(self.guardian.wait());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sleeper(folder: &Path) -> WatchedProcess {
        let mut command = Command::new("sh");
        command.args(["-c", "echo $$; exec sleep 600"]);
        let log = File::create(folder.join("log")).unwrap();
        WatchedProcess::start(&command, folder, log).unwrap()
    }

    fn pid_in(folder: &Path) -> String {
        let log = folder.join("log");
        assert!(
            wait_until(Duration::from_secs(10), || Ok(std::fs::metadata(&log)?.len() > 0)).unwrap()
        );
        std::fs::read_to_string(log).unwrap().trim().to_owned()
    }

    fn is_alive(pid: &str) -> bool {
        Path::new("/proc").join(pid).exists()
    }

    #[test]
    fn a_drop_kills_the_process_and_removes_its_folder() {
        let folder = tempfile::tempdir().unwrap();
        let process = sleeper(folder.path());
        let pid = pid_in(folder.path());
        assert!(is_alive(&pid));
        drop(process);
        assert!(!is_alive(&pid) && !folder.path().exists());
    }

    #[test]
    fn a_signal_ends_the_process_and_leaves_its_folder() {
        let folder = tempfile::tempdir().unwrap();
        let mut process = sleeper(folder.path());
        let pid = pid_in(folder.path());
        process.end("TERM", Duration::from_secs(10)).unwrap();
        assert!(!is_alive(&pid) && folder.path().exists());
        assert!(!process.is_running().unwrap());
        process.end("KILL", Duration::ZERO).unwrap();
    }
}
