//! Rows that have no record yet take over records that carry no key and hold the same values (`match_on`), before
//! anything is created.
//!
//! A match is a link, made in one transaction when the whole table was read; the row's own entry then writes the key into
//! the record, as an update. Whoever dies in between leaves a link and an entry that waits, and no call that counts.

use sync_core::{
    key::Key,
    matching::{MatchDigest, MatchFields},
    port::PAGE_MAX,
    record::{RecordId, SeenRecord},
    state::{Matched, StateError},
};

use super::Delivery;
use crate::{
    capture::{QUARANTINE_MAX, quarantine_full},
    event::Event,
};

impl Delivery<'_> {
    /// Notes the rows that wait for a record by what they are matched by; answers whether the table must be read for
    /// them.
    pub(super) async fn matching_is_due(&mut self) -> Result<bool, StateError> {
        let Some(fields) = self.route.match_on.clone() else { return Ok(false) };
        let writer = self.route.writer;
        self.state(move |state| state.begin_matching(&writer)).await?;
        let (mut after, mut any): (Option<Key>, bool) = (None, false);
        loop {
            let from = after.clone();
            let waiting = self
                .state(move |state| state.waiting_drafts(&writer, from.as_ref(), PAGE_MAX))
                .await?;
            let Some((last, _)) = waiting.last() else { break };
            after = Some(last.clone());
            let rows: Vec<(Key, MatchDigest)> = waiting
                .into_iter()
                .filter_map(|(key, draft)| Some((key, fields.of_draft(&draft)?)))
                .collect();
            any |= !rows.is_empty();
            self.state(move |state| state.note_rows(&writer, &rows)).await?;
        }
        let by = fields.name();
        Ok(any && self.state(move |state| state.matching_is_due(&writer, &by)).await?)
    }

    /// A reading of the table for that begins.
    pub(super) async fn begin_records(&self) -> Result<(), StateError> {
        let writer = self.route.writer;
        self.state(move |state| state.begin_records(&writer)).await
    }

    /// Records of the table that carry no key, as a page showed them.
    pub(super) async fn note_unkeyed(
        &self,
        fields: &MatchFields,
        records: &[SeenRecord],
    ) -> Result<(), StateError> {
        let unkeyed = records.iter().filter(|record| record.external_id.is_none());
        let noted: Vec<(RecordId, MatchDigest)> = unkeyed
            .filter_map(|record| Some((record.id.clone(), fields.of_record(record)?)))
            .collect();
        if noted.is_empty() {
            return Ok(());
        }
        let writer = self.route.writer;
        self.state(move |state| state.note_records(&writer, &noted)).await
    }

    /// The whole table was read: what matches is linked, what is ambiguous put in quarantine.
    pub(super) async fn match_up(&mut self, fields: &MatchFields) -> Result<(), StateError> {
        let (writer, by, now) = (self.route.writer, fields.name(), self.now());
        let (matched, books) = self.state(move |state| state.match_up(&writer, &by, now)).await?;
        self.count(books);
        let Matched { adopted, ambiguous } = matched;
        if matched != Matched::default() {
            self.route.calls.observe(&Event::Matched { adopted, ambiguous });
        }
        if ambiguous > 0
            && self.state(move |state| state.quarantined(&writer)).await? >= QUARANTINE_MAX
        {
            self.stop(quarantine_full()).await?;
        }
        Ok(())
    }
}
