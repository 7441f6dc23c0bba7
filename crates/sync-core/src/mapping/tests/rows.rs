//! Rows into drafts.

use super::fixture::{World, drafted_noting, map, to};
use crate::{
    config::model::{
        Conversion, FieldMapping, OnDelete, Origin, SourceRows, Transformation, TypeOptions,
        WritePolicy,
    },
    field_value::FieldValue,
    key::Key,
    mapping::{FaultCode, Notes, definition_hash},
    slug::Slug,
    source::{Column, ColumnKind, Row},
    table::FieldKind,
    value::Value,
};

fn world() -> World {
    World::new(&ColumnKind::Text, &to(FieldKind::Text))
}

fn row(key: Value, cell: &str) -> Row {
    Row(vec![key, Value::Text(cell.to_owned())])
}

#[test]
fn a_draft_holds_the_mapped_fields_and_always_the_external_id() {
    let mut world = world();
    world.destination.key_prefix = "eu:".to_owned();
    let mapping = world.compile().0.unwrap();
    let draft = mapping.draft(&row(Value::Int(42), "x")).unwrap();
    assert!(draft.key == Key::Int(42));
    let fields: Vec<(&str, FieldValue)> =
        draft.fields.iter().map(|(slug, value)| (slug.as_str(), value.clone())).collect();
    assert_eq!(fields, [("ext", FieldValue::text("eu:42")), ("f", FieldValue::text("x"))]);
    let slugs: Vec<&str> = mapping.shape().fields.iter().map(|field| &*field.slug).collect();
    assert_eq!(slugs, ["ext", "f"]);
    assert_eq!(&*mapping.shape().external_id.slug, "ext");
    assert_eq!(mapping.shape().table, "6500000000000000000000c1");
}

#[test]
fn the_key_mapped_onto_the_external_id_field_is_simply_the_external_id() {
    let mut world = world();
    world.destination.fields.push(FieldMapping::of_column(
        "id",
        Slug::from("ext"),
        Conversion::Typed { kind: FieldKind::Number, options: TypeOptions::default() },
    ));
    world.columns[0].kind = ColumnKind::Text;
    let mapping = world.compile().0.unwrap();
    let draft = mapping.draft(&row(Value::Text(" a ".to_owned()), "x")).unwrap();
    assert_eq!(draft.fields.get("ext"), Some(&FieldValue::text("~%20a%20")));
    assert_eq!(draft.fields.iter().count(), 2);
}

#[test]
fn a_number_field_carries_whole_number_keys_as_numbers() {
    let mut world = world();
    world.structure.fields[0].kind = FieldKind::Number;
    let mapping = world.compile().0.unwrap();
    let external_id = |key: Value| {
        mapping.draft(&row(key, "x")).map(|draft| draft.fields.get("ext").cloned().unwrap())
    };
    assert_eq!(external_id(Value::Int(-7)).unwrap(), FieldValue::Number((-7).into()));
    let largest = 18_446_744_073_709_551_615;
    assert_eq!(external_id(Value::Int(largest)).unwrap(), FieldValue::Number(largest.into()));
    // Never what the column declares, but the row is refused rather than doubled.
    let fault = external_id(Value::Text("07".to_owned())).unwrap_err();
    assert_eq!(fault.code, FaultCode::KeyUnsuitable);
}

#[test]
fn a_row_without_an_exact_key_is_refused_without_a_key() {
    let mapping = world().compile().0.unwrap();
    for (key, code) in [
        (Value::Null, FaultCode::KeyNull),
        (Value::Float(1.0), FaultCode::KeyUnsuitable),
        (Value::Labels(vec![]), FaultCode::KeyUnsuitable),
    ] {
        let fault = mapping.draft(&row(key, "x")).unwrap_err();
        assert_eq!((fault.code, fault.column.as_deref(), fault.key), (code, Some("id"), None));
    }
}

#[test]
fn a_row_that_is_too_short_never_blanks_a_field() {
    let mapping = world().compile().0.unwrap();
    let fault = mapping.draft(&Row(vec![Value::Int(1)])).unwrap_err();
    assert_eq!((fault.code, fault.slug), (FaultCode::CellMissing, Some(Slug::from("f"))));
    assert_eq!(mapping.draft(&Row(vec![])).unwrap_err().code, FaultCode::CellMissing);
}

#[test]
fn composite_keys_follow_the_configured_order_not_the_columns() {
    let mut world = world();
    world.columns[1].nullable = false;
    world.source.primary_key = vec!["c".to_owned(), "id".to_owned()];
    let draft = world.compile().0.unwrap().draft(&row(Value::Int(7), "a|b")).unwrap();
    assert!(draft.key == Key::Text(r"a\|b|7".to_owned()));
    assert_eq!(draft.fields.get("ext"), Some(&FieldValue::text(r"a\|b|7")));
}

#[test]
fn columns_are_found_wherever_the_query_puts_them() {
    let mut world = world();
    world
        .columns
        .insert(0, Column { name: "x".to_owned(), kind: ColumnKind::Json, nullable: true });
    world.columns.reverse();
    let mapping = world.compile().0.unwrap();
    let cells = vec![Value::Text("c".to_owned()), Value::Int(5), Value::Null];
    let draft = mapping.draft(&Row(cells)).unwrap();
    assert!(draft.key == Key::Int(5));
    assert_eq!(draft.fields.get("f"), Some(&FieldValue::text("c")));
}

#[test]
fn equal_numbers_of_any_type_have_one_fingerprint() {
    let number = to(FieldKind::Number);
    let cells = [
        (ColumnKind::Int { unsigned: false, width: 11 }, Value::Int(12)),
        (ColumnKind::Decimal { scale: 2 }, Value::Decimal("12.00".parse().unwrap())),
        (ColumnKind::Double, Value::Float(12.0)),
        (ColumnKind::Text, Value::Text("12.0".to_owned())),
        (ColumnKind::Json, Value::Json(serde_json::json!(12))),
    ];
    let mut fingerprints = cells.into_iter().map(|(column, cell)| {
        let mapping = World::new(&column, &number).compile().0.unwrap();
        mapping.draft(&Row(vec![Value::Int(1), cell])).unwrap().fields.fingerprint()
    });
    let first = fingerprints.next().unwrap();
    assert!(fingerprints.all(|other| other == first));
}

#[test]
fn the_hash_follows_what_decides_on_values_and_nothing_else() {
    let base = world();
    let hash = |change: &dyn Fn(&mut World)| {
        let mut world = world();
        change(&mut world);
        definition_hash(&world.destination, &world.source)
    };
    let same = hash(&|_| {});
    assert_eq!(same, base.compile().0.unwrap().hash());
    let unchanged: [&dyn Fn(&mut World); 5] = [
        &|world| world.source.rows = SourceRows::query("SELECT 1"),
        &|world| world.destination.table_id = "other".to_owned(),
        &|world| world.source.time_zone = Some("UTC".to_owned()),
        &|world| world.destination.on_delete = OnDelete::Delete { adopted: true },
        &|world| world.destination.external_id_field = Slug::from("other"),
    ];
    for change in unchanged {
        assert_eq!(hash(change), same);
    }
    let convert = |conversion: Conversion| {
        move |world: &mut World| world.destination.fields[0].conversion = conversion.clone()
    };
    let typed =
        |options: TypeOptions| convert(Conversion::Typed { kind: FieldKind::Text, options });
    let older = |form: Transformation| convert(Conversion::Transformed(form));
    let default = TypeOptions::default;
    let changed: [&dyn Fn(&mut World); 16] = [
        &|world| world.source.time_zone = Some("Europe/Berlin".to_owned()),
        &|world| world.destination.key_prefix = "x".to_owned(),
        &|world| world.destination.fields[0].slug = Slug::from("g"),
        &|world| {
            world.destination.fields[0].origin = Origin::Column { name: "d".to_owned(), path: None }
        },
        &|world| world.destination.fields.clear(),
        &typed(default()),
        &typed(TypeOptions { include_time: Some(true), ..default() }),
        &typed(TypeOptions { include_time: Some(false), ..default() }),
        &typed(TypeOptions { default_type: Some(1), ..default() }),
        &typed(TypeOptions { default_country: Some("US".to_owned()), ..default() }),
        &typed(TypeOptions { value_map: map(&[("a", "b")]), ..default() }),
        &older(Transformation::Number { whole: true }),
        &older(Transformation::Number { whole: false }),
        &older(Transformation::Choice { value_map: map(&[("a", "b")]) }),
        &older(Transformation::Date { format: None }),
        &older(Transformation::Date { format: Some("%Y".to_owned()) }),
    ];
    let mut hashes = vec![same];
    for change in changed {
        let other = hash(change);
        assert!(!hashes.contains(&other), "{other}");
        hashes.push(other);
    }
}

#[test]
fn the_hash_does_not_depend_on_the_order_of_the_mapping() {
    let mut one = world();
    one.destination.fields.push(FieldMapping::of_column(
        "id",
        Slug::from("a"),
        Conversion::Automatic,
    ));
    let mut other = world();
    other.destination.fields = one.destination.fields.iter().rev().cloned().collect();
    assert_eq!(
        definition_hash(&one.destination, &one.source),
        definition_hash(&other.destination, &other.source)
    );
}

#[test]
fn the_structure_hash_follows_choices_and_precision() {
    let hash =
        |target| World::new(&ColumnKind::Text, &target).compile().0.unwrap().structure_hash();
    let base = || to(FieldKind::Status).choices(&["a=A"]);
    assert_eq!(hash(base()), hash(base()));
    let others = [
        base().choices(&["a=A", "b=B"]),
        base().choices(&["a=AA"]),
        base().choices(&["aa=A"]),
        base().precision(2),
        base().required(),
        base().multiple(),
        to(FieldKind::SingleSelect).choices(&["a=A"]),
    ];
    for other in others {
        assert_ne!(hash(base()), hash(other));
    }
}

#[test]
fn a_fingerprint_is_made_without_a_draft_and_is_what_it_always_was() {
    let mut world = world();
    for (slug, write) in [("a", WritePolicy::Always), ("z", WritePolicy::OnCreate)] {
        let mut field = world.structure.fields.last().unwrap().clone();
        field.slug = slug.into();
        world.structure.fields.push(field);
        let mut mapping = world.destination.fields.last().unwrap().clone();
        mapping.slug = slug.into();
        mapping.write = write;
        world.destination.fields.push(mapping);
    }
    let mapping = world.compile().0.unwrap();
    let row = row(Value::Int(42), "x");
    let draft = drafted_noting(&mapping, &row, &mut Notes::default()).unwrap();
    assert_eq!(draft.fields.iter().count(), 3);
    assert_eq!(draft.fields.on_create().count(), 1);
    // States in use hold such fingerprints: another one would compare every record once more.
    let print = format!("{:?}", draft.fields.fingerprint());
    assert_eq!(print, "6d5c67f94a8d7616f44070e4d702f27f");
}
