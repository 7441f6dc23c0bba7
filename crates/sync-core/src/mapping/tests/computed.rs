//! Values that no single column holds, and what is done to values before they are converted.

use std::collections::BTreeMap;

use super::fixture::{World, check, date, int, json, shown, text, to, value_noting, zero_date};
use crate::{
    config::model::{Origin, Treatment, WriteMode, WritePolicy, ZeroDate},
    expression::Expression,
    json_path::JsonPath,
    mapping::FindingCode,
    source::{Column, ColumnKind, Row},
    table::FieldKind,
    value::Value,
};

/// A world with columns `id`, `c` (DECIMAL) and `d` (text) whose field comes from `origin`.
fn world(origin: Origin, kind: FieldKind) -> World {
    let mut world = World::new(&ColumnKind::Decimal { scale: 2 }, &to(kind));
    let kind = ColumnKind::Text;
    world.columns.push(Column { name: "d".to_owned(), kind, nullable: true });
    world.destination.fields[0].origin = origin;
    world
}

fn row(number: &str, text: &str) -> Row {
    Row(vec![Value::Int(1), Value::Decimal(number.parse().unwrap()), Value::Text(text.to_owned())])
}

#[track_caller]
fn check_row(world: &World, row: &Row, expected: &str) {
    let (mapping, findings) = world.compile();
    let mapping = mapping.unwrap_or_else(|| panic!("{findings:?}"));
    let found = match mapping.draft(row) {
        Ok(draft) => shown(draft.fields.written("f").unwrap()),
        Err(fault) => format!("fault: {} ({fault})", fault.code.code()),
    };
    assert_eq!(found, expected);
}

fn computed(text: &str) -> Origin {
    Origin::Computed(Expression::parse(text).unwrap())
}

#[test]
fn expressions_and_templates_fill_fields_exactly() {
    let number = world(computed("c * 1.19"), FieldKind::Number);
    check_row(&number, &row("10.10", ""), "number 12.019");
    check_row(&world(computed("c & ' EUR'"), FieldKind::Text), &row("5", ""), "text 5.00 EUR");
    check_row(&world(computed("c > 1"), FieldKind::YesNo), &row("5", ""), "yes");
    let template = Origin::Computed(Expression::template("{upper(d)}-{c}").unwrap());
    check_row(&world(template, FieldKind::Title), &row("1.5", "x"), "text X-1.50");
    check_row(
        &world(computed("1 / c"), FieldKind::Number),
        &row("0", ""),
        "fault: expression_failed (field `f`: the expression divides by zero)",
    );
}

#[test]
fn parts_of_several_columns_make_one_value() {
    let parts = |parts: &[(&str, &str)]| {
        let part =
            |&(name, text): &(&str, &str)| (name.to_owned(), Expression::parse(text).unwrap());
        Origin::Parts(parts.iter().map(part).collect::<BTreeMap<_, _>>())
    };
    let address =
        world(parts(&[("street", "d"), ("zip", "c"), ("country", "'CH'")]), FieldKind::Address);
    check_row(
        &address,
        &row("8001", "Main St"),
        "parts location_address=Main St location_country=CH location_zip=8001",
    );
    let phone = world(parts(&[("number", "d"), ("type", "4")]), FieldKind::Phone);
    check_row(&phone, &row("1", "913 555 1212"), "phones US 9135551212 (4)");
    check_row(&phone, &row("1", ""), "empty");
    let wrong = world(parts(&[("town", "d")]), FieldKind::Address);
    assert_eq!(wrong.codes(), ["part_unknown"]);
    let simple = world(parts(&[("town", "d")]), FieldKind::Number);
    assert_eq!(simple.codes(), ["part_unknown"]);
}

#[test]
fn a_part_of_a_document_is_a_value_of_its_own() {
    let mut world = World::new(&ColumnKind::Json, &to(FieldKind::Number));
    let path = JsonPath::parse("a.b[1]").unwrap();
    world.destination.fields[0].origin = Origin::Column { name: "c".to_owned(), path: Some(path) };
    let row = |text: &str| Row(vec![Value::Int(1), Value::Text(text.to_owned())]);
    check_row(&world, &row(r#"{"a": {"b": [0, 1.50]}}"#), "number 1.5");
    check_row(&world, &row(r#"{"a": 1}"#), "empty");
    check_row(
        &world,
        &row("{oops"),
        "fault: not_json (column `c` into field `f`: the value is not a JSON document)",
    );
}

#[test]
fn what_cannot_fit_is_said_before_any_row() {
    let codes = |text: &str, kind| world(computed(text), kind).codes();
    assert_eq!(codes("missing + 1", FieldKind::Number), ["column_missing"]);
    assert_eq!(codes("d * 2", FieldKind::Number), ["expression_unfit"]);
    assert_eq!(codes("c * 2", FieldKind::Email), ["column_type_misfit"]);
    let constant =
        |text: &str, kind| world(Origin::Computed(Expression::constant(text)), kind).codes();
    assert_eq!(constant("many", FieldKind::Number), ["constant_unfit"]);
    assert!(constant("12", FieldKind::Number).is_empty());
    let default = Treatment { default: Some("soon".to_owned()), ..Treatment::default() };
    let unfit = World::new(&ColumnKind::Date, &to(FieldKind::Date).treated(default));
    assert_eq!(unfit.codes(), ["constant_unfit"]);
    assert!(FindingCode::ConstantUnfit.blocks());
}

#[test]
fn treatments_change_values_on_the_way() {
    let with = |treatment| to(FieldKind::Text).treated(treatment);
    let default =
        Treatment { trim: true, default: Some("none".to_owned()), ..Treatment::default() };
    check(&text("  a  "), &with(default.clone()), "text a");
    check(&text("   "), &with(default), "text none");
    let short = Treatment { length_max: Some(3), ..Treatment::default() };
    check(&text("äöüß"), &with(short.clone()), "fault: text_too_long");
    check(&text("äöü"), &with(short.clone()), "text äöü");
    let cut = with(Treatment { cut: true, ..short });
    check(&text("äöüß"), &cut, "text äöü");
    assert_eq!(value_noting(&text("äöüß"), &cut).1.cut_texts, 1);
    let long = "ä".repeat(40_000);
    let (value, _) =
        value_noting(&text(&long), &with(Treatment { cut: true, ..Treatment::default() }));
    assert_eq!(shown(&value.unwrap()).chars().count(), "text ".len() + 32_768);
    let fixed = Treatment {
        zero_date: ZeroDate::Fixed(jiff::civil::date(1970, 1, 1)),
        ..Treatment::default()
    };
    check(&zero_date("0000-00-00"), &to(FieldKind::Date).treated(fixed), "day 1970-01-01");
    let quarantine = Treatment { zero_date: ZeroDate::Quarantine, ..Treatment::default() };
    check(
        &zero_date("0000-00-00"),
        &to(FieldKind::Date).treated(quarantine.clone()),
        "fault: zero_date",
    );
    check(&date("2024-02-29"), &to(FieldKind::Date).treated(quarantine), "day 2024-02-29");
    check(
        &json("1"),
        &with(Treatment { default: Some("x".to_owned()), ..Treatment::default() }),
        "text 1",
    );
    check(
        &int(0),
        &with(Treatment { default: Some("x".to_owned()), ..Treatment::default() }),
        "text 0",
    );
}

#[test]
fn what_only_new_records_get_is_no_part_of_what_is_compared() {
    let mut world = World::new(&ColumnKind::Text, &to(FieldKind::Text));
    let row = |text: &str| Row(vec![Value::Int(1), Value::Text(text.to_owned())]);
    let prints = |world: &World| {
        let mapping = world.compile().0.unwrap();
        let draft = |text: &str| mapping.draft(&row(text)).unwrap().fields;
        assert_eq!(mapping.shape().field("f").is_some(), draft("a").get("f").is_some());
        assert!(mapping.shape().written_field("f").is_some());
        (draft("a").fingerprint(), draft("b").fingerprint())
    };
    let (a, b) = prints(&world);
    assert_ne!(a, b);
    for write in [WritePolicy::OnCreate, WritePolicy::IfEmpty] {
        world.destination.fields[0].write = write;
        let (a, b) = prints(&world);
        assert_eq!(a, b);
    }
    world.destination.fields[0].write = WritePolicy::Always;
    world.destination.mode = WriteMode::CreateOnly;
    let (a, b) = prints(&world);
    assert_eq!(a, b);
}
