//! Bulk calls: their bodies, and the shapes in which different clients saw the answers.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json, value::RawValue};
use sync_core::{
    draft::Fields,
    error::{Complaint, Quoted},
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
    creates: bool,
) -> Value {
    let other = FieldKind::Other(String::new());
    let mut members = Map::new();
    if let Some(RecordId(id)) = id {
        members.insert("id".to_owned(), Value::from(id.as_str()));
    }
    let besides = fields.on_create().filter(|_| creates);
    for (slug, value) in fields.iter().chain(besides) {
        let kind = shape.written_field(slug).map_or(&other, |field| &field.kind);
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

/// What the answer to a bulk delete says of items that it did not delete: `failed_items`, as for other bulk calls.
pub(crate) fn refused_deletes(json: &str, items: usize) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    let mut list = |json: &str| {
        elements(json, |raw| {
            let Some(failure) = small_tree(raw) else { return };
            let index = failure.get("index").and_then(Value::as_u64);
            let item = index.and_then(|index| usize::try_from(index).ok());
            let reason = failure.get("reason").or_else(|| failure.get("error")).unwrap_or(&failure);
            let words = reason.as_str().map_or_else(|| reason.to_string(), str::to_owned);
            complaints.push(Complaint {
                item: item.filter(|item| *item < items),
                slug: None,
                message: Quoted(crate::answer::shortened(&words)),
            });
        })
    };
    // Of an answer that is no object, `read_ids` judges.
    drop(members(json, |name, raw| {
        if name == "failed_items" {
            drop(list(raw.get()));
        }
    }));
    complaints
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::shape_of;

    fn shape() -> RecordShape {
        shape_of(&[("sext", "textfield"), ("sdate", "datefield")])
    }

    #[test]
    fn what_a_bulk_delete_did_not_delete_is_no_success() {
        let of = |json: &str| {
            let complaints = refused_deletes(json, 2).into_iter();
            complaints.map(|one| (one.item, one.message.0)).collect::<Vec<_>>()
        };
        let locked = r#"{"successful_items": [], "failed_items": [{"index": 1, "reason": "This record is locked."}]}"#;
        assert_eq!(of(locked), [(Some(1), "This record is locked.".to_owned())]);
        assert_eq!(of(r#"{"failed_items": [{"index": 7, "error": "x"}, "y"]}"#).len(), 2);
        for fine in
            [r#"{"successful_items": ["a"], "failed_items": []}"#, r#"["a"]"#, "{}", "", "nonsense"]
        {
            assert_eq!(of(fine), [], "{fine}");
        }
    }

    /// Item, slug and words of a complaint.
    type Words = (Option<usize>, String, String);

    /// The ids and complaints of an answer to three items.
    fn answer(json: &Value) -> Option<(Vec<String>, Vec<Words>)> {
        let answer = read(&json.to_string(), &shape(), 3)?;
        let complaint = |complaint: Complaint| {
            let slug = complaint.slug.map(|slug| slug.to_string()).unwrap_or_default();
            (complaint.item, slug, complaint.message.0)
        };
        Some((
            answer.records.into_iter().map(|record| record.id.0).collect(),
            answer.complaints.into_iter().map(complaint).collect(),
        ))
    }

    fn named(ids: &[&str]) -> Vec<String> {
        ids.iter().map(|&id| id.to_owned()).collect()
    }

    #[test]
    fn every_envelope_names_its_records() {
        let records = json!([{ "id": "a" }, { "id": "b" }]);
        for envelope in [
            records.clone(),
            json!({ "items": records }),
            json!({ "results": records, "count": 2 }),
            json!({ "successful_items": records, "failed_items": [] }),
        ] {
            assert_eq!(answer(&envelope), Some((named(&["a", "b"]), vec![])), "{envelope}");
        }
        assert_eq!(answer(&json!({ "id": "a", "sext": "k" })), Some((named(&["a"]), vec![])));
    }

    #[test]
    fn failed_items_are_complaints_with_their_index() {
        let json = json!({ "successful_items": [{ "id": "a" }], "failed_items": [
            { "index": 1, "reason": "no such choice" },
            { "index": 2, "reason": { "sdate": ["can't be converted to date"] } },
            { "index": 99, "reason": "odd" } ] });
        let (ids, complaints) = answer(&json).unwrap();
        assert_eq!(ids, ["a"]);
        let text = |text: &str| text.to_owned();
        assert_eq!(
            complaints,
            [
                (Some(1), String::new(), text("no such choice")),
                (Some(2), text("sdate"), text("can't be converted to date")),
                (None, String::new(), text("odd")),
            ]
        );
    }

    #[test]
    fn words_in_the_place_of_a_record_are_a_complaint() {
        let (ids, complaints) = answer(&json!([{ "id": "a" }, { "sext": ["too long"] }])).unwrap();
        assert_eq!(ids, ["a"]);
        assert_eq!(complaints, [(Some(1), "sext".to_owned(), "too long".to_owned())]);
    }

    #[test]
    fn a_record_named_twice_counts_once_and_one_too_many_is_no_answer() {
        let twice = json!([{ "id": "a" }, { "id": "a" }, { "id": "b" }, { "id": "c" }]);
        assert_eq!(answer(&twice).unwrap().0, ["a", "b", "c"]);
        assert_eq!(
            answer(&json!([{ "id": "a" }, { "id": "b" }, { "id": "c" }, { "id": "d" }])),
            None
        );
    }

    #[test]
    fn what_has_no_known_shape_is_no_answer() {
        for json in [json!({}), json!({ "ok": true }), json!("created"), json!(null), json!(3)] {
            assert_eq!(answer(&json), None, "{json}");
        }
        assert_eq!(read("", &shape(), 3), None);
        assert_eq!(read(r#"[{"id":"a"}"#, &shape(), 3), None);
        assert_eq!(read(r#"{"items":[{"id":"a"}]"#, &shape(), 3), None);
    }

    #[test]
    fn a_delete_names_the_ids_that_were_asked_for() {
        let asked = [RecordId("a".to_owned()), RecordId("b".to_owned())];
        for json in [
            r#"["b","a","a","z"]"#,
            r#"[{"id":"a","deleted_date":{"date":"x"}},{"id":"b"},{"id":"z"},null]"#,
            r#"{"items":["a","b"]}"#,
        ] {
            assert_eq!(read_ids(json, &asked).unwrap(), asked, "{json}");
        }
        assert_eq!(read_ids("[]", &asked), Some(vec![]));
        for json in ["", "{}", "null", "[\"a\"", "<html>"] {
            assert_eq!(read_ids(json, &asked), None, "{json}");
        }
    }

    #[test]
    fn an_item_is_a_flat_object_of_slugs() {
        let fields = Fields::new(vec![
            ("sext".into(), sync_core::field_value::FieldValue::text("k1")),
            ("sdate".into(), sync_core::field_value::FieldValue::Empty),
        ]);
        let id = RecordId("a".to_owned());
        let json = item(&shape(), Some(&id), &fields, &Forms::default(), false);
        assert_eq!(json, json!({ "id": "a", "sext": "k1", "sdate": null }));
    }
}
