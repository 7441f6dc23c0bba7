//! Before the first write of a process: what does the table hold that the state does not know of? (`protocol.md` D8)
//!
//! With a mark, one call lists what is above it (the audit). Without one, and where many links' fingerprints are
//! unknown, the whole table is read, 1,000 records a call (the scan), or the waiting ids are looked up, whichever
//! costs fewer calls.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use sync_core::{
    key::Key,
    port::{BULK_MAX, PAGE_MAX, RecordFilter, RecordPage},
    record::SeenRecord,
    state::{CallKind, SeenLink, StateError},
};

use super::{Delivery, lookup};
use crate::{event::Event, record_text::fingerprint_of};

/// How old the cached structure may be before a write.
const STRUCTURE_AGE_MAX: SignedDuration = SignedDuration::from_hours(24);

/// What the pages are read for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Purpose {
    /// Records above the mark; what is adopted was not expected, so its values are not trusted (D8).
    Audit,
    /// Every record, with its values.
    Scan,
}

impl Delivery<'_> {
    /// Makes the audit, or a scan where that is due or cheaper.
    pub(super) async fn prepare(&mut self) -> Result<(), StateError> {
        let writer = self.route.writer;
        let (mark, (creates, unknown), links) = self
            .state(move |state| {
                Ok((state.mark(&writer)?, state.unsettled(&writer)?, state.link_count(&writer)?))
            })
            .await?;
        let pages = links.div_ceil(PAGE_MAX as u64);
        let reading_saves = unknown > 0 && pages <= unknown.div_ceil(BULK_MAX as u64);
        self.renew_structure().await?;
        if self.ended.is_some() {
            return Ok(());
        }
        if reading_saves || (creates > 0 && mark.is_none()) {
            // A scan for the sake of values must reach its end; one for creates may turn to looking ids up.
            let creates = if reading_saves { u64::MAX } else { creates };
            self.audited = self.read_pages(Purpose::Scan, 0, creates).await?;
        } else if let (Some(mark), true, false) = (mark, creates > 0, self.audited) {
            self.audited = self.read_pages(Purpose::Audit, mark, creates).await?;
        }
        Ok(())
    }

    /// A structure read more than a day ago is read again before the first write.
    async fn renew_structure(&mut self) -> Result<(), StateError> {
        let destination = self.route.writer.destination;
        let cached = self.state(move |state| state.structure(destination)).await?;
        let is_fresh = cached
            .is_some_and(|(_, read_at)| self.now().duration_since(read_at) < STRUCTURE_AGE_MAX);
        if is_fresh { Ok(()) } else { self.refresh_structure().await }
    }

    /// Reads pages above `above` to their end and brings them into the links; answers whether it came to its end.
    async fn read_pages(
        &mut self,
        purpose: Purpose,
        mut above: u64,
        creates: u64,
    ) -> Result<bool, StateError> {
        let writer = self.route.writer;
        self.state(move |state| state.begin_scan(&writer)).await?;
        let kind = match purpose {
            Purpose::Audit => CallKind::Audit,
            Purpose::Scan => CallKind::Scan,
        };
        let mut hashed = BTreeMap::new();
        let (mut adopted, mut offset) = (0, 0);
        let mut highest = Some(above);
        loop {
            let page = match self.list(kind, &RecordFilter::Above(above), offset).await? {
                Ok(page) => page,
                Err(error) => {
                    self.failed(&error).await?;
                    self.ended.get_or_insert(super::Ended::Failed(error));
                    return Ok(false);
                }
            };
            let seen = offset + page.received as u64;
            let is_last = page.received == 0 || seen >= page.total;
            let rest_pages = page.total.saturating_sub(seen).div_ceil(PAGE_MAX as u64);
            let turn_to_ids = purpose == Purpose::Scan
                && !is_last
                && rest_pages > creates.div_ceil(lookup::IDS_MAX as u64);
            note_hashed(&page, &mut hashed);
            highest = highest.max(page.records.iter().filter_map(|record| record.autonumber).max());
            // Above the highest number nothing shifts when records are added or deleted meanwhile.
            match page.rising_to {
                Some(number) => (above, offset) = (number, 0),
                None => offset = seen,
            }
            // The mark rises only when everything up to it was seen.
            let mark = if is_last { highest } else { None };
            adopted += self.link(purpose, page.records, mark).await?;
            if turn_to_ids {
                adopted += self.look_up_waiting().await?;
                break;
            }
            if is_last {
                break;
            }
        }
        if !hashed.is_empty() {
            adopted += self.link_hashed(purpose, &hashed).await?;
        }
        if adopted > 0 {
            let text = format!(
                "{adopted} records that carry keys of this sync were linked instead of created again"
            );
            self.route.calls.observe(&Event::Note { text });
        }
        Ok(self.ended.is_none())
    }

    async fn link(
        &mut self,
        purpose: Purpose,
        records: Vec<SeenRecord>,
        mark: Option<u64>,
    ) -> Result<u64, StateError> {
        let prefix = &self.route.key_prefix;
        let seen: Vec<SeenLink> = records
            .into_iter()
            .map(|record| SeenLink {
                key: record.external_id.as_deref().and_then(|id| Key::from_external_id(id, prefix)),
                fingerprint: (purpose == Purpose::Scan).then(|| fingerprint_of(&record)),
                record: record.id,
            })
            .collect();
        let (writer, now) = (self.route.writer, self.now());
        self.state(move |state| state.link_seen(&writer, &seen, mark, now)).await
    }

    /// The table is far larger than what waits: the waiting ids are looked up instead of the rest being read. No
    /// mark results, so that the next process looks again.
    async fn look_up_waiting(&mut self) -> Result<u64, StateError> {
        let (writer, mut after, mut adopted) = (self.route.writer, None::<Key>, 0);
        loop {
            let from = after.clone();
            let keys = self
                .state(move |state| state.waiting_creates(&writer, from.as_ref(), lookup::IDS_MAX))
                .await?;
            let Some(last) = keys.last() else { return Ok(adopted) };
            after = Some(last.clone());
            let ids = keys.iter().map(|key| key.external_id(&self.route.key_prefix)).collect();
            match self.list(CallKind::LookUp, &RecordFilter::ExternalIds(ids), 0).await? {
                Ok(page) => adopted += self.link(Purpose::Scan, page.records, None).await?,
                Err(error) => {
                    self.failed(&error).await?;
                    self.ended.get_or_insert(super::Ended::Failed(error));
                    return Ok(adopted);
                }
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
                        key: Some(key),
                        record: record.id.clone(),
                        fingerprint: (purpose == Purpose::Scan).then(|| fingerprint_of(record)),
                    });
                }
            }
        }
        let now = self.now();
        self.state(move |state| state.link_seen(&writer, &seen, None, now)).await
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
