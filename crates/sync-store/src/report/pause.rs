//! Syncs that a person paused.

use jiff::Timestamp;
use sync_core::state::StateError;

use super::StateReader;
use crate::column::time;

impl StateReader {
    /// Since when the sync of this name is paused; `None`: it is not.
    pub fn paused_at(&self, name: &str) -> Result<Option<Timestamp>, StateError> {
        self.first("SELECT at FROM pauses WHERE sync = ?", [name], |row| Ok(time(row.get(0)?)))
    }
}
