//! The state's part in comparing both sides: it keeps what one side showed until the other is read, so that neither
//! has to fit into memory.

use jiff::Timestamp;

use crate::{
    comparison::{Cause, ComparedRecord, ComparedRow, Difference, Disagreement},
    key::Key,
    record::RecordId,
    shared_id::SharingRecord,
    slug::Slug,
    state::{StateError, Writer},
};

/// What a comparison of rows came to, besides the differences that it noted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Compared {
    /// Rows whose record holds what they say.
    pub equal: u64,
    /// Of those, rows whose link did not know what its record holds, and does now (`protocol.md` D9).
    pub settled: u64,
    /// Rows with a record that nothing is linked to yet.
    pub unlinked: u64,
}

/// What a table's records without a row came to, besides the differences that were noted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rest {
    /// Records of people: they carry no external id.
    pub people: u64,
    /// Records with another sync's keys, or with external ids that this tool never makes.
    pub others: u64,
}

/// What is done with records whose row is gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RestPolicy {
    /// The sync's key prefix.
    pub key_prefix: String,
    /// They are kept on purpose.
    pub keeps_records: bool,
}

/// Comparing both sides. What is kept for it lives in a temporary file of this connection, and ends with the next
/// [`ComparisonStore::begin_comparison`] or with the connection.
pub trait ComparisonStore {
    /// Forgets an earlier comparison. What is linked now is indexed by record. To be called before the table is read:
    /// where a call that this state does not know of may be on its way by then ([`StateStore::calls_from`]), the
    /// comparison teaches no link what its record holds (`protocol.md` D9).
    ///
    /// [`StateStore::calls_from`]: crate::state::StateStore::calls_from
    fn begin_comparison(&mut self, writer: &Writer, now: Timestamp) -> Result<(), StateError>;

    /// Keeps records that the table showed. One that is kept already is left as it is.
    fn keep_records(
        &mut self,
        writer: &Writer,
        records: &[ComparedRecord],
    ) -> Result<(), StateError>;

    /// Compares rows with the records kept: each with the one that is linked, else with one that carries its external
    /// id and is linked to nothing else. Notes differences. `all_read_next`: the next run reads every row.
    ///
    /// A link that does not know what its record holds learns it where record and row agree, unless a write is on its
    /// way or got no answer, or one may be that the state does not know of (`protocol.md` D9).
    fn compare_rows(
        &mut self,
        writer: &Writer,
        rows: &[ComparedRow],
        shape: &[Slug],
        all_read_next: bool,
    ) -> Result<Compared, StateError>;

    /// The next run reads these keys: differences that it will mend are explained by that.
    fn note_read_next(&mut self, writer: &Writer, keys: &[Key]) -> Result<(), StateError>;

    /// Judges up to `records_max` records that no row was compared with, after the place `after`; answers the last
    /// place, `None` at the end.
    fn compare_rest(
        &mut self,
        writer: &Writer,
        policy: &RestPolicy,
        after: i64,
        records_max: usize,
    ) -> Result<(Rest, Option<i64>), StateError>;

    /// The differences noted, counted.
    fn count_differences(
        &mut self,
        writer: &Writer,
    ) -> Result<Vec<(Disagreement, Cause, u64)>, StateError>;

    /// Up to `differences_max` differences after the place `after`, each with its place.
    fn differences(
        &mut self,
        writer: &Writer,
        after: i64,
        differences_max: usize,
    ) -> Result<Vec<(i64, Difference)>, StateError>;

    /// Links up to `records_max` records that a row was compared with and that are linked to nothing, after the place
    /// `after`, and marks their keys dirty; a link that leads to a record which is not there moves. Answers how many,
    /// and the last place, `None` at the end.
    fn link_compared(
        &mut self,
        writer: &Writer,
        after: i64,
        records_max: usize,
        now: Timestamp,
    ) -> Result<(u64, Option<i64>), StateError>;

    /// Nobody believes any more what the records of these keys hold, and the keys are dirty, in one transaction
    /// (`protocol.md` C7).
    fn distrust(&mut self, writer: &Writer, keys: &[Key]) -> Result<(), StateError>;

    /// Up to `ids_max` external ids that several of the records kept carry, in order, after `after`; each with its
    /// records.
    fn shared_ids(
        &mut self,
        writer: &Writer,
        after: Option<&str>,
        ids_max: usize,
    ) -> Result<Vec<(String, Vec<SharingRecord>)>, StateError>;

    /// Logs what was done about records that shared their keys: these were deleted, and of those the external id was
    /// emptied, which is `field`.
    fn log_dedupe(
        &mut self,
        writer: &Writer,
        deleted: &[(Key, RecordId)],
        cleared: &[(Key, RecordId)],
        field: &Slug,
        now: Timestamp,
    ) -> Result<(), StateError>;

    /// Up to `keys_max` linked keys after `after`, in order.
    fn linked_keys(
        &mut self,
        writer: &Writer,
        after: Option<&Key>,
        keys_max: usize,
    ) -> Result<Vec<Key>, StateError>;
}
