//! A path into a JSON document: `address.city`, `items[0].name`, `$."odd name"`.

use serde_json::Value as Json;

use crate::value::Value;

/// Most steps of a path.
const STEPS_MAX: usize = 100;

/// A parsed path. The empty one names the whole document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JsonPath {
    text: String,
    steps: Vec<Step>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    Member(String),
    /// Counted from 0.
    Item(usize),
}

/// The text is no path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a path")]
pub struct NotAPath;

/// The value is no JSON document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a JSON document")]
pub struct NotJson;

impl JsonPath {
    /// Parses a path; a leading `$` may stand for the document, as in MySQL.
    ///
    /// # Errors
    /// The text cannot be understood.
    pub fn parse(text: &str) -> Result<Self, NotAPath> {
        let mut steps = Vec::new();
        let trimmed = text.trim();
        let mut rest = trimmed.strip_prefix('$').unwrap_or(trimmed);
        while !rest.is_empty() {
            if steps.len() == STEPS_MAX {
                return Err(NotAPath);
            }
            if let Some(inside) = rest.strip_prefix('[') {
                let (place, after) = inside.split_once(']').ok_or(NotAPath)?;
                steps.push(Step::Item(place.trim().parse().map_err(|_| NotAPath)?));
                rest = after;
                continue;
            }
            let is_first = rest.len() == trimmed.len();
            let name = match rest.strip_prefix('.') {
                Some(name) => name,
                None if is_first => rest,
                None => return Err(NotAPath),
            };
            if let Some(quoted) = name.strip_prefix('"') {
                let (name, after) = quoted.split_once('"').ok_or(NotAPath)?;
                steps.push(Step::Member(name.to_owned()));
                rest = after;
            } else {
                let (name, after) = name.split_at(name.find(['.', '[']).unwrap_or(name.len()));
                if name.is_empty() {
                    return Err(NotAPath);
                }
                steps.push(Step::Member(name.to_owned()));
                rest = after;
            }
        }
        Ok(Self { text: text.to_owned(), steps })
    }

    /// As it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What stands there in a cell: NULL where the cell is NULL or the document has no such part. A document may be
    /// a JSON value or its text.
    ///
    /// # Errors
    /// The cell is neither.
    pub fn value(&self, cell: &Value) -> Result<Value, NotJson> {
        let part = match cell {
            Value::Null => return Ok(Value::Null),
            Value::Json(json) => self.part(json).cloned(),
            Value::Text(text) if text.trim().is_empty() => return Ok(Value::Null),
            Value::Text(text) => self.part(&parsed(text.as_bytes())?).cloned(),
            Value::Bytes(bytes) => self.part(&parsed(bytes)?).cloned(),
            _ => return Err(NotJson),
        };
        Ok(match part {
            None | Some(Json::Null) => Value::Null,
            Some(part) => Value::Json(part),
        })
    }

    fn part<'j>(&self, document: &'j Json) -> Option<&'j Json> {
        self.steps.iter().try_fold(document, |at, step| match step {
            Step::Member(name) => at.get(name.as_str()),
            Step::Item(place) => at.get(*place),
        })
    }
}

fn parsed(text: &[u8]) -> Result<Json, NotJson> {
    serde_json::from_slice(text).map_err(|_| NotJson)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(path: &str, expected: Option<&str>) {
        let document = r#"{"a": {"b": [1.50, {"c d": "x"}]}, "n": null}"#;
        let cell = Value::Text(document.to_owned());
        let found = JsonPath::parse(path).unwrap().value(&cell).unwrap();
        let shown = match found {
            Value::Json(json) => Some(json.to_string()),
            _ => None,
        };
        assert_eq!(shown.as_deref(), expected, "{path}");
    }

    #[test]
    fn parts_are_found_and_absent_ones_are_null() {
        check("a.b[0]", Some("1.50"));
        check("$.a.b[1].\"c d\"", Some("\"x\""));
        check("a.b[2]", None);
        check("a.b.c", None);
        check("n", None);
        check("n.x", None);
        check("a.b", Some(r#"[1.50,{"c d":"x"}]"#));
    }

    #[test]
    fn what_is_no_path_is_refused() {
        for path in ["a..b", "a.", "a[", "a[x]", "a[0]b", "a.\"b", "[-1]", "$x"] {
            assert!(JsonPath::parse(path).is_err(), "{path}");
        }
    }

    #[test]
    fn what_is_no_document_is_refused() {
        let path = JsonPath::parse("a").unwrap();
        assert!(path.value(&Value::Text("{oops".to_owned())).is_err());
        assert!(path.value(&Value::Int(1)).is_err());
        assert!(path.value(&Value::Text(" ".to_owned())) == Ok(Value::Null));
    }
}
