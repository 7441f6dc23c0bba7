//! Reading the whole table into the state's temporary tables.

use std::borrow::Cow;

use jiff::SignedDuration;
use sync_core::{
    comparison::ComparedRecord,
    doubt::SETTLING,
    error::{CallError, CallErrorKind},
    mapping::CompiledMapping,
    port::{PAGE_MAX, RecordFilter, RecordPage, RecordShape},
    record::SeenRecord,
    scan::TableScan,
};

use super::{
    KIND,
    holding::{Broken, Held},
};

/// How long after it was marked a call may have taken effect whose answer has come.
const LAST_CALL: SignedDuration = SignedDuration::from_mins(2);

/// Readings of the table in a row before it is said that it cannot be read whole.
const READINGS_MAX: usize = 3;

/// The part of the table that is compared: what drafts write, and the field that archives a record.
pub(super) fn compared_shape(mapping: &CompiledMapping) -> &RecordShape {
    mapping.archive().map_or(mapping.shape(), |archive| &archive.shape)
}

/// A record as it is compared with its row: that it is archived is a difference, whatever else people keep in that field
/// is none.
fn as_compared<'r>(record: &'r SeenRecord, mapping: &CompiledMapping) -> Cow<'r, SeenRecord> {
    let Some(archive) = mapping.archive() else { return Cow::Borrowed(record) };
    let mut record = record.clone();
    if archive.take_mark(&mut record) {
        let mark = archive.archived.iter().map(|(slug, value)| (slug.clone(), value.clone()));
        record.fields.extend(mark);
    }
    Cow::Owned(record)
}

impl Held<'_> {
    /// Keeps every record of the table; answers their number. An answer that left records out is noticed by the
    /// count, and the reading begins anew.
    pub(super) async fn keep_table(&self, mapping: &CompiledMapping) -> Result<u64, Broken> {
        self.let_lists_settle().await?;
        for _ in 0..READINGS_MAX {
            let (writer, now) = (self.writer, self.engine.clock.now());
            self.state(move |state| state.begin_comparison(&writer, now)).await?;
            if let Some(records) = self.keep_once(mapping).await? {
                return Ok(records);
            }
        }
        Err(CallError::from(CallErrorKind::Garbled).into())
    }

    /// Lists may lag behind what the last run has written.
    async fn let_lists_settle(&self) -> Result<(), Broken> {
        let written_at = self.state(|state| state.last_call_at()).await?;
        let now = self.engine.clock.now();
        if written_at.is_none_or(|at| now.duration_since(at) > LAST_CALL) {
            return Ok(());
        }
        self.unless_cancelled(self.engine.clock.sleep(SETTLING)).await
    }

    async fn keep_once(&self, mapping: &CompiledMapping) -> Result<Option<u64>, Broken> {
        let mut scan = TableScan::whole();
        let (mut received, mut total) = (0, None);
        while let Some(filter) = scan.next() {
            self.check_cancelled()?;
            let page = self.list(compared_shape(mapping), &filter).await?;
            if scan.take(&page).is_err() {
                return Ok(None);
            }
            received += page.received as u64;
            total.get_or_insert(page.total);
            self.keep_page(mapping, &page).await?;
        }
        Ok(total.is_none_or(|total| received >= total).then_some(received))
    }

    /// Keeps the records of a page.
    pub(super) async fn keep_page(
        &self,
        mapping: &CompiledMapping,
        page: &RecordPage,
    ) -> Result<(), Broken> {
        let (writer, shape) = (self.writer, compared_shape(mapping));
        let own = self.state(move |state| state.own_member(&writer)).await?;
        let records: Vec<ComparedRecord> = page
            .records
            .iter()
            .map(|record| ComparedRecord::of(&as_compared(record, mapping), shape, own.as_deref()))
            .collect();
        self.state(move |state| state.keep_records(&writer, &records)).await?;
        Ok(())
    }

    pub(super) async fn list(
        &self,
        shape: &RecordShape,
        filter: &RecordFilter,
    ) -> Result<RecordPage, Broken> {
        let target = &self.task.target;
        let page = || target.list(shape, filter, 0, PAGE_MAX);
        Ok(self.calls.repeatable(KIND, page).await??)
    }

    /// Calls that reading the table whole takes, as far as the state knows: at least one.
    pub(super) async fn pages_expected(&self) -> Result<u64, Broken> {
        let writer = self.writer;
        let links = self.state(move |state| state.link_count(&writer)).await?;
        Ok(links.div_ceil(PAGE_MAX as u64).max(1))
    }
}
