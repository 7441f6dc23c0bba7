//! Yes/no: there is no third state, and an unticked box reads like an absent one.

use serde_json::Value;
use sync_core::field_value::FieldValue;

use super::Codec;

/// `true` or `false`.
pub(super) const CODEC: Codec = Codec {
    write: &[|value| (*value == FieldValue::Yes).then_some(Value::Bool(true))],
    refusal_word: "",
    clear: &[|| Value::Bool(false)],
    read: |json| match json.as_bool().or_else(|| json.as_str()?.parse().ok()) {
        Some(true) => Some(FieldValue::Yes),
        Some(false) => Some(FieldValue::Empty),
        None => (json.as_str() == Some("")).then_some(FieldValue::Empty),
    },
};
