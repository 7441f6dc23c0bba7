//! What compiling says about a definition.

use super::fixture::{World, field, map, to};
use crate::{
    config::model::{Conversion, FieldMapping, Origin, Transformation, TypeOptions},
    mapping::{Finding, FindingCode, Severity},
    slug::Slug,
    source::{Column, ColumnKind},
    table::{Field, FieldKind},
};

fn world(column: &ColumnKind, kind: FieldKind) -> World {
    World::new(column, &to(kind))
}

fn only(world: &World) -> Finding {
    let (mapping, mut findings) = world.compile();
    assert_eq!(findings.len(), 1, "{findings:?}");
    let finding = findings.remove(0);
    assert_eq!(mapping.is_none(), finding.code.blocks(), "{finding:?}");
    finding
}

#[track_caller]
fn check_only(world: &World, code: FindingCode, said: &str) {
    let finding = only(world);
    let hint = finding.hint.unwrap_or_default();
    assert_eq!(finding.code, code);
    assert_eq!(format!("{} ({hint})", finding.message), said);
}

#[test]
fn a_mapping_that_fits_has_no_findings() {
    assert_eq!(world(&ColumnKind::Text, FieldKind::Text).codes(), Vec::<&str>::new());
}

#[test]
fn a_column_that_the_read_does_not_return() {
    let mut world = world(&ColumnKind::Text, FieldKind::Text);
    world.destination.fields[0].origin = Origin::Column { name: "C".to_owned(), path: None };
    check_only(
        &world,
        FindingCode::ColumnMissing,
        "the query does not return column `C` (did you mean `c`?)",
    );
}

#[test]
fn a_column_that_is_returned_twice() {
    let mut world = world(&ColumnKind::Text, FieldKind::Text);
    world.columns.push(world.columns[1].clone());
    check_only(
        &world,
        FindingCode::ColumnAmbiguous,
        "the query returns more than one column `c` (name them apart in the query, e.g. `... AS c_2`)",
    );
}

#[test]
fn an_unknown_slug_is_looked_for_among_labels_and_near_slugs() {
    let mut world = world(&ColumnKind::Text, FieldKind::Text);
    world.structure.fields[1] = field("s1a2b3c4d5", "Company Name", FieldKind::Text);
    for (written, hint) in [
        ("company name", "did you mean `s1a2b3c4d5` (\"Company Name\")?"),
        ("company_name", "did you mean `s1a2b3c4d5` (\"Company Name\")?"),
        ("s1a2b3c4d6", "did you mean `s1a2b3c4d5` (\"Company Name\")?"),
        ("budget", "the table's fields: `ext` (\"External ID\"), `s1a2b3c4d5` (\"Company Name\")"),
    ] {
        world.destination.fields[0].slug = Slug::from(written);
        check_only(
            &world,
            FindingCode::SlugUnknown,
            &format!("table \"Customers\" has no field `{written}` ({hint})"),
        );
    }
}

#[test]
fn a_read_only_field_is_left_out_of_everything_and_said() {
    let mut world = world(&ColumnKind::Timestamp, FieldKind::Other("lastupdatedfield".to_owned()));
    world.structure.fields[1].read_only = true;
    check_only(
        &world,
        FindingCode::FieldReadOnly,
        "field `f` (\"Field\") is filled by SmartSuite itself and is left out (remove the mapping, or map the column \
         to another field)",
    );
    let mapping = world.compile().0.unwrap();
    let slugs: Vec<&str> = mapping.shape().fields.iter().map(|field| &*field.slug).collect();
    assert_eq!(slugs, ["ext"]);
}

#[test]
fn autonumbers_are_read_only_and_unknown_types_unsupported() {
    check_only(
        &world(&ColumnKind::Text, FieldKind::Other("hologramfield".to_owned())),
        FindingCode::FieldTypeUnsupported,
        "column `c` into field `f` (\"Field\"): fields of type hologramfield are not written: how values of this type are \
         written is not known (remove the mapping, or map the column to a field of another type)",
    );
    let autonumber = world(&ColumnKind::Text, FieldKind::AutoNumber);
    assert_eq!(autonumber.codes(), ["field_read_only"]);
}

#[test]
fn the_external_id_field_must_carry_keys() {
    let external = |change: &dyn Fn(&mut World)| {
        let mut world = world(&ColumnKind::Text, FieldKind::Text);
        change(&mut world);
        world.codes()
    };
    let kind =
        |kind: FieldKind| move |world: &mut World| world.structure.fields[0].kind = kind.clone();
    let unsuitable = ["external_id_field_unsuitable"];
    assert!(external(&kind(FieldKind::Title)).is_empty());
    assert!(external(&kind(FieldKind::Number)).is_empty());
    for refused in [
        FieldKind::TextArea,
        FieldKind::RichText,
        FieldKind::Currency,
        FieldKind::Email,
        FieldKind::SingleSelect,
        FieldKind::AutoNumber,
        FieldKind::Other("recordidfield".to_owned()),
    ] {
        assert_eq!(external(&kind(refused)), unsuitable);
    }
    let generated_title = external(&|world| {
        world.structure.fields[0].kind = FieldKind::Title;
        world.structure.fields[0].read_only = true;
    });
    assert_eq!(generated_title, unsuitable);
    let number_with_text_key = external(&|world| {
        world.structure.fields[0].kind = FieldKind::Number;
        world.columns[0].kind = ColumnKind::Text;
    });
    assert_eq!(number_with_text_key, unsuitable);
    let number_with_composite_key = external(&|world| {
        world.structure.fields[0].kind = FieldKind::Number;
        world.source.primary_key.push("c".to_owned());
    });
    assert_eq!(number_with_composite_key, ["key_column_nullable", "external_id_field_unsuitable"]);
    let number_with_prefix = external(&|world| {
        world.structure.fields[0].kind = FieldKind::Number;
        world.destination.key_prefix = "eu:".to_owned();
    });
    assert_eq!(number_with_prefix, unsuitable);
    let missing =
        external(&|world| world.destination.external_id_field = Slug::from("external id"));
    assert_eq!(missing, ["external_id_field_unknown"]);
}

#[test]
fn only_the_key_may_be_mapped_onto_the_external_id_field() {
    let onto_external = |column: &str, key: &[&str]| {
        let mut world = world(&ColumnKind::Text, FieldKind::Text);
        world.destination.fields[0].origin = Origin::Column { name: column.to_owned(), path: None };
        world.destination.fields[0].slug = Slug::from("ext");
        world.source.primary_key = key.iter().map(|name| (*name).to_owned()).collect();
        world.columns[1].nullable = false;
        world.codes()
    };
    assert!(onto_external("id", &["id"]).is_empty());
    assert_eq!(onto_external("c", &["id"]), ["external_id_field_taken"]);
    assert_eq!(onto_external("id", &["id", "c"]), ["external_id_field_taken"]);
}

#[test]
fn a_declared_type_for_the_external_id_column_is_not_held_against_the_field() {
    let mut world = world(&ColumnKind::Text, FieldKind::Text);
    world.destination.fields.push(FieldMapping::of_column(
        "id",
        Slug::from("ext"),
        Conversion::Typed { kind: FieldKind::Number, options: TypeOptions::default() },
    ));
    assert!(world.codes().is_empty());
}

#[test]
fn key_columns_must_be_there_and_exact() {
    let keyed = |kind: ColumnKind, nullable| {
        let mut world = world(&ColumnKind::Text, FieldKind::Text);
        world.columns[0] = Column { name: "id".to_owned(), kind, nullable };
        world.codes()
    };
    for exact in [
        ColumnKind::Int { unsigned: true, width: 20 },
        ColumnKind::Text,
        ColumnKind::Enum,
        ColumnKind::Binary,
        ColumnKind::Date,
        ColumnKind::Decimal { scale: 2 },
    ] {
        assert!(keyed(exact, false).is_empty());
    }
    for inexact in [
        ColumnKind::Float,
        ColumnKind::Double,
        ColumnKind::Json,
        ColumnKind::Set,
        ColumnKind::Time,
        ColumnKind::Other("GEOMETRY".to_owned()),
    ] {
        assert_eq!(keyed(inexact, false), ["key_column_unsuitable"]);
    }
    assert_eq!(keyed(ColumnKind::Text, true), ["key_column_nullable"]);
    let mut without = world(&ColumnKind::Text, FieldKind::Text);
    without.source.primary_key = vec!["customer_id".to_owned()];
    check_only(
        &without,
        FindingCode::KeyColumnMissing,
        "the query does not return column `customer_id` (the query returns: `id`, `c`)",
    );
}

#[test]
fn declared_types_are_held_against_the_fields() {
    let declared = |declared: FieldKind, live: FieldKind| {
        let target = to(live).choices(&["a=A"]).options(TypeOptions {
            default_country: Some("US".to_owned()),
            ..TypeOptions::default()
        });
        let Conversion::Typed { options, .. } = target.conversion.clone() else { unreachable!() };
        World::new(&ColumnKind::Text, &target.typed(declared, options)).codes()
    };
    for (a, b) in [
        (FieldKind::Text, FieldKind::Title),
        (FieldKind::TextArea, FieldKind::RichText),
        (FieldKind::Number, FieldKind::Currency),
        (FieldKind::Number, FieldKind::Duration),
        (FieldKind::SingleSelect, FieldKind::Status),
        (FieldKind::SingleSelect, FieldKind::MultipleSelect),
        (FieldKind::Phone, FieldKind::Phone),
    ] {
        assert!(declared(a, b).is_empty());
    }
    for (a, b) in [
        (FieldKind::Text, FieldKind::Email),
        (FieldKind::Text, FieldKind::Date),
        (FieldKind::Text, FieldKind::SingleSelect),
        (FieldKind::Number, FieldKind::Text),
    ] {
        assert_eq!(declared(a, b), ["type_differs"]);
    }
    for (a, b) in [
        (FieldKind::Number, FieldKind::Date),
        (FieldKind::SingleSelect, FieldKind::Text),
        (FieldKind::Date, FieldKind::Text),
        (FieldKind::User, FieldKind::LinkedRecord),
        (FieldKind::YesNo, FieldKind::Number),
    ] {
        assert_eq!(declared(a, b), ["type_mismatch"]);
    }
}

#[test]
fn value_map_targets_must_be_choices() {
    let target =
        to(FieldKind::SingleSelect).choices(&["a1=Active", "i1=Inactive", "x=Same", "y=Same"]);
    let world =
        World::new(&ColumnKind::Enum, &target.value_map(&[("on", "Actve"), ("off", "inactive")]));
    check_only(
        &world,
        FindingCode::ValueMapTargetUnknown,
        "column `c` into field `f` (\"Field\"): `value_map` names \"Actve\", which is not exactly one of its choices \
         (its choices: \"Active\", \"Inactive\", \"Same\", \"Same\")",
    );
    assert_eq!(only(&world).severity(), Severity::Error);
}

#[test]
fn long_lists_of_choices_are_cut() {
    let choices: Vec<String> = (1..=15).map(|n| format!("id{n}=Label {n}")).collect();
    let choices: Vec<&str> = choices.iter().map(String::as_str).collect();
    let target = to(FieldKind::Status).choices(&choices).value_map(&[("a", "b")]);
    let hint = only(&World::new(&ColumnKind::Enum, &target)).hint.unwrap();
    assert!(hint.ends_with("\"Label 12\" and 3 more"), "{hint}");
}

#[test]
fn a_select_without_readable_choices_is_said() {
    assert_eq!(world(&ColumnKind::Set, FieldKind::Tags).codes(), ["choices_missing"]);
}

#[test]
fn a_zone_is_asked_for_only_where_it_matters() {
    let codes = |column: ColumnKind, include_time: Option<bool>| {
        let options = TypeOptions { include_time, ..TypeOptions::default() };
        World::new(&column, &to(FieldKind::Date).options(options)).codes()
    };
    assert_eq!(codes(ColumnKind::DateTime, None), ["time_zone_missing"]);
    assert_eq!(codes(ColumnKind::DateTime, Some(true)), ["time_zone_missing"]);
    assert_eq!(codes(ColumnKind::Timestamp, Some(false)), ["time_zone_missing"]);
    assert_eq!(codes(ColumnKind::Date, Some(true)), ["time_zone_missing"]);
    assert!(codes(ColumnKind::DateTime, Some(false)).is_empty());
    assert!(codes(ColumnKind::Timestamp, None).is_empty());
    assert!(codes(ColumnKind::Date, None).is_empty());
    let declared = World::new(&ColumnKind::DateTime, &to(FieldKind::Date).zone("UTC"));
    assert!(declared.codes().is_empty());
    let unknown = World::new(&ColumnKind::DateTime, &to(FieldKind::Date).zone("Europe/Atlantis"));
    check_only(
        &unknown,
        FindingCode::TimeZoneUnknown,
        "there is no time zone `Europe/Atlantis` (use an IANA name such as `Europe/Berlin`, or `UTC`)",
    );
}

#[test]
fn digits_that_would_be_lost_are_said() {
    let codes = |scale, digits| {
        let target = to(FieldKind::Currency).precision(digits);
        World::new(&ColumnKind::Decimal { scale }, &target).codes()
    };
    assert_eq!(codes(4, 2), ["precision_loss"]);
    assert!(codes(2, 2).is_empty());
    assert!(world(&ColumnKind::Decimal { scale: 30 }, FieldKind::Number).codes().is_empty());
    assert_eq!(
        world(&ColumnKind::Decimal { scale: 1 }, FieldKind::Rating).codes(),
        ["precision_loss"]
    );
    let asked_for =
        to(FieldKind::Number).precision(1).older(Transformation::Number { whole: true });
    assert!(World::new(&ColumnKind::Decimal { scale: 2 }, &asked_for).codes().is_empty());
}

#[test]
fn required_fields_that_nothing_fills_are_said() {
    let mut world = world(&ColumnKind::Text, FieldKind::Text);
    let required = |slug: &str, read_only| Field {
        required: true,
        read_only,
        ..field(slug, "Needed", FieldKind::Title)
    };
    world.structure.fields.extend([required("title", false), required("computed", true)]);
    world.structure.fields[0].required = true;
    world.structure.fields[1].required = true;
    check_only(
        &world,
        FindingCode::RequiredFieldUnmapped,
        "field `title` (\"Needed\") is required and nothing is mapped to it (map a column to it, or make it optional \
         in SmartSuite)",
    );
}

#[test]
fn a_phone_field_without_a_country_is_said() {
    assert_eq!(world(&ColumnKind::Text, FieldKind::Phone).codes(), ["phone_country_missing"]);
}

#[test]
fn everything_is_said_at_once_in_the_order_of_the_definition() {
    let mut world = world(&ColumnKind::Date, FieldKind::Number);
    world.source.time_zone = Some("Nowhere".to_owned());
    world.source.primary_key = vec!["key".to_owned()];
    world.destination.external_id_field = Slug::from("nothing");
    let mapping = |column: &str, slug: &str, conversion| {
        FieldMapping::of_column(column, Slug::from(slug), conversion)
    };
    let choice = Transformation::Choice { value_map: map(&[("a", "b")]) };
    world.destination.fields.extend([
        mapping("gone", "missing", Conversion::Automatic),
        mapping("id", "ext", Conversion::Transformed(choice)),
    ]);
    assert_eq!(
        world.codes(),
        [
            "time_zone_unknown",
            "key_column_missing",
            "external_id_field_unknown",
            "column_type_misfit",
            "column_missing",
            "slug_unknown",
            "type_mismatch",
        ]
    );
    assert!(world.compile().0.is_none());
}
