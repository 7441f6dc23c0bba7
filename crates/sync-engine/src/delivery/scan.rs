//! Before the first write of a process: what does the table hold that the state does not know of? (`protocol.md` D8)
//!
//! With a mark, one call lists what is above it (the audit). Without one, and where many links' fingerprints are
//! unknown, the whole table is read, 1,000 records a call (the scan), or, beside an id that its first pages show, the waiting
//! ids are looked up, whichever costs fewer calls.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use sync_core::{
    doubt::SETTLING,
    error::{CallError, CallErrorKind},
    key::Key,
    mutation::{self, Mutation},
    port::{BULK_MAX, PAGE_MAX, RecordFilter, RecordPage},
    record::SeenRecord,
    scan::TableScan,
    state::{CallKind, Origin, RECORDS_OF_ANOTHER_SYNC, SeenLink, SeenLinks, StateError, Stop},
};

use super::{Delivery, lookup};
use crate::{
    event::Event,
    record_text::{external_id_of, fingerprint_of},
};

/// How old the cached structure may be before a write.
const STRUCTURE_AGE_MAX: SignedDuration = SignedDuration::from_hours(24);

/// Readings of the table in a row before it is said that it cannot be read whole.
const READINGS_MAX: usize = 3;

/// Look-ups in place of reading on whose control did not show, before the table is read to its end.
const BLIND_LOOKS_MAX: u32 = 3;

/// What one reading came to.
#[derive(Default)]
struct Reading {
    adopted: u64,
    complete: bool,
}

/// What the pages are read for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Purpose {
    /// Records above the mark; what is adopted was not expected, so its values are not trusted (D8).
    Audit,
    /// Every record, with its values.
    Scan,
    /// The same, and rows take over records that carry no key.
    Match,
}

impl Delivery<'_> {
    /// Makes the audit, or a scan where that is due or cheaper.
    pub(super) async fn prepare(&mut self) -> Result<(), StateError> {
        let writer = self.route.writer;
        let (mark, (creates, unknown), links) = self
            .state(move |state| {
                let unsettled = state.unsettled(&writer)?;
                // To count a million links takes longer than all else on the way of a change.
                let links = if unsettled.1 > 0 { state.link_count(&writer)? } else { 0 };
                Ok((state.mark(&writer)?, unsettled, links))
            })
            .await?;
        let pages = links.div_ceil(PAGE_MAX as u64);
        let creates = if self.creates_held.is_some() { 0 } else { creates };
        let creates = if self.route.audits { creates.max(1) } else { creates };
        let reading_saves = unknown > 0 && pages <= unknown.div_ceil(BULK_MAX as u64);
        self.renew_structure().await?;
        if self.ended.is_some() {
            return Ok(());
        }
        let matches = creates > 0 && self.matching_is_due().await?;
        if matches || reading_saves || (creates > 0 && mark.is_none()) {
            // A scan for the sake of values or of records without a key must reach its end; one for creates may turn to
            // looking ids up.
            let is_whole = matches || reading_saves || self.route.audits;
            let creates = if is_whole { u64::MAX } else { creates };
            let purpose = if matches { Purpose::Match } else { Purpose::Scan };
            let read = self.read_pages(purpose, 0, creates).await?;
            self.audited = read && self.calls_from().await?.is_none();
        } else if let (Some(mark), true, false) = (mark, creates > 0, self.audited) {
            self.audited = mutation::is_on(Mutation::NoAudit)
                || self.read_pages(Purpose::Audit, mark, creates).await?;
        }
        Ok(())
    }

    /// In a state older than the world, a call that it does not know of may be on its way, or not show in lists yet: what
    /// the table holds is asked, and written, when that has had its time (D9).
    pub(super) async fn wait_for_older_calls(&mut self) -> Result<(), StateError> {
        let Some(from) = self.calls_from().await? else { return Ok(()) };
        let text = "the state file is older than the last call that was sent; no record is compared or written until \
                    that call must have shown";
        self.route.calls.observe(&Event::Note { text: text.to_owned() });
        self.turn.begin();
        tokio::select! {
            biased;
            () = self.turn.over.cancelled() => {}
            () = self.route.calls.sleep_until(from) => {}
        }
        Ok(())
    }

    async fn calls_from(&self) -> Result<Option<Timestamp>, StateError> {
        let (writer, now) = (self.route.writer, self.now());
        self.state(move |state| state.calls_from(&writer, now)).await
    }

    /// A structure read more than a day ago is read again before the first write.
    async fn renew_structure(&mut self) -> Result<(), StateError> {
        let destination = self.route.writer.destination;
        let _turn = self.route.calls.structure_turns.wait(destination).await;
        let cached = self.state(move |state| state.structure(destination)).await?;
        let is_fresh = cached
            .is_some_and(|(_, read_at)| self.now().duration_since(read_at) < STRUCTURE_AGE_MAX);
        if is_fresh { Ok(()) } else { self.refresh_structure().await }
    }

    /// Reads the table, or what is above its mark, and brings it into the links; answers whether it was read to the
    /// end. An answer that left records out is noticed by the count, and the reading begins anew.
    async fn read_pages(
        &mut self,
        purpose: Purpose,
        mark: u64,
        creates: u64,
    ) -> Result<bool, StateError> {
        self.let_deletes_show().await?;
        let mut adopted = 0;
        for _ in 0..READINGS_MAX {
            let reading = self.read_once(purpose, mark, creates).await?;
            adopted += reading.adopted;
            if reading.complete {
                self.tell_adopted(adopted);
                return Ok(true);
            }
            if self.ended.is_some() {
                return Ok(false);
            }
        }
        let error = CallError::from(CallErrorKind::Garbled);
        self.failed(&error).await?;
        self.ended.get_or_insert(super::Ended::Failed(error));
        Ok(false)
    }

    /// Lists may show for a moment longer what was deleted: linked again, it would be believed to be there.
    async fn let_deletes_show(&self) -> Result<(), StateError> {
        let now = self.now();
        let deleted_at = self.state(|state| state.deleted_at()).await?;
        // A clock that was set back since must not keep anybody waiting for years.
        let until = deleted_at.and_then(|at| at.min(now).checked_add(SETTLING).ok());
        if let Some(until) = until {
            self.route.calls.sleep_until(until).await;
        }
        Ok(())
    }

    async fn read_once(
        &mut self,
        purpose: Purpose,
        mark: u64,
        creates: u64,
    ) -> Result<Reading, StateError> {
        let writer = self.route.writer;
        self.state(move |state| state.begin_scan(&writer)).await?;
        let (mut scan, kind) = match purpose {
            Purpose::Audit => (TableScan::above(mark), CallKind::Audit),
            Purpose::Scan | Purpose::Match => (TableScan::whole(), CallKind::Scan),
        };
        let match_on = self.route.match_on.clone().filter(|_| purpose == Purpose::Match);
        if match_on.is_some() {
            self.begin_records().await?;
        }
        let doubtful = self.ids_in_doubt().await?;
        let mut reading = Reading::default();
        let (mut received, mut total, mut highest) = (0, None, Some(mark));
        // The lowest record that a create in doubt may have made: the mark stays below it.
        let mut ceiling = None::<u64>;
        let mut hashed = BTreeMap::new();
        // An external id that the table holds for certain, and how often one did not show.
        let (mut control, mut blind_looks) = (None::<String>, 0);
        while let Some(filter) = scan.next() {
            let page = match self.list(kind, &filter).await? {
                Ok(page) => page,
                Err(error) => {
                    self.failed(&error).await?;
                    self.ended.get_or_insert(super::Ended::Failed(error));
                    return Ok(reading);
                }
            };
            if scan.take(&page).is_err() {
                return Ok(reading);
            }
            received += page.received as u64;
            let total = *total.get_or_insert(page.total);
            let rest_pages = total.saturating_sub(received).div_ceil(PAGE_MAX as u64);
            highest = highest.max(page.rising_to);
            let is_doubtful = |record: &&SeenRecord| {
                record.external_id.as_ref().is_some_and(|id| doubtful.contains(id))
            };
            let numbers = page
                .records
                .iter()
                .filter(is_doubtful)
                .map(|record| record.autonumber.unwrap_or(0));
            ceiling = numbers.chain(ceiling).min();
            note_hashed(&page, &mut hashed);
            if blind_looks < BLIND_LOOKS_MAX {
                control = control.or_else(|| self.control_among(&page.records));
            }
            if let Some(fields) = &match_on {
                self.note_unkeyed(fields, &page.records).await?;
            }
            reading.adopted += self.link(purpose, page.records, None).await?;
            if self.ended.is_some() {
                return Ok(reading);
            }
            let is_larger = rest_pages > creates.div_ceil(lookup::IDS_MAX as u64);
            if let (Some(id), Purpose::Scan, true) = (&control, purpose, is_larger) {
                // The table is far larger than what waits. No mark results: the next process looks again.
                if self.look_up_waiting(id, &mut reading.adopted).await? {
                    reading.complete = self.ended.is_none();
                    return Ok(reading);
                }
                (control, blind_looks) = (None, blind_looks + 1);
            }
        }
        if !hashed.is_empty() {
            reading.adopted += self.link_hashed(purpose, &hashed).await?;
            if self.ended.is_some() {
                return Ok(reading);
            }
        }
        reading.complete = total.is_none_or(|total| received >= total);
        if reading.complete {
            // The mark rises only when everything up to it was seen, and what a look-up will look for lies above it.
            let mark = match (ceiling, purpose) {
                (None, _) => highest,
                (Some(number), Purpose::Audit) => highest.min(Some(number.saturating_sub(1))),
                // A low mark would make the next process list nearly all, without turning to look-ups where they are cheaper.
                (Some(_), Purpose::Scan | Purpose::Match) => None,
            };
            self.link(purpose, Vec::new(), mark).await?;
            if let Some(fields) = &match_on {
                self.match_up(fields).await?;
            }
        }
        Ok(reading)
    }

    /// The external ids of creates in doubt.
    async fn ids_in_doubt(&self) -> Result<BTreeSet<String>, StateError> {
        let writer = self.route.writer;
        let (doubts, _) =
            self.state(move |state| state.doubts(&writer, Timestamp::MAX, usize::MAX)).await?;
        let slug = &self.route.shape.external_id.slug;
        Ok(doubts.iter().map(|doubt| external_id_of(&doubt.fields, slug)).collect())
    }

    fn tell_adopted(&self, adopted: u64) {
        if adopted > 0 {
            let text = format!(
                "{adopted} records that carry keys of this sync were linked instead of created again"
            );
            self.route.calls.observe(&Event::Note { text });
        }
    }

    pub(super) async fn own_member(&self) -> Result<Option<String>, StateError> {
        let writer = self.route.writer;
        self.state(move |state| state.own_member(&writer)).await
    }

    /// D5: ours counts as created only where the member is the tool's alone.
    pub(super) fn origin_of(&self, record: &SeenRecord, own: Option<&str>) -> Origin {
        if self.route.dedicated_member && own.is_some() && record.created_by.as_deref() == own {
            Origin::Created
        } else {
            Origin::Adopted
        }
    }

    async fn link(
        &mut self,
        purpose: Purpose,
        records: Vec<SeenRecord>,
        mark: Option<u64>,
    ) -> Result<u64, StateError> {
        let (prefix, own) = (&self.route.key_prefix, self.own_member().await?);
        let seen: Vec<SeenLink> = records
            .into_iter()
            .map(|record| SeenLink {
                origin: self.origin_of(&record, own.as_deref()),
                key: record.external_id.as_deref().and_then(|id| Key::from_external_id(id, prefix)),
                fingerprint: (purpose != Purpose::Audit).then(|| fingerprint_of(&record)),
                record: record.id,
            })
            .collect();
        let (writer, now) = (self.route.writer, self.now());
        let links = self.state(move |state| state.link_seen(&writer, &seen, mark, now)).await?;
        self.note_archived().await?;
        self.taken_note_of(links).await
    }

    /// Records of another sync that carry our keys: nothing is created beside them. Answers how many were linked.
    async fn taken_note_of(&mut self, links: SeenLinks) -> Result<u64, StateError> {
        if let Some(holder) = links.holder {
            self.stop(held_by(&holder)).await?;
        }
        Ok(links.adopted)
    }

    /// An id by which these records are found, best one of the tool's own making.
    fn control_among(&self, records: &[SeenRecord]) -> Option<String> {
        let prefix = &self.route.key_prefix;
        let ids = || records.iter().filter_map(|record| record.external_id.as_ref());
        ids()
            .find(|id| Key::from_external_id(id, prefix).is_some())
            .or_else(|| ids().next())
            .cloned()
    }

    /// Looks the waiting ids up, instead of reading the rest of the table. Answers whether that worked: each answer must
    /// show the control too, else it proves nothing.
    async fn look_up_waiting(
        &mut self,
        control: &str,
        adopted: &mut u64,
    ) -> Result<bool, StateError> {
        let (writer, mut after) = (self.route.writer, None::<Key>);
        loop {
            let from = after.clone();
            let keys = self
                .state(move |state| state.waiting_creates(&writer, from.as_ref(), lookup::IDS_MAX))
                .await?;
            let Some(last) = keys.last() else { return Ok(true) };
            after = Some(last.clone());
            let mut ids: Vec<String> =
                keys.iter().map(|key| key.external_id(&self.route.key_prefix)).collect();
            ids.push(control.to_owned());
            let page = match self.list(CallKind::LookUp, &RecordFilter::ExternalIds(ids)).await? {
                Ok(page) => page,
                Err(error) => {
                    self.failed(&error).await?;
                    self.ended.get_or_insert(super::Ended::Failed(error));
                    return Ok(true);
                }
            };
            let shows = |record: &SeenRecord| record.external_id.as_deref() == Some(control);
            if (page.received as u64) < page.total || !page.records.iter().any(shows) {
                return Ok(false);
            }
            // A hashed id does not lead back to its key.
            let mut hashed = BTreeMap::new();
            note_hashed(&page, &mut hashed);
            *adopted += self.link(Purpose::Scan, page.records, None).await?;
            if !hashed.is_empty() {
                *adopted += self.link_hashed(Purpose::Scan, &hashed).await?;
            }
            if self.ended.is_some() {
                return Ok(true);
            }
        }
    }

    /// A hashed external id does not lead back to its key: the waiting creates' ids are compared with those seen.
    async fn link_hashed(
        &mut self,
        purpose: Purpose,
        hashed: &BTreeMap<String, SeenRecord>,
    ) -> Result<u64, StateError> {
        let (writer, mut after) = (self.route.writer, None::<Key>);
        let own = self.own_member().await?;
        let mut seen = Vec::new();
        loop {
            let from = after.clone();
            let keys = self
                .state(move |state| state.waiting_creates(&writer, from.as_ref(), PAGE_MAX))
                .await?;
            let Some(last) = keys.last() else { break };
            after = Some(last.clone());
            for key in keys {
                if let Some(record) = hashed.get(&key.external_id(&self.route.key_prefix)) {
                    seen.push(SeenLink {
                        origin: self.origin_of(record, own.as_deref()),
                        key: Some(key),
                        record: record.id.clone(),
                        fingerprint: (purpose != Purpose::Audit).then(|| fingerprint_of(record)),
                    });
                }
            }
        }
        let now = self.now();
        let links = self.state(move |state| state.link_seen(&writer, &seen, None, now)).await?;
        self.taken_note_of(links).await
    }
}

/// The rows of this sync have records already, as those of another one: it was renamed, or took the other's place.
fn held_by(holder: &str) -> Stop {
    Stop {
        code: RECORDS_OF_ANOTHER_SYNC.into(),
        message: format!(
            "records that carry the external ids of this sync's rows belong to sync `{holder}`; nothing was created beside \
             them"
        ),
        remedy: format!(
            "if this is that sync under a new name, give `previously: {holder}` beside the name; if that sync is no more, \
             `state reset sync --sync-name {holder} --yes` and `run --retry` let this one take its records over; if both are \
             to write this table, give this one a `key_prefix` and run once with `--accept-key-change`"
        ),
        key: None,
        until: None,
        only_creates: false,
    }
}

/// Records whose external id is a hash (see [`Key::external_id`]).
fn note_hashed(page: &RecordPage, hashed: &mut BTreeMap<String, SeenRecord>) {
    for record in &page.records {
        if let Some(id) = record.external_id.as_ref().filter(|id| id.starts_with("~~")) {
            hashed.entry(id.clone()).or_insert_with(|| record.clone());
        }
    }
}
