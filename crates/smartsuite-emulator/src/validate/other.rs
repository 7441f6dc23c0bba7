//! Colours, signatures, dependencies, time tracking, sub-items (section 5.1).

use serde_json::{Value, json};

use super::{Written, array, no, object};
use crate::model::cell::Cell;

fn stored(value: Value) -> Cell {
    Cell::Json(Box::new(value))
}

pub(super) fn colors(value: &Value) -> Written {
    let mut colors = Vec::new();
    for item in array(value, "colors")? {
        let parts = object(item)?;
        let color = parts.get("value").and_then(Value::as_str).unwrap_or_default();
        let digits = color.strip_prefix('#').unwrap_or_default();
        if digits.len() != 6 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return no("Not a valid color.");
        }
        let name = parts.get("name").and_then(Value::as_str).unwrap_or_default();
        colors.push(json!({"name": name, "value": color}));
    }
    Ok(if colors.is_empty() { Cell::Empty } else { stored(colors.into()) })
}

pub(super) fn signature(value: &Value) -> Written {
    let parts = object(value)?;
    let text = |key: &str| parts.get(key).and_then(Value::as_str).unwrap_or_default();
    let (name, image) = (text("text"), text("image_base64"));
    if name.is_empty() && image.is_empty() {
        return Ok(Cell::Empty);
    }
    Ok(stored(json!({"text": name, "image_base64": image})))
}

pub(super) fn dependency(value: &Value) -> Written {
    let parts = object(value)?;
    let mut all = serde_json::Map::new();
    for side in ["predecessor", "successor"] {
        if let Some(entries) = parts.get(side) {
            for entry in array(entries, "dependencies")? {
                object(entry)?;
            }
            all.insert(side.into(), entries.clone());
        }
    }
    let is_empty = all.values().all(|entries| entries.as_array().is_some_and(Vec::is_empty));
    Ok(if is_empty { Cell::Empty } else { stored(Value::Object(all)) })
}

pub(super) fn time_tracking(value: &Value) -> Written {
    let parts = object(value)?;
    let logs = array(parts.get("time_track_logs").unwrap_or(&Value::Null), "time track logs")?;
    let seconds = |log: &Value| log.get("duration").and_then(Value::as_u64).unwrap_or(0);
    let total = logs.iter().map(seconds).fold(0_u64, u64::saturating_add);
    if logs.is_empty() {
        return Ok(Cell::Empty);
    }
    Ok(stored(json!({"time_track_logs": logs, "total_duration": total})))
}

pub(super) fn sub_items(value: &Value) -> Written {
    let parts = object(value)?;
    let items = array(parts.get("items").unwrap_or(&Value::Null), "sub-items")?;
    for item in items {
        object(item)?;
    }
    if items.is_empty() {
        return Ok(Cell::Empty);
    }
    Ok(stored(json!({"count": items.len(), "items": items})))
}
