//! What has happened since the service began, for `/metrics`.

use std::{collections::BTreeMap, time::Duration};

use sync_core::{
    error::CallErrorKind,
    state::{Books, CallKind, RunStatus},
};

use super::{CALL_BOUNDS, Histogram, RUN_BOUNDS};

/// Counts since the service began.
#[derive(Clone, Debug, Default)]
pub(crate) struct Counts {
    /// Runs by sync and how they ended.
    pub(crate) runs: BTreeMap<(String, &'static str), u64>,
    /// How long runs took, by sync.
    pub(crate) run_times: BTreeMap<String, Histogram>,
    /// Rows read, by sync.
    pub(crate) rows: BTreeMap<String, u64>,
    /// Records by sync and what was done to them.
    pub(crate) records: BTreeMap<(String, &'static str), u64>,
    /// Calls by sync, kind and how they ended: `ok` or the code of the failure.
    pub(crate) calls: BTreeMap<(String, &'static str, &'static str), u64>,
    /// How long calls took, by kind.
    pub(crate) call_times: BTreeMap<&'static str, Histogram>,
}

impl Counts {
    /// Counts for a sync from now on, at first nothing. Of a count that is first seen with what it counted Prometheus
    /// sees no increase: of three failures two.
    pub(crate) fn begin(&mut self, sync: &str) {
        use RunStatus::{Failed, Interrupted, Partial, Success};
        for status in [Success, Partial, Interrupted, Failed] {
            self.runs.entry((sync.to_owned(), status.word())).or_default();
        }
        self.rows.entry(sync.to_owned()).or_default();
        for (what, _) in done(&Books::default()) {
            self.records.entry((sync.to_owned(), what)).or_default();
        }
    }

    pub(super) fn run(
        &mut self,
        sync: &str,
        status: RunStatus,
        books: &Books,
        took: Option<Duration>,
    ) {
        *self.runs.entry((sync.to_owned(), status.word())).or_default() += 1;
        if let Some(took) = took {
            let times = self.run_times.entry(sync.to_owned());
            times.or_insert_with(|| Histogram::new(RUN_BOUNDS)).add(took);
        }
        *self.rows.entry(sync.to_owned()).or_default() += books.read;
        for (what, count) in done(books) {
            *self.records.entry((sync.to_owned(), what)).or_default() += count;
        }
    }

    pub(super) fn call(
        &mut self,
        sync: &str,
        kind: CallKind,
        took: Duration,
        error: Option<CallErrorKind>,
    ) {
        let outcome = error.map_or("ok", |error| error.code());
        *self.calls.entry((sync.to_owned(), kind.word(), outcome)).or_default() += 1;
        let times = self.call_times.entry(kind.word());
        times.or_insert_with(|| Histogram::new(CALL_BOUNDS)).add(took);
    }
}

/// What was done in a run, by its word.
fn done(books: &Books) -> [(&'static str, u64); 6] {
    [
        ("created", books.created),
        ("adopted", books.adopted),
        ("updated", books.updated),
        ("deleted", books.deleted),
        ("archived", books.archived),
        ("refused", books.parked + books.quarantined),
    ]
}
