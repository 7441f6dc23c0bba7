//! The live table's structure, cached in the state: a run in which nothing changed makes no call at all.

use jiff::{SignedDuration, Timestamp};
use sync_core::{
    config::model::DestinationDefinition,
    drift::KnownSchema,
    error::{CallError, CallErrorKind},
    mutation::{self, Mutation},
    port::RecordTarget,
    state::{CallKind, OpenedSync, StateError},
    table::{FieldKind, Member, TableStructure},
};

use tokio_util::sync::CancellationToken;

use crate::{calls::Calls, delivery::Route, engine::Engine, run::SyncTask};

/// How old the cached structure may be where a newer one could mend what is wrong.
pub(crate) const STRUCTURE_AGE_MAX: SignedDuration = SignedDuration::from_hours(1);

/// Reads the structure from the service and caches it; answers whether it differs from the one cached before.
pub(crate) async fn refresh(route: &Route) -> Result<Result<bool, CallError>, StateError> {
    let read = read(&route.calls, &*route.target, &route.shape.table).await?;
    let mut structure = match read {
        Ok(structure) => structure,
        Err(error) => return Ok(Err(error)),
    };
    let (destination, now) = (route.writer.destination, route.calls.clock.now());
    route
        .calls
        .state
        .run(move |state| {
            structure.members = known_members(state.structure(destination)?);
            state.set_structure(destination, &structure, now)
        })
        .await
        .map(Ok)
}

/// The cached structure; read from the service if there is none, or if it is older than `age_max`. With it the members
/// of the workspace, where the sync writes a field of people.
pub(crate) async fn cached_or_read(
    calls: &Calls,
    target: &dyn RecordTarget,
    opened: &OpenedSync,
    definition: &DestinationDefinition,
    age_max: Option<SignedDuration>,
) -> Result<Result<TableStructure, CallError>, StateError> {
    let age_max = if mutation::is_on(Mutation::StructureUncached) {
        Some(SignedDuration::ZERO)
    } else {
        age_max
    };
    let destination = opened.destination;
    let _turn = calls.structure_turns.wait(destination).await;
    let now = calls.clock.now();
    let cached = calls.state.run(move |state| state.structure(destination)).await?;
    if let Some((structure, read_at)) = &cached
        && age_max.is_none_or(|age_max| now.duration_since(*read_at) <= age_max)
        && (structure.members.is_some() || !writes_people(definition, structure))
    {
        return Ok(Ok(structure.clone()));
    }
    let mut structure = match read(calls, target, &definition.table_id).await? {
        Ok(structure) => structure,
        Err(error) => return Ok(Err(error)),
    };
    structure.members = known_members(cached);
    if writes_people(definition, &structure) {
        match read_members(calls, target).await? {
            Ok(members) => structure.members = Some(members),
            Err(error) => return Ok(Err(error)),
        }
    }
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
            let (mut structure, now) = (structure.clone(), self.clock.now());
            self.state
                .run(move |state| {
                    structure.members = known_members(state.structure(destination)?);
                    state.set_structure(destination, &structure, now)
                })
                .await?;
        }
        Ok(read)
    }

    /// Makes one call for a sync, besides its runs: it passes the gate and is counted.
    ///
    /// # Errors
    /// The state fails; inside, the call.
    pub async fn call_for<T>(
        &self,
        task: &SyncTask,
        kind: CallKind,
        call: impl Future<Output = Result<T, CallError>>,
    ) -> Result<Result<T, CallError>, StateError> {
        let identity = task.identity(false);
        let (sync, _) = self.state.run(move |state| state.place(&identity)).await?;
        let calls = self.calls(task, sync, &CancellationToken::new());
        if calls.pass(Some(kind)).await?.is_none() {
            return Ok(Err(CallErrorKind::NotSent.into()));
        }
        calls.send(kind, 0, call).await
    }

    /// What the sync's mapping used of both schemas when it last fitted them, and its table as it was read last.
    ///
    /// # Errors
    /// The state fails.
    pub async fn known_schemas(
        &self,
        task: &SyncTask,
    ) -> Result<Option<(KnownSchema, TableStructure)>, StateError> {
        let identity = task.identity(false);
        let known = self
            .state
            .run(move |state| {
                let (sync, destination) = state.place(&identity)?;
                Ok((state.known_schema(sync)?, state.structure(destination)?))
            })
            .await?;
        Ok(match known {
            (Some(known), Some((table, _))) => {
                KnownSchema::from_text(&known).map(|known| (known, table))
            }
            _ => None,
        })
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

/// Whether a field of people is among those that the sync writes.
fn writes_people(definition: &DestinationDefinition, structure: &TableStructure) -> bool {
    let kinds = definition.fields.iter().filter_map(|mapping| structure.field(&mapping.slug));
    kinds.into_iter().any(|field| field.kind == FieldKind::User && !field.read_only)
}

/// The members known before: who does not ask for them does not forget them.
fn known_members(cached: Option<(TableStructure, Timestamp)>) -> Option<Vec<Member>> {
    cached.and_then(|(structure, _)| structure.members)
}

/// Every member of the workspace: one call for a thousand.
async fn read_members(
    calls: &Calls,
    target: &dyn RecordTarget,
) -> Result<Result<Vec<Member>, CallError>, StateError> {
    let (mut members, mut received) = (Vec::new(), 0);
    loop {
        let page = match calls.repeatable(CallKind::Structure, || target.members(received)).await? {
            Ok(page) => page,
            Err(error) => return Ok(Err(error)),
        };
        members.extend(page.members);
        received += page.received as u64;
        if page.received == 0 || received >= page.total {
            return Ok(Ok(members));
        }
    }
}

async fn read(
    calls: &Calls,
    target: &dyn RecordTarget,
    table: &str,
) -> Result<Result<TableStructure, CallError>, StateError> {
    calls.repeatable(CallKind::Structure, || target.structure(table)).await
}
