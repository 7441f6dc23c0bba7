//! One field's value as SmartSuite writes and reads it, a small file for each family of types.

mod color;
mod date;
mod date_range;
mod entries;
mod ids;
mod ip_address;
mod number;
mod parts;
mod phone;
mod rich_text;
mod select;
mod text;
mod time;
mod yes_no;

pub(crate) use date::instant;
pub(crate) use number::counter;

#[cfg(test)]
mod tests;

use serde_json::{Value, value::RawValue};
use sync_core::{field_value::FieldValue, table::FieldKind};

/// The longest JSON taken apart as a tree; a tree of small objects takes some ninety times its text.
const TREE_BYTES_MAX: usize = 512 * 1024;

/// How much is kept of a value that cannot be read.
const UNREADABLE_CHARS_MAX: usize = 200;

/// How values of one type look on the wire.
///
/// Where public reports of the service disagree on a form there are several, the most trusted one first; `form.rs`
/// remembers which one works.
pub(crate) struct Codec {
    /// Ways to write a value; each yields nothing for a value that is not of this type.
    pub(crate) write: &'static [fn(&FieldValue) -> Option<Value>],
    /// A word that the service's refusal has when the form of a value is wrong. Empty: any refusal will do.
    pub(crate) refusal_word: &'static str,
    /// Ways to clear the field.
    pub(crate) clear: &'static [fn() -> Value],
    /// Reads a value that is not `null`; nothing for a shape that is not of this type.
    pub(crate) read: fn(&Value) -> Option<FieldValue>,
}

/// The codec of a type.
pub(crate) fn codec(kind: &FieldKind) -> &'static Codec {
    match kind {
        FieldKind::Text | FieldKind::TextArea | FieldKind::Title => &text::CODEC,
        FieldKind::RichText => &rich_text::CODEC,
        FieldKind::Number | FieldKind::Currency | FieldKind::Percent | FieldKind::Duration => {
            &number::AS_TEXT
        }
        FieldKind::NumberSlider | FieldKind::PercentComplete | FieldKind::Rating => {
            &number::AS_NUMBER
        }
        FieldKind::AutoNumber => &number::COUNTER,
        FieldKind::YesNo => &yes_no::CODEC,
        FieldKind::SingleSelect => &select::SINGLE,
        FieldKind::Status => &select::STATUS,
        FieldKind::MultipleSelect | FieldKind::Tags | FieldKind::User | FieldKind::LinkedRecord => {
            &ids::CODEC
        }
        FieldKind::Date => &date::CODEC,
        FieldKind::DateRange | FieldKind::DueDate => &date_range::CODEC,
        FieldKind::Time => &time::CODEC,
        FieldKind::Address => &parts::ADDRESS,
        FieldKind::FullName => &parts::FULL_NAME,
        FieldKind::SocialNetwork => &parts::SOCIAL_NETWORK,
        FieldKind::IpAddress => &ip_address::CODEC,
        FieldKind::ColorPicker => &color::CODEC,
        FieldKind::Email | FieldKind::Link => &entries::CODEC,
        FieldKind::Phone => &phone::CODEC,
        FieldKind::Other(_) => &text::OTHER,
    }
}

/// The JSON of a value in the form with this index. A value that is not of the field's type is written in its own
/// natural form, for the service to refuse.
pub(crate) fn write(kind: &FieldKind, value: &FieldValue, form: usize) -> Value {
    let codec = codec(kind);
    if *value == FieldValue::Empty {
        return codec.clear.get(form).or(codec.clear.first()).map_or(Value::Null, |clear| clear());
    }
    let write = codec.write.get(form).or(codec.write.first());
    write.and_then(|write| write(value)).unwrap_or_else(|| natural(value))
}

/// The canonical value of a field as an answer shows it.
///
/// What cannot be read becomes a text that no row can yield, so that it is never taken for empty or equal.
pub(crate) fn read(kind: &FieldKind, raw: &RawValue) -> FieldValue {
    let json = raw.get();
    let bounded = json.len() <= TREE_BYTES_MAX || json.starts_with('"');
    let value = bounded.then(|| serde_json::from_str::<Value>(json).ok()).flatten();
    match value {
        Some(Value::Null) => FieldValue::Empty,
        Some(value) => (codec(kind).read)(&value).unwrap_or_else(|| unreadable(json)),
        None => unreadable(json),
    }
}

/// Begins with a character that stands for "no character", which JSON may carry but text never means.
fn unreadable(json: &str) -> FieldValue {
    let start: String = json.chars().take(UNREADABLE_CHARS_MAX).collect();
    FieldValue::Text(format!("\u{FFFF}{start}"))
}

fn natural(value: &FieldValue) -> Value {
    match value {
        FieldValue::Empty => Value::Null,
        FieldValue::Yes => Value::Bool(true),
        FieldValue::Text(text) | FieldValue::Choice(text) => Value::from(text.as_str()),
        FieldValue::Number(number) => Value::from(number.to_string()),
        FieldValue::Ids(ids) => ids.iter().map(String::as_str).collect(),
        FieldValue::List(entries) => entries.iter().map(String::as_str).collect(),
        FieldValue::Phones(phones) => phones.iter().map(phone::object).collect(),
        FieldValue::Date { at, include_time } => date::object(*at, *include_time),
        FieldValue::DateRange { from, to } => date_range::object(*from, *to),
        FieldValue::Parts(parts) => parts::object(&[], parts),
    }
}

/// `""`.
fn empty_text() -> Value {
    Value::String(String::new())
}

/// `null`.
fn null() -> Value {
    Value::Null
}

/// `[]`.
fn empty_array() -> Value {
    Value::Array(Vec::new())
}

/// The id in a plain or hydrated reference: `"id"`, `{"value": "id", "label": ...}` or `{"id": "id", ...}`; an empty
/// text where there is none. Nothing for other shapes.
fn id_of(json: &Value) -> Option<&str> {
    match json {
        Value::String(id) => Some(id),
        Value::Null => Some(""),
        Value::Object(object) => object.get("value").or_else(|| object.get("id")).and_then(id_text),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) => None,
    }
}

fn id_text(json: &Value) -> Option<&str> {
    if json.is_null() { Some("") } else { json.as_str() }
}
