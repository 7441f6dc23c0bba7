//! API calls as the emulator's log has them, named for people.

use std::collections::BTreeMap;

use serde_json::Value;

/// One request that reached the emulator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Call {
    /// Its kind, in words: `bulk create`, `list`.
    pub(crate) kind: String,
    /// How many records it sent.
    pub(crate) items: u64,
    /// Whether it changed something.
    pub(crate) is_effective: bool,
}

impl Call {
    /// A call from an entry of the log.
    pub(crate) fn from_log(entry: &Value) -> Option<Self> {
        let route = entry.get("route")?.as_str()?;
        Some(Self {
            kind: if route == "table" {
                "structure read".to_owned()
            } else {
                route.replace('_', " ")
            },
            items: entry.get("items").and_then(Value::as_u64).unwrap_or_default(),
            is_effective: entry.get("effect")?.as_str()? != "none",
        })
    }
}

/// `3 API calls: 2 bulk creates, 1 list`.
pub(crate) fn summary(calls: &[Call]) -> String {
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    for call in calls {
        *kinds.entry(&call.kind).or_default() += 1;
    }
    let parts: Vec<String> = kinds.into_iter().map(|(kind, count)| counted(count, kind)).collect();
    match calls.len() {
        0 => "no API call".to_owned(),
        count => format!("{}: {}", counted(count, "API call"), parts.join(", ")),
    }
}

fn counted(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn call(route: &str) -> Call {
        Call::from_log(&json!({"route": route, "items": 5, "effect": "applied"})).unwrap()
    }

    #[test]
    fn an_entry_of_the_log_is_put_into_words() {
        let expected = Call { kind: "bulk create".to_owned(), items: 5, is_effective: true };
        assert_eq!(call("bulk_create"), expected);
        let read = Call::from_log(&json!({"route": "table", "effect": "none"})).unwrap();
        assert_eq!(
            (read.kind.as_str(), read.items, read.is_effective),
            ("structure read", 0, false)
        );
        assert_eq!(Call::from_log(&json!({"path": "/"})), None);
    }

    #[test]
    fn a_summary_counts_by_kind() {
        assert_eq!(summary(&[]), "no API call");
        assert_eq!(summary(&[call("list")]), "1 API call: 1 list");
        assert_eq!(
            summary(&[call("bulk_create"), call("list"), call("bulk_create")]),
            "3 API calls: 2 bulk creates, 1 list"
        );
    }
}
