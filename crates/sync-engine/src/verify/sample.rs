//! Comparing some rows, chosen by chance, instead of all.

use sync_core::{
    error::{CallError, CallErrorKind},
    key::Key,
    mapping::CompiledMapping,
    port::{BULK_MAX, PAGE_MAX, RecordFilter, RecordPage, RecordShape},
    record::SeenRecord,
};

use super::{
    KIND,
    holding::{Broken, Held},
    table::compared_shape,
};

impl Held<'_> {
    /// `count` of the linked keys, each as likely as any other, in order.
    pub(super) async fn sampled_keys(&self, count: u64) -> Result<Vec<Key>, Broken> {
        let writer = self.writer;
        let mut left = self.state(move |state| state.link_count(&writer)).await?;
        let (mut wanted, mut chosen, mut after) = (count, Vec::new(), None::<Key>);
        while wanted > 0 {
            self.check_cancelled()?;
            let from = after.take();
            let keys = self
                .state(move |state| state.linked_keys(&writer, from.as_ref(), PAGE_MAX))
                .await?;
            let Some(last) = keys.last() else { break };
            after = Some(last.clone());
            for key in keys {
                // Of those that are left, so many are still wanted.
                if self.engine.dice.below(left.max(1)) < wanted {
                    chosen.push(key);
                    wanted -= 1;
                }
                left = left.saturating_sub(1);
            }
        }
        Ok(chosen)
    }

    /// Keeps the records of these keys: those that carry their external ids, and the linked ones that do not.
    /// Answers their number.
    pub(super) async fn keep_records_of(
        &self,
        mapping: &CompiledMapping,
        keys: &[Key],
    ) -> Result<u64, Broken> {
        let (writer, shape, now) = (self.writer, compared_shape(mapping), self.engine.clock.now());
        self.state(move |state| state.begin_comparison(&writer, now)).await?;
        let mut kept = 0;
        for keys in keys.chunks(BULK_MAX) {
            self.check_cancelled()?;
            let prefix = &self.task.definition.destination.key_prefix;
            let ids = keys.iter().map(|key| key.external_id(prefix)).collect();
            let mut page = self.list(shape, &RecordFilter::ExternalIds(ids)).await?;
            if (page.received as u64) < page.total {
                return Err(CallError::from(CallErrorKind::Garbled).into());
            }
            page.records.extend(self.linked_but_not_shown(shape, keys, &page).await?);
            kept += page.records.len() as u64;
            self.keep_page(mapping, &page).await?;
        }
        Ok(kept)
    }

    /// Linked records that a look-up did not show: gone, or with another external id. Each is asked for by itself,
    /// as a look-up that finds nothing proves nothing.
    async fn linked_but_not_shown(
        &self,
        shape: &RecordShape,
        keys: &[Key],
        page: &RecordPage,
    ) -> Result<Vec<SeenRecord>, Broken> {
        let (writer, mut found) = (self.writer, Vec::new());
        for key in keys {
            let of = key.clone();
            let linked = self.state(move |state| state.linked_record(&writer, &of)).await?;
            let Some(linked) = linked else { continue };
            if page.records.iter().any(|record| record.id == linked) {
                continue;
            }
            let target = &self.task.target;
            let get = || target.get(shape, &linked);
            found.extend(self.calls.repeatable(KIND, get).await??);
        }
        Ok(found)
    }
}
