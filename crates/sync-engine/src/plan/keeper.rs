//! Holds a run to a plan that was made before.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::{Mutex, PoisonError},
};

use sync_core::{slug::Slug, state::Call, table::Choice};

use super::{
    PlannedWrite, WriteDigest,
    write::{WriteDigests, choice_digest},
};
use crate::{overseer::Overseer, run::Trouble};

/// What the plan says of one sync.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PlanPromise {
    /// [`super::PlannedSync::outboxes`].
    pub outboxes: VecDeque<[u8; 16]>,
    /// [`super::PlannedSync::promised`].
    pub writes: BTreeSet<WriteDigest>,
}

/// Lets a run do what the plan says and nothing else: a run whose rows, outbox or quarantine differ from what the plan
/// was made of sends nothing, and a call with a write that the plan does not have does not leave.
#[derive(Debug)]
pub struct PlanKeeper {
    syncs: Mutex<BTreeMap<String, (PlanPromise, WriteDigests)>>,
}

impl PlanKeeper {
    /// Of the promises of each sync, by name.
    pub fn new(syncs: BTreeMap<String, PlanPromise>) -> Self {
        let syncs =
            syncs.into_iter().map(|(name, promise)| (name, (promise, WriteDigests::default())));
        Self { syncs: Mutex::new(syncs.collect()) }
    }
}

impl Overseer for PlanKeeper {
    fn captured(&self, sync: &str, outbox: [u8; 16]) -> Result<(), Trouble> {
        let mut syncs = self.syncs.lock().unwrap_or_else(PoisonError::into_inner);
        let planned = syncs.get_mut(sync).and_then(|(promise, _)| promise.outboxes.pop_front());
        if planned == Some(outbox) { Ok(()) } else { Err(Trouble::plan_outdated()) }
    }

    fn may_leave(&self, sync: &str, call: &Call) -> bool {
        let mut syncs = self.syncs.lock().unwrap_or_else(PoisonError::into_inner);
        let Some((promise, digests)) = syncs.get_mut(sync) else { return false };
        call.entries
            .iter()
            .map(|entry| digests.next(&PlannedWrite::of(call.operation, entry)))
            .all(|digest| promise.writes.contains(&digest))
    }

    fn may_add(&self, sync: &str, slug: &Slug, choices: &[Choice]) -> bool {
        let syncs = self.syncs.lock().unwrap_or_else(PoisonError::into_inner);
        syncs.get(sync).is_some_and(|(promise, _)| {
            choices.iter().all(|choice| promise.writes.contains(&choice_digest(slug, choice)))
        })
    }
}
