//! Entries of the outbox on their way to the destination, and what the answers make of them.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::{
    deletes::GonePolicy,
    delivery::Operation,
    draft::{Fields, Fingerprint, LinkedRow},
    error::Quoted,
    key::Key,
    record::RecordId,
    slug::Slug,
};

/// An entry of the outbox: its sequence number. An answer settles exactly the number that was sent (C6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct EntryId(pub i64);

/// Where a record came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// This tool created it.
    Created,
    /// It was there and was linked by its external id.
    Adopted,
}

/// Why a row is in quarantine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Stable code.
    pub code: String,
    /// The field, where one is to blame.
    pub slug: Option<Slug>,
    /// In words; may echo the row's values, so only commands made to show rows print it.
    pub reason: Quoted,
    /// What to do.
    pub remedy: String,
}

/// Whether creates may be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Creates {
    /// They may: the audit was made (`protocol.md` D8).
    Audited,
    /// Not yet: the audit comes first.
    NotAudited,
    /// Not now: the table takes no more records. They wait.
    Held,
    /// Never: the sync only changes records that are there. Rows without one are remembered as such.
    Never,
}

/// What the next call may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DispatchRequest {
    /// The time: entries that are to wait longer are left alone.
    pub now: Timestamp,
    /// Most entries of a call that changes or deletes records.
    pub entries_max: usize,
    /// Most entries of a call that creates records.
    pub creates_max: usize,
    /// Most bytes of drafts, as the state keeps them; a single larger draft travels alone.
    pub bytes_max: usize,
    /// Whether creates may be sent.
    pub creates: Creates,
    /// Whether entries that were never refused go before those that are being bisected; usually not.
    pub fresh_first: bool,
    /// Whether only entries are meant that were sent before.
    pub tried_only: bool,
    /// What becomes of records whose rows are gone.
    pub gone: GonePolicy,
}

/// The next step of delivery.
#[derive(Clone, Debug, PartialEq)]
pub enum Dispatch {
    /// These entries are marked `sending`, durably (D1). The call must be sent, and every entry settled.
    Send(Call),
    /// A create is next, but creates are not allowed yet.
    AuditFirst,
    /// Nothing may be sent now; the earliest time at which that changes by itself, if any.
    Nothing(Option<Timestamp>),
}

/// Entries of one call.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// Its number: writing calls are counted over the state's whole life.
    pub number: i64,
    /// What it does.
    pub operation: Operation,
    /// Its entries, each key once.
    pub entries: Vec<CallEntry>,
    /// Set when these entries were part of a call that was split, or are retried on their own.
    pub suspects: Option<i64>,
}

/// One entry of a call.
#[derive(Clone, Debug, PartialEq)]
pub struct CallEntry {
    /// Its number.
    pub id: EntryId,
    /// Its key.
    pub key: Key,
    /// What to write; no fields for a delete.
    pub fields: Fields,
    /// The record it goes to; `None` for a create.
    pub record: Option<RecordId>,
    /// The rows whose records its link fields hold.
    pub links: Vec<LinkedRow>,
    /// How often it was sent before without being settled.
    pub attempts: u32,
    /// How often it was refused before and stood in quarantine.
    pub refusals: u32,
    /// Its row was gone, and its record kept or archived, and now there is a row again.
    pub returns: bool,
}

/// A create that no answer accounts for (`protocol.md` D3), or one whose id must be looked up first (D7).
#[derive(Clone, Debug, PartialEq)]
pub struct Doubt {
    /// The entry.
    pub id: EntryId,
    /// Its key.
    pub key: Key,
    /// What was to be created.
    pub fields: Fields,
    /// When the request had left for certain: when its call ended, or the lock was taken by a process that did not send it.
    pub left_at: Timestamp,
    /// Whether the service itself answered: then one look-up past the settling delay decides.
    pub answered: bool,
    /// Nothing was sent yet: the linked record was found missing, and anybody's may carry the key (`protocol.md` D7).
    pub is_unsent: bool,
    /// Look-ups that found nothing so far.
    pub empty_looks: u32,
    /// What the answer said against the row.
    pub fault: Option<Fault>,
}

/// A record that is known to be in the table.
#[derive(Clone, Debug, PartialEq)]
pub struct Control {
    /// Its key.
    pub key: Key,
    /// The record.
    pub record: RecordId,
}

/// What became of an entry.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// The record holds what was sent.
    Written {
        /// The record.
        record: RecordId,
        /// `autonumber`, where the answer showed it.
        autonumber: Option<u64>,
    },
    /// The record was written, and the answer shows that links were left out.
    WrittenOtherwise {
        /// The record.
        record: RecordId,
        /// `autonumber`, where the answer showed it.
        autonumber: Option<u64>,
        /// The link fields, each with the records that were sent and are not shown.
        left_out: Vec<(Slug, BTreeSet<String>)>,
    },
    /// A record with this external id was found (D5).
    Found {
        /// The record.
        record: RecordId,
        /// Of the values read; `None`: unknown.
        fingerprint: Option<Fingerprint>,
        /// Whose it is.
        origin: Origin,
        /// `autonumber`, where the answer showed it.
        autonumber: Option<u64>,
    },
    /// The record is deleted.
    Deleted,
    /// The service refuses this row: into quarantine, to be tried again after 1, 6, 24 hours, then daily.
    Refused {
        /// Why.
        fault: Fault,
    },
    /// It had no effect, or may be repeated: a wish again.
    Back {
        /// Set when a call is split that was refused or went unanswered: entries with the same number become a new group, which travels apart
        /// from all others. `None` leaves the entry's group as it is.
        group: Option<u32>,
        /// Not before this.
        not_before: Timestamp,
    },
    /// Nobody knows whether the update or deletion took effect, and it may be repeated: a wish again, and its key is
    /// looked at once more an hour after its last call (`protocol.md` D6).
    Unanswered {
        /// As in [`Outcome::Back`].
        group: Option<u32>,
        /// Not before this.
        not_before: Timestamp,
    },
    /// Nobody knows whether it was created: to be looked up.
    InDoubt {
        /// Whether the service itself answered.
        answered: bool,
        /// When the request had left for certain, as in [`Doubt::left_at`].
        left_at: Timestamp,
        /// Look-ups that found nothing so far.
        empty_looks: u32,
        /// When to look next.
        look_at: Timestamp,
        /// As in [`Outcome::Back`]: the group it will be created in if it is not found.
        group: Option<u32>,
        /// What the answer says against the row: if it is not found, it is refused for this instead of being
        /// created again.
        fault: Option<Fault>,
    },
    /// Its record is gone; the link is dropped, and the id looked up before it is created again (D7).
    Missing,
    /// Its record is gone and the policy leaves it so until the row changes.
    LeftMissing,
}

/// One entry with its outcome.
#[derive(Clone, Debug, PartialEq)]
pub struct Settlement {
    /// The entry.
    pub id: EntryId,
    /// What became of it.
    pub outcome: Outcome,
}

/// A record that a scan or an audit showed, to be brought into the links.
#[derive(Clone, Debug, PartialEq)]
pub struct SeenLink {
    /// The key its external id stands for; `None` when it is none of ours or cannot be told.
    pub key: Option<Key>,
    /// The record.
    pub record: RecordId,
    /// Of the values read; `None`: unknown.
    pub fingerprint: Option<Fingerprint>,
    /// Who made it, as far as that can be told.
    pub origin: Origin,
}

/// What became of records that a scan or an audit showed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SeenLinks {
    /// Records that were linked.
    pub adopted: u64,
    /// The sync that holds a record with the key of a waiting create, where another one does.
    pub holder: Option<String>,
}
