//! The credential is sent, and shown nowhere.

use sync_core::{error::CallError, port::RecordTarget, record::RecordId};
use sync_smartsuite::{ClientOptions, HttpTransport, OptionsError, SmartSuiteClient};

use crate::{
    fixture::{TOKEN, options, row, shape},
    server::{Server, Step, answer},
};

/// Everything that can be printed of an error, the quoted words too.
fn shown(error: &CallError) -> String {
    let words: Vec<_> = error.complaints.iter().map(|complaint| &complaint.message.0).collect();
    format!("{error} {error:?} {:?} {words:?} {}", error.detail.0, error.kind.remedy())
}

#[tokio::test]
async fn a_credential_echoed_by_the_server_is_not_repeated() {
    let bodies = [
        ("400 Bad Request", format!(r#"{{"detail":"Invalid token {TOKEN}"}}"#)),
        ("400 Bad Request", format!(r#"[{{"sext":["{TOKEN}"]}}]"#)),
        ("403 Forbidden", format!("Token {TOKEN} has no rights")),
        ("500 Internal Server Error", format!("<html>Authorization: Token {TOKEN}")),
        ("302 Found", format!("go to /login?token={TOKEN}")),
        ("429 Too Many Requests", TOKEN.to_owned()),
        ("200 OK", format!("<html>{TOKEN}")),
        ("200 OK", format!("{}{TOKEN}", "x".repeat(490))),
    ];
    for (status, body) in bodies {
        let server =
            Server::start(vec![vec![Step::Read, Step::Send(answer(status, "", body.as_bytes()))]]);
        let client = SmartSuiteClient::new(&options(&server.url())).unwrap();
        let error = client.create(&shape(), &[row("k1")]).await.unwrap_err();
        assert!(!shown(&error).contains(TOKEN), "{status} {body}");
        assert!(server.requests()[0].contains(TOKEN), "it was sent");
    }
    let failed =
        format!(r#"{{"successful_items":[],"failed_items":[{{"index":0,"reason":"{TOKEN}"}}]}}"#);
    let server =
        Server::start(vec![vec![Step::Read, Step::Send(answer("200 OK", "", failed.as_bytes()))]]);
    let client = SmartSuiteClient::new(&options(&server.url())).unwrap();
    let answer = client.create(&shape(), &[row("k1")]).await.unwrap();
    let [complaint] = answer.complaints.as_slice() else { panic!("one complaint") };
    assert_eq!(complaint.message.0, "***");
}

#[tokio::test]
async fn a_call_that_never_left_shows_no_credential() {
    let client = SmartSuiteClient::new(&options("http://127.0.0.1:1")).unwrap();
    let error = client.get(&shape(), &RecordId("r1".to_owned())).await.unwrap_err();
    assert!(!shown(&error).contains(TOKEN));
    assert!(!error.detail.0.is_empty(), "the cause is kept for people");
}

#[test]
fn what_can_be_printed_shows_no_credential() {
    let options = options("http://127.0.0.1:1");
    let client = SmartSuiteClient::new(&options).unwrap();
    let transport = HttpTransport::new(&options).unwrap();
    assert!(!format!("{options:?} {client:?} {transport:?}").contains(TOKEN));
    assert!(format!("{client:?}").contains("127.0.0.1"), "the address is shown");
}

#[test]
fn options_that_cannot_work_show_no_credential() {
    let cases: [fn(&mut ClientOptions); 4] = [
        |options| TOKEN.clone_into(&mut options.base_url),
        |options| options.base_url = format!("https://user:{TOKEN}@host"),
        |options| options.base_url = format!("https://host/?token={TOKEN}"),
        |options| options.account_id = format!("{TOKEN}\n"),
    ];
    for spoil in cases {
        let mut options = options("http://127.0.0.1:1");
        spoil(&mut options);
        let error: OptionsError = SmartSuiteClient::new(&options).unwrap_err();
        assert!(!format!("{error} {error:?}").contains(TOKEN));
    }
}
