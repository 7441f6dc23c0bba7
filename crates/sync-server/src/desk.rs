//! The port to the service: what others may ask of it. The program implements it.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;
use sync_core::{
    budget::BudgetDefinition, config::model::SyncDefinition, freshness::FreshnessGoal, key::Key,
    port::Boxed, state::StateError,
};
use sync_store::QuarantineFilter;

/// What the service does when it is asked. Nothing that is asked for carries a value: it starts a capture, or marks
/// keys to be read again.
pub trait Desk: Send + Sync {
    /// Every sync of the mapping file, in its order, as it is served now.
    fn roster(&self) -> Vec<RosterEntry>;

    /// Asks something of a sync. May be asked again; two equal wishes before the first began are one.
    ///
    /// # Errors
    /// It is not done.
    fn ask(&self, sync: String, wish: Wish) -> Boxed<'_, Result<Done, Refusal>>;

    /// Why the record of the row with this key is as it is: the answer of `explain --json`. Reads the row itself
    /// where `live` says so.
    ///
    /// # Errors
    /// The sync is unknown, or the state fails. A source that cannot be read is part of the answer.
    fn explain(&self, sync: String, key: String, live: bool) -> Boxed<'_, Result<Value, Refusal>>;

    /// Whether the service does its work.
    fn condition(&self) -> Condition;

    /// What SmartSuite's plan includes each month, where the mapping file says so.
    fn budget(&self) -> Option<BudgetDefinition>;

    /// Whether the service copies the state each day.
    fn keeps_copies(&self) -> bool;
}

/// A sync that is served.
#[derive(Clone, Debug)]
pub struct RosterEntry {
    /// As the mapping file has it.
    pub definition: Arc<SyncDefinition>,
    /// When it runs, in words with its zone.
    pub schedule: String,
    /// When it runs next by itself, where that is known; `None` too while it runs.
    pub next_run: Option<Timestamp>,
    /// Whether a turn of it is under way in this process.
    pub is_under_way: bool,
    /// Whether a person paused it.
    pub is_paused: bool,
    /// How old what SmartSuite shows may be.
    pub goal: FreshnessGoal,
}

/// What is asked of a sync.
#[derive(Clone, Debug, PartialEq)]
pub enum Wish {
    /// Run now.
    Run {
        /// Though the breaker stopped it, and with the rows in quarantine.
        retry: bool,
    },
    /// Run no more, until it is resumed. A turn under way is ended in good order.
    Pause,
    /// Run again.
    Resume,
    /// Read rows again: those with these keys, or every row.
    Resync(Option<Vec<Key>>),
    /// Try rows in quarantine again.
    Retry(QuarantineFilter),
    /// Forget rows in quarantine.
    Drop(QuarantineFilter),
}

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Done {
    /// The sync runs, or runs again after the run under way.
    Triggered,
    /// It is as wished.
    Done,
    /// So many rows were meant.
    Rows(u64),
    /// It is done as soon as the run under way has ended.
    Later,
}

/// Why it is not done.
#[derive(Clone, Debug)]
pub enum Refusal {
    /// There is no such sync.
    Unknown {
        /// Its name.
        sync: String,
    },
    /// The breaker stopped it.
    Stopped {
        /// What happened.
        message: String,
        /// What to do.
        remedy: String,
    },
    /// A person paused it.
    Paused,
    /// The mapping file disables it.
    Disabled,
    /// The service is starting or ending.
    NotServing,
    /// The state fails.
    State(StateError),
}

impl From<StateError> for Refusal {
    fn from(error: StateError) -> Self {
        Self::State(error)
    }
}

/// Whether the service does its work.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Condition {
    /// Why it does not; empty when it does.
    pub reasons: Vec<Reason>,
}

/// One reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// Stable code.
    pub code: &'static str,
    /// In words.
    pub message: String,
}
