//! Looking once more, an hour later, at keys whose calls may have taken effect after all (`protocol.md` D6), and at
//! keys of which an audit showed a second record (D8).

use std::collections::BTreeSet;

use jiff::Timestamp;
use sync_core::{
    error::CallErrorKind,
    key::Key,
    mutation::{self, Mutation},
    port::BULK_MAX,
    record::{RecordId, SeenRecord},
    scan::TableScan,
    second_look::{Finding, HeldLink, SECOND_LOOK, is_untouched, judge},
    state::{CallKind, LinkChange, Origin, SecondLook, SecondSettlement, StateError},
};

use super::{Delivery, lookup::Sight};
use crate::event::Event;

/// Records that carry a key beside the linked one.
#[derive(Default)]
struct Twins {
    /// Our member's work, as it was made: too many.
    ours: Vec<(Key, RecordId)>,
    /// Perhaps somebody's.
    others: usize,
}

impl Delivery<'_> {
    /// Whether calls are ready or on their way whose answers may tell who we are: without it no twin can be removed, so that
    /// looks wait for them.
    pub(super) async fn may_soon_be_known(&mut self, now: Timestamp) -> Result<bool, StateError> {
        if !self.route.dedicated_member || self.own_member().await?.is_some() {
            return Ok(false);
        }
        let (writer, request) = (self.route.writer, self.request(now));
        let ready = self.state(move |state| state.next_ready(&writer, &request)).await?;
        Ok(!self.flights.is_empty() || ready.is_some_and(|at| at <= now))
    }

    /// Looks at these keys, corrects their links and removes twins.
    pub(super) async fn look_once_more(
        &mut self,
        looks: Vec<SecondLook>,
    ) -> Result<(), StateError> {
        let keys: Vec<Key> = looks.iter().map(|look| look.key.clone()).collect();
        let sight = self.look(&keys, TableScan::whole(), false).await?;
        self.note_sight(&sight).await?;
        let Sight::Clear(records) = sight else {
            return self.settle_looks(keys, true).await;
        };
        let own = self.own_member().await?;
        let mut twins = Twins::default();
        let mut settlements = Vec::with_capacity(looks.len());
        for look in looks {
            settlements.push(self.correct(look, &records, own.as_deref(), &mut twins).await?);
        }
        let (writer, now) = (self.route.writer, self.now());
        self.state(move |state| state.settle_second_looks(&writer, &settlements, now)).await?;
        self.note_archived().await?;
        self.tell_twins(twins.others).await?;
        self.remove(twins.ours).await
    }

    /// What one key's records say of its link; its twins are added to `twins`. A key with twins to remove stays due
    /// until they are.
    async fn correct(
        &mut self,
        look: SecondLook,
        records: &[SeenRecord],
        own: Option<&str>,
        twins: &mut Twins,
    ) -> Result<SecondSettlement, StateError> {
        let SecondLook { key, link } = look;
        let id = key.external_id(&self.route.key_prefix);
        let mut found = Vec::new();
        for record in records.iter().filter(|record| record.external_id.as_ref() == Some(&id)) {
            let (writer, record_id, of) = (self.route.writer, record.id.clone(), key.clone());
            if !self.state(move |state| state.linked_elsewhere(&writer, &record_id, &of)).await? {
                found.push(record.clone());
            }
        }
        let mut verdict = judge(link.as_ref(), found.clone(), own);
        if let (Finding::AskForLinked, Some(link)) = (&verdict.finding, &link) {
            let route = self.route;
            let get = || route.target.get(&route.shape, &link.record);
            match route.calls.repeatable(CallKind::LookUp, get).await? {
                Ok(Some(_)) => {}
                Ok(None) => verdict = judge(None, found, own),
                Err(error) => {
                    self.failed(&error).await?;
                    return Ok(self.settlement(key, true));
                }
            }
        }
        let mut settlement = self.settlement(key, false);
        settlement.change = match verdict.finding {
            Finding::AsLinked if self.is_back(link.as_ref()) => Some(LinkChange::Reopen),
            Finding::AsLinked | Finding::AskForLinked => None,
            Finding::Differs => Some(LinkChange::Forget),
            Finding::Adopt(record) => {
                Some(LinkChange::MoveTo { origin: self.origin_of(&record, own), record: record.id })
            }
        };
        for other in verdict.others {
            if mutation::is_on(Mutation::TwinsStay) {
                continue;
            }
            let is_twin = self.route.dedicated_member
                && !self.route.only_updates
                && is_untouched(&other, own);
            if is_twin || mutation::is_on(Mutation::DeletesCopies) {
                twins.ours.push((settlement.key.clone(), other.id));
                settlement.again_at = Some(self.now());
            } else {
                twins.others += 1;
            }
        }
        Ok(settlement)
    }

    /// Whether the record was archived, as the policy wants it, and is not any more: a call that took effect late has brought
    /// it back, or one that the state knows nothing of.
    fn is_back(&self, link: Option<&HeldLink>) -> bool {
        let (archives, theirs) = self.route.gone.reaches();
        link.is_some_and(|link| {
            let goes = link.kept.is_some_and(|origin| theirs || origin == Origin::Created);
            archives && goes && self.unmarked.contains(&link.record)
        })
    }

    /// Removes records that are one too many. What cannot be removed now is looked at again in an hour.
    async fn remove(&mut self, twins: Vec<(Key, RecordId)>) -> Result<(), StateError> {
        let (route, mut removed, mut left) = (self.route, 0, BTreeSet::new());
        for batch in twins.chunks(BULK_MAX) {
            let ids: Vec<RecordId> = batch.iter().map(|(_, record)| record.clone()).collect();
            let delete = || route.target.delete(&route.shape.table, &ids);
            match route.calls.repeatable(CallKind::Delete, delete).await? {
                Ok(named) => {
                    removed += named.len();
                    // What the answer leaves out was gone before, or is there still: the next look tells.
                    let unnamed = batch.iter().filter(|(_, record)| !named.contains(record));
                    left.extend(unnamed.map(|(key, _)| key.clone()));
                }
                Err(error) => {
                    left.extend(batch.iter().map(|(key, _)| key.clone()));
                    // Else somebody was quicker with one of them; the next look tells which are left.
                    if error.kind != CallErrorKind::NotFound {
                        self.failed(&error).await?;
                    }
                }
            }
        }
        if removed > 0 {
            let text = format!(
                "records removed that an answer of SmartSuite, lost or late, had made one too many: {removed}"
            );
            route.calls.observe(&Event::Note { text });
        }
        if !left.is_empty() {
            let text = format!(
                "SmartSuite did not confirm that it removed records that are one too many; keys that are looked at \
                 again in an hour: {}",
                left.len()
            );
            route.calls.observe(&Event::Note { text });
        }
        let done =
            twins.into_iter().map(|(key, _)| key).filter(|key| !left.contains(key)).collect();
        self.settle_looks(done, false).await?;
        self.settle_looks(left.into_iter().collect(), true).await
    }

    async fn settle_looks(&mut self, keys: Vec<Key>, again: bool) -> Result<(), StateError> {
        let (writer, now) = (self.route.writer, self.now());
        let settlements: Vec<SecondSettlement> =
            keys.into_iter().map(|key| self.settlement(key, again)).collect();
        self.state(move |state| state.settle_second_looks(&writer, &settlements, now)).await
    }

    fn settlement(&self, key: Key, again: bool) -> SecondSettlement {
        let in_an_hour = self.now().saturating_add(SECOND_LOOK).unwrap_or_else(|_| self.now());
        SecondSettlement { key, change: None, again_at: again.then_some(in_an_hour) }
    }

    async fn tell_twins(&mut self, records: usize) -> Result<(), StateError> {
        if records > 0 {
            let (writer, ids) = (self.route.writer, u64::try_from(records).unwrap_or(u64::MAX));
            self.state(move |state| state.note_shared_ids(&writer, ids, true)).await?;
            let text = format!(
                "{records} records carry a key that another record carries too, and may be somebody's work: \
                 `dedupe` lists them"
            );
            self.route.calls.observe(&Event::Note { text });
        }
        Ok(())
    }
}
