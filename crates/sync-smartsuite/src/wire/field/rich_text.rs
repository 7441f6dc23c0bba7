//! Rich text (SmartDoc): a document tree. We write paragraphs and read the words, ignoring how they look.

use serde_json::{Value, json};
use sync_core::field_value::FieldValue;

use super::Codec;

/// A document with one paragraph a line. A plain string may be "saved" as nothing and is never sent.
pub(super) const CODEC: Codec = Codec {
    write: &[|value| {
        let FieldValue::Text(text) = value else { return None };
        Some(document(text))
    }],
    refusal_word: "",
    clear: &[|| json!({ "data": { "type": "doc", "content": [] }, "html": "", "preview": "" })],
    read,
};

fn document(text: &str) -> Value {
    let paragraph = |line: &str| {
        if line.is_empty() {
            json!({ "type": "paragraph" })
        } else {
            json!({ "type": "paragraph", "content": [{ "type": "text", "text": line }] })
        }
    };
    let content: Vec<Value> = text.split('\n').map(paragraph).collect();
    json!({ "data": { "type": "doc", "content": content } })
}

fn read(json: &Value) -> Option<FieldValue> {
    match json {
        Value::String(text) => Some(FieldValue::text(text.as_str())),
        Value::Object(object) => {
            let mut lines = Lines::default();
            if let Some(data) = object.get("data") {
                lines.take(data);
            }
            Some(FieldValue::text(lines.0.join("\n")))
        }
        Value::Array(items) if items.is_empty() => Some(FieldValue::Empty),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => None,
    }
}

/// The lines of a document, the last one still growing.
#[derive(Default)]
struct Lines(Vec<String>);

impl Lines {
    /// Adds a node and what is in it. The parser has bounded the depth.
    fn take(&mut self, node: &Value) {
        match node.get("type").and_then(Value::as_str) {
            Some("text") => self.add(node.get("text").and_then(Value::as_str).unwrap_or_default()),
            Some("hardBreak" | "hard_break") => self.0.push(String::new()),
            Some("paragraph" | "heading" | "codeBlock" | "code_block") => {
                self.0.push(String::new());
                self.take_content(node);
            }
            _ => self.take_content(node),
        }
    }

    fn take_content(&mut self, node: &Value) {
        for child in node.get("content").and_then(Value::as_array).into_iter().flatten() {
            self.take(child);
        }
    }

    fn add(&mut self, text: &str) {
        match self.0.last_mut() {
            Some(line) => line.push_str(text),
            None => self.0.push(text.to_owned()),
        }
    }
}
