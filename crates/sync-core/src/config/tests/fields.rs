//! The richer form: fields by slug.

use super::{config, parsed, sync};
use crate::config::model::{
    BinaryForm, Conversion, FieldMapping, OnUnknown, Origin, Secrecy, WriteMode, WritePolicy,
    ZeroDate,
};

fn fields(lines: &str) -> Vec<FieldMapping> {
    config(&sync(lines)).syncs[0].destination.fields.clone()
}

fn field(line: &str) -> FieldMapping {
    fields(&format!("      fields: {{s: {line}}}\n")).remove(0)
}

#[track_caller]
fn check_wrong(line: &str, code: &str, place: &str) {
    let text = sync(&format!("      fields: {{s: {line}}}\n"));
    let found = parsed(&text).diagnostics;
    let [only] = found.as_slice() else { panic!("{line}: {found:?}") };
    let span = only.labels[0].span;
    assert_eq!((only.code, text.get(span.start..span.end).unwrap()), (code, place), "{line}");
}

#[test]
fn both_forms_stand_beside_each_other() {
    let both =
        fields("      field_mappings: {a: sa}\n      fields: {sb: {column: b}, sc: {value: x}}\n");
    let slugs: Vec<_> = both.iter().map(|field| field.slug.to_string()).collect();
    assert_eq!(slugs, ["sa", "sb", "sc"]);
    assert_eq!(both[1].columns(), ["b"].into());
    assert!(both[2].columns().is_empty());
}

#[test]
fn a_value_comes_from_one_of_five_places() {
    let found = field("{column: c, path: \"a.b\"}");
    assert!(matches!(found.origin, Origin::Column { path: Some(_), .. }));
    let found = field("{template: \"{a} {b}\"}");
    assert_eq!(found.columns(), ["a", "b"].into());
    let found = field("{expression: \"round(a * 1.19, 2)\"}");
    assert_eq!(found.columns(), ["a"].into());
    let found = field("{parts: {city: c, zip: \"left(z, 5)\"}}");
    assert_eq!(found.columns(), ["c", "z"].into());
    check_wrong("{column: c, value: x}", "config_conflicting_keys", "value");
    check_wrong("{path: a}", "config_missing_key", "s");
    check_wrong("{value: x, path: a}", "config_conflicting_keys", "path");
    check_wrong("{expression: \"rond(a)\"}", "config_bad_expression", "rond");
    check_wrong("{template: \"{a\"}", "config_bad_expression", "{");
    check_wrong("{column: c, path: \"a..b\"}", "config_bad_expression", "\"a..b\"");
    check_wrong("{parts: {}}", "config_empty_value", "parts");
}

#[test]
fn treatments_are_read() {
    let found = field(
        "{column: c, trim: true, default: \"-\", zero_date: 1970-01-01, binary: uuid, max_length: 9, too_long: cut, mask: 4}",
    )
    .treatment;
    assert!(found.trim && found.cut);
    assert_eq!(found.default.as_deref(), Some("-"));
    assert_eq!(found.zero_date, ZeroDate::Fixed(jiff::civil::date(1970, 1, 1)));
    assert_eq!((found.binary, found.length_max), (BinaryForm::Uuid, Some(9)));
    assert_eq!(found.secrecy, Some(Secrecy::Mask { shown: 4 }));
    check_wrong("{column: c, zero_date: nil}", "config_unknown_value", "nil");
    check_wrong("{column: c, binary: base32}", "config_unknown_value", "base32");
    check_wrong("{column: c, too_long: wrap}", "config_unknown_value", "wrap");
    check_wrong("{column: c, max_length: 0}", "config_out_of_range", "0");
    check_wrong("{column: c, mask: 99}", "config_out_of_range", "99");
}

#[test]
fn a_secret_comes_from_the_environment_and_is_long() {
    check_wrong(
        "{column: c, hash: plain text secret here}",
        "config_bad_secret",
        "plain text secret here",
    );
    let lookup = |name: &str| match name {
        "LONG" => Some("0123456789abcdef".to_owned()),
        "SHORT" => Some("short".to_owned()),
        _ => None,
    };
    let read = |line: &str| {
        crate::config::parse(
            &sync(&format!("      fields:\n        s: {{column: c, hash: \"{line}\"}}\n")),
            &lookup,
        )
    };
    let config = read("${LONG}").config.unwrap();
    let secrecy = config.syncs[0].destination.fields[0].treatment.secrecy.clone();
    assert!(matches!(secrecy, Some(Secrecy::Hash(_))));
    assert!(!format!("{config:?}").contains("0123456789"), "the secret is nowhere shown");
    let short = read("${SHORT}").diagnostics;
    assert_eq!(short[0].code, "config_bad_secret");
    assert!(!short[0].message.contains("short,"));
}

#[test]
fn options_stand_beside_their_type_or_without_one() {
    let found = field("{column: c, value_map: {a: A}, on_unknown: blank}").conversion;
    let Conversion::Options(options) = found else { panic!("{found:?}") };
    assert_eq!(options.on_unknown, OnUnknown::Blank);
    assert!(matches!(field("{column: c}").conversion, Conversion::Automatic));
    assert!(matches!(
        field("{column: c, type: date, include_time: true}").conversion,
        Conversion::Typed { .. }
    ));
    check_wrong(
        "{column: c, type: date, value_map: {a: b}}",
        "config_option_not_for_type",
        "value_map",
    );
    check_wrong("{column: c, on_unknown: guess}", "config_unknown_value", "guess");
}

#[test]
fn modes_and_write_policies_are_read() {
    assert_eq!(field("{column: c, write: on_create}").write, WritePolicy::OnCreate);
    check_wrong("{column: c, write: never}", "config_unknown_value", "never");
    let text = sync("      mode: create_only\n      field_mappings: {c: s}\n");
    assert_eq!(config(&text).syncs[0].destination.mode, WriteMode::CreateOnly);
}

#[test]
fn one_field_takes_one_value_from_either_form() {
    let text = sync("      field_mappings: {a: s}\n      fields: {s: {column: b}}\n");
    assert_eq!(parsed(&text).diagnostics[0].code, "config_mapped_twice");
    let text = sync("");
    assert!(parsed(&text).diagnostics.iter().any(|found| found.code == "config_missing_key"));
}
