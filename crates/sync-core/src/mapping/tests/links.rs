//! Link fields: which rows of another sync a row points to.

use super::fixture::{
    Source, World, bytes, dec, double, field, int, json, label, null, set, text, to,
};
use crate::{
    config::model::LinkDefinition,
    source::{Column, ColumnKind, Row},
    table::FieldKind,
    value::Value,
};

/// Columns `a`, `b`, ... with these cells, linked from field `link`.
fn world(cells: &[Source], list: bool, multiple: bool) -> World {
    let mut world = World::new(&ColumnKind::Text, &to(FieldKind::Text));
    let names: Vec<String> = ('a'..).take(cells.len()).map(String::from).collect();
    for (name, Source(kind, _)) in names.iter().zip(cells) {
        world.columns.push(Column { name: name.clone(), kind: kind.clone(), nullable: true });
    }
    let mut linked = field("link", "Customer", FieldKind::LinkedRecord);
    linked.multiple = multiple;
    linked.linked_table = Some("t9".to_owned());
    world.structure.fields.push(linked);
    world.destination.links.push(LinkDefinition {
        slug: "link".into(),
        parent: "customers".to_owned(),
        parent_previously: None,
        parent_table: "t9".to_owned(),
        from: names,
        list,
    });
    world
}

/// One case: the keys that the cells lead to, `;` between them, or the fault.
#[track_caller]
fn check(cells: &[Source], list: bool, multiple: bool, expected: &str) {
    let (mapping, findings) = world(cells, list, multiple).compile();
    let Some(mapping) = mapping else { panic!("{findings:?}") };
    let mut row = vec![Value::Int(1), Value::Text("x".to_owned())];
    row.extend(cells.iter().map(|Source(_, value)| value.clone()));
    let found = match mapping.draft(&Row(row)) {
        Ok(draft) => {
            let keys: Vec<_> =
                draft.links[0].parents.iter().map(|key| key.text().into_owned()).collect();
            keys.join(";")
        }
        Err(fault) => fault.code.code().to_owned(),
    };
    assert_eq!(found, expected, "{cells:?}");
}

#[test]
fn a_foreign_key_leads_to_the_row_with_that_key() {
    let one = |cell: Source, expected: &str| check(&[cell], false, false, expected);
    one(int(7), "7");
    one(text("7"), "7");
    one(text("07"), "07");
    one(label("de"), "de");
    one(dec("12"), "12");
    one(bytes(b"ab"), "6162");
    one(null(ColumnKind::Text), "");
    one(text(""), "");
    one(text("  "), "");
}

#[test]
fn a_key_of_several_columns_leads_to_nobody_if_one_is_null() {
    check(&[text("DE"), int(7)], false, false, "DE|7");
    check(&[text("a|b"), int(7)], false, false, "a\\|b|7");
    check(&[text("DE"), null(ColumnKind::Text)], false, false, "");
    check(&[text(""), text("7")], false, false, "|7");
    check(&[text(""), text("")], false, false, "");
}

#[test]
fn a_list_leads_to_each_of_its_keys_once() {
    let list = |cell: Source, expected: &str| check(&[cell], true, true, expected);
    list(text("3, 1,3"), "1;3");
    list(text("[2, \"b\", null]"), "2;b");
    list(json("[2, \"b\"]"), "2;b");
    list(json("[[\"DE\", 1], [\"a|b\", 2]]"), "DE|1;a\\|b|2");
    list(text("[[\"DE\", 1]]"), "DE|1");
    list(set(&["x", "y"]), "x;y");
    list(int(5), "5");
    list(null(ColumnKind::Json), "");
    list(text(""), "");
    list(json("[]"), "");
    list(json("[[\"DE\", null]]"), "type_unsuitable");
    list(json("[{\"a\": 1}]"), "type_unsuitable");
    check(&[text("1,2")], true, false, "too_many_entries");
    check(&[text("1")], true, false, "1");
}

#[test]
fn a_link_that_cannot_be_is_found_before_any_row() {
    let codes = |change: &dyn Fn(&mut World)| {
        let mut world = world(&[int(1)], false, false);
        change(&mut world);
        world.codes()
    };
    let last = |world: &mut World| world.structure.fields.len() - 1;
    assert_eq!(codes(&|_| {}), [] as [&str; 0]);
    assert_eq!(
        codes(&|world| {
            let last = last(world);
            world.structure.fields[last].kind = FieldKind::Text;
        }),
        ["link_field_unsuitable"]
    );
    assert_eq!(
        codes(&|world| {
            let last = last(world);
            world.structure.fields[last].linked_table = Some("t8".to_owned());
        }),
        ["link_table_differs"]
    );
    assert_eq!(
        codes(&|world| {
            let last = last(world);
            world.structure.fields[last].slug = "other".into();
        }),
        ["slug_unknown"]
    );
    assert_eq!(codes(&|world| drop(world.columns.pop())), ["column_missing"]);
    assert_eq!(world(&[double(1.0)], false, false).codes(), ["link_column_unsuitable"]);
}
