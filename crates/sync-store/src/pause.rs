//! Pausing a sync, and letting it go on.

use jiff::Timestamp;
use sync_core::state::StateError;

use crate::{SqliteStore, store::Durability};

impl SqliteStore {
    /// Pauses the sync of this name, whether or not it has run yet, or lets it go on. A sync that is paused already
    /// keeps the time at which it was. A pause takes back turns that were promised.
    ///
    /// # Errors
    /// The state fails.
    pub fn set_paused(&mut self, name: &str, at: Option<Timestamp>) -> Result<(), StateError> {
        self.transact(Durability::Power, |tx| {
            match at {
                Some(at) => {
                    tx.execute(
                        "DELETE FROM promises WHERE sync = ? AND kind IN ('run', 'run_retry')",
                        [name],
                    )?;
                    tx.execute(
                        "INSERT OR IGNORE INTO pauses VALUES (?, ?)",
                        (name, at.as_millisecond()),
                    )?
                }
                None => tx.execute("DELETE FROM pauses WHERE sync = ?", [name])?,
            };
            Ok(())
        })
    }
}
