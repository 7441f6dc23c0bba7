//! A service's alarm over a state file, with a clock that is set: what happens to the state, and what is told of it.

use std::{
    ops::RangeInclusive,
    sync::{Arc, Mutex},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use sync_core::{
    config,
    deletes::GonePolicy,
    draft::Fields,
    error::Quoted,
    field_value::FieldValue,
    key::Key,
    pace::Rate,
    port::{Boxed, Clock, Watermark},
    record::RecordId,
    slug::Slug,
    state::{
        Books, CallKind, CapturedRow, Chunk, Creates, Dispatch, DispatchRequest, Extent, Fault,
        Outcome, ReadEnd, RowOutcome, RunEnd, RunStatus, Settlement, StateStore as _, Stop,
        SyncIdentity, Writer,
    },
};
use sync_store::SqliteStore;
use tempfile::TempDir;

use super::super::{Alarm, Troubles};

/// Two syncs that are swept. Of the first nothing is ever late, and nobody makes copies of the state.
const FILE: &str = "
state: {daily_backups: 0}
smartsuite: {monthly_calls: 50, reserve: 10}
syncs:
  - name: orders
    freshness: 500000
    source: {table: orders}
    destination: {table_id: 6500000000000000000000d1, external_id_field: sorder, on_delete: delete, field_mappings: {total: stotal}}
  - name: customers
    freshness: 60
    source: {table: customers}
    destination: {table_id: 6500000000000000000000c1, external_id_field: scustomer, on_delete: delete, field_mappings: {name: title}}
";

/// How a run ended: code and words of what kept it from success.
pub(super) type Ended = (RunStatus, Option<(&'static str, &'static str)>);

/// Nothing did.
pub(super) const WELL: Ended = (RunStatus::Success, None);

/// A run under way.
#[derive(Clone, Copy)]
pub(super) struct Run {
    pub(super) writer: Writer,
    id: i64,
}

/// A clock that stands until it is set.
pub(super) struct SetClock(Mutex<Timestamp>);

impl SetClock {
    pub(super) fn at(text: &str) -> Arc<Self> {
        Arc::new(Self(Mutex::new(text.parse().unwrap())))
    }

    pub(super) fn set(&self, now: Timestamp) {
        *self.0.lock().unwrap() = now;
    }
}

impl Clock for SetClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }

    fn elapsed(&self) -> Duration {
        Duration::ZERO
    }

    fn sleep(&self, _length: Duration) -> Boxed<'static, ()> {
        Box::pin(std::future::pending())
    }
}

/// What happens, and what is told.
pub(super) struct Story {
    pub(super) folder: TempDir,
    pub(super) store: SqliteStore,
    pub(super) clock: Arc<SetClock>,
    pub(super) alarm: Arc<Alarm>,
    pub(super) troubles: Arc<Troubles>,
    /// Whether messages are taken.
    pub(super) is_taken: bool,
    told: Vec<String>,
}

impl Story {
    /// It is noon. `alerts` are more lines of the section.
    pub(super) fn new(alerts: &str) -> Self {
        let text =
            format!("{FILE}alerts:\n  webhook: {{url: 'https://example.org/hook'}}\n{alerts}");
        Self::of(&text)
    }

    /// Of another mapping file.
    pub(super) fn of(text: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.db");
        let store = SqliteStore::open(&path).unwrap();
        let clock = SetClock::at("2026-11-02T12:00:00Z");
        let config = config::parse(text, &|_| None).config.unwrap();
        let troubles: Arc<Troubles> = Arc::default();
        let set = Arc::clone(&clock) as Arc<dyn Clock>;
        let alarm = Alarm::of(&config, 5, path, Arc::clone(&troubles), set).unwrap();
        let alarm = Arc::new(alarm);
        Self { folder, store, clock, alarm, troubles, is_taken: true, told: Vec::new() }
    }

    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// A look, as the service does it; what is due is sent.
    pub(super) fn look(&mut self) {
        let now = self.now();
        for message in self.alarm.look().unwrap() {
            let outcome = if self.is_taken { Ok(()) } else { Err("it is down".to_owned()) };
            if self.is_taken {
                let text = message.message.text().replace("\n  hint: ", " -> ").replace('\n', "; ");
                self.told.push(format!("{}: {text}", now.strftime("%H:%M")));
            }
            self.alarm.settle(&message, outcome, now);
        }
    }

    /// Time passes, and it is looked.
    pub(super) fn later(&mut self, minutes: i64) {
        self.clock.set(self.now() + SignedDuration::from_mins(minutes));
        self.look();
    }

    /// Exactly this was told since the last time.
    #[track_caller]
    pub(super) fn tells(&mut self, expected: &[&str]) {
        assert_eq!(std::mem::take(&mut self.told), expected);
    }

    /// A run begins, and lets a stop go.
    pub(super) fn begin(&mut self, sync: &str) -> Run {
        let now = self.now();
        let identity = SyncIdentity {
            name: sync.into(),
            previously: None,
            host: "app.smartsuite.com".into(),
            account: "s1234567".into(),
            table: format!("table of {sync}"),
            external_id_field: "sexternal".into(),
            values_hash: "v1".into(),
            key_hash: Some("k1".into()),
            only_updates: false,
            accept_key_change: false,
        };
        let opened = self.store.open_sync(&identity, now).unwrap();
        let writer = self.store.hold(&opened, "this test", now).unwrap();
        self.store.set_stop(&writer, None).unwrap();
        Run { writer, id: self.store.begin_run(&writer, now).unwrap() }
    }

    pub(super) fn end(&mut self, run: Run, (status, trouble): Ended) {
        let (code, error) = trouble.map(|(code, text)| (code.to_owned(), text.to_owned())).unzip();
        let end = RunEnd { status, books: Books::default(), calls: 0, error, code };
        self.store.end_run(&run.writer, run.id, &end, self.now()).unwrap();
        self.store.release(&run.writer).unwrap();
        self.look();
    }

    /// A run that does this, and ends so.
    pub(super) fn run(&mut self, sync: &str, ended: Ended, work: impl FnOnce(&mut Self, Run)) {
        let run = self.begin(sync);
        work(self, run);
        self.end(run, ended);
    }

    /// A read of every row shows these.
    pub(super) fn read(&mut self, run: Run, keys: RangeInclusive<i64>) {
        self.capture(run, keys, true, |key| RowOutcome::draft(draft(key)));
    }

    /// These rows do not become drafts.
    pub(super) fn refuse(&mut self, run: Run, keys: RangeInclusive<i64>) {
        let outcome = |key| RowOutcome::Fault(fault(), draft(key).fingerprint());
        self.capture(run, keys, false, outcome);
    }

    fn capture(
        &mut self,
        run: Run,
        keys: RangeInclusive<i64>,
        is_everything: bool,
        outcome: impl Fn(i64) -> RowOutcome,
    ) {
        let row = |key| CapturedRow { key: Key::Int(key), outcome: outcome(key), cells: None };
        let ticket = self.store.begin_read(&run.writer).unwrap();
        let end = is_everything.then(|| ReadEnd {
            watermark: Some(Watermark("w".into())),
            extent: Extent::Everything,
            first_read: ticket.read,
        });
        let chunk = Chunk {
            ticket,
            rows: keys.map(row).collect(),
            unchanged: 0,
            answered: Vec::new(),
            end,
            now: self.now(),
        };
        self.store.capture(&run.writer, &chunk).unwrap();
    }

    /// What waits is sent, and SmartSuite takes it, or refuses it.
    pub(super) fn send(&mut self, run: Run, is_accepted: bool) {
        let now = self.now();
        let request = DispatchRequest {
            now,
            entries_max: 25,
            creates_max: 25,
            bytes_max: 1_000_000,
            creates: Creates::Audited,
            fresh_first: false,
            tried_only: false,
            gone: GonePolicy::Delete { adopted: false },
        };
        while let Dispatch::Send(call) = self.store.dispatch(&run.writer, &request).unwrap().0 {
            let settled = call.entries.iter().map(|entry| {
                let record = RecordId(format!("{:0>24}", entry.key.text()));
                let outcome = if is_accepted {
                    Outcome::Written { record, autonumber: None }
                } else {
                    Outcome::Refused { fault: fault() }
                };
                Settlement { id: entry.id, outcome }
            });
            let settled: Vec<Settlement> = settled.collect();
            self.store.settle(&run.writer, &settled, now).unwrap();
        }
    }

    /// A sweep shows these keys.
    pub(super) fn sweep(&mut self, run: Run, keys: impl IntoIterator<Item = i64>) {
        let now = self.now();
        let ticket = self.store.begin_sweep(&run.writer, now).unwrap();
        let keys: Vec<Key> = keys.into_iter().map(Key::Int).collect();
        self.store.sweep(&run.writer, &keys).unwrap();
        let end = self.store.end_sweep(&run.writer, ticket, None, now).unwrap();
        if end.shown > 0 && !end.asks {
            assert!(!self.store.mark_candidates(&run.writer, ticket, 5_000, now).unwrap());
        }
    }

    /// The breaker stops the sync.
    pub(super) fn stop(&mut self, run: Run) {
        let stop = Stop {
            code: "key_refused".into(),
            message: "the API key is refused".into(),
            remedy: "give another one".into(),
            key: None,
            until: None,
            only_creates: false,
        };
        self.store.set_stop(&run.writer, Some(&stop)).unwrap();
    }

    /// Calls are made until so many are counted.
    pub(super) fn call(&mut self, run: Run, made: std::ops::Range<u64>) {
        for _ in made {
            let (kind, now) = (Some(CallKind::Scan), self.now());
            self.store.depart(run.writer.sync, "a key", kind, Rate(0), now).unwrap();
        }
        self.look();
    }
}

fn draft(key: i64) -> Fields {
    Fields::new(vec![(Slug::from("title"), FieldValue::text(key.to_string()))])
}

fn fault() -> Fault {
    Fault {
        code: "too_long".into(),
        slug: Some(Slug::from("title")),
        reason: Quoted("it is too long".into()),
        remedy: "shorten it".into(),
    }
}
