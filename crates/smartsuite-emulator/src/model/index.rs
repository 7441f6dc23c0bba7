//! Finds records by the value of one field without reading the others.

use std::collections::BTreeSet;

use crate::dice::stable_hash;
use crate::model::cell::Cell;

/// The ranks of the records that hold a value, by the hash of its folded text.
///
/// A hash costs eight bytes whatever the text; whoever asks compares the records found, so two
/// texts with one hash do no harm.
#[derive(Debug, Clone, Default)]
pub(crate) struct ValueIndex {
    entries: BTreeSet<(u64, u64)>,
}

impl ValueIndex {
    /// Notes the values of a cell; returns how many entries were written.
    pub(crate) fn insert(&mut self, cell: &Cell, rank: u64) -> u64 {
        let mut written = 0;
        for hash in hashes(cell) {
            written += u64::from(self.entries.insert((hash, rank)));
        }
        written
    }

    /// Forgets the values of a cell; returns how many entries were removed.
    pub(crate) fn remove(&mut self, cell: &Cell, rank: u64) -> u64 {
        let mut removed = 0;
        for hash in hashes(cell) {
            removed += u64::from(self.entries.remove(&(hash, rank)));
        }
        removed
    }

    /// The ranks of records that may hold the text.
    pub(crate) fn candidates(&self, text: &str) -> impl Iterator<Item = u64> + '_ {
        let hash = hash_of(text);
        self.entries.range((hash, 0)..=(hash, u64::MAX)).map(|(_, rank)| *rank)
    }
}

fn hashes(cell: &Cell) -> Vec<u64> {
    match cell {
        Cell::Texts(texts) => texts.iter().map(|text| hash_of(text)).collect(),
        other => other.as_text().map(hash_of).into_iter().collect(),
    }
}

/// Case and outer white space do not count, so that a loose comparison can use the index too.
fn hash_of(text: &str) -> u64 {
    stable_hash(&text.trim().to_lowercase())
}
