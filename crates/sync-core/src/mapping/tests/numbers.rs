//! Number, currency, percent, slider, percent complete, rating, duration.

use super::fixture::{
    bit, bytes, check, date, datetime, dec, double, float, geometry, int, json, label, null, set,
    text, time, timestamp, to, value_noting, year,
};
use crate::{config::model::Transformation, mapping::Notes, source::ColumnKind, table::FieldKind};

const SIXTY_FIVE_DIGITS: &str =
    "12345678901234567890123456789012345.123456789012345678901234567891";

#[test]
fn numbers_arrive_exactly_and_without_trailing_zeros() {
    for kind in
        [FieldKind::Number, FieldKind::Currency, FieldKind::Percent, FieldKind::NumberSlider]
    {
        let field = to(kind);
        for (source, expected) in [
            (int(0), "number 0"),
            (int(-42), "number -42"),
            (int(18_446_744_073_709_551_615), "number 18446744073709551615"),
            (year(2024), "number 2024"),
            (bit(true), "number 1"),
            (bit(false), "number 0"),
            (dec("12.00"), "number 12"),
            (dec("100"), "number 100"),
            (dec("-0.00"), "number 0"),
            (dec("0.1"), "number 0.1"),
            (dec(SIXTY_FIVE_DIGITS), &format!("number {SIXTY_FIVE_DIGITS}")),
            (float(0.1), "number 0.1"),
            (float(16_777_216.0), "number 16777216"),
            (float(3.402_823_5e38), "number 340282350000000000000000000000000000000"),
            (double(0.1), "number 0.1"),
            (double(0.1 + 0.2), "number 0.30000000000000004"),
            (double(1e-7), "number 0.0000001"),
            (double(-0.0), "number 0"),
            (double(f64::NAN), "fault: not_a_number"),
            (double(f64::INFINITY), "fault: not_a_number"),
            (text("12.50"), "number 12.5"),
            (text(" +7 "), "number 7"),
            (text("1e3"), "number 1000"),
            (text(""), "empty"),
            (text("  "), "empty"),
            (text("12,50"), "fault: not_a_number"),
            (text("1,234.50"), "fault: not_a_number"),
            (text("$5"), "fault: not_a_number"),
            (text("1e999999999"), "fault: not_a_number"),
            (label("3"), "number 3"),
            (label("three"), "fault: not_a_number"),
            (bytes(b"7.10"), "number 7.1"),
            (bytes(&[0xff]), "fault: not_text"),
            (json("12345678901234567890.10"), "number 12345678901234567890.1"),
            (json(r#""5""#), "number 5"),
            (json("null"), "empty"),
            (json("true"), "fault: type_unsuitable"),
            (json("[1]"), "fault: type_unsuitable"),
            (json("{}"), "fault: type_unsuitable"),
            (null(ColumnKind::Decimal { scale: 2 }), "empty"),
            (date("2024-02-29"), "never: column_type_misfit"),
            (datetime("2024-02-29T12:00:00"), "never: column_type_misfit"),
            (timestamp("2024-02-29T12:00:00Z"), "never: column_type_misfit"),
            (time(1), "never: column_type_misfit"),
            (set(&["1"]), "never: column_type_misfit"),
            (geometry(), "never: column_type_misfit"),
        ] {
            check(&source, &field, expected);
        }
    }
}

#[test]
fn more_digits_than_the_field_keeps_are_rounded_half_away_from_zero() {
    let cents = to(FieldKind::Currency).precision(2);
    for (number, expected) in [
        ("1.005", "number 1.01"),
        ("-1.005", "number -1.01"),
        ("1.004999", "number 1"),
        ("2.675", "number 2.68"),
        ("1.1", "number 1.1"),
        ("0.004", "number 0"),
        ("-0.004", "number 0"),
    ] {
        check(&dec(number), &cents, expected);
        check(&text(number), &cents, expected);
    }
    check(&dec("0.5"), &to(FieldKind::Number).precision(0), "number 1");
    let noted = |number| value_noting(&dec(number), &cents).1;
    assert_eq!(noted("1.005"), Notes { rounded_numbers: 1, ..Notes::default() });
    assert_eq!(noted("1.100"), Notes::default());
}

#[test]
fn a_rating_is_whole_and_a_percentage_complete_is_between_0_and_100() {
    let rating = to(FieldKind::Rating);
    check(&int(4), &rating, "number 4");
    check(&int(0), &rating, "number 0");
    check(&dec("4.5"), &rating, "number 5");
    check(&int(-1), &rating, "fault: number_out_of_range");
    let complete = to(FieldKind::PercentComplete);
    check(&int(0), &complete, "number 0");
    check(&int(100), &complete, "number 100");
    check(&dec("72.5"), &complete, "number 72.5");
    check(&int(101), &complete, "fault: number_out_of_range");
    check(&dec("-0.1"), &complete, "fault: number_out_of_range");
    check(&dec("100.4"), &complete.precision(0), "number 100");
}

#[test]
fn a_duration_is_seconds() {
    let field = to(FieldKind::Duration);
    for (source, expected) in [
        (time(94_530_000_000), "number 94530"),
        (time(-3_020_399_000_000), "number -3020399"),
        (time(1), "number 0.000001"),
        (time(0), "number 0"),
        (int(90), "number 90"),
        (dec("1.50"), "number 1.5"),
        (double(0.25), "number 0.25"),
        (text("90"), "number 90"),
        (text("26:15:30"), "number 94530"),
        (text("-0:00:01.5"), "number -1.5"),
        (text("838:59:59.000000"), "number 3020399"),
        (text(""), "empty"),
        (text("1:60:00"), "fault: not_a_number"),
        (text("12:30"), "fault: not_a_number"),
        (text("1:00:00pm"), "fault: not_a_number"),
        (text("1 hour"), "fault: not_a_number"),
        (json("90"), "number 90"),
        (null(ColumnKind::Time), "empty"),
        (date("2024-02-29"), "never: column_type_misfit"),
        (set(&["1"]), "never: column_type_misfit"),
    ] {
        check(&source, &field, expected);
    }
    check(&time(1_500_000), &to(FieldKind::Duration).precision(0), "number 2");
}

#[test]
fn the_older_number_form_rounds_to_whole_numbers_where_it_says_int() {
    let int_form = Transformation::Number { whole: true };
    let float_form = Transformation::Number { whole: false };
    check(&dec("2.50"), &to(FieldKind::Number).older(int_form.clone()), "number 3");
    check(&dec("2.50"), &to(FieldKind::Currency).older(float_form.clone()), "number 2.5");
    check(&time(1_500_000), &to(FieldKind::Duration).older(float_form.clone()), "number 1.5");
    check(&dec("2.50"), &to(FieldKind::Text).older(float_form), "text 2.5");
    check(&text("2.5"), &to(FieldKind::Title).older(int_form.clone()), "text 3");
    check(&text("abc"), &to(FieldKind::Text).older(int_form.clone()), "fault: not_a_number");
    check(&int(-5), &to(FieldKind::Rating).older(int_form.clone()), "fault: number_out_of_range");
    check(&int(1), &to(FieldKind::Date).older(int_form), "never: type_mismatch");
}
