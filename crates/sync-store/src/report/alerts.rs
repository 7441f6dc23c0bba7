//! What is wrong, as it was told, and messages that could not be sent.

use jiff::Timestamp;
use sync_core::{alert::Remembered, state::StateError};

use super::StateReader;
use crate::alerts::{AlertMessage, MESSAGES, REMEMBERED, message, remembered};

impl StateReader {
    /// What is wrong now, as far as a service has looked; by sync.
    pub fn alerts(&self) -> Result<Vec<Remembered>, StateError> {
        let alerts = self.all(REMEMBERED, [], remembered)?;
        Ok(alerts.into_iter().flatten().filter(|alert| !alert.is_over).collect())
    }

    /// Messages that could not be sent, with the reason, the oldest first.
    pub fn unsent_alerts(&self) -> Result<Vec<AlertMessage>, StateError> {
        let messages = self.all(MESSAGES, [Timestamp::MAX.as_millisecond()], message)?;
        Ok(messages.into_iter().flatten().filter(|message| message.error.is_some()).collect())
    }
}
