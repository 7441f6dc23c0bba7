//! `probe` as people use it: asked first, counted like any other call, and kept beside the state.

#![cfg(test)]

use std::{
    path::Path,
    process::{Command, Output, Stdio},
};

use serde_json::{Value, json};
use smartsuite_emulator::{DEMO_ACCOUNT, DEMO_TOKEN, Emulator, SharedEmulator, TableSeed, serve};
use tokio::{net::TcpListener, sync::oneshot};

const TABLE: &str = "6500000000000000000000aa";

/// The program in a folder of its own, with nobody at its standard input.
fn probe(folder: &Path, url: &str, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_mysql-smartsuite-sync"))
        .args(["probe", "--table", TABLE])
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        .envs([
            ("MYSQL_HOST", "nowhere"),
            ("MYSQL_USER", "nobody"),
            ("MYSQL_PASSWORD", ""),
            ("MYSQL_DATABASE", "none"),
            ("SMARTSUITE_BASE_URL", url),
            ("SMARTSUITE_ACCOUNT_ID", DEMO_ACCOUNT),
            ("SMARTSUITE_TOKEN", DEMO_TOKEN),
            ("SYNC_TEST_OPEN_GATE", "1"),
        ])
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

fn emulator() -> SharedEmulator {
    let table = TableSeed::new(TABLE.parse().unwrap(), "Scratch")
        .field("title", "Title", "recordtitlefield", json!({"primary": true}))
        .field("sextidaaaa", "External ID", "textfield", json!({}));
    let now = SharedEmulator::real_now();
    SharedEmulator::new(Emulator::builder().unlimited().now(now).table(table).build().unwrap())
}

#[test]
fn a_probe_is_agreed_to_first_then_counted_and_kept_beside_the_state() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let emulator = emulator();
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (end, ended) = oneshot::channel::<()>();
    let served = runtime.spawn(serve(listener, emulator.clone(), async {
        let _dropped = ended.await;
    }));
    let folder = tempfile::tempdir().unwrap();

    let unasked = probe(folder.path(), &url, &[]);
    let words = String::from_utf8(unasked.stderr).unwrap();
    assert_eq!(unasked.status.code(), Some(64), "{words}");
    assert!(words.contains("at most 100 API calls"), "the cost comes first: {words}");
    assert!(words.contains("--yes"), "{words}");
    assert_eq!(emulator.with(|emulator| emulator.counters().requests), 0);

    let done = probe(folder.path(), &url, &["--yes", "--json"]);
    let words = String::from_utf8(done.stderr).unwrap();
    assert_eq!(done.status.code(), Some(0), "{words}");
    let shown: Value = serde_json::from_slice(&done.stdout).unwrap();
    let path = folder.path().join(format!("sync_state.db.probe-{DEMO_ACCOUNT}.json"));
    let kept: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    assert_eq!(shown, kept);
    assert_eq!((&kept["account"], &kept["records_left"]), (&json!(DEMO_ACCOUNT), &json!(0)));

    let made = emulator.with(|emulator| emulator.counters().requests);
    assert_eq!(kept["calls"], json!(made));
    let state = rusqlite::Connection::open(folder.path().join("sync_state.db")).unwrap();
    let counted: i64 =
        state.query_row("SELECT sum(count) FROM calls", [], |row| row.get(0)).unwrap();
    assert_eq!(u64::try_from(counted), Ok(made), "every call is counted in the state");
    let token = DEMO_TOKEN.as_bytes();
    let has_token = |text: &[u8]| text.windows(token.len()).any(|part| part == token);
    assert!(!has_token(&done.stdout) && !has_token(words.as_bytes()));

    end.send(()).unwrap();
    runtime.block_on(served).unwrap().unwrap();
}
