//! One process of several that share an API key through a state file: calls an emulator as fast as the gate lets it.
//!
//! `gate_caller STATE_FILE BASE_URL SECONDS TABLE`; prints how many calls it made.
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a helper of one test, in real time"
)]

use std::{path::Path, time::Duration, time::Instant};

use jiff::Timestamp;
use smartsuite_emulator::{DEMO_ACCOUNT, DEMO_TOKEN};
use sync_core::{pace::Rate, port::RecordTarget as _, secret::Secret};
use sync_engine::state::State;
use sync_sim::pacing::Gate;
use sync_smartsuite::{ClientOptions, SmartSuiteClient};
use sync_store::SqliteStore;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [state, base_url, seconds, table] = arguments.as_slice() else {
        panic!("STATE_FILE BASE_URL SECONDS TABLE");
    };
    let length = Duration::from_secs(seconds.parse().expect("seconds"));
    let store = SqliteStore::open(Path::new(state)).expect("the state opens");
    let gate = Gate::Stored(State::on_thread(Box::new(store)).expect("a thread starts"));
    let mut options = ClientOptions::new(DEMO_ACCOUNT, Secret::new(DEMO_TOKEN));
    options.base_url.clone_from(base_url);
    let client = SmartSuiteClient::new(&options).expect("the options are valid");
    let began = Instant::now();
    let mut calls = 0_u32;
    while began.elapsed() < length {
        let at = gate.depart(Rate(4), Timestamp::now()).await.expect("the state works");
        let wait = Duration::try_from(at.duration_since(Timestamp::now())).unwrap_or_default();
        tokio::time::sleep(wait).await;
        client.structure(table).await.expect("the emulator answers");
        calls += 1;
    }
    println!("{calls}");
}
