//! Whoever guesses is slow, wherever he says that he is, and locks out nobody else.

use super::*;

/// Access behind a proxy on this machine and others in a network of their own.
fn proxied() -> Access {
    let proxies = Proxies::parse("127.0.0.1, 172.18.0.0/16").unwrap();
    Access::new(AccessSettings {
        operator_token: Some(Secret::new(OPERATOR)),
        webhook_token: Some(Secret::new("webhook-token-0123")),
        proxies,
        ..AccessSettings::default()
    })
}

fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

/// What a token comes to that is offered by this peer, with what stands in `X-Forwarded-For`, a line each.
fn offer(access: &Access, peer: &str, lines: &[&str], token: &str) -> &'static str {
    let lines: Vec<_> = lines.iter().map(|line| ("x-forwarded-for", *line)).collect();
    code(access.role_of_token(token, &headers(&lines), address(peer), now()))
}

/// Five wrong tokens.
#[track_caller]
fn guess(access: &Access, peer: &str, lines: &[&str]) {
    for attempt in 0..5 {
        let outcome = offer(access, peer, lines, &format!("guess {attempt}"));
        assert_eq!(outcome, "http_wrong_token", "{peer} {lines:?}");
    }
}

#[test]
fn an_address_that_guesses_is_locked_out_for_a_minute_even_with_the_right_token() {
    let access = guarded();
    let at = |peer, now| code(access.role_of_token(OPERATOR, &HeaderMap::new(), peer, now));
    guess(&access, "127.0.0.1", &[]);
    assert_eq!(at(PEER, now()), "http_too_many_attempts");
    assert_eq!(at(address("10.0.0.1"), now()), "allowed");
    assert_eq!(at(PEER, now() + SignedDuration::from_secs(60)), "allowed");
}

#[test]
fn a_program_with_an_old_token_locks_nobody_out() {
    let access = guarded();
    let header = [("authorization", "Bearer the-token-of-last-year")];
    for _ in 0..20 {
        assert_eq!(offer(&access, "10.0.0.1", &[], "the-token-of-last-year"), "http_wrong_token");
        let hook = access.check_webhook(&headers(&header), "a", b"", address("10.0.0.1"), now());
        assert_eq!(code(hook), "http_wrong_token");
    }
    assert_eq!(offer(&access, "10.0.0.1", &[], OPERATOR), "allowed");
}

#[test]
fn behind_a_named_proxy_clients_count_apart_for_pages_and_triggers() {
    let access = proxied();
    guess(&access, "127.0.0.1", &["198.51.100.1"]);
    let locked = offer(&access, "127.0.0.1", &["198.51.100.1"], OPERATOR);
    assert_eq!(locked, "http_too_many_attempts");
    assert_eq!(offer(&access, "127.0.0.1", &["198.51.100.2"], OPERATOR), "allowed");
    let trigger = |client: &str| {
        let given =
            headers(&[("authorization", "Bearer webhook-token-0123"), ("x-forwarded-for", client)]);
        code(access.check_webhook(&given, "orders", b"", PEER, now()))
    };
    assert_eq!(trigger("198.51.100.1"), "http_too_many_attempts");
    assert_eq!(trigger("198.51.100.2"), "allowed");
    let look = |client: &str| {
        let bearer = format!("Bearer {OPERATOR}");
        let given = headers(&[("authorization", bearer.as_str()), ("x-forwarded-for", client)]);
        code(access.role(&given, PEER, now(), false))
    };
    assert_eq!(look("198.51.100.1"), "http_too_many_attempts");
    assert_eq!(look("198.51.100.2"), "allowed");
}

#[test]
fn no_client_chooses_where_it_is_counted() {
    // What the client wrote stands before what the proxy added, in one line or in one of its own.
    for lines in [
        &["10.0.0.9, 198.51.100.1"][..],
        &["10.0.0.9", "198.51.100.1"],
        &["127.0.0.1, 198.51.100.1"],
        &["10.0.0.9, 198.51.100.1, 172.18.0.7"],
        &["nobody, 198.51.100.1:4711"],
        &["::ffff:198.51.100.1"],
    ] {
        let access = proxied();
        guess(&access, "127.0.0.1", &["198.51.100.1"]);
        assert_eq!(offer(&access, "127.0.0.1", lines, OPERATOR), "http_too_many_attempts");
    }
    // Nobody named this one, so that its word counts for nothing; nor does any in front of a proxy that says nothing.
    for (peer, lines) in [
        ("203.0.113.5", [["198.51.100.1"], ["198.51.100.2"]]),
        ("127.0.0.1", [["198.51.100.1, unknown"], ["198.51.100.2, "]]),
        ("127.0.0.1", [["198.51.100.1, 203.0.113.5"], ["172.18.0.1, 203.0.113.5"]]),
    ] {
        let access = proxied();
        guess(&access, peer, &lines[0]);
        assert_eq!(offer(&access, peer, &lines[1], OPERATOR), "http_too_many_attempts", "{peer}");
    }
    // Unless somebody names a proxy there is none, whoever asks.
    let access = guarded();
    guess(&access, "127.0.0.1", &["198.51.100.1"]);
    assert_eq!(offer(&access, "127.0.0.1", &["198.51.100.2"], OPERATOR), "http_too_many_attempts");
}

#[test]
fn proxies_are_named_by_address_or_network() {
    let named = Proxies::parse("127.0.0.1, ::1,172.18.0.0/16 , 2001:db8:7::/48").unwrap();
    let told = headers(&[("x-forwarded-for", "198.51.100.1")]);
    let is_believed = |peer: &str| named.client(&told, address(peer)) != address(peer);
    for proxy in ["127.0.0.1", "::1", "172.18.255.255", "2001:db8:7:ffff::1"] {
        assert!(is_believed(proxy), "{proxy}");
    }
    assert!(named.client(&told, address("::ffff:172.18.0.1")) == address("198.51.100.1"));
    for other in ["127.0.0.2", "::2", "172.19.0.0", "172.17.255.255", "2001:db8:8::1"] {
        assert!(!is_believed(other), "{other}");
    }
    for wrong in [
        "",
        "localhost",
        "10.0.0.1,",
        "10.0.0.0/33",
        "10.0.0.0/7",
        "0.0.0.0/0",
        "::/0",
        "10.0.0.0/",
    ] {
        assert_eq!(Proxies::parse(wrong), None, "{wrong}");
    }
}

#[test]
fn who_has_many_addresses_guesses_no_faster_and_locks_out_none_that_had_a_right_token() {
    let access = guarded();
    assert_eq!(offer(&access, "192.0.2.1", &[], OPERATOR), "allowed");
    for client in 0..60 {
        // A customer has a whole network of IPv6, which counts as one address.
        guess(&access, &format!("2001:db8:0:{client:x}::{client:x}"), &[]);
    }
    assert_eq!(offer(&access, "2001:db8:1::1", &[], "a guess"), "http_too_many_attempts");
    assert_eq!(offer(&access, "192.0.2.2", &[], OPERATOR), "http_too_many_attempts");
    assert_eq!(offer(&access, "192.0.2.1", &[], OPERATOR), "allowed");
    let later = now() + SignedDuration::from_secs(60);
    let peer = address("192.0.2.2");
    assert_eq!(code(access.role_of_token(OPERATOR, &HeaderMap::new(), peer, later)), "allowed");
}
