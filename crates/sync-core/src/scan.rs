//! Reading a whole table, page by page, while people and other programs go on writing to it.
//!
//! Offsets would shift: a record deleted on a page already read moves another one, unread, onto it. `autonumber`
//! rises with every creation, never changes and is never used twice, so each page is asked for above the last one's
//! highest number. A record that was there before the scan began and still is when it ends is seen exactly once; one
//! created meanwhile is seen too, unless the scan has just ended.

use crate::port::{RecordFilter, RecordPage};

/// A scan as a state: what to ask for next, and what an answer changes. It makes no call itself, so that whoever does
/// can pass the gate and count.
///
/// ```text
/// while let Some(filter) = scan.next() {
///     let page = target.list(shape, &filter, 0, PAGE_MAX).await?;
///     scan.take(&page)?;
///     // page.records, none of which came before
/// }
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct TableScan {
    next: Option<RecordFilter>,
}

/// The service did not answer what was asked: the records had no `autonumber`, did not rise by it, or did not lie
/// above the mark. Going on could leave records out, and what is left out would be created again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("SmartSuite did not list the table's records in order of their autonumber")]
pub struct ScanStalled;

impl TableScan {
    /// Every record.
    pub fn whole() -> Self {
        Self { next: Some(RecordFilter::All) }
    }

    /// Every record with an `autonumber` above `mark`.
    pub fn above(mark: u64) -> Self {
        Self { next: Some(RecordFilter::Above(mark)) }
    }

    /// What to list next, at offset 0 and with a full page as the limit; `None` when the scan is over.
    pub fn next(&self) -> Option<RecordFilter> {
        self.next.clone()
    }

    /// Takes the answer to what [`TableScan::next`] said. A page may hold fewer records than its limit and still have
    /// a successor: the end is an empty page, or one that holds all that match.
    ///
    /// # Errors
    /// The scan cannot be finished, and the records seen so far are not all of them.
    pub fn take(&mut self, page: &RecordPage) -> Result<(), ScanStalled> {
        let Some(asked) = &self.next else { return Ok(()) };
        let floor = match asked {
            RecordFilter::Above(mark) => Some(*mark),
            RecordFilter::All | RecordFilter::ExternalIds(_) => None,
        };
        if page.received == 0 {
            self.next = None;
            return Ok(());
        }
        let highest = page.rising_to.filter(|highest| floor.is_none_or(|floor| *highest > floor));
        let is_last = page.received as u64 >= page.total;
        self.next = match (highest, is_last) {
            (_, true) => None,
            (Some(highest), false) => Some(RecordFilter::Above(highest)),
            (None, false) => return Err(ScanStalled),
        };
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;
    use crate::record::{RecordId, SeenRecord};

    fn record(number: u64) -> SeenRecord {
        SeenRecord {
            id: RecordId(format!("r{number}")),
            external_id: None,
            autonumber: Some(number),
            created_by: None,
            updated_by: None,
            is_as_made: false,
            fields: Vec::new(),
            empty: Vec::new(),
        }
    }

    /// A service that answers honestly with at most `limit` records.
    fn answer(table: &BTreeSet<u64>, filter: &RecordFilter, limit: usize) -> RecordPage {
        let floor = match filter {
            RecordFilter::Above(mark) => *mark,
            RecordFilter::All | RecordFilter::ExternalIds(_) => 0,
        };
        let matches: Vec<u64> = table.iter().copied().filter(|number| *number > floor).collect();
        let page: Vec<u64> = matches.iter().copied().take(limit).collect();
        RecordPage {
            records: page.iter().copied().map(record).collect(),
            total: matches.len() as u64,
            received: page.len(),
            rising_to: page.last().copied(),
        }
    }

    fn odd(received: usize, total: u64, rising_to: Option<u64>) -> RecordPage {
        RecordPage { records: Vec::new(), total, received, rising_to }
    }

    #[test]
    fn an_empty_table_takes_one_call() {
        let mut scan = TableScan::whole();
        assert_eq!(scan.next(), Some(RecordFilter::All));
        scan.take(&odd(0, 0, None)).unwrap();
        assert_eq!(scan.next(), None);
    }

    #[test]
    fn a_page_that_holds_everything_is_the_last() {
        let mut scan = TableScan::above(7);
        assert_eq!(scan.next(), Some(RecordFilter::Above(7)));
        scan.take(&odd(3, 3, Some(12))).unwrap();
        assert_eq!(scan.next(), None);
    }

    #[test]
    fn a_short_page_is_not_the_end() {
        let mut scan = TableScan::whole();
        scan.take(&odd(3, 10, Some(12))).unwrap();
        assert_eq!(scan.next(), Some(RecordFilter::Above(12)));
    }

    #[test]
    fn a_page_without_progress_stalls_instead_of_looping_or_ending() {
        for page in [odd(5, 10, Some(7)), odd(5, 10, Some(3)), odd(5, 10, None)] {
            assert_eq!(TableScan::above(7).take(&page), Err(ScanStalled));
        }
        assert_eq!(TableScan::whole().take(&odd(5, 10, None)), Err(ScanStalled));
    }

    #[test]
    fn records_without_numbers_are_no_harm_when_all_are_on_the_page() {
        let mut scan = TableScan::whole();
        scan.take(&odd(5, 5, None)).unwrap();
        assert_eq!(scan.next(), None);
    }

    proptest! {
        /// Between any two pages, records are created and deleted anywhere.
        #[test]
        fn what_stays_is_seen_exactly_once(
            start in proptest::collection::btree_set(1_u64..200, 0..80),
            limit in 1_usize..12,
            deletions in proptest::collection::vec(proptest::collection::vec(1_u64..260, 0..6), 90),
            creations in proptest::collection::vec(0_u64..4, 20),
        ) {
            let mut table = start.clone();
            let mut scan = TableScan::whole();
            let mut seen = Vec::new();
            let mut deleted = BTreeSet::new();
            let mut created = 200_u64;
            let mut pages = 0_usize;
            while let Some(filter) = scan.next() {
                let page = answer(&table, &filter, limit);
                scan.take(&page).unwrap();
                seen.extend(page.records.iter().filter_map(|record| record.autonumber));
                for number in deletions.get(pages).into_iter().flatten() {
                    table.remove(number);
                    deleted.insert(*number);
                }
                for _ in 0..creations.get(pages).copied().unwrap_or(0) {
                    table.insert(created);
                    created += 1;
                }
                pages += 1;
                prop_assert!(pages < 400, "the scan ends");
            }
            let once: BTreeSet<u64> = seen.iter().copied().collect();
            prop_assert_eq!(once.len(), seen.len(), "nothing twice");
            prop_assert!(start.difference(&deleted).all(|number| once.contains(number)), "nothing left out");
        }
    }
}
