//! What a failure or a missing record leads to, beyond its rows.

use std::collections::BTreeSet;

use sync_core::{
    config::model::OnMissing,
    error::{CallError, Quoted},
    key::Key,
    mutation::{self, Mutation},
    record::RecordId,
    scan::TableScan,
    state::{CallEntry, CallKind, Fault, Outcome, Settlement, StateError, Stop},
};

use super::{
    Delivery, Ended, FAILURES_MAX,
    landing::{UNNAMED_MAX, unconfirmed},
    lookup::{IDS_MAX, Sight},
};

impl Delivery<'_> {
    /// A failure that is not about rows: the table's or account's stops the sync, a passing one ends the run when it
    /// does not pass.
    pub(super) async fn failed(&mut self, error: &CallError) -> Result<(), StateError> {
        if let Some(stop) = self.route.calls.stop_for(error.kind) {
            return self.stop(stop).await;
        }
        self.failures_in_a_row += 1;
        if self.failures_in_a_row >= FAILURES_MAX {
            self.ended.get_or_insert(Ended::Failed(error.clone()));
        }
        Ok(())
    }

    /// The table takes no more records: those that would be made wait, and the rest goes on.
    pub(super) async fn hold_creates(&mut self, error: &CallError) -> Result<(), StateError> {
        let Some(stop) = self.route.calls.stop_for(error.kind) else { return Ok(()) };
        let (writer, stop) = (self.route.writer, Stop { only_creates: true, ..stop });
        let stored = stop.clone();
        self.state(move |state| state.set_stop(&writer, Some(&stored))).await?;
        self.creates_held = Some(stop);
        Ok(())
    }

    pub(super) async fn stop(&mut self, stop: Stop) -> Result<(), StateError> {
        let (writer, stored) = (self.route.writer, stop.clone());
        self.state(move |state| state.set_stop(&writer, Some(&stored))).await?;
        self.ended.get_or_insert(Ended::Stopped(stop));
        Ok(())
    }

    /// An update answered without its record, or 404 for it alone: the record may be gone, or the table.
    pub(super) async fn outcome_of_unnamed(
        &mut self,
        entry: &CallEntry,
        fault: Option<Fault>,
    ) -> Result<Outcome, StateError> {
        let Some(record) = &entry.record else { return Ok(self.back()) };
        let route = self.route;
        let found = route
            .calls
            .repeatable(CallKind::LookUp, || route.target.get(&route.shape, record))
            .await?;
        match found {
            Ok(Some(_)) => Ok(match fault {
                Some(fault) => {
                    self.breaker_of(entry.refusals).row_refused(entry.id, &fault.code);
                    self.tell_refused(&fault);
                    Outcome::Refused { fault }
                }
                None => self.back(),
            }),
            Ok(None) => {
                self.check_structure().await?;
                Ok(if self.ended.is_some() {
                    self.back()
                } else if entry.fields.iter().next().is_none() {
                    // It was to be archived or deleted: there is nothing left of it.
                    Outcome::Deleted
                } else {
                    self.outcome_of_missing()
                })
            }
            Err(error) => {
                self.failed(&error).await?;
                Ok(self.back())
            }
        }
    }

    /// Of a delete's entries that its answer does not name, the records were gone before, or are there still (D2): they are
    /// deleted once more, 25 a call, as a record may have lost the id by which a look-up would show it. Then a look-up tells
    /// which do not show; of the others each is asked for, as lists may lag.
    pub(super) async fn outcomes_of_undeleted(
        &mut self,
        entries: Vec<CallEntry>,
    ) -> Result<Vec<Settlement>, StateError> {
        // Of one that is archived already, that was the first attempt.
        let is_again = |entry: &CallEntry| entry.attempts > u32::from(entry.returns);
        let (again, first): (Vec<_>, Vec<_>) = entries.into_iter().partition(is_again);
        let mut settlements: Vec<Settlement> = first
            .into_iter()
            .map(|entry| Settlement { id: entry.id, outcome: self.back() })
            .collect();
        if again.is_empty() {
            return Ok(settlements);
        }
        let unseen = self.unseen(again.clone()).await?;
        for entry in again {
            let outcome = if unseen.iter().any(|one| one.id == entry.id) {
                Outcome::Deleted
            } else {
                let fault = (entry.attempts >= UNNAMED_MAX).then(unconfirmed);
                self.outcome_of_unnamed(&entry, fault).await?
            };
            if outcome == Outcome::Deleted {
                self.breaker_of(entry.refusals).accepted([entry.id]);
            }
            settlements.push(Settlement { id: entry.id, outcome });
        }
        Ok(settlements)
    }

    /// Of entries whose records are gone in part, what becomes of those that a look-up does not show: of 25 records that
    /// somebody deleted each would else be found by halving. Each is asked for, as an id may have been cleared. Once one is
    /// there, the look-up says too little, and the rest is left to halving.
    pub(super) async fn outcomes_of_gone(
        &mut self,
        entries: Vec<CallEntry>,
    ) -> Result<Vec<Settlement>, StateError> {
        let mut settlements = Vec::new();
        for entry in self.unseen(entries).await? {
            let outcome = self.outcome_of_unnamed(&entry, None).await?;
            if matches!(outcome, Outcome::Back { .. }) {
                break;
            }
            settlements.push(Settlement { id: entry.id, outcome });
        }
        Ok(settlements)
    }

    /// Those entries whose records a look-up does not show; none while another external-id field is filled.
    async fn unseen(&mut self, mut entries: Vec<CallEntry>) -> Result<Vec<CallEntry>, StateError> {
        let writer = self.route.writer;
        if self.state(move |state| state.is_filling(&writer)).await? {
            return Ok(Vec::new());
        }
        entries.truncate(IDS_MAX);
        let keys: Vec<Key> = entries.iter().map(|entry| entry.key.clone()).collect();
        match self.look(&keys, TableScan::whole(), false).await? {
            Sight::Clear(records) => {
                let seen: BTreeSet<RecordId> = records.into_iter().map(|seen| seen.id).collect();
                entries.retain(|entry| entry.record.as_ref().is_some_and(|id| !seen.contains(id)));
                Ok(entries)
            }
            Sight::Blind => Ok(Vec::new()),
            Sight::Failed(error) => {
                self.failed(&error).await?;
                Ok(Vec::new())
            }
        }
    }

    pub(super) fn outcome_of_missing(&self) -> Outcome {
        if mutation::is_on(Mutation::MissingForgotten) {
            return Outcome::LeftMissing;
        }
        match self.route.on_missing {
            OnMissing::Recreate => Outcome::Missing,
            OnMissing::Skip => Outcome::LeftMissing,
            OnMissing::Quarantine => Outcome::Refused {
                fault: Fault {
                    code: "record_missing".into(),
                    slug: None,
                    reason: Quoted("the record was deleted in SmartSuite".into()),
                    remedy: "restore the record there, or set `on_missing: recreate`".into(),
                },
            },
        }
    }
}
