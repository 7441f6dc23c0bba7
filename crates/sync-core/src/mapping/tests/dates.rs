//! Date.

use super::fixture::{
    bit, bytes, check, date, datetime, dec, double, geometry, int, json, label, null, set, text,
    time, timestamp, to, value_noting, year, zero_date,
};
use crate::{mapping::Notes, source::ColumnKind, table::FieldKind};

#[test]
fn days_are_days_and_times_are_instants() {
    let field = to(FieldKind::Date);
    for (source, expected) in [
        (date("2024-02-29"), "day 2024-02-29"),
        (date("1000-01-01"), "day 1000-01-01"),
        (datetime("2024-02-29T12:34:56"), "instant 2024-02-29T12:34:56Z"),
        (timestamp("2024-02-29T12:34:56Z"), "instant 2024-02-29T12:34:56Z"),
        (zero_date("0000-00-00"), "empty"),
        (zero_date("2024-00-00 10:00:00"), "empty"),
        (null(ColumnKind::Date), "empty"),
        (text("2024-02-29"), "day 2024-02-29"),
        (text(" 2024-02-29 "), "day 2024-02-29"),
        (text("2024-02-29 12:34:56"), "instant 2024-02-29T12:34:56Z"),
        (text("2024-02-29T12:34:56.789"), "instant 2024-02-29T12:34:56Z"),
        (text("2024-02-29T12:34:56+02:00"), "instant 2024-02-29T10:34:56Z"),
        (text("2024-02-29T12:34:56Z"), "instant 2024-02-29T12:34:56Z"),
        (text("0000-00-00 00:00:00"), "empty"),
        (text(""), "empty"),
        (text("2024-02-30"), "fault: not_a_date"),
        (text("29.02.2024"), "fault: not_a_date"),
        (text("tomorrow"), "fault: not_a_date"),
        (label("2024-02-29"), "day 2024-02-29"),
        (bytes(b"2024-02-29"), "day 2024-02-29"),
        (bytes(&[0xff]), "fault: not_text"),
        (json(r#""2024-02-29""#), "day 2024-02-29"),
        (json("20240229"), "fault: type_unsuitable"),
        (date("9999-12-31"), "fault: date_out_of_range"),
        (year(2024), "never: column_type_misfit"),
        (int(1_709_164_800), "never: column_type_misfit"),
        (bit(true), "never: column_type_misfit"),
        (dec("1.5"), "never: column_type_misfit"),
        (double(1.5), "never: column_type_misfit"),
        (time(1), "never: column_type_misfit"),
        (set(&["2024-02-29"]), "never: column_type_misfit"),
        (geometry(), "never: column_type_misfit"),
    ] {
        check(&source, &field, expected);
    }
}

#[test]
fn the_declared_zone_moves_wall_clocks_and_nothing_else() {
    let field = to(FieldKind::Date).zone("Europe/Berlin");
    check(&datetime("2024-07-01T00:30:00"), &field, "instant 2024-06-30T22:30:00Z");
    check(&datetime("2024-01-01T00:30:00"), &field, "instant 2023-12-31T23:30:00Z");
    check(&text("2024-07-01 00:30:00"), &field, "instant 2024-06-30T22:30:00Z");
    check(&timestamp("2024-07-01T00:30:00Z"), &field, "instant 2024-07-01T00:30:00Z");
    check(&date("2024-07-01"), &field, "day 2024-07-01");
}

#[test]
fn include_time_decides_whether_the_time_of_day_is_written() {
    let day = to(FieldKind::Date).zone("Europe/Berlin").include_time(false);
    check(&datetime("2024-07-01T00:30:00"), &day, "day 2024-07-01");
    check(&datetime("2024-07-01T23:59:59.9"), &day, "day 2024-07-01");
    check(&timestamp("2024-06-30T22:30:00Z"), &day, "day 2024-07-01");
    check(&text("2024-07-01 00:30"), &day, "day 2024-07-01");
    check(&date("2024-07-01"), &day, "day 2024-07-01");
    let time = to(FieldKind::Date).zone("Europe/Berlin").include_time(true);
    check(&date("2024-07-01"), &time, "instant 2024-06-30T22:00:00Z");
    check(&text("2024-07-01"), &time, "instant 2024-06-30T22:00:00Z");
    check(&datetime("2024-07-01T00:30:00"), &time, "instant 2024-06-30T22:30:00Z");
}

#[test]
fn fractions_of_a_second_are_cut_towards_the_past_and_counted() {
    let field = to(FieldKind::Date);
    check(&datetime("2024-02-29T23:59:59.999999"), &field, "instant 2024-02-29T23:59:59Z");
    check(&timestamp("1969-12-31T23:59:59.5Z"), &field, "instant 1969-12-31T23:59:59Z");
    let noted = |source| value_noting(&source, &field).1;
    assert_eq!(
        noted(datetime("2024-02-29T23:59:59.999999")),
        Notes { dropped_fractions: 1, ..Notes::default() }
    );
    assert_eq!(noted(datetime("2024-02-29T23:59:59")), Notes::default());
}

#[test]
fn clock_changes_have_one_meaning_and_are_counted() {
    let field = to(FieldKind::Date).zone("Europe/Berlin");
    // Skipped at 02:00 on 31 March, repeated at 03:00 on 27 October.
    check(&datetime("2024-03-31T02:30:00"), &field, "instant 2024-03-31T01:30:00Z");
    check(&datetime("2024-10-27T02:30:00"), &field, "instant 2024-10-27T00:30:00Z");
    let noted = |at: &str| value_noting(&datetime(at), &field).1.ambiguous_times;
    assert_eq!(noted("2024-03-31T02:30:00"), 1);
    assert_eq!(noted("2024-10-27T02:30:00"), 1);
    assert_eq!(noted("2024-10-27T03:30:00"), 0);
}

#[test]
fn zero_dates_are_counted_whatever_they_are_mapped_to() {
    for kind in [FieldKind::Date, FieldKind::Text] {
        let (_, notes) = value_noting(&zero_date("0000-00-00"), &to(kind));
        assert_eq!(notes, Notes { zero_dates: 1, ..Notes::default() });
    }
    let (_, notes) = value_noting(&text("0000-00-00"), &to(FieldKind::Date));
    assert_eq!(notes, Notes { zero_dates: 1, ..Notes::default() });
}

#[test]
fn the_older_date_form_reads_texts_by_its_pattern() {
    let german = to(FieldKind::Date).zone("Europe/Berlin").older_date(Some("%d.%m.%Y"));
    check(&text("29.02.2024"), &german, "day 2024-02-29");
    check(&text("2024-02-29"), &german, "fault: not_a_date");
    check(&date("2024-02-29"), &german, "day 2024-02-29");
    check(&datetime("2024-07-01T00:30:00"), &german, "instant 2024-06-30T22:30:00Z");
    let timed = to(FieldKind::Date).zone("Europe/Berlin").older_date(Some("%d.%m.%Y %H:%M"));
    check(&text("01.07.2024 00:30"), &timed, "instant 2024-06-30T22:30:00Z");
    let offset = to(FieldKind::Date).older_date(Some("%Y-%m-%d %H:%M:%S %z"));
    check(&text("2024-07-01 00:30:00 +0200"), &offset, "instant 2024-06-30T22:30:00Z");
    let american = to(FieldKind::Date).older_date(Some("%m/%d/%y"));
    check(&text("07/01/24"), &american, "day 2024-07-01");
    let plain = to(FieldKind::Date).older_date(None);
    check(&text("2024-02-29"), &plain, "day 2024-02-29");
    check(&text("x"), &to(FieldKind::Date).older_date(Some("%K")), "never: date_pattern_invalid");
}

#[test]
fn the_older_date_form_onto_a_text_field_writes_by_its_pattern() {
    let month = to(FieldKind::Text).zone("Europe/Berlin").older_date(Some("%Y-%m"));
    check(&date("2024-02-29"), &month, "text 2024-02");
    check(&timestamp("2024-06-30T22:30:00Z"), &month, "text 2024-07");
    check(&zero_date("0000-00-00"), &month, "empty");
    let plain = to(FieldKind::Title).zone("Europe/Berlin").older_date(None);
    check(&date("2024-02-29"), &plain, "text 2024-02-29");
    check(&timestamp("2024-06-30T22:30:00Z"), &plain, "text 2024-07-01 00:30:00");
    check(&int(1), &plain, "never: column_type_misfit");
}
