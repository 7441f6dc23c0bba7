//! Connections are encrypted when they should be, and fail closed.

use std::{path::Path, process::Command};

use sync_core::{error::SourceErrorKind, port::ReadScope};
use sync_mysql::{ConnectOptions, SslMode};
use throwaway_server::{Flavor, Server, TestDatabase, skip_if_unavailable};

use crate::stage::{Stage, definition, read, run, source};

/// The cipher of a connection with these options, or the kind of failure.
async fn cipher(options: ConnectOptions) -> Result<Option<String>, SourceErrorKind> {
    let source = source(options, &definition("SELECT 1 AS id", &["id"], None), &[]).unwrap();
    let report = source.check().await.map_err(|error| error.kind)?;
    read(&source, ReadScope::Full).await.map_err(|error| error.kind)?;
    Ok(report.cipher)
}

fn with_mode(options: &ConnectOptions, mode: Option<SslMode>) -> ConnectOptions {
    let mut options = options.clone();
    options.ssl_mode = mode;
    options
}

#[test]
fn a_server_without_tls_is_refused_where_tls_is_demanded() {
    let db = TestDatabase::create(Flavor::MariaDb).unwrap().unwrap();
    run(async move {
        let stage = Stage { db };
        let options = stage.options();
        for mode in [SslMode::Required, SslMode::VerifyIdentity] {
            assert_eq!(cipher(with_mode(&options, Some(mode))).await, Err(SourceErrorKind::Tls));
        }
        for mode in [None, Some(SslMode::Preferred), Some(SslMode::Disabled)] {
            assert_eq!(cipher(with_mode(&options, mode)).await, Ok(None));
        }
    });
}

#[test]
fn tls_is_used_where_it_is_offered() {
    let Some(mut db) = TestDatabase::create(Flavor::MySql).unwrap() else { return };
    run(async move {
        // A fresh user's password is in no cache yet, so its first login is the full exchange of caching_sha2.
        let user = db.create_user("SELECT", "").unwrap();
        let plain_user = db.create_user("SELECT", "").unwrap();
        let stage = Stage { db };
        let options = stage.options_of(&user);
        for mode in [None, Some(SslMode::Preferred), Some(SslMode::Required)] {
            let cipher = cipher(with_mode(&options, mode)).await.unwrap();
            assert!(cipher.is_some_and(|cipher| cipher.starts_with("TLS_")), "{mode:?}");
        }
        let plain = with_mode(&stage.options_of(&plain_user), Some(SslMode::Disabled));
        assert_eq!(cipher(plain).await, Ok(None));
        // The server's own certificate is signed by nobody we know, and names no host.
        let verified = with_mode(&options, Some(SslMode::VerifyIdentity));
        assert_eq!(cipher(verified).await, Err(SourceErrorKind::Tls));
    });
}

#[test]
fn a_server_that_demands_tls_refuses_plain_connections() {
    let started = Server::start_with(Flavor::MySql, &["--require-secure-transport=ON"]);
    let Some(server) = skip_if_unavailable(started).unwrap() else { return };
    let mut options = ConnectOptions::new(
        "127.0.0.1",
        "root",
        sync_core::secret::Secret::new(""),
        "information_schema",
    );
    options.port = server.port();
    run(async move {
        let plain = with_mode(&options, Some(SslMode::Disabled));
        assert_eq!(cipher(plain).await, Err(SourceErrorKind::Tls));
        assert!(cipher(options).await.unwrap().is_some());
    });
}

/// Makes an authority and a certificate for `localhost` signed by it.
fn make_certificates(folder: &Path) {
    let script = "
        openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -days 2 -subj /CN=authority
        openssl req -newkey rsa:2048 -nodes -keyout key.pem -out request.pem -subj /CN=server
        printf 'subjectAltName=DNS:localhost' > names
        openssl x509 -req -in request.pem -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile names -out cert.pem
        openssl req -x509 -newkey rsa:2048 -nodes -keyout other.key -out other.pem -days 2 -subj /CN=other
    ";
    let output = Command::new("sh").args(["-ec", script]).current_dir(folder).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn a_certificate_must_be_signed_and_name_the_host() {
    let folder = tempfile::tempdir().unwrap();
    make_certificates(folder.path());
    let file = |name: &str| folder.path().join(name).display().to_string();
    let server = Server::start_with(
        Flavor::MariaDb,
        &[&format!("--ssl-cert={}", file("cert.pem")), &format!("--ssl-key={}", file("key.pem"))],
    )
    .unwrap();
    let db = server.create_database().unwrap();
    let verified = |host: &str, authority: Option<&str>| {
        let mut options =
            ConnectOptions::new(host, "root", sync_core::secret::Secret::new(""), db.name());
        options.port = db.port();
        options.ssl_mode = Some(SslMode::VerifyIdentity);
        options.ssl_ca = authority.map(|name| folder.path().join(name));
        options
    };
    run(async {
        assert!(cipher(verified("localhost", Some("ca.pem"))).await.unwrap().is_some());
        for refused in [
            verified("127.0.0.1", Some("ca.pem")),
            verified("localhost", Some("other.pem")),
            verified("localhost", None),
            verified("localhost", Some("no-such-file.pem")),
        ] {
            assert_eq!(cipher(refused).await, Err(SourceErrorKind::Tls));
        }
        let required = with_mode(&verified("127.0.0.1", None), Some(SslMode::Required));
        assert!(cipher(required).await.unwrap().is_some());
    });
}
