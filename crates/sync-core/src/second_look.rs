//! The second look: what an hour has shown of a key whose create was given up, or whose update got no answer
//! (`protocol.md` D6).

use std::time::Duration;

use crate::{
    draft::{Fields, Fingerprint},
    mutation::{self, Mutation},
    record::{RecordId, SeenRecord},
    state::Origin,
};

/// How long after the last call for a key that may still come its second look comes: what has not taken effect by then is
/// taken not to.
pub const SECOND_LOOK: Duration = Duration::from_hours(1);

/// What the link says, where there is one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldLink {
    /// The record.
    pub record: RecordId,
    /// Of the values it is believed to hold; `None`: unknown.
    pub fingerprint: Option<Fingerprint>,
    /// Its row is gone, nothing waits to be written for it, and the record stays, archived or not the tool's to delete: who
    /// made it.
    pub kept: Option<Origin>,
}

/// What a second look says of the link.
#[derive(Clone, Debug, PartialEq)]
pub enum Finding {
    /// It is as it should be, or there is nothing to link.
    AsLinked,
    /// The linked record holds something else than it is believed to, or nothing carries the key: a delete may have
    /// come late. Its row is written once more, and the answer tells whether the record lives.
    Differs,
    /// Nothing is linked, and this record should be.
    Adopt(SeenRecord),
    /// Records carry the key, and the linked one is not among them: whether it lives must be asked first.
    AskForLinked,
}

/// A second look's verdict.
#[derive(Clone, Debug, PartialEq)]
pub struct SecondVerdict {
    /// About the link.
    pub finding: Finding,
    /// The other records that carry the key.
    pub others: Vec<SeenRecord>,
}

/// Decides. `found` are the records that carry the key's external id, `own_member` the member whose token this is,
/// where it is known.
pub fn judge(
    link: Option<&HeldLink>,
    found: Vec<SeenRecord>,
    own_member: Option<&str>,
) -> SecondVerdict {
    let Some(link) = link else { return without_link(found, own_member) };
    let (linked, others): (Vec<_>, Vec<_>) =
        found.into_iter().partition(|record| record.id == link.record);
    let finding = match (linked.first(), link.fingerprint) {
        (Some(record), Some(print)) if print_of(record) != print => Finding::Differs,
        (None, _) if !others.is_empty() => Finding::AskForLinked,
        (None, _) => Finding::Differs,
        (Some(_), _) => Finding::AsLinked,
    };
    SecondVerdict { finding, others }
}

/// Of several records, one that people touched stays, else the one with the lowest autonumber.
fn without_link(mut found: Vec<SeenRecord>, own_member: Option<&str>) -> SecondVerdict {
    let rank = |record: &SeenRecord| {
        let autonumber = record.autonumber.unwrap_or(u64::MAX);
        (is_untouched(record, own_member), autonumber, record.id.clone())
    };
    let best = (0..found.len()).min_by_key(|at| found.get(*at).map(rank));
    match best {
        Some(best) => {
            let record = found.remove(best);
            SecondVerdict { finding: Finding::Adopt(record), others: found }
        }
        None => SecondVerdict { finding: Finding::AsLinked, others: found },
    }
}

/// Whether the record is our own member's work and nobody else's. SmartSuite names only who wrote last, so that a record
/// that was changed at all may hold what a person wrote before us.
pub fn is_untouched(record: &SeenRecord, own_member: Option<&str>) -> bool {
    own_member.is_some()
        && record.created_by.as_deref() == own_member
        && record.updated_by.as_deref() == own_member
        && (record.is_as_made || mutation::is_on(Mutation::LastWriterOnly))
}

fn print_of(record: &SeenRecord) -> Fingerprint {
    Fields::new(record.fields.clone()).fingerprint()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ME: Option<&str> = Some("me");

    fn record(id: &str, autonumber: u64, updated_by: &str) -> SeenRecord {
        SeenRecord {
            id: RecordId(id.into()),
            external_id: Some("1".into()),
            autonumber: Some(autonumber),
            created_by: Some("me".into()),
            updated_by: Some(updated_by.into()),
            is_as_made: updated_by == "me",
            fields: Vec::new(),
            empty: Vec::new(),
        }
    }

    fn link(id: &str, print: Option<Fingerprint>) -> HeldLink {
        HeldLink { record: RecordId(id.into()), fingerprint: print, kept: None }
    }

    fn check(link: Option<&HeldLink>, found: &[SeenRecord], finding: Finding, others: &[&str]) {
        let verdict = judge(link, found.to_vec(), ME);
        let ids: Vec<&str> = verdict.others.iter().map(|other| other.id.0.as_str()).collect();
        assert_eq!((verdict.finding, ids.as_slice()), (finding, others), "{link:?} {found:?}");
    }

    #[test]
    fn the_linked_record_stays_and_others_are_named() {
        let [a, b] = [record("a", 1, "me"), record("b", 2, "me")];
        let held = print_of(&a);
        check(Some(&link("a", Some(held))), &[a.clone(), b.clone()], Finding::AsLinked, &["b"]);
        check(Some(&link("b", None)), &[a.clone(), b.clone()], Finding::AsLinked, &["a"]);
        let other = Some(Fingerprint([9; 16]));
        check(Some(&link("a", other)), &[b, a], Finding::Differs, &["b"]);
    }

    #[test]
    fn a_linked_record_that_does_not_show_is_not_believed_to_be_there() {
        check(Some(&link("a", Some(Fingerprint([9; 16])))), &[], Finding::Differs, &[]);
        check(Some(&link("a", None)), &[], Finding::Differs, &[]);
    }

    #[test]
    fn a_linked_record_that_does_not_show_is_asked_for_before_another_takes_its_place() {
        check(Some(&link("a", None)), &[record("b", 2, "me")], Finding::AskForLinked, &["b"]);
    }

    #[test]
    fn without_a_link_the_one_that_people_touched_is_taken_else_the_oldest() {
        let [a, b, c] = [record("a", 1, "me"), record("b", 2, "person"), record("c", 3, "me")];
        check(None, &[c.clone(), a.clone()], Finding::Adopt(a.clone()), &["c"]);
        check(None, &[a, b.clone(), c], Finding::Adopt(b), &["a", "c"]);
        check(None, &[], Finding::AsLinked, &[]);
    }

    #[test]
    fn nobodys_record_is_untouched_while_our_member_is_unknown() {
        let nobodys = SeenRecord { created_by: None, updated_by: None, ..record("a", 1, "me") };
        assert!(!is_untouched(&nobodys, None));
        assert!(!is_untouched(&nobodys, ME));
        assert!(is_untouched(&record("a", 1, "me"), ME));
        assert!(!is_untouched(&record("a", 1, "person"), ME));
    }

    #[test]
    fn a_record_that_we_wrote_to_last_may_hold_what_a_person_wrote_before() {
        let written_over = SeenRecord { is_as_made: false, ..record("a", 1, "me") };
        assert!(!is_untouched(&written_over, ME));
    }
}
