//! A record as an answer shows it: a flat object keyed by slug, of which we keep what the shape asks for.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, value::RawValue};
use sync_core::{
    field_value::FieldValue,
    port::RecordShape,
    record::{RecordId, SeenRecord},
};

use super::{
    field::{self, counter, instant},
    walk::{members, small_tree},
};

/// How far apart the two times of a record may be that nobody changed since it was made. A person needs longer to change
/// it, and we to write to it again.
const ONE_CALL: SignedDuration = SignedDuration::from_secs(1);

/// A record, and whether it lies in the recycle bin.
#[derive(Debug)]
pub(crate) struct Found {
    /// The record.
    pub(crate) record: SeenRecord,
    /// Whether its `deleted_date` holds a date: it can be read, but it is not there any more.
    pub(crate) deleted: bool,
}

/// Reads a record; nothing if the JSON is no object or has no id.
pub(crate) fn read(json: &RawValue, shape: &RecordShape) -> Option<Found> {
    read_text(json.get(), shape)
}

/// The same, from a whole answer.
pub(crate) fn read_text(json: &str, shape: &RecordShape) -> Option<Found> {
    let mut id = None;
    let (mut autonumber, mut deleted) = (None, false);
    let (mut created, mut updated) = (Stamp::default(), Stamp::default());
    let mut values = BTreeMap::new();
    // What the answer does not show at all may hold anything.
    let mut empty = BTreeSet::new();
    members(json, |name, raw| {
        match name.as_str() {
            "id" => id = small_tree(raw).and_then(|id| text(&id)),
            "autonumber" => autonumber = small_tree(raw).and_then(|number| counter(&number)),
            "first_created" => created = stamp(raw),
            "last_updated" => updated = stamp(raw),
            "deleted_date" => deleted = small_tree(raw).is_some_and(|date| is_set(&date)),
            _ => {}
        }
        let key = Some(&shape.external_id).filter(|field| *field.slug == *name);
        if let Some(field) = shape.if_empty.iter().find(|field| *field.slug == *name)
            && field::read(&field.kind, raw) == FieldValue::Empty
        {
            empty.insert(field.slug.clone());
        }
        if let Some(field) = shape.field(&name).or(key) {
            values.insert(field.slug.clone(), field::read(&field.kind, raw));
        }
    })
    .ok()?;
    let fields: Vec<_> = shape
        .fields
        .iter()
        .map(|field| {
            let value = values.get(&field.slug).cloned().unwrap_or(FieldValue::Empty);
            (field.slug.clone(), value)
        })
        .collect();
    let external_id = match values.remove(&shape.external_id.slug) {
        Some(value) => external_id(&value),
        None => None,
    };
    let empty = empty.into_iter().collect();
    let record = SeenRecord {
        id: RecordId(id?),
        external_id,
        autonumber,
        is_as_made: updated.is_moment_of(&created),
        created_by: created.by,
        updated_by: updated.by,
        fields,
        empty,
    };
    Some(Found { record, deleted })
}

/// The text that an external-id field's value stands for; nothing for values that cannot carry a key.
pub(crate) fn external_id(value: &FieldValue) -> Option<String> {
    match value {
        FieldValue::Text(text) => Some(text.clone()),
        FieldValue::Number(number) => Some(number.to_string()),
        FieldValue::Empty
        | FieldValue::Yes
        | FieldValue::Choice(_)
        | FieldValue::Ids(_)
        | FieldValue::List(_)
        | FieldValue::Phones(_)
        | FieldValue::Date { .. }
        | FieldValue::DateRange { .. }
        | FieldValue::Parts(_) => None,
    }
}

fn text(json: &Value) -> Option<String> {
    json.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}

/// Who did something to a record, and when.
#[derive(Default)]
struct Stamp {
    by: Option<String>,
    on: Option<Timestamp>,
}

impl Stamp {
    /// Whether the two are of one call: a service may take the time twice while it makes a record.
    fn is_moment_of(&self, other: &Self) -> bool {
        let (Some(one), Some(other)) = (self.on, other.on) else { return false };
        one.duration_since(other).abs() <= ONE_CALL
    }
}

/// `{"on": ..., "by": "id"}`, or where it is hydrated `{"on": ..., "by": {"id": ...}}`.
fn stamp(raw: &RawValue) -> Stamp {
    let Some(stamp) = small_tree(raw) else { return Stamp::default() };
    let by = stamp.get("by").and_then(|by| text(by.get("id").unwrap_or(by)));
    let on = stamp.get("on").and_then(Value::as_str).and_then(instant);
    Stamp { by, on }
}

/// `null`, `""` and `{"date": null, ...}` are no date.
fn is_set(date: &Value) -> bool {
    match date {
        Value::Object(object) => object.get("date").is_some_and(is_set),
        Value::String(text) => !text.is_empty(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use sync_core::value::Decimal;

    use super::*;
    use crate::wire::shape_of;

    fn found(json: &Value) -> Option<Found> {
        read_text(&json.to_string(), &shape_of(&[("sext", "textfield"), ("snum", "numberfield")]))
    }

    #[test]
    fn a_record_is_restricted_to_the_shape_and_absent_is_empty() {
        let record = found(&json!({ "id": "r1", "sext": "k1", "other": [1, 2], "title": "x" }));
        let record = record.unwrap().record;
        assert_eq!(record.id, RecordId("r1".to_owned()));
        assert_eq!(record.external_id.as_deref(), Some("k1"));
        let values: Vec<_> = record.fields.iter().map(|(_, value)| value.kind()).collect();
        assert_eq!(values, ["text", "empty"]);
    }

    #[test]
    fn who_made_it_is_read_plain_and_hydrated() {
        let plain = found(&json!({
            "id": "r1", "first_created": { "on": "2024-07-29T09:27:44Z", "by": "m1" },
            "last_updated": { "on": "2024-07-29T09:27:44Z", "by": { "id": "m2", "email": ["a@b.c"] } },
        }));
        let record = plain.unwrap().record;
        assert_eq!(record.created_by.as_deref(), Some("m1"));
        assert_eq!(record.updated_by.as_deref(), Some("m2"));
    }

    #[test]
    fn a_record_is_as_made_where_both_times_are_one_moment() {
        let at = |on: &str| json!({ "on": on, "by": "m1" });
        for (created, updated, is_as_made) in [
            (at("2024-07-29T09:27:44.123Z"), at("2024-07-29T09:27:44.123Z"), true),
            (at("2024-07-29T09:27:44.123Z"), at("2024-07-29T09:27:44.987Z"), true),
            (at("2024-07-29T09:27:44Z"), at("2024-07-29T11:27:45+02:00"), true),
            (at("2024-07-29T09:27:44.123Z"), at("2024-07-29T09:27:45.124Z"), false),
            (at("2024-07-29T09:27:44Z"), at("2025-07-29T09:27:44Z"), false),
            (at("2024-07-29T09:27:44Z"), at("yesterday"), false),
            (at("2024-07-29T09:27:44Z"), json!({ "by": "m1" }), false),
            (json!(null), json!(null), false),
        ] {
            let json = json!({ "id": "r1", "first_created": created, "last_updated": updated });
            let record = found(&json).unwrap().record;
            assert_eq!(record.is_as_made, is_as_made, "{json}");
        }
        assert!(!found(&json!({ "id": "r1" })).unwrap().record.is_as_made);
    }

    #[test]
    fn an_autonumber_may_be_a_number_or_end_a_text() {
        for (json, number) in [
            (json!(743), Some(743)),
            (json!("743"), Some(743)),
            (json!("EAV001"), Some(1)),
            (json!("2024-0012"), Some(12)),
            (json!("#7/A"), Some(7)),
            (json!("none"), None),
            (json!(-1), None),
            (json!(null), None),
            (json!("99999999999999999999999"), None),
        ] {
            let record = found(&json!({ "id": "r1", "autonumber": json })).unwrap().record;
            assert_eq!(record.autonumber, number, "{json}");
        }
    }

    #[test]
    fn a_date_of_deletion_marks_a_deleted_record() {
        for (date, deleted) in [
            (json!({ "date": null, "include_time": false }), false),
            (json!({ "date": null }), false),
            (json!(null), false),
            (json!(""), false),
            (json!({ "date": "2024-07-29T09:27:44Z", "include_time": true }), true),
            (json!("2024-07-29T09:27:44Z"), true),
        ] {
            let found = found(&json!({ "id": "r1", "deleted_date": date })).unwrap();
            assert_eq!(found.deleted, deleted, "{date}");
        }
    }

    #[test]
    fn without_an_id_there_is_no_record() {
        for json in [json!({}), json!([]), json!({ "id": "" }), json!({ "id": 5 }), json!(null)] {
            assert!(found(&json).is_none(), "{json}");
        }
    }

    #[test]
    fn a_numeric_external_id_has_one_text() {
        let number: Decimal = "42.00".parse().unwrap();
        assert_eq!(external_id(&FieldValue::Number(number)).as_deref(), Some("42"));
        assert_eq!(external_id(&FieldValue::Empty), None);
        assert_eq!(external_id(&FieldValue::Choice("x".to_owned())), None);
    }
}
