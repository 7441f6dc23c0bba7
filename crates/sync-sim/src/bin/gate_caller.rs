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

use std::{
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use jiff::Timestamp;
use smartsuite_emulator::{DEMO_ACCOUNT, DEMO_TOKEN};
use sync_core::{
    pace::Rate,
    port::{Boxed, Clock, RecordTarget as _},
    secret::Secret,
};
use sync_engine::state::State;
use sync_sim::pacing::Gate;
use sync_smartsuite::{ClientOptions, SmartSuiteClient};
use sync_store::SqliteStore;

struct RealClock(Instant);

impl Clock for RealClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }

    fn sleep(&self, length: Duration) -> Boxed<'static, ()> {
        Box::pin(tokio::time::sleep(length))
    }
}

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
    let clock: Arc<dyn Clock> = Arc::new(RealClock(began));
    let mut calls = 0_u32;
    while began.elapsed() < length {
        gate.pass(Rate(4), &clock).await.expect("the state works");
        client.structure(table).await.expect("the emulator answers");
        calls += 1;
    }
    println!("{calls}");
}
