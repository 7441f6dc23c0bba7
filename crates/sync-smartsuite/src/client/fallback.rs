//! The way round a bulk route that fails by itself, or says nothing.

use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
};

use sync_core::{
    error::{CallError, CallErrorKind},
    port::BulkAnswer,
};

/// Where one item goes through the route for one record.
///
/// Normally everything goes through the bulk routes, as the single ones follow other rules (they enforce `required`).
/// But one runbook saw bulk creates answered with 500, always; and a bulk call may pass over a bad item with a 200,
/// without a word why. So such an answer to a bulk call of one item makes the next call of one item take the single
/// route, which names its reasons; and a failure there leads back.
#[derive(Default)]
pub(super) struct SingleFallback(Mutex<BTreeSet<(String, bool)>>);

impl SingleFallback {
    /// Whether one item takes the single route.
    pub(super) fn is_on(&self, table: &str, creates: bool) -> bool {
        let on = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        on.contains(&(table.to_owned(), creates))
    }

    /// Learns from what became of one item.
    pub(super) fn learn(
        &self,
        table: &str,
        creates: bool,
        was_single: bool,
        result: &Result<BulkAnswer, CallError>,
    ) {
        let kind = result.as_ref().err().map(|error| error.kind);
        let failed = kind == Some(CallErrorKind::Server { status: 500 });
        let refused = matches!(kind, Some(CallErrorKind::Refused { .. }));
        let says_nothing =
            |answer: &BulkAnswer| answer.records.is_empty() && answer.complaints.is_empty();
        let silent = result.as_ref().is_ok_and(says_nothing);
        let place = (table.to_owned(), creates);
        let mut on = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if was_single && (failed || refused) {
            on.remove(&place);
        } else if !was_single && (failed || silent) {
            on.insert(place);
        }
    }
}
