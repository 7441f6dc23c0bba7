//! Points 13 and 14: faults before and after the effect, and the log of requests.

use serde_json::{Value, json};
use smartsuite_emulator::{Effect, FaultScript, Outcome, RouteKind};

use crate::service::{Service, answered, at, builder, service};

/// An emulator with a script.
fn faulty(script: &Value) -> Service {
    let script = FaultScript::from_json(script.to_string().as_bytes()).unwrap();
    Service::of(builder().faults(script))
}

/// What a connection saw of a create under one fault, and whether the record came about.
fn fate(fault: &Value, when: &str) -> (String, u64) {
    let mut service = faulty(&json!([{"fault": fault, "when": when, "route": "create"}]));
    let path = format!("/api/v1/{}", Service::in_table("records/"));
    let outcome = service.outcome("POST", &path, br#"{"title":"Ambiguous"}"#);
    let seen = match &outcome {
        Outcome::Answer { response, .. } => {
            let text = String::from_utf8_lossy(response.body());
            let challenge = if text.contains("Just a moment") { " challenge" } else { "" };
            let html = if text.starts_with("<!DOCTYPE html>") { " html" } else { "" };
            format!("{}{html}{challenge}", response.status().as_u16())
        }
        Outcome::Truncated { bytes, .. } => format!("{bytes} bytes"),
        Outcome::Reset { .. } => "reset".to_owned(),
        Outcome::Never => "silence".to_owned(),
        Outcome::Held { .. } => "held".to_owned(),
    };
    (seen, service.count())
}

#[test]
fn every_fault_strikes_before_the_effect_or_after_it() {
    for (fault, seen) in [
        (json!({"status": 500}), "500 html"),
        (json!({"status": 502}), "502 html"),
        (json!({"status": 503}), "503 html"),
        (json!({"status": 504}), "504 html"),
        (json!({"challenge": 403}), "403 html challenge"),
        (json!({"challenge": 503}), "503 html challenge"),
        (json!({"challenge": 200}), "200 html challenge"),
        (json!("reset"), "reset"),
        (json!("never"), "silence"),
        (json!({"truncate": 7}), "7 bytes"),
        (json!("rate_limit"), "429"),
    ] {
        assert_eq!(fate(&fault, "before"), (seen.to_owned(), 0), "{fault} before");
        assert_eq!(fate(&fault, "after"), (seen.to_owned(), 1), "{fault} after");
    }
}

#[test]
fn a_delay_comes_before_the_effect_or_between_it_and_the_answer() {
    let path = format!("/api/v1/{}", Service::in_table("records/"));
    let delay =
        |when: &str| json!([{"fault": {"delay_ms": 3000}, "when": when, "route": "create"}]);

    let mut service = faulty(&delay("before"));
    let outcome = service.outcome("POST", &path, br#"{"title":"Slow"}"#);
    let Outcome::Held { until, ticket } = outcome else { panic!("{outcome:?}") };
    assert_eq!(service.count(), 0);
    service.pass(2.0);
    assert!(matches!(service.emulator.collect(service.now, ticket), Outcome::Held { .. }));
    service.now = until;
    let outcome = service.emulator.collect(service.now, ticket);
    assert_eq!(answered(&outcome).ok()["title"], "Slow");
    assert_eq!(service.count(), 1);

    let mut service = faulty(&delay("after"));
    let outcome = service.outcome("POST", &path, br#"{"title":"Slow"}"#);
    let Outcome::Answer { after, .. } = outcome else { panic!("{outcome:?}") };
    assert_eq!((after.as_secs(), service.count()), (3, 1));
}

#[test]
fn a_late_effect_comes_long_after_its_connection_is_gone() {
    for (end, seen) in [("reset", "reset"), ("never", "silence"), ("gateway_timeout", "504 html")] {
        let fault = json!({"late": {"ms": 90_000, "end": end}});
        assert_eq!(fate(&fault, "before"), (seen.to_owned(), 0), "{end}");
    }
    let mut service = faulty(&json!([{"fault": {"late": {"ms": 90_000}}, "route": "create"}]));
    let path = format!("/api/v1/{}", Service::in_table("records/"));
    service.outcome("POST", &path, br#"{"title":"Late"}"#);
    service.pass(89.0);
    assert_eq!(service.count(), 0);
    service.pass(1.0);
    assert_eq!(service.count(), 1);
    let first = service.emulator.log().next().unwrap();
    assert_eq!((first.status, first.effect), (0, Effect::AppliedLate));
}

#[test]
fn a_short_answer_leaves_out_items_that_were_written() {
    let mut service = faulty(&json!({
        "fault": {"short_answer": 2}, "when": "after", "route": "bulk_create",
    }));
    let items = vec![json!({"title": "x"}); 5];
    let answer = service.post(&Service::in_table("records/bulk/"), &json!({"items": items}));
    assert_eq!(answer.ok().as_array().unwrap().len(), 3);
    assert_eq!(service.count(), 5);
}

#[test]
fn a_scripted_429_locks_the_key_out_like_any_other() {
    let script = json!([{"fault": "rate_limit", "route": "get"}]);
    let mut service = faulty(&script);
    let id = service.id(&json!({}));
    // Without a rate limit there is nothing to be locked out of.
    assert_eq!([service.read(&id).status, service.read(&id).status], [429, 200]);
    service.side_door("PATCH", "profile", &json!({"rate_limit": 5})).ok();
    service.side_door("POST", "faults", &script).ok();
    assert_eq!([service.read(&id).status, service.read(&id).status], [429, 429]);
    service.pass(30.0);
    assert_eq!(service.read(&id).status, 200);
}

#[test]
fn a_fault_strikes_by_route_method_path_count_and_place_in_the_order() {
    let mut service = faulty(&json!({"faults": [
        {"fault": {"status": 500}, "route": ["get", "update"], "skip": 1, "times": 2},
        {"fault": {"status": 502}, "method": "DELETE", "times": null},
        {"fault": {"status": 503}, "path_contains": "/members/"},
    ]}));
    let id = service.id(&json!({}));
    assert_eq!(service.read(&id).status, 200, "skipped");
    assert_eq!(service.update(&id, &json!({})).status, 500);
    assert_eq!(service.read(&id).status, 500);
    assert_eq!(service.read(&id).status, 200, "spent");
    for _ in 0..3 {
        assert_eq!(service.delete(&id).status, 502, "always");
    }
    assert_eq!(service.post("members/list/", &json!({})).status, 503);
    assert_eq!(service.post("members/list/", &json!({})).status, 200, "once unless told");
    assert_eq!(service.count(), 1);
}

#[test]
fn a_fault_strikes_by_what_the_body_holds_and_by_how_many_items() {
    let mut service = faulty(&json!([
        {"fault": {"status": 500}, "route": "bulk_create", "body_contains": "poison", "times": null},
        {"fault": {"status": 502}, "items_above": 2, "times": null},
    ]));
    let mut bulk = |titles: &[&str]| {
        let items: Vec<Value> = titles.iter().map(|title| json!({"title": title})).collect();
        service.post(&Service::in_table("records/bulk/"), &json!({"items": items})).status
    };
    assert_eq!(bulk(&["a", "b"]), 200);
    assert_eq!(bulk(&["a", "poison"]), 500);
    assert_eq!(bulk(&["poison"]), 500);
    assert_eq!(bulk(&["a", "b", "c"]), 502);
    assert_eq!(service.create(&json!({"title": "poison"})).status, 200, "another route");
    assert_eq!(service.count(), 3);
}

#[test]
fn a_probability_strikes_its_share_and_the_same_requests_every_time() {
    let struck = |chance: u64| -> Vec<u16> {
        let script = json!([{"fault": {"status": 500}, "times": null, "probability": 0.25}]);
        let script = FaultScript::from_json(script.to_string().as_bytes()).unwrap();
        let mut service = Service::of(builder().faults(script).chance(chance));
        (0..400).map(|_| service.get("solutions/").status).collect()
    };
    let first = struck(7);
    let share = first.iter().filter(|status| **status == 500).count();
    assert!((60..140).contains(&share), "{share} of 400");
    assert_eq!(first, struck(7));
    assert_ne!(first, struck(8));
}

#[test]
fn a_script_that_makes_no_sense_is_refused_in_words() {
    for (script, said) in [
        ("{", "EOF"),
        (r#"[{"fault":"explode"}]"#, "unknown variant `explode`"),
        (r#"[{"fault":"reset","route":"everything"}]"#, "there is no route `everything`"),
        (r#"[{"fault":"reset","probability":1.5}]"#, "a probability lies between 0 and 1"),
        (r#"[{"fault":{"status":99}}]"#, "99 is not a status"),
        (r#"[{"fault":"reset","sometimes":1}]"#, "unknown field `sometimes`"),
    ] {
        let error = FaultScript::from_json(script.as_bytes()).unwrap_err().to_string();
        assert!(error.contains(said), "{script}: {error}");
        let answer = service().raw("POST", "/_emulator/faults", script.as_bytes());
        assert_eq!(answer.status, 400);
    }
}

#[test]
fn the_log_tells_method_path_key_status_and_effect_of_every_request() {
    let mut service = faulty(&json!([{"fault": "reset", "when": "after", "route": "update"}]));
    let id = service.id(&json!({}));
    service.read(&id);
    let record = Service::in_table(&format!("records/{id}/"));
    service.outcome("PATCH", &format!("/api/v1/{record}"), br#"{"stext":"x"}"#);
    let items = json!({"items": [{"title": "a"}, {"title": "b"}]});
    service.post(&Service::in_table("records/bulk/?x=1"), &items);
    "wrong".clone_into(&mut service.token);
    service.get("solutions/");
    let seen: Vec<_> = service
        .emulator
        .log()
        .map(|e| (e.method.as_str(), e.route, e.key.as_str(), e.status, e.effect, e.items))
        .collect();
    let (key, applied) = ("demo-token", Effect::Applied);
    assert_eq!(
        seen,
        [
            ("POST", RouteKind::Create, key, 200, applied, None),
            ("GET", RouteKind::Get, key, 200, Effect::None, None),
            ("PATCH", RouteKind::Update, key, 0, applied, None),
            ("POST", RouteKind::BulkCreate, key, 200, applied, Some(2)),
            ("GET", RouteKind::Solutions, "", 401, Effect::None, None),
        ]
    );
    let entries: Vec<_> = service.emulator.log().collect();
    assert_eq!(entries[2].fault.as_deref(), Some("reset after"));
    assert_eq!(entries[3].path, format!("/api/v1/{}", Service::in_table("records/bulk/?x=1")));
    assert_eq!(service.emulator.counters().effects, 3);
}

#[test]
fn the_log_is_asked_filtered_cleared_and_told_to_keep_bodies_through_the_side_door() {
    let mut service = service();
    service.side_door("PATCH", "log", &json!({"bodies": true})).ok();
    let id = service.id(&json!({"title": "Kept"}));
    service.read(&id);
    service.get("no/such/route/");
    let count = |service: &mut Service, query: &str| {
        service.side_door("GET", &format!("log{query}"), &json!({})).ok()["count"].clone()
    };
    for (query, wanted) in [
        ("", 3),
        ("?route=create", 1),
        ("?method=GET", 2),
        ("?status=404", 1),
        ("?path=records", 2),
        ("?after=2", 1),
    ] {
        assert_eq!(count(&mut service, query), wanted, "{query}");
    }
    let log = service.side_door("GET", "log?route=create", &json!({})).ok();
    assert_eq!(log["requests"][0]["body"], r#"{"title":"Kept"}"#);
    let counters = service.side_door("GET", "counters", &json!({})).ok();
    assert_eq!(counters["requests"]["by_route"], json!({"create": 1, "get": 1, "unknown": 1}));
    assert_eq!(counters["requests"]["by_status"], json!({"200": 2, "404": 1}));
    service.side_door("DELETE", "log", &json!({})).ok();
    assert_eq!(count(&mut service, ""), 0);
}

#[test]
fn a_fault_strikes_only_what_passed_the_rate_limit() {
    let mut service = at("rate_limit", "1");
    service.side_door("POST", "faults", &json!([{"fault": {"status": 500}, "skip": 1}])).ok();
    assert_eq!(service.get("solutions/").status, 200);
    assert_eq!(service.get("solutions/").status, 429);
    service.pass(31.0);
    assert_eq!(service.get("solutions/").status, 500);
}
