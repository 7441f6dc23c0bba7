//! Reading the whole table into the state's temporary tables.

use sync_core::{
    comparison::ComparedRecord,
    error::{CallError, CallErrorKind},
    port::{PAGE_MAX, RecordFilter, RecordPage, RecordShape},
    scan::TableScan,
};

use super::{
    KIND,
    holding::{Broken, Held},
};

/// Readings of the table in a row before it is said that it cannot be read whole.
const READINGS_MAX: usize = 3;

impl Held<'_> {
    /// Keeps every record of the table; answers their number. An answer that left records out is noticed by the
    /// count, and the reading begins anew.
    pub(super) async fn keep_table(&self, shape: &RecordShape) -> Result<u64, Broken> {
        for _ in 0..READINGS_MAX {
            let writer = self.writer;
            self.state(move |state| state.begin_comparison(&writer)).await?;
            if let Some(records) = self.keep_once(shape).await? {
                return Ok(records);
            }
        }
        Err(CallError::from(CallErrorKind::Garbled).into())
    }

    async fn keep_once(&self, shape: &RecordShape) -> Result<Option<u64>, Broken> {
        let mut scan = TableScan::whole();
        let (mut received, mut total) = (0, None);
        while let Some(filter) = scan.next() {
            self.check_cancelled()?;
            let page = self.list(shape, &filter).await?;
            if scan.take(&page).is_err() {
                return Ok(None);
            }
            received += page.received as u64;
            total.get_or_insert(page.total);
            self.keep_page(shape, &page).await?;
        }
        Ok(total.is_none_or(|total| received >= total).then_some(received))
    }

    /// Keeps the records of a page.
    pub(super) async fn keep_page(
        &self,
        shape: &RecordShape,
        page: &RecordPage,
    ) -> Result<(), Broken> {
        let writer = self.writer;
        let own = self.state(move |state| state.own_member(&writer)).await?;
        let records: Vec<ComparedRecord> = page
            .records
            .iter()
            .map(|record| ComparedRecord::of(record, shape, own.as_deref()))
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
