//! API calls as the emulator's log has them, named for people.

use std::collections::BTreeMap;

use serde_json::Value;

/// One request that reached the emulator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Call {
    method: String,
    path: String,
}

impl Call {
    /// A call from an entry of the log.
    pub(crate) fn from_log(entry: &Value) -> Option<Self> {
        let path = entry["path"].as_str()?;
        Some(Self {
            method: entry["method"].as_str()?.to_owned(),
            path: path.split('?').next()?.trim_end_matches('/').to_owned(),
        })
    }

    /// Whether it may change something.
    pub(crate) fn writes(&self) -> bool {
        ["create", "update", "delete"].iter().any(|effect| self.kind().ends_with(effect))
    }

    /// What the call does.
    pub(crate) fn kind(&self) -> &'static str {
        let ends = |end: &str| self.path.ends_with(end);
        match self.method.as_str() {
            "POST" if ends("/records/bulk") => "bulk create",
            "PATCH" if ends("/records/bulk") => "bulk update",
            "PATCH" if ends("/records/bulk_delete") => "bulk delete",
            "POST" if ends("/records/list") => "list",
            "GET" if self.path.contains("/records/") => "record read",
            "GET" if self.path.contains("/applications/") => "structure read",
            "POST" if ends("/records") => "single create",
            "PATCH" | "PUT" if self.path.contains("/records/") => "single update",
            "DELETE" => "single delete",
            _ => "other call",
        }
    }
}

/// `3 API calls: 1 list, 2 bulk creates`.
pub(crate) fn summary(calls: &[Call]) -> String {
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    for call in calls {
        *kinds.entry(call.kind()).or_default() += 1;
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

    fn call(method: &str, path: &str) -> Call {
        Call::from_log(&json!({"method": method, "path": path})).unwrap()
    }

    #[test]
    fn calls_are_told_apart_by_method_and_path() {
        let table = "/api/v1/applications/t1";
        let kind = |method, path: &str| call(method, &format!("{table}{path}")).kind();
        assert_eq!(kind("POST", "/records/bulk/"), "bulk create");
        assert_eq!(kind("PATCH", "/records/bulk/"), "bulk update");
        assert_eq!(kind("PATCH", "/records/bulk_delete/?fields=id"), "bulk delete");
        assert_eq!(kind("POST", "/records/list/?limit=1000"), "list");
        assert_eq!(kind("POST", "/records/"), "single create");
        assert_eq!(kind("PATCH", "/records/r1/"), "single update");
        assert_eq!(kind("GET", "/"), "structure read");
        assert!(call("POST", "/records/").writes() && !call("POST", "/records/list/").writes());
    }

    #[test]
    fn a_summary_counts_by_kind() {
        assert_eq!(summary(&[]), "no API call");
        let list = call("POST", "/a/records/list/");
        let create = call("POST", "/a/records/bulk/");
        assert_eq!(summary(std::slice::from_ref(&list)), "1 API call: 1 list");
        assert_eq!(summary(&[create.clone(), list, create]), "3 API calls: 2 bulk creates, 1 list");
    }
}
