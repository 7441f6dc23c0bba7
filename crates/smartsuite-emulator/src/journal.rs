//! What changed the emulator, written down so that it can be done again after a restart.
//!
//! The model is deterministic, so the same effects in the same order give the same world. Each
//! entry carries the state of the dice, because refused requests may have thrown them too.

use bytes::Bytes;
use http::{Request, header};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::dice::Dice;
use crate::emulator::Emulator;
use crate::moment::Moment;
use crate::profile::Profile;
use crate::rules::call::Actor;
use crate::seed::Seed;

/// A request as the journal holds it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct StoredRequest {
    method: String,
    target: String,
    content_type: String,
    body: StoredBody,
}

/// A body: text where it is text, which is nearly always.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(untagged)]
enum StoredBody {
    Text(String),
    Bytes(Vec<u8>),
}

impl StoredRequest {
    pub(crate) fn of(request: &Request<Bytes>) -> Self {
        let content_type = request.headers().get(header::CONTENT_TYPE);
        Self {
            method: request.method().to_string(),
            target: request.uri().to_string(),
            content_type: content_type
                .and_then(|value| value.to_str().ok())
                .unwrap_or_default()
                .to_owned(),
            body: match std::str::from_utf8(request.body()) {
                Ok(text) => StoredBody::Text(text.to_owned()),
                Err(_) => StoredBody::Bytes(request.body().to_vec()),
            },
        }
    }

    pub(crate) fn request(self) -> Result<Request<Bytes>, http::Error> {
        let body = match self.body {
            StoredBody::Text(text) => Bytes::from(text),
            StoredBody::Bytes(bytes) => Bytes::from(bytes),
        };
        Request::builder()
            .method(self.method.as_str())
            .uri(self.target)
            .header(header::CONTENT_TYPE, self.content_type)
            .body(body)
    }
}

/// One effect.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Entry {
    /// Which snapshot the journal follows, and the positions under which all took effect: a restart
    /// may have others.
    Begin { generation: u64, profile: Box<Profile> },
    /// A call that changed something.
    Call { at: Moment, dice: Dice, actor: Actor, request: StoredRequest },
    /// An edit by a person.
    Person { at: Moment, dice: Dice, body: Value },
    /// Something that was due by itself.
    Due { at: Moment, dice: Dice },
    /// How many calls a workspace has now made in a month.
    Calls { account: String, month: String, calls: u64 },
    /// What became of a notification.
    Ping { at: Moment, webhook: String, arrived: bool },
    /// A seed was added.
    Seed { at: Moment, dice: Dice, seed: Seed },
    /// Back to the seed.
    Reset { at: Moment },
    /// The clock was set.
    Clock { ahead: i64 },
    /// Switches were changed.
    Profile { profile: Box<Profile> },
}

impl Entry {
    /// The first entry behind a snapshot.
    pub(crate) fn begin(generation: u64, emulator: &Emulator) -> Self {
        Self::Begin { generation, profile: Box::new(emulator.profile.clone()) }
    }

    /// Whether it is the first entry behind the snapshot of that generation.
    pub(crate) fn begins(&self, snapshot: u64) -> bool {
        matches!(self, Self::Begin { generation, .. } if *generation == snapshot)
    }
}

/// The entries that are not stored yet, where they are stored at all.
#[derive(Debug, Clone, Default)]
pub(crate) struct Journal {
    is_kept: bool,
    entries: Vec<Entry>,
}

impl Journal {
    /// Keeps entries from now on.
    pub(crate) fn keep(&mut self) {
        self.is_kept = true;
    }

    pub(crate) fn add(&mut self, entry: impl FnOnce() -> Entry) {
        if self.is_kept {
            self.entries.push(entry());
        }
    }

    /// Takes what is to be stored.
    pub(crate) fn take(&mut self) -> Vec<Entry> {
        std::mem::take(&mut self.entries)
    }
}
