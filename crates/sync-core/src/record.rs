//! Records of the destination, as ids and as they are read.

use serde::{Deserialize, Serialize};

use crate::{field_value::FieldValue, slug::Slug};

/// A record's id: 24 hex digits.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct RecordId(pub String);

impl std::fmt::Display for RecordId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// A record as an answer showed it, restricted to the fields that were asked about.
#[derive(Clone, Debug, PartialEq)]
pub struct SeenRecord {
    /// Its id.
    pub id: RecordId,
    /// The external-id field's value as canonical text; `None` when empty.
    pub external_id: Option<String>,
    /// `autonumber`: per table, rising, never used twice. `None` if the answer carried none.
    pub autonumber: Option<u64>,
    /// Member who created it (`first_created.by`).
    pub created_by: Option<String>,
    /// Member who last touched it (`last_updated.by`).
    pub updated_by: Option<String>,
    /// Nobody changed it since it was made, as far as the answer tells: `first_created.on` and `last_updated.on` are
    /// one moment.
    pub is_as_made: bool,
    /// Values of the shape's fields, in the shape's order; fields that are absent are `Empty`.
    pub fields: Vec<(Slug, FieldValue)>,
    /// Fields of the shape's `if_empty` that the answer showed and that hold nothing, in order of their slugs.
    pub empty: Vec<Slug>,
}
