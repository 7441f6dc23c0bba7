//! Each call: what it sends, and what it makes of the answer.

use serde_json::{Value, json};
use sync_core::{
    error::CallErrorKind,
    port::{BulkAnswer, RecordFilter, RecordTarget},
    record::RecordId,
};

use crate::{
    fixture::{row, shape},
    scripted::client,
};

const TABLE: &str = "/api/v1/applications/6500000000000000000000c1";
const BOOM: (u16, &str) = (500, r#"{"detail":"boom"}"#);

fn id(text: &str) -> RecordId {
    RecordId(text.to_owned())
}

#[tokio::test]
async fn a_structure_is_read_by_table() {
    let (client, script) = client(&[(200, r#"{"id":"t1","structure":[]}"#), (404, "{}")]);
    assert_eq!(client.structure("t1").await.unwrap().id, "t1");
    assert_eq!(client.structure("t2").await.unwrap_err().kind, CallErrorKind::NotFound);
    let lines: Vec<_> = script.sent().into_iter().map(|sent| sent.line).collect();
    assert_eq!(lines, ["GET /api/v1/applications/t1/", "GET /api/v1/applications/t2/"]);
}

#[tokio::test]
async fn an_update_is_one_patch_that_names_each_record() {
    let (client, script) = client(&[(200, r#"[{"id":"r2"},{"id":"r1"}]"#)]);
    let items = [(id("r1"), row("k1")), (id("r2"), row("k2"))];
    let answer = client.update(&shape(), &items).await.unwrap();
    assert_eq!(answer.records.len(), 2);
    let sent = script.sent().remove(0);
    assert_eq!(sent.line, format!("PATCH {TABLE}/records/bulk/"));
    assert_eq!(sent.body["items"][0]["id"], "r1");
    assert_eq!(sent.body["items"][1]["id"], "r2");
    assert_eq!(sent.body["items"][1]["sext"], "k2");
}

#[tokio::test]
async fn a_delete_moves_records_to_the_bin_in_one_call() {
    let ids = [id("r1"), id("r2")];
    let (client, script) = client(&[
        (200, r#"[{"id":"r1","deleted_date":{"date":"2025-05-30T08:00:00Z"}}]"#),
        (204, ""),
        (200, ""),
        (404, r#"{"detail":"Not found."}"#),
    ]);
    let table = shape().table;
    assert_eq!(client.delete(&table, &ids).await, Ok(vec![id("r1")]));
    let sent = script.sent().remove(0);
    assert_eq!(sent.line, format!("PATCH {TABLE}/records/bulk_delete/?fields=id"));
    assert_eq!(sent.body, json!({ "items": ["r1", "r2"] }));
    assert_eq!(client.delete(&table, &ids).await, Ok(vec![]), "204 names nothing");
    let empty = client.delete(&table, &ids).await.unwrap_err();
    assert_eq!(empty.kind, CallErrorKind::Garbled, "an empty 200 proves nothing");
    assert_eq!(client.delete(&table, &ids).await.unwrap_err().kind, CallErrorKind::NotFound);
}

#[tokio::test]
async fn a_record_that_is_gone_or_in_the_bin_is_none_and_a_page_is_an_error() {
    let (client, script) = client(&[
        (200, r#"{"id":"r1","sext":"k1"}"#),
        (404, r#"{"detail":"Not found."}"#),
        (200, r#"{"id":"r1","deleted_date":{"date":"2025-05-30T08:00:00Z"}}"#),
        (404, "<html>"),
        (200, r#"{"id":"r2"}"#),
        (200, "{}"),
    ]);
    let (shape, id) = (shape(), id("r1"));
    assert!(client.get(&shape, &id).await.unwrap().is_some());
    assert_eq!(script.sent()[0].line, format!("GET {TABLE}/records/r1/?hydrated=false"));
    assert_eq!(client.get(&shape, &id).await, Ok(None));
    assert_eq!(client.get(&shape, &id).await, Ok(None));
    assert_eq!(client.get(&shape, &id).await.unwrap_err().kind, CallErrorKind::WrongAddress);
    let other = client.get(&shape, &id).await.unwrap_err();
    assert_eq!(other.kind, CallErrorKind::Garbled, "another record is no answer");
    assert_eq!(client.get(&shape, &id).await.unwrap_err().kind, CallErrorKind::Garbled);
}

#[tokio::test]
async fn a_list_puts_its_bounds_into_the_address() {
    let (client, script) = client(&[(200, r#"{"items":[],"total":0,"offset":50,"limit":25}"#)]);
    let page = client.list(&shape(), &RecordFilter::Above(7), 50, 25).await.unwrap();
    assert_eq!((page.total, page.received), (50, 0));
    let sent = script.sent().remove(0);
    assert_eq!(sent.line, format!("POST {TABLE}/records/list/?offset=50&limit=25"));
    assert_eq!(sent.body["hydrated"], false);
}

#[tokio::test]
async fn nothing_to_write_is_no_call() {
    let (client, script) = client(&[]);
    assert_eq!(client.create(&shape(), &[]).await, Ok(BulkAnswer::default()));
    assert_eq!(client.update(&shape(), &[]).await, Ok(BulkAnswer::default()));
    assert_eq!(client.delete("t1", &[]).await, Ok(vec![]));
    assert!(script.sent().is_empty());
}

#[tokio::test]
async fn a_bulk_route_that_fails_for_one_item_gives_way_to_the_single_route() {
    let created = r#"{"id":"r1","sext":"k1"}"#;
    let named = r#"[{"id":"r1","sext":"k1"}]"#;
    let answers = [BOOM, (200, created), BOOM, BOOM, (200, named), (200, named), (200, named)];
    let (client, script) = client(&answers);
    let shape = shape();
    let one = [row("k1")];
    assert!(client.create(&shape, &one).await.is_err());
    assert_eq!(client.create(&shape, &one).await.unwrap().records.len(), 1);
    let both = [row("k1"), row("k2")];
    assert!(client.create(&shape, &both).await.is_err(), "several still go in bulk");
    assert!(client.create(&shape, &one).await.is_err(), "the single route fails too");
    client.create(&shape, &one).await.unwrap();
    let update = [(id("r1"), row("k1"))];
    client.update(&shape, &update).await.unwrap();
    client.create(&shape, &one).await.unwrap();
    let routes: Vec<_> = script
        .sent()
        .into_iter()
        .map(|sent| sent.line.strip_prefix("POST ").unwrap_or(&sent.line).replace(TABLE, ""))
        .collect();
    let (bulk, single) = ("/records/bulk/", "/records/");
    let patch = "PATCH /records/bulk/";
    assert_eq!(routes, [bulk, single, bulk, single, bulk, patch, bulk]);
}

#[tokio::test]
async fn an_item_passed_over_in_silence_is_asked_about_alone() {
    let refused = r#"{"title":["no"]}"#;
    let (client, script) = client(&[(200, "[]"), (400, refused), (200, "[]"), (200, "[]")]);
    let (shape, one) = (shape(), [row("k1")]);
    assert!(client.create(&shape, &one).await.unwrap().records.is_empty());
    let error = client.create(&shape, &one).await.unwrap_err();
    assert_eq!(error.complaints[0].slug.as_deref(), Some("title"), "now there is a reason");
    client.create(&shape, &one).await.unwrap();
    client.create(&shape, &[row("k1"), row("k2")]).await.unwrap();
    let lines: Vec<_> = script.sent().into_iter().map(|sent| sent.line).collect();
    let ends = ["/bulk/", "/records/", "/bulk/", "/bulk/"];
    assert!(lines.iter().zip(ends).all(|(line, end)| line.ends_with(end)), "{lines:?}");
}

#[tokio::test]
async fn a_gateway_that_fails_does_not_change_the_route() {
    let (client, script) = client(&[(502, "<html>"), (503, ""), (504, ""), (200, "[]")]);
    for _ in 0..3 {
        assert!(client.create(&shape(), &[row("k1")]).await.is_err());
    }
    client.create(&shape(), &[row("k1")]).await.unwrap();
    assert!(script.sent().iter().all(|sent| sent.line.ends_with("/records/bulk/")));
}

#[tokio::test]
async fn a_single_update_goes_to_the_records_own_address() {
    let (client, script) = client(&[BOOM, (200, r#"{"id":"r1","sext":"k1"}"#)]);
    let items = [(id("r1"), row("k1"))];
    assert!(client.update(&shape(), &items).await.is_err());
    assert_eq!(client.update(&shape(), &items).await.unwrap().records.len(), 1);
    let sent = script.sent().remove(1);
    assert_eq!(sent.line, format!("PATCH {TABLE}/records/r1/"));
    assert_eq!(sent.body["sext"], "k1");
    assert_eq!(sent.body.get("items"), None);
}

#[tokio::test]
async fn a_date_refused_as_an_object_is_sent_as_text_next_time() {
    let refusal = r#"[{},{"sdate":["2025 can't be converted to date"]}]"#;
    let stored = r#"[{"id":"r1","sext":"k1","sdate":{"date":"2025-05-30T08:00:00.000000Z","include_time":true}}]"#;
    let (client, script) = client(&[(400, refusal), (200, stored), (400, refusal), (200, stored)]);
    let (shape, rows) = (shape(), [row("k1"), row("k2")]);
    let first = client.create(&shape, &rows).await.unwrap_err();
    assert!(first.retry_as_is, "the form has changed");
    assert_eq!(first.complaints[0].item, Some(1));
    client.create(&shape, &rows).await.unwrap();
    let later = client.create(&shape, &rows).await.unwrap_err();
    assert!(!later.retry_as_is, "a form that was taken is not to blame");
    client.create(&shape, &rows).await.unwrap();
    let dates: Vec<Value> =
        script.sent().iter().map(|sent| sent.body["items"][0]["sdate"].clone()).collect();
    let text = json!("2025-05-30T08:00:00Z");
    let object = json!({ "date": text, "include_time": true });
    assert_eq!(dates, [object, text.clone(), text.clone(), text]);
}

#[tokio::test]
async fn a_date_refused_inside_a_success_is_learnt_too() {
    let partial =
        r#"{"successful_items":[],"failed_items":[{"index":0,"reason":{"sdate":["not a date"]}}]}"#;
    let (client, script) = client(&[(200, partial), (200, "[]")]);
    let answer = client.update(&shape(), &[(id("r1"), row("k1"))]).await.unwrap();
    assert!(answer.retry_as_is);
    assert_eq!(answer.complaints.len(), 1);
    client.update(&shape(), &[(id("r1"), row("k1"))]).await.unwrap();
    assert!(script.sent()[1].body["items"][0]["sdate"].is_string());
}
