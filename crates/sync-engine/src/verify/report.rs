//! What a comparison is asked for, and what it came to.

use sync_core::{
    comparison::{Cause, Difference, Disagreement},
    state::{Compared, Rest},
};

use crate::run::Trouble;

/// What is asked of a comparison.
pub struct VerifyOptions<'a> {
    /// Only so many of the linked rows, chosen by chance; `None`: everything on both sides.
    pub sample: Option<u64>,
    /// At most so many differences are listed; all are counted.
    pub listed_max: usize,
    /// Prepare the next run to mend what differs.
    pub repairs: bool,
    /// Asked before calls are spent or the state is changed; `false` ends the comparison.
    pub ask: &'a (dyn Fn(Question) -> bool + Send + Sync),
}

impl std::fmt::Debug for VerifyOptions<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("VerifyOptions")
            .field("sample", &self.sample)
            .field("repairs", &self.repairs)
            .finish_non_exhaustive()
    }
}

/// What a person may say no to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Question {
    /// Reading will cost about so many calls.
    Read {
        /// As many records as are linked; more, where the table holds more.
        calls: u64,
    },
    /// Mending will cost about so many calls.
    Repair {
        /// Rows whose records will be written.
        rows: u64,
        /// Calls.
        calls: u64,
    },
    /// Deleting records, or emptying their external ids, will cost so many calls.
    Dedupe {
        /// Records to delete.
        deletes: u64,
        /// Records whose external id is emptied.
        clears: u64,
        /// Calls.
        calls: u64,
    },
}

/// What a comparison came to.
#[derive(Clone, Debug, PartialEq)]
pub struct VerifyReport {
    /// The sync.
    pub sync: String,
    /// How it went.
    pub outcome: VerifyOutcome,
    /// Calls it made.
    pub calls: u64,
}

/// How a comparison went.
#[derive(Clone, Debug, PartialEq)]
pub enum VerifyOutcome {
    /// Both sides were read to their ends.
    Compared(Box<Comparison>),
    /// Somebody said no to its cost; nothing was asked of SmartSuite.
    Declined {
        /// The cost in calls.
        calls: u64,
    },
    /// Another process runs this sync.
    Busy,
    /// It could not be done.
    Failed(Trouble),
    /// Somebody asked for the end.
    Interrupted,
}

/// What both sides hold.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Comparison {
    /// Set when only so many rows were compared.
    pub sample: Option<u64>,
    /// Rows read.
    pub rows: u64,
    /// Records read.
    pub records: u64,
    /// What the rows came to.
    pub compared: Compared,
    /// What the records without a row came to.
    pub rest: Rest,
    /// Rows without a usable key.
    pub keyless: u64,
    /// Every difference, counted.
    pub counts: Vec<(Disagreement, Cause, u64)>,
    /// The first of them.
    pub differences: Vec<Difference>,
    /// What was prepared for the next run, where that was asked for and agreed to.
    pub repaired: Option<Repaired>,
}

impl Comparison {
    /// Differences of a kind that nobody will mend by himself.
    pub fn drift(&self, disagreement: Disagreement) -> u64 {
        self.sum(|one, cause| one == disagreement && cause.is_drift())
    }

    /// All of them.
    pub fn drift_in_all(&self) -> u64 {
        self.sum(|_, cause| cause.is_drift())
    }

    /// Differences that somebody already knows of.
    pub fn explained(&self) -> u64 {
        self.sum(|_, cause| !cause.is_drift())
    }

    fn sum(&self, counts: impl Fn(Disagreement, Cause) -> bool) -> u64 {
        let counted = self.counts.iter().filter(|(one, cause, _)| counts(*one, *cause));
        counted.map(|(_, _, count)| count).sum()
    }
}

/// What a repair prepared for the next run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Repaired {
    /// Rows that the next run writes again.
    pub rows: u64,
    /// Records that are linked now.
    pub linked: u64,
    /// Missing records that `on_missing: skip` leaves so from now on.
    pub left_missing: u64,
    /// Differences that no repair mends: extra records, doubles.
    pub left: u64,
}
