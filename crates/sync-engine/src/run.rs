//! One run of one sync: lock, capture, deliver, balance the books, say honestly how it went.

use std::{sync::Arc, sync::atomic::AtomicU64};

use sync_core::{
    config::model::SyncDefinition,
    error::{CallError, SourceError},
    mapping::{CompiledMapping, Finding, Severity, definition_hash},
    port::{ReadScope, RecordTarget, RowSource},
    state::{Books, OpenedSync, RunEnd, RunStatus, StateError, Stop, SyncIdentity, Writer},
    table::TableStructure,
};
use tokio_util::sync::CancellationToken;

use crate::{
    calls::Calls,
    capture::{Broken, Capture, KEYS_MAX, Yield},
    delivery::{Ended, Route, deliver},
    engine::Engine,
    event::{Event, FullRead},
    structure,
};

/// Bytes of drafts in one call: well below the largest body known to be safe.
const CALL_BYTES_MAX: usize = 600_000;
/// Captures of dirty keys that one run makes after its read: each delivery may adopt records and mark their keys.
const ROUNDS_MAX: usize = 5;

/// A sync with the adapters for its two sides.
#[derive(Clone)]
pub struct SyncTask {
    /// Its definition.
    pub definition: Arc<SyncDefinition>,
    /// Its rows.
    pub source: Arc<dyn RowSource>,
    /// Its records.
    pub target: Arc<dyn RecordTarget>,
    /// Host of the service, without port.
    pub host: String,
    /// SmartSuite's account id.
    pub account: String,
}

impl std::fmt::Debug for SyncTask {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SyncTask").field("name", &self.definition.name).finish_non_exhaustive()
    }
}

impl SyncTask {
    /// The sync as its definition has it now.
    pub(crate) fn identity(&self, accept_key_change: bool) -> SyncIdentity {
        let SyncDefinition { name, previously, source, destination, .. } = &*self.definition;
        let values = [
            source.query.as_str(),
            source.updated_at_field.as_deref().unwrap_or_default(),
            &definition_hash(destination, source).to_string(),
        ];
        SyncIdentity {
            name: name.clone(),
            previously: previously.clone(),
            host: self.host.clone(),
            account: self.account.clone(),
            table: destination.table_id.clone(),
            external_id_field: destination.external_id_field.to_string(),
            values_hash: values.join("\0"),
            key_hash: [source.primary_key.join("\0"), destination.key_prefix.clone()].join("\0\0"),
            accept_key_change,
        }
    }
}

/// What a person asked of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RunOptions {
    /// Read everything, whatever the position.
    pub full: bool,
    /// Let a stopped sync go again, and try quarantined rows now.
    pub retry: bool,
    /// The key columns changed on purpose: drop the links and adopt anew.
    pub accept_key_change: bool,
}

/// What a run came to.
#[derive(Clone, Debug)]
pub struct RunReport {
    /// The sync.
    pub sync: String,
    /// How it went.
    pub outcome: RunOutcome,
    /// Its counts.
    pub books: Books,
    /// Calls it made.
    pub calls: u64,
}

/// How a run went.
#[derive(Clone, Debug)]
pub enum RunOutcome {
    /// It ran; its honest name, and what kept it from success.
    Ran {
        /// Its name.
        status: RunStatus,
        /// What went wrong.
        trouble: Option<Trouble>,
    },
    /// Somebody else runs this sync.
    Busy,
    /// The breaker had stopped it; no call was made.
    Stopped(Stop),
}

/// What kept a run from success.
#[derive(Clone, Debug, PartialEq)]
pub struct Trouble {
    /// Stable code.
    pub code: String,
    /// In one line, free of row values.
    pub message: String,
    /// What to do.
    pub remedy: String,
    /// Disagreements between the definition and the live schemas, where those are the trouble.
    pub findings: Vec<Finding>,
}

impl Trouble {
    fn new(code: impl Into<String>, message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            code: code.into(),
            message: message.into(),
            remedy: remedy.into(),
            findings: Vec::new(),
        }
    }
}

impl From<&StateError> for Trouble {
    fn from(error: &StateError) -> Self {
        Self::new(error.code(), error.to_string(), error.remedy())
    }
}

impl From<&CallError> for Trouble {
    fn from(error: &CallError) -> Self {
        Self::new(error.kind.code(), error.kind.to_string(), error.kind.remedy())
    }
}

impl From<&SourceError> for Trouble {
    fn from(error: &SourceError) -> Self {
        Self::new(error.kind.code(), error.message.clone(), error.remedy.clone())
    }
}

impl From<&Stop> for Trouble {
    fn from(stop: &Stop) -> Self {
        Self::new(stop.code.clone(), stop.message.clone(), stop.remedy.clone())
    }
}

/// How the work of a run ended, before its books are balanced.
enum Work {
    Done,
    Cancelled,
    Failed(Trouble),
}

impl Engine {
    /// Runs one sync once.
    ///
    /// # Errors
    /// The state fails. Whatever else goes wrong is part of the report and stored with the run.
    pub async fn run(
        &self,
        task: &SyncTask,
        options: RunOptions,
        cancelled: &CancellationToken,
    ) -> Result<RunReport, StateError> {
        let identity = task.identity(options.accept_key_change);
        let now = self.clock.now();
        let opened = self.state.run(move |state| state.open_sync(&identity, now)).await?;
        let report = |outcome, books, calls| RunReport {
            sync: task.definition.name.clone(),
            outcome,
            books,
            calls,
        };
        let Some(lock) = self.locks.try_lock(opened.id)? else {
            return Ok(report(RunOutcome::Busy, Books::default(), 0));
        };
        let stop = opened.stopped.as_ref().filter(|stop| stop.holds_for(&self.key_digest));
        if let (Some(stop), false) = (stop, options.retry) {
            return Ok(report(RunOutcome::Stopped(stop.clone()), Books::default(), 0));
        }
        let (holder, held) = (self.holder.clone(), opened.clone());
        let (writer, run, waiting_before) = self
            .state
            .run(move |state| {
                let writer = state.hold(&held, &holder, now)?;
                if held.stopped.is_some() {
                    state.set_stop(&writer, None)?;
                }
                let run = state.begin_run(&writer, now)?;
                Ok((writer, run, state.backlog(&writer)?.0))
            })
            .await?;
        let calls = self.calls(task, opened.id, cancelled);
        calls.observe(&Event::RunBegan { run, waiting: waiting_before });
        let mut running = Running {
            engine: self,
            task,
            calls: &calls,
            cancelled,
            writer,
            opened,
            options,
            books: Books { waiting_before, ..Books::default() },
            keyless: None,
        };
        let work = running.work().await?;
        let (status, trouble) = running.balance(work).await?;
        let (books, made) = (running.books, calls.made());
        calls.observe(&Event::RunEnded { run, status, books, calls: made });
        let end = RunEnd {
            status,
            books,
            calls: made,
            error: trouble.as_ref().map(|trouble| trouble.message.clone()),
            code: trouble.as_ref().map(|trouble| trouble.code.clone()),
        };
        let now = self.clock.now();
        self.state
            .run(move |state| {
                state.end_run(&writer, run, &end, now)?;
                state.release(&writer)
            })
            .await?;
        drop(lock);
        Ok(report(RunOutcome::Ran { status, trouble }, books, made))
    }

    pub(crate) fn calls(
        &self,
        task: &SyncTask,
        sync: sync_core::state::SyncId,
        cancelled: &CancellationToken,
    ) -> Calls {
        Calls {
            state: self.state.clone(),
            clock: Arc::clone(&self.clock),
            dice: Arc::clone(&self.dice),
            observer: Arc::clone(&self.observer),
            sync_name: Arc::from(task.definition.name.as_str()),
            sync,
            key_digest: Arc::clone(&self.key_digest),
            rate: self.rate,
            cancelled: cancelled.clone(),
            made: Arc::new(AtomicU64::new(0)),
            pauses: Arc::new(AtomicU64::new(0)),
        }
    }
}

/// A run under way.
struct Running<'a> {
    engine: &'a Engine,
    task: &'a SyncTask,
    calls: &'a Calls,
    cancelled: &'a CancellationToken,
    writer: Writer,
    opened: OpenedSync,
    options: RunOptions,
    books: Books,
    /// What to say of rows that have no key to be parked under.
    keyless: Option<Trouble>,
}

impl Running<'_> {
    /// Capture, then delivery, then what delivery made dirty.
    async fn work(&mut self) -> Result<Work, StateError> {
        let structure = match structure::cached_or_read(
            self.calls,
            &*self.task.target,
            &self.opened,
            &self.task.definition.destination.table_id,
        )
        .await?
        {
            Ok(structure) => structure,
            Err(error) => return self.refused_structure(&error).await,
        };
        self.see_shape(&structure).await?;
        let mapping = match self.capture(&structure).await {
            Ok(mapping) => mapping,
            Err(Unread::Failed(trouble)) => return Ok(Work::Failed(trouble)),
            Err(Unread::Broken(broken)) => return Self::broken(broken),
        };
        let route = self.route(&mapping);
        for round in 0..ROUNDS_MAX {
            match self.capture_dirty(&mapping).await {
                Ok(false) if round > 0 => break,
                Ok(_) => {}
                Err(broken) => return Self::broken(broken),
            }
            if let Some(work) = self.deliver(&route).await? {
                return Ok(work);
            }
        }
        Ok(Work::Done)
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
        let (now, all) = (self.engine.clock.now(), self.options.retry);
        self.books +=
            self.engine.state.run(move |state| state.release_quarantine(&writer, now, all)).await?;
        Ok(())
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
        for finding in findings.iter().filter(|finding| finding.severity() == Severity::Warning) {
            self.calls.observe(&Event::Finding(finding.clone()));
        }
        let Some(mapping) = mapping else {
            return Err(Unread::Failed(Trouble {
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
        let audited = self.engine.is_audited(self.writer.destination);
        let (ended, books, audited) = deliver(route, audited, self.cancelled).await?;
        self.books += books;
        if audited {
            self.engine.set_audited(self.writer.destination);
        }
        Ok(match ended {
            Ended::Idle => None,
            Ended::Cancelled => Some(Work::Cancelled),
            Ended::Stopped(stop) => Some(Work::Failed(Trouble::from(&stop))),
            Ended::Failed(error) => Some(Work::Failed(Trouble::from(&error))),
            Ended::StructureChanged => Some(Work::Failed(Trouble::new(
                "table_changed",
                "the table was changed in SmartSuite while the run was under way",
                "run again: everything is read anew for the changed table",
            ))),
        })
    }

    fn broken(broken: Broken) -> Result<Work, StateError> {
        match broken {
            Broken::State(error) => Err(error),
            Broken::Source(error) => Ok(Work::Failed(Trouble::from(&error))),
            Broken::Cancelled => Ok(Work::Cancelled),
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
    Failed(Trouble),
    Broken(Broken),
}

impl<E: Into<Broken>> From<E> for Unread {
    fn from(error: E) -> Self {
        Self::Broken(error.into())
    }
}

/// What the live table contributes to values: the mapped fields as they are.
fn shape_hash(definition: &SyncDefinition, structure: &TableStructure) -> String {
    let destination = &definition.destination;
    let slugs =
        destination.fields.iter().map(|field| &field.slug).chain([&destination.external_id_field]);
    let fields: Vec<_> = slugs.filter_map(|slug| structure.field(slug)).collect();
    serde_json::to_string(&fields).unwrap_or_default()
}

fn plural(count: u64, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}
