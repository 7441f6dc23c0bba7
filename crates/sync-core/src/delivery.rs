//! Delivery's decision: what to do about one waiting entry, by the link as it is now.

use crate::{capture::Intention, record::RecordId};

/// A kind of call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Operation {
    /// Bulk create.
    Create,
    /// Bulk PATCH.
    Update,
    /// Bulk delete.
    Delete,
    /// Bulk PATCH that sets the archive field of records whose rows are gone.
    Archive,
}

impl Operation {
    /// The word for it in the state and in logs.
    pub fn word(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Delete => "delete",
            Self::Archive => "archive",
        }
    }

    /// The operation with this word.
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Create, Self::Update, Self::Delete, Self::Archive]
            .into_iter()
            .find(|kind| kind.word() == word)
    }
}

/// What to do about an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Create a record.
    Create,
    /// Update this record.
    Update(RecordId),
    /// Delete this record.
    Delete(RecordId),
    /// The destination is already as wished; no call.
    Equal,
}

/// Decides by the wish and the link: its record and what that record is believed to hold.
pub fn step(wish: Intention, link: Option<(&RecordId, Intention)>) -> Step {
    match (wish, link) {
        (Intention::Gone, None) => Step::Equal,
        (wish, Some((_, held))) if wish.equals(held) => Step::Equal,
        (Intention::Gone, Some((record, _))) => Step::Delete(record.clone()),
        (Intention::Record(_) | Intention::Unknown | Intention::Faulty(_), Some((record, _))) => {
            Step::Update(record.clone())
        }
        (Intention::Record(_) | Intention::Unknown | Intention::Faulty(_), None) => Step::Create,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draft::Fingerprint;

    #[test]
    fn the_link_decides() {
        let record = RecordId("r".into());
        let a = Intention::Record(Fingerprint([1; 16]));
        let b = Intention::Record(Fingerprint([2; 16]));
        assert_eq!(step(a, None), Step::Create);
        assert_eq!(step(a, Some((&record, b))), Step::Update(record.clone()));
        assert_eq!(step(a, Some((&record, a))), Step::Equal);
        assert_eq!(step(a, Some((&record, Intention::Unknown))), Step::Update(record.clone()));
        assert_eq!(step(Intention::Gone, Some((&record, a))), Step::Delete(record.clone()));
        assert_eq!(step(Intention::Gone, None), Step::Equal);
    }
}
