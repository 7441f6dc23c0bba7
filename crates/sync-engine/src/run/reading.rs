//! The capturing half of a run: one read, or pages with dirty keys between them.

use jiff::Timestamp;
use sync_core::{
    config::model::{ScheduleDefinition, SourceRows},
    error::{SourceError, SourceErrorKind, SourcePart},
    mapping::{CompiledMapping, Severity},
    port::{BULK_MAX, ReadScope},
    schedule::Schedule,
    state::{FullReadReason, PageMark, StateError},
    table::TableStructure,
};

use super::{
    Trouble,
    running::{Running, plural},
};
use crate::{
    capture::{Broken, Capture, KEYS_MAX, OpenRead, Wanted, Yield},
    event::{Event, FullRead},
};

/// How often a service reads everything again, in minutes, where the sync does not say.
const RECONCILE_MINUTES: u32 = 24 * 60;

/// Why a read yielded no mapping.
pub(super) enum Unread {
    /// The definition and the live schemas disagree.
    Unfit(Trouble),
    /// The source does not show what the mapping reads.
    Gone(Trouble),
    Broken(Broken),
}

impl<E: Into<Broken>> From<E> for Unread {
    fn from(error: E) -> Self {
        Self::Broken(error.into())
    }
}

impl Running<'_> {
    /// The first read of the run: the mapping is made for its columns, and its rows are stored.
    pub(super) async fn capture(
        &mut self,
        structure: &TableStructure,
    ) -> Result<CompiledMapping, Unread> {
        let wanted = self.first_read();
        let read = match self.capturing().open(wanted).await {
            Ok(read) => read,
            Err(broken) => return Err(self.unread(broken).await?),
        };
        self.announce();
        self.tell_cost_of_filling().await?;
        for text in read.rows.notes() {
            self.calls.observe(&Event::Note { text });
        }
        let definition = &self.task.definition;
        let (mapping, findings) = CompiledMapping::compile(
            &definition.destination,
            &definition.source,
            read.rows.columns(),
            structure,
        );
        // With a mapping, what is wrong with single choices blocks only their rows: it is said all the same.
        let said = if mapping.is_some() { Severity::Error } else { Severity::Warning };
        let worth_saying = Severity::Warning..=said;
        for finding in findings.iter().filter(|finding| worth_saying.contains(&finding.severity()))
        {
            self.calls.observe(&Event::Finding(finding.clone()));
        }
        let Some(mapping) = mapping else {
            let columns = read.rows.columns().to_vec();
            drop(read);
            return Err(self.unfit(findings, &columns, structure).await?);
        };
        let columns = read.rows.columns().to_vec();
        if self.see_schemas(&columns, structure).await? {
            // Not only what changed: everything is to be read.
            drop(read);
            return Box::pin(self.capture(structure)).await;
        }
        self.columns = columns;
        self.rows_read = 0;
        self.store_own(read, &mapping).await?;
        Ok(mapping)
    }

    /// The rest of what the first read began: the pages after it, dirty keys between them (`protocol.md` C1). A read
    /// that went on where an earlier run had broken off is followed by a look at what changed meanwhile.
    pub(super) async fn read_on(&mut self, mapping: &CompiledMapping) -> Result<(), Broken> {
        let began = self.resumes_from().map(|mark| mark.watermark.clone());
        self.read_pages(mapping).await?;
        let Some(began) = began else { return Ok(()) };
        let wanted = match began {
            Some(watermark) => Wanted::rows(ReadScope::Since(watermark)),
            None => Wanted::page(None, false),
        };
        let read = self.open(wanted).await?;
        self.store(read, mapping).await?;
        self.read_pages(mapping).await
    }

    async fn read_pages(&mut self, mapping: &CompiledMapping) -> Result<(), Broken> {
        while let Some(next) = self.next_page.take() {
            self.capture_dirty(mapping).await?;
            let read = self.open(Wanted::page(Some(next), self.keeps_place())).await?;
            self.store_own(read, mapping).await?;
        }
        Ok(())
    }

    /// Reads dirty keys again, if there are any; answers whether there were, and the source is believed.
    pub(super) async fn capture_dirty(
        &mut self,
        mapping: &CompiledMapping,
    ) -> Result<bool, Broken> {
        let mut any = false;
        loop {
            let writer = self.writer;
            let keys = self.engine.state.run(move |state| state.dirty(&writer, KEYS_MAX)).await?;
            if keys.is_empty() {
                return Ok(any);
            }
            any = true;
            let next_page = self.next_page.take();
            let read = self.open(Wanted::keys(keys)).await?;
            let was_empty = std::mem::take(&mut self.source_was_empty);
            self.store(read, mapping).await?;
            let is_empty = self.source_was_empty;
            self.source_was_empty |= was_empty;
            self.next_page = next_page;
            if is_empty {
                // What was not believed is asked for again, and not at once.
                return Ok(false);
            }
        }
    }

    /// Opens a later read of the run, which must have the columns that the mapping was made for.
    async fn open(&mut self, wanted: Wanted) -> Result<OpenRead, Broken> {
        let read = self.capturing().open(wanted).await?;
        if read.rows.columns() == self.columns.as_slice() {
            return Ok(read);
        }
        self.is_redefined = true;
        Err(Broken::Source(SourceError {
            about: SourcePart::Whole,
            kind: SourceErrorKind::Interrupted,
            message: "the columns of the source changed while it was read".to_owned(),
            remedy: "run again".to_owned(),
        }))
    }

    /// Whether the run reads every row from the first to the last.
    pub(super) fn is_whole_read(&self) -> bool {
        self.full_read().is_some() && self.resumes_from().is_none()
    }

    /// Whether everything is read, and not only because the sync knows no better.
    pub(super) fn reads_for_a_reason(&self) -> bool {
        self.options.reconcile
            || self.reconcile_is_due()
            || self.full_read().is_some_and(|read| read != FullRead::NoCursor)
    }

    /// Stores what the run came to read.
    async fn store_own(&mut self, read: OpenRead, mapping: &CompiledMapping) -> Result<(), Broken> {
        let (rows, stored) = self.stored(read, mapping).await;
        self.rows_read += rows;
        stored
    }

    async fn store(&mut self, read: OpenRead, mapping: &CompiledMapping) -> Result<(), Broken> {
        self.stored(read, mapping).await.1
    }

    /// Stores what is read, as far as that goes; answers how many rows it were, too.
    async fn stored(
        &mut self,
        read: OpenRead,
        mapping: &CompiledMapping,
    ) -> (u64, Result<(), Broken>) {
        let mut into = Yield::default();
        let stored = self.capturing().store(read, mapping, &mut into).await;
        self.next_page = into.next_page.take();
        self.source_was_empty |= into.source_was_empty;
        let rows = into.books.read;
        self.take(into);
        (rows, stored)
    }

    /// Adds what a read yielded to the books.
    fn take(&mut self, into: Yield) {
        self.books += into.books;
        self.books.count_once();
        for (slug, labels) in into.wanted {
            self.wanted.entry(slug).or_default().extend(labels);
        }
        for text in into.notes.sentences() {
            self.calls.observe(&Event::Note { text });
        }
        for ((code, words), rows) in into.keyless {
            self.calls.observe(&Event::RowRefused { code: code.to_owned(), slug: None });
            self.keyless = Some(Trouble::new(
                code,
                format!("{} could not be keyed: {words}", plural(rows, "row")),
                "leave such rows out in the query, or choose a key that every row has",
            ));
        }
    }

    fn first_read(&self) -> Wanted {
        if self.task.changes.is_some() && self.full_read().is_none() {
            // The stream names the keys; a read of none tells the columns.
            return Wanted::keys(Vec::new());
        }
        match (&self.opened.watermark, &self.task.definition.source.rows) {
            (Some(watermark), _) if self.full_read().is_none() => {
                Wanted::rows(ReadScope::Since(watermark.clone()))
            }
            (_, SourceRows::Query { .. }) => Wanted::rows(ReadScope::Full),
            (_, SourceRows::Table { .. }) => {
                Wanted::page(self.resumes_from().cloned(), self.keeps_place())
            }
        }
    }

    /// Where an earlier run broke off in the full read that is due.
    fn resumes_from(&self) -> Option<&PageMark> {
        self.opened.page.as_ref().filter(|_| self.keeps_place() && !self.options.full)
    }

    /// A full read that is due goes on where it is broken off; one that is made anyway begins anew.
    fn keeps_place(&self) -> bool {
        self.opened.full_read.is_some()
    }

    /// Why everything is read, if it is.
    fn full_read(&self) -> Option<FullRead> {
        if self.options.full {
            Some(FullRead::Asked)
        } else if let Some(reason) = self.opened.full_read {
            Some(FullRead::Due(reason))
        } else if self.opened.watermark.is_none() && self.task.changes.is_none() {
            Some(FullRead::NoCursor)
        } else if self.options.reconcile || self.reconcile_is_due() {
            Some(FullRead::Reconcile)
        } else {
            None
        }
    }

    fn reconcile_is_due(&self) -> bool {
        let schedule = &self.task.definition.reconcile;
        let usual = self.options.serves.then(|| Schedule::every(RECONCILE_MINUTES));
        self.is_due(schedule.as_ref(), usual, self.opened.full_read_at)
    }

    /// Whether something that was last done at `last` is due by the sync's own schedule, else by the usual one.
    pub(super) fn is_due(
        &self,
        own: Option<&ScheduleDefinition>,
        usual: Option<Schedule>,
        last: Option<Timestamp>,
    ) -> bool {
        let schedule = own.and_then(|own| Schedule::new(own).ok()).or(usual);
        let (Some(schedule), now) = (schedule, self.engine.clock.now()) else { return false };
        last.is_none_or(|last| schedule.next_after(now, Some(last)).is_some_and(|due| due <= now))
    }

    /// A new external-id field is filled on every linked record before anything is created: that has its price.
    async fn tell_cost_of_filling(&self) -> Result<(), StateError> {
        if self.full_read() != Some(FullRead::Due(FullReadReason::ExternalIdFieldChanged)) {
            return Ok(());
        }
        let writer = self.writer;
        let links = self.engine.state.run(move |state| state.link_count(&writer)).await?;
        let calls = links.div_ceil(BULK_MAX as u64);
        let text = format!(
            "the external-id field changed: {} get their key in the new field before any record is created, at \
             about {}",
            plural(links, "linked record"),
            plural(calls, "API call")
        );
        self.calls.observe(&Event::Note { text });
        Ok(())
    }

    fn announce(&self) {
        self.calls.observe(&Event::ReadOpened { full: self.full_read() });
    }

    pub(super) fn capturing(&self) -> Capture<'_> {
        let definition = &self.task.definition;
        Capture {
            calls: self.calls,
            source: &*self.task.source,
            writer: self.writer,
            cancelled: self.cancelled,
            policy: definition.destination.on_delete.policy(),
            deleted_field: definition.source.deleted_field.as_deref(),
            is_swept: definition.is_swept(),
        }
    }
}
