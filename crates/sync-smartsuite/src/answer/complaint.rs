//! Whose item and which field a refusal is about, as far as it says. The service documents an object of slugs and
//! messages; what a bulk call gets is not documented, so every shape that its framework is known to make is read.

use serde_json::{Map, Value};
use sync_core::{
    error::{Complaint, Quoted},
    port::RecordShape,
    slug::Slug,
};

use super::shortened;
use crate::wire::bulk::failed_item;

/// More is not said about one call.
const COMPLAINTS_MAX: usize = 100;

/// Members that hold words about the whole rather than about a field.
const GENERAL: &[&str] = &["detail", "error", "errors", "message", "non_field_errors", "reason"];

/// The complaints in the body of a refusal of `items` items.
pub(crate) fn of_body(json: &Value, items: usize, shape: Option<&RecordShape>) -> Vec<Complaint> {
    let mut out = Vec::new();
    let mut reader = Reader { shape, items, out: &mut out };
    match json {
        Value::Array(list) => reader.aligned(list),
        Value::Object(object) => reader.body(object),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
    out
}

/// The complaints in what an answer says about one item.
pub(crate) fn of_item(
    words: &Value,
    item: Option<usize>,
    shape: &RecordShape,
    out: &mut Vec<Complaint>,
) {
    Reader { shape: Some(shape), items: 0, out }.item(words, item);
}

struct Reader<'a> {
    shape: Option<&'a RecordShape>,
    items: usize,
    out: &'a mut Vec<Complaint>,
}

impl Reader<'_> {
    fn body(&mut self, object: &Map<String, Value>) {
        let by_item = object.get("failed_items").or_else(|| object.get("items"));
        match by_item {
            Some(Value::Array(list)) => self.aligned(list),
            Some(Value::Object(numbered)) => self.numbered(numbered),
            Some(_) | None if is_numbered(object) => self.numbered(object),
            Some(_) | None => {
                let only = (self.items == 1).then_some(0);
                self.item(&Value::Object(object.clone()), only);
            }
        }
    }

    /// A list whose elements stand for the items: either one for each, or with blanks for the good ones. Otherwise
    /// the elements are words about the whole.
    fn aligned(&mut self, list: &[Value]) {
        let blank = |element: &Value| match element {
            Value::Null => true,
            Value::Array(inner) => inner.is_empty(),
            Value::Object(inner) => inner.is_empty(),
            Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
        };
        let trusted =
            list.len() == self.items || (list.len() < self.items && list.iter().any(blank));
        for (at, element) in list.iter().enumerate() {
            match (element.get("index"), self.shape) {
                (Some(Value::Number(_)), Some(shape)) => {
                    failed_item(element, self.items, shape, self.out);
                }
                _ => self.item(element, trusted.then_some(at)),
            }
        }
    }

    /// `{"3": {"slug": ["message"]}}`
    fn numbered(&mut self, object: &Map<String, Value>) {
        for (index, words) in object {
            let at = index.parse::<usize>().ok().filter(|at| *at < self.items);
            self.item(words, at);
        }
    }

    fn item(&mut self, words: &Value, item: Option<usize>) {
        match words {
            Value::Object(object) => {
                for (name, words) in object {
                    let known = self.shape.is_some_and(|shape| {
                        shape.field(name).is_some() || *shape.external_id.slug == **name
                    });
                    if known {
                        self.leaves(words, item, Some(name), "");
                    } else if GENERAL.contains(&name.as_str()) {
                        self.item(words, item);
                    } else {
                        self.leaves(words, item, None, name);
                    }
                }
            }
            Value::Array(list) => list.iter().for_each(|words| self.item(words, item)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
                self.leaves(words, item, None, "");
            }
        }
    }

    /// Every text in `words`, each with the path that leads to it.
    fn leaves(&mut self, words: &Value, item: Option<usize>, slug: Option<&str>, path: &str) {
        match words {
            Value::Object(object) => {
                for (name, words) in object {
                    let path =
                        if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                    self.leaves(words, item, slug, &shortened(&path));
                }
            }
            Value::Array(list) => {
                for words in list {
                    self.leaves(words, item, slug, path);
                }
            }
            Value::String(words) => self.complain(words, item, slug, path),
            Value::Bool(_) | Value::Number(_) => {
                self.complain(&words.to_string(), item, slug, path);
            }
            Value::Null => {}
        }
    }

    fn complain(&mut self, words: &str, item: Option<usize>, slug: Option<&str>, path: &str) {
        if self.out.len() >= COMPLAINTS_MAX {
            return;
        }
        let words =
            if path.is_empty() { shortened(words) } else { shortened(&format!("{path}: {words}")) };
        self.out.push(Complaint { item, slug: slug.map(Slug::from), message: Quoted(words) });
    }
}

fn is_numbered(object: &Map<String, Value>) -> bool {
    !object.is_empty() && object.keys().all(|key| key.bytes().all(|b| b.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::wire::shape_of;

    /// The complaints about a refusal, as `item/slug: words`.
    fn complaints(json: &Value, items: usize) -> Vec<String> {
        let shape = shape_of(&[("sext", "textfield"), ("sdate", "datefield")]);
        let line = |complaint: Complaint| {
            let item = complaint.item.map(|item| item.to_string()).unwrap_or_default();
            let slug = complaint.slug.map(|slug| slug.to_string()).unwrap_or_default();
            format!("{item}/{slug}: {}", complaint.message.0)
        };
        of_body(json, items, Some(&shape)).into_iter().map(line).collect()
    }

    #[test]
    fn slugs_of_the_shape_are_fields_and_other_names_stay_in_the_words() {
        assert_eq!(complaints(&json!({ "sext": ["too long"] }), 0), ["/sext: too long"]);
        assert_eq!(
            complaints(&json!({ "sext": "Not allowed comparison." }), 0),
            ["/sext: Not allowed comparison."]
        );
        assert_eq!(
            complaints(&json!({ "params": ["This field is required."] }), 0),
            ["/: params: This field is required."]
        );
        assert_eq!(complaints(&json!({ "detail": "Not found." }), 0), ["/: Not found."]);
        assert_eq!(complaints(&json!({ "message": "m", "code": "c" }), 0), ["/: code: c", "/: m"]);
    }

    #[test]
    fn a_list_with_an_element_for_each_item_names_the_item() {
        let bad = json!({ "sdate": { "from_date": ["no date"] } });
        let expected = ["1/sdate: from_date: no date"];
        assert_eq!(complaints(&json!([{}, bad]), 2), expected);
        assert_eq!(complaints(&json!({ "items": [{}, bad] }), 2), expected);
        assert_eq!(complaints(&json!({ "items": [{}, bad] }), 25), expected);
        assert_eq!(complaints(&json!({ "items": [null, "broken"] }), 2), ["1/: broken"]);
    }

    #[test]
    fn a_list_that_does_not_match_the_items_is_about_the_whole() {
        let too_many = json!({ "items": ["no more than 25 elements"] });
        assert_eq!(complaints(&too_many, 26), ["/: no more than 25 elements"]);
        assert_eq!(complaints(&json!([{ "sext": ["bad"] }]), 25), ["/sext: bad"]);
        assert_eq!(complaints(&json!([{}, {}, { "sext": ["bad"] }]), 2), ["/sext: bad"]);
    }

    #[test]
    fn items_named_by_index_are_found() {
        assert_eq!(
            complaints(&json!({ "items": { "3": { "sext": ["bad"] } } }), 25),
            ["3/sext: bad"]
        );
        assert_eq!(complaints(&json!({ "3": ["bad"], "99": "odd" }), 25), ["3/: bad", "/: odd"]);
        let failed = json!({ "failed_items": [{ "index": 7, "reason": "bad" }] });
        assert_eq!(complaints(&failed, 25), ["7/: bad"]);
    }

    #[test]
    fn a_refusal_of_one_item_is_about_that_item() {
        assert_eq!(complaints(&json!({ "sext": ["bad"] }), 1), ["0/sext: bad"]);
        assert_eq!(complaints(&json!({ "detail": "bad" }), 1), ["0/: bad"]);
    }

    #[test]
    fn what_says_nothing_complains_of_nothing() {
        for json in [json!({}), json!([]), json!([{}, {}]), json!({ "sext": [] }), json!(null)] {
            assert!(complaints(&json, 2).is_empty(), "{json}");
        }
    }

    #[test]
    fn words_and_their_number_are_bounded() {
        let many: Vec<Value> = (0..5000).map(|_| json!({ "sext": ["x".repeat(5000)] })).collect();
        let complaints = complaints(&Value::from(many), 5000);
        assert_eq!(complaints.len(), COMPLAINTS_MAX);
        assert!(complaints.iter().all(|words| words.len() < 600));
    }
}
