//! Comparing both sides as they really are: every row with its record, field by field (`verify`).
//!
//! Reading a side and keeping what was read is somebody else's work; here is what a difference means. A difference
//! that somebody already knows of is explained; what nobody will mend by himself is drift.

use std::fmt;

use crate::{
    draft::{Fields, Fingerprint},
    field_value::FieldValue,
    key::Key,
    port::RecordShape,
    record::{RecordId, SeenRecord},
    second_look::is_untouched,
    slug::Slug,
};

/// Bytes that stand for one field's value; a fingerprint decides, these only name the field.
const DIGEST_BYTES: usize = 4;

/// Values in the form in which they are compared: as adoption compares them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content {
    /// Of all values together.
    pub fingerprint: Fingerprint,
    /// Four bytes for each field of the shape, in its order.
    pub digests: Vec<u8>,
}

impl Content {
    /// The values of a draft.
    pub fn of_draft(fields: &Fields, shape: &RecordShape) -> Self {
        Self::of(fields, |slug| fields.get(slug), shape)
    }

    /// The values of a record as it was read.
    pub fn of_record(record: &SeenRecord, shape: &RecordShape) -> Self {
        let fields = Fields::new(record.fields.clone());
        Self::of(&fields, |slug| fields.get(slug), shape)
    }

    fn of<'f>(
        fields: &Fields,
        get: impl Fn(&str) -> Option<&'f FieldValue>,
        shape: &RecordShape,
    ) -> Self {
        let mut digests = Vec::with_capacity(DIGEST_BYTES * shape.fields.len());
        let mut bytes = Vec::new();
        for field in &shape.fields {
            bytes.clear();
            get(&field.slug).unwrap_or(&FieldValue::Empty).canonical_bytes(&mut bytes);
            let hash = blake3::hash(&bytes);
            digests.extend(hash.as_bytes().iter().take(DIGEST_BYTES));
        }
        Self { fingerprint: fields.fingerprint(), digests }
    }

    /// Places of the fields that differ, in the shape's order. Every one, if the two are of different shapes.
    pub fn differing(&self, other: &Self) -> Vec<usize> {
        let fields = self.digests.chunks(DIGEST_BYTES).zip(other.digests.chunks(DIGEST_BYTES));
        let places = fields.enumerate().filter(|(_, (one, other))| one != other);
        places.map(|(place, _)| place).collect()
    }
}

/// A record that a reading of the table showed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ComparedRecord {
    /// Its id.
    pub record: RecordId,
    /// What its external-id field holds; `None`: nothing.
    pub external_id: Option<String>,
    /// Its number, where the answer showed it.
    pub autonumber: Option<u64>,
    /// Its values.
    pub content: Content,
    /// Our own member created it, and nobody changed it since.
    pub is_untouched: bool,
}

impl ComparedRecord {
    /// A record as it was read; `own_member` is the token's, where it is known.
    pub fn of(record: &SeenRecord, shape: &RecordShape, own_member: Option<&str>) -> Self {
        Self {
            record: record.id.clone(),
            external_id: record.external_id.clone(),
            autonumber: record.autonumber,
            content: Content::of_record(record, shape),
            is_untouched: is_untouched(record, own_member),
        }
    }
}

/// A row that a reading of the source showed.
#[derive(Clone, Debug, PartialEq)]
pub struct ComparedRow {
    /// Its key.
    pub key: Key,
    /// The external id that its record carries.
    pub external_id: String,
    /// What its record should hold, or the code of why the row cannot become one.
    pub wish: Result<Content, String>,
}

/// How the two sides disagree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Disagreement {
    /// A row without a record.
    Missing,
    /// A row and its record differ.
    Different,
    /// A record with a key of this sync, without a row.
    Extra,
    /// A record with an external id that another record stands for.
    Duplicate,
}

impl Disagreement {
    /// Every one.
    pub const ALL: [Self; 4] = [Self::Missing, Self::Different, Self::Extra, Self::Duplicate];

    /// The word for it in the state, in reports and on screens.
    pub fn word(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Different => "different",
            Self::Extra => "extra",
            Self::Duplicate => "duplicate",
        }
    }

    /// The one with this word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.word() == word)
    }
}

/// Why the two sides disagree, as far as can be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cause {
    /// An entry waits to be sent.
    Waits,
    /// An entry is being sent, or nobody knows yet whether it took effect.
    InDoubt,
    /// The row stands in quarantine.
    Quarantined,
    /// The next run reads the row and sends it.
    ReadNext,
    /// `on_missing: skip` leaves a deleted record as it is.
    LeftMissing,
    /// Records of rows that are gone are kept.
    Kept,
    /// There is no record, and `mode: update_only` makes none.
    MakesNone,
    /// The record is not what was last written to it: it was changed or deleted in SmartSuite.
    RecordChanged,
    /// The record is what was last written to it: the row changed, and no read noticed.
    RowMissed,
    /// What was last written is not known, or both sides changed since.
    Unclear,
    /// The record's key is one of this sync, and nothing leads to it.
    NotLinked,
    /// The row is gone, and its record should go too.
    RowGone,
    /// Another record stands for the key.
    Twice,
}

impl Cause {
    /// Every one.
    pub const ALL: [Self; 13] = [
        Self::Waits,
        Self::InDoubt,
        Self::Quarantined,
        Self::ReadNext,
        Self::LeftMissing,
        Self::Kept,
        Self::MakesNone,
        Self::RecordChanged,
        Self::RowMissed,
        Self::Unclear,
        Self::NotLinked,
        Self::RowGone,
        Self::Twice,
    ];

    /// The word for it in the state and in reports.
    pub fn word(self) -> &'static str {
        match self {
            Self::Waits => "waits",
            Self::InDoubt => "in_doubt",
            Self::Quarantined => "quarantined",
            Self::ReadNext => "read_next",
            Self::LeftMissing => "left_missing",
            Self::Kept => "kept",
            Self::MakesNone => "makes_none",
            Self::RecordChanged => "record_changed",
            Self::RowMissed => "row_missed",
            Self::Unclear => "unclear",
            Self::NotLinked => "not_linked",
            Self::RowGone => "row_gone",
            Self::Twice => "twice",
        }
    }

    /// The one with this word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.word() == word)
    }

    /// Whether nobody will mend it by himself.
    pub fn is_drift(self) -> bool {
        match self {
            Self::Waits
            | Self::InDoubt
            | Self::Quarantined
            | Self::ReadNext
            | Self::LeftMissing
            | Self::Kept
            | Self::MakesNone => false,
            Self::RecordChanged
            | Self::RowMissed
            | Self::Unclear
            | Self::NotLinked
            | Self::RowGone
            | Self::Twice => true,
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Waits => "waits to be sent",
            Self::InDoubt => "is being sent, or looked up",
            Self::Quarantined => "the row stands in quarantine",
            Self::ReadNext => "the next run reads and sends it",
            Self::LeftMissing => "deleted in SmartSuite and left so by `on_missing`",
            Self::Kept => "the row is gone and the record is kept",
            Self::MakesNone => "`mode: update_only` makes no records",
            Self::RecordChanged => "changed or deleted in SmartSuite",
            Self::RowMissed => "the row changed, and no read noticed",
            Self::Unclear => "what was last written is not known",
            Self::NotLinked => "nothing leads to the record",
            Self::RowGone => "the row is gone",
            Self::Twice => "another record stands for this key",
        })
    }
}

/// What the link of a key says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkState {
    /// Its record is believed to hold this; `None`: unknown.
    Holds(Option<Fingerprint>),
    /// Its record was found missing, and is left so.
    LeftMissing,
    /// Its row was gone, and its record was kept.
    Kept,
}

/// What the outbox says of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryState {
    /// It waits.
    Waits,
    /// It is being sent, or in doubt.
    InDoubt,
    /// It is in quarantine.
    Quarantined,
}

/// What the state knows of a row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Known {
    /// Its link; `None`: nothing is linked, or the record was found missing already.
    pub link: Option<LinkState>,
    /// Its entry, the one that matters most.
    pub entry: Option<EntryState>,
    /// Whether it is marked as to be read again.
    pub is_dirty: bool,
    /// Whether the next run reads it, whatever changed.
    pub is_read_next: bool,
    /// Whether the sync makes no records (`mode: update_only`).
    pub makes_none: bool,
}

impl Known {
    /// Why a row and its record disagree. `wish` is the row's content, `held` the record's; `None`: it has none.
    pub fn cause(&self, wish: Option<Fingerprint>, held: Option<Fingerprint>) -> Cause {
        match self.entry {
            Some(EntryState::Quarantined) => return Cause::Quarantined,
            Some(EntryState::InDoubt) => return Cause::InDoubt,
            Some(EntryState::Waits) => return Cause::Waits,
            None if self.is_dirty => return Cause::ReadNext,
            None => {}
        }
        if held.is_none() && self.link == Some(LinkState::LeftMissing) {
            return Cause::LeftMissing;
        }
        if held.is_none() && self.link.is_none() && self.makes_none {
            return Cause::MakesNone;
        }
        let written = match self.link {
            Some(LinkState::Holds(written)) => written,
            Some(LinkState::LeftMissing | LinkState::Kept) | None => None,
        };
        // A read that finds what was last written sends nothing.
        if written.is_some() && written == wish {
            return Cause::RecordChanged;
        }
        if self.is_read_next {
            return Cause::ReadNext;
        }
        match (self.link, written) {
            (None, _) if held.is_none() => Cause::RowMissed,
            (_, Some(written)) if held == Some(written) => Cause::RowMissed,
            _ => Cause::Unclear,
        }
    }
}

/// One disagreement.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// What kind.
    pub disagreement: Disagreement,
    /// Why.
    pub cause: Cause,
    /// The key; `None`: the record's external id does not lead back to it.
    pub key: Option<Key>,
    /// The external id.
    pub external_id: Option<String>,
    /// The record; `None`: there is none.
    pub record: Option<RecordId>,
    /// Fields that differ.
    pub fields: Vec<Slug>,
    /// Code of the fault that keeps the row from becoming a record.
    pub code: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::{Field, FieldKind};

    const A: Option<Fingerprint> = Some(Fingerprint([1; 16]));
    const B: Option<Fingerprint> = Some(Fingerprint([2; 16]));
    const C: Option<Fingerprint> = Some(Fingerprint([3; 16]));

    fn linked(written: Option<Fingerprint>) -> Known {
        Known { link: Some(LinkState::Holds(written)), ..Known::default() }
    }

    #[track_caller]
    fn check(known: Known, wish: Option<Fingerprint>, held: Option<Fingerprint>, cause: Cause) {
        assert_eq!(known.cause(wish, held), cause, "{known:?}");
    }

    #[test]
    fn what_is_on_its_way_or_refused_is_explained() {
        for (entry, cause) in [
            (EntryState::Waits, Cause::Waits),
            (EntryState::InDoubt, Cause::InDoubt),
            (EntryState::Quarantined, Cause::Quarantined),
        ] {
            check(Known { entry: Some(entry), ..linked(A) }, B, A, cause);
            check(Known { entry: Some(entry), ..Known::default() }, B, None, cause);
            assert!(!cause.is_drift());
        }
        check(Known { is_dirty: true, ..linked(A) }, A, B, Cause::ReadNext);
    }

    #[test]
    fn the_side_that_changed_is_named() {
        check(linked(A), A, B, Cause::RecordChanged);
        check(linked(A), A, None, Cause::RecordChanged);
        check(linked(A), B, A, Cause::RowMissed);
        check(linked(A), B, C, Cause::Unclear);
        check(linked(None), A, B, Cause::Unclear);
        check(Known::default(), A, None, Cause::RowMissed);
        check(Known::default(), A, B, Cause::Unclear);
        check(linked(A), None, A, Cause::RowMissed);
    }

    #[test]
    fn a_row_that_is_read_next_is_drift_only_if_the_read_will_send_nothing() {
        let next = |known| Known { is_read_next: true, ..known };
        check(next(linked(A)), B, A, Cause::ReadNext);
        check(next(linked(A)), A, B, Cause::RecordChanged);
        check(next(linked(None)), A, B, Cause::ReadNext);
        check(next(Known::default()), A, None, Cause::ReadNext);
    }

    #[test]
    fn what_the_policy_leaves_missing_is_no_drift() {
        let left = Known { link: Some(LinkState::LeftMissing), ..Known::default() };
        check(left, A, None, Cause::LeftMissing);
        check(left, A, B, Cause::Unclear);
    }

    #[test]
    fn the_fields_that_differ_are_named_by_their_place() {
        let field = |slug: &str| Field {
            slug: slug.into(),
            label: slug.into(),
            kind: FieldKind::Text,
            required: false,
            unique: false,
            read_only: false,
            choices: Vec::new(),
            multiple: false,
            precision: None,
            range: crate::table::NumberRange::default(),
            length_max: None,
            linked_table: None,
        };
        let shape = RecordShape {
            table: "t".into(),
            external_id: field("a"),
            fields: vec![field("a"), field("b"), field("c")],
            on_create: Vec::new(),
            if_empty: Vec::new(),
        };
        let content = |b: &str, c: &str| {
            let fields = [("a", "1"), ("b", b), ("c", c)];
            let fields = fields.map(|(slug, text)| (Slug::from(slug), FieldValue::text(text)));
            Content::of_draft(&Fields::new(fields.to_vec()), &shape)
        };
        assert_eq!(content("x", "").differing(&content("x", "")), Vec::<usize>::new());
        assert_eq!(content("x", "").differing(&content("y", "z")), [1, 2]);
        assert_eq!(content("x", "").fingerprint, content("x", "").fingerprint);
    }

    #[test]
    fn words_lead_back() {
        for one in Disagreement::ALL {
            assert_eq!(Disagreement::from_word(one.word()), Some(one));
        }
        for one in Cause::ALL {
            assert_eq!(Cause::from_word(one.word()), Some(one));
        }
    }
}
