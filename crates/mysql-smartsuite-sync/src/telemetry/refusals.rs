//! Which rows a run refused, by code and field.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use sync_engine::event::{Event, Observer};

use crate::report::run::Refusals;

/// Counts refusals until they are taken.
#[derive(Debug, Default)]
pub(crate) struct RefusalCount(Mutex<BTreeMap<String, Refusals>>);

impl RefusalCount {
    /// The refusals of a sync since they were last taken.
    pub(crate) fn take(&self, sync: &str) -> Refusals {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(sync).unwrap_or_default()
    }
}

impl Observer for RefusalCount {
    fn observe(&self, sync: &str, event: &Event) {
        if let Event::RowRefused { code, slug } = event {
            let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let of_sync = counts.entry(sync.to_owned()).or_default();
            *of_sync.entry((code.clone(), slug.clone())).or_default() += 1;
        }
    }
}
