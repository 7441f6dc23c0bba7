//! Looking for rows that are gone, by the keys of all that are there.

use jiff::Timestamp;

use crate::deletes::Going;

/// A sweep that was begun; given out before its read opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SweepTicket {
    /// When it began: links made since are no candidates.
    pub began: Timestamp,
    /// The newest entry that stood.
    pub entries_before: i64,
    /// Reads that had begun by then: a full read that was asked for since may be about rows that the sweep did not see.
    pub reads_before: i64,
}

/// What a sweep found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SweepEnd {
    /// Keys that the read has shown.
    pub shown: u64,
    /// Candidates among the sync's records.
    pub going: Going,
    /// Whether a person must be asked before they are looked at again.
    pub asks: bool,
}
