//! Colours: an array of objects. A colour's name is the service's own.

use serde_json::{Value, json};
use sync_core::field_value::FieldValue;

use super::{Codec, empty_array};

/// An array of objects, also for a single colour.
pub(super) const CODEC: Codec = Codec {
    write: &[|value| {
        let FieldValue::List(colors) = value else { return None };
        Some(colors.iter().map(|color| json!({ "value": color })).collect())
    }],
    refusal_word: "",
    clear: &[empty_array],
    read: |json| {
        let items = json.as_array().map_or(std::slice::from_ref(json), Vec::as_slice);
        let color =
            |item: &Value| item.get("value").unwrap_or(item).as_str().map(str::to_ascii_uppercase);
        let colors = items.iter().map(color).collect::<Option<Vec<_>>>()?;
        Some(FieldValue::list(colors.into_iter().filter(|color| !color.is_empty()).collect()))
    },
};
