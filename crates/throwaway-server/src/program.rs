//! Programs of the machine: where they are, and running one to its end.

use std::env;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};

/// The folders that hold servers but are missing from an ordinary user's `PATH`.
const EXTRA_FOLDERS: [&str; 2] = ["/usr/sbin", "/usr/local/sbin"];

/// The program's full path, from `PATH` and the system's folders for servers.
pub(crate) fn find(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path)
        .chain(EXTRA_FOLDERS.iter().map(PathBuf::from))
        .map(|folder| folder.join(name))
        .find(|candidate| candidate.is_file())
}

/// Whether this process runs as the superuser.
pub(crate) fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|this_process| this_process.uid() == 0)
}

/// Runs to the end and returns standard output. On a failure the error shows the command's last
/// words.
pub(crate) fn run(command: &mut Command) -> Result<String> {
    let shown = command.get_program().to_string_lossy().into_owned();
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("failed to start `{shown}`"))?;
    if !output.status.success() {
        let words = String::from_utf8_lossy(&output.stderr);
        bail!("`{shown}` ended with {}: {}", output.status, last_lines(&words, 5));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The last `count` lines that are not blank, joined by line feeds.
pub(crate) fn last_lines(text: &str, count: usize) -> String {
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    let first = lines.len().saturating_sub(count);
    lines.get(first..).unwrap_or_default().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_program_shows_its_last_words() {
        let mut command = Command::new("sh");
        command.args(["-c", "echo one >&2; echo two >&2; exit 3"]);
        let message = run(&mut command).unwrap_err().to_string();
        assert!(message.contains("one\ntwo") && message.contains('3'), "{message}");
    }

    #[test]
    fn a_program_is_found_by_its_bare_name_only_if_it_exists() {
        assert!(find("sh").is_some());
        assert_eq!(find("no-such-program-anywhere"), None);
    }
}
