//! User fields: member ids (section 5.1; section 10 doubts that they can be written).

use serde_json::Value;

use super::{Writer, Written, array, entries_allowed, refused};
use crate::model::cell::Cell;
use crate::model::field::Field;
use crate::object_id::ObjectId;
use crate::profile::UserWrites;

pub(super) fn users(cx: &Writer<'_>, field: &Field, value: &Value) -> Written {
    let mut ids: Vec<ObjectId> = Vec::new();
    for item in array(value, "user ids")? {
        let id = item.as_str().and_then(|text| text.parse().ok());
        let id = id.filter(|id| cx.account.member(*id).is_some());
        let id = id.ok_or_else(|| refused("Not a member of this workspace."))?;
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    let ids = entries_allowed(cx.profile, field, ids)?;
    Ok(match cx.profile.user_writes {
        UserWrites::Accepted => Cell::ids(ids),
        UserWrites::Blank => Cell::Empty,
    })
}
