//! Points 1 to 8: paths, order of checks, tokens, slashes, methods, bodies, permissions.

use bytes::Bytes;
use http::Request;
use serde_json::{Value, json};
use smartsuite_emulator::{DEMO_ACCOUNT, DEMO_MEMBER, DEMO_SOLUTION, DEMO_TOKEN, Key, Seed};

use crate::service::{Answer, NOBODY, OTHER, Service, TABLE, answered, at, builder, service};

fn with_headers(service: &mut Service, path: &str, headers: &[(&str, &str)]) -> Answer {
    let mut request = Request::builder().method("GET").uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let outcome = service.emulator.handle(service.now, &request.body(Bytes::new()).unwrap());
    answered(&outcome)
}

#[test]
fn rest_and_webhooks_are_served_each_under_its_own_path() {
    let mut service = service();
    assert_eq!(service.get("solutions/").status, 200);
    assert_eq!(service.rpc("ListWebhooks", &json!({"solution_id": DEMO_SOLUTION})).status, 200);
    for elsewhere in ["/", "/api/v2/solutions/", "/solutions/", "/smartsuite.other/ListWebhooks"] {
        assert_eq!(service.raw("GET", elsewhere, b"").status, 404, "{elsewhere}");
    }
}

#[test]
fn the_workspace_is_checked_first_then_the_token_the_route_the_resource_and_the_body() {
    let mut service = service();
    let solutions = "/api/v1/solutions/";
    let answer = with_headers(&mut service, solutions, &[("Authorization", "Token nonsense")]);
    assert_eq!((answer.status, &*answer.text), (400, "Account ID is not specified"));
    assert!(answer.header("content-type").starts_with("text/plain"));
    let wrong = [("account-id", "nowhere1"), ("authorization", "Token nonsense")];
    let answer = with_headers(&mut service, solutions, &wrong);
    assert_eq!((answer.status, &*answer.text), (400, "Account ID nowhere1 is not valid"));
    let wrong = [("account-id", DEMO_ACCOUNT), ("authorization", "Token nonsense")];
    let answer = with_headers(&mut service, "/api/v1/no/such/route/", &wrong);
    assert_eq!((answer.status, &answer["detail"]), (401, &json!("Invalid token.")));
    assert_eq!(service.post("no/such/route/", &json!({})).status, 404);
    let unknown_table = format!("/api/v1/applications/{NOBODY}/records/");
    assert_eq!(service.raw("POST", &unknown_table, b"{not json").status, 404);
    let known_table = format!("/api/v1/applications/{TABLE}/records/");
    assert_eq!(service.raw("POST", &known_table, b"{not json").status, 400);
}

#[test]
fn a_rejected_token_is_answered_as_its_switch_says() {
    for (mut service, status) in [
        (at("rejected_token", "unauthorized"), 401),
        (at("rejected_token", "forbidden"), 403),
        (at("rejected_token", "bad_request"), 400),
    ] {
        service.token = "nonsense".to_owned();
        let answer = service.get("solutions/");
        assert_eq!(answer.status, status);
        let detail = answer["detail"].as_str().unwrap();
        assert!(!detail.contains("Account ID"), "{detail}");
    }
}

#[test]
fn only_the_word_token_introduces_a_key() {
    let mut service = service();
    for (header, status) in [
        (format!("Token {DEMO_TOKEN}"), 200),
        (format!("Bearer {DEMO_TOKEN}"), 401),
        (format!("ApiKey {DEMO_TOKEN}"), 401),
        (DEMO_TOKEN.to_owned(), 401),
        (String::new(), 401),
    ] {
        let headers = [("ACCOUNT-ID", DEMO_ACCOUNT), ("Authorization", &*header)];
        let answer = with_headers(&mut service, "/api/v1/solutions/", &headers);
        assert_eq!(answer.status, status, "{header}");
    }
}

#[test]
fn a_write_without_its_trailing_slash_is_never_applied() {
    for (mut service, status, location) in [
        (
            at("missing_slash", "redirect"),
            301,
            format!("/api/v1/applications/{TABLE}/records/?x=1"),
        ),
        (at("missing_slash", "not_found"), 404, String::new()),
    ] {
        for method in ["POST", "PUT", "GET"] {
            let path = Service::in_table("records?x=1");
            let answer = service.send(method, &path, &json!({"title": "Lost"}));
            assert_eq!(answer.status, status, "{method}");
            assert_eq!(answer.header("location"), location);
        }
        assert_eq!(service.count(), 0);
    }
}

#[test]
fn a_wrong_method_is_405_in_json() {
    let mut service = service();
    for (method, path) in [
        ("GET", Service::in_table("records/")),
        ("DELETE", "solutions/".to_owned()),
        ("POST", Service::in_table("change_field/")),
        ("OPTIONS", Service::in_table("records/list/")),
    ] {
        let answer = service.send(method, &path, &json!({}));
        assert_eq!(answer.status, 405, "{method} {path}");
        assert_eq!(answer["detail"], format!("Method \"{method}\" not allowed."));
    }
}

#[test]
fn an_unknown_route_is_404_as_its_switch_says() {
    for (mut service, content_type) in [
        (at("unknown_route", "html"), "text/html; charset=utf-8"),
        (at("unknown_route", "json"), "application/json"),
    ] {
        let answer = service.get("no/such/route/");
        assert_eq!((answer.status, answer.header("content-type")), (404, content_type));
    }
}

#[test]
fn malformed_json_is_400_and_says_so() {
    let mut service = service();
    for body in [&b"{not json"[..], b"[1,", b"\xff\xfe", b"{\"a\":1}{"] {
        let path = format!("/api/v1/{}", Service::in_table("records/"));
        let answer = service.raw("POST", &path, body);
        assert_eq!(answer.status, 400);
        assert!(answer["detail"].as_str().unwrap().starts_with("JSON parse error"));
    }
}

#[test]
fn a_key_reaches_only_what_it_may() {
    let key = |token: &str| Key {
        token: token.to_owned(),
        member: DEMO_MEMBER.parse().unwrap(),
        solutions: None,
        denied_tables: Vec::new(),
        read_only: false,
    };
    let mut seed = Seed::account().unwrap();
    seed.accounts[0].keys.extend([
        Key { denied_tables: vec![TABLE.parse().unwrap()], ..key("no-table") },
        Key { solutions: Some(vec![NOBODY.parse().unwrap()]), ..key("no-solution") },
        Key { read_only: true, ..key("reader") },
    ]);
    let mut service = Service::of(builder().seed(seed));
    let record = service.id(&json!({}));
    let seen = |service: &mut Service| -> Vec<Value> {
        let tables = service.get("applications/?fields=id").ok();
        tables.as_array().unwrap().iter().map(|table| table["id"].clone()).collect()
    };
    for (token, read, write, tables) in [
        (DEMO_TOKEN, 200, 200, vec![OTHER, TABLE]),
        ("no-table", 403, 403, vec![OTHER]),
        ("no-solution", 403, 403, vec![]),
        ("reader", 200, 403, vec![OTHER, TABLE]),
    ] {
        token.clone_into(&mut service.token);
        assert_eq!(service.read(&record).status, read, "{token}");
        assert_eq!(service.update(&record, &json!({"stext": "x"})).status, write, "{token}");
        assert_eq!(seen(&mut service), tables, "{token}");
    }
}

#[test]
fn answers_are_json_and_changes_of_fields_are_empty() {
    let mut service = service();
    let answer = service.get("solutions/");
    assert_eq!(answer.header("content-type"), "application/json");
    let field =
        |slug: &str| json!({"slug": slug, "label": slug, "field_type": "textfield", "params": {}});
    let add = json!({"field": field("snew000001"), "field_position": {"prev_sibling_slug": ""}});
    for answer in [
        service.post(&Service::in_table("add_field/"), &add),
        service.post(
            &Service::in_table("bulk-add-fields/"),
            &json!({"fields": [field("snew000002")]}),
        ),
        service.send("PUT", &Service::in_table("change_field/"), &field("stext")),
    ] {
        assert_eq!((answer.status, &*answer.text), (200, ""));
        assert_eq!(answer.header("content-type"), "");
    }
}

#[test]
fn the_largest_body_is_what_its_switch_says() {
    let body = json!({"title": "Big", "nowhere": "x".repeat(1 << 20)});
    for (mut service, status) in
        [(at("max_body_bytes", "1048576"), 413), (at("max_body_bytes", "off"), 200)]
    {
        assert_eq!(service.create(&body).status, status);
    }
}
