//! The live table's structure, cached in the state: a run in which nothing changed makes no call at all.

use jiff::SignedDuration;
use sync_core::{
    error::CallError,
    port::RecordTarget,
    state::{CallKind, OpenedSync, StateError},
    table::TableStructure,
};

use tokio_util::sync::CancellationToken;

use crate::{calls::Calls, delivery::Route, engine::Engine, run::SyncTask};

/// Reads the structure from the service and caches it; answers whether it differs from the one cached before.
pub(crate) async fn refresh(route: &Route) -> Result<Result<bool, CallError>, StateError> {
    let read = read(&route.calls, &*route.target, &route.shape.table).await?;
    let structure = match read {
        Ok(structure) => structure,
        Err(error) => return Ok(Err(error)),
    };
    let (destination, now) = (route.writer.destination, route.calls.clock.now());
    route
        .calls
        .state
        .run(move |state| state.set_structure(destination, &structure, now))
        .await
        .map(Ok)
}

/// The cached structure; read from the service if there is none, or if it is older than `age_max`.
pub(crate) async fn cached_or_read(
    calls: &Calls,
    target: &dyn RecordTarget,
    opened: &OpenedSync,
    table: &str,
    age_max: Option<SignedDuration>,
) -> Result<Result<TableStructure, CallError>, StateError> {
    let destination = opened.destination;
    let _turn = calls.structure_turns.wait(destination).await;
    let now = calls.clock.now();
    if let Some((structure, read_at)) =
        calls.state.run(move |state| state.structure(destination)).await?
        && age_max.is_none_or(|age_max| now.duration_since(read_at) <= age_max)
    {
        return Ok(Ok(structure));
    }
    let structure = match read(calls, target, table).await? {
        Ok(structure) => structure,
        Err(error) => return Ok(Err(error)),
    };
    let (stored, now) = (structure.clone(), calls.clock.now());
    calls.state.run(move |state| state.set_structure(destination, &stored, now)).await?;
    Ok(Ok(structure))
}

impl Engine {
    /// Reads the sync's table as it is now, for those who only look. The call passes the gate and is counted; the
    /// cached structure is replaced, which lets a stopped sync go again where the table has changed.
    ///
    /// # Errors
    /// The state fails; inside, the service does not describe the table.
    pub async fn look_at_table(
        &self,
        task: &SyncTask,
    ) -> Result<Result<TableStructure, CallError>, StateError> {
        let identity = task.identity(false);
        let (sync, destination) = self.state.run(move |state| state.place(&identity)).await?;
        let calls = self.calls(task, sync, &CancellationToken::new());
        let read = read(&calls, &*task.target, &task.definition.destination.table_id).await?;
        if let Ok(structure) = &read {
            let (structure, now) = (structure.clone(), self.clock.now());
            self.state.run(move |state| state.set_structure(destination, &structure, now)).await?;
        }
        Ok(read)
    }

    /// The sync's table as it was read last, for those who show values; `None` if it never was.
    ///
    /// # Errors
    /// The state fails.
    pub async fn known_table(&self, task: &SyncTask) -> Result<Option<TableStructure>, StateError> {
        let identity = task.identity(false);
        let known = self
            .state
            .run(move |state| {
                let (_, destination) = state.place(&identity)?;
                state.structure(destination)
            })
            .await?;
        Ok(known.map(|(structure, _)| structure))
    }
}

async fn read(
    calls: &Calls,
    target: &dyn RecordTarget,
    table: &str,
) -> Result<Result<TableStructure, CallError>, StateError> {
    calls.repeatable(CallKind::Structure, || target.structure(table)).await
}
