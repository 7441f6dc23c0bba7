//! Text, text area, title: a string. Other types: shown, never written.

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
    clear: &[empty_text, null],
    read,
};

/// A type this program does not write: whatever it holds, as text.
pub(super) const OTHER: Codec =
    Codec { write: &[|_| None], refusal_word: "", clear: &[null], read: |json| Some(shown(json)) };

fn read(json: &Value) -> Option<FieldValue> {
    match json {
        Value::String(text) => Some(FieldValue::text(text.as_str())),
        Value::Number(number) => Some(FieldValue::text(number.to_string())),
        Value::Bool(yes) => Some(FieldValue::text(yes.to_string())),
        Value::Array(items) if items.is_empty() => Some(FieldValue::Empty),
        Value::Object(members) if members.is_empty() => Some(FieldValue::Empty),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

fn shown(json: &Value) -> FieldValue {
    read(json).unwrap_or_else(|| FieldValue::text(json.to_string()))
}
