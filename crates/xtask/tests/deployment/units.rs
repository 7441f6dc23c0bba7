//! The systemd units, as systemd itself judges them.

use std::fs;
use std::process::Command;

use crate::project;

const UNITS: [&str; 3] = [
    "mysql-smartsuite-sync.service",
    "mysql-smartsuite-sync-run.service",
    "mysql-smartsuite-sync-run.timer",
];

/// What systemd calls well protected is below 2 of 10.
const EXPOSURE_MAX: f64 = 2.0;

/// `systemd-analyze`, or `None` with a loud line.
#[expect(clippy::print_stderr, reason = "a skipped test must be seen")]
fn systemd_analyze(arguments: &[&str]) -> Option<Command> {
    let mut command = Command::new("systemd-analyze");
    if command.arg("--version").output().is_err() {
        eprintln!("\n*** SKIPPED: no `systemd-analyze` on this machine ***\n");
        return None;
    }
    let mut command = Command::new("systemd-analyze");
    command.args(arguments);
    Some(command)
}

/// The unit files, with a program that exists on this machine in place of the installed one.
fn startable_units() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for unit in UNITS {
        let text = project::text(&format!("deploy/systemd/{unit}"));
        let text = text.replace("/usr/local/bin/mysql-smartsuite-sync", "/bin/true");
        fs::write(folder.path().join(unit), text).unwrap();
    }
    folder
}

#[test]
fn systemd_accepts_every_unit_without_a_word() {
    let folder = startable_units();
    let Some(mut command) = systemd_analyze(&["verify"]) else { return };
    let output = command.args(UNITS.map(|unit| folder.path().join(unit))).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    // Units of the machine itself may have something to be said about: ours must not.
    let about_ours: Vec<&str> =
        said.lines().filter(|line| line.contains("mysql-smartsuite-sync")).collect();
    assert!(output.status.success() && about_ours.is_empty(), "{said}");
}

#[test]
fn systemd_finds_a_mistake_in_a_unit() {
    let folder = startable_units();
    let unit = folder.path().join(UNITS[0]);
    let text = fs::read_to_string(&unit).unwrap();
    fs::write(&unit, text.replace("/bin/true", "/no/such/program")).unwrap();
    let Some(mut command) = systemd_analyze(&["verify"]) else { return };
    assert!(!command.arg(&unit).output().unwrap().status.success());
}

#[test]
fn the_services_can_do_little_harm() {
    let folder = startable_units();
    for unit in UNITS.into_iter().filter(|unit| unit.contains(".service")) {
        let Some(mut command) = systemd_analyze(&["security", "--offline=true", "--no-pager"])
        else {
            return;
        };
        let output = command.arg(folder.path().join(unit)).output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        let level = said
            .rsplit_once("level for ")
            .and_then(|(_, rest)| rest.split_whitespace().nth(1)?.parse::<f64>().ok());
        assert!(level.is_some_and(|level| level < EXPOSURE_MAX), "{unit}: {level:?}\n{said}");
    }
}

#[test]
fn service_and_timed_run_use_the_same_account_state_and_protection() {
    let settings = |unit: &str| -> Vec<String> {
        let own = ["Description=", "Type=", "Exec", "Timeout", "Restart", "Watchdog", "WantedBy="];
        project::text(&format!("deploy/systemd/{unit}"))
            .lines()
            .filter(|line| line.contains('=') && !line.starts_with('#'))
            .filter(|line| !own.iter().any(|own| line.starts_with(own)))
            .map(str::to_owned)
            .collect()
    };
    assert_eq!(settings(UNITS[0]), settings(UNITS[1]));
}
