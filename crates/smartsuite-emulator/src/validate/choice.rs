//! Yes or no, single and multiple select, status, tags (section 5.1; traps 2 and 4 of 7.1).

use serde_json::Value;

use super::{Writer, Written, array, no, refused};
use crate::model::cell::{Cell, StatusValue};
use crate::model::field::Field;
use crate::profile::{Misfit, SelectObject};

pub(super) fn yes_no(value: &Value) -> Written {
    match value {
        Value::Bool(true) => Ok(Cell::Yes),
        Value::Bool(false) => Ok(Cell::Empty),
        _ => no("Must be a valid boolean."),
    }
}

/// The id if the field has it, nothing if a misfit is saved blank.
fn known<'v>(cx: &Writer<'_>, field: &Field, id: &'v str) -> Result<Option<&'v str>, Value> {
    if field.choice(id).is_some() {
        return Ok(Some(id));
    }
    let misfit = if field.flag("new_choices_allowed") {
        cx.profile.new_label
    } else {
        cx.profile.unknown_choice
    };
    match misfit {
        Misfit::Blank => Ok(None),
        Misfit::Refuse => Err(refused(&format!("'{}' value not in choices.", brief(id)))),
    }
}

/// Enough of a value to recognise it in a message.
fn brief(text: &str) -> String {
    text.chars().take(60).collect()
}

pub(super) fn single(cx: &Writer<'_>, field: &Field, value: &Value) -> Written {
    let id = match value {
        Value::String(id) => id.as_str(),
        Value::Object(object) => match cx.profile.select_object {
            SelectObject::Blank => return Ok(Cell::Empty),
            SelectObject::Refuse => return no("Not a valid string."),
            SelectObject::Accepted => match object.get("value") {
                Some(Value::String(id)) => id.as_str(),
                Some(Value::Null) => return Ok(Cell::Empty),
                _ => return no("Not a valid string."),
            },
        },
        _ => return no("Not a valid string."),
    };
    if id.is_empty() {
        return Ok(Cell::Empty);
    }
    Ok(known(cx, field, id)?.map_or(Cell::Empty, Cell::text))
}

pub(super) fn status(cx: &Writer<'_>, field: &Field, value: &Value) -> Written {
    let id = match value {
        Value::String(id) => id.as_str(),
        Value::Object(object) => match object.get("value") {
            Some(Value::String(id)) => id.as_str(),
            Some(Value::Null) => return Ok(Cell::Empty),
            _ => return no("Not a valid status: `value` is missing."),
        },
        _ => return no("Not a valid status."),
    };
    if id.is_empty() {
        return Ok(Cell::Empty);
    }
    Ok(known(cx, field, id)?.map_or(Cell::Empty, |id| {
        Cell::Status(Box::new(StatusValue { choice: id.into(), updated_on: Some(cx.now) }))
    }))
}

pub(super) fn several(cx: &Writer<'_>, field: &Field, value: &Value) -> Written {
    let mut ids: Vec<Box<str>> = Vec::new();
    for item in array(value, "choices")? {
        let Some(id) = item.as_str() else { return no("Not a valid string.") };
        if let Some(id) = known(cx, field, id)?
            && !ids.iter().any(|present| &**present == id)
        {
            ids.push(id.into());
        }
    }
    Ok(Cell::texts(ids))
}
