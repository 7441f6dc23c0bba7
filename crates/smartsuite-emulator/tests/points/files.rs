//! Point 42: files.

use bytes::Bytes;
use http::Request;
use serde_json::{Value, json};
use smartsuite_emulator::{DEMO_ACCOUNT, DEMO_TOKEN};

use crate::service::{Service, TABLE, answered, at, service};

fn names(service: &mut Service, id: &str) -> Vec<Value> {
    let files = service.read(id).ok()["sfile"].clone();
    let files = files.as_array().into_iter().flatten();
    files.map(|file| file["metadata"]["filename"].clone()).collect()
}

#[test]
fn a_file_that_is_given_by_its_address_appears_after_its_delay() {
    for (mut service, seconds) in
        [(at("file_fetch_delay_ms", "2000"), 2.0), (at("file_fetch_delay_ms", "0"), 0.0)]
    {
        let id = service.id(&json!({}));
        let address =
            json!({"id": id, "sfile": ["https://example.com/docs/annual%20report.pdf?x=1"]});
        service.update(&id, &address).ok();
        if seconds > 0.0 {
            assert_eq!(names(&mut service, &id), Vec::<Value>::new());
        }
        service.pass(seconds);
        assert_eq!(names(&mut service, &id), ["annual report.pdf"]);
        assert_eq!(service.titles("sfile", "file_type_is", &json!("pdf")), ["A record"]);
        assert_eq!(service.titles("sfile", "file_name_contains", &json!("REPORT")), ["A record"]);
        service.update(&id, &json!({"sfile": []})).ok();
        assert_eq!(names(&mut service, &id), Vec::<Value>::new());
    }
}

#[test]
fn a_file_is_uploaded_in_parts_and_has_an_address() {
    let mut service = service();
    let id = service.id(&json!({}));
    let body = "--XX\r\nContent-Disposition: form-data; name=\"files\"; filename=\"a.png\"\r\n\
        Content-Type: image/png\r\n\r\nPNG\r\n--XX--\r\n";
    let upload = |service: &mut Service, slug: &str| {
        let request = Request::post(format!("/api/v1/recordfiles/{TABLE}/{id}/{slug}/"))
            .header("account-id", DEMO_ACCOUNT)
            .header("authorization", format!("Token {DEMO_TOKEN}"))
            .header("content-type", "multipart/form-data; boundary=XX")
            .body(Bytes::from(body))
            .unwrap();
        let outcome = service.emulator.handle(service.now, &request);
        answered(&outcome)
    };
    let record = upload(&mut service, "sfile").ok();
    let file = &record["sfile"][0];
    assert_eq!(
        (&file["metadata"]["filename"], &file["metadata"]["size"]),
        (&json!("a.png"), &json!(3))
    );
    let address =
        service.get(&format!("shared-files/{}/url/", file["handle"].as_str().unwrap())).ok();
    assert!(address["url"].as_str().unwrap().starts_with("https://cdn.files.smartsuite.com/"));
    assert_eq!(service.get("shared-files/nothing/url/").status, 404);
    assert_eq!(upload(&mut service, "stext").status, 404);
    let copy = service.create(&json!({"sfile": [file]})).ok();
    assert_eq!(copy["sfile"][0]["handle"], file["handle"], "an object of another record is taken");
}
