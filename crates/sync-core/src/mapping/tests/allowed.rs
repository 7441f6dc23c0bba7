//! What the schema allows and the mapping refuses.

use super::fixture::{field, to};
use crate::{
    config,
    mapping::CompiledMapping,
    source::{Column, ColumnKind, ColumnValues},
    table::{FieldKind, TableStructure},
};

/// What is said of column `c` into the field `f`.
fn check(
    more: &str,
    kind: ColumnKind,
    into: super::fixture::Target,
    values: ColumnValues,
) -> Vec<String> {
    let text = format!(
        "
syncs:
  - name: a
    source: {{query: SELECT 1, primary_key: id}}
    destination:
      table_id: 6500000000000000000000c1
      external_id_field: skey
      fields: {{f: {{column: c{more}}}}}
"
    );
    let config = config::parse(&text, &|_| None).config.unwrap();
    let sync = &config.syncs[0];
    let id = ColumnKind::Int { unsigned: false, width: 11 };
    let columns = [
        Column { name: "id".into(), kind: id, nullable: false },
        Column { name: "c".into(), kind, nullable: true },
    ];
    let table = TableStructure {
        id: "6500000000000000000000c1".into(),
        name: "A".into(),
        solution: None,
        primary_field: "f".into(),
        fields: vec![field("skey", "Key", FieldKind::Text), into.field],
        members: None,
    };
    let (mapping, _) = CompiledMapping::compile(&sync.destination, &sync.source, &columns, &table);
    let values = [ColumnValues { column: "c".into(), ..values }];
    let findings = mapping.unwrap().refused_values(&values);
    findings
        .into_iter()
        .map(|finding| format!("{} {}", finding.code.code(), finding.message))
        .collect()
}

#[test]
fn words_without_a_choice_and_texts_that_may_be_too_long_are_named() {
    let words = |words: &[&str]| ColumnValues {
        words: words.iter().map(|word| (*word).to_owned()).collect(),
        ..ColumnValues::default()
    };
    let choices = || to(FieldKind::SingleSelect).choices(&["x=New", "y=Old"]);
    let said = check("", ColumnKind::Enum, choices(), words(&["new", "gone", "lost"]));
    assert_eq!(
        said,
        [
            "word_without_choice column `c` may hold `gone`, `lost`, which are no choices of field `f`"
        ]
    );
    let mapped = ", value_map: {gone: Old, lost: Old}";
    assert_eq!(
        check(mapped, ColumnKind::Enum, choices(), words(&["new", "gone", "lost"])),
        [""; 0]
    );
    assert_eq!(
        check(", on_unknown: blank", ColumnKind::Enum, choices(), words(&["gone"])),
        [""; 0]
    );
    let several = to(FieldKind::MultipleSelect).choices(&["x=New"]);
    let said = check("", ColumnKind::Set, several, words(&["New", "old"]));
    assert_eq!(
        said,
        ["word_without_choice column `c` may hold `old`, which is no choice of field `f`"]
    );

    let long = |length| ColumnValues { length_max: Some(length), ..ColumnValues::default() };
    let short = || {
        let mut short = to(FieldKind::Text);
        short.field.length_max = Some(20);
        short
    };
    assert_eq!(check("", ColumnKind::Text, short(), long(20)), [""; 0]);
    assert_eq!(
        check("", ColumnKind::Text, short(), long(21)),
        [
            "length_unfit column `c` may hold 21 characters, more than field `f` takes: such rows are set aside"
        ]
    );
    assert_eq!(check(", too_long: cut", ColumnKind::Text, short(), long(21)), [""; 0]);
}
