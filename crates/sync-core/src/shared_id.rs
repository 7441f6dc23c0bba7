//! Records that share an external id: which one stands for the key, and what may become of the others (`dedupe`).

use crate::record::RecordId;

/// A record that shares its external id with others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SharingRecord {
    /// Its id.
    pub record: RecordId,
    /// Its number, where the answer showed it.
    pub autonumber: Option<u64>,
    /// Some sync of this state is linked to it.
    pub is_linked: bool,
    /// Our own member created it, and nobody changed it since.
    pub is_untouched: bool,
}

/// What becomes of a record that shares its external id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fate {
    /// It stands for the key.
    Stays,
    /// It may be deleted: our own member created it, and nobody changed it since.
    Deletable,
    /// It may be somebody's work: a person decides.
    Undecided,
}

/// Puts the record that stays first, the others by their number, each with its fate: the linked one stays, else one
/// that people touched, else the one with the lowest number. A second linked record is never deletable: it is
/// another sync's.
pub fn fates(mut records: Vec<SharingRecord>) -> Vec<(SharingRecord, Fate)> {
    let number = |record: &SharingRecord| record.autonumber.unwrap_or(u64::MAX);
    records.sort_by_key(|record| (number(record), record.record.clone()));
    let rank = |record: &SharingRecord| (!record.is_linked, record.is_untouched, number(record));
    let stays = (0..records.len()).min_by_key(|place| records.get(*place).map(rank));
    if let Some(stays) = stays {
        let stays = records.remove(stays);
        records.insert(0, stays);
    }
    let fate = |(place, record): (usize, SharingRecord)| {
        let fate = match (place, record.is_linked, record.is_untouched) {
            (0, _, _) => Fate::Stays,
            (_, false, true) => Fate::Deletable,
            (_, true, _) | (_, _, false) => Fate::Undecided,
        };
        (record, fate)
    };
    records.into_iter().enumerate().map(fate).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(id: &str, number: u64, is_linked: bool, is_untouched: bool) -> SharingRecord {
        let record = RecordId(id.into());
        SharingRecord { record, autonumber: Some(number), is_linked, is_untouched }
    }

    #[track_caller]
    fn check(records: &[SharingRecord], expected: &[(&str, Fate)]) {
        let fates = fates(records.to_vec());
        let ids: Vec<(&str, Fate)> =
            fates.iter().map(|(record, fate)| (record.record.0.as_str(), *fate)).collect();
        assert_eq!(ids, expected);
    }

    #[test]
    fn the_linked_one_stays_whoever_made_it() {
        check(
            &[
                record("a", 1, false, true),
                record("b", 2, true, true),
                record("c", 3, false, false),
            ],
            &[("b", Fate::Stays), ("a", Fate::Deletable), ("c", Fate::Undecided)],
        );
    }

    #[test]
    fn without_a_link_the_one_that_people_touched_stays_else_the_oldest() {
        check(
            &[
                record("a", 1, false, true),
                record("b", 2, false, false),
                record("c", 3, false, false),
            ],
            &[("b", Fate::Stays), ("a", Fate::Deletable), ("c", Fate::Undecided)],
        );
        check(
            &[record("b", 2, false, true), record("a", 1, false, true)],
            &[("a", Fate::Stays), ("b", Fate::Deletable)],
        );
    }

    #[test]
    fn a_record_that_some_sync_is_linked_to_is_never_deletable() {
        check(
            &[record("a", 1, true, true), record("b", 2, true, true)],
            &[("a", Fate::Stays), ("b", Fate::Undecided)],
        );
    }
}
