//! Calls made, and whether more may be made now.

use jiff::{Timestamp, civil::Date};
use sync_core::state::{CallKind, StateError};

use super::StateReader;
use crate::column::{count, time};

/// Calls of one kind that a sync made on one day, UTC.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallCount {
    /// The day.
    pub day: Date,
    /// The sync; `(plan)` for calls of a plan about syncs that the state does not know yet.
    pub sync: String,
    /// What for.
    pub kind: CallKind,
    /// How many.
    pub calls: u64,
}

impl StateReader {
    /// Calls by day, sync and kind from this day on, oldest first.
    pub fn calls(&self, since: Date) -> Result<Vec<CallCount>, StateError> {
        let counts = self.all(
            "SELECT c.day, coalesce(s.name, '(plan)'), c.kind, c.count
             FROM calls AS c LEFT JOIN syncs AS s ON s.id = c.sync_id
             WHERE c.day >= ? ORDER BY c.day, 2, c.kind",
            [since.to_string()],
            |row| {
                let day: String = row.get(0)?;
                let kind: String = row.get(2)?;
                Ok(match (day.parse(), CallKind::from_word(&kind)) {
                    (Ok(day), Some(kind)) => {
                        Some(CallCount { day, sync: row.get(1)?, kind, calls: count(row, 3)? })
                    }
                    _ => None,
                })
            },
        )?;
        Ok(counts.into_iter().flatten().collect())
    }

    /// Until when calls are paused after a 429, if they are; the latest of all API keys that share the state.
    pub fn gate_closed_until(&self, now: Timestamp) -> Result<Option<Timestamp>, StateError> {
        let until = self.first(
            "SELECT closed_until FROM gates WHERE closed_until > ? ORDER BY closed_until DESC LIMIT 1",
            [now.as_millisecond()],
            |row| Ok(time(row.get(0)?)),
        )?;
        Ok(until)
    }
}
