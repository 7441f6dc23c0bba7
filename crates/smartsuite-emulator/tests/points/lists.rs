//! Points 29 to 31, 33 and 34: empties, paging, order, hydration.

use serde_json::{Value, json};
use smartsuite_emulator::{DEMO_MEMBER, DEMO_PERSON};

use crate::service::{Service, THERE, at, service, titles};

#[test]
fn reads_show_empty_values_as_their_switch_says() {
    for (mut service, written_empty, never_written) in [
        (at("read_empties", "omitted"), false, false),
        (at("read_empties", "mixed"), true, false),
        (at("read_empties", "explicit"), true, true),
    ] {
        let id = service.id(&json!({"stext": ""}));
        let listed = service.list("", &json!({})).ok()["items"][0].clone();
        for record in [service.read(&id).ok(), listed] {
            assert_eq!(record.get("stext").is_some(), written_empty);
            assert_eq!(record.get("sarea").is_some(), never_written);
            assert!(record.get("deleted_date").is_some(), "always there");
        }
    }
}

/// An emulator with so many records, titled 1 to n.
fn filled(mut service: Service, records: usize) -> Service {
    for first in (1..=records).step_by(25) {
        let last = records.min(first + 24);
        let items: Vec<Value> =
            (first..=last).map(|number| json!({"title": number.to_string()})).collect();
        service.post(&Service::in_table("records/bulk/"), &json!({"items": items})).ok();
    }
    service
}

#[test]
fn offset_and_limit_come_from_the_query_alone() {
    let mut service = filled(service(), 5);
    let page = service.list("?offset=1&limit=2", &json!({})).ok();
    assert_eq!(titles(&page["items"]), ["2", "3"]);
    assert_eq!(
        (&page["total"], &page["offset"], &page["limit"]),
        (&json!(5), &json!(1), &json!(2))
    );
    assert_eq!(page["time"], "2026-03-10T12:00:00.000000Z");
    let ignored = service.list("", &json!({"offset": 1, "limit": 2})).ok();
    assert_eq!(ignored["items"].as_array().unwrap().len(), 5);
    let past = service.list("?offset=5&limit=2", &json!({})).ok();
    assert_eq!((&past["items"], &past["total"]), (&json!([]), &json!(5)));
    assert_eq!(service.list("?limit=many", &json!({})).status, 400);
    assert_eq!(
        service.raw("POST", &format!("/api/v1/{}", Service::in_table("records/list/")), b"").status,
        200
    );
}

#[test]
fn a_list_without_a_limit_holds_everything_or_the_first_hundred() {
    for (service, items, limit) in
        [(at("list_default", "all"), 120, 0), (at("list_default", "first_hundred"), 100, 100)]
    {
        let all = filled(service, 120).list("", &json!({})).ok();
        assert_eq!(all["items"].as_array().unwrap().len(), items);
        assert_eq!((&all["total"], &all["limit"]), (&json!(120), &json!(limit)));
    }
}

#[test]
fn a_limit_above_a_thousand_is_refused_or_cut() {
    for (mut service, status) in
        [(at("list_over_limit", "refuse"), 400), (at("list_over_limit", "cap"), 200)]
    {
        let answer = service.list("?limit=1001", &json!({}));
        assert_eq!(answer.status, status);
        if status == 200 {
            assert_eq!(answer["limit"], 1000);
        }
        assert_eq!(service.list("?limit=1000", &json!({})).status, 200);
    }
}

#[test]
fn the_offset_of_an_answer_is_the_requests_or_the_next() {
    for (service, offset) in [(at("list_offset", "echo"), 1), (at("list_offset", "next"), 3)] {
        let page = filled(service, 5).list("?offset=1&limit=2", &json!({})).ok();
        assert_eq!(page["offset"], offset);
    }
}

#[test]
fn deleted_records_are_listed_only_on_demand() {
    let mut service = filled(service(), 2);
    let first = service.list("?limit=1", &json!({})).ok()["items"][0]["id"].clone();
    service.delete(first.as_str().unwrap()).ok();
    assert_eq!(titles(&service.list("", &json!({})).ok()["items"]), ["2"]);
    let all = service.list("?all=true", &json!({})).ok();
    assert_eq!(titles(&all["items"]), ["1", "2"]);
    assert!(all["items"][0]["deleted_date"]["date"].is_string());
    assert!(all["items"][1]["deleted_date"]["date"].is_null());
}

#[test]
fn a_list_may_name_ids_and_trims_fields_where_its_switch_says_so() {
    for (service, keys) in [(at("fields_query", "off"), false), (at("fields_query", "on"), true)] {
        let mut service = filled(service, 3);
        let all = service.list("", &json!({})).ok();
        let second = all["items"][1]["id"].clone();
        let one = service.list("?fields=title", &json!({"ids": [second]})).ok();
        assert_eq!(one["total"], 1);
        let trimmed = one["items"][0] == json!({"id": second, "title": "2"});
        assert_eq!(trimmed, keys);
    }
}

#[test]
fn pages_shift_when_records_come_and_go_between_them() {
    let mut service = filled(service(), 4);
    let first = service.list("?offset=0&limit=2", &json!({})).ok();
    service.delete(first["items"][0]["id"].as_str().unwrap()).ok();
    let second = service.list("?offset=2&limit=2", &json!({})).ok();
    assert_eq!(titles(&first["items"]), ["1", "2"]);
    assert_eq!(titles(&second["items"]), ["4"], "3 slipped onto the page that was already read");
}

fn sorted(service: &mut Service, keys: &[(&str, &str)]) -> Vec<String> {
    let keys: Vec<Value> = keys
        .iter()
        .map(|(field, direction)| json!({"field": field, "direction": direction}))
        .collect();
    titles(&service.list("", &json!({"sort": keys})).ok()["items"])
}

#[test]
fn records_sort_by_type_by_several_keys_and_then_by_rank() {
    let mut service = service();
    for (title, number, choice, date) in [
        ("a", "10", "iNa0T", "2026-01-02T00:00:00Z"),
        ("b", "9", "aCt1V", "2026-01-01T00:00:00Z"),
        ("c", "10", "aCt1V", "2025-12-31T00:00:00Z"),
        ("d", "-1", "iNa0T", "2026-01-03T00:00:00Z"),
    ] {
        service.id(&json!({"title": title, "snumber": number, "ssingle": choice, "sdate": date}));
    }
    for (keys, order) in [
        (&[("snumber", "asc")][..], ["d", "b", "a", "c"]),
        (&[("snumber", "desc")], ["a", "c", "b", "d"]),
        (&[("ssingle", "asc")], ["b", "c", "a", "d"]),
        (&[("sdate", "desc")], ["d", "a", "b", "c"]),
        (&[("ssingle", "desc"), ("snumber", "asc")], ["d", "a", "b", "c"]),
        (&[("title", "desc")], ["d", "c", "b", "a"]),
        (&[("autonumber", "asc")], ["a", "b", "c", "d"]),
    ] {
        assert_eq!(sorted(&mut service, keys), order, "{keys:?}");
    }
    for wrong in [
        json!({"sort": {}}),
        json!({"sort": [{"field": "snowhere", "direction": "asc"}]}),
        json!({"sort": [{"field": "title", "direction": "up"}]}),
        json!({"sort": [{"field": "title"}]}),
    ] {
        assert_eq!(service.list("", &wrong).status, 400, "{wrong}");
    }
}

#[test]
fn empty_values_sort_last_or_first_in_both_directions() {
    for (mut service, up, down) in [
        (at("nulls", "last"), ["1", "2", "-"], ["2", "1", "-"]),
        (at("nulls", "first"), ["-", "1", "2"], ["-", "2", "1"]),
    ] {
        service.id(&json!({"title": "-"}));
        service.id(&json!({"title": "2", "snumber": 2}));
        service.id(&json!({"title": "1", "snumber": 1}));
        assert_eq!(sorted(&mut service, &[("snumber", "asc")]), up);
        assert_eq!(sorted(&mut service, &[("snumber", "desc")]), down);
    }
}

#[test]
fn hydration_shows_labels_and_members_in_lists_and_single_reads() {
    let mut service = at("read_empties", "explicit");
    let id = service.id(&json!({
        "ssingle": "aCt1V", "smultiple": ["iNa0T"], "stags": ["aCt1V"],
        "sstatus": {"value": "complete"}, "suser": [DEMO_PERSON], "slink": [THERE],
    }));
    let hydrated = service.get(&Service::in_table(&format!("records/{id}/?hydrated=true"))).ok();
    let in_body = service.list("", &json!({"hydrated": true})).ok()["items"][0].clone();
    let in_query = service.list("?hydrated=true", &json!({})).ok()["items"][0].clone();
    assert_eq!((&hydrated, &hydrated), (&in_body, &in_query));
    for (pointer, value) in [
        ("/ssingle", json!({"label": "Active", "value": "aCt1V"})),
        ("/sopen", json!({"label": "", "value": ""})),
        ("/smultiple", json!([{"label": "Inactive", "value": "iNa0T"}])),
        ("/stags", json!([{"label": "Active", "value": "aCt1V"}])),
        ("/sstatus/label", json!("Complete")),
        ("/suser/0/full_name/first_name", json!("Pat")),
        ("/first_created/by/id", json!(DEMO_MEMBER)),
        ("/last_updated/by/email", json!(["sync@example.com"])),
        ("/slink", json!([THERE])),
    ] {
        assert_eq!(hydrated.pointer(pointer), Some(&value), "{pointer}");
    }
    let plain = service.read(&id).ok();
    assert_eq!((&plain["ssingle"], &plain["suser"]), (&json!("aCt1V"), &json!([DEMO_PERSON])));
    assert_eq!(plain["first_created"]["by"], DEMO_MEMBER);
}

#[test]
fn a_view_reads_the_table_with_or_without_its_empty_values() {
    let mut service = filled(service(), 2);
    for (query, has_empty) in [("", true), ("&with_empty_values=false", false)] {
        let path = Service::in_table(&format!("records-for-report/?report=65aa{query}"));
        let view = service.get(&path).ok();
        assert_eq!(
            (&view["total_records_count"], view["records"][0].get("stext").is_some()),
            (&json!(2), has_empty)
        );
    }
    assert_eq!(service.get(&Service::in_table("records-for-report/")).status, 400);
}
