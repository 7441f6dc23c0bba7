//! What the state does to match rows with records that carry no key.

use jiff::Timestamp;

use super::{Books, StateError, Writer};
use crate::{draft::Fields, key::Key, matching::MatchDigest, record::RecordId};

/// What matching came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Matched {
    /// Rows that took over the one record that holds the same values.
    pub adopted: u64,
    /// Rows put in quarantine: several records, or several rows, hold the same values.
    pub ambiguous: u64,
}

/// Matching rows that wait for a record with records that carry no key (`match_on`).
///
/// Both sides are noted by their digests, on disk, so that memory does not grow with them; what the records' side
/// came to is remembered, so that a row that comes later is matched too and no other costs a reading of the table.
pub trait MatchingStore {
    /// Rows that wait and have no record, with their drafts, at most `rows_max`, in order of their keys after `after`.
    fn waiting_drafts(
        &mut self,
        writer: &Writer,
        after: Option<&Key>,
        rows_max: usize,
    ) -> Result<Vec<(Key, Fields)>, StateError>;

    /// Forgets what rows were noted.
    fn begin_matching(&mut self, writer: &Writer) -> Result<(), StateError>;

    /// Notes rows that wait, by what they are matched by.
    fn note_rows(&mut self, writer: &Writer, rows: &[(Key, MatchDigest)])
    -> Result<(), StateError>;

    /// Whether the table must be read: it never was to match `by` these fields, or a row that was noted may match a record
    /// that was left over then.
    fn matching_is_due(&mut self, writer: &Writer, by: &str) -> Result<bool, StateError>;

    /// Forgets what records were noted.
    fn begin_records(&mut self, writer: &Writer) -> Result<(), StateError>;

    /// Notes records that carry no key.
    fn note_records(
        &mut self,
        writer: &Writer,
        records: &[(RecordId, MatchDigest)],
    ) -> Result<(), StateError>;

    /// Holds both sides against each other, once every row that waits and every record of the table was noted. A row
    /// takes over the one record that nobody holds and that only it matches: it is linked, what the record holds is
    /// unknown, and so the row is sent as an update that writes its key. Where several match each other, the rows are
    /// put in quarantine, with the records' ids. What is left over is remembered.
    fn match_up(
        &mut self,
        writer: &Writer,
        by: &str,
        now: Timestamp,
    ) -> Result<(Matched, Books), StateError>;
}
