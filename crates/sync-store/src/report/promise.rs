//! What was promised and is not done yet.

use rusqlite::Row;
use sync_core::state::StateError;

use super::{QuarantineFilter, StateReader};
use crate::Promise;

impl StateReader {
    /// What was promised for the sync of this name and is not done yet, with its number, oldest first. What a newer
    /// version promises is not among it.
    ///
    /// # Errors
    /// The state cannot be read.
    pub fn promises(&self, sync: &str) -> Result<Vec<(i64, Promise)>, StateError> {
        let all = self.all(
            "SELECT number, kind, code, key FROM promises WHERE sync = ? ORDER BY number",
            [sync],
            promise,
        )?;
        Ok(all.into_iter().flatten().collect())
    }
}

fn promise(row: &Row<'_>) -> rusqlite::Result<Option<(i64, Promise)>> {
    let (kind, code, key): (String, _, _) = (row.get(1)?, row.get(2)?, row.get(3)?);
    let filter = QuarantineFilter { code, key };
    let promise = match kind.as_str() {
        "run" => Promise::Run { retry: false },
        "run_retry" => Promise::Run { retry: true },
        "retry" => Promise::Retry(filter),
        "drop" => Promise::Drop(filter),
        _ => return Ok(None),
    };
    Ok(Some((row.get(0)?, promise)))
}
