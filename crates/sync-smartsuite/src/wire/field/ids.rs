//! Multiple select, tags, people, linked records: an array of ids without order.

use sync_core::field_value::FieldValue;

use super::{Codec, empty_array, id_of};

/// An array of ids, also for a single entry.
pub(super) const CODEC: Codec = Codec {
    write: &[|value| {
        let FieldValue::Ids(ids) = value else { return None };
        Some(ids.iter().map(String::as_str).collect())
    }],
    refusal_word: "",
    clear: &[empty_array],
    read: |json| {
        let items = json.as_array().map_or(std::slice::from_ref(json), Vec::as_slice);
        let ids = items.iter().map(id_of).collect::<Option<Vec<_>>>()?;
        Some(FieldValue::ids(ids.into_iter().filter(|id| !id.is_empty()).map(str::to_owned)))
    },
};
