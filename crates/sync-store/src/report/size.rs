//! How much the state holds.

use sync_core::state::StateError;

use super::StateReader;
use crate::column::count;

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
