//! Bulk calls: their bodies, and the shapes in which different clients saw the answers.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json, value::RawValue};
use sync_core::{
    draft::Fields,
    error::Complaint,
    port::{BulkAnswer, RecordShape},
    record::RecordId,
    table::FieldKind,
};

use super::{
    field,
    record::{self, Found},
    walk::{elements, members, small_tree},
};
use crate::{answer::complaint, form::Forms};

/// The JSON of one item, each value in the form chosen for its field.
pub(crate) fn item(
    shape: &RecordShape,
    id: Option<&RecordId>,
    fields: &Fields,
    forms: &Forms,
) -> Value {
    let other = FieldKind::Other(String::new());
    let mut members = Map::new();
    if let Some(RecordId(id)) = id {
        members.insert("id".to_owned(), Value::from(id.as_str()));
    }
    for (slug, value) in fields.iter() {
        let kind = shape.field(slug).map_or(&other, |field| &field.kind);
        let form = forms.chosen(slug, value);
        members.insert(slug.to_string(), field::write(kind, value, form));
    }
    Value::Object(members)
}

/// `{"items": [...]}`.
pub(crate) fn body(items: &[Value]) -> Value {
    json!({ "items": items })
}

/// Reads the answer to a create or update of `items` items; nothing if it has none of the known shapes, or names
/// more records than there were items.
pub(crate) fn read(json: &str, shape: &RecordShape, items: usize) -> Option<BulkAnswer> {
    let mut reading =
        Reading { shape, items, answer: BulkAnswer::default(), recognised: false, too_many: false };
    let start = json.trim_start();
    if start.starts_with('[') {
        reading.take_list(json)?;
    } else {
        let mut failed = false;
        let mut id = false;
        members(json, |name, raw| match name.as_str() {
            "items" | "results" | "records" | "successful_items" => {
                failed |= reading.take_list(raw.get()).is_none();
            }
            "failed_items" => failed |= reading.take_failures(raw.get()).is_none(),
            "id" => id = true,
            _ => {}
        })
        .ok()?;
        if failed {
            return None;
        }
        if id && !reading.recognised {
            reading.take_record(serde_json::from_str(json).ok()?, None);
            reading.recognised = true;
        }
    }
    (reading.recognised && !reading.too_many).then_some(reading.answer)
}

struct Reading<'a> {
    shape: &'a RecordShape,
    items: usize,
    answer: BulkAnswer,
    recognised: bool,
    too_many: bool,
}

impl Reading<'_> {
    fn take_list(&mut self, json: &str) -> Option<()> {
        let mut at = 0;
        elements(json, |raw| {
            self.take_record(raw, Some(at));
            at += 1;
        })
        .ok()?;
        self.recognised = true;
        Some(())
    }

    /// A record; or, in its place, words about why there is none. A record in the recycle bin is not named: whoever
    /// sent it looks it up.
    fn take_record(&mut self, raw: &RawValue, at: Option<usize>) {
        match record::read(raw, self.shape) {
            Some(Found { record, deleted: false }) => {
                let records = &mut self.answer.records;
                if records.iter().any(|known| known.id == record.id) {
                    // Named twice: as good as once.
                } else if records.len() < self.items {
                    records.push(record);
                } else {
                    self.too_many = true;
                }
            }
            Some(Found { deleted: true, .. }) => {}
            None => {
                if let Some(words) = small_tree(raw) {
                    let item = at.filter(|at| *at < self.items);
                    complaint::of_item(&words, item, self.shape, &mut self.answer.complaints);
                }
            }
        }
    }

    /// `[{"index": 3, "reason": ...}]`
    fn take_failures(&mut self, json: &str) -> Option<()> {
        elements(json, |raw| {
            if let Some(failure) = small_tree(raw) {
                failed_item(&failure, self.items, self.shape, &mut self.answer.complaints);
            }
        })
        .ok()?;
        self.recognised = true;
        Some(())
    }
}

/// A member of `failed_items`.
pub(crate) fn failed_item(
    failure: &Value,
    items: usize,
    shape: &RecordShape,
    out: &mut Vec<Complaint>,
) {
    let index = failure.get("index").and_then(Value::as_u64);
    let item = index.and_then(|index| usize::try_from(index).ok()).filter(|index| *index < items);
    let reason = failure.get("reason").or_else(|| failure.get("error")).unwrap_or(failure);
    complaint::of_item(reason, item, shape, out);
}

/// Reads which of the ids that were asked for the answer to a bulk delete names, bare or in records.
pub(crate) fn read_ids(json: &str, asked: &[RecordId]) -> Option<Vec<RecordId>> {
    let mut named = BTreeSet::new();
    let mut list = |json: &str| {
        elements(json, |raw| {
            let object = raw.get().starts_with('{');
            let id = if object { id_member(raw) } else { serde_json::from_str(raw.get()).ok() };
            named.extend(id.and_then(|id: String| asked.iter().find(|asked| asked.0 == id)));
        })
        .ok()
    };
    let mut recognised = false;
    if json.trim_start().starts_with('[') {
        recognised = list(json).is_some();
    } else {
        members(json, |name, raw| {
            if matches!(name.as_str(), "items" | "results" | "records" | "successful_items") {
                recognised |= list(raw.get()).is_some();
            }
        })
        .ok()?;
    }
    recognised.then(|| named.into_iter().cloned().collect())
}

fn id_member(raw: &RawValue) -> Option<String> {
    let mut id = None;
    members(raw.get(), |name, value| {
        if name == "id" {
            id = serde_json::from_str::<String>(value.get()).ok();
        }
    })
    .ok()?;
    id
}
