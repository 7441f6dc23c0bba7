//! Any requests to the emulator: it must answer each.
//!
//! The input is a byte for the profile and then requests: a byte for the method, one for the time that passes before
//! it, a line with the path, and a line with the body.

use bytes::Bytes;
use http::Request;
use jiff::{Timestamp, ToSpan as _};
use serde_json::json;
use smartsuite_emulator::{DEMO_ACCOUNT, DEMO_TOKEN, Emulator, ObjectId, ProfileName, TableSeed};

use crate::input::Input;

const METHODS: &[&str] = &["GET", "POST", "PATCH", "PUT", "DELETE", "HEAD", "BREW"];
const TABLE: &str = "6500000000000000000000c1";
const RECORD: &str = "6500000000000000000000d1";
/// Requests of one input.
const REQUESTS_MAX: usize = 32;

/// Sends the requests that the input describes to one emulator.
pub fn run(input: &[u8]) {
    let mut input = Input(input);
    let profile = input.one_of(ProfileName::ALL.as_slice(), ProfileName::Default);
    let Some(mut emulator) = emulator(profile) else { return };
    let mut now = Timestamp::UNIX_EPOCH;
    for _ in 0..REQUESTS_MAX {
        if input.0.is_empty() {
            break;
        }
        let method = input.one_of(METHODS, "GET");
        let seconds = i64::from(input.byte());
        now = now.checked_add((seconds * seconds).seconds()).unwrap_or(now);
        let request = Request::builder()
            .method(method)
            .uri(input.line())
            .header("account-id", DEMO_ACCOUNT)
            .header("authorization", format!("Token {DEMO_TOKEN}"))
            .header("content-type", "application/json")
            .body(Bytes::copy_from_slice(input.line()));
        // What no client can send is no request.
        let Ok(request) = request else { continue };
        emulator.handle(now, &request);
        for ping in emulator.take_pings(now) {
            emulator.ping_settled(now, &ping, seconds % 2 == 0);
        }
    }
    emulator.advance(now);
}

fn emulator(profile: ProfileName) -> Option<Emulator> {
    let table: ObjectId = TABLE.parse().ok()?;
    let choices =
        json!([{"value": "aCt1V", "label": "Active"}, {"value": "iNa0T", "label": "Inactive"}]);
    let seed = TableSeed::new(table, "Everything")
        .field("stext", "Text", "textfield", json!({}))
        .field("snumber", "Number", "numberfield", json!({"precision": 2}))
        .field("ssingle", "Single", "singleselectfield", json!({"choices": choices}))
        .field("sdate", "Date", "datefield", json!({}))
        .field("sdue", "Due", "duedatefield", json!({}))
        .field("slink", "Linked", "linkedrecordfield", json!({"linked_application": TABLE}))
        .field("suser", "User", "userfield", json!({}))
        .record(json!({"id": RECORD, "title": "First", "stext": "k1"}));
    Emulator::builder()
        .named_profile(profile)
        .unlimited()
        .now(Timestamp::UNIX_EPOCH)
        .table(seed)
        .build()
        .ok()
}
