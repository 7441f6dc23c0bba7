//! What events come to.

use std::time::Duration;

use jiff::Timestamp;
use sync_core::{
    port::Boxed,
    state::{Books, CallKind, RunStatus},
};

use super::*;

struct Still;

impl Clock for Still {
    fn now(&self) -> Timestamp {
        Timestamp::UNIX_EPOCH
    }

    fn elapsed(&self) -> Duration {
        Duration::ZERO
    }

    fn sleep(&self, _length: Duration) -> Boxed<'static, ()> {
        Box::pin(std::future::pending())
    }
}

#[test]
fn a_run_is_followed_from_its_beginning_to_its_end() {
    let live = Live::new(Arc::new(Still));
    let version = live.version();
    live.observe("orders", &Event::RunBegan { run: 7, waiting: 2 });
    let books = Books { read: 10, queued: 3, parked: 1, unchanged: 6, ..Books::default() };
    live.observe("orders", &Event::Captured { books });
    live.observe("orders", &Event::CallLeft { kind: CallKind::Create, items: 5, number: None });
    let shown = serde_json::to_value(&live.progress().0["orders"]).unwrap();
    assert_eq!(shown["rows"], 10);
    assert_eq!(shown["waiting"], 5);
    assert_eq!(shown["refused"], 1);
    assert_eq!(shown["phase"], "sending");
    let kind = CallKind::Create;
    live.observe(
        "orders",
        &Event::CallEnded { kind, took: Duration::from_millis(300), error: None },
    );
    let books = Books { created: 5, ..Books::default() };
    live.observe("orders", &Event::Settled { books, waiting: 0 });
    live.observe(
        "orders",
        &Event::RunEnded { run: 7, status: RunStatus::Success, books, calls: 1 },
    );
    assert!(live.progress().0.is_empty());
    assert_eq!(live.version(), version + 2, "pages read the state anew when a run begins and ends");
    let counts = live.counts();
    assert_eq!(counts.runs[&("orders".to_owned(), "success")], 1);
    assert_eq!(counts.records[&("orders".to_owned(), "created")], 5);
    assert_eq!(counts.calls[&("orders".to_owned(), "create", "ok")], 1);
    let buckets: Vec<_> = counts.call_times["create"].buckets().collect();
    assert_eq!(buckets[2], (0.25, 0));
    assert_eq!(buckets[3], (0.5, 1));
    assert_eq!(counts.call_times["create"].count(), 1);
}

#[test]
fn what_nobody_began_is_no_progress() {
    let live = Live::new(Arc::new(Still));
    live.observe("orders", &Event::Captured { books: Books::default() });
    assert!(live.progress().0.is_empty());
}

#[test]
fn what_is_counted_of_a_sync_is_there_before_it_happens() {
    let live = Live::new(Arc::new(Still));
    let mut counts = live.counts();
    counts.begin("orders");
    let of = |word| ("orders".to_owned(), word);
    assert_eq!((counts.runs[&of("failed")], counts.runs.len()), (0, 4));
    assert_eq!((counts.records[&of("refused")], counts.records.len()), (0, 6));
    counts.run("orders", RunStatus::Failed, &Books { created: 5, ..Books::default() }, None);
    counts.begin("orders");
    assert_eq!((counts.runs[&of("failed")], counts.runs.len()), (1, 4));
    assert_eq!((counts.records[&of("created")], counts.records.len()), (5, 6));
}
