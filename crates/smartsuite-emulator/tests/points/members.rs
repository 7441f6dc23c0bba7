//! Point 43: members, teams, comments.

use serde_json::{Value, json};
use smartsuite_emulator::{DEMO_MEMBER, DEMO_PERSON};

use crate::service::{NOBODY, service};

#[test]
fn members_are_listed_in_pages_with_their_addresses_and_the_system_ones_too() {
    let mut service = service();
    let page =
        service.post("members/list/?offset=0&limit=1000", &json!({"sort": [], "filter": {}})).ok();
    assert_eq!(
        (&page["total"], &page["offset"], &page["limit"]),
        (&json!(4), &json!(0), &json!(1000))
    );
    assert_eq!(page["time"], "2026-03-10T12:00:00.000000Z");
    let person = page["items"].as_array().unwrap().iter().find(|m| m["id"] == DEMO_PERSON).unwrap();
    assert_eq!(
        (&person["email"], &person["timezone"]),
        (&json!(["pat@example.com"]), &json!("Europe/Berlin"))
    );
    assert_eq!(person["full_name"]["sys_root"], "Pat Person");
    let names: Vec<&Value> =
        page["items"].as_array().unwrap().iter().map(|m| &m["full_name"]["first_name"]).collect();
    assert!(names.contains(&&json!("Form")) && names.contains(&&json!("Automation")), "{names:?}");
    let second = service.post("members/list/?offset=1&limit=1", &json!({})).ok();
    assert_eq!((second["items"].as_array().unwrap().len(), &second["total"]), (1, &json!(4)));
    assert_eq!(service.post("members/list/?limit=x", &json!({})).status, 400);
}

#[test]
fn teams_are_listed_like_members() {
    let page = service().post("teams/list/", &json!({})).ok();
    assert_eq!((&page["items"][0]["name"], &page["total"]), (&json!("Everyone"), &json!(1)));
}

#[test]
fn comments_are_written_and_counted_on_their_record() {
    let mut service = service();
    let id = service.id(&json!({}));
    let doc = json!({"type": "doc", "content": [{"type": "paragraph", "content": [{"type": "text", "text": "Hi"}]}]});
    let body = json!({"record": id, "message": {"data": doc}});
    let made = service.post(&format!("comments/?record={id}"), &body).ok();
    assert_eq!((&made["member"], &made["message"]["preview"]), (&json!(DEMO_MEMBER), &json!("Hi")));
    let all = service.get(&format!("comments/?record={id}")).ok();
    assert_eq!((&all["count"], all["results"].as_array().unwrap().len()), (&Value::Null, 1));
    assert_eq!(service.read(&id).ok()["comments_count"], 1);
    assert_eq!(service.get(&format!("comments/?record={NOBODY}")).status, 404);
    assert_eq!(service.post("comments/", &json!({"message": {"html": "x"}})).status, 400);
}
