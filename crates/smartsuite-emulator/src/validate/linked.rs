//! Linked records: arrays of ids that must exist (sections 1.5 and 5.1).

use serde_json::Value;

use super::{Writer, Written, array, entries_allowed, no, refused};
use crate::model::cell::Cell;
use crate::model::field::Field;
use crate::object_id::ObjectId;
use crate::profile::UnknownLink;

pub(super) fn links(cx: &Writer<'_>, field: &Field, value: &Value) -> Written {
    let table = field.linked_table.and_then(|id| cx.world.tables.get(&id));
    let mut ids: Vec<ObjectId> = Vec::new();
    for item in array(value, "linked record values")? {
        let Some(text) = item.as_str() else { return no("Linked record ids must be strings.") };
        let id = text.parse().ok().filter(|id| table.is_some_and(|t| t.live(*id).is_some()));
        match (id, cx.profile.unknown_link) {
            (Some(id), _) if !ids.contains(&id) => ids.push(id),
            (Some(_), _) | (None, UnknownLink::Drop) => {}
            (None, UnknownLink::Refuse) => {
                let shown: String = text.chars().take(24).collect();
                return Err(refused(&format!("Record {shown} does not exist.")));
            }
        }
    }
    Ok(Cell::ids(entries_allowed(cx.profile, field, ids)?))
}
