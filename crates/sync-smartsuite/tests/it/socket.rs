//! Real sockets: what certainly did not leave, what may have, and that nothing leaves twice.

use std::{net::TcpListener, time::Duration};

use bytes::Bytes;
use http::Request;
use sync_core::{
    error::CallErrorKind,
    port::RecordTarget,
    record::{RecordId, SeenRecord},
};
use sync_smartsuite::{
    BodyEnd, HttpTransport, Limits, Reply, SmartSuiteClient, Transport, TransportError,
};

use crate::{
    fixture::{options, row, shape},
    server::{Server, Step, answer},
};

fn send(text: &str) -> Step {
    Step::Send(text.as_bytes().to_vec())
}

/// The kind of error that a create meets at `url`.
async fn create_at(url: &str) -> CallErrorKind {
    let client = SmartSuiteClient::new(&options(url)).unwrap();
    let result = client.create(&shape(), &[row("k1"), row("k2")]).await;
    result.expect_err("an error was expected").kind
}

/// The same against a server with one scripted connection; nothing may be sent twice.
async fn create_against(script: Vec<Step>) -> CallErrorKind {
    let server = Server::start(vec![script]);
    let kind = create_at(&server.url()).await;
    let (connections, requests) = server.counts();
    assert_eq!(connections, 1, "one call, one connection");
    assert!(requests <= 1, "one call, one request");
    kind
}

#[tokio::test]
async fn a_refused_connection_was_not_sent() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    assert_eq!(create_at(&format!("http://127.0.0.1:{port}")).await, CallErrorKind::NotSent);
}

#[tokio::test]
async fn a_name_that_does_not_resolve_was_not_sent() {
    assert_eq!(create_at("https://smartsuite.invalid").await, CallErrorKind::NotSent);
}

#[tokio::test]
async fn a_failed_tls_handshake_was_not_sent() {
    for script in [vec![], vec![send("HTTP/1.1 400 Bad Request\r\n\r\n"), Step::Hang]] {
        let server = Server::start(vec![script]);
        let kind = create_at(&format!("https://{}", server.address)).await;
        assert_eq!(kind, CallErrorKind::NotSent);
        assert_eq!(server.counts(), (1, 0));
    }
}

#[tokio::test]
async fn a_handshake_that_never_ends_was_not_sent() {
    let server = Server::start(vec![vec![Step::Hang]]);
    let mut options = options(&format!("https://{}", server.address));
    options.timeouts.bulk = Duration::from_mins(1);
    let client = SmartSuiteClient::new(&options).unwrap();
    let error = client.create(&shape(), &[row("k1")]).await.unwrap_err();
    assert_eq!(error.kind, CallErrorKind::NotSent);
}

#[tokio::test]
async fn a_connection_closed_after_it_was_made_may_have_carried_the_request() {
    assert_eq!(create_against(vec![]).await, CallErrorKind::Broken);
    assert_eq!(create_against(vec![Step::Read]).await, CallErrorKind::Broken);
}

#[tokio::test]
async fn an_answer_cut_in_its_head_is_no_answer() {
    for head in ["H", "HTTP/1.1 200", "HTTP/1.1 200 OK\r\ncontent-le", "nonsense\r\n\r\n"] {
        assert_eq!(create_against(vec![Step::Read, send(head)]).await, CallErrorKind::Broken);
    }
}

#[tokio::test]
async fn an_answer_cut_in_its_body_is_no_answer() {
    let by_length = "HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n[{\"id\":\"r1\"}";
    let chunked = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\n[{\"id\r\n";
    let refusal = "HTTP/1.1 400 Bad Request\r\ncontent-length: 500\r\n\r\n{\"title\":[\"no\"]}";
    for text in [by_length, chunked, refusal] {
        assert_eq!(create_against(vec![Step::Read, send(text)]).await, CallErrorKind::Broken);
    }
    let until_closed = "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n[{\"id\":\"r1\"}";
    let kind = create_against(vec![Step::Read, send(until_closed)]).await;
    assert_eq!(kind, CallErrorKind::Garbled, "only the JSON shows that it was cut");
}

#[tokio::test]
async fn silence_is_a_time_out_wherever_it_begins() {
    let head = "HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n[";
    for script in [
        vec![Step::Hang],
        vec![Step::Read, Step::Hang],
        vec![Step::Read, send("HTTP/1.1 200 OK\r\n"), Step::Hang],
        vec![Step::Read, send(head), Step::Hang],
    ] {
        assert_eq!(create_against(script).await, CallErrorKind::TimedOut);
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    for status in ["301 Moved Permanently", "302 Found", "307 Temporary Redirect", "308 Moved"] {
        let elsewhere = answer(status, "location: /api/v1/elsewhere/\r\n", b"");
        let script = vec![Step::Read, Step::Send(elsewhere), Step::Read];
        assert_eq!(create_against(script).await, CallErrorKind::WrongAddress, "{status}");
    }
}

#[tokio::test]
async fn a_request_on_a_kept_connection_is_not_repeated_when_it_breaks() {
    let found = answer("200 OK", "", br#"{"id":"r1","sext":"k1"}"#);
    let server = Server::start(vec![
        vec![Step::Read, Step::Send(found.clone()), Step::Read],
        vec![Step::Read, Step::Send(found)],
    ]);
    let client = SmartSuiteClient::new(&options(&server.url())).unwrap();
    let record = client.get(&shape(), &RecordId("r1".to_owned())).await.unwrap();
    assert_eq!(record.unwrap().external_id.as_deref(), Some("k1"));
    let error = client.create(&shape(), &[row("k2")]).await.unwrap_err();
    assert_eq!(error.kind, CallErrorKind::Broken);
    assert_eq!(server.counts(), (1, 2), "the second request used the first connection, once");
}

#[tokio::test]
async fn a_request_carries_what_the_service_demands() {
    let created = answer("200 OK", "", br#"[{"id":"r1","sext":"k1","autonumber":7}]"#);
    let server = Server::start(vec![vec![Step::Read, Step::Send(created)]]);
    let client = SmartSuiteClient::new(&options(&server.url())).unwrap();
    let answer = client.create(&shape(), &[row("k1")]).await.unwrap();
    let [SeenRecord { id, autonumber, .. }] = answer.records.as_slice() else { panic!("one") };
    assert_eq!((id.0.as_str(), *autonumber), ("r1", Some(7)));
    let request = server.requests().remove(0);
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    let head = head.to_lowercase();
    assert!(
        head.starts_with(
            "post /api/v1/applications/6500000000000000000000c1/records/bulk/ http/1.1"
        ),
        "{head}"
    );
    for line in [
        "authorization: token planted-token-0123456789abcdef",
        "account-id: s1234567",
        "content-type: application/json",
        "accept: application/json",
        "accept-encoding: gzip",
        "user-agent: mysql-smartsuite-sync/",
    ] {
        assert!(head.contains(line), "{line}\n{head}");
    }
    assert_eq!(
        body,
        r#"{"items":[{"sdate":{"date":"2025-05-30T08:00:00Z","include_time":true},"sext":"k1","title":"a title"}]}"#
    );
}

/// `{"id":"r1","sext":"zipped"}`, packed.
const ZIPPED: &[u8] = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\xff\xab\x56\xca\x4c\x51\xb2\x52\x2a\
    \x32\x54\xd2\x51\x2a\x4e\xad\x28\x01\xb2\xab\x32\x0b\x0a\x52\x53\x94\x6a\x01\xdd\x3f\x74\xf2\
    \x1b\x00\x00\x00";

/// 100,000 spaces, packed into 133 bytes.
const BOMB: &[u8] = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\xff\xed\xc1\x31\x01\x00\x00\x00\xc2\xa0\
    \x2a\xeb\x9f\xd2\x1a\x1e\x40\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\
    \x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\
    \x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\
    \x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\
    \x00\x00\x00\x00\x00\x00\x00\x00\x00\xaf\x06\x2d\xf0\x79\xca\xa0\x86\x01\x00";

#[tokio::test]
async fn a_packed_answer_is_unpacked() {
    let packed = answer("200 OK", "content-encoding: gzip\r\n", ZIPPED);
    let server = Server::start(vec![vec![Step::Read, Step::Send(packed)]]);
    let client = SmartSuiteClient::new(&options(&server.url())).unwrap();
    let record = client.get(&shape(), &RecordId("r1".to_owned())).await.unwrap();
    assert_eq!(record.unwrap().external_id.as_deref(), Some("zipped"));
}

/// One exchange with a limit of 1,000 bytes.
async fn exchange(script: Vec<Step>) -> Result<Reply, TransportError> {
    let server = Server::start(vec![script]);
    let transport = HttpTransport::new(&options(&server.url())).unwrap();
    let request = Request::get(format!("{}/x/", server.url())).body(Bytes::new()).unwrap();
    let limits = Limits { time: Duration::from_secs(5), body_bytes_max: 1000 };
    transport.exchange(request, limits).await
}

#[tokio::test]
async fn a_body_is_read_up_to_its_limit_and_no_further() {
    let whole = exchange(vec![Step::Read, Step::Send(answer("200 OK", "", &[b'x'; 1000]))]).await;
    let whole = whole.unwrap();
    assert_eq!((whole.end, whole.body.len()), (BodyEnd::Complete, 1000));
    let endless = "HTTP/1.1 200 OK\r\n\r\n".to_owned() + &"x".repeat(100_000);
    let packed = answer("200 OK", "content-encoding: gzip\r\n", BOMB);
    let lying = b"HTTP/1.1 200 OK\r\ncontent-length: 99999999999999\r\n\r\n".to_vec();
    for bytes in [endless.into_bytes(), packed] {
        let reply = exchange(vec![Step::Read, Step::Send(bytes), Step::Hang]).await.unwrap();
        assert_eq!(reply.end, BodyEnd::TooLarge);
        assert!(reply.body.len() <= 1000);
    }
    let reply = exchange(vec![Step::Read, Step::Send(lying)]).await.unwrap();
    assert_eq!((reply.end, reply.body.len()), (BodyEnd::Broken, 0));
}

#[tokio::test]
async fn nonsense_in_the_packing_is_a_broken_body() {
    let packed = answer("200 OK", "content-encoding: gzip\r\n", b"not gzip at all");
    let reply = exchange(vec![Step::Read, Step::Send(packed)]).await.unwrap();
    assert_eq!(reply.end, BodyEnd::Broken);
}
