//! Two processes, one API key, one state file: together they keep within the service's rate.
#![cfg(test)]
#![expect(clippy::print_stdout, reason = "what was measured is for people to see")]

use std::process::{Child, Command, Stdio};

use serde_json::json;
use smartsuite_emulator::{Emulator, Plan, SharedEmulator, TableSeed, serve};
use sync_store::SqliteStore;
use tokio::{net::TcpListener, sync::oneshot};

const TABLE: &str = "6500000000000000000000aa";
const SECONDS: u32 = 6;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_that_share_a_key_through_the_state_never_meet_a_429() {
    let table = TableSeed::new(TABLE.parse().unwrap(), "Items").field(
        "title",
        "Title",
        "recordtitlefield",
        json!({"primary": true}),
    );
    let emulator = Emulator::builder()
        .plan(Plan::Signature)
        .now(SharedEmulator::real_now())
        .table(table)
        .build()
        .unwrap();
    let emulator = SharedEmulator::new(emulator);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let (end, ended) = oneshot::channel::<()>();
    let served = tokio::spawn(serve(listener, emulator.clone(), async {
        let _dropped = ended.await;
    }));

    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state.db");
    drop(SqliteStore::open(&state).unwrap());
    let start = || -> Child {
        Command::new(env!("CARGO_BIN_EXE_gate_caller"))
            .arg(&state)
            .args([address.as_str(), &SECONDS.to_string(), TABLE])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap()
    };
    let (first, second) = (start(), start());
    let finish = |process: Child| tokio::task::spawn_blocking(|| process.wait_with_output());
    let mut calls = 0;
    for output in [finish(first).await, finish(second).await] {
        let output = output.unwrap().unwrap();
        assert!(output.status.success(), "a call was not answered, or a process failed");
        let made: u32 = String::from_utf8(output.stdout).unwrap().trim().parse().unwrap();
        assert!(made > 0, "both get their turn");
        calls += made;
    }
    end.send(()).unwrap();
    served.await.unwrap().unwrap();

    println!("2 processes in {SECONDS} s: {calls} calls, 429 never");
    emulator.with(|emulator| {
        assert_eq!(emulator.counters().requests, u64::from(calls));
        assert!(!emulator.counters().by_status.contains_key(&429));
    });
    // A departure more may be reserved when time is up, and the first leaves at once.
    assert!(calls <= 4 * SECONDS + 3, "the gate let {calls} calls through");
}
