//! Text, text area, title, rich text; yes/no.

use super::fixture::{
    bit, bytes, check, date, datetime, dec, double, float, geometry, int, json, label, null, set,
    text, time, timestamp, to, value_noting, year, zero_date,
};
use crate::{source::ColumnKind, table::FieldKind};

#[test]
fn every_exact_type_has_a_canonical_text() {
    for kind in [FieldKind::Text, FieldKind::TextArea, FieldKind::Title, FieldKind::RichText] {
        let field = to(kind);
        for (source, expected) in [
            (text("Jane Dœ 😀"), "text Jane Dœ 😀"),
            (text(" outer spaces stay "), "text  outer spaces stay "),
            (text(""), "empty"),
            (null(ColumnKind::Text), "empty"),
            (label("active"), "text active"),
            (int(0), "text 0"),
            (int(-128), "text -128"),
            (int(18_446_744_073_709_551_615), "text 18446744073709551615"),
            (year(2024), "text 2024"),
            (bit(true), "text 1"),
            (bit(false), "text 0"),
            (dec("5.00"), "text 5.00"),
            (dec("100"), "text 100"),
            (dec("-0.50"), "text -0.50"),
            (
                dec("12345678901234567890123456789012345.123456789012345678901234567890"),
                "text 12345678901234567890123456789012345.123456789012345678901234567890",
            ),
            (float(0.1), "text 0.1"),
            (float(16_777_216.0), "text 16777216"),
            (double(0.1), "text 0.1"),
            (double(-0.0), "text 0"),
            (double(1e308), "text 1e308"),
            (double(5e-324), "text 5e-324"),
            (double(123_456_789_012_345.0), "text 123456789012345"),
            (date("2024-02-29"), "text 2024-02-29"),
            (datetime("2024-02-29T12:34:56"), "text 2024-02-29 12:34:56"),
            (datetime("2024-02-29T12:34:56.5"), "text 2024-02-29 12:34:56.500000"),
            (timestamp("2024-02-29T12:34:56.000001Z"), "text 2024-02-29 12:34:56.000001Z"),
            (time(-3_020_399_000_000), "text -838:59:59"),
            (time(90_000_000_001), "text 25:00:00.000001"),
            (time(0), "text 00:00:00"),
            (zero_date("0000-00-00"), "empty"),
            (set(&["x", "z"]), "text x,z"),
            (set(&[]), "empty"),
            (bytes(b"plain"), "text plain"),
            (bytes(&[0xff, 0xfe]), "fault: not_text"),
            (
                json(r#"{"b": 1.50, "a": [true, null, {"d": 1, "c": "ü\n"}]}"#),
                r#"text {"a":[true,null,{"c":"ü\n","d":1}],"b":1.50}"#,
            ),
            (json("12345678901234567890.10"), "text 12345678901234567890.10"),
            (json(r#""a string""#), "text a string"),
            (json("null"), "empty"),
            (geometry(), "never: column_type_misfit"),
        ] {
            check(&source, &field, expected);
        }
    }
}

#[test]
fn line_ends_are_one_and_invisible_characters_go() {
    let field = to(FieldKind::TextArea);
    check(&text("a\r\nb\rc\nd\te"), &field, "text a\nb\nc\nd\te");
    check(&text("a\0b\u{1b}c\u{7f}d"), &field, "text abcd");
    check(&text("\0"), &field, "empty");
    let (_, notes) = value_noting(&text("a\0b"), &field);
    assert_eq!(notes.cleaned_texts, 1);
    let (_, notes) = value_noting(&text("a\r\nb"), &field);
    assert_eq!(notes.cleaned_texts, 0);
}

#[test]
fn only_rich_text_loses_empty_lines_at_its_end() {
    check(&text("a\n\nb\r\n\r\n"), &to(FieldKind::RichText), "text a\n\nb");
    check(&text("\n"), &to(FieldKind::RichText), "empty");
    check(&text("a\n"), &to(FieldKind::TextArea), "text a\n");
}

#[test]
fn a_text_of_64_kib_fits_and_one_byte_more_does_not() {
    let field = to(FieldKind::TextArea);
    let most = "x".repeat(65_536);
    check(&text(&most), &field, &format!("text {most}"));
    check(&text(&format!("{most}x")), &field, "fault: text_too_long");
}

#[test]
fn yes_is_what_mysql_and_people_call_yes() {
    let field = to(FieldKind::YesNo);
    for yes in ["1", "yes", "Y", "TRUE", "t", " on "] {
        check(&text(yes), &field, "yes");
        check(&label(yes), &field, "yes");
    }
    for no in ["0", "no", "N", "False", "f", "off", "", "  "] {
        check(&text(no), &field, "empty");
    }
    for (source, expected) in [
        (int(1), "yes"),
        (int(0), "empty"),
        (int(-1), "yes"),
        (int(2), "yes"),
        (bit(true), "yes"),
        (bit(false), "empty"),
        (dec("0.00"), "empty"),
        (dec("0.10"), "yes"),
        (double(0.0), "empty"),
        (double(1.0), "yes"),
        (bytes(b"yes"), "yes"),
        (json("true"), "yes"),
        (json("false"), "empty"),
        (json("1"), "yes"),
        (json(r#""no""#), "empty"),
        (json("null"), "empty"),
        (null(ColumnKind::Bit { bits: 1 }), "empty"),
        (text("maybe"), "fault: not_yes_or_no"),
        (text("2"), "fault: not_yes_or_no"),
        (json("[]"), "fault: type_unsuitable"),
        (date("2024-02-29"), "never: column_type_misfit"),
        (time(1), "never: column_type_misfit"),
        (set(&["x"]), "never: column_type_misfit"),
        (geometry(), "never: column_type_misfit"),
    ] {
        check(&source, &field, expected);
    }
}

#[test]
fn an_empty_value_for_a_required_field_is_refused_but_an_unticked_box_is_an_answer() {
    check(&null(ColumnKind::Text), &to(FieldKind::Title).required(), "fault: required_empty");
    check(&text(""), &to(FieldKind::Title).required(), "fault: required_empty");
    check(&text("x"), &to(FieldKind::Title).required(), "text x");
    check(&zero_date("0000-00-00"), &to(FieldKind::Date).required(), "fault: required_empty");
    check(&int(0), &to(FieldKind::YesNo).required(), "empty");
}
