//! Point 39: up to 25 records at once.

use serde_json::{Value, json};

use crate::service::{Answer, NOBODY, Service, at, service, titles, with};

fn bulk(service: &mut Service, method: &str, items: &Value) -> Answer {
    service.send(method, &Service::in_table("records/bulk/"), &json!({"items": items}))
}

fn bulk_delete(service: &mut Service, query: &str, ids: &[&str]) -> Answer {
    service
        .patch(&Service::in_table(&format!("records/bulk_delete/{query}")), &json!({"items": ids}))
}

#[test]
fn more_than_25_items_are_refused_and_nothing_is_done() {
    let mut service = service();
    let items = |count: usize| json!(vec![json!({"title": "x"}); count]);
    assert_eq!(bulk(&mut service, "POST", &items(26)).status, 422);
    assert_eq!(service.count(), 0);
    let made = bulk(&mut service, "POST", &items(25)).ok();
    let mut ids: Vec<&str> =
        made.as_array().unwrap().iter().map(|record| record["id"].as_str().unwrap()).collect();
    ids.push(ids[0]);
    let updates: Vec<Value> = ids.iter().map(|id| json!({"id": id, "stext": "x"})).collect();
    assert_eq!(bulk(&mut service, "PATCH", &json!(updates)).status, 422);
    assert_eq!(bulk_delete(&mut service, "", &ids).status, 422);
    assert_eq!(service.count(), 25);
    assert_eq!(service.titles("stext", "is_not_empty", &Value::Null), Vec::<String>::new());
}

#[test]
fn a_bulk_answer_has_the_shape_its_switch_says() {
    for (mut service, pointer) in [
        (at("bulk_answer", "array"), ""),
        (at("bulk_answer", "items"), "/items"),
        (at("bulk_answer", "outcomes"), "/successful_items"),
    ] {
        let made = bulk(&mut service, "POST", &json!([{"title": "a"}, {"title": "b"}])).ok();
        let records = made.pointer(pointer).unwrap();
        assert_eq!(titles(records), ["a", "b"]);
        let update = json!([{"id": records[0]["id"], "title": "c"}]);
        let changed = bulk(&mut service, "PATCH", &update).ok();
        assert_eq!(titles(changed.pointer(pointer).unwrap()), ["c"]);
        assert_eq!(changed.get("failed_items").is_some(), pointer == "/successful_items");
    }
}

#[test]
fn a_bulk_answer_is_in_the_order_of_the_request_or_in_another() {
    for (mut service, is_input) in
        [(at("bulk_order", "input"), true), (at("bulk_order", "shuffled"), false)]
    {
        let wanted: Vec<String> = (0..25).map(|number| number.to_string()).collect();
        let items: Vec<Value> = wanted.iter().map(|title| json!({"title": title})).collect();
        let made = titles(&bulk(&mut service, "POST", &json!(items)).ok());
        assert_eq!(made == wanted, is_input);
        let (mut made, mut wanted) = (made, wanted);
        made.sort();
        wanted.sort();
        assert_eq!(made, wanted);
    }
}

#[test]
fn a_bad_item_refuses_the_call_or_only_itself_or_what_follows_it() {
    let items = json!([{"title": "a"}, {"title": "bad", "snumber": "x"}, {"title": "c"}]);
    for (mut service, status, written) in [
        (with(&[("bulk_bad_item", "refuse_all"), ("bulk_answer", "outcomes")]), 400, &[][..]),
        (with(&[("bulk_bad_item", "partial"), ("bulk_answer", "outcomes")]), 200, &["a", "c"]),
        (
            with(&[("bulk_bad_item", "partial_then_refuse"), ("bulk_answer", "outcomes")]),
            400,
            &["a"],
        ),
    ] {
        let answer = bulk(&mut service, "POST", &items);
        assert_eq!(answer.status, status);
        assert_eq!(titles(&service.list("", &json!({})).ok()["items"]), written);
        if status == 200 {
            assert_eq!(answer["failed_items"][0]["index"], 1);
            assert!(answer["failed_items"][0]["reason"]["snumber"].is_array());
        }
    }
    let mut service = service();
    let id = service.id(&json!({"stext": "before"}));
    let updates = json!([{"id": id, "stext": "after"}, {"id": id, "snumber": "x"}]);
    assert_eq!(bulk(&mut service, "PATCH", &updates).status, 400);
    assert_eq!(service.read(&id).ok()["stext"], "before");
}

#[test]
fn a_refused_bulk_call_names_the_item_or_only_the_field() {
    let said = json!({"snumber": ["A valid number is required."]});
    for (mut service, body) in [
        (at("bulk_errors", "items_object"), json!({"items": [{}, said]})),
        (at("bulk_errors", "aligned_array"), json!([{}, said])),
        (at("bulk_errors", "fields_only"), said.clone()),
    ] {
        let answer = bulk(&mut service, "POST", &json!([{"title": "a"}, {"snumber": "x"}]));
        assert_eq!((answer.status, answer.json), (400, body));
    }
}

#[test]
fn an_update_without_an_id_is_400_on_its_item() {
    let mut service = service();
    let id = service.id(&json!({"stext": "before"}));
    let answer =
        bulk(&mut service, "PATCH", &json!([{"id": id, "stext": "after"}, {"stext": "x"}]));
    assert_eq!(
        (answer.status, &answer["items"][1]["id"]),
        (400, &json!(["This field is required."]))
    );
    assert_eq!(service.read(&id).ok()["stext"], "before");
}

#[test]
fn an_unknown_id_in_an_update_refuses_the_call_or_is_left_out() {
    for (mut service, status, text) in [
        (at("bulk_unknown_id", "refuse_all"), 404, "before"),
        (at("bulk_unknown_id", "skip"), 200, "after"),
    ] {
        let id = service.id(&json!({"stext": "before"}));
        let updates = json!([{"id": id, "stext": "after"}, {"id": NOBODY, "stext": "after"}]);
        assert_eq!(bulk(&mut service, "PATCH", &updates).status, status);
        assert_eq!(service.read(&id).ok()["stext"], text);
    }
}

#[test]
fn an_unknown_id_in_a_delete_is_left_out_or_refuses_the_call() {
    for (mut service, status, left) in [
        (at("bulk_delete_unknown", "skip"), 200, 0),
        (at("bulk_delete_unknown", "refuse_all"), 404, 1),
    ] {
        let id = service.id(&json!({}));
        assert_eq!(bulk_delete(&mut service, "", &[&id, NOBODY]).status, status);
        assert_eq!(service.count(), left);
    }
}

#[test]
fn bulk_delete_trims_its_answer_on_demand() {
    let mut service = service();
    let (a, b) = (service.id(&json!({})), service.id(&json!({})));
    let trimmed = bulk_delete(&mut service, "?fields=id", &[&a]).ok();
    let keys: Vec<&String> = trimmed[0].as_object().unwrap().keys().collect();
    assert_eq!(keys, ["application_id", "application_slug", "deleted_date", "id"]);
    let full = bulk_delete(&mut service, "", &[&b, &b]).ok();
    assert_eq!(full.as_array().unwrap().len(), 1, "one id twice is one record");
    assert_eq!(full[0]["title"], "A record");
    assert_eq!(service.count(), 0);
}

#[test]
fn one_id_twice_in_an_update_is_applied_in_order_or_refused() {
    for (mut service, status, text) in [
        (at("bulk_duplicates", "apply"), 200, "second"),
        (at("bulk_duplicates", "refuse"), 400, "before"),
    ] {
        let id = service.id(&json!({"stext": "before"}));
        let updates = json!([{"id": id, "stext": "first"}, {"id": id, "stext": "second"}]);
        assert_eq!(bulk(&mut service, "PATCH", &updates).status, status);
        assert_eq!(service.read(&id).ok()["stext"], text);
    }
}

#[test]
fn a_bulk_call_may_be_empty_where_its_switch_says_so() {
    for (mut service, status) in [(at("empty_bulk", "off"), 400), (at("empty_bulk", "on"), 200)] {
        assert_eq!(bulk(&mut service, "POST", &json!([])).status, status);
        assert_eq!(bulk_delete(&mut service, "", &[]).status, status);
    }
    for wrong in [json!({}), json!({"items": {}}), json!([])] {
        let answer = service().post(&Service::in_table("records/bulk/"), &wrong);
        assert_eq!(answer.status, 400, "{wrong}");
    }
}

#[test]
fn records_are_deleted_by_the_method_delete_where_its_switch_says_so() {
    for (mut service, status) in
        [(at("bulk_delete_by_delete", "off"), 405), (at("bulk_delete_by_delete", "on"), 200)]
    {
        for body in [|id: &str| json!([{"id": id}]), |id: &str| json!({"ids": [id]})] {
            let id = service.id(&json!({}));
            let answer = service.send("DELETE", &Service::in_table("records/bulk/"), &body(&id));
            assert_eq!(answer.status, status);
            assert_eq!(service.read(&id).status, if status == 200 { 404 } else { 200 });
        }
    }
}
