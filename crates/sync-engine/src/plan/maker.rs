//! Writes down what a rehearsed run would do.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use sync_core::{
    delivery::Operation,
    slug::Slug,
    state::{Call, CallKind},
    table::Choice,
};

use super::{
    PlannedWrite, WriteDigest,
    write::{WriteDigests, choice_digest},
};
use crate::{
    event::{Event, Observer},
    overseer::Overseer,
    run::Trouble,
};

/// What a run of one sync would do.
#[derive(Clone, Debug, Default)]
pub struct PlannedSync {
    /// The digest of what the outbox wishes for once every row is read, for each turn that came so far. A sync whose rows
    /// point to one that comes after it has two turns.
    pub outboxes: Vec<[u8; 16]>,
    /// Calls by kind.
    pub calls: BTreeMap<CallKind, u64>,
    /// Every write, in the order in which they would leave.
    pub writes: Vec<WriteDigest>,
    /// The first of them in full.
    pub shown: Vec<PlannedWrite>,
    /// Rows that would take over a record that carries no key (`match_on`); each is an update too.
    pub taken_over: u64,
    /// Rows that several records, or several rows, would keep from it.
    pub ambiguous: u64,
    /// Choices that would be added, each with its field.
    pub choices: Vec<(Slug, Choice)>,
    /// Updates of records whose empty fields would be filled (`write: if_empty`): only the answers to them show which
    /// are empty, and those records are written once more.
    pub fillable: u64,
    /// Writes by operation.
    pub counts: BTreeMap<Operation, u64>,
    digests: WriteDigests,
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
        self.note(sync, |planned| planned.outboxes.push(outbox));
        Ok(())
    }

    fn may_leave(&self, sync: &str, call: &Call) -> bool {
        self.note(sync, |planned| {
            for entry in &call.entries {
                let write = PlannedWrite::of(call.operation, entry);
                let digest = planned.digests.next(&write);
                planned.writes.push(digest);
                *planned.counts.entry(call.operation).or_default() += 1;
                let fills =
                    call.operation == Operation::Update && entry.fields.if_empty().next().is_some();
                planned.fillable += u64::from(fills);
                if planned.shown.len() < self.shown_max {
                    planned.shown.push(write);
                }
            }
        });
        true
    }

    fn may_add(&self, sync: &str, slug: &Slug, choices: &[Choice]) -> bool {
        let added = choices.iter().map(|choice| (slug.clone(), choice.clone()));
        self.note(sync, |planned| planned.choices.extend(added));
        true
    }
}

impl PlannedSync {
    /// What a run may write, and which choices it may add.
    pub fn promised(&self) -> impl Iterator<Item = WriteDigest> {
        let choices = self.choices.iter().map(|(slug, choice)| choice_digest(slug, choice));
        self.writes.iter().copied().chain(choices)
    }
}

impl Observer for PlanMaker {
    fn observe(&self, sync: &str, event: &Event) {
        match event {
            Event::CallLeft { kind, .. } => {
                self.note(sync, |planned| *planned.calls.entry(*kind).or_default() += 1);
            }
            Event::Matched { adopted, ambiguous } => self.note(sync, |planned| {
                planned.taken_over += adopted;
                planned.ambiguous += ambiguous;
            }),
            _ => {}
        }
    }
}
