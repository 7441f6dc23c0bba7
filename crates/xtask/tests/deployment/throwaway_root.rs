//! A root folder to install things into: the machine's own files below, every change above them in
//! memory, and all of it gone when the script ends.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

/// Makes `$ROOT` in a mount namespace of its own. `in_root` runs a program of the new root.
const PROLOGUE: &str = r#"
set -eu
mount -t tmpfs tmpfs "$PLACE"
mkdir "$PLACE/upper" "$PLACE/work" "$PLACE/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$PLACE/upper,workdir=$PLACE/work" "$PLACE/root"
ROOT="$PLACE/root"
for shared in dev proc; do mount --rbind "/$shared" "$ROOT/$shared"; done
mount -t tmpfs tmpfs "$ROOT/tmp"
in_root() { chroot "$ROOT" "$@"; }
"#;

/// Runs a shell script whose root is thrown away afterwards. `None`, said loudly, where this
/// machine does not let us make one: that takes the superuser and overlay mounts.
#[expect(clippy::print_stderr, reason = "a skipped test must be seen")]
pub(crate) fn run(script: &str) -> Option<Output> {
    let place = tempfile::tempdir().unwrap();
    let attempt = |script: &str| {
        let file = place.path().join("script");
        // The file is read before the place is covered by the new mount.
        fs::write(&file, format!("{PROLOGUE}\n{script}\n")).unwrap();
        Command::new("unshare")
            .args(["--mount", "sh", "-c"])
            .arg(fs::read_to_string(&file).unwrap())
            .env("PLACE", place.path())
            .output()
    };
    match attempt("true") {
        Ok(output) if output.status.success() => Some(attempt(script).unwrap()),
        refused => {
            eprintln!("\n*** SKIPPED: no throw-away root on this machine: {refused:?} ***\n");
            None
        }
    }
}

/// Fails with everything the script said unless it succeeded; returns its standard output.
pub(crate) fn expect_success(output: &Output) -> String {
    let out = String::from_utf8_lossy(&output.stdout).into_owned();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}\n{out}\n{error}", output.status);
    out
}

/// A word for the shell, whatever it contains.
pub(crate) fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// A path for the shell.
pub(crate) fn quoted_path(path: &Path) -> String {
    quoted(path.to_str().unwrap())
}

#[test]
fn what_happens_in_a_throwaway_root_stays_there() {
    let Some(output) =
        run("touch \"$ROOT/left-behind\"; in_root ls /left-behind; in_root ls /etc/passwd")
    else {
        return;
    };
    assert_eq!(expect_success(&output), "/left-behind\n/etc/passwd\n");
    assert!(!Path::new("/left-behind").exists());
}

#[test]
fn a_failed_step_fails_the_script() {
    if let Some(output) = run("in_root false; echo not reached") {
        assert!(!output.status.success() && output.stdout.is_empty());
    }
}
