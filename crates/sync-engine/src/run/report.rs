//! What a run came to.

use sync_core::{
    error::{CallError, SourceError},
    mapping::Finding,
    state::{Books, RunStatus, StateError, Stop},
};

/// What a run came to.
#[derive(Clone, Debug)]
pub struct RunReport {
    /// The sync.
    pub sync: String,
    /// How it went.
    pub outcome: RunOutcome,
    /// Its counts.
    pub books: Books,
    /// Calls it made.
    pub calls: u64,
}

impl RunReport {
    /// Whether another turn may follow at once.
    pub fn may_go_on(&self) -> bool {
        matches!(
            self.outcome,
            RunOutcome::Ran { status: RunStatus::Success | RunStatus::Partial, .. }
        )
    }

    /// Both turns together; how the second ended is the end of both.
    #[must_use]
    pub fn followed_by(self, second: Self) -> Self {
        let mut books = self.books;
        (books.waiting_after, books.quarantine, books.unlinked) = (0, 0, 0);
        books += Books { waiting_before: 0, ..second.books };
        Self { books, calls: self.calls + second.calls, ..second }
    }
}

/// How a run went.
#[derive(Clone, Debug)]
pub enum RunOutcome {
    /// It ran; its honest name, and what kept it from success.
    Ran {
        /// Its name.
        status: RunStatus,
        /// What went wrong.
        trouble: Option<Trouble>,
    },
    /// Somebody else runs this sync.
    Busy,
    /// The breaker had stopped it; no call was made.
    Stopped(Stop),
}

/// What kept a run from success.
#[derive(Clone, Debug, PartialEq)]
pub struct Trouble {
    /// Stable code.
    pub code: String,
    /// In one line, free of row values.
    pub message: String,
    /// What to do.
    pub remedy: String,
    /// Disagreements between the definition and the live schemas, where those are the trouble.
    pub findings: Vec<Finding>,
}

impl Trouble {
    pub(crate) fn new(
        code: impl Into<String>,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self {
            code: code.into(),
            message: message.into(),
            remedy: remedy.into(),
            findings: Vec::new(),
        }
    }

    /// The run would not be what its plan says.
    pub(crate) fn plan_outdated() -> Self {
        Self::new(
            "plan_outdated",
            "rows, records or the state have changed since the plan was made; what differs was not sent",
            "make a new plan, or run without one; nothing is lost",
        )
    }
}

impl From<&StateError> for Trouble {
    fn from(error: &StateError) -> Self {
        Self::new(error.code(), error.to_string(), error.remedy())
    }
}

impl From<&CallError> for Trouble {
    fn from(error: &CallError) -> Self {
        Self::new(error.kind.code(), error.kind.to_string(), error.kind.remedy())
    }
}

impl From<&SourceError> for Trouble {
    fn from(error: &SourceError) -> Self {
        Self::new(error.kind.code(), error.message.clone(), error.remedy.clone())
    }
}

impl From<&Stop> for Trouble {
    fn from(stop: &Stop) -> Self {
        Self::new(stop.code.clone(), stop.message.clone(), stop.advice())
    }
}
