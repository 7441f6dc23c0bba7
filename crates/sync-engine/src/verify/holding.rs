//! A sync that is held for something other than a run.

use jiff::SignedDuration;
use sync_core::{
    error::{CallError, CallErrorKind, SourceError},
    mapping::{CompiledMapping, Severity},
    port::ReadScope,
    state::{OpenedSync, StateError, StateStore, Writer},
};
use tokio_util::sync::CancellationToken;

use crate::{
    calls::Calls,
    engine::Engine,
    run::{SyncTask, Trouble},
    structure,
};

/// How old the cached structure may be: choices and limits decide what is equal.
const STRUCTURE_AGE_MAX: SignedDuration = SignedDuration::from_hours(24);

/// Why something asked of a held sync did not come to its end.
pub(super) enum Broken {
    State(StateError),
    Trouble(Trouble),
    Interrupted,
}

impl From<StateError> for Broken {
    fn from(error: StateError) -> Self {
        Self::State(error)
    }
}

impl From<SourceError> for Broken {
    fn from(error: SourceError) -> Self {
        Self::Trouble(Trouble::from(&error))
    }
}

impl From<CallError> for Broken {
    fn from(error: CallError) -> Self {
        if error.kind == CallErrorKind::NotSent {
            return Self::Interrupted;
        }
        Self::Trouble(Trouble::from(&error))
    }
}

/// A sync whose lock and lease this process has.
pub(super) struct Held<'a> {
    pub(super) engine: &'a Engine,
    pub(super) task: &'a SyncTask,
    pub(super) calls: Calls,
    pub(super) cancelled: &'a CancellationToken,
    pub(super) writer: Writer,
    pub(super) opened: OpenedSync,
    _lock: Box<dyn Send + Sync>,
}

impl Engine {
    /// Takes the sync's lock and lease; `None`: another process has them. A sync that the breaker stopped stays
    /// stopped.
    pub(super) async fn hold_aside<'a>(
        &'a self,
        task: &'a SyncTask,
        cancelled: &'a CancellationToken,
    ) -> Result<Option<Held<'a>>, StateError> {
        let identity = task.identity(false);
        let place = identity.clone();
        let (sync, _) = self.state.run(move |state| state.place(&place)).await?;
        let Some(lock) = self.locks.try_lock(sync, &identity.name)? else { return Ok(None) };
        let (now, holder) = (self.clock.now(), self.holder.clone());
        let (opened, writer) = self
            .state
            .run(move |state| {
                let opened = state.open_sync(&identity, now)?;
                let writer = state.hold(&opened, &holder, now)?;
                Ok((opened, writer))
            })
            .await?;
        let calls = self.calls(task, opened.id, cancelled);
        Ok(Some(Held { engine: self, task, calls, cancelled, writer, opened, _lock: lock }))
    }
}

impl Held<'_> {
    /// The mapping as it fits both sides now. Costs a call where the table's structure is not known, or old.
    pub(super) async fn mapping(&self) -> Result<CompiledMapping, Broken> {
        let definition = &self.task.definition;
        let age_max = Some(STRUCTURE_AGE_MAX);
        let target = &*self.task.target;
        let structure = structure::cached_or_read(
            &self.calls,
            target,
            &self.opened,
            &definition.destination,
            age_max,
        )
        .await??;
        // No row has none of the keys: only the columns are asked for.
        let read = self.task.source.open(ReadScope::Keys(Vec::new())).await?;
        let (mapping, findings) = CompiledMapping::compile(
            &definition.destination,
            &definition.source,
            read.columns(),
            &structure,
        );
        mapping.ok_or_else(|| {
            let errors = findings.into_iter().filter(|one| one.severity() == Severity::Error);
            Broken::Trouble(Trouble {
                findings: errors.collect(),
                ..Trouble::new(
                    "mapping_does_not_fit",
                    "the mapping does not fit the source or the table",
                    "mend the mapping; `validate --online` shows the same list",
                )
            })
        })
    }

    pub(super) async fn state<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut dyn StateStore) -> Result<T, StateError> + Send + 'static,
    ) -> Result<T, StateError> {
        self.calls.heartbeat(self.writer).await?;
        self.calls.state.run(job).await
    }

    /// Waits for something that may never come, such as a change.
    pub(super) async fn unless_cancelled<T>(
        &self,
        what: impl Future<Output = T>,
    ) -> Result<T, Broken> {
        tokio::select! {
            biased;
            () = self.cancelled.cancelled() => Err(Broken::Interrupted),
            came = what => Ok(came),
        }
    }

    pub(super) fn check_cancelled(&self) -> Result<(), Broken> {
        if self.cancelled.is_cancelled() { Err(Broken::Interrupted) } else { Ok(()) }
    }

    /// Gives the lease and the lock back.
    pub(super) async fn release(self) -> Result<(), StateError> {
        let writer = self.writer;
        self.calls.state.run(move |state| state.release(&writer)).await
    }
}
