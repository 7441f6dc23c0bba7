//! Who may do what.

mod guessing;

use std::net::Ipv4Addr;

use axum::http::{HeaderName, HeaderValue};
use jiff::SignedDuration;

use super::*;

const OPERATOR: &str = "operator-token-0123";
const VIEWER: &str = "viewer-token-0123456";
const PEER: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

fn now() -> Timestamp {
    Timestamp::from_second(1_800_000_000).unwrap()
}

fn guarded() -> Access {
    Access::new(AccessSettings {
        operator_token: Some(Secret::new(OPERATOR)),
        viewer_token: Some(Secret::new(VIEWER)),
        webhook_token: Some(Secret::new("webhook-token-0123")),
        webhook_secret: Some(Secret::new("webhook-secret-012")),
        ..AccessSettings::default()
    })
}

fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
    pairs
        .iter()
        .map(|(name, value)| {
            (name.parse::<HeaderName>().unwrap(), HeaderValue::from_str(value).unwrap())
        })
        .collect()
}

fn code<T: std::fmt::Debug>(result: Result<T, Problem>) -> &'static str {
    result.map_err(|problem| problem.code).err().unwrap_or("allowed")
}

#[test]
fn tokens_have_their_roles_and_nothing_else_has_one() {
    let access = guarded();
    let role = |pairs: &[(&str, &str)]| access.role(&headers(pairs), PEER, now(), false);
    assert_eq!(role(&[("authorization", &format!("Bearer {OPERATOR}"))]).unwrap(), Role::Operator);
    assert_eq!(role(&[("authorization", &format!("bearer {VIEWER}"))]).unwrap(), Role::Viewer);
    assert_eq!(code(role(&[])), "http_sign_in_needed");
    assert_eq!(code(role(&[("authorization", "Basic abc")])), "http_sign_in_needed");
    assert_eq!(code(role(&[("authorization", "Bearer webhook-token-0123")])), "http_wrong_token");
    let empty = Access::new(AccessSettings {
        operator_token: Some(Secret::new(OPERATOR)),
        ..AccessSettings::default()
    });
    assert_eq!(code(empty.role_of_token("", &HeaderMap::new(), PEER, now())), "http_wrong_token");
}

#[test]
fn a_session_lasts_half_a_day_and_ends_when_a_token_changes() {
    let access = guarded();
    let cookie = access.session_cookie(Role::Viewer, &HeaderMap::new(), now());
    assert!(cookie.contains("HttpOnly; SameSite=Strict") && !cookie.contains("Secure"));
    let pair = cookie.split(';').next().unwrap();
    let role = |access: &Access, pair: &str, at: Timestamp| {
        access.role(&headers(&[("cookie", &format!("a=b; {pair}"))]), PEER, at, false)
    };
    assert_eq!(role(&access, pair, now()).unwrap(), Role::Viewer);
    assert_eq!(
        code(role(&access, pair, now() + SignedDuration::from_hours(13))),
        "http_sign_in_needed"
    );
    assert_eq!(
        code(role(&access, pair, now() - SignedDuration::from_hours(13))),
        "http_sign_in_needed"
    );
    let forged = pair.replace("viewer", "operator");
    assert_eq!(code(role(&access, &forged, now())), "http_sign_in_needed");
    let mut settings = access.settings.clone();
    settings.viewer_token = Some(Secret::new("another-viewer-token"));
    assert_eq!(code(role(&Access::new(settings), pair, now())), "http_sign_in_needed");
}

#[test]
fn a_browser_may_change_something_only_from_a_page_of_ours() {
    let access = Access::new(AccessSettings::default());
    let may = |pairs: &[(&str, &str)]| code(access.role(&headers(pairs), PEER, now(), true));
    let host = ("host", "127.0.0.1:8787");
    assert_eq!(may(&[host]), "allowed");
    assert_eq!(
        may(&[host, ("origin", "http://127.0.0.1:8787"), ("sec-fetch-site", "same-origin")]),
        "allowed"
    );
    for other in ["http://evil.example", "null", "http://127.0.0.1:9999"] {
        assert_eq!(may(&[host, ("origin", other)]), "http_another_site");
    }
    assert_eq!(may(&[host, ("sec-fetch-site", "cross-site")]), "http_another_site");
    // A name that somebody else made to lead to this machine.
    assert_eq!(may(&[("host", "evil.example")]), "http_another_name");
    assert_eq!(
        may(&[("host", "evil.example:8787"), ("origin", "http://evil.example:8787")]),
        "http_another_name"
    );
    for own in ["localhost:8787", "LOCALHOST", "[::1]:8787", "[::1]", "10.0.0.7"] {
        assert_eq!(may(&[("host", own)]), "allowed", "{own}");
    }
}

/// The headers of a signed request.
fn signed(second: i64, sync: &str, body: &str) -> HeaderMap {
    let text = format!("{second}.{sync}.{body}");
    let mac = session::keyed(b"webhook-secret-012");
    let mac = hmac::Mac::chain_update(mac, text.as_bytes());
    let signature = session::hex(&hmac::Mac::finalize(mac).into_bytes());
    headers(&[
        ("x-sync-timestamp", &second.to_string()),
        ("x-sync-signature", &format!("sha256={signature}")),
    ])
}

#[test]
fn a_signature_is_good_once_for_its_sync_and_body_within_five_minutes() {
    let access = guarded();
    let second = now().as_second();
    let check = |headers: &HeaderMap, sync: &str, body: &str| {
        code(access.check_webhook(headers, sync, body.as_bytes(), PEER, now()))
    };
    let good = signed(second, "orders", "{}");
    assert_eq!(check(&good, "customers", "{}"), "webhook_signature");
    assert_eq!(check(&good, "orders", "{} "), "webhook_signature");
    assert_eq!(check(&good, "orders", "{}"), "allowed");
    assert_eq!(check(&good, "orders", "{}"), "webhook_replayed");
    assert_eq!(check(&signed(second - 301, "orders", ""), "orders", ""), "webhook_time");
    assert_eq!(check(&signed(second + 301, "orders", ""), "orders", ""), "webhook_time");
    assert_eq!(check(&signed(second + 299, "orders", ""), "orders", ""), "allowed");
    assert_eq!(
        check(
            &headers(&[("x-sync-signature", "sha256=zz"), ("x-sync-timestamp", "1")]),
            "orders",
            ""
        ),
        "webhook_signature"
    );
    assert_eq!(check(&headers(&[("x-sync-signature", "sha256=00")]), "orders", ""), "webhook_time");
}

#[test]
fn the_webhook_takes_its_own_token_and_the_operators() {
    let access = guarded();
    let check = |pairs: &[(&str, &str)]| {
        code(access.check_webhook(&headers(pairs), "orders", b"", PEER, now()))
    };
    assert_eq!(check(&[("authorization", "Bearer webhook-token-0123")]), "allowed");
    assert_eq!(check(&[("authorization", &format!("Bearer {OPERATOR}"))]), "allowed");
    assert_eq!(check(&[("authorization", &format!("Bearer {VIEWER}"))]), "http_wrong_token");
    assert_eq!(check(&[]), "webhook_credentials");
    let open = Access::new(AccessSettings::default());
    let open = |pairs: &[(&str, &str)]| {
        code(open.check_webhook(&headers(pairs), "orders", b"", PEER, now()))
    };
    assert_eq!(open(&[("host", "localhost")]), "allowed");
    assert_eq!(
        open(&[("host", "localhost"), ("origin", "http://evil.example")]),
        "http_another_site"
    );
}
