//! Everything the engine says about its work, in one closed vocabulary. The log, the progress bar, metrics and tests
//! are readings of this one stream.

use std::time::Duration;

use jiff::Timestamp;
use sync_core::{
    error::CallErrorKind,
    mapping::Finding,
    state::{Books, CallKind, FullReadReason, RunStatus},
};

/// One thing that happened. Carries no row values and no keys.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// A run began.
    RunBegan {
        /// Its number.
        run: i64,
        /// Entries that were waiting already.
        waiting: u64,
    },
    /// A read is open.
    ReadOpened {
        /// Set when everything is read, with the reason.
        full: Option<FullRead>,
    },
    /// The reader or the mapping has something to say that is no error.
    Note {
        /// One sentence.
        text: String,
    },
    /// The mapping has something to say.
    Finding(Finding),
    /// Rows were stored.
    Captured {
        /// Counts of this chunk.
        books: Books,
    },
    /// All keys were read to find rows that are gone.
    Swept {
        /// Keys that the read has shown.
        shown: u64,
        /// Records whose row was not among them.
        candidates: u64,
    },
    /// A call leaves.
    CallLeft {
        /// What for.
        kind: CallKind,
        /// Items it holds.
        items: usize,
        /// The number of a writing call, by which the log of effects names it.
        number: Option<i64>,
    },
    /// A call was answered, or not.
    CallEnded {
        /// What for.
        kind: CallKind,
        /// How long it took.
        took: Duration,
        /// What went wrong, if anything.
        error: Option<CallErrorKind>,
    },
    /// The gate is closed after a 429.
    Paused {
        /// Until when.
        until: Timestamp,
    },
    /// Answers were settled.
    Settled {
        /// Counts of this settlement.
        books: Books,
        /// Entries still to be sent.
        waiting: u64,
    },
    /// Rows were held against records that carry no key (`match_on`).
    Matched {
        /// Rows that took over a record.
        adopted: u64,
        /// Rows that several records, or several rows, keep from it.
        ambiguous: u64,
    },
    /// A row was refused.
    RowRefused {
        /// Stable code.
        code: String,
        /// The field to blame, where one is known.
        slug: Option<String>,
    },
    /// Creates of unknown fate; they are looked up before anything is created again.
    InDoubt {
        /// How many.
        entries: usize,
    },
    /// The run ended.
    RunEnded {
        /// Its number.
        run: i64,
        /// Its name.
        status: RunStatus,
        /// Its counts.
        books: Books,
        /// Calls it made.
        calls: u64,
    },
}

/// Why everything is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FullRead {
    /// Somebody asked for it.
    Asked,
    /// The state demands it.
    Due(FullReadReason),
    /// The source has no cursor.
    NoCursor,
    /// It is time again for all that the cursor column does not show.
    Reconcile,
}

/// Reads events. Called often and from several tasks: it must be quick and must not block.
pub trait Observer: Send + Sync {
    /// Something happened in a sync.
    fn observe(&self, sync: &str, event: &Event);
}
