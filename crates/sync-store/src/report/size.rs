//! How much the state holds, and how old its newest copy is.

use std::path::Path;

use jiff::Timestamp;
use sync_core::state::StateError;

use super::StateReader;
use crate::{
    backup::newest_backup,
    column::{count, time},
};

/// Sizes of the file and of what grows with time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StateSize {
    /// The file's size in bytes, without the log beside it.
    pub bytes: u64,
    /// The version of its form.
    pub version: u64,
    /// Runs of every sync.
    pub runs: u64,
    /// Lines in the log of effects.
    pub effects: u64,
    /// Writing calls over the state's whole life.
    pub calls: u64,
}

impl StateReader {
    /// Since when nothing of the state was copied: the time of its newest copy beside it, else of the oldest run that it
    /// knows; `None`: nothing has run.
    ///
    /// # Errors
    /// The state fails. A folder that cannot be read shows no copy.
    pub fn uncopied_since(&self, now: Timestamp) -> Result<Option<Timestamp>, StateError> {
        let folder = self.path.parent().unwrap_or(Path::new(""));
        if let Ok(Some(newest)) = newest_backup(&self.path, folder, now) {
            return Ok(Some(newest.at));
        }
        let first = "SELECT started_at FROM runs ORDER BY id LIMIT 1";
        self.first(first, [], |row| Ok(time(row.get(0)?)))
    }

    /// How much the state holds.
    pub fn size(&self) -> Result<StateSize, StateError> {
        let size = self.first(
            "SELECT page_count * page_size, user_version, (SELECT count(*) FROM runs), (SELECT count(*) FROM effects),
               (SELECT value FROM counters WHERE name = 'calls')
             FROM pragma_page_count, pragma_page_size, pragma_user_version",
            [],
            |row| {
                Ok(StateSize {
                    bytes: count(row, 0)?,
                    version: count(row, 1)?,
                    runs: count(row, 2)?,
                    effects: count(row, 3)?,
                    calls: count(row, 4)?,
                })
            },
        )?;
        Ok(size.unwrap_or_default())
    }
}
