//! E-mail addresses and links: an array of texts, in order.

use sync_core::field_value::FieldValue;

use super::{Codec, empty_array, id_of};

/// An array of strings, also for a single entry.
pub(super) const CODEC: Codec = Codec {
    write: &[|value| {
        let FieldValue::List(entries) = value else { return None };
        Some(entries.iter().map(String::as_str).collect())
    }],
    refusal_word: "",
    clear: &[empty_array],
    read: |json| {
        let items = json.as_array().map_or(std::slice::from_ref(json), Vec::as_slice);
        let entries = items.iter().map(id_of).collect::<Option<Vec<_>>>()?;
        let entries = entries.into_iter().filter(|entry| !entry.is_empty());
        Some(FieldValue::list(entries.map(str::to_owned).collect()))
    },
};
