//! What comes of a request: an answer, and how it travels, or that none ever arrives.

use std::time::Duration;

use bytes::Bytes;
use http::Response;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What the connection of a request sees.
#[derive(Debug, Clone)]
pub enum Outcome {
    /// An answer, after a pause.
    Answer {
        /// How long the connection waits first.
        after: Duration,
        /// The answer.
        response: Response<Bytes>,
    },
    /// An answer whose body breaks off; its length still claims all of it.
    Truncated {
        /// How long the connection waits first.
        after: Duration,
        /// The whole answer.
        response: Response<Bytes>,
        /// How many bytes of the body arrive.
        bytes: usize,
    },
    /// The connection is reset without an answer.
    Reset {
        /// How long the connection waits first.
        after: Duration,
    },
    /// Nothing happens on the connection any more.
    Never,
    /// The request has not taken effect yet: ask [`crate::Emulator::collect`] then.
    Held {
        /// When it takes effect, on the clock of whoever called.
        until: Timestamp,
        /// What to ask with.
        ticket: u64,
    },
}

impl Outcome {
    /// The answer, if a whole one arrives at some time.
    pub fn response(&self) -> Option<&Response<Bytes>> {
        match self {
            Self::Answer { response, .. } => Some(response),
            Self::Truncated { .. } | Self::Reset { .. } | Self::Never | Self::Held { .. } => None,
        }
    }
}

/// What a request did to the workspace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// Nothing: it read, or it was refused, or a fault kept it away.
    None,
    /// It changed something.
    Applied,
    /// It will take effect later.
    Pending,
    /// It took effect after its connection had been given its fate.
    AppliedLate,
}
