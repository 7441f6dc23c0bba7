//! Points 44 to 50: webhooks.

use serde_json::{Value, json};
use smartsuite_emulator::{DEMO_ACCOUNT, DEMO_PERSON, DEMO_SOLUTION};

use crate::service::{NOBODY, OTHER, Service, TABLE, at, builder, positioned, service, with};

const DAY: f64 = 86_400.0;

fn wanted(filter: &Value, url: Option<&str>) -> Value {
    json!({
        "filter": filter,
        "kinds": ["RECORD_CREATED", "RECORD_UPDATED", "RECORD_DELETED"],
        "locator": {"account_id": DEMO_ACCOUNT, "solution_id": DEMO_SOLUTION},
        "notification_status": match url {
            Some(url) => json!({"enabled": {"url": url}}),
            None => json!({"disabled": {}}),
        },
    })
}

/// Makes a webhook; its id.
fn webhook(service: &mut Service, filter: &Value, url: Option<&str>) -> String {
    let made = service.rpc("CreateWebhook", &json!({"webhook": wanted(filter, url)})).ok();
    made["webhook"]["webhook_id"].as_str().unwrap().to_owned()
}

/// A webhook of the whole solution that notifies nobody.
fn silent(service: &mut Service) -> String {
    webhook(service, &json!({"solution": {}}), None)
}

fn page(service: &mut Service, id: &str, token: &str, size: &str) -> Value {
    let body = json!({"webhook_id": id, "page_size": size, "page_token": token});
    service.rpc("ListEvents", &body).ok()
}

/// All events of a webhook.
fn events(service: &mut Service, id: &str) -> Vec<Value> {
    let mut all = Vec::new();
    let mut token = String::new();
    loop {
        let page = page(service, id, &token, "50");
        let Some(events) = page["events"].as_array().filter(|events| !events.is_empty()) else {
            return all;
        };
        all.extend(events.clone());
        page["next_page_token"].as_str().unwrap().clone_into(&mut token);
    }
}

fn kinds(events: &[Value]) -> Vec<&str> {
    events
        .iter()
        .map(|event| event["kind"].as_str().unwrap().trim_start_matches("RECORD_"))
        .collect()
}

fn person(service: &mut Service, action: &str, record: &str, values: &Value) -> Value {
    let body = json!({"action": action, "table": TABLE, "record": record, "values": values});
    service.side_door("POST", "people", &body).ok()
}

#[test]
fn the_six_calls_make_show_list_change_and_delete_a_webhook() {
    let mut service = service();
    let id = webhook(
        &mut service,
        &json!({"applications": {"application_ids": [TABLE]}}),
        Some("https://a.example/x"),
    );
    let shown = service.rpc("GetWebhook", &json!({"webhook_id": id})).ok();
    assert_eq!(shown["webhook"]["filter"], json!({"applications": {"application_ids": [TABLE]}}));
    assert_eq!(
        shown["webhook"]["system_status"]["enabled"]["expires_at"],
        "2026-03-17T12:00:00.000000Z"
    );
    let list = service
        .rpc(
            "ListWebhooks",
            &json!({"solution_id": DEMO_SOLUTION, "page_size": "50", "page_token": ""}),
        )
        .ok();
    assert_eq!(list["webhooks"][0]["webhook_id"], json!(id));
    let change = json!({"webhook": {"webhook_id": id, "notification_status": {"disabled": {}}}});
    let changed = service.rpc("UpdateWebhook", &change).ok();
    assert_eq!(changed["webhook"]["notification_status"], json!({"disabled": {}}));
    service.create(&json!({})).ok();
    assert_eq!(events(&mut service, &id).len(), 1);
    assert_eq!(service.rpc("DeleteWebhook", &json!({"webhook_id": id})).ok(), json!({}));
    assert_eq!(service.rpc("ListEvents", &json!({"webhook_id": id})).status, 404);
}

#[test]
fn a_webhook_is_read_by_either_spelling() {
    let mut service = service();
    let id = silent(&mut service);
    for method in ["GetWebhook", "GetWebhooks"] {
        let shown = service.rpc(method, &json!({"webhook_id": id})).ok();
        assert_eq!(shown["webhook"]["webhook_id"], json!(id), "{method}");
    }
}

#[test]
fn a_refused_rpc_has_a_code_a_message_and_the_status_of_the_code() {
    let mut service = service();
    let id = silent(&mut service);
    let good = || wanted(&json!({}), None);
    let but = |key: &str, value: Value| {
        let mut webhook = good();
        webhook[key] = value;
        json!({"webhook": webhook})
    };
    for (method, body, status, code) in [
        ("GetWebhook", json!({"webhook_id": "none"}), 404, "not_found"),
        ("GetWebhook", json!({}), 400, "invalid_argument"),
        ("NoSuchMethod", json!({}), 404, "bad_route"),
        ("CreateWebhook", json!({}), 400, "invalid_argument"),
        ("CreateWebhook", but("kinds", json!(["RECORD_EATEN"])), 400, "invalid_argument"),
        ("CreateWebhook", but("kinds", json!([])), 400, "invalid_argument"),
        (
            "CreateWebhook",
            but("filter", json!({"solution": {}, "application": {}})),
            400,
            "invalid_argument",
        ),
        ("CreateWebhook", but("notification_status", json!({})), 400, "invalid_argument"),
        (
            "CreateWebhook",
            but("filter", json!({"applications": {"application_ids": [NOBODY]}})),
            404,
            "not_found",
        ),
        (
            "ListEvents",
            json!({"webhook_id": id, "page_token": "nonsense"}),
            400,
            "invalid_argument",
        ),
        ("ListEvents", json!({"webhook_id": id, "page_size": "many"}), 400, "invalid_argument"),
    ] {
        let answer = service.rpc(method, &body);
        assert_eq!((answer.status, &answer["code"]), (status, &json!(code)), "{method} {body}");
        assert!(answer["msg"].is_string());
    }
    "wrong".clone_into(&mut service.token);
    let answer = service.rpc("GetWebhook", &json!({"webhook_id": id}));
    assert_eq!((answer.status, &answer["code"]), (401, &json!("unauthenticated")));
}

#[test]
fn numbers_travel_as_text_and_a_page_is_no_larger_than_its_switch_says() {
    for (mut service, most) in
        [(at("webhook_page_max", "100"), 4), (at("webhook_page_max", "2"), 2)]
    {
        let id = silent(&mut service);
        for _ in 0..4 {
            service.id(&json!({}));
        }
        let first = page(&mut service, &id, "", "50");
        assert_eq!(first["events"].as_array().unwrap().len(), most);
        assert!(first["next_page_token"].is_string());
        assert_eq!(page(&mut service, &id, "", "1")["events"].as_array().unwrap().len(), 1);
    }
}

#[test]
fn empty_lists_and_messages_are_left_out_or_shown() {
    for (mut service, shows) in
        [(at("rpc_omits_empty", "on"), false), (at("rpc_omits_empty", "off"), true)]
    {
        let none = service.rpc("ListWebhooks", &json!({"solution_id": DEMO_SOLUTION})).ok();
        assert_eq!(none.get("webhooks").is_some(), shows);
        let id = silent(&mut service);
        assert_eq!(page(&mut service, &id, "", "50").get("events").is_some(), shows);
        let shown = service.rpc("GetWebhook", &json!({"webhook_id": id})).ok();
        assert_eq!(
            shown["webhook"].get("filter").is_some(),
            shows,
            "the scope of a solution is empty"
        );
        assert_eq!(
            shown["webhook"]["notification_status"],
            json!({"disabled": {}}),
            "this one says something"
        );
        service.id(&json!({}));
        let event = events(&mut service, &id)[0].clone();
        assert_eq!(event["record_event_data"]["data"]["stext"], "", "records keep their empties");
    }
}

#[test]
fn every_kind_of_write_raises_its_event() {
    let mut service = service();
    let id = silent(&mut service);
    let one = service.id(&json!({"stext": "a"}));
    service.update(&one, &json!({"stext": "b"})).ok();
    service
        .post(
            &Service::in_table("records/bulk/"),
            &json!({"items": [{"title": "x"}, {"title": "y"}]}),
        )
        .ok();
    service.delete(&one).ok();
    service.post(&Service::in_table(&format!("records/{one}/restore/")), &json!({})).ok();
    person(&mut service, "update", &one, &json!({"stext": "c"}));
    person(&mut service, "delete", &one, &json!({}));
    let events = events(&mut service, &id);
    assert_eq!(
        kinds(&events),
        ["CREATED", "UPDATED", "CREATED", "CREATED", "DELETED", "CREATED", "UPDATED", "DELETED"]
    );
    let update = &events[1]["record_event_data"];
    assert_eq!(update["data"]["stext"], "b");
    assert_eq!(update["previous"], json!({"stext": "a"}));
    assert_eq!(update["locator"]["application_id"], TABLE);
    let by = &events[6]["record_event_data"]["data"]["last_updated"]["by"];
    assert_eq!(by, DEMO_PERSON, "a person's edit names the person");
    let batch = |event: &Value| event["ctx"]["batch_id"].clone();
    assert_eq!(batch(&events[2]), batch(&events[3]), "one bulk call, one batch");
    assert_ne!(batch(&events[1]), batch(&events[2]));
    assert_eq!(events[2]["ctx"]["batch_size"], 2);
}

#[test]
fn writes_through_the_api_raise_events_or_do_not_and_a_persons_always_do() {
    for (mut service, own) in [
        (at("own_writes_raise_events", "on"), &["CREATED", "UPDATED"][..]),
        (at("own_writes_raise_events", "off"), &["UPDATED"]),
    ] {
        let id = silent(&mut service);
        let record = service.id(&json!({}));
        person(&mut service, "update", &record, &json!({"stext": "x"}));
        assert_eq!(kinds(&events(&mut service, &id)), own);
    }
}

#[test]
fn a_delete_event_carries_the_last_state_or_the_id() {
    for (mut service, title) in [
        (at("delete_event", "full_state"), json!("Gone")),
        (at("delete_event", "id_only"), Value::Null),
    ] {
        let id = silent(&mut service);
        let record = service.id(&json!({"title": "Gone"}));
        service.delete(&record).ok();
        let data = events(&mut service, &id)[1]["record_event_data"]["data"].clone();
        assert_eq!((&data["id"], &data["title"]), (&json!(record), &title));
    }
}

#[test]
fn an_update_event_carries_the_record_or_what_changed() {
    for (mut service, other) in [
        (at("update_event", "full"), json!("kept")),
        (at("update_event", "changed_only"), Value::Null),
    ] {
        let id = silent(&mut service);
        let record = service.id(&json!({"stext": "a", "sarea": "kept"}));
        service.update(&record, &json!({"stext": "b"})).ok();
        let data = events(&mut service, &id)[1]["record_event_data"]["data"].clone();
        assert_eq!((&data["stext"], &data["sarea"]), (&json!("b"), &other));
    }
}

#[test]
fn previous_holds_what_changed_everything_or_nothing() {
    for (mut service, changed, other) in [
        (at("previous", "changed"), json!("a"), Value::Null),
        (at("previous", "everything"), json!("a"), json!("kept")),
        (at("previous", "nothing"), Value::Null, Value::Null),
    ] {
        let id = silent(&mut service);
        let record = service.id(&json!({"stext": "a", "sarea": "kept"}));
        service.update(&record, &json!({"stext": "b"})).ok();
        let previous = events(&mut service, &id)[1]["record_event_data"]["previous"].clone();
        assert_eq!((&previous["stext"], &previous["sarea"]), (&changed, &other));
    }
}

#[test]
fn an_event_has_a_rising_number_and_an_old_token_repeats_it() {
    let mut service = service();
    let id = silent(&mut service);
    for _ in 0..5 {
        service.id(&json!({}));
    }
    let first = page(&mut service, &id, "", "2");
    let token = first["next_page_token"].as_str().unwrap();
    let second = page(&mut service, &id, token, "2");
    let again = page(&mut service, &id, token, "2");
    assert_eq!(second, again);
    let numbers: Vec<&str> = [&first, &second]
        .into_iter()
        .flat_map(|page| page["events"].as_array().unwrap())
        .map(|event| event["event_id"].as_str().unwrap().rsplit_once('.').unwrap().1)
        .collect();
    assert_eq!(numbers, ["1", "2", "3", "4"]);
    let next: u64 = second["next_page_token"].as_str().unwrap().parse().unwrap();
    assert!(next > token.parse().unwrap());
    assert!(second["events"][0]["event_id"].as_str().unwrap().starts_with(&format!("{id}.")));
}

#[test]
fn an_empty_page_keeps_the_token_or_leaves_it_out() {
    for (mut service, kept) in
        [(at("empty_page_token", "kept"), true), (at("empty_page_token", "omitted"), false)]
    {
        let id = silent(&mut service);
        service.id(&json!({}));
        let token = page(&mut service, &id, "", "50")["next_page_token"].clone();
        let empty = page(&mut service, &id, token.as_str().unwrap(), "50");
        assert_eq!(empty.get("next_page_token").cloned(), kept.then_some(token));
    }
}

#[test]
fn events_are_kept_for_as_long_as_their_webhook_or_for_some_days() {
    for (mut service, status) in
        [(at("event_retention_days", "off"), 200), (at("event_retention_days", "3"), 400)]
    {
        let id = silent(&mut service);
        service.id(&json!({}));
        let token = page(&mut service, &id, "", "50")["next_page_token"].clone();
        service.id(&json!({}));
        service.pass(4.0 * DAY);
        service.id(&json!({}));
        let body = json!({"webhook_id": id, "page_token": token});
        assert_eq!(service.rpc("ListEvents", &body).status, status);
    }
}

/// The pings due now, all answered alike.
fn pings(service: &mut Service, arrived: bool) -> usize {
    let mut sent = 0;
    loop {
        let due = service.emulator.take_pings(service.now);
        if due.is_empty() {
            return sent;
        }
        for ping in due {
            sent += 1;
            assert!(sent < 100, "pings without end");
            service.emulator.ping_settled(service.now, &ping, arrived);
        }
    }
}

#[test]
fn a_ping_names_the_webhook_in_camel_case_and_carries_nothing_else() {
    let mut service = service();
    let id = webhook(&mut service, &json!({}), Some("http://127.0.0.1:9/hook"));
    service.id(&json!({}));
    assert_eq!(service.emulator.next_ping(), Some(service.now));
    let ping = service.emulator.take_pings(service.now).remove(0);
    assert_eq!(ping.url, "http://127.0.0.1:9/hook");
    let body: Value = serde_json::from_str(&ping.body).unwrap();
    let locator = json!({"accountId": DEMO_ACCOUNT, "solutionId": DEMO_SOLUTION});
    assert_eq!(body, json!({"webhookId": id, "locator": locator}));
}

#[test]
fn there_is_a_ping_for_every_event_or_one_for_several() {
    for (mut service, sent) in [(at("pings", "per_event"), 3), (at("pings", "debounced"), 1)] {
        webhook(&mut service, &json!({}), Some("http://127.0.0.1:9/"));
        for _ in 0..3 {
            service.id(&json!({}));
        }
        service.pass(1.0);
        assert_eq!(pings(&mut service, true), sent);
        assert_eq!(service.emulator.next_ping(), None);
    }
}

#[test]
fn events_are_collected_for_as_long_as_the_switch_says() {
    for (mut service, seconds) in [
        (with(&[("pings", "debounced"), ("ping_debounce_ms", "1000")]), 1.0),
        (with(&[("pings", "debounced"), ("ping_debounce_ms", "5000")]), 5.0),
    ] {
        webhook(&mut service, &json!({}), Some("http://127.0.0.1:9/"));
        service.id(&json!({}));
        service.pass(seconds - 0.1);
        assert_eq!(pings(&mut service, true), 0);
        service.pass(0.1);
        assert_eq!(pings(&mut service, true), 1);
    }
}

#[test]
fn a_ping_is_repeated_on_demand() {
    let fault = json!([{"fault": {"duplicate_pings": 2}, "when": "after", "route": "create"}]);
    let mut service = service();
    webhook(&mut service, &json!({}), Some("http://127.0.0.1:9/"));
    service.side_door("POST", "faults", &fault).ok();
    service.id(&json!({}));
    assert_eq!(pings(&mut service, true), 3);
}

#[test]
fn a_ping_that_fails_is_repeated_with_growing_pauses_and_given_up_after_a_day() {
    let mut service = service();
    let id = webhook(&mut service, &json!({}), Some("http://127.0.0.1:9/"));
    service.id(&json!({}));
    let mut pauses = Vec::new();
    let mut last = service.now;
    while let Some(next) = service.emulator.next_ping() {
        pauses.push(next.duration_since(last).as_secs());
        last = next;
        service.now = next;
        for ping in service.emulator.take_pings(next) {
            service.emulator.ping_settled(next, &ping, false);
        }
        assert!(pauses.len() < 100, "tries without end");
    }
    assert_eq!(pauses[..5], [0, 5, 10, 20, 40]);
    assert!(pauses.iter().all(|pause| *pause <= 3600));
    let tried: i64 = pauses.iter().sum();
    assert!((80_000..=86_400).contains(&tried), "{tried} seconds");
    let shown = service.rpc("GetWebhook", &json!({"webhook_id": id})).ok();
    assert_eq!(shown["webhook"]["notification_status"], json!({"disabled": {}}));
    let status = json!({"enabled": {"url": "http://127.0.0.1:9/"}});
    service
        .rpc(
            "UpdateWebhook",
            &json!({"webhook": {"webhook_id": id, "notification_status": status}}),
        )
        .ok();
    service.id(&json!({}));
    assert_eq!(pings(&mut service, true), 1, "switched on again");
}

#[test]
fn a_webhook_that_nobody_lists_falls_silent_after_7_days_and_is_gone_after_14() {
    let mut service = service();
    let id = webhook(&mut service, &json!({}), Some("http://127.0.0.1:9/"));
    let get = |service: &mut Service| service.rpc("GetWebhook", &json!({"webhook_id": id}));
    service.pass(7.0 * DAY - 1.0);
    service.id(&json!({}));
    assert_eq!(pings(&mut service, true), 1);
    service.pass(1.0);
    service.id(&json!({}));
    assert_eq!(pings(&mut service, true), 0);
    assert_eq!(get(&mut service).ok()["webhook"]["system_status"], json!({"disabled": {}}));
    assert_eq!(events(&mut service, &id).len(), 2, "listing wakes it up, and its events are there");
    service.id(&json!({}));
    assert_eq!(pings(&mut service, true), 1);
    service.pass(14.0 * DAY - 1.0);
    assert_eq!(get(&mut service).status, 200);
    service.pass(1.0);
    assert_eq!(get(&mut service).status, 404);
}

#[test]
fn a_webhook_watches_a_solution_some_tables_or_some_fields() {
    let fields =
        |slugs: &[&str]| json!({"application": {"application_id": TABLE, "field_ids": slugs}});
    for (filter, seen) in [
        (json!({"solution": {}}), &["CREATED", "UPDATED", "UPDATED", "CREATED", "DELETED"][..]),
        (json!({"applications": {"application_ids": [OTHER]}}), &["CREATED"]),
        (
            json!({"applications": {"application_ids": [TABLE, OTHER]}}),
            &["CREATED", "UPDATED", "UPDATED", "CREATED", "DELETED"],
        ),
        (fields(&["stext"]), &["CREATED", "UPDATED", "DELETED"]),
        (fields(&[]), &["CREATED", "UPDATED", "UPDATED", "DELETED"]),
    ] {
        let mut service = service();
        let id = webhook(&mut service, &filter, None);
        let record = service.id(&json!({}));
        service.update(&record, &json!({"stext": "x"})).ok();
        service.update(&record, &json!({"snumber": 1})).ok();
        service.post(&format!("applications/{OTHER}/records/"), &json!({"title": "x"})).ok();
        service.delete(&record).ok();
        assert_eq!(kinds(&events(&mut service, &id)), seen, "{filter}");
    }
    let mut service = Service::of(positioned(builder(), &[]));
    let mut only = wanted(&json!({}), None);
    only["kinds"] = json!(["RECORD_DELETED"]);
    let made = service.rpc("CreateWebhook", &json!({"webhook": only})).ok();
    let record = service.id(&json!({}));
    service.delete(&record).ok();
    let id = made["webhook"]["webhook_id"].as_str().unwrap();
    assert_eq!(kinds(&events(&mut service, id)), ["DELETED"]);
}
