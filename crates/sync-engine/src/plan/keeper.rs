//! Holds a run to a plan that was made before.

use std::collections::{BTreeMap, BTreeSet};

use sync_core::{slug::Slug, state::Call, table::Choice};

use super::{PlannedWrite, WriteDigest, write::choice_digest};
use crate::{overseer::Overseer, run::Trouble};

/// What the plan says of one sync.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PlanPromise {
    /// [`super::PlannedSync::outbox`].
    pub outbox: Option<[u8; 16]>,
    /// [`super::PlannedSync::promised`].
    pub writes: BTreeSet<WriteDigest>,
}

/// Lets a run do what the plan says and nothing else: a run whose rows, outbox or quarantine differ from what the plan
/// was made of sends nothing, and a call with a write that the plan does not have does not leave.
#[derive(Clone, Debug)]
pub struct PlanKeeper {
    syncs: BTreeMap<String, PlanPromise>,
}

impl PlanKeeper {
    /// Of the promises of each sync, by name.
    pub fn new(syncs: BTreeMap<String, PlanPromise>) -> Self {
        Self { syncs }
    }
}

impl Overseer for PlanKeeper {
    fn captured(&self, sync: &str, outbox: [u8; 16]) -> Result<(), Trouble> {
        let planned = self.syncs.get(sync).and_then(|promise| promise.outbox);
        if planned == Some(outbox) { Ok(()) } else { Err(Trouble::plan_outdated()) }
    }

    fn may_leave(&self, sync: &str, call: &Call) -> bool {
        self.syncs.get(sync).is_some_and(|promise| {
            call.entries
                .iter()
                .map(|entry| PlannedWrite::of(call.operation, entry).digest())
                .all(|digest| promise.writes.contains(&digest))
        })
    }

    fn may_add(&self, sync: &str, slug: &Slug, choices: &[Choice]) -> bool {
        self.syncs.get(sync).is_some_and(|promise| {
            choices.iter().all(|choice| promise.writes.contains(&choice_digest(slug, choice)))
        })
    }
}
