//! What every run of one process shares.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, PoisonError},
};

use sync_core::{
    pace::Rate,
    port::{Clock, Dice, Locks},
    state::{DestinationId, SyncId, Writer},
};

use crate::{event::Observer, governor::Governor, overseer::Overseer, state::State};

/// The engine of one process: the state and the ports that are not of one sync.
#[derive(Clone)]
pub struct Engine {
    pub(crate) state: State,
    pub(crate) locks: Arc<dyn Locks>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) dice: Arc<dyn Dice>,
    pub(crate) observer: Arc<dyn Observer>,
    pub(crate) rate: Rate,
    pub(crate) key_digest: Arc<str>,
    pub(crate) holder: String,
    pub(crate) dedicated_member: bool,
    pub(crate) overseer: Option<Arc<dyn Overseer>>,
    pub(crate) governor: Option<Arc<dyn Governor>>,
    /// Syncs for which this process has made the audit of their table (`protocol.md` D8): it takes a sync's own keys.
    audited: Arc<Mutex<BTreeSet<(SyncId, DestinationId)>>>,
    /// Whose turn it is to read a table's structure.
    pub(crate) structure_turns: StructureTurns,
}

/// Lets the syncs of one table read its structure one after another: the second finds what the first has read, and
/// makes no call.
#[derive(Clone, Debug, Default)]
pub(crate) struct StructureTurns(Arc<Mutex<BTreeMap<DestinationId, Arc<tokio::sync::Mutex<()>>>>>);

impl StructureTurns {
    /// Waits for this sync's turn; it lasts until the guard is dropped.
    pub(crate) async fn wait(&self, table: DestinationId) -> tokio::sync::OwnedMutexGuard<()> {
        let turn = {
            let mut turns = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(turns.entry(table).or_default())
        };
        turn.lock_owned().await
    }
}

/// What an [`Engine`] is made of.
pub struct EngineParts {
    /// The state.
    pub state: State,
    /// The operating system's locks.
    pub locks: Arc<dyn Locks>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Chance.
    pub dice: Arc<dyn Dice>,
    /// Who reads the events.
    pub observer: Arc<dyn Observer>,
    /// How fast calls may leave.
    pub rate: Rate,
    /// Names the API key without being it: the gate is shared by all who use the key.
    pub key_digest: String,
    /// Names this process in leases.
    pub holder: String,
    /// Whether the token's member is used by this tool alone.
    pub dedicated_member: bool,
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine").field("holder", &self.holder).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for EngineParts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EngineParts").field("holder", &self.holder).finish_non_exhaustive()
    }
}

impl Engine {
    /// An engine that has done nothing yet.
    pub fn new(parts: EngineParts) -> Self {
        let EngineParts {
            state,
            locks,
            clock,
            dice,
            observer,
            rate,
            key_digest,
            holder,
            dedicated_member,
        } = parts;
        Self {
            state,
            locks,
            clock,
            dice,
            observer,
            rate,
            key_digest: Arc::from(key_digest),
            holder,
            dedicated_member,
            overseer: None,
            governor: None,
            audited: Arc::default(),
            structure_turns: StructureTurns::default(),
        }
    }

    /// The same engine, whose runs are overseen.
    #[must_use]
    pub fn overseen_by(self, overseer: Arc<dyn Overseer>) -> Self {
        Self { overseer: Some(overseer), ..self }
    }

    /// Whether somebody is asked before anything leaves.
    pub fn is_overseen(&self) -> bool {
        self.overseer.is_some()
    }

    /// The same engine, whose calls are governed.
    #[must_use]
    pub fn governed_by(self, governor: Arc<dyn Governor>) -> Self {
        Self { governor: Some(governor), ..self }
    }

    pub(crate) fn is_audited(&self, writer: Writer) -> bool {
        let place = (writer.sync, writer.destination);
        self.audited.lock().unwrap_or_else(PoisonError::into_inner).contains(&place)
    }

    pub(crate) fn set_audited(&self, writer: Writer) {
        let place = (writer.sync, writer.destination);
        self.audited.lock().unwrap_or_else(PoisonError::into_inner).insert(place);
    }
}
