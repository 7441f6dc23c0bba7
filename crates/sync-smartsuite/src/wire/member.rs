//! The workspace's members.

use serde_json::Value;
use sync_core::{port::MemberPage, table::Member};

/// Reads a page; nothing if there is no list of members, which must not pass for a workspace without any.
pub(crate) fn read(body: &str) -> Option<MemberPage> {
    let json: Value = serde_json::from_str(body).ok()?;
    let items = json.as_array().or_else(|| json.get("items")?.as_array())?;
    let total = json.get("total").and_then(Value::as_u64);
    Some(MemberPage {
        members: items.iter().filter_map(member).collect(),
        received: items.len(),
        total: total.unwrap_or(items.len() as u64),
    })
}

/// Nothing for those who left, and for system members (forms, automations), which have no address.
fn member(json: &Value) -> Option<Member> {
    let id = json.get("id")?.as_str().filter(|id| !id.is_empty())?;
    let left = json.get("deleted_date").is_some_and(|date| {
        date.as_str().or_else(|| date.get("date")?.as_str()).is_some_and(|date| !date.is_empty())
    });
    let emails: Vec<String> = match json.get("email")? {
        Value::String(email) => vec![email.clone()],
        Value::Array(emails) => {
            emails.iter().filter_map(Value::as_str).map(str::to_owned).collect()
        }
        _ => Vec::new(),
    };
    let emails: Vec<String> = emails.into_iter().filter(|email| !email.is_empty()).collect();
    (!left && !emails.is_empty()).then(|| Member { id: id.to_owned(), emails })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn members_with_an_address_are_read_and_all_are_counted() {
        let body = json!({ "items": [
            { "id": "m1", "email": ["a@x.org", "b@x.org"], "deleted_date": null },
            { "id": "m2", "email": "c@x.org", "deleted_date": { "date": null } },
            { "id": "m3", "email": ["d@x.org"], "deleted_date": { "date": "2024-07-29T09:27:44Z" } },
            { "id": "m4", "email": [] }, { "email": ["e@x.org"] }, null,
        ], "total": 40, "offset": 0, "limit": 1000 });
        let page = read(&body.to_string()).unwrap();
        assert_eq!((page.received, page.total), (6, 40));
        let found: Vec<_> =
            page.members.iter().map(|member| (&*member.id, member.emails.join(" "))).collect();
        assert_eq!(found, [("m1", "a@x.org b@x.org".to_owned()), ("m2", "c@x.org".to_owned())]);
    }

    #[test]
    fn no_list_of_members_is_no_workspace_without_any() {
        for body in ["", "{}", "null", "<html>", r#"{"items": {}}"#] {
            assert_eq!(read(body), None, "{body}");
        }
    }
}
