//! Hydrated shapes (section 3.7; point 34).

use serde_json::{Value, json};

use crate::model::cell::Cell;
use crate::model::field::Field;
use crate::model::field_type::FieldType;
use crate::rules::read::View;

/// The hydrated form of a value; none where hydration changes nothing.
pub(crate) fn cell(view: &View<'_>, field: &Field, cell: &Cell) -> Option<Value> {
    match field.kind {
        FieldType::SingleSelect => Some(choice(field, cell.as_text().unwrap_or_default())),
        FieldType::MultipleSelect | FieldType::Tags => {
            Some(cell.as_texts().iter().map(|value| choice(field, value)).collect())
        }
        FieldType::Status => Some(match cell {
            Cell::Status(status) => json!({
                "label": label(field, &status.choice),
                "value": status.choice,
                "updated_on": status.updated_on.map(|at| view.moment(at)),
            }),
            _ => json!({"label": "", "value": "", "updated_on": ""}),
        }),
        FieldType::User => {
            let members = cell.as_ids().iter();
            Some(members.map(|id| view.member(*id).unwrap_or_else(|| json!({"id": id}))).collect())
        }
        FieldType::Vote | FieldType::TimeTracking | FieldType::Checklist => {
            let Cell::Json(value) = cell else { return None };
            Some(with_members(view, value))
        }
        _ => None,
    }
}

fn label<'f>(field: &'f Field, value: &str) -> &'f str {
    field.choice(value).map_or("", |choice| choice.label.as_str())
}

fn choice(field: &Field, value: &str) -> Value {
    json!({"label": label(field, value), "value": value})
}

/// Votes, time logs and checklist items name members; hydrated they hold them.
fn with_members(view: &View<'_>, value: &Value) -> Value {
    let mut value = value.clone();
    for list in ["votes", "time_track_logs", "items"] {
        let items = value.get_mut(list).and_then(Value::as_array_mut);
        for item in items.into_iter().flatten().filter_map(Value::as_object_mut) {
            for key in ["user_id", "assignee"] {
                let id = item.get(key).and_then(Value::as_str).and_then(|id| id.parse().ok());
                if let Some(member) = id.and_then(|id| view.member(id)) {
                    item.insert(key.into(), member);
                }
            }
        }
    }
    value
}
