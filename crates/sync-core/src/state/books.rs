//! The books of a run: every row and every entry is accounted for, or the run is no success.

use std::ops::AddAssign;

use serde::{Deserialize, Serialize};

/// Counts of one run.
///
/// Rows: `read = unchanged + queued + withdrawn + parked + skipped + suspected`. Entries: `waiting_before + queued + released =
/// created + adopted + updated + deleted + archived + equal + recordless + superseded + taken_back + quarantined +
/// waiting_after`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Books {
    /// Rows read.
    pub read: u64,
    /// Rows that are as intended already.
    pub unchanged: u64,
    /// Rows that became a waiting entry.
    pub queued: u64,
    /// Rows that the destination holds already while something else waited.
    pub withdrawn: u64,
    /// Rows that could not become a draft and were parked.
    pub parked: u64,
    /// Rows without a usable key.
    pub skipped: u64,
    /// Rows that point to a row without a record, so that their record lacks that link; each is in one of the counts
    /// above too.
    pub unlinked: u64,
    /// Keys whose row was not there and that are asked for once more.
    pub suspected: u64,
    /// Of the counts above, rows that this run had parked and then read again, as what they lacked is there now. Until they
    /// are [counted once](Self::count_once) they stand in `read` twice, and in `parked` though they are not.
    #[serde(skip)]
    pub unparked: u64,

    /// Entries waiting, being sent or in doubt when the run began.
    pub waiting_before: u64,
    /// Entries taken back from quarantine to be tried again.
    pub released: u64,
    /// Records created.
    pub created: u64,
    /// Records found by their external id, holding what was wanted.
    pub adopted: u64,
    /// Records updated.
    pub updated: u64,
    /// Records deleted.
    pub deleted: u64,
    /// Records marked as archived, because their row is gone.
    pub archived: u64,
    /// Entries that turned out equal to the link when their turn came.
    pub equal: u64,
    /// Entries whose row has no record, in a sync that makes none; the row is remembered.
    pub recordless: u64,
    /// Entries replaced by a newer one of their key.
    pub superseded: u64,
    /// Entries taken back because the row returned to what the destination holds.
    pub taken_back: u64,
    /// Entries that the service refused.
    pub quarantined: u64,
    /// Entries waiting, being sent or in doubt when the run ended.
    pub waiting_after: u64,
    /// Rows in quarantine when the run ended.
    pub quarantine: u64,
}

impl Books {
    /// Whether every row is accounted for.
    pub fn rows_balance(&self) -> bool {
        self.read
            == self.unchanged
                + self.queued
                + self.withdrawn
                + self.parked
                + self.skipped
                + self.suspected
    }

    /// Lets each row that was parked and read again in this run stand for what became of it last. Both balances hold
    /// before and after.
    pub fn count_once(&mut self) {
        let twice = std::mem::take(&mut self.unparked).min(self.parked).min(self.read);
        self.read -= twice;
        self.parked -= twice;
    }

    /// Entries that left the outbox.
    pub fn left(&self) -> u64 {
        self.created
            + self.adopted
            + self.updated
            + self.deleted
            + self.archived
            + self.equal
            + self.recordless
            + self.superseded
            + self.taken_back
            + self.quarantined
    }

    /// Whether every entry is accounted for.
    pub fn entries_balance(&self) -> bool {
        self.waiting_before + self.queued + self.released == self.left() + self.waiting_after
    }
}

/// Fewer rows than this are few: half of them may well go.
const MANY: u64 = 10;

/// Whether a full read of `rows` rows is cause for doubt where the one before it yielded `before`: none at all, or
/// less than half of many.
pub fn rows_vanished(before: u64, rows: u64) -> bool {
    before >= MANY && rows < before.div_ceil(2)
}

impl AddAssign for Books {
    /// Adds what happened; the four counts of a moment (`waiting_before`, `waiting_after`, `quarantine`, and `read`
    /// apart) add too, as each is set in one place only.
    fn add_assign(&mut self, other: Self) {
        self.read += other.read;
        self.unchanged += other.unchanged;
        self.queued += other.queued;
        self.withdrawn += other.withdrawn;
        self.parked += other.parked;
        self.skipped += other.skipped;
        self.unlinked += other.unlinked;
        self.suspected += other.suspected;
        self.unparked += other.unparked;
        self.waiting_before += other.waiting_before;
        self.released += other.released;
        self.created += other.created;
        self.adopted += other.adopted;
        self.updated += other.updated;
        self.deleted += other.deleted;
        self.archived += other.archived;
        self.equal += other.equal;
        self.recordless += other.recordless;
        self.superseded += other.superseded;
        self.taken_back += other.taken_back;
        self.quarantined += other.quarantined;
        self.waiting_after += other.waiting_after;
        self.quarantine += other.quarantine;
    }
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunStatus {
    /// Both balances hold, nothing waits, nothing is in quarantine.
    Success,
    /// It came to its end, but rows wait or are in quarantine.
    Partial,
    /// A person or the system ended it early; nothing is lost.
    Interrupted,
    /// It could not do its work.
    Failed,
}

impl RunStatus {
    /// The word for it in the state and on screens.
    pub fn word(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Partial => "partial",
            Self::Interrupted => "interrupted",
            Self::Failed => "failed",
        }
    }
}

/// What is stored of a run when it ends.
#[derive(Clone, Debug, PartialEq)]
pub struct RunEnd {
    /// Its name.
    pub status: RunStatus,
    /// Its counts.
    pub books: Books,
    /// Calls it made.
    pub calls: u64,
    /// What went wrong, in one line without row values.
    pub error: Option<String>,
    /// Stable code of what went wrong.
    pub code: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_became_of_an_entry_it_left() {
        let books = Books {
            created: 1,
            adopted: 2,
            updated: 4,
            deleted: 8,
            archived: 16,
            equal: 32,
            recordless: 64,
            superseded: 128,
            taken_back: 256,
            quarantined: 512,
            ..Books::default()
        };
        assert_eq!(books.left(), 1_023);
    }

    #[test]
    fn a_row_that_was_parked_and_read_again_counts_once() {
        let mut books = Books { read: 30, queued: 1, parked: 29, ..Books::default() };
        let again = Books { read: 29, queued: 28, parked: 1, unparked: 29, ..Books::default() };
        assert!(books.rows_balance() && again.rows_balance());
        books += again;
        assert!(books.rows_balance(), "before it is settled too");
        books.count_once();
        assert_eq!(books, Books { read: 30, queued: 29, parked: 1, ..Books::default() });
        // What no count of this run stands behind is not taken off it.
        let mut books = Books { read: 2, queued: 2, unparked: 2, ..Books::default() };
        books.count_once();
        assert_eq!(books, Books { read: 2, queued: 2, ..Books::default() });
    }

    #[test]
    fn none_or_less_than_half_of_many_rows_is_cause_for_doubt() {
        for (before, rows, doubtful) in [
            (0, 0, false),
            (9, 0, false),
            (10, 0, true),
            (10, 4, true),
            (10, 5, false),
            (11, 5, true),
            (11, 6, false),
            (1_000_000, 1_000_001, false),
        ] {
            assert_eq!(rows_vanished(before, rows), doubtful, "{before} {rows}");
        }
    }
}
