//! What is wrong, as it was told, and messages that could not be sent.

use jiff::Timestamp;
use sync_core::{alert::Remembered, state::StateError};

use super::StateReader;
use crate::alerts::{AlertMessage, MESSAGES, REMEMBERED, message, remembered};
use crate::column::count;

impl StateReader {
    /// What is wrong now, as far as a service has looked; by sync.
    pub fn alerts(&self) -> Result<Vec<Remembered>, StateError> {
        let alerts = self.all(REMEMBERED, [], remembered)?;
        Ok(alerts.into_iter().flatten().filter(|alert| !alert.is_over).collect())
    }

    /// How many syncs are stopped at `now`; those of which only creates are stopped do their work.
    pub fn stopped_count(&self, now: Timestamp) -> Result<u64, StateError> {
        const QUERY: &str =
            "SELECT count(*) FROM syncs WHERE stop_code IS NOT NULL AND NOT stop_creates
          AND (stop_until IS NULL OR stop_until > ?)";
        let counts = self.all(QUERY, [now.as_millisecond()], |row| count(row, 0))?;
        Ok(counts.into_iter().sum())
    }

    /// Messages that could not be sent, with the reason, the oldest first.
    pub fn unsent_alerts(&self) -> Result<Vec<AlertMessage>, StateError> {
        let messages = self.all(MESSAGES, [Timestamp::MAX.as_millisecond()], message)?;
        Ok(messages.into_iter().flatten().filter(|message| message.error.is_some()).collect())
    }
}
