//! The emulator in this process, on a real port.

use std::thread::JoinHandle;

use bytes::Bytes;
use http::Request;
use serde_json::{Value, json};
use smartsuite_emulator::{
    Emulator, EmulatorBuilder, Fault, LogEntry, ProfileName, Seed, SharedEmulator, TableSeed, serve,
};
use tokio::{net::TcpListener, runtime::Runtime, sync::oneshot};

/// A served emulator; it ends when it is dropped.
pub(crate) struct Served {
    emulator: SharedEmulator,
    /// `http://127.0.0.1:PORT`.
    pub(crate) url: String,
    end: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Served {
    /// The demo's tables, empty; a credit limit above a million is refused. Without a limit of requests: what paces
    /// them is proved elsewhere.
    pub(crate) fn start() -> Self {
        Self::by_chance(0)
    }

    /// The same anew, with another seed of the emulator's chance, at another address.
    pub(crate) fn restart(&mut self, chance: u64) {
        *self = Self::by_chance(chance);
    }

    /// These tables in a profile, without a limit of requests.
    pub(crate) fn of(profile: ProfileName, tables: Vec<TableSeed>) -> Self {
        // What lists show late is waited for elsewhere.
        let builder = Emulator::builder().named_profile(profile).unlimited();
        let builder = builder.with(|profile| profile.list_lag_ms = 0);
        let builder = tables.into_iter().fold(builder, EmulatorBuilder::table);
        let emulator = builder.now(SharedEmulator::real_now()).build().unwrap();
        Self::serve(SharedEmulator::new(emulator))
    }

    fn by_chance(chance: u64) -> Self {
        let mut seed = Seed::demo().unwrap();
        let tables = seed.accounts.iter_mut().flat_map(|account| &mut account.solutions);
        let fields =
            tables.flat_map(|solution| &mut solution.tables).flat_map(|table| &mut table.fields);
        for field in fields.filter(|field| field.slug == "screditlim") {
            field.params.insert("max_value".to_owned(), json!(1_000_000));
        }
        let emulator = Emulator::builder()
            .seed(seed)
            .unlimited()
            .chance(chance)
            .keep_bodies()
            .now(SharedEmulator::real_now())
            .build()
            .unwrap();
        Self::serve(SharedEmulator::new(emulator))
    }

    fn serve(emulator: SharedEmulator) -> Self {
        let runtime = Runtime::new().unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (end, ended) = oneshot::channel();
        let served = emulator.clone();
        let thread = std::thread::spawn(move || {
            // The sender is dropped at the latest when the story is over.
            let until = async move { drop(ended.await) };
            runtime.block_on(serve(listener, served, until)).unwrap();
        });
        Self { emulator, url, end: Some(end), thread: Some(thread) }
    }

    /// Looks at or changes the emulator.
    pub(crate) fn with<T>(&self, act: impl FnOnce(&mut Emulator) -> T) -> T {
        self.emulator.with(act)
    }

    /// Makes a fault happen.
    pub(crate) fn fault(&self, fault: Fault) {
        self.with(|emulator| emulator.add_fault(fault));
    }

    /// Requests after the one with this number.
    pub(crate) fn requests_after(&self, number: u64) -> Vec<LogEntry> {
        self.with(|emulator| {
            emulator.log().filter(|entry| entry.number > number).cloned().collect()
        })
    }

    /// Number of the newest request.
    pub(crate) fn newest_request(&self) -> u64 {
        self.with(|emulator| emulator.log().map(|entry| entry.number).max().unwrap_or(0))
    }

    /// The live records of a table, with every field.
    pub(crate) fn records(&self, table: &str) -> Vec<Value> {
        let dump = self.ask("GET", &format!("/_emulator/tables/{table}/dump"), &Value::Null);
        dump["records"].as_array().unwrap().clone()
    }

    /// What a person does in the application.
    pub(crate) fn person(&self, action: &str, table: &str, record: &str, values: Value) {
        let body = json!({
            "action": action, "table": table, "record": record, "values": values,
        });
        self.ask("POST", "/_emulator/people", &body);
    }

    /// A call as the API takes it, such as a change of a field.
    pub(crate) fn api(&self, method: &str, path: &str, body: &Value) -> Value {
        self.ask(method, path, body)
    }

    fn ask(&self, method: &str, path: &str, body: &Value) -> Value {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("Authorization", "Token demo-token")
            .header("ACCOUNT-ID", "s1234567")
            .header("Content-Type", "application/json")
            .body(Bytes::from(body))
            .unwrap();
        let outcome = self.with(|emulator| emulator.handle(SharedEmulator::real_now(), &request));
        let response = outcome.response().unwrap();
        let text = String::from_utf8_lossy(response.body()).into_owned();
        assert!(response.status().is_success(), "{method} {path}: {text}");
        if text.is_empty() { Value::Null } else { serde_json::from_str(&text).unwrap() }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        drop(self.end.take());
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}
