//! The package: built from the program as it is, installed in a throw-away root, started by its unit's own command line,
//! asked from outside, stopped, removed.

use std::process::Command;

use crate::project;
use crate::throwaway_root::{self, expect_success, quoted_path};

/// The program that cargo has built for the tests. A run of these tests alone does not build it.
#[expect(clippy::print_stderr, reason = "a skipped test must be seen")]
fn program() -> Option<std::path::PathBuf> {
    let program = project::target().join("debug/mysql-smartsuite-sync");
    if program.exists() {
        return Some(program);
    }
    eprintln!("\n*** SKIPPED: the program is not built; `cargo x test` builds it ***\n");
    None
}

#[test]
fn a_release_is_a_package_an_archive_and_their_checksums() {
    let Some(program) = program() else { return };
    let out = tempfile::tempdir().unwrap();
    // What a debug build knows of its lines is ten times the program.
    let stripped = out.path().join("program");
    let mut strip = Command::new("strip");
    strip.arg("-o").arg(&stripped).arg(&program);
    let program =
        if strip.status().is_ok_and(|status| status.success()) { stripped } else { program };
    let made = Command::new(env!("CARGO_BIN_EXE_xtask"))
        .args(["release", "--compression", "1", "--binary"])
        .arg(&program)
        .arg("--out")
        .arg(out.path())
        .output()
        .unwrap();
    expect_success(&made);
    let checked = Command::new("sha256sum")
        .args(["--check", "SHA256SUMS"])
        .current_dir(out.path())
        .output()
        .unwrap();
    assert_eq!(expect_success(&checked).lines().count(), 2);
    let named = |ending: &str| {
        let mut files = std::fs::read_dir(out.path()).unwrap().map(|entry| entry.unwrap().path());
        files.find(|path| path.to_str().unwrap().ends_with(ending)).unwrap()
    };
    let archive =
        Command::new("tar").arg("--list").arg("--file").arg(named(".tar.gz")).output().unwrap();
    let archive = expect_success(&archive);
    for file in [
        "bin/mysql-smartsuite-sync",
        "share/man/man1/mysql-smartsuite-sync.1.gz",
        "deploy/README.md",
    ] {
        assert!(archive.lines().any(|line| line.ends_with(file)), "{file} is not in:\n{archive}");
    }
    installs_serves_and_goes(&named(".deb"));
}

/// A port that nobody listens at.
fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

fn installs_serves_and_goes(package: &std::path::Path) {
    let script = format!(
        r#"
cp {} "$ROOT/tmp/package.deb"
in_root dpkg --install --force-depends /tmp/package.deb >&2
in_root dpkg --listfiles mysql-smartsuite-sync | grep -E '/(bin|man1|bash-completion|systemd/system)/' >&2
in_root stat --format '%A %U %G %n' /etc/mysql-smartsuite-sync/env /var/lib/mysql-smartsuite-sync
in_root mysql-smartsuite-sync --version
cat > "$ROOT/etc/mysql-smartsuite-sync/env" <<'ENV'
MYSQL_HOST=127.0.0.1
MYSQL_PORT=9
MYSQL_USER=nobody
MYSQL_PASSWORD=none
MYSQL_DATABASE=none
SMARTSUITE_BASE_URL=http://127.0.0.1:9
SMARTSUITE_ACCOUNT_ID=s1234567
SMARTSUITE_TOKEN=none
SYNC_LISTEN=127.0.0.1:{port}
SYNC_OPERATOR_TOKEN=a-token-of-the-package-test
ENV
UNIT="$ROOT/usr/lib/systemd/system/mysql-smartsuite-sync.service"
EXEC=$(sed -n 's/^ExecStart=//p' "$UNIT")
STATE=$(sed -n 's/^Environment=//p' "$UNIT")
# Not by `in_root`: what is started must be the program itself, to be stopped.
chroot "$ROOT" setpriv --reuid smartsuite-sync --regid smartsuite-sync --clear-groups sh -c \
  "cd /var/lib/mysql-smartsuite-sync; set -a; . /etc/mysql-smartsuite-sync/env; export $STATE; exec $EXEC" 2>"$ROOT/tmp/said" &
SERVICE=$!
for _ in $(seq 200); do
  if grep -q 'next run at' "$ROOT/tmp/said"; then break; fi
  sleep 0.05
done
ask() {{ curl --silent --max-time 20 --output "$ROOT/tmp/answer" --write-out '%{{http_code}}\n' "$@"; }}
BASE=http://127.0.0.1:{port}
for _ in $(seq 200); do
  if [ "$(ask "$BASE/healthz")" = 200 ]; then break; fi
  sleep 0.05
done
ask --request POST "$BASE/webhook/sync/customers"
ask --header 'Authorization: Bearer a-token-of-the-package-test' --request POST "$BASE/webhook/sync/customers"
ask --header 'Authorization: Bearer a-token-of-the-package-test' "$BASE/metrics"
grep -c '^# HELP ' "$ROOT/tmp/answer" | sed 's/^[1-9][0-9]*$/scraped/'
cat "$ROOT/tmp/said" >&2
kill -TERM "$SERVICE"
if wait "$SERVICE"; then echo stopped; else cat "$ROOT/tmp/said" >&2; fi
grep -c 'ended: nothing is under way any more' "$ROOT/tmp/said"
in_root ls /var/lib/mysql-smartsuite-sync/sync_state.db
in_root dpkg --remove mysql-smartsuite-sync >&2
in_root ls /var/lib/mysql-smartsuite-sync/sync_state.db
in_root dpkg --purge mysql-smartsuite-sync >&2
if in_root ls /var/lib/mysql-smartsuite-sync 2>/dev/null; then echo 'the state is left'; fi
if in_root getent passwd smartsuite-sync; then echo 'the account is left'; fi
"#,
        quoted_path(package),
        port = free_port(),
    );
    let Some(output) = throwaway_root::run(&script) else { return };
    let said = expect_success(&output);
    let version = format!("mysql-smartsuite-sync {}", env!("CARGO_PKG_VERSION"));
    let expected = [
        "-rw-r----- root smartsuite-sync /etc/mysql-smartsuite-sync/env",
        "drwx------ smartsuite-sync smartsuite-sync /var/lib/mysql-smartsuite-sync",
        &version,
        "401",
        "202",
        "200",
        "scraped",
        "stopped",
        "1",
        "/var/lib/mysql-smartsuite-sync/sync_state.db",
        "/var/lib/mysql-smartsuite-sync/sync_state.db",
    ];
    assert_eq!(
        said.lines().collect::<Vec<_>>(),
        expected,
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}
