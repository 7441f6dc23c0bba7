//! Points 51 and 52: what the service does not have, and how it says that it is not the service.

use serde_json::{Value, json};
use smartsuite_emulator::{DEMO_ACCOUNT, DEMO_PERSON, DEMO_SOLUTION, Profile, ProfileName};

use crate::service::{ELSEWHERE, NOBODY, Service, TABLE, THERE, at, service, titles};

#[test]
fn the_side_door_needs_no_key_counts_no_calls_and_is_not_below_the_api() {
    let mut service = at("rate_limit", "5");
    "wrong".clone_into(&mut service.token);
    for _ in 0..20 {
        assert_eq!(service.side_door("GET", "ready", &json!({})).ok()["emulator"], true);
    }
    assert_eq!(service.emulator.log().count(), 0);
    assert_eq!(service.raw("GET", "/api/v1/_emulator/ready", b"").status, 401);
    for (method, path) in [("GET", "nothing"), ("DELETE", "ready"), ("POST", "tables/x/dump")] {
        assert_eq!(service.side_door(method, path, &json!({})).status, 404);
    }
}

#[test]
fn a_reset_brings_the_seed_back_and_forgets_everything_else() {
    let mut service = service();
    service.id(&json!({"slink": [THERE]}));
    service.side_door("PATCH", "profile", &json!({"nulls": "first"})).ok();
    service.side_door("POST", "reset", &json!({})).ok();
    assert_eq!(service.emulator.log().count(), 0);
    assert_eq!(service.count(), 0);
    let profile = service.side_door("GET", "profile", &json!({})).ok();
    assert_eq!(profile["nulls"], "first", "positions stay");
    assert_eq!(service.create(&json!({})).ok()["autonumber"], 1);
}

#[test]
fn a_seed_is_added_or_refused_as_a_whole() {
    let seed = |solution: &str, tables: Value| {
        json!({"accounts": [{
            "id": "s7654321", "name": "Second", "members": [{"id": NOBODY}],
            "keys": [{"token": "other", "member": NOBODY}],
            "solutions": [{"id": solution, "name": "New", "tables": tables}],
        }]})
    };
    let table = json!({"id": "6500000000000000000000d8", "name": "Added", "records": [{"title": "Seeded"}]});
    let mut service = service();
    let broken = seed(ELSEWHERE, json!([table, {"id": TABLE, "name": "Twice"}]));
    let answer = service.side_door("POST", "seed", &broken);
    assert_eq!(answer.status, 400);
    assert!(answer["seed"][0].as_str().unwrap().contains("exists already"), "{}", answer.text);
    assert_eq!(
        service.side_door("GET", "tables/6500000000000000000000d8/dump", &json!({})).status,
        404
    );
    service.side_door("POST", "seed", &seed(ELSEWHERE, json!([table]))).ok();
    let dump = service.side_door("GET", "tables/6500000000000000000000d8/dump", &json!({})).ok();
    assert_eq!((&dump["count"], &dump["records"][0]["title"]), (&json!(1), &json!("Seeded")));
    "s7654321".clone_into(&mut service.account);
    "other".clone_into(&mut service.token);
    assert_eq!(service.get("applications/?fields=name").ok(), json!([{"name": "Added"}]));
    for wrong in [json!({}), json!({"accounts": [{}]}), seed("short", json!([]))] {
        assert_eq!(service.side_door("POST", "seed", &wrong).status, 400, "{wrong}");
    }
}

#[test]
fn the_clock_is_set_and_moved_and_what_is_due_happens() {
    let mut service = service();
    let id = service.id(&json!({}));
    service.delete(&id).ok();
    let moved = service.side_door("POST", "clock", &json!({"advance_seconds": 100 * 86_400})).ok();
    assert_eq!(
        (&moved["ahead_ms"], &moved["time"]),
        (&json!(8_640_000_000_i64), &json!("2026-06-18T12:00:00.000000Z"))
    );
    let bin = service.post("deleted-records/", &json!({"solution_id": DEMO_SOLUTION})).ok();
    assert_eq!(bin, json!([]));
    service.side_door("POST", "clock", &json!({"set": "2030-01-01T00:00:00Z"})).ok();
    service.side_door("POST", "clock", &json!({"advance_ms": 1500})).ok();
    let clock = service.side_door("GET", "clock", &json!({})).ok();
    assert_eq!(clock["time"], "2030-01-01T00:00:01.500000Z");
    let made = service.create(&json!({})).ok();
    assert!(made["last_updated"]["on"].as_str().unwrap().starts_with("2030-01-01T00:00:01"));
    for wrong in [json!({}), json!({"set": "soon"}), json!({"advance_ms": 1, "advance_seconds": 1})]
    {
        assert_eq!(service.side_door("POST", "clock", &wrong).status, 400, "{wrong}");
    }
    for extreme in [i64::MAX, i64::MIN] {
        service.side_door("POST", "clock", &json!({"advance_seconds": extreme})).ok();
        assert_eq!(service.get("solutions/").status, 200);
        assert_eq!(service.emulator.next_ping(), None);
        service.side_door("POST", "clock", &json!({"set": "2030-01-01T00:00:00Z"})).ok();
    }
}

#[test]
fn switches_are_changed_one_by_one_or_by_the_name_of_a_profile() {
    let mut service = service();
    let changed =
        service.side_door("PATCH", "profile", &json!({"profile": "strict", "nulls": "first"})).ok();
    let mut wanted = Profile::strict();
    wanted.set("nulls", "first").unwrap();
    assert_eq!(changed, serde_json::to_value(&wanted).unwrap());
    for wrong in
        [json!({"profile": "wild"}), json!({"nulls": "middle"}), json!({"nonsense": 1}), json!([])]
    {
        assert_eq!(service.side_door("PATCH", "profile", &wrong).status, 400, "{wrong}");
    }
    assert_eq!(service.side_door("GET", "profile", &json!({})).ok(), changed);
}

#[test]
fn every_named_profile_is_reached_by_its_name_and_survives_json() {
    for name in ProfileName::ALL {
        let profile = name.to_string().parse::<ProfileName>().unwrap().profile();
        let json = serde_json::to_value(&profile).unwrap();
        assert_eq!(serde_json::from_value::<Profile>(json).unwrap(), profile);
    }
    let error = "wild".parse::<ProfileName>().unwrap_err().to_string();
    assert!(error.contains("adversarial"), "{error}");
}

#[test]
fn a_person_creates_edits_copies_deletes_and_restores() {
    let mut service = service();
    let mut act = |action: &str, record: &Value, values: Value| {
        let body = json!({"action": action, "table": TABLE, "record": record, "values": values});
        service.side_door("POST", "people", &body)
    };
    let made = act("create", &Value::Null, json!({"title": "By hand", "stext": "a"})).ok();
    assert_eq!(made["first_created"]["by"], DEMO_PERSON);
    let edited = act("update", &made["id"], json!({"stext": "b"})).ok();
    assert_eq!((&edited["stext"], &edited["title"]), (&json!("b"), &json!("By hand")));
    let copy = act("copy", &made["id"], json!({"title": "Copy"})).ok();
    assert_ne!(copy["id"], made["id"]);
    assert_eq!((&copy["title"], &copy["stext"]), (&json!("Copy"), &json!("b")));
    act("delete", &made["id"], Value::Null).ok();
    assert_eq!(act("update", &made["id"], json!({})).status, 404);
    let restored = act("restore", &made["id"], Value::Null).ok();
    assert_eq!(restored["title"], "By hand (Restored)");
    assert_eq!(act("explode", &made["id"], Value::Null).status, 400);
    assert_eq!(act("create", &Value::Null, json!([])).status, 400);
    assert_eq!(titles(&service.list("", &json!({})).ok()["items"]), ["By hand (Restored)", "Copy"]);
    assert_eq!(service.emulator.counters().requests, 1, "a person is no API call");
}

#[test]
fn a_dump_shows_every_field_and_deleted_records_on_demand() {
    let mut service = service();
    let id = service.id(&json!({}));
    service.id(&json!({}));
    service.delete(&id).ok();
    for (query, count) in [("", 1), ("?all=true", 2)] {
        let dump =
            service.side_door("GET", &format!("tables/{TABLE}/dump{query}"), &json!({})).ok();
        assert_eq!(dump["count"], count);
        assert!(dump["records"][0].get("saddress").is_some());
    }
}

#[test]
fn the_months_calls_of_a_workspace_are_set_and_unknown_ones_refused() {
    let mut service = service();
    let set = |service: &mut Service, account: &str| {
        service.side_door("POST", "quota", &json!({"account": account, "used": 5})).status
    };
    assert_eq!((set(&mut service, DEMO_ACCOUNT), set(&mut service, "nowhere1")), (200, 404));
    assert_eq!(service.side_door("POST", "quota", &json!({"account": DEMO_ACCOUNT})).status, 400);
}

#[test]
fn every_answer_says_that_it_comes_from_an_emulator_unless_its_switch_says_otherwise() {
    for (mut service, header) in
        [(at("emulator_header", "on"), "smartsuite-emulator"), (at("emulator_header", "off"), "")]
    {
        for answer in
            [service.get("solutions/"), service.get("nowhere/"), service.raw("GET", "/", b"")]
        {
            assert_eq!(answer.header("x-emulator"), header);
        }
        assert_eq!(
            service.side_door("GET", "ready", &json!({})).header("x-emulator"),
            "smartsuite-emulator"
        );
    }
}
