//! What the keys of a file mean.

use super::{config, parsed, sync};
use crate::{
    config::{
        field_type::FIELD_TYPES,
        model::{Conversion, Transformation, TypeOptions},
    },
    table::FieldKind,
};

/// The conversion of the only column, from these lines.
#[track_caller]
fn conversion(lines: &str) -> Conversion {
    let config = config(&sync(&format!("      field_mappings: {{c: s}}\n{lines}")));
    config.syncs[0].destination.fields[0].conversion.clone()
}

#[track_caller]
fn typed(kind: &str, options: &str) -> (FieldKind, TypeOptions) {
    let lines = format!("      field_types: {{c: {{type: {kind}, options: {options}}}}}\n");
    let found = conversion(&lines);
    let Conversion::Typed { kind, options } = found else { panic!("{found:?}") };
    (kind, options)
}

#[track_caller]
fn transformed(transformation: &str) -> Transformation {
    let found = conversion(&format!("      transformations: {{c: {transformation}}}\n"));
    let Conversion::Transformed(transformation) = found else { panic!("{found:?}") };
    transformation
}

#[test]
fn every_type_of_older_files_and_of_the_service_is_known() {
    for (name, kind) in [
        ("text", FieldKind::Text),
        ("textarea", FieldKind::TextArea),
        ("title", FieldKind::Title),
        ("number", FieldKind::Number),
        ("currency", FieldKind::Currency),
        ("percent", FieldKind::Percent),
        ("date", FieldKind::Date),
        ("singleselect", FieldKind::SingleSelect),
        ("multipleselectfield", FieldKind::MultipleSelect),
        ("yesno", FieldKind::YesNo),
        ("emailfield", FieldKind::Email),
        ("phonefield", FieldKind::Phone),
        ("linkfield", FieldKind::Link),
        ("linkedrecordfield", FieldKind::LinkedRecord),
        ("memberfield", FieldKind::User),
        ("statusfield", FieldKind::Status),
        ("userfield", FieldKind::User),
        ("RecordTitleField", FieldKind::Title),
    ] {
        assert_eq!(typed(name, "{}").0, kind, "{name}");
    }
    let mut names: Vec<_> = FIELD_TYPES.iter().flat_map(|of| of.names).collect();
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count, "each name means one type");
}

#[test]
fn options_are_read() {
    let (_, date) = typed("date", "{include_time: no}");
    assert_eq!(date.include_time, Some(false));
    let (_, phone) = typed("phonefield", "{default_country: de, default_type: 8}");
    assert_eq!((phone.default_country.as_deref(), phone.default_type), (Some("DE"), Some(8)));
    assert_eq!(typed("text", "").1, TypeOptions::default());
}

/// Keys and values of a value map are texts, whatever else YAML would take them for.
#[test]
fn value_maps_hold_texts() {
    let (_, options) = typed(
        "singleselect",
        "{value_map: {1: Active, true: Yes, 1.50: Half, 2024-01-01: 7, \"null\": None, no: Off, 0x1F: x, '': '-'}}",
    );
    let pairs: Vec<_> = options.value_map.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
    assert_eq!(
        pairs,
        [
            ("", "-"),
            ("0x1F", "x"),
            ("1", "Active"),
            ("1.50", "Half"),
            ("2024-01-01", "7"),
            ("no", "Off"),
            ("null", "None"),
            ("true", "Yes"),
        ]
    );
}

#[test]
fn transformations_are_read() {
    assert_eq!(transformed("{type: number}"), Transformation::Number { whole: false });
    assert_eq!(
        transformed("{type: number, format: float}"),
        Transformation::Number { whole: false }
    );
    assert_eq!(transformed("{type: number, format: int}"), Transformation::Number { whole: true });
    assert_eq!(
        transformed("{type: date, format: '%d.%m.%Y'}"),
        Transformation::Date { format: Some("%d.%m.%Y".to_owned()) }
    );
    let value_map = [("a".to_owned(), "A".to_owned())].into();
    assert_eq!(
        transformed("{type: choice, value_map: {a: A}}"),
        Transformation::Choice { value_map }
    );
}

#[test]
fn a_type_wins_over_a_transformation() {
    let destination = "      field_mappings: {c: s}
      field_types: {c: {type: text}}
      transformations: {c: {type: number}}
";
    let config = parsed(&sync(destination)).config.unwrap();
    let conversion = &config.syncs[0].destination.fields[0].conversion;
    assert!(matches!(conversion, Conversion::Typed { kind: FieldKind::Text, .. }));
}

#[test]
fn the_key_column_may_be_mapped_to_the_external_id_field() {
    let text = sync("      field_mappings: {id: sexternal1, c: s}\n");
    let config = config(&text);
    let fields = config.syncs[0].destination.fields.iter().map(|field| field.slug.as_str());
    assert_eq!(fields.collect::<Vec<_>>(), ["sexternal1", "s"]);
    // A part of a key is not the key.
    let part = text.replace("primary_key: id", "primary_key: [id, no]");
    assert_eq!(parsed(&part).diagnostics[0].code, "config_external_id_taken");
}

#[test]
fn keys_without_a_value_are_as_if_not_written() {
    let without = config(&sync("      field_mappings: {c: s}\n"));
    let with = config(&sync(
        "      field_mappings: {c: s}
      field_types:
      transformations: ~
      key_prefix:
      on_missing: null
",
    ));
    assert_eq!(with, without);
}

#[test]
fn texts_may_look_like_numbers() {
    for id in ["650000000000000000000000", "6500000000000000000000e1"] {
        let text = sync("      field_mappings: {1: 2.0}\n")
            .replace("customers", "2024")
            .replace("6500000000000000000000c1", id);
        let config = config(&text);
        assert_eq!(config.syncs[0].name, "2024");
        assert_eq!(config.syncs[0].destination.table_id, id);
        assert_eq!(config.syncs[0].destination.fields[0].columns(), ["1"].into());
        assert_eq!(config.syncs[0].destination.fields[0].slug.as_str(), "2.0");
    }
}

/// `a:` and `ab:` can never meet; `a` and `ab` can: key `b1` behind `a`, key `1` behind `ab`.
#[test]
fn syncs_share_a_table_only_if_no_prefix_begins_another() {
    let codes = |one: &str, other: &str| {
        let first = sync(&format!("      field_mappings: {{c: s}}\n      key_prefix: '{one}'\n"));
        let second = first
            .replace("syncs:\n", "")
            .replace("name: customers", "name: clients")
            .replace(&format!("'{one}'"), &format!("'{other}'"));
        let found = parsed(&format!("{first}{second}")).diagnostics;
        found.into_iter().map(|found| found.code).collect::<Vec<_>>()
    };
    assert!(codes("a:", "ab:").is_empty());
    for (one, other) in [("", ""), ("", "a"), ("a", ""), ("a", "a"), ("a", "ab"), ("ab", "a")] {
        assert_eq!(codes(one, other), ["config_shared_table"], "{one} {other}");
    }
}

#[test]
fn a_link_leads_to_the_table_of_another_sync() {
    let config = config(&format!(
        "{}  - name: customers_sync
    previously: clients
    source: {{query: SELECT 1, primary_key: [country, number]}}
    destination:
      table_id: 6500000000000000000000d1
      external_id_field: sexternal1
      field_mappings: {{c: s}}
",
        sync(
            "      field_mappings: {c: s}
      links:
        slink00001: {sync: customers_sync, from: [customer_country, customer_number]}
        slink00002: {sync: customers, from: c, list: true}
"
        )
    ));
    let [own, other] = config.syncs[0].destination.links.as_slice() else { panic!("{config:#?}") };
    assert_eq!(own.slug.as_str(), "slink00001");
    assert_eq!(own.parent, "customers_sync");
    assert_eq!(own.parent_previously.as_deref(), Some("clients"));
    assert_eq!(own.parent_table, "6500000000000000000000d1");
    assert_eq!((own.from.len(), own.list), (2, false));
    assert_eq!((other.parent.as_str(), other.list), ("customers", true));
    assert_eq!(other.parent_table, "6500000000000000000000c1");
}

#[test]
fn a_link_may_stand_in_fields() {
    let file = |links: &str| {
        format!(
            "
syncs:
  - name: orders
    source: {{query: SELECT 1 AS id, primary_key: id}}
    destination:
      table_id: 6500000000000000000000d1
      external_id_field: sx
      field_mappings: {{id: sid}}
{links}
  - name: customers
    source: {{query: SELECT 1 AS id, primary_key: id}}
    destination: {{table_id: 6500000000000000000000c1, external_id_field: sx, field_mappings: {{id: sid}}}}
"
        )
    };
    let links = |text: &str| {
        let parsed = crate::config::parse(&file(text), &|_| None);
        let codes: Vec<_> = parsed.diagnostics.iter().map(|one| one.code).collect();
        (parsed.config.map(|config| config.syncs[0].destination.links.clone()), codes)
    };
    let plain = links("      links: {sl: {sync: customers, from: c}}");
    assert_eq!(plain.1, [""; 0]);
    assert_eq!(links("      fields: {sl: {link: {sync: customers, from: c}}}"), plain);
    let (_, both) = links("      fields: {sl: {column: id, link: {sync: customers, from: c}}}");
    assert_eq!(both, ["config_conflicting_keys"]);
    let twice = "      links: {sl: {sync: customers, from: c}}\n      fields: {sl: {link: {sync: customers, from: c}}}";
    assert_eq!(links(twice).1, ["config_mapped_twice"]);
}
