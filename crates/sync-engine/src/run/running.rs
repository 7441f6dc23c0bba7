//! A run under way: read the table's structure, capture, sweep, deliver, balance the books.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use jiff::SignedDuration;
use sync_core::{
    config::model::WriteMode,
    deletes::Going,
    error::{CallError, SourceErrorKind},
    mapping::CompiledMapping,
    slug::Slug,
    source::Column,
    state::{
        Books, FullReadReason, OpenedSync, PageMark, RunStatus, StateError, Writer, rows_vanished,
    },
    table::TableStructure,
};
use tokio_util::sync::CancellationToken;

use super::{
    RunOptions, SyncTask, Trouble,
    following::{News, Stream},
    reading::Unread,
    task::{link_fields, shape_hash},
};
use crate::{
    calls::Calls,
    capture::{Broken, quarantine_full},
    delivery::{Delivered, Ended, Route, Turn, deliver},
    engine::Engine,
    event::Event,
    structure::{self, STRUCTURE_AGE_MAX},
};

/// How often in a row a read is begun anew where its tables were defined anew meanwhile, and how long it waits before:
/// tools that change tables do so in steps.
const REDEFINED_MAX: u32 = 5;
const REDEFINED_PAUSE: Duration = Duration::from_secs(1);
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
    /// Where the next page begins, while a table is read in pages.
    pub(super) next_page: Option<PageMark>,
    /// The columns of the run's first read: the mapping was made for them.
    pub(super) columns: Vec<Column>,
    /// Labels of choices that rows ask for, by field.
    pub(super) wanted: BTreeMap<Slug, BTreeSet<String>>,
    /// Those of them that this run has tried to add.
    pub(super) asked_for: BTreeSet<(Slug, String)>,
    /// Whether this run has looked for records of rows that had none, in a sync that makes none.
    pub(super) has_looked: bool,
    /// Whether it looks for them though no such row changed: everything is read for a reason.
    pub(super) looks: bool,
    /// Records that the last sweep missed, so many that they wait for a yes before they go.
    pub(super) asks: Option<Going>,
    /// Records whose end waited for a yes when the last delivery began.
    pub(super) held: Option<Going>,
    /// A read failed as one does while the source's tables are being defined anew.
    pub(super) is_redefined: bool,
    /// The source showed no row at all where many were known.
    pub(super) source_was_empty: bool,
    /// The last delivery left keys to be read again.
    pub(super) unread: bool,
    /// Why no sweep came to its end.
    pub(super) unswept: Option<Trouble>,
    /// Rows of the run's own read, without keys that were asked for again.
    pub(super) rows_read: u64,
    /// What to say where a full read yielded far fewer rows than the one before.
    pub(super) vanished: Option<Trouble>,
    /// Why what waits is left to a later run, where the month's calls are to last.
    pub(super) deferred: Option<Trouble>,
}

impl Running<'_> {
    /// Works, and answers the run's honest name with what kept it from success.
    pub(super) async fn finish(&mut self) -> Result<(RunStatus, Option<Trouble>), StateError> {
        let work = self.work().await?;
        self.balance(work).await
    }

    /// Capture, page by page with dirty keys between; the sweep; then delivery, and what it made dirty.
    async fn work(&mut self) -> Result<Work, StateError> {
        self.set_links().await?;
        self.tell_left_out().await?;
        let retries = self.release_quarantine().await?;
        let age_max = match (self.options.retry, retries) {
            (true, _) => Some(SignedDuration::ZERO),
            // Rows that are tried again deserve the table as it is.
            (false, true) => Some(STRUCTURE_AGE_MAX),
            (false, false) => None,
        };
        let mut structure = match self.structure(age_max).await? {
            Ok(structure) => structure,
            Err(error) => return self.refused_structure(&error).await,
        };
        self.see_shape(&structure).await?;
        // Before anything is read: what is read from here on shows at least what the stream has named before.
        let mut stream = match self.begin_stream().await {
            Ok(stream) => stream,
            Err(broken) => return self.broken(broken).await,
        };
        let mut mapping = match self.read(&structure).await? {
            Ok(mapping) => mapping,
            Err(work) => return Ok(work),
        };
        if let Some(stream) = &stream {
            stream.reads_everything(false);
        }
        let ends_at = self.options.follow.map(|length| self.engine.clock.elapsed() + length);
        let mut must_read = match &mut stream {
            Some(stream) => match self.catch_up(stream).await {
                Ok(is_gap) => is_gap,
                Err(broken) => return self.broken(broken).await,
            },
            None => false,
        };
        let mut is_first = true;
        let mut redefined = 0;
        loop {
            let sweeps = is_first || must_read;
            is_first = false;
            if must_read {
                match self.read_gap(&structure, stream.as_ref()).await? {
                    Ok(anew) => mapping = anew,
                    Err(work) if !self.tries_anew(&mut redefined, stream.is_some()).await? => {
                        return Ok(work);
                    }
                    Err(_) => continue,
                }
            }
            if let Some(work) =
                self.settle_dirty(&mut structure, &mut mapping, stream.as_ref(), sweeps).await?
            {
                if !self.tries_anew(&mut redefined, stream.is_some()).await? {
                    return Ok(work);
                }
                must_read = true;
                continue;
            }
            redefined = 0;
            self.options.reconcile = false;
            let (Some(stream), Some(ends_at)) = (&mut stream, ends_at) else {
                return Ok(Work::Done);
            };
            must_read = match self.await_news(stream, ends_at).await {
                Ok(News::Over) => return Ok(Work::Done),
                Ok(news) => news == News::Gap,
                Err(broken) => return self.broken(broken).await,
            };
            self.release_quarantine().await?;
        }
    }

    /// Reads everything, as the stream could not name what changed.
    async fn read_gap(
        &mut self,
        structure: &TableStructure,
        stream: Option<&Stream>,
    ) -> Result<Result<CompiledMapping, Work>, StateError> {
        // What the log could not name may be gone, too.
        self.opened.full_read.get_or_insert(FullReadReason::LogGap);
        self.opened.swept_at = None;
        if let Some(stream) = stream {
            stream.reads_everything(true);
        }
        let read = self.read(structure).await?;
        if let (Some(stream), Ok(_)) = (stream, &read) {
            stream.reads_everything(false);
        }
        Ok(read)
    }

    /// Whether what failed is tried again with a read of everything, because the source's tables were being defined
    /// anew; only where their changes are followed. Waits a moment before.
    async fn tries_anew(&mut self, tries: &mut u32, follows: bool) -> Result<bool, StateError> {
        if !std::mem::take(&mut self.is_redefined) || !follows || *tries >= REDEFINED_MAX {
            return Ok(false);
        }
        *tries += 1;
        self.calls.heartbeat(self.writer).await?;
        tokio::select! {
            biased;
            () = self.cancelled.cancelled() => return Ok(false),
            () = self.engine.clock.sleep(REDEFINED_PAUSE) => {}
        }
        Ok(true)
    }

    /// Reads what is due, by a mapping that fits the table as it is.
    async fn read(
        &mut self,
        structure: &TableStructure,
    ) -> Result<Result<CompiledMapping, Work>, StateError> {
        self.looks |= self.reads_for_a_reason();
        let outcome = match self.capture(structure).await {
            Err(Unread::Unfit(trouble)) => {
                self.capture_anew(structure).await?.unwrap_or(Err(Unread::Unfit(trouble)))
            }
            outcome => outcome,
        };
        let mapping = match outcome {
            Ok(mapping) => mapping,
            Err(Unread::Unfit(trouble)) => return Ok(Err(Work::Failed(trouble))),
            Err(Unread::Gone(trouble)) => {
                self.is_redefined = true;
                return Ok(Err(Work::Failed(trouble)));
            }
            Err(Unread::Broken(broken)) => return self.broken(broken).await.map(Err),
        };
        if let Err(broken) = self.read_on(&mapping).await {
            return self.broken(broken).await.map(Err);
        }
        self.weigh().await?;
        if self.task.changes.is_some() {
            // What was due is read; what is due later in this run says so anew.
            self.opened.full_read = None;
            self.opened.page = None;
            self.opened.full_read_at = Some(self.engine.clock.now());
            self.options.full = false;
        }
        Ok(Ok(mapping))
    }

    /// Sweeps if that is due, reads dirty keys again and delivers, and what delivery made dirty too; answers how the
    /// work ended, if it did.
    async fn settle_dirty(
        &mut self,
        structure: &mut TableStructure,
        mapping: &mut CompiledMapping,
        stream: Option<&Stream>,
        sweeps: bool,
    ) -> Result<Option<Work>, StateError> {
        let audits = sweeps && self.audit_is_due().await?;
        if audits {
            // What the state does not know of must be known before anything counts as gone (D8).
            if let Err(trouble) = self.oversee().await? {
                return Ok(Some(Work::Failed(trouble)));
            }
            let audit = Route { audits: true, ..self.route(mapping) };
            if let Some(work) = self.deliver(&audit, None).await? {
                return Ok(Some(work));
            }
        }
        if sweeps && let Err(broken) = self.sweep_if_due().await {
            return self.broken(broken).await.map(Some);
        }
        self.unread = false;
        for round in 0..ROUNDS_MAX {
            match self.capture_dirty(mapping).await {
                Ok(false) if round > 0 => return Ok(None),
                Ok(_) => {}
                Err(broken) => return self.broken(broken).await.map(Some),
            }
            if self.add_choices(structure, mapping).await?
                && let Err(broken) = self.capture_dirty(mapping).await
            {
                return self.broken(broken).await.map(Some);
            }
            if round == 0
                && !audits
                && let Err(trouble) = self.oversee().await?
            {
                return Ok(Some(Work::Failed(trouble)));
            }
            let route = self.route(mapping);
            if let Some(work) = self.deliver(&route, stream).await? {
                return Ok(Some(work));
            }
        }
        // A stream may name keys without end: those are of changes after this run.
        let writer = self.writer;
        self.unread = stream.is_none()
            && !self.engine.state.run(move |state| state.dirty(&writer, 1)).await?.is_empty();
        Ok(None)
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
        let Some(stop) = self.calls.stop_for(error.kind) else {
            return Ok(Work::Failed(Trouble::from(error)));
        };
        let (writer, trouble) = (self.writer, Trouble::from(&stop));
        self.engine.state.run(move |state| state.set_stop(&writer, Some(&stop))).await?;
        Ok(Work::Failed(trouble))
    }

    /// A changed choice or precision changes what rows become: everything is read again.
    async fn see_shape(&mut self, structure: &TableStructure) -> Result<(), StateError> {
        let hash = shape_hash(&self.task.definition, structure);
        let writer = self.writer;
        let differs = self.engine.state.run(move |state| state.see_shape(&writer, &hash)).await?;
        if differs {
            // What an earlier run has read was made for another table.
            self.opened.page = None;
            self.opened.full_read.get_or_insert(FullReadReason::SchemaChanged);
        }
        Ok(())
    }

    /// Tells the state which fields hold links to which other syncs' records.
    async fn set_links(&mut self) -> Result<(), StateError> {
        let fields = link_fields(&self.task.definition);
        let writer = self.writer;
        let is_new = self.engine.state.run(move |state| state.set_links(&writer, &fields)).await?;
        if is_new {
            // What an earlier run has read was read without these links.
            self.opened.page = None;
            self.opened.full_read.get_or_insert(FullReadReason::DefinitionChanged);
        }
        Ok(())
    }

    /// Lets quarantined rows that are due try again; answers whether there are any. Keys that were dirty before are to
    /// be read again for another reason, such as a link, and say nothing of the table.
    pub(super) async fn release_quarantine(&mut self) -> Result<bool, StateError> {
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
        let definition = &self.task.definition.destination;
        structure::cached_or_read(self.calls, &*self.task.target, &self.opened, definition, age_max)
            .await
    }

    /// The mapping does not fit the table as it was last read: the table may have changed since.
    async fn capture_anew(
        &mut self,
        known: &TableStructure,
    ) -> Result<Option<Result<CompiledMapping, Unread>>, StateError> {
        match self.structure(Some(STRUCTURE_AGE_MAX)).await? {
            Ok(structure) if structure != *known => {
                self.see_shape(&structure).await?;
                Ok(Some(self.capture(&structure).await))
            }
            Ok(_) | Err(_) => Ok(None),
        }
    }

    /// Holds what a full read yielded against the one before. A drop is believed when a person asks for a full read,
    /// or changed the definition; else it is said with every full read until the rows are back.
    async fn weigh(&mut self) -> Result<(), StateError> {
        if !self.is_whole_read() {
            return Ok(());
        }
        let (rows, before) = (self.rows_read, self.opened.full_rows.unwrap_or(0));
        let vanished = rows_vanished(before, rows);
        let changed = self.opened.full_read == Some(FullReadReason::DefinitionChanged);
        self.vanished = vanished.then(|| {
            Trouble::new(
                "rows_vanished",
                format!("the query yields {} where it yielded {before}", plural(rows, "row")),
                "look whether the source is whole and the query is right; if it is to be so, `run --full` accepts it",
            )
        });
        if let (Some(trouble), true) = (&self.vanished, self.options.follow.is_some()) {
            // Such a run has its name only much later.
            let text = format!("{}: {}", trouble.message, trouble.remedy);
            self.calls.observe(&Event::Note { text });
        }
        if vanished && !self.options.full && !changed || self.opened.full_rows == Some(rows) {
            return Ok(());
        }
        self.opened.full_rows = Some(rows);
        let writer = self.writer;
        self.engine.state.run(move |state| state.set_full_rows(&writer, rows)).await
    }

    /// Sends what waits; answers how the work ended, if it did. Where a stream is followed for good, newer changes get
    /// their turn before all is sent.
    async fn deliver(
        &mut self,
        route: &Route,
        stream: Option<&Stream>,
    ) -> Result<Option<Work>, StateError> {
        // Others make the records of a sync that makes none, at any time: it looks once a run.
        let audited =
            if route.only_updates { self.has_looked } else { self.engine.is_audited(self.writer) };
        let gone = self.books.deleted + self.books.archived;
        let turn = Turn::new(self.cancelled.child_token());
        let mut delivery = Box::pin(deliver(route, audited, gone, &turn));
        let delivered = match stream.filter(|_| self.options.follow.is_some()) {
            Some(stream) => tokio::select! {
                biased;
                delivered = &mut delivery => delivered?,
                () = stream.wants(&turn, &*self.engine.clock) => {
                    turn.over.cancel();
                    delivery.await?
                }
            },
            None => delivery.await?,
        };
        let Delivered { ended, books, audited, held } = delivered;
        self.held = held;
        self.books += books;
        if audited {
            self.has_looked = true;
            self.engine.set_audited(self.writer);
        }
        Ok(match ended {
            Ended::Idle => None,
            Ended::Cancelled => self.cancelled.is_cancelled().then_some(Work::Cancelled),
            Ended::Stopped(stop) => Some(Work::Failed(Trouble::from(&stop))),
            Ended::Failed(error) => Some(Work::Failed(Trouble::from(&error))),
            Ended::Deferred(trouble) => {
                self.deferred = Some(trouble);
                None
            }
            Ended::NotPlanned => Some(Work::Failed(Trouble::plan_outdated())),
            Ended::StructureChanged => Some(Work::Failed(Trouble::new(
                "table_changed",
                "the table was changed in SmartSuite while the run was under way",
                "run again: everything is read anew for the changed table",
            ))),
        })
    }

    async fn broken(&mut self, broken: Broken) -> Result<Work, StateError> {
        match broken {
            Broken::State(error) => Err(error),
            Broken::Source(error) => {
                self.is_redefined |=
                    matches!(error.kind, SourceErrorKind::Sql | SourceErrorKind::MissingColumn);
                Ok(Work::Failed(Trouble::from(&error)))
            }
            Broken::Cancelled => Ok(Work::Cancelled),
            Broken::Ended(fault) => Ok(Work::Failed(Trouble::new(
                fault.code.code(),
                format!("{fault}; `on_unknown: error` ends the run"),
                fault.remedy(),
            ))),
            Broken::QuarantineFull => {
                let (writer, stop) = (self.writer, quarantine_full());
                let trouble = Trouble::from(&stop);
                self.engine.state.run(move |state| state.set_stop(&writer, Some(&stop))).await?;
                Ok(Work::Failed(trouble))
            }
        }
    }

    /// The run's honest name: success only if both balances hold, nothing waits, nothing is in quarantine, and the
    /// rows have not vanished.
    async fn balance(&mut self, work: Work) -> Result<(RunStatus, Option<Trouble>), StateError> {
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
            Work::Done if self.unswept.is_some() => (RunStatus::Failed, self.unswept.clone()),
            Work::Done if self.source_was_empty => (
                RunStatus::Partial,
                Some(Trouble::new(
                    "source_shows_nothing",
                    "the source shows no row at all, so no record was deleted or archived",
                    "see whether the source is right; where it really is empty, remove the records in SmartSuite, \
                     and forget them with `state reset links`",
                )),
            ),
            Work::Done if self.held.or(self.asks).is_some() => {
                (RunStatus::Partial, self.held.or(self.asks).map(needs_a_yes))
            }
            Work::Done if self.vanished.is_some() => (RunStatus::Partial, self.vanished.clone()),
            Work::Done if waiting > 0 && self.deferred.is_some() => {
                (RunStatus::Partial, self.deferred.clone())
            }
            Work::Done if quarantine > 0 => (
                RunStatus::Partial,
                Some(Trouble::new(
                    "rows_refused",
                    format!("{} in quarantine", plural(quarantine, "row")),
                    "see `status` for each row and its reason; they are tried again by themselves",
                )),
            ),
            Work::Done if self.keyless.is_some() => (RunStatus::Partial, self.keyless.clone()),
            Work::Done if self.unread => (
                RunStatus::Partial,
                Some(Trouble::new(
                    "rows_wait",
                    "some rows are still to be read again, as their records are not as they were left",
                    "run again later; nothing is lost",
                )),
            ),
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

    pub(super) fn only_updates(&self) -> bool {
        self.task.definition.destination.mode == WriteMode::UpdateOnly
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
            gone: destination.on_delete.policy(),
            allow_deletes: self.options.allow_deletes,
            archive: mapping.archive().cloned().map(Arc::new),
            match_on: mapping.match_on().cloned().map(Arc::new),
            only_updates: self.only_updates(),
            audits: false,
        }
    }
}

/// Rows are gone, and it is for a person to say whether so many records should go with them.
fn needs_a_yes(going: Going) -> Trouble {
    let Going { records, of } = going;
    Trouble::new(
        "deletes_need_a_yes",
        format!(
            "the rows of {records} of {} are gone: their records wait for a yes",
            plural(of, "record")
        ),
        format!(
            "if so many should go: `run --allow-deletes {records}`, with `--sync-name` for this sync"
        ),
    )
}

pub(super) fn plural(count: u64, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}
