//! Ranges, times of day, compound values, IP addresses, colours, people.

use super::fixture::{
    check, date, datetime, int, json, null, set, text, time, timestamp, to, zero_date,
};
use crate::{config::model::OnUnknown, source::ColumnKind, table::FieldKind};

#[test]
fn a_range_has_two_ends_each_of_which_may_be_open() {
    let field = to(FieldKind::DateRange);
    for (source, expected) in [
        (text("2024-01-01/2024-02-01"), "from day 2024-01-01 to day 2024-02-01"),
        (text("2024-01-01/"), "from day 2024-01-01 to open"),
        (text(" / 2024-02-01T10:00:00Z"), "from open to instant 2024-02-01T10:00:00Z"),
        (json(r#"{"from": "2024-01-01", "to": null}"#), "from day 2024-01-01 to open"),
        (json(r#"{"from_date": "2024-01-01"}"#), "from day 2024-01-01 to open"),
        (json(r#"["2024-01-01", "2024-02-01"]"#), "from day 2024-01-01 to day 2024-02-01"),
        (json("[]"), "empty"),
        (json(r#"{"from": null}"#), "empty"),
        (text(""), "empty"),
        (text("/"), "empty"),
        (null(ColumnKind::Json), "empty"),
        (json(r#"{"begin": "2024-01-01"}"#), "fault: part_unknown"),
        (json(r#"["2024-01-01"]"#), "fault: not_a_date"),
        (text("2024-01-01"), "fault: type_unsuitable"),
        (text("2024-01-01/soon"), "fault: not_a_date"),
        (date("2024-01-01"), "never: column_type_misfit"),
    ] {
        check(&source, &field, expected);
    }
}

#[test]
fn a_single_date_is_when_something_is_due() {
    let field = to(FieldKind::DueDate).zone("Europe/Berlin");
    for (source, expected) in [
        (date("2024-02-29"), "from open to day 2024-02-29"),
        (datetime("2024-02-29T12:00:00"), "from open to instant 2024-02-29T11:00:00Z"),
        (timestamp("2024-02-29T12:00:00.5Z"), "from open to instant 2024-02-29T12:00:00Z"),
        (text("2024-02-29"), "from open to day 2024-02-29"),
        (zero_date("0000-00-00"), "empty"),
        (int(1), "never: column_type_misfit"),
    ] {
        check(&source, &field, expected);
    }
}

#[test]
fn a_time_of_day_lies_within_a_day() {
    let field = to(FieldKind::Time).zone("America/New_York");
    for (source, expected) in [
        (time(0), "text 00:00:00"),
        (time(86_399_999_999), "text 23:59:59"),
        (time(86_400_000_000), "fault: not_a_time_of_day"),
        (time(-1), "fault: not_a_time_of_day"),
        (datetime("2024-02-29T07:08:09.9"), "text 07:08:09"),
        (timestamp("2024-02-29T12:00:00Z"), "text 07:00:00"),
        (text("7:05"), "text 07:05:00"),
        (text(" 21:15:00.25 "), "text 21:15:00"),
        (text(""), "empty"),
        (text("24:00:00"), "fault: not_a_time_of_day"),
        (text("noon"), "fault: not_a_time_of_day"),
        (date("2024-02-29"), "never: column_type_misfit"),
        (int(700), "never: column_type_misfit"),
    ] {
        check(&source, &field, expected);
    }
}

#[test]
fn an_address_has_parts_by_either_name() {
    let field = to(FieldKind::Address);
    for (source, expected) in [
        (
            json(r#"{"street": " 1 Main St ", "city": "Zürich", "zip": 8001, "state": ""}"#),
            "parts location_address=1 Main St location_city=Zürich location_zip=8001",
        ),
        (json(r#"{"location_city": "Bern", "sys_root": "Bern"}"#), "parts location_city=Bern"),
        (
            json(r#"{"latitude": "47.3700", "longitude": 8.50}"#),
            "parts location_latitude=47.37 location_longitude=8.5",
        ),
        (text("1 Main St\n8001 Zürich"), "parts location_address=1 Main St 8001 Zürich"),
        (text(r#"{"city": "Bern"}"#), "parts location_city=Bern"),
        (text("  "), "empty"),
        (json("{}"), "empty"),
        (json(r#"{"town": "Bern"}"#), "fault: part_unknown"),
        (json(r#"{"city": {"name": "Bern"}}"#), "fault: type_unsuitable"),
        (json("[1]"), "fault: type_unsuitable"),
        (int(1), "never: column_type_misfit"),
    ] {
        check(&source, &field, expected);
    }
}

#[test]
fn a_full_name_is_never_guessed_from_text() {
    let field = to(FieldKind::FullName);
    let named = |title: &str| json(&format!(r#"{{"title": "{title}", "last": "Lovelace"}}"#));
    for (source, expected) in [
        (
            json(r#"{"first": "Ada", "middle": "King", "last_name": "Lovelace"}"#),
            "parts first_name=Ada last_name=Lovelace middle_name=King",
        ),
        (named("Mr."), "parts last_name=Lovelace title=1"),
        (named("mrs"), "parts last_name=Lovelace title=2"),
        (named("7"), "parts last_name=Lovelace title=7"),
        (named("Countess"), "fault: type_unsuitable"),
        (text("Ada Lovelace"), "fault: type_unsuitable"),
        (text(""), "empty"),
    ] {
        check(&source, &field, expected);
    }
    let social = to(FieldKind::SocialNetwork);
    check(&json(r#"{"linkedin": "ada"}"#), &social, "parts linkedin_username=ada");
    check(&text("ada"), &social, "fault: type_unsuitable");
}

#[test]
fn ip_addresses_and_colours_have_one_spelling() {
    let addresses = to(FieldKind::IpAddress).multiple();
    check(&text("2001:0DB8:0:0::1, 192.0.2.1 ::1"), &addresses, "list 2001:db8::1 192.0.2.1 ::1");
    check(&text("::1 0:0:0:0:0:0:0:1"), &to(FieldKind::IpAddress), "list ::1");
    check(&text("300.1.1.1"), &addresses, "fault: not_an_ip_address");
    check(&text("192.0.2.01"), &addresses, "fault: not_an_ip_address");
    check(&text("::1, ::2"), &to(FieldKind::IpAddress), "fault: too_many_entries");
    check(&int(1), &addresses, "never: column_type_misfit");
    let colors = to(FieldKind::ColorPicker).multiple();
    check(&text("#fa0, 814c4C"), &colors, "list #FFAA00 #814C4C");
    check(&set(&["#000000"]), &colors, "list #000000");
    check(&text("red"), &colors, "fault: not_a_color");
    check(&text("fa0"), &colors, "fault: not_a_color");
    check(&text(""), &colors, "empty");
}

#[test]
fn people_are_found_by_their_address_or_id() {
    let members =
        ["6500000000000000000000a1=Ada@Example.com", "6500000000000000000000b2=bob@example.com"];
    let field = to(FieldKind::User).multiple().members(&members);
    for (source, expected) in [
        (
            text("ada@example.COM; 6500000000000000000000B2"),
            "ids 6500000000000000000000a1 6500000000000000000000b2",
        ),
        (json(r#"["bob@example.com"]"#), "ids 6500000000000000000000b2"),
        (text(""), "empty"),
        (text("eve@example.com"), "fault: person_unknown"),
        (text("Ada"), "fault: not_an_id"),
    ] {
        check(&source, &field, expected);
    }
    let blank = field.on_unknown(OnUnknown::Blank);
    check(&text("eve@example.com bob@example.com"), &blank, "ids 6500000000000000000000b2");
    check(&text("ada@example.com"), &to(FieldKind::User), "fault: person_wanted");
}

#[test]
fn what_is_no_choice_follows_the_policy() {
    let field = |on_unknown| to(FieldKind::Status).choices(&["a=Active"]).on_unknown(on_unknown);
    check(&text("New"), &field(OnUnknown::Quarantine), "fault: choice_unknown");
    check(&text("New"), &field(OnUnknown::Error), "fault: choice_unknown");
    check(&text("New"), &field(OnUnknown::Blank), "empty");
    check(&text("New"), &field(OnUnknown::Create), "fault: choice_wanted");
    check(&text("active"), &field(OnUnknown::Create), "choice a");
    check(&text(&"x".repeat(101)), &field(OnUnknown::Create), "fault: choice_unknown");
    let several = to(FieldKind::MultipleSelect).choices(&["a=Active"]);
    check(&text("Active, New"), &several.clone().on_unknown(OnUnknown::Blank), "ids a");
    check(&text("Active, New"), &several.on_unknown(OnUnknown::Create), "fault: choice_wanted");
}
