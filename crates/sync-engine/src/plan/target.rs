//! A target that can only read.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicU64, Ordering},
};

use sync_core::{
    draft::Fields,
    error::{CallError, CallErrorKind},
    port::{
        BULK_MAX, Boxed, BulkAnswer, MemberPage, PAGE_MAX, RecordFilter, RecordPage, RecordShape,
        RecordTarget,
    },
    record::{RecordId, SeenRecord},
    slug::Slug,
    state::{CallKind, StateError, SyncId},
    table::{Choice, FieldText, TableStructure},
};
use tokio_util::sync::CancellationToken;

use crate::{calls::Calls, engine::Engine, record_text::external_id_of, run::SyncTask};

/// Opens the engine whose gate the reads of a rehearsal pass; asked when the first one is to be made, so that a
/// rehearsal without reads touches nothing.
pub type Gate = dyn Fn() -> Result<Engine, StateError> + Send + Sync;

/// Reads as the real target does, through the real gate, and answers every write as if it had succeeded.
pub struct RehearsedTarget {
    task: SyncTask,
    /// The way to the wire, and for which sync calls are counted; `None`: nothing is asked, and the table is taken to
    /// hold nothing that is not known.
    reads: Option<(Arc<Gate>, SyncId)>,
    calls: Mutex<Option<Calls>>,
    cancelled: CancellationToken,
    /// Records that were made up.
    made_up: AtomicU64,
    /// What made the state of the real gate fail.
    failure: Mutex<Option<StateError>>,
    /// What is written, once something is.
    shape: Mutex<Option<RecordShape>>,
    /// Choices that would have been added, each with its field.
    added: Mutex<Vec<(Slug, Choice)>>,
}

impl std::fmt::Debug for RehearsedTarget {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RehearsedTarget").finish_non_exhaustive()
    }
}

impl RehearsedTarget {
    /// For `task`, whose target is the real one. Its reads pass the gate and are counted there for the sync with this
    /// number; without a gate nothing is read.
    pub fn new(
        task: &SyncTask,
        reads: Option<(Arc<Gate>, SyncId)>,
        cancelled: &CancellationToken,
    ) -> Self {
        Self {
            task: task.clone(),
            reads,
            calls: Mutex::default(),
            cancelled: cancelled.clone(),
            made_up: AtomicU64::new(0),
            failure: Mutex::default(),
            shape: Mutex::default(),
            added: Mutex::default(),
        }
    }

    /// Whether a record was made up by a rehearsal, as the answer to a create.
    pub fn is_made_up(record: &str) -> bool {
        record.starts_with("00000000")
    }

    /// Calls that reached the wire.
    pub fn calls_made(&self) -> u64 {
        let calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        calls.as_ref().map_or(0, Calls::made)
    }

    /// The way to the wire, opened the first time.
    fn calls(&self) -> Result<Option<Calls>, StateError> {
        let Some((gate, sync)) = &self.reads else { return Ok(None) };
        let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        if calls.is_none() {
            *calls = Some(gate()?.calls(&self.task, *sync, &self.cancelled));
        }
        Ok(calls.clone())
    }

    /// What made the state of the real gate fail, if it did: reads were then answered as not sent.
    pub fn failure(&self) -> Option<StateError> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The records with these external ids as they are now, in one call for each 25.
    ///
    /// # Errors
    /// The first call that fails.
    pub async fn records(&self, external_ids: &[String]) -> Result<Vec<SeenRecord>, CallError> {
        let shape = self.shape.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let Some(shape) = shape else { return Ok(Vec::new()) };
        let mut records = Vec::new();
        for ids in external_ids.chunks(BULK_MAX) {
            let filter = RecordFilter::ExternalIds(ids.to_vec());
            let page = self.list(&shape, &filter, 0, PAGE_MAX).await?;
            records.extend(page.records);
        }
        Ok(records)
    }

    async fn read<T>(
        &self,
        kind: CallKind,
        call: impl Future<Output = Result<T, CallError>>,
    ) -> Result<T, CallError> {
        let passed = async {
            let Some(calls) = self.calls()? else {
                return Ok(Err(CallErrorKind::NotSent.into()));
            };
            if calls.pass(Some(kind)).await?.is_none() {
                return Ok(Err(CallErrorKind::NotSent.into()));
            }
            calls.send(kind, 0, call).await
        };
        passed.await.unwrap_or_else(|error: StateError| {
            self.failure.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
            Err(CallErrorKind::NotSent.into())
        })
    }

    /// A record that looks as if it had been written. It has no number, so that it raises no mark.
    fn written(shape: &RecordShape, id: RecordId, fields: &Fields) -> SeenRecord {
        SeenRecord {
            id,
            external_id: Some(external_id_of(fields, &shape.external_id.slug)),
            autonumber: None,
            created_by: None,
            updated_by: None,
            is_as_made: false,
            fields: fields.iter().map(|(slug, value)| (slug.clone(), value.clone())).collect(),
            empty: Vec::new(),
        }
    }

    /// The table as it would be with the choices that would have been added.
    fn with_added(&self, mut structure: TableStructure) -> TableStructure {
        for (slug, choice) in &*self.added.lock().unwrap_or_else(PoisonError::into_inner) {
            let field = structure.fields.iter_mut().find(|field| field.slug == *slug);
            if let Some(field) = field.filter(|field| !field.choices.contains(choice)) {
                field.choices.push(choice.clone());
            }
        }
        structure
    }

    fn remember(&self, shape: &RecordShape) {
        let mut known = self.shape.lock().unwrap_or_else(PoisonError::into_inner);
        if known.is_none() {
            *known = Some(shape.clone());
        }
    }

    /// Ids that SmartSuite does not give: it makes them of the time.
    fn make_up(&self) -> RecordId {
        RecordId(format!("{:024x}", self.made_up.fetch_add(1, Ordering::Relaxed)))
    }
}

impl RecordTarget for RehearsedTarget {
    fn members(&self, offset: u64) -> Boxed<'_, Result<MemberPage, CallError>> {
        Box::pin(self.read(CallKind::Structure, self.task.target.members(offset)))
    }

    fn structure<'a>(&'a self, table: &'a str) -> Boxed<'a, Result<TableStructure, CallError>> {
        Box::pin(async move {
            let read = self.read(CallKind::Structure, self.task.target.structure(table)).await;
            read.map(|structure| self.with_added(structure))
        })
    }

    fn field<'a>(
        &'a self,
        table: &'a str,
        slug: &'a str,
    ) -> Boxed<'a, Result<(TableStructure, Option<FieldText>), CallError>> {
        Box::pin(async move {
            let read = self.read(CallKind::Structure, self.task.target.field(table, slug)).await;
            read.map(|(structure, field)| (self.with_added(structure), field))
        })
    }

    fn add_choices<'a>(
        &'a self,
        _table: &'a str,
        field: &'a FieldText,
        choices: &'a [Choice],
    ) -> Boxed<'a, Result<(), CallError>> {
        let mut added = self.added.lock().unwrap_or_else(PoisonError::into_inner);
        added.extend(choices.iter().map(|choice| (field.slug.clone(), choice.clone())));
        Box::pin(std::future::ready(Ok(())))
    }

    fn create<'a>(
        &'a self,
        shape: &'a RecordShape,
        items: &'a [Fields],
    ) -> Boxed<'a, Result<BulkAnswer, CallError>> {
        self.remember(shape);
        let records =
            items.iter().map(|fields| Self::written(shape, self.make_up(), fields)).collect();
        Box::pin(std::future::ready(Ok(BulkAnswer { records, ..BulkAnswer::default() })))
    }

    fn update<'a>(
        &'a self,
        shape: &'a RecordShape,
        items: &'a [(RecordId, Fields)],
    ) -> Boxed<'a, Result<BulkAnswer, CallError>> {
        self.remember(shape);
        let written = |(id, fields): &(RecordId, Fields)| Self::written(shape, id.clone(), fields);
        let records = items.iter().map(written).collect();
        Box::pin(std::future::ready(Ok(BulkAnswer { records, ..BulkAnswer::default() })))
    }

    fn delete<'a>(
        &'a self,
        _table: &'a str,
        ids: &'a [RecordId],
    ) -> Boxed<'a, Result<Vec<RecordId>, CallError>> {
        Box::pin(std::future::ready(Ok(ids.to_vec())))
    }

    fn get<'a>(
        &'a self,
        shape: &'a RecordShape,
        id: &'a RecordId,
    ) -> Boxed<'a, Result<Option<SeenRecord>, CallError>> {
        Box::pin(self.read(CallKind::LookUp, self.task.target.get(shape, id)))
    }

    fn list<'a>(
        &'a self,
        shape: &'a RecordShape,
        filter: &'a RecordFilter,
        offset: u64,
        limit: usize,
    ) -> Boxed<'a, Result<RecordPage, CallError>> {
        if self.reads.is_none() {
            let nothing =
                RecordPage { records: Vec::new(), total: 0, received: 0, rising_to: None };
            return Box::pin(std::future::ready(Ok(nothing)));
        }
        let kind = match filter {
            RecordFilter::All => CallKind::Scan,
            RecordFilter::Above(_) => CallKind::Audit,
            RecordFilter::ExternalIds(_) => CallKind::LookUp,
        };
        Box::pin(self.read(kind, self.task.target.list(shape, filter, offset, limit)))
    }
}
