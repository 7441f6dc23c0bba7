//! The way round a bulk route that fails by itself.

use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
};

/// Where one item goes through the route for one record.
///
/// Normally everything goes through the bulk routes, as the single ones follow other rules (they enforce `required`).
/// But one runbook saw bulk creates answered with 500, always. So a 500 to a bulk call of one item turns this on for
/// the table, and a 500 to a single call turns it off again.
#[derive(Default)]
pub(super) struct SingleFallback(Mutex<BTreeSet<(String, bool)>>);

impl SingleFallback {
    pub(super) fn is_on(&self, table: &str, creates: bool) -> bool {
        let on = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        on.contains(&(table.to_owned(), creates))
    }

    pub(super) fn turn(&self, table: &str, creates: bool) {
        let mut on = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let place = (table.to_owned(), creates);
        if !on.remove(&place) {
            on.insert(place);
        }
    }
}
