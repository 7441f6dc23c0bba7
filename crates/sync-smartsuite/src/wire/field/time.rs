//! A time of day: `HH:MM:SS`, 24 hours.

use jiff::civil::Time;
use serde_json::Value;
use sync_core::field_value::FieldValue;

use super::{Codec, empty_text, null};

/// A string.
pub(super) const CODEC: Codec = Codec {
    write: &[|value| {
        let FieldValue::Text(text) = value else { return None };
        Some(Value::from(text.as_str()))
    }],
    refusal_word: "",
    clear: &[null, empty_text],
    read: |json| {
        let text = match json {
            Value::Array(items) if items.is_empty() => "",
            other => other.as_str()?,
        };
        if text.is_empty() {
            return Some(FieldValue::Empty);
        }
        let time: Time = text.parse().ok()?;
        Some(FieldValue::text(time.strftime("%H:%M:%S").to_string()))
    },
};
