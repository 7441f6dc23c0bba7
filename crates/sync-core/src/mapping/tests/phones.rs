//! Phone.

use super::fixture::{Target, bytes, check, date, dec, double, int, json, null, set, text, to};
use crate::{config::model::TypeOptions, source::ColumnKind, table::FieldKind};

fn of(country: &str) -> Target {
    to(FieldKind::Phone).multiple().options(TypeOptions {
        default_country: Some(country.to_owned()),
        ..TypeOptions::default()
    })
}

#[test]
fn one_number_has_one_form_however_it_is_written() {
    for written in [
        "913 555 1212",
        "(913) 555-1212",
        "913.555.1212",
        "913\u{2011}555\u{2011}1212",
        "1-913-555-1212",
        "19135551212",
        "+1 913 555 1212",
        "+1 (913) 555-1212",
        "0019135551212",
        " 913/555/1212 ",
    ] {
        check(&text(written), &of("US"), "phones US 9135551212 (2)");
    }
    for written in
        ["020 7946 0958", "+44 20 7946 0958", "0044 (0)20 79460958", "+44 (0) 20 7946 0958"]
    {
        check(&text(written), &of("gb"), "phones GB 2079460958 (2)");
    }
}

#[test]
fn the_calling_code_tells_the_country() {
    for (written, expected) in [
        ("+49 30 901820", "phones DE 30901820 (2)"),
        ("+353 1 234 5678", "phones IE 12345678 (2)"),
        ("+39 06 1234 5678", "phones IT 0612345678 (2)"),
        ("+7 916 123-45-67", "phones RU 9161234567 (2)"),
        ("+7 701 123 4567", "phones KZ 7011234567 (2)"),
        ("+1 416 555 1212", "phones CA 4165551212 (2)"),
        ("+1 876 555 1212", "phones JM 8765551212 (2)"),
        ("+1 800 555 1212", "phones US 8005551212 (2)"),
        ("+683 4000", "phones NU 4000 (2)"),
        ("+999 12345", "fault: not_a_phone"),
    ] {
        check(&text(written), &of("US"), expected);
    }
    check(&text("+44 1534 123456"), &of("JE"), "phones JE 1534123456 (2)");
    check(&text("+44 1534 123456"), &of("DE"), "phones GB 1534123456 (2)");
    check(&text("+1 800 555 1212"), &of("CA"), "phones CA 8005551212 (2)");
}

#[test]
fn numbers_without_a_calling_code_belong_to_the_declared_country() {
    for (country, written, expected) in [
        ("US", "555-0101", "phones US 5550101 (2)"),
        ("US", "416 555 1212", "phones CA 4165551212 (2)"),
        ("JM", "555-0101", "phones JM 5550101 (2)"),
        ("DE", "030 / 90 18 20", "phones DE 30901820 (2)"),
        ("DE", "30901820", "phones DE 30901820 (2)"),
        ("IT", "06 1234 5678", "phones IT 0612345678 (2)"),
        ("RU", "8 (495) 123-45-67", "phones RU 4951234567 (2)"),
        ("RU", "79161234567", "phones RU 9161234567 (2)"),
        ("RU", "8123456789", "phones RU 8123456789 (2)"),
        ("HU", "06 1 234 5678", "phones HU 12345678 (2)"),
        ("FR", "01 23 45 67 89", "phones FR 123456789 (2)"),
    ] {
        check(&text(written), &of(country), expected);
    }
    // As files written for the earlier program mean it.
    check(&text("555-0101"), &to(FieldKind::Phone), "phones US 5550101 (2)");
    check(&text("1"), &of("XX"), "never: phone_country_unknown");
}

#[test]
fn extensions_types_and_lists() {
    let field = of("US");
    for (source, expected) in [
        (text("913 555 1212 x12"), "phones US 9135551212x12 (2)"),
        (text("913 555 1212 Ext. 12"), "phones US 9135551212x12 (2)"),
        (text("913 555 1212 extension: 007"), "phones US 9135551212x007 (2)"),
        (text("913 555 1212 #12"), "phones US 9135551212x12 (2)"),
        (text("913 555 1212 x"), "fault: not_a_phone"),
        (text("913 555 1212 x123456789"), "fault: not_a_phone"),
        (
            text("913 555 1212; +49 30 901820, 913-555-1212"),
            "phones US 9135551212 (2), DE 30901820 (2)",
        ),
        (set(&["913 555 1212"]), "phones US 9135551212 (2)"),
        (json(r#"["913 555 1212", null]"#), "phones US 9135551212 (2)"),
        (int(9_135_551_212), "phones US 9135551212 (2)"),
        (dec("9135551212"), "phones US 9135551212 (2)"),
        (bytes(b"913 555 1212"), "phones US 9135551212 (2)"),
        (
            json(r#"{"number": "416-555-1212", "country": "CA", "extension": "123", "type": 1}"#),
            "phones CA 4165551212x123 (1)",
        ),
        (
            json(r#"[{"phone_number": "030 901820", "phone_country": "DE", "phone_type": "4"}]"#),
            "phones DE 30901820 (4)",
        ),
        (
            json(r#"{"number": 9135551212, "country": null, "type": 99}"#),
            "phones US 9135551212 (2)",
        ),
        (
            json(r#"[{"number": "9135551212"}, "416 555 1212", null, ""]"#),
            "phones US 9135551212 (2), CA 4165551212 (2)",
        ),
        (json(r#"["913 555 1212", ["x"]]"#), "fault: not_a_phone"),
        (text(r#"{"number": "416-555-1212", "type": 1}"#), "phones CA 4165551212 (1)"),
        (text(r#"["913 555 1212"]"#), "phones US 9135551212 (2)"),
        (json(r#"{"country": "US"}"#), "empty"),
        (json(r#"{"number": "9135551212", "country": "Atlantis"}"#), "fault: not_a_phone"),
        (text(""), "empty"),
        (null(ColumnKind::Text), "empty"),
        (text("none"), "fault: not_a_phone"),
        (text("-"), "fault: not_a_phone"),
        (text("112"), "fault: not_a_phone"),
        (text("1-800-FLOWERS"), "fault: not_a_phone"),
        (text("1234567890123456"), "fault: not_a_phone"),
        (text("913 +555 1212"), "fault: not_a_phone"),
        (text("+"), "fault: not_a_phone"),
        (double(1.5), "never: column_type_misfit"),
        (dec("1.5"), "never: column_type_misfit"),
        (date("2024-02-29"), "never: column_type_misfit"),
    ] {
        check(&source, &field, expected);
    }
    let office = to(FieldKind::Phone).options(TypeOptions {
        default_country: Some("US".to_owned()),
        default_type: Some(1),
        ..TypeOptions::default()
    });
    check(&text("913 555 1212"), &office, "phones US 9135551212 (1)");
}
