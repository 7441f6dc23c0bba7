//! A proxy from the environment. The environment belongs to the process, so this test runs a copy of itself in one
//! that names a proxy.

use std::process::Command;

use sync_core::port::RecordTarget;
use sync_smartsuite::SmartSuiteClient;

use crate::{
    fixture::{options, row, shape},
    server::{Server, Step, answer},
};

/// Tells the copy where the server on its own machine is.
const DIRECT: &str = "SYNC_SMARTSUITE_TEST_DIRECT";
const CREATED: &[u8] = br#"[{"id":"r1","sext":"k1"}]"#;

/// One call through the proxy, one to this machine. Does nothing unless it is the copy.
#[tokio::test]
async fn calls_of_the_copy() {
    #[expect(clippy::disallowed_methods, reason = "this is how the parent speaks to its copy")]
    let Ok(direct) = std::env::var(DIRECT) else { return };
    for url in ["http://10.255.255.1", direct.as_str()] {
        let client = SmartSuiteClient::new(&options(url)).unwrap();
        let answer = client.create(&shape(), &[row("k1")]).await.unwrap();
        assert_eq!(answer.records.len(), 1, "{url}");
    }
}

#[test]
fn a_proxy_named_by_the_environment_is_used_except_for_this_machine() {
    let script = || vec![vec![Step::Read, Step::Send(answer("200 OK", "", CREATED))]];
    let (proxy, direct) = (Server::start(script()), Server::start(script()));
    let status = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "proxied::calls_of_the_copy"])
        .env("HTTP_PROXY", proxy.url())
        .env("http_proxy", proxy.url())
        .env_remove("NO_PROXY")
        .env_remove("no_proxy")
        .env(DIRECT, direct.url())
        .status();
    assert!(status.unwrap().success());
    let (by_proxy, by_itself) = (proxy.requests(), direct.requests());
    assert!(
        by_proxy[0].starts_with("POST http://10.255.255.1/api/v1/applications/"),
        "{by_proxy:?}"
    );
    assert!(by_itself[0].starts_with("POST /api/v1/applications/"), "{by_itself:?}");
    assert_eq!((by_proxy.len(), by_itself.len()), (1, 1));
}
