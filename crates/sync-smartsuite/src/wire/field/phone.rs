//! Phone numbers: an array of objects, of which four members are written.

use serde_json::{Value, json};
use sync_core::field_value::{FieldValue, Phone};

use super::{Codec, empty_array};

/// An array of phone objects, also for a single number.
pub(super) const CODEC: Codec = Codec {
    write: &[|value| {
        let FieldValue::Phones(phones) = value else { return None };
        Some(phones.iter().map(object).collect())
    }],
    refusal_word: "",
    clear: &[empty_array],
    read: |json| {
        let items = json.as_array().map_or(std::slice::from_ref(json), Vec::as_slice);
        let phones = items.iter().map(phone).collect::<Option<Vec<_>>>()?;
        let phones: Vec<Phone> =
            phones.into_iter().filter(|phone| !phone.digits.is_empty()).collect();
        Some(if phones.is_empty() { FieldValue::Empty } else { FieldValue::Phones(phones) })
    },
};

/// One number as it is written.
pub(super) fn object(phone: &Phone) -> Value {
    json!({
        "phone_country": phone.country,
        "phone_number": phone.digits,
        "phone_extension": phone.extension,
        "phone_type": phone.kind,
    })
}

/// One number as it is read: an object, or a bare text, whose country and kind are then unknown.
fn phone(json: &Value) -> Option<Phone> {
    if let Value::String(text) = json {
        let digits = digits(text);
        return Some(Phone { country: String::new(), digits, extension: String::new(), kind: 0 });
    }
    let object = json.as_object()?;
    let text = |name: &str| object.get(name).and_then(Value::as_str).unwrap_or_default();
    let kind = match object.get("phone_type") {
        Some(Value::Number(number)) => number.to_string().parse().unwrap_or(0),
        Some(Value::String(text)) => text.parse().unwrap_or(0),
        Some(Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_)) | None => 0,
    };
    Some(Phone {
        country: text("phone_country").to_ascii_uppercase(),
        digits: digits(text("phone_number")),
        extension: digits(text("phone_extension")),
        kind,
    })
}

fn digits(text: &str) -> String {
    text.chars().filter(char::is_ascii_digit).collect()
}
