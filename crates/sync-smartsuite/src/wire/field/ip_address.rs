//! IP addresses: an array of objects. The country is the service's own.

use std::net::IpAddr;

use serde_json::{Value, json};
use sync_core::field_value::FieldValue;

use super::{Codec, empty_array};

/// An array of objects, also for a single address.
pub(super) const CODEC: Codec = Codec {
    write: &[|value| {
        let FieldValue::List(addresses) = value else { return None };
        Some(addresses.iter().map(|address| json!({ "address": address })).collect())
    }],
    refusal_word: "",
    clear: &[empty_array],
    read: |json| {
        let items = json.as_array().map_or(std::slice::from_ref(json), Vec::as_slice);
        let addresses = items.iter().map(address).collect::<Option<Vec<_>>>()?;
        Some(FieldValue::list(addresses.into_iter().filter(|text| !text.is_empty()).collect()))
    },
};

/// In its canonical text, whatever the service makes of its zeros; empty for an empty entry.
fn address(json: &Value) -> Option<String> {
    let text = json.get("address").unwrap_or(json).as_str()?;
    if text.is_empty() {
        return Some(String::new());
    }
    text.parse::<IpAddr>().ok().map(|address| address.to_string())
}
