//! Where changes wait for their sync: found by the one who reads the log, taken by the one who reads rows.

use std::sync::{Mutex, MutexGuard, PoisonError};

use sync_core::error::SourceError;
use tokio::sync::Notify;

use super::{decoder::Found, position::Position};

/// Keys that may wait in one slot; with more, the log is not read on until they are taken.
const KEYS_MAX: usize = 20_000;

/// What waits for one follower.
#[derive(Debug, Default)]
pub(crate) struct Slot {
    waiting: Mutex<Waiting>,
    /// Something is there.
    pub(crate) filled: Notify,
    /// Something was taken.
    pub(crate) emptied: Notify,
}

/// What waits.
#[derive(Clone, Debug, Default)]
pub(crate) struct Waiting {
    pub(crate) found: Found,
    /// After all of it; `None`: nothing new.
    pub(crate) position: Option<Position>,
    /// When the last transaction was made, seconds since 1970; `None`: nothing more is in the log.
    pub(crate) as_of: Option<u32>,
    /// How far the log was when the follower came; `None` where that cannot be asked.
    pub(crate) target: Option<Position>,
    pub(crate) is_caught_up: bool,
    pub(crate) failure: Option<SourceError>,
    pub(crate) notes: Vec<String>,
}

impl Waiting {
    /// Whether there are keys, or a reason to read everything.
    pub(crate) fn has_changes(&self) -> bool {
        self.found.size() > 0 || self.found.reconcile.is_some()
    }

    /// The log is read up to a position.
    pub(crate) fn reach(&mut self, position: &Position) {
        if !self.is_caught_up {
            let target = self.target.as_ref();
            self.is_caught_up = target.is_some_and(|target| position.covers(target) == Some(true));
        }
        if self.position.as_ref() != Some(position) {
            self.position = Some(position.clone());
        }
    }
}

impl Slot {
    pub(crate) fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A transaction was read.
    pub(crate) fn add(&self, found: Found, position: &Position, seconds: u32) {
        let mut waiting = self.lock();
        waiting.found.merge(found);
        waiting.as_of = Some(seconds);
        waiting.reach(position);
        drop(waiting);
        self.filled.notify_one();
    }

    /// Nothing is in the log beyond the position, as far as one can see without waiting.
    pub(crate) fn rest(&self, position: &Position, is_end: bool) {
        let mut waiting = self.lock();
        let was_caught_up = waiting.is_caught_up;
        waiting.as_of = None;
        // With names MySQL says so too while it passes over what is known already.
        waiting.is_caught_up |= is_end && waiting.target.is_none();
        waiting.reach(position);
        if waiting.is_caught_up && !was_caught_up {
            self.filled.notify_one();
        }
    }

    pub(crate) fn fail(&self, error: SourceError) {
        self.lock().failure = Some(error);
        self.filled.notify_one();
    }

    /// There is something to say about the reading.
    pub(crate) fn note(&self, text: &str) {
        self.lock().notes.push(text.to_owned());
        self.filled.notify_one();
    }

    pub(crate) fn is_full(&self) -> bool {
        self.lock().found.size() > KEYS_MAX
    }
}
