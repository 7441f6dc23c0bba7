//! A run under way: read the table's structure, capture, deliver, balance the books.

use std::sync::Arc;

use jiff::SignedDuration;
use sync_core::{
    error::CallError,
    mapping::{CompiledMapping, Severity},
    port::ReadScope,
    state::{Books, OpenedSync, RunStatus, StateError, Writer},
    table::TableStructure,
};
use tokio_util::sync::CancellationToken;

use super::{
    RunOptions, SyncTask, Trouble,
    task::{link_fields, shape_hash},
};
use crate::{
    calls::Calls,
    capture::{Broken, Capture, KEYS_MAX, Yield, quarantine_full},
    delivery::{Ended, Route, deliver},
    engine::Engine,
    event::{Event, FullRead},
    structure,
};

/// Bytes of drafts in one call: well below the largest body known to be safe.
const CALL_BYTES_MAX: usize = 600_000;
/// How old the cached structure may be where a newer one could mend what is wrong.
const STRUCTURE_AGE_MAX: SignedDuration = SignedDuration::from_hours(1);
/// Captures of dirty keys that one run makes after its read: each delivery may adopt records and mark their keys.
const ROUNDS_MAX: usize = 5;

/// How the work of a run ended, before its books are balanced.
pub(super) enum Work {
    Done,
    Cancelled,
    Failed(Trouble),
}

/// A run under way.
pub(super) struct Running<'a> {
    pub(super) engine: &'a Engine,
    pub(super) task: &'a SyncTask,
    pub(super) calls: &'a Calls,
    pub(super) cancelled: &'a CancellationToken,
    pub(super) writer: Writer,
    pub(super) opened: OpenedSync,
    pub(super) options: RunOptions,
    pub(super) books: Books,
    /// What to say of rows that have no key to be parked under.
    pub(super) keyless: Option<Trouble>,
}

impl Running<'_> {
    /// Capture, then delivery, then what delivery made dirty.
    pub(super) async fn work(&mut self) -> Result<Work, StateError> {
        self.set_links().await?;
        let retries = self.release_quarantine().await?;
        let age_max = match (self.options.retry, retries) {
            (true, _) => Some(SignedDuration::ZERO),
            // Rows that are tried again deserve the table as it is.
            (false, true) => Some(STRUCTURE_AGE_MAX),
            (false, false) => None,
        };
        let structure = match self.structure(age_max).await? {
            Ok(structure) => structure,
            Err(error) => return self.refused_structure(&error).await,
        };
        self.see_shape(&structure).await?;
        let mapping = match self.capture(&structure).await {
            Ok(mapping) => mapping,
            Err(Unread::Broken(broken)) => return self.broken(broken).await,
            Err(Unread::Unfit(trouble)) => match self.capture_anew(structure).await? {
                Some(Ok(mapping)) => mapping,
                Some(Err(Unread::Broken(broken))) => return self.broken(broken).await,
                Some(Err(Unread::Unfit(trouble))) => return Ok(Work::Failed(trouble)),
                None => return Ok(Work::Failed(trouble)),
            },
        };
        let route = self.route(&mapping);
        for round in 0..ROUNDS_MAX {
            match self.capture_dirty(&mapping).await {
                Ok(false) if round > 0 => break,
                Ok(_) => {}
                Err(broken) => return self.broken(broken).await,
            }
            if round == 0
                && let Err(trouble) = self.oversee().await?
            {
                return Ok(Work::Failed(trouble));
            }
            if let Some(work) = self.deliver(&route).await? {
                return Ok(work);
            }
        }
        Ok(Work::Done)
    }

    /// Asks whoever oversees the run whether what was captured may be sent.
    async fn oversee(&self) -> Result<Result<(), Trouble>, StateError> {
        let Some(overseer) = &self.engine.overseer else { return Ok(Ok(())) };
        let writer = self.writer;
        let outbox = self.engine.state.run(move |state| state.outbox_digest(&writer)).await?;
        Ok(overseer.captured(&self.task.definition.name, outbox))
    }

    /// The table cannot even be described: its own refusal stops the sync.
    async fn refused_structure(&mut self, error: &CallError) -> Result<Work, StateError> {
        if self.cancelled.is_cancelled() {
            return Ok(Work::Cancelled);
        }
        if let Some(stop) = self.calls.stop_for(error.kind) {
            let writer = self.writer;
            self.engine.state.run(move |state| state.set_stop(&writer, Some(&stop))).await?;
        }
        Ok(Work::Failed(Trouble::from(error)))
    }

    /// A changed choice or precision changes what rows become: everything is read again.
    async fn see_shape(&mut self, structure: &TableStructure) -> Result<(), StateError> {
        let hash = shape_hash(&self.task.definition, structure);
        let writer = self.writer;
        let differs = self.engine.state.run(move |state| state.see_shape(&writer, &hash)).await?;
        if differs && self.opened.full_read.is_none() {
            self.opened.full_read = Some(sync_core::state::FullReadReason::DefinitionChanged);
        }
        Ok(())
    }

    /// Tells the state which fields hold links to which other syncs' records.
    async fn set_links(&mut self) -> Result<(), StateError> {
        let fields = link_fields(&self.task.definition);
        let writer = self.writer;
        let is_new = self.engine.state.run(move |state| state.set_links(&writer, &fields)).await?;
        if is_new && self.opened.full_read.is_none() {
            self.opened.full_read = Some(sync_core::state::FullReadReason::DefinitionChanged);
        }
        Ok(())
    }

    /// Lets quarantined rows that are due try again; answers whether there are any. Keys that were dirty before are to
    /// be read again for another reason, such as a link, and say nothing of the table.
    async fn release_quarantine(&mut self) -> Result<bool, StateError> {
        let (writer, now, all) = (self.writer, self.engine.clock.now(), self.options.retry);
        let (books, any_marked) = self
            .engine
            .state
            .run(move |state| {
                let none_before = state.dirty(&writer, 1)?.is_empty();
                let books = state.release_quarantine(&writer, now, all)?;
                Ok((books, none_before && !state.dirty(&writer, 1)?.is_empty()))
            })
            .await?;
        self.books += books;
        Ok(books.released > 0 || any_marked)
    }

    async fn structure(
        &self,
        age_max: Option<SignedDuration>,
    ) -> Result<Result<TableStructure, CallError>, StateError> {
        let table = &self.task.definition.destination.table_id;
        structure::cached_or_read(self.calls, &*self.task.target, &self.opened, table, age_max)
            .await
    }

    /// The mapping does not fit the table as it was last read: the table may have changed since.
    async fn capture_anew(
        &mut self,
        known: TableStructure,
    ) -> Result<Option<Result<CompiledMapping, Unread>>, StateError> {
        match self.structure(Some(STRUCTURE_AGE_MAX)).await? {
            Ok(structure) if structure != known => {
                self.see_shape(&structure).await?;
                Ok(Some(self.capture(&structure).await))
            }
            Ok(_) | Err(_) => Ok(None),
        }
    }

    async fn capture(&mut self, structure: &TableStructure) -> Result<CompiledMapping, Unread> {
        let capture = self.capturing();
        let scope = self.scope();
        let read = capture.open(scope).await?;
        self.announce();
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
            return Err(Unread::Unfit(Trouble {
                findings: findings
                    .into_iter()
                    .filter(|finding| finding.severity() == Severity::Error)
                    .collect(),
                ..Trouble::new(
                    "mapping_does_not_fit",
                    "the mapping does not fit the source or the table",
                    "mend the mapping; `validate --online` shows the same list",
                )
            }));
        };
        let mut into = Yield::default();
        let stored = capture.store(read, &mapping, &mut into).await;
        self.take(into);
        stored?;
        Ok(mapping)
    }

    /// Reads dirty keys again, if there are any; answers whether there were.
    async fn capture_dirty(&mut self, mapping: &CompiledMapping) -> Result<bool, Broken> {
        let mut any = false;
        loop {
            let writer = self.writer;
            let keys = self.engine.state.run(move |state| state.dirty(&writer, KEYS_MAX)).await?;
            if keys.is_empty() {
                return Ok(any);
            }
            any = true;
            let capture = self.capturing();
            let read = capture.open(ReadScope::Keys(keys)).await?;
            let mut into = Yield::default();
            let stored = capture.store(read, mapping, &mut into).await;
            self.take(into);
            stored?;
        }
    }

    /// Sends what waits; answers how the work ended, if it did.
    async fn deliver(&mut self, route: &Route) -> Result<Option<Work>, StateError> {
        let audited = self.engine.is_audited(self.writer);
        let (ended, books, audited) = deliver(route, audited, self.cancelled).await?;
        self.books += books;
        if audited {
            self.engine.set_audited(self.writer);
        }
        Ok(match ended {
            Ended::Idle => None,
            Ended::Cancelled => Some(Work::Cancelled),
            Ended::Stopped(stop) => Some(Work::Failed(Trouble::from(&stop))),
            Ended::Failed(error) => Some(Work::Failed(Trouble::from(&error))),
            Ended::NotPlanned => Some(Work::Failed(Trouble::plan_outdated())),
            Ended::StructureChanged => Some(Work::Failed(Trouble::new(
                "table_changed",
                "the table was changed in SmartSuite while the run was under way",
                "run again: everything is read anew for the changed table",
            ))),
        })
    }

    async fn broken(&self, broken: Broken) -> Result<Work, StateError> {
        match broken {
            Broken::State(error) => Err(error),
            Broken::Source(error) => Ok(Work::Failed(Trouble::from(&error))),
            Broken::Cancelled => Ok(Work::Cancelled),
            Broken::QuarantineFull => {
                let (writer, stop) = (self.writer, quarantine_full());
                let trouble = Trouble::from(&stop);
                self.engine.state.run(move |state| state.set_stop(&writer, Some(&stop))).await?;
                Ok(Work::Failed(trouble))
            }
        }
    }

    /// Adds what a read yielded to the books.
    fn take(&mut self, into: Yield) {
        self.books += into.books;
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

    fn scope(&self) -> ReadScope {
        match &self.opened.watermark {
            Some(watermark) if self.full_read().is_none() => ReadScope::Since(watermark.clone()),
            _ => ReadScope::Full,
        }
    }

    /// Why everything is read, if it is.
    fn full_read(&self) -> Option<FullRead> {
        if self.options.full {
            Some(FullRead::Asked)
        } else if let Some(reason) = self.opened.full_read {
            Some(FullRead::Due(reason))
        } else if self.opened.watermark.is_none() {
            Some(FullRead::NoCursor)
        } else {
            None
        }
    }

    fn announce(&self) {
        self.calls.observe(&Event::ReadOpened { full: self.full_read() });
    }

    /// The run's honest name: success only if both balances hold, nothing waits and nothing is in quarantine.
    pub(super) async fn balance(
        &mut self,
        work: Work,
    ) -> Result<(RunStatus, Option<Trouble>), StateError> {
        let writer = self.writer;
        let (waiting, quarantine) =
            self.engine.state.run(move |state| state.backlog(&writer)).await?;
        self.books.waiting_after = waiting;
        self.books.quarantine = quarantine;
        Ok(match work {
            Work::Failed(trouble) => (RunStatus::Failed, Some(trouble)),
            Work::Cancelled => (
                RunStatus::Interrupted,
                Some(Trouble::new(
                    "interrupted",
                    "the run was ended early",
                    "run again: nothing was lost",
                )),
            ),
            Work::Done if !self.books.rows_balance() || !self.books.entries_balance() => (
                RunStatus::Failed,
                Some(Trouble::new(
                    "books_do_not_balance",
                    "not every row is accounted for",
                    "please report this with the output of `status --json`; nothing was deleted",
                )),
            ),
            Work::Done if quarantine > 0 => (
                RunStatus::Partial,
                Some(Trouble::new(
                    "rows_refused",
                    format!("{} in quarantine", plural(quarantine, "row")),
                    "see `status` for each row and its reason; they are tried again by themselves",
                )),
            ),
            Work::Done if self.keyless.is_some() => (RunStatus::Partial, self.keyless.clone()),
            Work::Done if waiting > 0 => (
                RunStatus::Partial,
                Some(Trouble::new(
                    "rows_wait",
                    format!("{} still to be sent", plural(waiting, "row")),
                    "run again later; nothing is lost",
                )),
            ),
            Work::Done => (RunStatus::Success, None),
        })
    }

    fn route(&self, mapping: &CompiledMapping) -> Route {
        let destination = &self.task.definition.destination;
        Route {
            calls: self.calls.clone(),
            target: Arc::clone(&self.task.target),
            shape: Arc::new(mapping.shape().clone()),
            writer: self.writer,
            key_prefix: destination.key_prefix.clone(),
            on_missing: destination.on_missing,
            dedicated_member: self.engine.dedicated_member,
            bytes_max: CALL_BYTES_MAX,
        }
    }
}

impl<'a> Running<'a> {
    fn capturing(&self) -> Capture<'a> {
        Capture {
            calls: self.calls,
            source: &*self.task.source,
            writer: self.writer,
            cancelled: self.cancelled,
        }
    }
}

/// Why a read yielded no mapping.
enum Unread {
    /// The definition and the live schemas disagree.
    Unfit(Trouble),
    Broken(Broken),
}

impl<E: Into<Broken>> From<E> for Unread {
    fn from(error: E) -> Self {
        Self::Broken(error.into())
    }
}

fn plural(count: u64, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}
