//! Numbers: decimals as strings or as JSON numbers, never through a float.

use serde_json::{Number, Value};
use sync_core::{field_value::FieldValue, value::Decimal};

use super::{Codec, null};

/// Number, currency, percent, duration: the service keeps a decimal and shows it as a string.
pub(super) const AS_TEXT: Codec = Codec {
    write: &[|value| {
        let FieldValue::Number(number) = value else { return None };
        Some(Value::from(number.to_string()))
    }],
    refusal_word: "",
    clear: &[null],
    read,
};

/// Slider, percent complete, rating: a JSON number.
pub(super) const AS_NUMBER: Codec = Codec {
    write: &[|value| {
        let FieldValue::Number(number) = value else { return None };
        serde_json::from_str::<Number>(&number.to_string()).ok().map(Value::Number)
    }],
    refusal_word: "",
    clear: &[null],
    read,
};

/// Auto number: an integer, or text that ends in one where the field has a prefix. Never written.
pub(super) const COUNTER: Codec = Codec {
    write: &[|_| None],
    refusal_word: "",
    clear: &[null],
    read: |json| counter(json).map(|number| FieldValue::Number(i128::from(number).into())),
};

fn read(json: &Value) -> Option<FieldValue> {
    let number = match json {
        Value::String(text) if text.trim().is_empty() => return Some(FieldValue::Empty),
        Value::String(text) => text.parse::<Decimal>().ok()?,
        Value::Number(number) => number.to_string().parse().ok()?,
        Value::Array(items) if items.is_empty() => return Some(FieldValue::Empty),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => return None,
    };
    Some(FieldValue::Number(number))
}

/// The integer of an auto number: `743`, `"743"`, `"EAV0743"`; with a suffix, the last run of digits.
pub(crate) fn counter(json: &Value) -> Option<u64> {
    match json {
        Value::Number(number) => number.to_string().parse().ok(),
        Value::String(text) => {
            let end = text.trim_end_matches(|c: char| !c.is_ascii_digit());
            let digits = end.rsplit(|c: char| !c.is_ascii_digit()).next()?;
            digits.parse().ok()
        }
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}
