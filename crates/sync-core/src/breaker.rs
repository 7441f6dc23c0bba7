//! The breaker: a mistake that hits everything stops the sync early instead of burning the month's calls.
//!
//! One bad row harms one row: its batch is split until it stands alone. But when every batch is bad, splitting each
//! would cost dozens of calls a batch. So the breaker watches for two whole batches refused in a row, where a batch
//! counts as whole as soon as its first three single rows are refused and none was accepted; and for one code that
//! refuses more than a fifth of a run's first rows.

use std::collections::BTreeMap;

use crate::state::EntryId;

/// Whole batches in a row that trip it.
const BATCHES: u32 = 2;
/// Single rows of a batch that must be refused before the batch counts as wholly refused.
const ROWS_OF_BATCH: u32 = 3;
/// The rows of a run that the share is taken of.
const FIRST_ROWS: u64 = 500;
/// More refusals with one code among the first rows than this trip it.
const REFUSALS_MAX: u64 = FIRST_ROWS / 5;

/// One batch as it was first sent.
#[derive(Debug, Default)]
struct Batch {
    refused: u32,
    accepted: bool,
    counted: bool,
}

/// Watches one run's answers.
#[derive(Debug, Default)]
pub struct Breaker {
    batches: Vec<Batch>,
    batch_of: BTreeMap<EntryId, usize>,
    whole_in_a_row: u32,
    try_fresh: bool,
    any_accepted: bool,
    settled: u64,
    refused: BTreeMap<String, u64>,
    tripped: Option<String>,
}

impl Breaker {
    /// A call was refused and is about to be split. Entries that were refused before keep their batch.
    pub fn call_refused(&mut self, entries: impl IntoIterator<Item = EntryId>) {
        let batch = self.batches.len();
        let mut fresh = false;
        for entry in entries {
            if let std::collections::btree_map::Entry::Vacant(vacant) = self.batch_of.entry(entry) {
                vacant.insert(batch);
                fresh = true;
            }
        }
        if fresh {
            self.batches.push(Batch::default());
            self.try_fresh = false;
        }
    }

    /// A row stands alone and is refused with `code`.
    pub fn row_refused(&mut self, entry: EntryId, code: &str) {
        self.settled += 1;
        let refusals = self.refused.entry(code.to_owned()).or_default();
        *refusals += 1;
        let too_many = self.settled <= FIRST_ROWS && *refusals > REFUSALS_MAX;
        let batch = self.batch_of.get(&entry).and_then(|batch| self.batches.get_mut(*batch));
        if let Some(batch) = batch {
            batch.refused += 1;
            if batch.refused >= ROWS_OF_BATCH && !batch.accepted && !batch.counted {
                batch.counted = true;
                self.whole_in_a_row += 1;
                self.try_fresh = true;
            }
        }
        if too_many || self.whole_in_a_row >= BATCHES {
            self.tripped.get_or_insert_with(|| code.to_owned());
        }
    }

    /// Rows were accepted.
    pub fn accepted(&mut self, entries: impl IntoIterator<Item = EntryId>) {
        for entry in entries {
            self.settled += 1;
            self.any_accepted = true;
            self.whole_in_a_row = 0;
            self.try_fresh = false;
            if let Some(batch) =
                self.batch_of.get(&entry).and_then(|batch| self.batches.get_mut(*batch))
            {
                batch.accepted = true;
            }
        }
    }

    /// Whether the next call should hold rows that were never refused: a whole batch was, and one more decides.
    pub fn wants_fresh(&self) -> bool {
        self.try_fresh
    }

    /// Whether rows were refused and none was accepted yet: until it is known what they suffer from, no other rows
    /// should follow them.
    pub fn is_wary(&self) -> bool {
        !self.any_accepted && !self.batches.is_empty() && !self.try_fresh
    }

    /// Whether anything was accepted in this run: until then, one call at a time.
    pub fn any_accepted(&self) -> bool {
        self.any_accepted
    }

    /// The code it tripped on, if it did.
    pub fn tripped(&self) -> Option<&str> {
        self.tripped.as_deref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(first: i64) -> Vec<EntryId> {
        (first..first + 25).map(EntryId).collect()
    }

    fn refuse(breaker: &mut Breaker, rows: &[EntryId]) {
        for row in rows {
            breaker.row_refused(*row, "bad");
        }
    }

    #[test]
    fn two_whole_batches_in_a_row_trip_it() {
        let mut breaker = Breaker::default();
        breaker.call_refused(batch(0));
        assert!(breaker.is_wary());
        refuse(&mut breaker, &batch(0)[..3]);
        assert!(breaker.wants_fresh() && !breaker.is_wary());
        assert_eq!(breaker.tripped(), None);
        breaker.call_refused(batch(100));
        assert!(!breaker.wants_fresh());
        refuse(&mut breaker, &batch(100)[..3]);
        assert_eq!(breaker.tripped(), Some("bad"));
    }

    #[test]
    fn one_whole_batch_among_healthy_ones_does_not() {
        let mut breaker = Breaker::default();
        breaker.call_refused(batch(0));
        refuse(&mut breaker, &batch(0));
        breaker.accepted(batch(100));
        breaker.call_refused(batch(200));
        refuse(&mut breaker, &batch(200));
        assert_eq!(breaker.tripped(), None);
    }

    #[test]
    fn bad_rows_in_every_batch_do_not() {
        let mut breaker = Breaker::default();
        for first in (0..500).step_by(25) {
            let rows = batch(first);
            breaker.call_refused(rows.clone());
            breaker.accepted(rows[..20].to_vec());
            refuse(&mut breaker, &rows[20..24]);
        }
        assert_eq!(breaker.tripped(), None);
    }

    #[test]
    fn more_than_a_fifth_of_the_first_rows_with_one_code_trips_it() {
        for (accepted, tripped) in [(19, Some("bad")), (20, None)] {
            let mut breaker = Breaker::default();
            for first in (0..500).step_by(25) {
                let rows = batch(first);
                breaker.call_refused(rows.clone());
                breaker.accepted(rows[..accepted].to_vec());
                refuse(&mut breaker, &rows[accepted..]);
            }
            assert_eq!(breaker.tripped(), tripped);
        }
    }
}
