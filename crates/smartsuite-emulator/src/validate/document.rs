//! Rich text (`SmartDoc`) and checklists (section 5.1; trap 3 of 7.1).

use serde_json::{Value, json};

use super::{Writer, Written, array, no, object, refused};
use crate::model::cell::Cell;
use crate::profile::DocString;

/// How deep a document may be nested; what is deeper has no text.
const DEPTH: usize = 64;

pub(super) fn rich_text(cx: &Writer<'_>, value: &Value) -> Written {
    let data = match value {
        Value::String(text) => match cx.profile.doc_string {
            DocString::Blank => return Ok(Cell::Empty),
            DocString::Refuse => return no("Not a valid document."),
            DocString::Converted => paragraph(text),
        },
        Value::Object(parts) => match parts.get("data") {
            Some(data) if data.get("type").and_then(Value::as_str) == Some("doc") => data.clone(),
            _ => return no("Not a valid document: `data` of type `doc` is missing."),
        },
        _ => return no("Not a valid document."),
    };
    let content = data.get("content").and_then(Value::as_array);
    if content.is_none_or(Vec::is_empty) {
        return Ok(Cell::Empty);
    }
    Ok(Cell::Json(Box::new(rendered(&data))))
}

fn paragraph(text: &str) -> Value {
    let content = if text.is_empty() {
        json!([])
    } else {
        json!([{"type": "paragraph", "content": [{"type": "text", "text": text}]}])
    };
    json!({"type": "doc", "content": content})
}

/// The four members a document reads as.
pub(crate) fn rendered(data: &Value) -> Value {
    let paragraphs = data.get("content").and_then(Value::as_array).map(Vec::as_slice);
    let texts: Vec<String> = paragraphs.unwrap_or_default().iter().map(plain_text).collect();
    let mut html = String::new();
    for text in &texts {
        html.push_str("<p>");
        html.push_str(&escaped(text));
        html.push_str("</p>");
    }
    json!({
        "data": data,
        "html": format!("<div class=\"rendered\">\n    {html}\n</div>"),
        "preview": texts.join(" ").trim(),
        "yjsData": "",
    })
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// The text of a document or of a part of one.
fn plain_text(node: &Value) -> String {
    let mut text = String::new();
    collect(node, 0, &mut text);
    text
}

fn collect(node: &Value, depth: usize, text: &mut String) {
    if let Some(own) = node.get("text").and_then(Value::as_str) {
        text.push_str(own);
    }
    if let Some(content) = node.get("content").and_then(Value::as_array)
        && depth < DEPTH
    {
        for child in content {
            collect(child, depth + 1, text);
        }
    }
}

pub(super) fn checklist(value: &Value) -> Written {
    let parts = object(value)?;
    let items = parts.get("items").ok_or_else(|| refused("`items` is required."))?;
    let mut stored = Vec::new();
    for item in array(items, "checklist items")? {
        let mut item = object(item)?.clone();
        let content = item.get("content").cloned().unwrap_or(Value::Null);
        let data = match &content {
            Value::String(text) => paragraph(text),
            other => other.get("data").cloned().ok_or_else(|| refused("`content` is required."))?,
        };
        let mut content = rendered(&data);
        if let Some(content) = content.as_object_mut() {
            content.remove("yjsData");
        }
        item.insert("content".into(), content);
        let completed = item.get("completed").and_then(Value::as_bool).unwrap_or(false);
        item.insert("completed".into(), completed.into());
        for key in ["assignee", "due_date", "completed_at"] {
            item.entry(key).or_insert(Value::Null);
        }
        let place = stored.len() + 1;
        item.entry("id").or_insert_with(|| format!("item{place}").into());
        stored.push(Value::Object(item));
    }
    if stored.is_empty() {
        return Ok(Cell::Empty);
    }
    let done = stored.iter().filter(|item| item.get("completed") == Some(&true.into())).count();
    let total = stored.len();
    let all = json!({"items": stored, "total_items": total, "completed_items": done});
    Ok(Cell::Json(Box::new(all)))
}
