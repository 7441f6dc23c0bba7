//! A trigger that is signed, as the guide shows it: by the guide's own lines.

use std::{
    fs,
    process::{Command, Stdio},
    time::Duration,
};

use throwaway_server::wait_until;

use crate::{
    stage::{CUSTOMERS, Stage, on_mariadb, project},
    web::Service,
};

on_mariadb! {
    a_request_signed_as_the_guide_shows_is_taken_once
}

const LIMIT: Duration = Duration::from_secs(30);
const SECRET: &str = "a-secret-0123456789";

/// The guide's lines that sign a request and send it.
fn lines() -> String {
    let guide = fs::read_to_string(project().join("docs/guide/monitor.md")).unwrap();
    let lines = guide.lines().skip_while(|line| !line.contains("time=$(date"));
    let lines: Vec<&str> = lines.map_while(|line| line.strip_prefix("    ")).collect();
    lines.join("\n")
}

fn is_there(program: &str) -> bool {
    let mut command = Command::new(program);
    command.arg("version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok()
}

fn a_request_signed_as_the_guide_shows_is_taken_once(stage: &mut Stage) {
    if !is_there("openssl") || !is_there("curl") {
        eprintln!("\n*** SKIPPED: no openssl or no curl here ***\n");
        return;
    }
    stage.setting("SYNC_WEBHOOK_SECRET", SECRET);
    let service = Service::start(stage, &["--interval", "60"]);
    let lines = lines().replace("127.0.0.1:8787", &service.address);
    assert!(lines.contains(&service.address) && lines.contains("openssl"), "{lines}");
    let date = |arguments: &[&str]| {
        let said = Command::new("date").args(arguments).output().unwrap().stdout;
        String::from_utf8(said).unwrap().trim().to_owned()
    };
    let now = date(&["+%s"]);
    // What `date` says is said here, so that two requests are signed alike.
    let send = |time: &str, secret: &str| {
        let script = format!("date() {{ echo {time}; }}\n{lines}");
        let mut shell = Command::new("sh");
        shell.args(["-euc", &script]).env("SYNC_WEBHOOK_SECRET", secret).stderr(Stdio::null());
        String::from_utf8(shell.output().unwrap().stdout).unwrap()
    };
    let long_ago = date(&["--date", "10 minutes ago", "+%s"]);
    for (time, secret, answer) in [
        (&now, "another-secret-0123", "webhook_signature"),
        (&long_ago, SECRET, "webhook_time"),
        (&now, SECRET, r#"{"status":"triggered"}"#),
        (&now, SECRET, "webhook_replayed"),
    ] {
        let said = send(time, secret);
        assert!(said.contains(answer), "{answer}: {said}");
    }
    assert_eq!(
        service.post("/webhook/sync/customers", "{}").problem(),
        (401, "webhook_credentials".into())
    );
    let done = wait_until(LIMIT, || Ok(stage.records(CUSTOMERS).len() == 5));
    assert!(done.unwrap());
    service.end(stage);
}
