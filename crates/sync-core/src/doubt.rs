//! The verdict on a create in doubt, from one look-up that is known to have worked (`protocol.md` D3, D4).

use std::time::Duration;

use jiff::Timestamp;

use crate::{
    draft::Fields,
    mutation::{self, Mutation},
    record::SeenRecord,
    state::Doubt,
};

/// How long after an answered call a look-up is trusted to show its effect.
pub const SETTLING: Duration = Duration::from_secs(2);
/// How long after an unanswered call ended its last look-up may happen: what has not taken effect by then is taken
/// not to.
pub const LAST_LOOK: Duration = Duration::from_secs(90);

/// What a look-up says of a create.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// This record is the one; `ours`: our own member created it.
    Adopt {
        /// The record.
        record: SeenRecord,
        /// Whether our own member created it.
        ours: bool,
    },
    /// Too early to say; look again at this time.
    LookAgain(Timestamp),
    /// It was not created and will not be.
    Recreate,
}

/// Decides. `found` are the records that carry the entry's external id, `own_member` the member whose token this is,
/// where it is known.
pub fn judge(
    doubt: &Doubt,
    found: &[SeenRecord],
    own_member: Option<&str>,
    now: Timestamp,
) -> Verdict {
    let lowest = |records: &mut dyn Iterator<Item = &SeenRecord>| {
        records
            .min_by_key(|record| (record.autonumber.unwrap_or(u64::MAX), record.id.clone()))
            .cloned()
    };
    let is_ours = |record: &&SeenRecord| {
        let is_ours = own_member.is_some() && record.created_by.as_deref() == own_member;
        is_ours || mutation::is_on(Mutation::AnyoneSettles)
    };
    if let Some(record) = lowest(&mut found.iter().filter(is_ours)) {
        return Verdict::Adopt { record, ours: true };
    }
    let settled = doubt.left_at.saturating_add(LAST_LOOK).unwrap_or(now);
    let has_waited = now >= settled || mutation::is_on(Mutation::LooksAtOnce);
    let last = doubt.answered
        || (doubt.empty_looks > 0 && has_waited)
        || mutation::is_on(Mutation::OneLook);
    if !last {
        let soon = now.saturating_add(SETTLING).unwrap_or(now);
        let next = if mutation::is_on(Mutation::LooksAtOnce) { soon } else { settled.max(soon) };
        return Verdict::LookAgain(next);
    }
    // While nobody knows who we are, ours is the one that holds what was sent, and its copies are younger.
    let sent = doubt.fields.fingerprint();
    let is_as_sent = |record: &&SeenRecord| {
        own_member.is_none() && Fields::new(record.fields.clone()).fingerprint() == sent
    };
    match lowest(&mut found.iter().filter(is_as_sent)).or_else(|| lowest(&mut found.iter())) {
        Some(record) => Verdict::Adopt { record, ours: false },
        None => Verdict::Recreate,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{field_value::FieldValue, key::Key, record::RecordId, state::EntryId};

    fn doubt(answered: bool, empty_looks: u32) -> Doubt {
        Doubt {
            id: EntryId(1),
            key: Key::Int(1),
            fields: Fields::new(Vec::new()),
            left_at: second(0),
            answered,
            is_unsent: false,
            empty_looks,
            fault: None,
        }
    }

    fn second(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn record(id: &str, autonumber: u64, by: &str) -> SeenRecord {
        SeenRecord {
            id: RecordId(id.into()),
            external_id: Some("1".into()),
            autonumber: Some(autonumber),
            created_by: Some(by.into()),
            updated_by: None,
            is_as_made: false,
            fields: Vec::new(),
            empty: Vec::new(),
        }
    }

    fn adopted(verdict: Verdict) -> String {
        match verdict {
            Verdict::Adopt { record, .. } => record.id.0,
            verdict @ (Verdict::LookAgain(_) | Verdict::Recreate) => format!("{verdict:?}"),
        }
    }

    #[test]
    fn ours_settles_it_at_once_the_oldest_of_several() {
        let found = [record("copy", 3, "someone"), record("b", 9, "me"), record("a", 7, "me")];
        assert_eq!(adopted(judge(&doubt(false, 0), &found, Some("me"), second(2))), "a");
    }

    #[test]
    fn a_strangers_record_is_taken_only_at_the_last_look() {
        let found = [record("copy", 3, "someone")];
        assert_eq!(
            judge(&doubt(false, 0), &found, Some("me"), second(2)),
            Verdict::LookAgain(second(90))
        );
        assert_eq!(adopted(judge(&doubt(false, 1), &found, Some("me"), second(90))), "copy");
        assert_eq!(adopted(judge(&doubt(true, 0), &found, Some("me"), second(2))), "copy");
    }

    #[test]
    fn an_unanswered_create_takes_two_empty_looks_the_last_after_ninety_seconds() {
        assert_eq!(judge(&doubt(false, 0), &[], None, second(2)), Verdict::LookAgain(second(90)));
        assert_eq!(judge(&doubt(false, 1), &[], None, second(89)), Verdict::LookAgain(second(91)));
        assert_eq!(judge(&doubt(false, 1), &[], None, second(90)), Verdict::Recreate);
        assert_eq!(
            judge(&doubt(false, 0), &[], None, second(500)),
            Verdict::LookAgain(second(502))
        );
        assert_eq!(judge(&doubt(true, 0), &[], None, second(2)), Verdict::Recreate);
    }

    #[test]
    fn while_our_member_is_unknown_the_oldest_record_that_holds_what_was_sent_is_taken() {
        let with = |id: &str, number: u64, title: &str| SeenRecord {
            fields: vec![("title".into(), FieldValue::text(title))],
            ..record(id, number, "someone")
        };
        let doubt = Doubt {
            fields: Fields::new(vec![("title".into(), FieldValue::text("A"))]),
            ..doubt(false, 1)
        };
        let found = [with("typed", 3, "B"), with("copy", 9, "A"), with("sent", 7, "A")];
        assert_eq!(adopted(judge(&doubt, &found, None, second(90))), "sent");
        assert_eq!(adopted(judge(&doubt, &found[..1], None, second(90))), "typed");
        // Who is known to be a stranger is one, whatever the record holds.
        assert_eq!(adopted(judge(&doubt, &found, Some("me"), second(90))), "typed");
    }

    #[test]
    fn nobodys_record_is_ours_while_our_member_is_unknown() {
        let found = [SeenRecord { created_by: None, ..record("x", 1, "") }];
        assert_eq!(
            judge(&doubt(false, 0), &found, None, second(2)),
            Verdict::LookAgain(second(90))
        );
    }
}
