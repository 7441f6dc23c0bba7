//! Keys that are looked at once more, an hour after their last call (`protocol.md` D6).

use jiff::Timestamp;

use crate::{key::Key, record::RecordId, second_look::HeldLink, state::Origin};

/// A key whose second look is due.
#[derive(Clone, Debug, PartialEq)]
pub struct SecondLook {
    /// The key.
    pub key: Key,
    /// Its link, unless the linked record was found missing.
    pub link: Option<HeldLink>,
}

/// What a second look does to the link of its key; the key is marked dirty with it (C7).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LinkChange {
    /// What its record holds is unknown from now on.
    Forget,
    /// Its record was archived, and is not any more: it goes as any other whose row is gone.
    Reopen,
    /// It leads to this record from now on, whose values are unknown.
    MoveTo {
        /// The record.
        record: RecordId,
        /// Whose it is.
        origin: Origin,
    },
}

/// What became of a second look.
#[derive(Clone, Debug, PartialEq)]
pub struct SecondSettlement {
    /// The key.
    pub key: Key,
    /// What changes, if anything.
    pub change: Option<LinkChange>,
    /// When to look again; `None`: never.
    pub again_at: Option<Timestamp>,
}
