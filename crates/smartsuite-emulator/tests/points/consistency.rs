//! Points 40 and 41: concurrent writes, and what a read sees after a write.

use serde_json::json;

use crate::service::{Service, at, service, titles};

#[test]
fn two_patches_of_different_fields_both_survive() {
    let mut service = service();
    let id = service.id(&json!({"stext": "a", "snumber": 1}));
    // Both writers have read the same state; each sends only its own field.
    service.update(&id, &json!({"stext": "b"})).ok();
    service.update(&id, &json!({"snumber": 2})).ok();
    let record = service.read(&id).ok();
    assert_eq!((&record["stext"], &record["snumber"]), (&json!("b"), &json!("2")));
}

#[test]
fn a_request_is_applied_whole_or_not_at_all() {
    let mut service = service();
    let id = service.id(&json!({"stext": "before"}));
    assert_eq!(service.update(&id, &json!({"stext": "after", "snumber": "x"})).status, 400);
    assert_eq!(service.read(&id).ok()["stext"], "before");
}

#[test]
fn lists_see_a_write_at_once_or_after_their_lag_and_a_single_read_always_does() {
    for (mut service, at_once) in
        [(at("list_lag_ms", "0"), true), (at("list_lag_ms", "1500"), false)]
    {
        let kept = service.id(&json!({"title": "old"}));
        service.pass(2.0);
        let new = service.id(&json!({"title": "new"}));
        service.update(&kept, &json!({"title": "renamed"})).ok();
        let now = |new: &[&str], old: &[&str]| {
            if at_once { new.to_vec() } else { old.to_vec() }.join(",")
        };
        let all =
            |service: &mut Service| titles(&service.list("", &json!({})).ok()["items"]).join(",");
        assert_eq!(all(&mut service), now(&["renamed", "new"], &["old"]));
        let found = service.titles("title", "is", &json!("new")).join(",");
        assert_eq!(found, now(&["new"], &[]));
        let found = service.titles("title", "is", &json!("old")).join(",");
        assert_eq!(found, now(&[], &["old"]));
        assert_eq!(service.read(&new).ok()["title"], "new");
        assert_eq!(service.read(&kept).ok()["title"], "renamed");
        service.delete(&new).ok();
        service.pass(1.5);
        assert_eq!(all(&mut service), "renamed");
        assert_eq!(service.titles("title", "is", &json!("renamed")), ["renamed"]);
    }
}
