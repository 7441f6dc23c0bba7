//! Rows on their way into the outbox.

use jiff::Timestamp;

use crate::{
    draft::{Fields, Fingerprint, LinkWish},
    error::Quoted,
    key::Key,
    port::Watermark,
    slug::Slug,
    state::call::Fault,
};

/// A read that was begun; given out before its snapshot opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadTicket {
    /// Rises with every read of the sync. Rows of an older read than the newest are refused (`protocol.md` C1).
    pub read: i64,
    /// The newest dirty mark that stood; the read clears none after it (`protocol.md` C5).
    pub dirty_before: i64,
}

/// What became of one row.
#[derive(Clone, Debug, PartialEq)]
pub enum RowOutcome {
    /// The record it should be, and its fingerprint: see [`RowOutcome::draft`].
    Draft(Fields, Fingerprint),
    /// The record it should be, whose link fields the state fills from the links of the rows they point to.
    Linked(Fields, Vec<LinkWish>),
    /// Why it cannot become a record, with a fingerprint of the fault and its cells.
    Fault(Fault, Fingerprint),
    /// No row has this key any more, and its record should go too: two reads in a row have shown none.
    Gone,
    /// No row has this key, says this one read. Where something is linked or waits for it, the key is marked as
    /// suspected and asked for once more (`protocol.md` C8).
    Unseen,
    /// No row has this key any more, and its record stays as it is: what waits for it, or was refused, is void.
    Absent,
}

impl RowOutcome {
    /// The record that a row should be.
    pub fn draft(fields: Fields) -> Self {
        let print = fields.fingerprint();
        Self::Draft(fields, print)
    }
}

/// One row with its key.
#[derive(Clone, Debug, PartialEq)]
pub struct CapturedRow {
    /// Its key.
    pub key: Key,
    /// What became of it.
    pub outcome: RowOutcome,
    /// The cells of a row that could not become a draft, as JSON, for the commands made to show rows.
    pub cells: Option<Quoted>,
}

/// A linked-record field that is filled from the keys of another sync's rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkField {
    /// The field.
    pub slug: Slug,
    /// Name of the sync whose records are linked to.
    pub parent: String,
    /// The name under which the state may still know that sync.
    pub parent_previously: Option<String>,
    /// The table that the field links to.
    pub table: String,
}

/// How a read ended well.
#[derive(Clone, Debug, PartialEq)]
pub struct ReadEnd {
    /// Where the next incremental read may start; `None` leaves the position as it is.
    pub watermark: Option<Watermark>,
    /// How much was read.
    pub extent: Extent,
    /// Number of the read, or of the first of the reads in pages that it ends: a full read that was asked for since is
    /// still due.
    pub first_read: i64,
}

/// How much a read, or a row of reads in pages, has covered when it ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Extent {
    /// What changed.
    Changes,
    /// A page of a full read: the next begins after this key. The position is kept aside until the last page is
    /// stored.
    Page(Key),
    /// Every row, so that a full read is due no longer.
    Everything,
}

/// A key to be read again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DirtyKey {
    /// The key.
    pub key: Key,
    /// A read that should have shown it did not.
    pub suspected: bool,
}

/// Rows of one read, committed together.
#[derive(Clone, Debug, PartialEq)]
pub struct Chunk {
    /// The read.
    pub ticket: ReadTicket,
    /// The rows; each key at most once.
    pub rows: Vec<CapturedRow>,
    /// Rows of the read that were found unchanged before ([`crate::state::StateStore::unchanged`]): only counted.
    pub unchanged: u64,
    /// Keys whose dirty mark this read answers.
    pub answered: Vec<Key>,
    /// Set with the read's last chunk only: the position moves in the same transaction (`protocol.md` C4).
    pub end: Option<ReadEnd>,
    /// The time.
    pub now: Timestamp,
}
