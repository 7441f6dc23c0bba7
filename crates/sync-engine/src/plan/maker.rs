//! Writes down what a rehearsed run would do.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use sync_core::{
    delivery::Operation,
    state::{Call, CallKind},
};

use super::{PlannedWrite, WriteDigest};
use crate::{
    event::{Event, Observer},
    overseer::Overseer,
    run::Trouble,
};

/// What a run of one sync would do.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PlannedSync {
    /// The digest of what the outbox wishes for once every row is read; `None` if the run does not come so far.
    pub outbox: Option<[u8; 16]>,
    /// Calls by kind.
    pub calls: BTreeMap<CallKind, u64>,
    /// Every write, in the order in which they would leave.
    pub writes: Vec<WriteDigest>,
    /// The first of them in full.
    pub shown: Vec<PlannedWrite>,
    /// Writes by operation.
    pub counts: BTreeMap<Operation, u64>,
}

/// Writes down every call of every sync. It is the rehearsal's overseer and one of its observers.
#[derive(Debug)]
pub struct PlanMaker {
    shown_max: usize,
    syncs: Mutex<BTreeMap<String, PlannedSync>>,
}

impl PlanMaker {
    /// Keeps at most `shown_max` writes of a sync in full.
    pub fn new(shown_max: usize) -> Self {
        Self { shown_max, syncs: Mutex::default() }
    }

    /// What was written down for a sync, and forgets it.
    pub fn take(&self, sync: &str) -> PlannedSync {
        let mut syncs = self.syncs.lock().unwrap_or_else(PoisonError::into_inner);
        syncs.remove(sync).unwrap_or_default()
    }

    fn note(&self, sync: &str, note: impl FnOnce(&mut PlannedSync)) {
        let mut syncs = self.syncs.lock().unwrap_or_else(PoisonError::into_inner);
        note(syncs.entry(sync.to_owned()).or_default());
    }
}

impl Overseer for PlanMaker {
    fn captured(&self, sync: &str, outbox: [u8; 16]) -> Result<(), Trouble> {
        self.note(sync, |planned| planned.outbox = Some(outbox));
        Ok(())
    }

    fn may_leave(&self, sync: &str, call: &Call) -> bool {
        self.note(sync, |planned| {
            for entry in &call.entries {
                let write = PlannedWrite::of(call.operation, entry);
                planned.writes.push(write.digest());
                *planned.counts.entry(call.operation).or_default() += 1;
                if planned.shown.len() < self.shown_max {
                    planned.shown.push(write);
                }
            }
        });
        true
    }
}

impl Observer for PlanMaker {
    fn observe(&self, sync: &str, event: &Event) {
        if let Event::CallLeft { kind, .. } = event {
            self.note(sync, |planned| *planned.calls.entry(*kind).or_default() += 1);
        }
    }
}
