//! Single select and status: the choice's id, bare or in an object.

use serde_json::{Value, json};
use sync_core::field_value::FieldValue;

use super::{Codec, empty_text, id_of, null};

/// Single select: written as the bare id; an object was saved as nothing, silently.
pub(super) const SINGLE: Codec = Codec {
    write: &[|value| choice(value).map(Value::from)],
    refusal_word: "",
    clear: &[empty_text, null],
    read,
};

/// Status: written as an object; `updated_on` is the service's own.
pub(super) const STATUS: Codec = Codec {
    write: &[|value| choice(value).map(|id| json!({ "value": id }))],
    refusal_word: "",
    clear: &[|| json!({ "value": "" }), null],
    read,
};

fn choice(value: &FieldValue) -> Option<&str> {
    let FieldValue::Choice(id) = value else { return None };
    Some(id)
}

fn read(json: &Value) -> Option<FieldValue> {
    let id = match json {
        Value::Array(items) if items.is_empty() => "",
        Value::Object(members) if members.is_empty() => "",
        Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::String(_)
        | Value::Array(_)
        | Value::Object(_) => id_of(json)?,
    };
    Some(if id.is_empty() { FieldValue::Empty } else { FieldValue::Choice(id.to_owned()) })
}
