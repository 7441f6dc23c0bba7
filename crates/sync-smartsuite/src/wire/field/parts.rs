//! Addresses, full names and social networks: an object of texts under fixed names. Every name is written, so that
//! what is no longer there is cleared; what else the service shows (`sys_root`) is its own.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use sync_core::field_value::{
    ADDRESS_PARTS, FULL_NAME_PARTS, FieldValue, SOCIAL_NETWORK_PARTS, part_text,
};

use super::{Codec, null};

/// Address; coordinates are texts too.
pub(super) const ADDRESS: Codec = Codec {
    write: &[|value| written(ADDRESS_PARTS, value)],
    refusal_word: "",
    clear: &[|| object(ADDRESS_PARTS, &BTreeMap::new()), null],
    read: |json| read(ADDRESS_PARTS, json),
};

/// Full name; its title is a number as text.
pub(super) const FULL_NAME: Codec = Codec {
    write: &[|value| written(FULL_NAME_PARTS, value)],
    refusal_word: "",
    clear: &[|| object(FULL_NAME_PARTS, &BTreeMap::new()), null],
    read: |json| read(FULL_NAME_PARTS, json),
};

/// Social networks.
pub(super) const SOCIAL_NETWORK: Codec = Codec {
    write: &[|value| written(SOCIAL_NETWORK_PARTS, value)],
    refusal_word: "",
    clear: &[|| object(SOCIAL_NETWORK_PARTS, &BTreeMap::new()), null],
    read: |json| read(SOCIAL_NETWORK_PARTS, json),
};

fn written(names: &[&str], value: &FieldValue) -> Option<Value> {
    let FieldValue::Parts(parts) = value else { return None };
    Some(object(names, parts))
}

/// The names, empty where there is no such part, and the parts.
pub(super) fn object(names: &[&str], parts: &BTreeMap<String, String>) -> Value {
    let mut object: Map<String, Value> =
        names.iter().map(|name| ((*name).to_owned(), Value::from(""))).collect();
    for (name, text) in parts {
        object.insert(name.clone(), Value::from(text.as_str()));
    }
    Value::Object(object)
}

fn read(names: &[&str], json: &Value) -> Option<FieldValue> {
    let object = match json {
        Value::Object(object) => object,
        Value::Array(items) if items.is_empty() => return Some(FieldValue::Empty),
        Value::String(text) if text.is_empty() => return Some(FieldValue::Empty),
        _ => return None,
    };
    let part = |name: &&str| {
        let text = match object.get(*name) {
            None | Some(Value::Null) => String::new(),
            Some(Value::String(text)) => part_text(name, text),
            Some(Value::Number(number)) => part_text(name, &number.to_string()),
            Some(_) => return None,
        };
        Some(((*name).to_owned(), text))
    };
    Some(FieldValue::parts(names.iter().map(part).collect::<Option<Vec<_>>>()?))
}
