//! Capture's decision: what one row, freshly read and mapped, changes in the outbox (`protocol.md` C2, C3).

use crate::{
    draft::Fingerprint,
    mutation::{self, Mutation},
};

/// What somebody wants, or knows, the record of one key to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Intention {
    /// A record with these values.
    Record(Fingerprint),
    /// No record.
    Gone,
    /// A row that could not become a draft; the fingerprint is of the fault and the cells that caused it.
    Faulty(Fingerprint),
    /// Something, but not what; equal to nothing, not even to itself (C3).
    Unknown,
}

impl Intention {
    /// Whether both surely want the same.
    pub fn equals(self, other: Self) -> bool {
        match (self, other) {
            (Self::Record(a), Self::Record(b)) | (Self::Faulty(a), Self::Faulty(b)) => a == b,
            (Self::Gone, Self::Gone) => true,
            (_, Self::Unknown) if mutation::is_on(Mutation::UnknownIsEqual) => true,
            (Self::Record(_) | Self::Gone | Self::Faulty(_) | Self::Unknown, _) => false,
        }
    }
}

/// What the state holds for one key. All `None`: the key was never seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// The entry that waits.
    pub waiting: Option<Intention>,
    /// The entry that is being sent, or in doubt.
    pub sending: Option<Intention>,
    /// The entry in quarantine.
    pub quarantined: Option<Intention>,
    /// The link: what the destination is believed to hold.
    pub link: Option<Intention>,
}

/// What capture does with a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// The newest intention is this already.
    Unchanged,
    /// The destination holds it already; what waits or is quarantined is taken back.
    Withdraw,
    /// It becomes the key's waiting entry, in place of one that may be there.
    Queue,
    /// The row is parked with its fault; an older entry that waits is taken back.
    Park,
}

/// Compares a row's intention with the newest one of its key: the entry waiting, else the one being sent, else the
/// one in quarantine, else the link, else nothing, which is the same as gone.
pub fn decide(row: Intention, standing: &Standing) -> Decision {
    let is_compared = !mutation::is_on(Mutation::ComparedWithLink);
    let newest = standing
        .waiting
        .or(standing.sending)
        .or(standing.quarantined)
        .filter(|_| is_compared)
        .or(standing.link)
        .unwrap_or(Intention::Gone);
    if row.equals(newest) {
        return Decision::Unchanged;
    }
    if matches!(row, Intention::Faulty(_)) {
        return Decision::Park;
    }
    let held = standing.link.unwrap_or(Intention::Gone);
    if standing.sending.is_none() && row.equals(held) {
        if mutation::is_on(Mutation::WishNotWithdrawn) {
            return Decision::Unchanged;
        }
        return Decision::Withdraw;
    }
    Decision::Queue
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: Intention = Intention::Record(Fingerprint([1; 16]));
    const B: Intention = Intention::Record(Fingerprint([2; 16]));
    const FAULT: Intention = Intention::Faulty(Fingerprint([1; 16]));

    fn check(row: Intention, standing: [Option<Intention>; 4], expected: Decision) {
        let [waiting, sending, quarantined, link] = standing;
        let standing = Standing { waiting, sending, quarantined, link };
        assert_eq!(decide(row, &standing), expected, "{row:?} {standing:?}");
    }

    #[test]
    fn a_row_is_compared_with_the_newest_intention() {
        check(A, [None, None, None, None], Decision::Queue);
        check(A, [None, None, None, Some(A)], Decision::Unchanged);
        check(B, [None, None, None, Some(A)], Decision::Queue);
        check(A, [Some(A), None, None, Some(B)], Decision::Unchanged);
        check(A, [None, Some(A), None, Some(B)], Decision::Unchanged);
        check(A, [None, None, Some(A), Some(B)], Decision::Unchanged);
        check(A, [Some(B), Some(A), None, None], Decision::Queue);
    }

    #[test]
    fn back_to_what_the_destination_holds_withdraws_what_waits() {
        check(A, [Some(B), None, None, Some(A)], Decision::Withdraw);
        check(A, [None, None, Some(B), Some(A)], Decision::Withdraw);
        check(A, [Some(B), None, Some(B), Some(A)], Decision::Withdraw);
        check(Intention::Gone, [Some(B), None, None, None], Decision::Withdraw);
    }

    #[test]
    fn nothing_is_withdrawn_while_something_is_being_sent() {
        check(A, [Some(B), Some(B), None, Some(A)], Decision::Queue);
        check(A, [None, Some(B), None, Some(A)], Decision::Queue);
    }

    #[test]
    fn unknown_equals_nothing() {
        check(A, [None, None, None, Some(Intention::Unknown)], Decision::Queue);
        assert!(!Intention::Unknown.equals(Intention::Unknown));
    }

    #[test]
    fn gone_without_a_record_is_nothing_to_do() {
        check(Intention::Gone, [None, None, None, None], Decision::Unchanged);
        check(Intention::Gone, [None, None, None, Some(Intention::Gone)], Decision::Unchanged);
        check(A, [None, None, None, Some(Intention::Gone)], Decision::Queue);
    }

    #[test]
    fn a_fault_is_parked_once() {
        check(FAULT, [None, None, None, Some(A)], Decision::Park);
        check(FAULT, [Some(A), None, None, None], Decision::Park);
        check(FAULT, [None, None, Some(FAULT), Some(A)], Decision::Unchanged);
        check(A, [None, None, Some(FAULT), Some(A)], Decision::Withdraw);
    }
}
