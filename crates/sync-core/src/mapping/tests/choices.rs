//! Single select, status, multiple select, tags.

use super::fixture::{
    Target, bit, bytes, check, date, dec, double, geometry, int, json, label, map, null, set, text,
    time, to, value, zero_date,
};
use crate::{
    config::model::{Transformation, TypeOptions},
    source::ColumnKind,
    table::FieldKind,
};

const CHOICES: [&str; 5] =
    ["aCt1V=Active", "iNa0T=Inactive", "backlog=Backlog", "n1=1", "bJ3rY=Ben, Jerry"];

fn one(kind: FieldKind) -> Target {
    to(kind).choices(&CHOICES)
}

#[test]
fn a_choice_is_named_by_label_or_id() {
    for kind in [FieldKind::SingleSelect, FieldKind::Status] {
        let field = one(kind);
        for (source, expected) in [
            (label("Active"), "choice aCt1V"),
            (label("active"), "choice aCt1V"),
            (text(" ACTIVE "), "choice aCt1V"),
            (text("aCt1V"), "choice aCt1V"),
            (text("act1v"), "choice aCt1V"),
            (text("backlog"), "choice backlog"),
            (text("Ben, Jerry"), "choice bJ3rY"),
            (text("Actve"), "fault: choice_unknown"),
            (label(""), "empty"),
            (text("  "), "empty"),
            (null(ColumnKind::Enum), "empty"),
            (int(1), "choice n1"),
            (bit(true), "choice n1"),
            (dec("1"), "choice n1"),
            (dec("1.00"), "fault: choice_unknown"),
            (double(1.0), "choice n1"),
            (set(&["Active"]), "choice aCt1V"),
            (set(&[]), "empty"),
            (set(&["Active", "Inactive"]), "fault: choice_unknown"),
            (bytes(b"Active"), "choice aCt1V"),
            (json(r#""Active""#), "choice aCt1V"),
            (json("1"), "choice n1"),
            (json("null"), "empty"),
            (date("2024-02-29"), "fault: choice_unknown"),
            (zero_date("0000-00-00"), "empty"),
            (time(0), "fault: choice_unknown"),
            (geometry(), "never: column_type_misfit"),
        ] {
            check(&source, &field, expected);
        }
    }
}

#[test]
fn a_label_beats_an_id_and_an_exact_match_a_loose_one() {
    let field = to(FieldKind::SingleSelect).choices(&["open=closed", "closed=open", "o=Open"]);
    check(&text("open"), &field, "choice closed");
    check(&text("closed"), &field, "choice open");
    check(&text("Open"), &field, "choice o");
    check(&text(" Open "), &field, "choice o");
    check(&text("OPEN"), &field, "fault: choice_ambiguous");
    let twice = to(FieldKind::SingleSelect).choices(&["a=Same", "b=Same"]);
    check(&text("Same"), &twice, "fault: choice_ambiguous");
    check(&text("a"), &twice, "choice a");
}

#[test]
fn value_map_comes_first_and_the_rest_goes_by_label() {
    let field = one(FieldKind::SingleSelect).value_map(&[
        ("1", "Inactive"),
        ("on", "aCt1V"),
        ("off", " inactive "),
        ("", "Backlog"),
        ("Active", "Inactive"),
    ]);
    check(&int(1), &field, "choice iNa0T");
    check(&text("on"), &field, "choice aCt1V");
    check(&text("off"), &field, "choice iNa0T");
    check(&text(""), &field, "choice backlog");
    check(&null(ColumnKind::Text), &field, "empty");
    check(&text("Active"), &field, "choice iNa0T");
    check(&text("active"), &field, "choice aCt1V");
    check(&text("On"), &field, "fault: choice_unknown");
}

#[test]
fn value_map_names_decimals_as_numbers() {
    let field = one(FieldKind::SingleSelect).value_map(&[("1.5", "Active"), ("2.000", "Inactive")]);
    check(&dec("1.50"), &field, "choice aCt1V");
    check(&dec("2.00"), &field, "choice iNa0T");
}

#[test]
fn an_unknown_target_of_value_map_harms_only_its_rows() {
    let field = one(FieldKind::Status).value_map(&[("x", "Gone"), ("y", "Active")]);
    check(&text("x"), &field, "fault: choice_unknown");
    check(&text("y"), &field, "choice aCt1V");
}

#[test]
fn the_older_choice_form_is_the_same() {
    let form = Transformation::Choice { value_map: map(&[("a", "Active")]) };
    check(&label("a"), &one(FieldKind::SingleSelect).older(form.clone()), "choice aCt1V");
    check(&label("inactive"), &one(FieldKind::Status).older(form.clone()), "choice iNa0T");
    check(&label("a"), &one(FieldKind::MultipleSelect).older(form.clone()), "ids aCt1V");
    check(&label("a"), &to(FieldKind::Text).older(form), "never: type_mismatch");
}

#[test]
fn several_choices_are_a_set() {
    for kind in [FieldKind::MultipleSelect, FieldKind::Tags] {
        let field = one(kind);
        for (source, expected) in [
            (set(&["Inactive", "Active"]), "ids aCt1V iNa0T"),
            (set(&[]), "empty"),
            (text("inactive, Active"), "ids aCt1V iNa0T"),
            (text("Active,Active,aCt1V"), "ids aCt1V"),
            (text("Active,,"), "ids aCt1V"),
            (text("Ben, Jerry"), "ids bJ3rY"),
            (text("ben, jerry"), "ids bJ3rY"),
            (text("Active,Gone"), "fault: choice_unknown"),
            (text(""), "empty"),
            (text(" , "), "empty"),
            (json(r#"["Active", "backlog", 1, null]"#), "ids aCt1V backlog n1"),
            (json(r#"["Ben, Jerry"]"#), "ids bJ3rY"),
            (text(r#" ["Active", "Ben, Jerry"]"#), "ids aCt1V bJ3rY"),
            (text("[Active"), "fault: choice_unknown"),
            (json("[]"), "empty"),
            (json(r#"[["Active"]]"#), "fault: type_unsuitable"),
            (json(r#"{"a": 1}"#), "fault: choice_unknown"),
            (int(1), "ids n1"),
            (label("Active"), "ids aCt1V"),
            (null(ColumnKind::Set), "empty"),
            (bytes(&[0xff]), "fault: not_text"),
            (geometry(), "never: column_type_misfit"),
        ] {
            check(&source, &field, expected);
        }
        let mapped =
            one(FieldKind::MultipleSelect).value_map(&[("u", "Active"), ("v", "Inactive")]);
        check(&text("u,v,backlog"), &mapped, "ids aCt1V backlog iNa0T");
        check(&set(&["u", "v"]), &mapped, "ids aCt1V iNa0T");
    }
}

#[test]
fn a_declared_select_serves_the_field_whether_it_takes_one_or_several() {
    let options = TypeOptions { value_map: map(&[("a", "Active")]), ..TypeOptions::default() };
    let field = one(FieldKind::MultipleSelect).typed(FieldKind::SingleSelect, options);
    check(&text("a"), &field, "ids aCt1V");
}

#[test]
fn an_unknown_choice_is_refused_with_the_labels_and_without_the_value() {
    let field = one(FieldKind::SingleSelect);
    assert!(value(&text("s3cret"), &field).is_err());
    let world = super::fixture::World::new(&ColumnKind::Text, &field);
    let row = crate::source::Row(vec![
        crate::value::Value::Int(1),
        crate::value::Value::Text("s3cret".to_owned()),
    ]);
    let fault = world.compile().0.unwrap().draft(&row).unwrap_err();
    let said = fault.to_string();
    assert!(said.contains(r#""Active", "Inactive", "Backlog""#), "{said}");
    assert!(said.starts_with("column `c` into field `f`: no choice"), "{said}");
    assert!(!said.contains("s3cret") && !format!("{fault:?}").contains("s3cret"));
    assert_eq!(fault.excerpt.0, "s3cret");
}
