//! E-mail, links, people, linked records.

use super::fixture::{
    bytes, check, date, dec, double, geometry, int, json, label, null, set, text, time, timestamp,
    to, year,
};
use crate::{source::ColumnKind, table::FieldKind};

#[test]
fn addresses_are_trimmed_kept_in_order_and_named_once() {
    let field = to(FieldKind::Email).multiple();
    for (source, expected) in [
        (text("jane@example.com"), "list jane@example.com"),
        (text(" Jane.Doe+x@Example.co.uk "), "list Jane.Doe+x@Example.co.uk"),
        (text("b@x.org; a@x.org,b@x.org\nc@x.org"), "list b@x.org a@x.org c@x.org"),
        (text("jörg@bücher.de"), "list jörg@bücher.de"),
        (label("a@x.org"), "list a@x.org"),
        (set(&["a@x.org", "b@x.org"]), "list a@x.org b@x.org"),
        (json(r#"["a@x.org", null, "b@x.org"]"#), "list a@x.org b@x.org"),
        (json(r#""a@x.org""#), "list a@x.org"),
        (bytes(b"a@x.org"), "list a@x.org"),
        (text(""), "empty"),
        (text(" ; "), "empty"),
        (null(ColumnKind::Text), "empty"),
        (text("jane"), "fault: not_an_email"),
        (text("jane@localhost"), "fault: not_an_email"),
        (text("@example.com"), "fault: not_an_email"),
        (text("a@b@c.de"), "fault: not_an_email"),
        (text("a@x..org"), "fault: not_an_email"),
        (text("a@x.org."), "fault: not_an_email"),
        (text("a b@x.org"), "fault: not_an_email"),
        (text("Jane <a@x.org>"), "fault: not_an_email"),
        (text("a@x.org, jane"), "fault: not_an_email"),
        (json(r#"{"email": "a@x.org"}"#), "fault: not_an_email"),
        (json("[[1]]"), "fault: type_unsuitable"),
        (bytes(&[0xff]), "fault: not_text"),
        (int(1), "never: column_type_misfit"),
        (date("2024-02-29"), "never: column_type_misfit"),
        (geometry(), "never: column_type_misfit"),
    ] {
        check(&source, &field, expected);
    }
}

#[test]
fn a_field_of_one_entry_takes_one() {
    check(&text("a@x.org"), &to(FieldKind::Email), "list a@x.org");
    check(&text("a@x.org, a@x.org"), &to(FieldKind::Email), "list a@x.org");
    check(&text("a@x.org, b@x.org"), &to(FieldKind::Email), "fault: too_many_entries");
    check(&text("x.org\ny.org"), &to(FieldKind::Link), "fault: too_many_entries");
    check(&text("913 555 1212, 913 555 1213"), &to(FieldKind::Phone), "fault: too_many_entries");
    let ids = "6500000000000000000000c1,6500000000000000000000c2";
    check(&text(ids), &to(FieldKind::LinkedRecord), "fault: too_many_entries");
}

#[test]
fn links_are_web_addresses_one_a_line() {
    let field = to(FieldKind::Link).multiple();
    for (source, expected) in [
        (text("https://example.com/a?b=c,d#e"), "list https://example.com/a?b=c,d#e"),
        (text("www.example.com"), "list www.example.com"),
        (text("HTTP://Example.com:8080/"), "list HTTP://Example.com:8080/"),
        (text("http://intranet/x"), "list http://intranet/x"),
        (text("http://user:pw@host.org/"), "list http://user:pw@host.org/"),
        (text("http://[2001:db8::1]/"), "list http://[2001:db8::1]/"),
        (text("ftp://files.example.com"), "list ftp://files.example.com"),
        (text("bücher.de/käse"), "list bücher.de/käse"),
        (text("a.org\r\n b.org \n\na.org"), "list a.org b.org"),
        (json(r#"["a.org", "b.org"]"#), "list a.org b.org"),
        (text(""), "empty"),
        (text("/images/1.png"), "fault: not_a_link"),
        (text("example"), "fault: not_a_link"),
        (text("http://"), "fault: not_a_link"),
        (text("http://a b.org"), "fault: not_a_link"),
        (text("a.org, b.org"), "fault: not_a_link"),
        (text("javascript:alert(1)"), "fault: not_a_link"),
        (text("mailto:a@x.org"), "fault: not_a_link"),
        (text("file:///etc/passwd"), "fault: not_a_link"),
        (text("a.org:port"), "fault: not_a_link"),
        (text(&format!("a.org/{}", "x".repeat(2048))), "fault: not_a_link"),
        (double(1.5), "never: column_type_misfit"),
        (timestamp("2024-02-29T00:00:00Z"), "never: column_type_misfit"),
    ] {
        check(&source, &field, expected);
    }
}

#[test]
fn people_and_linked_records_are_sets_of_ids() {
    for kind in [FieldKind::User, FieldKind::LinkedRecord] {
        let field = to(kind).multiple();
        for (source, expected) in [
            (text("6500000000000000000000C1"), "ids 6500000000000000000000c1"),
            (
                text("6500000000000000000000c2, 6500000000000000000000c1;6500000000000000000000c2"),
                "ids 6500000000000000000000c1 6500000000000000000000c2",
            ),
            (json(r#"["6500000000000000000000c1"]"#), "ids 6500000000000000000000c1"),
            (set(&["6500000000000000000000c1"]), "ids 6500000000000000000000c1"),
            (text(""), "empty"),
            (json("[]"), "empty"),
            (text("123"), "fault: not_an_id"),
            (text("6500000000000000000000cg"), "fault: not_an_id"),
            (text(r#"["6500000000000000000000c1"]"#), "ids 6500000000000000000000c1"),
            (json("[123]"), "fault: not_an_id"),
            (int(123), "never: column_type_misfit"),
            (dec("1"), "never: column_type_misfit"),
            (year(2024), "never: column_type_misfit"),
            (time(1), "never: column_type_misfit"),
        ] {
            check(&source, &field, expected);
        }
    }
}
