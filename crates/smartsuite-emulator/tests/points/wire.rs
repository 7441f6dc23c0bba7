//! The same over real HTTP: headers, resets, delays, broken bodies, late effects, pings.

use std::{
    io::{ErrorKind, Read as _, Write as _},
    net::TcpListener,
    time::Duration,
};

use serde_json::{Value, json};
use smartsuite_emulator::{DEMO_ACCOUNT, DEMO_SOLUTION};

use crate::program::{Program, Reply, exchange, request, sent};

const CUSTOMERS: &str = "/api/v1/applications/6500000000000000000000c1/";

fn create() -> String {
    let body = json!({"title": "Over the wire"}).to_string();
    request("POST", &format!("{CUSTOMERS}records/"), &body)
}

fn count(program: &Program) -> u64 {
    let list = program.call("POST", &format!("{CUSTOMERS}records/list/?limit=1"), &json!({}));
    list.ok()["total"].as_u64().unwrap()
}

fn fault(program: &Program, fault: &Value) {
    program.call("POST", "/_emulator/faults", fault).ok();
}

#[test]
fn header_names_are_read_in_any_spelling_and_answers_say_what_they_are() {
    let program = Program::start(&[]);
    let reply = Reply::of(&exchange(&program.address, &create()).unwrap());
    assert_eq!((reply.status, &reply.json["title"]), (200, &json!("Over the wire")));
    assert!(reply.head.contains("x-emulator: smartsuite-emulator"), "{}", reply.head);
    assert!(reply.head.contains("content-type: application/json"), "{}", reply.head);
}

#[test]
fn a_connection_is_reset_before_the_effect_or_after_it() {
    let program = Program::start(&[]);
    for (when, records) in [("before", 0), ("after", 1)] {
        fault(&program, &json!({"fault": "reset", "when": when, "route": "create"}));
        let error = exchange(&program.address, &create()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionReset, "{when}");
        assert_eq!(count(&program), records, "{when}");
    }
}

#[test]
fn a_body_breaks_off_although_its_length_claims_more() {
    let program = Program::start(&[]);
    fault(&program, &json!({"fault": {"truncate": 10}, "when": "after", "route": "create"}));
    let mut stream = sent(&program.address, &create());
    let mut bytes = Vec::new();
    // Whether the end is a close or a reset is the machine's business.
    let _end = stream.read_to_end(&mut bytes);
    let reply = Reply::of(&bytes);
    let claimed = reply.head.split("content-length: ").nth(1).unwrap();
    let claimed: usize = claimed.split("\r\n").next().unwrap().parse().unwrap();
    assert_eq!(reply.text.len(), 10);
    assert!(claimed > 100, "{claimed}");
    assert_eq!(count(&program), 1);
}

#[test]
fn an_answer_is_really_late_and_its_effect_before_or_after_the_wait() {
    let program = Program::start(&[]);
    for (when, records) in [("before", 0), ("after", 2)] {
        fault(&program, &json!({"fault": {"delay_ms": 1500}, "when": when, "route": "create"}));
        let mut stream = sent(&program.address, &create());
        stream.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
        let error = stream.read(&mut [0]).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut), "{error}");
        assert_eq!(count(&program), records, "{when}");
        stream.set_read_timeout(Some(Duration::from_mins(1))).unwrap();
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).unwrap();
        assert_eq!(Reply::of(&bytes).status, 200);
    }
    assert_eq!(count(&program), 2);
}

#[test]
fn a_write_takes_effect_long_after_its_connection_is_gone() {
    let program = Program::start(&[]);
    fault(&program, &json!({"fault": {"late": {"ms": 3_600_000}}, "route": "create"}));
    let error = exchange(&program.address, &create()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    assert_eq!(count(&program), 0);
    program.call("POST", "/_emulator/clock", &json!({"advance_seconds": 3600})).ok();
    assert_eq!(count(&program), 1);
    let log = program.call("GET", "/_emulator/log?route=create", &Value::Null).ok();
    assert_eq!(log["requests"][0]["effect"], "applied_late");
}

#[test]
fn a_connection_that_is_never_answered_stays_open_and_does_not_hold_the_others_up() {
    let program = Program::start(&[]);
    fault(&program, &json!({"fault": "never", "when": "after", "route": "create"}));
    let mut silent = sent(&program.address, &create());
    silent.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
    let error = silent.read(&mut [0]).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut), "{error}");
    assert_eq!(count(&program), 1);
    assert_eq!(program.terminate(), Some(0), "it ends although a connection waits");
}

#[test]
fn an_event_is_announced_to_its_receiver_again_until_it_is_taken() {
    let receiver = TcpListener::bind("127.0.0.1:0").unwrap();
    let program = Program::start(&["--rate-limit", "off"]);
    let url = format!("http://{}/hook?secret=1", receiver.local_addr().unwrap());
    let webhook = json!({"webhook": {
        "kinds": ["RECORD_CREATED"], "notification_status": {"enabled": {"url": url}},
        "locator": {"account_id": DEMO_ACCOUNT, "solution_id": DEMO_SOLUTION},
    }});
    let rpc = "/smartsuite.webhooks.engine.Webhooks/CreateWebhook";
    let made = program.call("POST", rpc, &webhook).ok();
    assert_eq!(Reply::of(&exchange(&program.address, &create()).unwrap()).status, 200);
    let take = |answer: &str| {
        let (mut stream, _) = receiver.accept().unwrap();
        let mut bytes = vec![0; 4096];
        let mut read = 0;
        while !bytes[..read].ends_with(b"}") {
            read += stream.read(&mut bytes[read..]).unwrap();
        }
        stream.write_all(answer.as_bytes()).unwrap();
        String::from_utf8(bytes[..read].to_vec()).unwrap()
    };
    let first = take("HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n");
    program.call("POST", "/_emulator/clock", &json!({"advance_seconds": 60})).ok();
    let second = take("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    assert_eq!(first, second);
    let (head, body) = first.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("POST /hook?secret=1 HTTP/1.1"), "{head}");
    let body: Value = serde_json::from_str(body).unwrap();
    assert_eq!(body["webhookId"], made["webhook"]["webhook_id"]);
}

#[test]
fn writes_at_the_same_time_to_different_fields_all_survive() {
    let program = Program::start(&["--rate-limit", "off"]);
    let made = Reply::of(&exchange(&program.address, &create()).unwrap()).ok();
    let record = format!("{CUSTOMERS}records/{}/", made["id"].as_str().unwrap());
    let fields = ["title", "scustextid", "scompany01"];
    std::thread::scope(|scope| {
        for field in fields {
            let (program, record) = (&program, &record);
            scope.spawn(move || {
                for number in 0..40 {
                    let body = json!({field: format!("{field} {number}")});
                    program.call("PATCH", record, &body).ok();
                }
            });
        }
    });
    let read = program.call("GET", &record, &Value::Null).ok();
    for field in fields {
        assert_eq!(read[field], format!("{field} 39"));
    }
}
