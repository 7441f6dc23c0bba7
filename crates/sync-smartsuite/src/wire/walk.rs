//! Walks over JSON text, one element or member at a time: what is not wanted is never stored, so that an answer takes
//! little more memory than its bytes, whatever is in it.

use std::{fmt, marker::PhantomData};

use serde::{
    Deserializer,
    de::{MapAccess, SeqAccess, Visitor},
};
use serde_json::{Value, value::RawValue};

/// Calls `take` with each element of an array; an error if the text is not exactly one array.
pub(crate) fn elements<'a>(
    json: &'a str,
    take: impl FnMut(&'a RawValue),
) -> Result<(), serde_json::Error> {
    let mut reader = serde_json::Deserializer::from_str(json);
    reader.deserialize_seq(Elements(take, PhantomData))?;
    reader.end()
}

/// Calls `take` with the name and value of each member of an object; an error if the text is not exactly one object.
pub(crate) fn members<'a>(
    json: &'a str,
    take: impl FnMut(String, &'a RawValue),
) -> Result<(), serde_json::Error> {
    let mut reader = serde_json::Deserializer::from_str(json);
    reader.deserialize_map(Members(take, PhantomData))?;
    reader.end()
}

/// The tree of a small value; nothing for one that is large or broken. A tree of small objects takes some ninety
/// times its text, so only what is known to be small is loaded as one.
pub(crate) fn small_tree(json: &RawValue) -> Option<Value> {
    const SMALL_BYTES_MAX: usize = 64 * 1024;
    let json = json.get();
    (json.len() <= SMALL_BYTES_MAX).then(|| serde_json::from_str(json).ok()).flatten()
}

struct Elements<'a, F>(F, PhantomData<&'a str>);

impl<'a, F: FnMut(&'a RawValue)> Visitor<'a> for Elements<'a, F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'a>>(mut self, mut array: A) -> Result<(), A::Error> {
        while let Some(element) = array.next_element()? {
            (self.0)(element);
        }
        Ok(())
    }
}

struct Members<'a, F>(F, PhantomData<&'a str>);

impl<'a, F: FnMut(String, &'a RawValue)> Visitor<'a> for Members<'a, F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'a>>(mut self, mut object: A) -> Result<(), A::Error> {
        while let Some((name, value)) = object.next_entry()? {
            (self.0)(name, value);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(json: &str) -> Option<Vec<String>> {
        let mut seen = Vec::new();
        elements(json, |raw| seen.push(raw.get().to_owned())).ok().map(|()| seen)
    }

    #[test]
    fn elements_are_yielded_as_they_stand() {
        assert_eq!(list(r#" [1.50, {"a":[]} ,"x"] "#).unwrap(), ["1.50", r#"{"a":[]}"#, "\"x\""]);
        assert_eq!(list("[]").unwrap(), Vec::<String>::new());
    }

    #[test]
    fn what_is_cut_or_followed_by_more_is_an_error() {
        for json in ["", "[", "[1", "[1,]", "[1] [2]", "{}", "null", "[\"\\ud800", "<html>"] {
            assert_eq!(list(json), None, "{json}");
        }
        assert!(members(r#"{"a":1"#, |_, _| {}).is_err());
        assert!(members("[]", |_, _| {}).is_err());
    }

    #[test]
    fn depth_is_no_danger() {
        let deep = format!("[{}{}]", "[".repeat(100_000), "]".repeat(100_000));
        assert_eq!(list(&deep).unwrap().len(), 1);
    }
}
