//! Dates: the one type whose written form is reported in contradictory ways.

use jiff::{Timestamp, civil, tz::TimeZone};
use serde_json::{Value, json};
use sync_core::field_value::FieldValue;

use super::{Codec, null};

/// Written as the complete object; some clients saw it refused ("can't be converted to date") and an ISO text taken.
pub(super) const CODEC: Codec = Codec {
    write: &[
        |value| date(value).map(|(at, include_time)| object(at, include_time)),
        |value| date(value).map(|(at, _)| Value::from(iso(at))),
    ],
    refusal_word: "date",
    clear: &[null, empty],
    read,
};

fn date(value: &FieldValue) -> Option<(Timestamp, bool)> {
    let FieldValue::Date { at, include_time } = value else { return None };
    Some((*at, *include_time))
}

/// `{"date": "2025-05-30T00:00:00Z", "include_time": false}`.
pub(super) fn object(at: Timestamp, include_time: bool) -> Value {
    json!({ "date": iso(at), "include_time": include_time })
}

/// The empty form, as it is read.
pub(super) fn empty() -> Value {
    json!({ "date": null, "include_time": false })
}

/// `YYYY-MM-DDTHH:MM:SSZ`: whole seconds, the finest that the service is known to take.
pub(super) fn iso(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// The object, or a bare text; a bare text means a time of day unless it has none or midnight.
pub(super) fn read(json: &Value) -> Option<FieldValue> {
    let (text, said) = match json {
        Value::Object(object) => match object.get("date") {
            None | Some(Value::Null) => return Some(FieldValue::Empty),
            Some(date) => (date.as_str()?, object.get("include_time").and_then(Value::as_bool)),
        },
        Value::String(text) => (text.as_str(), None),
        Value::Array(items) if items.is_empty() => return Some(FieldValue::Empty),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => return None,
    };
    if text.is_empty() {
        return Some(FieldValue::Empty);
    }
    let at = instant(text)?;
    let day = midnight(at)?;
    let include_time = said.unwrap_or(at != day);
    Some(FieldValue::Date { at: if include_time { at } else { day }, include_time })
}

/// Any ISO text; without an offset it is UTC.
pub(crate) fn instant(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    let utc = |civil: civil::DateTime| civil.to_zoned(TimeZone::UTC).ok().map(|at| at.timestamp());
    text.parse::<Timestamp>().ok().or_else(|| utc(text.parse::<civil::DateTime>().ok()?))
}

/// The start of the instant's day, UTC.
fn midnight(at: Timestamp) -> Option<Timestamp> {
    let day = at.to_zoned(TimeZone::UTC).date();
    day.to_zoned(TimeZone::UTC).ok().map(|start| start.timestamp())
}
