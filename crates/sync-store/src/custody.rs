//! The right of a person's command to change what belongs to one sync.

use jiff::Timestamp;
use rusqlite::OptionalExtension as _;
use sync_core::state::{StateError, StateStore as _, SyncId, Writer};

use crate::{SqliteStore, SyncLock, store::Durability, syncs};

/// A sync's lock and lease, held for a command. Both are given back when it is dropped or the process ends; the lease
/// is given back in good order by [`SqliteStore::release_custody`].
#[derive(Debug)]
pub struct Custody {
    pub(crate) writer: Writer,
    _lock: SyncLock,
}

impl SqliteStore {
    /// Takes the lock and the lease of a sync that the state knows; `None` while another process runs it. What a dead
    /// holder left is put in order, as by a run.
    ///
    /// # Errors
    /// The state does not know the sync, or fails.
    pub fn take_custody(
        &mut self,
        name: &str,
        holder: &str,
        now: Timestamp,
    ) -> Result<Option<Custody>, StateError> {
        let id = self.read(|tx| {
            let id = tx
                .query_row("SELECT id FROM syncs WHERE name = ?", [name], |row| row.get(0))
                .optional()?;
            Ok(id.ok_or_else(|| StateError::Other(format!("it does not know a sync `{name}`")))?)
        })?;
        let Some(lock) = SyncLock::try_take(self.path(), SyncId(id), name)? else {
            return Ok(None);
        };
        self.check_in_place()?;
        let writer = self.transact(Durability::Power, |tx| {
            let opened = syncs::read(tx, id)?;
            syncs::hold(tx, &opened, holder, now)
        })?;
        Ok(Some(Custody { writer, _lock: lock }))
    }

    /// Gives the lease back.
    ///
    /// # Errors
    /// The state fails.
    pub fn release_custody(&mut self, custody: Custody) -> Result<(), StateError> {
        self.release(&custody.writer)?;
        drop(custody);
        Ok(())
    }
}
