//! Date ranges and due dates: two dates, whose written form is reported in contradictory ways like a single one's.
//! What a due date says of itself (overdue, completed) is the service's own.

use serde_json::{Value, json};
use sync_core::field_value::{DateStamp, FieldValue};

use super::{Codec, date, null};

/// Written as two complete objects; some clients saw these refused and ISO texts taken.
pub(super) const CODEC: Codec = Codec {
    write: &[
        |value| ends(value).map(|(from, to)| object(from, to)),
        |value| {
            let (from, to) = ends(value)?;
            let text = |end: Option<DateStamp>| {
                end.map_or(Value::Null, |end| Value::from(date::iso(end.at)))
            };
            Some(json!({ "from_date": text(from), "to_date": text(to) }))
        },
    ],
    refusal_word: "date",
    clear: &[|| object(None, None), || json!({ "from_date": null, "to_date": null }), null],
    read,
};

fn ends(value: &FieldValue) -> Option<(Option<DateStamp>, Option<DateStamp>)> {
    let FieldValue::DateRange { from, to } = value else { return None };
    Some((*from, *to))
}

/// `{"from_date": {"date": ..., "include_time": ...}, "to_date": {...}}`.
pub(super) fn object(from: Option<DateStamp>, to: Option<DateStamp>) -> Value {
    let end = |end: Option<DateStamp>| {
        end.map_or_else(date::empty, |end| date::object(end.at, end.include_time))
    };
    json!({ "from_date": end(from), "to_date": end(to) })
}

fn read(json: &Value) -> Option<FieldValue> {
    let Value::Object(members) = json else {
        let nothing = json.as_array().is_some_and(Vec::is_empty) || json.as_str() == Some("");
        return nothing.then_some(FieldValue::Empty);
    };
    let end = |name: &str| match members.get(name) {
        None | Some(Value::Null) => Some(None),
        Some(end) => match date::read(end)? {
            FieldValue::Date { at, include_time } => Some(Some(DateStamp { at, include_time })),
            _ => Some(None),
        },
    };
    Some(FieldValue::date_range(end("from_date")?, end("to_date")?))
}
