//! One write of a plan.

use sync_core::{
    delivery::Operation, draft::Fields, field_value::FieldValue, key::Key, record::RecordId,
    slug::Slug, state::CallEntry, table::Choice,
};

/// What a run would do to one record. `Debug` hides the key and the values.
#[derive(Clone, Debug, PartialEq)]
pub struct PlannedWrite {
    /// Created, updated or deleted.
    pub operation: Operation,
    /// The row's key.
    pub key: Key,
    /// The record; `None` for a create.
    pub record: Option<RecordId>,
    /// What it is to hold; no fields for a delete.
    pub fields: Fields,
}

/// Says whether two writes are the same, of the same record and with the same values.
pub type WriteDigest = [u8; 16];

impl PlannedWrite {
    pub(super) fn of(operation: Operation, entry: &CallEntry) -> Self {
        Self {
            operation,
            key: entry.key.clone(),
            record: entry.record.clone(),
            fields: entry.fields.clone(),
        }
    }

    /// Its digest.
    pub fn digest(&self) -> WriteDigest {
        let record = self.record.as_ref().map_or("", |record| record.0.as_str());
        digest_of([
            ("operation", self.operation.word().to_owned()),
            ("key", self.key.text().into_owned()),
            ("record", record.to_owned()),
            ("values", format!("{:?}", self.fields.fingerprint())),
        ])
    }
}

/// The digest of a choice that is added to a field.
pub(super) fn choice_digest(slug: &Slug, choice: &Choice) -> WriteDigest {
    digest_of([
        ("operation", "choice".to_owned()),
        ("field", slug.to_string()),
        ("id", choice.id.clone()),
        ("label", choice.label.clone()),
    ])
}

fn digest_of<const N: usize>(parts: [(&str, String); N]) -> WriteDigest {
    let parts = parts.map(|(name, text)| (Slug::from(name), FieldValue::text(text)));
    Fields::new(parts.into()).fingerprint().0
}
