//! Drafts and records as the engine compares them.

use sync_core::{
    draft::{Fields, Fingerprint},
    field_value::FieldValue,
    record::SeenRecord,
    slug::Slug,
};

/// The external id that a draft carries, as canonical text.
pub(crate) fn external_id_of(fields: &Fields, slug: &Slug) -> String {
    match fields.get(slug) {
        Some(FieldValue::Text(text)) => text.clone(),
        Some(FieldValue::Number(number)) => number.to_string(),
        Some(_) | None => String::new(),
    }
}

/// The fingerprint of a record as it was read: equal to a draft's if and only if the record holds what the draft
/// wishes.
pub(crate) fn fingerprint_of(record: &SeenRecord) -> Fingerprint {
    Fields::new(record.fields.clone()).fingerprint()
}
