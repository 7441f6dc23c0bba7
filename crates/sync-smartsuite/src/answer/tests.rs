use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, header};
use sync_core::error::{CallError, CallErrorKind};

use super::{Asked, accept, of_create, unreadable};
use crate::transport::{BodyEnd, Reply, TransportError};

const TOKEN: &str = "planted-token-0123456789";
const CHALLENGE: &str =
    "<!DOCTYPE html><html><head><title>Just a moment...</title></head><body></body></html>";
const PAGE: &str = "<html><body><h1>502 Bad Gateway</h1></body></html>";

const ASKED: Asked<'_> = Asked { shape: None, items: 1, token: TOKEN };

fn reply(status: u16, body: &str) -> Reply {
    Reply {
        status,
        headers: HeaderMap::new(),
        body: Bytes::from(body.to_owned()),
        end: BodyEnd::Complete,
    }
}

fn error(reply: Reply) -> CallError {
    accept(Ok(reply), ASKED).expect_err("no 2xx")
}

fn kind(status: u16, body: &str) -> CallErrorKind {
    error(reply(status, body)).kind
}

/// Asserts the kind of each answer.
fn check(cases: &[(u16, &str, CallErrorKind)]) {
    for (status, body, expected) in cases {
        assert_eq!(kind(*status, body), *expected, "{status} {body}");
    }
}

#[test]
fn a_2xx_is_its_body() {
    for status in [200, 201, 299] {
        let accepted = accept(Ok(reply(status, "[1]")), ASKED).unwrap();
        assert_eq!((accepted.body.as_str(), accepted.no_content), ("[1]", false));
    }
    assert!(accept(Ok(reply(204, "")), ASKED).unwrap().no_content);
}

#[test]
fn a_refusal_in_json_is_the_services_own() {
    check(&[
        (400, r#"{"title":["This field is required."]}"#, CallErrorKind::Refused { status: 400 }),
        (422, r#"[{"s1":["bad"]}]"#, CallErrorKind::Refused { status: 422 }),
        (409, r#"{"error":"conflict"}"#, CallErrorKind::Refused { status: 409 }),
        (401, r#"{"detail":"Invalid token."}"#, CallErrorKind::TokenRejected),
        (403, r#"{"detail":"Invalid token."}"#, CallErrorKind::TokenRejected),
        (
            403,
            r#"{"detail":"Authentication credentials were not provided."}"#,
            CallErrorKind::TokenRejected,
        ),
        (
            403,
            r#"{"detail":"You do not have permission to perform this action."}"#,
            CallErrorKind::Forbidden,
        ),
        (400, r#"{"detail":"Invalid token."}"#, CallErrorKind::TokenRejected),
        (400, r#"{"detail":"Account ID s1 is not valid"}"#, CallErrorKind::AccountRejected),
        (404, r#"{"detail":"Not found."}"#, CallErrorKind::NotFound),
    ]);
}

#[test]
fn a_create_refused_for_the_bound_of_records_says_that_the_plan_is_full() {
    let of = |status, body: &str| {
        let error =
            accept(Ok(reply(status, body)), Asked { shape: None, items: 2, token: "" }).err();
        of_create(error.expect("a refusal")).kind
    };
    for body in [
        r#"{"detail":"The plan's limit of records has been reached."}"#,
        r#"{"message":"Record limit exceeded (5,000 per solution)."}"#,
        r#"{"non_field_errors":["The plan's limit of records has been reached."]}"#,
        r#"{"detail":["Maximum number of records reached"]}"#,
        r#"{"error":{"code":"RecordLimitExceeded"}}"#,
        r#"["Too many records"]"#,
    ] {
        for status in [400, 403, 409, 422] {
            assert_eq!(of(status, body), CallErrorKind::PlanFull, "{status} {body}");
        }
    }
    assert!(CallErrorKind::PlanFull.is_answered());
    for body in [
        r#"{"detail":"Maximum 25 records per request"}"#,
        r#"{"detail":"The field takes a maximum of 10 records"}"#,
        r#"{"detail":"Linked records limit exceeded"}"#,
        r#"{"detail":"Record exceeds the maximum size."}"#,
        r#"{"detail":"Record title exceeds the maximum"}"#,
        r#"{"detail":"This record's value is over the limit of 255 characters"}"#,
    ] {
        assert_eq!(of(422, body), CallErrorKind::Refused { status: 422 }, "{body}");
    }
}

#[test]
fn a_403_that_speaks_of_calls_and_their_bound_is_the_months_quota() {
    let of = |words: &str| kind(403, &format!("{{\"detail\":\"{words}\"}}"));
    for words in [
        "The workspace has used its API calls for this month.",
        "Monthly API limit reached",
        "API quota exceeded.",
        "You have exceeded the number of requests of your plan.",
    ] {
        assert_eq!(of(words), CallErrorKind::QuotaSpent, "{words}");
        assert!(of(words).is_answered(), "nothing of it was done");
    }
    assert_eq!(kind(402, r#"{"message":"api_limit", "code":"x"}"#), CallErrorKind::QuotaSpent);
    assert_eq!(kind(402, r#"{"error":"Payment required"}"#), CallErrorKind::Forbidden);
    for words in [
        "You do not have permission to perform this action.",
        "The plan's limit of records has been reached.",
        "Storage quota exceeded.",
        "Your request exceeded the record limit of the plan.",
        "This API call needs the permission to see the month's usage.",
        "You may not call this method.",
        "API access is not enabled for your role.",
    ] {
        assert_eq!(of(words), CallErrorKind::Forbidden, "{words}");
    }
    // What is said of a field is said of a value.
    let field = r#"{"s1":["API call limit of this month"]}"#;
    assert_eq!(kind(403, field), CallErrorKind::Forbidden);
    assert_eq!(kind(400, field), CallErrorKind::Refused { status: 400 });
}

#[test]
fn a_parser_that_meets_an_unexpected_token_does_not_reject_ours() {
    let body = r#"{"detail":"JSON parse error - Unexpected token at line 1"}"#;
    assert_eq!(kind(400, body), CallErrorKind::Refused { status: 400 });
}

#[test]
fn a_field_labelled_account_id_does_not_reject_the_account() {
    let body = r#"{"s1":["Account ID is not valid"]}"#;
    assert_eq!(kind(400, body), CallErrorKind::Refused { status: 400 });
}

#[test]
fn plain_text_about_account_or_token_is_understood() {
    check(&[
        (400, "Account ID is not specified", CallErrorKind::AccountRejected),
        (400, "Account ID s1234567 is not valid", CallErrorKind::AccountRejected),
        (400, "Invalid token", CallErrorKind::TokenRejected),
        (401, "", CallErrorKind::TokenRejected),
        (401, "no", CallErrorKind::TokenRejected),
    ]);
}

#[test]
fn what_a_gateway_says_proves_nothing() {
    check(&[
        (400, "Bad Request", CallErrorKind::Garbled),
        (403, "", CallErrorKind::Garbled),
        (400, PAGE, CallErrorKind::Challenge),
        (401, PAGE, CallErrorKind::Challenge),
        (403, CHALLENGE, CallErrorKind::Challenge),
        (404, CHALLENGE, CallErrorKind::Challenge),
        (503, CHALLENGE, CallErrorKind::Challenge),
        (500, "", CallErrorKind::Server { status: 500 }),
        (500, r#"{"detail":"boom"}"#, CallErrorKind::Server { status: 500 }),
        (502, PAGE, CallErrorKind::Server { status: 502 }),
        (408, "", CallErrorKind::TimedOut),
        (400, "{\"title\":[\"cut", CallErrorKind::Garbled),
        (400, "\"a text\"", CallErrorKind::Garbled),
        (600, "{}", CallErrorKind::Garbled),
        (199, "{}", CallErrorKind::Garbled),
    ]);
    for (status, body) in [(400, "Bad Request"), (403, CHALLENGE), (502, PAGE), (429, "{}")] {
        assert!(!kind(status, body).is_answered(), "{status} {body}");
    }
}

#[test]
fn a_wrong_address_is_not_a_missing_table() {
    check(&[
        (301, "", CallErrorKind::WrongAddress),
        (302, PAGE, CallErrorKind::WrongAddress),
        (308, r#"{"detail":"moved"}"#, CallErrorKind::WrongAddress),
        (405, r#"{"detail":"Method \"GET\" not allowed."}"#, CallErrorKind::WrongAddress),
        (404, "<html>Not Found</html>", CallErrorKind::WrongAddress),
        (404, "", CallErrorKind::WrongAddress),
    ]);
}

#[test]
fn a_body_that_is_too_large_is_refused_whoever_says_so() {
    assert_eq!(kind(413, PAGE), CallErrorKind::Refused { status: 413 });
    assert_eq!(kind(413, "{}"), CallErrorKind::Refused { status: 413 });
}

#[test]
fn a_pause_is_asked_for_with_or_without_its_length() {
    assert_eq!(kind(429, PAGE), CallErrorKind::Throttled { retry_after: None });
    let mut slow = reply(429, "");
    slow.headers.insert(header::RETRY_AFTER, HeaderValue::from_static("45"));
    slow.end = BodyEnd::Broken;
    let pause = Some(Duration::from_secs(45));
    assert_eq!(error(slow).kind, CallErrorKind::Throttled { retry_after: pause });
}

#[test]
fn half_a_body_is_no_answer_unless_the_status_says_all() {
    for (end, expected) in [
        (BodyEnd::TimedOut, CallErrorKind::TimedOut),
        (BodyEnd::Broken, CallErrorKind::Broken),
        (BodyEnd::TooLarge, CallErrorKind::Garbled),
    ] {
        for status in [200, 400, 401, 422] {
            let cut = Reply { end, ..reply(status, r#"{"title":["no"]}"#) };
            assert_eq!(error(cut).kind, expected, "{status} {end:?}");
        }
        let cut = Reply { end, ..reply(500, "") };
        assert_eq!(error(cut).kind, CallErrorKind::Server { status: 500 });
    }
}

#[test]
fn a_success_that_cannot_be_read_may_be_a_page() {
    assert_eq!(unreadable(CHALLENGE, ASKED).kind, CallErrorKind::Challenge);
    assert_eq!(unreadable("  <html>", ASKED).kind, CallErrorKind::Challenge);
    assert_eq!(unreadable("", ASKED).kind, CallErrorKind::Garbled);
    assert_eq!(unreadable("[{\"id\"", ASKED).kind, CallErrorKind::Garbled);
    let latin = Reply { body: Bytes::from_static(b"[\"\xe9\"]"), ..reply(200, "") };
    assert_eq!(error(latin).kind, CallErrorKind::Garbled);
}

#[test]
fn without_an_answer_the_transport_says_whether_it_left() {
    let words = || "cause".to_owned();
    for (failure, expected) in [
        (TransportError::NotSent(words()), CallErrorKind::NotSent),
        (TransportError::TimedOut(words()), CallErrorKind::TimedOut),
        (TransportError::Broken(words()), CallErrorKind::Broken),
    ] {
        let error = accept(Err(failure), ASKED).unwrap_err();
        assert_eq!((error.kind, error.detail.0.as_str()), (expected, "cause"));
    }
}

#[test]
fn words_are_kept_short_and_cut_between_characters() {
    let long = format!("<html>{}", "\u{e9}".repeat(1000));
    let detail = error(reply(500, &long)).detail.0;
    assert!(detail.len() <= 500 && detail.len() > 490, "{}", detail.len());
    let huge = format!("{{\"s1\":\"{}\"}}", "x".repeat(super::ERROR_BYTES_MAX));
    assert!(!kind(400, &huge).is_answered(), "an error body of half a megabyte is not read");
}

#[test]
fn a_credential_that_is_echoed_is_blotted_out() {
    let echo = format!(r#"{{"s1":["{TOKEN} is bad"],"detail":"{TOKEN}"}}"#);
    let error = error(reply(400, &echo));
    assert!(!error.detail.0.contains(TOKEN) && error.detail.0.contains("***"));
    assert!(error.complaints.iter().all(|complaint| !complaint.message.0.contains(TOKEN)));
    assert!(!unreadable(&echo, ASKED).detail.0.contains(TOKEN));
}
