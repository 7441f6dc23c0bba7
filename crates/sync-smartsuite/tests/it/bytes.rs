//! No bytes from the server make the client panic, hang, or take what was not said for an answer.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Request};
use proptest::{collection, prelude::*};
use sync_core::{
    error::CallErrorKind,
    port::{Boxed, RecordFilter, RecordTarget},
    record::RecordId,
};
use sync_smartsuite::{BodyEnd, Limits, Reply, SmartSuiteClient, Transport, TransportError};

use crate::fixture::{options, row, shape};

/// Answers every request with the same reply.
struct Canned {
    reply: Reply,
    requests: Mutex<usize>,
}

impl Transport for Canned {
    fn exchange(
        &self,
        _: Request<Bytes>,
        limits: Limits,
    ) -> Boxed<'_, Result<Reply, TransportError>> {
        *self.requests.lock().unwrap() += 1;
        assert!(limits.body_bytes_max <= 64 << 20, "every call has a bound");
        Box::pin(std::future::ready(Ok(self.reply.clone())))
    }
}

/// Makes every call once; whether each was taken for answered.
fn every_call(reply: &Reply) -> Vec<bool> {
    let transport = Arc::new(Canned { reply: reply.clone(), requests: Mutex::new(0) });
    let shared: Arc<dyn Transport> = Arc::<Canned>::clone(&transport);
    let client = SmartSuiteClient::with_transport(&options("http://localhost"), shared).unwrap();
    let (shape, id) = (shape(), RecordId("r1".to_owned()));
    let ids = RecordFilter::ExternalIds(vec!["k1".to_owned()]);
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let answered = runtime.block_on(async {
        let kinds: [Result<(), CallErrorKind>; 8] = [
            client.structure("t1").await.map(|_| ()).map_err(|error| error.kind),
            client.create(&shape, &[row("k1"), row("k2")]).await.map(|_| ()).map_err(|e| e.kind),
            client.create(&shape, &[row("k1")]).await.map(|_| ()).map_err(|error| error.kind),
            client.update(&shape, &[(id.clone(), row("k1"))]).await.map(|_| ()).map_err(|e| e.kind),
            client.delete("t1", std::slice::from_ref(&id)).await.map(|_| ()).map_err(|e| e.kind),
            client.get(&shape, &id).await.map(|_| ()).map_err(|error| error.kind),
            client.list(&shape, &ids, 0, 25).await.map(|_| ()).map_err(|error| error.kind),
            client.list(&shape, &RecordFilter::All, 0, 1000).await.map(|_| ()).map_err(|e| e.kind),
        ];
        kinds.map(|kind| kind.err().is_none_or(CallErrorKind::is_answered)).to_vec()
    });
    assert_eq!(*transport.requests.lock().unwrap(), answered.len(), "one request a call");
    answered
}

fn reply(status: u16, body: &[u8], end: BodyEnd) -> Reply {
    Reply { status, headers: HeaderMap::new(), body: Bytes::copy_from_slice(body), end }
}

/// Bodies near the real ones: fragments of answers, glued, cut and spoilt.
fn near_body() -> impl Strategy<Value = Vec<u8>> {
    let fragment = proptest::sample::select(vec![
        "[",
        "]",
        "{",
        "}",
        ",",
        ":",
        "\"",
        "null",
        "true",
        "1e999",
        "-0",
        "0.1",
        "\"id\":",
        "\"r1\"",
        "{\"id\":\"r1\",\"sext\":\"k1\"}",
        "\"items\":[",
        "\"failed_items\":[{\"index\":0,\"reason\":",
        "\"total\":",
        "99999999999999999999",
        "\"structure\":[",
        "{\"slug\":\"s\",\"field_type\":\"textfield\"}",
        "\"deleted_date\":{\"date\":",
        "\"first_created\":{\"by\":",
        "\"sdate\":",
        "{\"date\":\"2025-05-30\"}",
        "\"detail\":\"Invalid token.\"",
        "Account ID is not valid",
        "<html>",
        "Just a moment",
        "\\ud800",
        "\u{0}",
        "{\"$serde_json::private::Number\":\"x\"}",
        "{\"$serde_json::private::RawValue\":\"[\"}",
    ]);
    let glued = collection::vec(fragment, 0..12).prop_map(|parts| parts.concat().into_bytes());
    prop_oneof![glued, collection::vec(any::<u8>(), 0..200)]
}

fn any_end() -> impl Strategy<Value = BodyEnd> {
    proptest::sample::select(vec![
        BodyEnd::Complete,
        BodyEnd::TimedOut,
        BodyEnd::Broken,
        BodyEnd::TooLarge,
    ])
}

fn any_status() -> impl Strategy<Value = u16> {
    prop_oneof![
        Just(200_u16),
        proptest::sample::select(vec![
            201, 204, 301, 400, 401, 403, 404, 405, 413, 422, 429, 500, 503
        ]),
        any::<u16>(),
    ]
}

proptest! {
    #[test]
    fn no_answer_makes_the_client_panic(
        status in any_status(),
        body in near_body(),
        end in any_end(),
        retry_after in "\\PC{0,40}",
        date in "\\PC{0,40}",
    ) {
        let mut reply = reply(status, &body, end);
        for (name, value) in [("retry-after", retry_after), ("date", date)] {
            if let Ok(value) = HeaderValue::from_bytes(value.as_bytes()) {
                reply.headers.insert(HeaderName::from_static(name), value);
            }
        }
        every_call(&reply);
    }

    #[test]
    fn nothing_but_whole_json_or_a_telling_status_counts_as_answered(
        status in any_status(),
        body in near_body(),
        end in any_end(),
    ) {
        let json = serde_json::from_slice::<serde_json::Value>(&body).ok();
        let whole_json = end == BodyEnd::Complete && json.is_some();
        let telling = matches!(status, 204 | 400 | 401 | 403 | 413);
        if !whole_json && !telling {
            let answered = every_call(&reply(status, &body, end));
            prop_assert!(answered.iter().all(|answered| !answered), "{} {:?}", status, answered);
        }
    }
}

#[test]
fn large_nonsense_takes_no_more_than_its_share_of_time() {
    const TIMES: usize = 1 << 13;
    let ids: Vec<_> = (0..TIMES).map(|n| format!("{{\"id\":\"r{n}\"}}")).collect();
    let repeated = |part: &str| part.repeat(TIMES);
    for body in [
        repeated("["),
        format!("[{}1]", repeated("1,")),
        format!("[{}{{}}]", repeated("{\"a\":1},")),
        format!("[{}{{}}]", repeated("{\"id\":\"a\"},")),
        format!("[{}]", ids.join(",")),
        format!("{{{}\"z\":1}}", repeated("\"a\":1,")),
        format!("\"{}\"", repeated("x")),
        format!("{{\"sext\":[{}\"x\"]}}", repeated("\"no\",")),
    ] {
        for status in [200, 400, 500] {
            every_call(&reply(status, body.as_bytes(), BodyEnd::Complete));
        }
    }
}
