//! A record as an answer shows it: a flat object keyed by slug, of which we keep what the shape asks for.

use std::collections::BTreeMap;

use serde_json::{Value, value::RawValue};
use sync_core::{
    field_value::FieldValue,
    port::RecordShape,
    record::{RecordId, SeenRecord},
};

use super::{
    field::{self, counter},
    walk::{members, small_tree},
};

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
    let (mut autonumber, mut created_by, mut updated_by, mut deleted) = (None, None, None, false);
    let mut values = BTreeMap::new();
    members(json, |name, raw| {
        match name.as_str() {
            "id" => id = small_tree(raw).and_then(|id| text(&id)),
            "autonumber" => autonumber = small_tree(raw).and_then(|number| counter(&number)),
            "first_created" => created_by = member(raw),
            "last_updated" => updated_by = member(raw),
            "deleted_date" => deleted = small_tree(raw).is_some_and(|date| is_set(&date)),
            _ => {}
        }
        let key = Some(&shape.external_id).filter(|field| *field.slug == *name);
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
    let record =
        SeenRecord { id: RecordId(id?), external_id, autonumber, created_by, updated_by, fields };
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
        | FieldValue::Date { .. } => None,
    }
}

fn text(json: &Value) -> Option<String> {
    json.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}

/// The member in `{"on": ..., "by": "id"}`, or where it is hydrated `{"on": ..., "by": {"id": ...}}`.
fn member(raw: &RawValue) -> Option<String> {
    let stamp = small_tree(raw)?;
    let by = stamp.get("by")?;
    text(by.get("id").unwrap_or(by))
}

/// `null`, `""` and `{"date": null, ...}` are no date.
fn is_set(date: &Value) -> bool {
    match date {
        Value::Object(object) => object.get("date").is_some_and(is_set),
        Value::String(text) => !text.is_empty(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => false,
    }
}
