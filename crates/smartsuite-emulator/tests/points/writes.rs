//! Points 23 to 28: records made and changed.

use serde_json::{Value, json};
use smartsuite_emulator::DEMO_MEMBER;

use crate::service::{Service, at, service, titles, with};

#[test]
fn ids_and_autonumbers_are_never_used_again_and_rankings_rise() {
    let mut service = service();
    let records: Vec<Value> = (0..3).map(|_| service.create(&json!({})).ok()).collect();
    service.delete(records[2]["id"].as_str().unwrap()).ok();
    service.pass(100.0 * 86_400.0);
    let next = service.create(&json!({})).ok();
    assert_eq!(next["autonumber"], 4, "the third was purged, its number stays used");
    let ranking = |record: &Value| record["ranking"]["default"].as_str().unwrap().to_owned();
    for pair in [&records[..], &[next]].concat().windows(2) {
        assert!(ranking(&pair[0]) < ranking(&pair[1]));
        let id = pair[1]["id"].as_str().unwrap();
        assert!(id.len() == 24 && id.bytes().all(|byte| byte.is_ascii_hexdigit()), "{id}");
        assert_ne!(pair[0]["id"], pair[1]["id"]);
    }
}

#[test]
fn a_list_is_in_the_order_of_creation() {
    let mut service = service();
    for title in ["b", "a", "c"] {
        service.id(&json!({"title": title}));
    }
    assert_eq!(titles(&service.list("", &json!({})).ok()["items"]), ["b", "a", "c"]);
}

#[test]
fn an_unknown_slug_is_ignored_or_refused() {
    for (mut service, status) in
        [(at("unknown_slug", "ignore"), 200), (at("unknown_slug", "refuse"), 400)]
    {
        let answer = service.create(&json!({"snowhere01": "x"}));
        assert_eq!(answer.status, status);
        assert_eq!(answer.json.get("snowhere01").is_some(), status == 400);
    }
}

#[test]
fn a_read_only_slug_is_ignored_or_refused() {
    for (mut service, status) in
        [(at("read_only_slug", "ignore"), 200), (at("read_only_slug", "refuse"), 400)]
    {
        for (slug, value) in [
            ("autonumber", json!(99)),
            ("first_created", json!({"on": "2020-01-01T00:00:00Z"})),
            ("scount", json!("9")),
            ("sformula", json!("x")),
            ("svote", json!({})),
            ("srecordid", json!("x")),
            ("ranking", json!({"default": "zz"})),
        ] {
            let answer = service.create(&json!({slug: value}));
            assert_eq!(answer.status, status, "{slug}");
            if status == 200 {
                assert_ne!(answer[slug], value, "{slug}");
            }
        }
    }
}

#[test]
fn a_null_clears_every_type_or_only_those_that_read_so() {
    for (mut service, array) in
        [(at("null_values", "clear"), 200), (at("null_values", "scalars_only"), 400)]
    {
        let id = service.id(&json!({"stext": "x", "snumber": 1, "semail": ["a@example.com"]}));
        assert_eq!(service.update(&id, &json!({"stext": null, "snumber": null})).status, 200);
        assert_eq!(service.update(&id, &json!({"semail": null})).status, array);
        let record = service.read(&id).ok();
        assert_eq!((&record["stext"], &record["snumber"]), (&json!(""), &Value::Null));
        let kept = if array == 200 { json!([]) } else { json!(["a@example.com"]) };
        assert_eq!(record["semail"], kept);
    }
}

#[test]
fn a_refused_value_has_the_status_its_switch_says() {
    for (mut service, status) in [
        (at("validation_status", "bad_request"), 400),
        (at("validation_status", "unprocessable"), 422),
    ] {
        let answer = service.create(&json!({"snumber": "many"}));
        let said = json!({"snumber": ["A valid number is required."]});
        assert_eq!((answer.status, answer.json), (status, said));
    }
}

#[test]
fn a_single_create_demands_required_fields_with_the_status_its_switch_says() {
    for (mut service, status) in
        [(at("required_status", "unprocessable"), 422), (at("required_status", "bad_request"), 400)]
    {
        for body in [json!({}), json!({"title": ""}), json!({"title": null})] {
            let answer = service.post(&Service::in_table("records/"), &body);
            let said = json!({"title": ["This field is required."]});
            assert_eq!((answer.status, answer.json), (status, said), "{body}");
        }
    }
}

#[test]
fn a_single_write_enforces_unique_or_does_not() {
    for (mut service, status) in
        [(at("unique_single", "on"), 422), (at("unique_single", "off"), 200)]
    {
        let first = service.id(&json!({"sunique": "one"}));
        assert_eq!(service.create(&json!({"sunique": "one"})).status, status);
        assert_eq!(service.update(&first, &json!({"sunique": "one"})).status, 200, "its own");
        let second = service.id(&json!({"sunique": "two"}));
        assert_eq!(service.update(&second, &json!({"sunique": "one"})).status, status);
        service.delete(&first).ok();
        service.id(&json!({"sunique": "three"}));
    }
}

fn bulk(service: &mut Service, items: &Value) -> u16 {
    service.post(&Service::in_table("records/bulk/"), &json!({"items": items})).status
}

#[test]
fn a_bulk_create_enforces_unique_or_does_not() {
    for (mut service, status) in [(at("unique_bulk", "off"), 200), (at("unique_bulk", "on"), 422)] {
        service.id(&json!({"sunique": "one"}));
        let item = |unique: &str| json!({"title": "x", "sunique": unique});
        assert_eq!(bulk(&mut service, &json!([item("one")])), status, "against the table");
        assert_eq!(bulk(&mut service, &json!([item("two"), item("two")])), status, "in the call");
    }
}

#[test]
fn a_bulk_create_enforces_required_or_does_not() {
    for (mut service, status) in
        [(at("required_bulk", "off"), 200), (at("required_bulk", "on"), 422)]
    {
        assert_eq!(bulk(&mut service, &json!([{"stext": "untitled"}])), status);
    }
}

#[test]
fn a_create_applies_the_defaults_of_what_it_leaves_out() {
    let mut service = service();
    let record = service.create(&json!({})).ok();
    assert_eq!(record["sstatus"], json!({"value": "backlog", "updated_on": null}));
    let record = service.create(&json!({"sstatus": {"value": "complete"}})).ok();
    assert_eq!(record["sstatus"]["value"], "complete");
    assert!(record["sstatus"]["updated_on"].is_string());
}

#[test]
fn a_patch_changes_what_it_names_and_a_put_clears_the_rest() {
    let mut service = service();
    let id = service.id(&json!({"stext": "kept", "snumber": 1}));
    let before = service.read(&id).ok();
    let patched = service.update(&id, &json!({"snumber": 2})).ok();
    assert_eq!((&patched["stext"], &patched["snumber"]), (&json!("kept"), &json!("2")));
    let path = Service::in_table(&format!("records/{id}/"));
    let put = service.send("PUT", &path, &json!({"title": "Replaced"})).ok();
    assert_eq!((&put["stext"], &put["snumber"]), (&json!(""), &Value::Null));
    for system in ["id", "autonumber", "ranking"] {
        assert_eq!(put[system], before[system], "{system}");
    }
    let bulk = json!({"items": [{"id": id, "title": "Again", "stext": "x"}]});
    service.send("PUT", &Service::in_table("records/bulk/"), &bulk).ok();
    assert_eq!(service.read(&id).ok()["title"], "Again");
}

#[test]
fn a_write_that_changes_nothing_moves_last_updated_or_does_not() {
    for (mut service, moves) in [(at("noop_bumps", "on"), true), (at("noop_bumps", "off"), false)] {
        let id = service.id(&json!({"stext": "same"}));
        let stamp = |service: &mut Service| service.read(&id).ok()["last_updated"]["on"].clone();
        let first = stamp(&mut service);
        service.pass(60.0);
        service.update(&id, &json!({"stext": "same"})).ok();
        assert_eq!(stamp(&mut service) != first, moves);
        service.update(&id, &json!({"stext": "other"})).ok();
        assert_ne!(stamp(&mut service), first);
    }
}

#[test]
fn a_write_answers_with_every_field_and_microseconds_that_reads_round_away() {
    let mut service = with(&[("read_empties", "omitted")]);
    let made = service.create(&json!({})).ok();
    for (slug, empty) in [
        ("stext", json!("")),
        ("snumber", Value::Null),
        ("semail", json!([])),
        ("sdate", json!({"date": null, "include_time": false})),
        ("syesno", json!(false)),
        ("deleted_date", json!({"date": null, "include_time": false})),
    ] {
        assert_eq!(made[slug], empty, "{slug}");
    }
    assert_eq!(made["first_created"]["by"], DEMO_MEMBER);
    let exact: Vec<String> = (0..20)
        .map(|_| {
            let made = service.create(&json!({})).ok();
            made["last_updated"]["on"].as_str().unwrap().to_owned()
        })
        .collect();
    assert!(exact.iter().any(|on| !on.ends_with("000Z")), "{exact:?}");
    let read = service.list("", &json!({})).ok();
    for record in read["items"].as_array().unwrap() {
        let on = record["last_updated"]["on"].as_str().unwrap();
        assert!(on.ends_with("000Z") && on.len() == "2024-07-29T09:27:44.058000Z".len(), "{on}");
    }
}

#[test]
fn the_times_of_a_new_record_are_one_or_milliseconds_apart() {
    for (mut service, apart) in
        [(at("stamps_apart_ms", "0"), 0), (at("stamps_apart_ms", "400"), 400)]
    {
        let made = service.create(&json!({})).ok();
        let on =
            |name: &str| made[name]["on"].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
        let gap = on("last_updated").duration_since(on("first_created"));
        assert_eq!(gap.as_millis(), apart, "{made}");
    }
}

#[test]
fn a_title_that_is_made_from_a_template_overwrites_what_was_sent() {
    let title = json!({
        "primary": true, "is_auto_generated": true, "template": "[[autonumber]] - [[stext]]",
    });
    let table =
        smartsuite_emulator::TableSeed::new("6500000000000000000000d9".parse().unwrap(), "Auto")
            .field("title", "Title", "recordtitlefield", title)
            .field("stext", "Text", "textfield", json!({}));
    let mut service = Service::of(crate::service::builder().table(table));
    let path = "applications/6500000000000000000000d9/records/";
    let made = service.post(path, &json!({"title": "Mine", "stext": "words"})).ok();
    assert_eq!(made["title"], "1 - words");
}
