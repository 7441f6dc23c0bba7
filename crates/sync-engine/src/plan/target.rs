//! A target that can only read.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicU64, Ordering},
};

use sync_core::{
    draft::Fields,
    error::{CallError, CallErrorKind},
    port::{Boxed, BulkAnswer, RecordFilter, RecordPage, RecordShape, RecordTarget},
    record::{RecordId, SeenRecord},
    state::{CallKind, StateError, SyncId},
    table::TableStructure,
};
use tokio_util::sync::CancellationToken;

use crate::{calls::Calls, engine::Engine, record_text::external_id_of, run::SyncTask};

/// Reads as the real target does, through the real gate, and answers every write as if it had succeeded.
pub struct RehearsedTarget {
    real: Arc<dyn RecordTarget>,
    /// The way to the wire; `None`: nothing is asked, and the table is taken to hold nothing that is not known.
    reads: Option<Calls>,
    /// Records that were made up.
    made_up: AtomicU64,
    /// What made the state of the real gate fail.
    failure: Mutex<Option<StateError>>,
}

impl std::fmt::Debug for RehearsedTarget {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RehearsedTarget").finish_non_exhaustive()
    }
}

impl RehearsedTarget {
    /// For `task`, whose target is the real one. Its reads pass the gate of `reader` and are counted there for
    /// `sync`; without a reader nothing is read.
    pub fn new(
        task: &SyncTask,
        reader: Option<(&Engine, SyncId)>,
        cancelled: &CancellationToken,
    ) -> Self {
        Self {
            real: Arc::clone(&task.target),
            reads: reader.map(|(engine, sync)| engine.calls(task, sync, cancelled)),
            made_up: AtomicU64::new(0),
            failure: Mutex::default(),
        }
    }

    /// Calls that reached the wire.
    pub fn calls_made(&self) -> u64 {
        self.reads.as_ref().map_or(0, Calls::made)
    }

    /// What made the state of the real gate fail, if it did: reads were then answered as not sent.
    pub fn failure(&self) -> Option<StateError> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn read<T>(
        &self,
        kind: CallKind,
        call: impl Future<Output = Result<T, CallError>>,
    ) -> Result<T, CallError> {
        let Some(calls) = &self.reads else { return Err(CallErrorKind::NotSent.into()) };
        let passed = async {
            if !calls.pass(Some(kind)).await? {
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
            fields: fields.iter().map(|(slug, value)| (slug.clone(), value.clone())).collect(),
        }
    }

    /// Ids that SmartSuite does not give: it makes them of the time.
    fn make_up(&self) -> RecordId {
        RecordId(format!("{:024x}", self.made_up.fetch_add(1, Ordering::Relaxed)))
    }
}

impl RecordTarget for RehearsedTarget {
    fn structure<'a>(&'a self, table: &'a str) -> Boxed<'a, Result<TableStructure, CallError>> {
        Box::pin(self.read(CallKind::Structure, self.real.structure(table)))
    }

    fn create<'a>(
        &'a self,
        shape: &'a RecordShape,
        items: &'a [Fields],
    ) -> Boxed<'a, Result<BulkAnswer, CallError>> {
        let records =
            items.iter().map(|fields| Self::written(shape, self.make_up(), fields)).collect();
        Box::pin(std::future::ready(Ok(BulkAnswer { records, ..BulkAnswer::default() })))
    }

    fn update<'a>(
        &'a self,
        shape: &'a RecordShape,
        items: &'a [(RecordId, Fields)],
    ) -> Boxed<'a, Result<BulkAnswer, CallError>> {
        let written = |(id, fields): &(RecordId, Fields)| Self::written(shape, id.clone(), fields);
        let records = items.iter().map(written).collect();
        Box::pin(std::future::ready(Ok(BulkAnswer { records, ..BulkAnswer::default() })))
    }

    fn payload_bytes(&self, shape: &RecordShape, fields: &Fields) -> usize {
        self.real.payload_bytes(shape, fields)
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
        Box::pin(self.read(CallKind::LookUp, self.real.get(shape, id)))
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
        Box::pin(self.read(kind, self.real.list(shape, filter, offset, limit)))
    }
}
