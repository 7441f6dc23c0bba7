//! What every run of one process shares.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError},
};

use sync_core::{
    pace::Rate,
    port::{Clock, Dice, Locks},
    state::{DestinationId, SyncId, Writer},
};

use crate::{event::Observer, state::State};

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
    /// Syncs for which this process has made the audit of their table (`protocol.md` D8): it takes a sync's own keys.
    audited: Arc<Mutex<BTreeSet<(SyncId, DestinationId)>>>,
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
            audited: Arc::default(),
        }
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
