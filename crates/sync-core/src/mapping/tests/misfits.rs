//! Every finding about a mapping and two live schemas, each from one definition that does not fit, in the words that
//! people read.

use std::{collections::BTreeSet, fmt::Write as _};

use super::fixture::{World, field, map, to};
use crate::{
    budget::Plan,
    config::model::{
        ArchiveField, Conversion, LinkDefinition, OnDelete, Origin, TypeOptions, WritePolicy,
    },
    expression::Expression,
    mapping::{FindingCode, room},
    source::{Column, ColumnKind, ColumnValues},
    table::{Field, FieldKind},
};

/// A definition that does not fit: the columns `id` and `c`, the fields `ext` and `f`, and one mistake.
struct Misfit {
    name: &'static str,
    world: World,
    values: ColumnValues,
}

impl Misfit {
    fn new(name: &'static str, column: &ColumnKind, kind: FieldKind) -> Self {
        Self { name, world: World::new(column, &to(kind)), values: ColumnValues::default() }
    }

    fn text(name: &'static str) -> Self {
        Self::new(name, &ColumnKind::Text, FieldKind::Text)
    }

    fn with(mut self, change: impl FnOnce(&mut World)) -> Self {
        change(&mut self.world);
        self
    }

    fn values(mut self, values: ColumnValues) -> Self {
        self.values = ColumnValues { column: "c".to_owned(), ..values };
        self
    }

    /// Its findings, a line each.
    fn said(&self, codes: &mut BTreeSet<FindingCode>) -> String {
        let (mapping, mut findings) = self.world.compile();
        if let Some(mapping) = &mapping {
            findings.extend(mapping.refused_values(std::slice::from_ref(&self.values)));
        }
        let mut said = format!("{}\n", self.name);
        for finding in findings {
            codes.insert(finding.code);
            let (code, hint) = (finding.code.code(), finding.hint.unwrap_or_default());
            writeln!(
                said,
                "  {:?} {code}: {}\n    {hint}",
                finding.code.severity(),
                finding.message
            )
            .unwrap();
        }
        said
    }
}

fn typed(kind: FieldKind, options: TypeOptions) -> Conversion {
    Conversion::Typed { kind, options }
}

fn options(world: &mut World, options: TypeOptions) {
    let kind = world.structure.fields[1].kind.clone();
    world.destination.fields[0].conversion = typed(kind, options);
}

fn linked(world: &mut World, column: &str, parent_table: &str) {
    world.destination.links.push(LinkDefinition {
        slug: "l".into(),
        parent: "parents".to_owned(),
        parent_previously: None,
        parent_table: parent_table.to_owned(),
        from: vec![column.to_owned()],
        list: false,
    });
    let linked_table = Some("6500000000000000000000d1".to_owned());
    let field = Field { linked_table, ..field("l", "Parent", FieldKind::LinkedRecord) };
    world.structure.fields.push(field);
}

fn archived(world: &mut World, slug: &str) {
    let archive = ArchiveField { slug: slug.into(), value: "yes".to_owned(), restored: None };
    world.destination.on_delete = OnDelete::Archive(archive);
}

fn misfits() -> Vec<Misfit> {
    let mut misfits = of_names();
    misfits.extend(of_keys());
    misfits.extend(of_types());
    misfits.extend(of_values());
    misfits.extend(of_policies());
    misfits
}

fn of_names() -> Vec<Misfit> {
    vec![
        Misfit::text("a column that the query does not return").with(|world| {
            world.destination.fields[0].origin =
                Origin::Column { name: "C".to_owned(), path: None };
        }),
        Misfit::text("a column that is returned twice")
            .with(|world| world.columns.push(world.columns[1].clone())),
        Misfit::text("a field that the table does not have")
            .with(|world| world.destination.fields[0].slug = "g".into()),
        Misfit::text("a field that SmartSuite fills")
            .with(|world| world.structure.fields[1].read_only = true),
        Misfit::text("a field that must be filled").with(|world| {
            let needed = field("title", "Name", FieldKind::Title);
            world.structure.fields.push(Field { required: true, ..needed });
        }),
        Misfit::text("a link of which the field holds none").with(|world| {
            linked(world, "id", "6500000000000000000000d1");
            world.structure.fields[2].kind = FieldKind::Text;
        }),
        Misfit::text("a link to another table")
            .with(|world| linked(world, "id", "6500000000000000000000d2")),
        Misfit::new(
            "a link from a number that is not exact",
            &ColumnKind::Double,
            FieldKind::Number,
        )
        .with(|world| linked(world, "c", "6500000000000000000000d1")),
    ]
}

fn of_keys() -> Vec<Misfit> {
    let key = |kind: ColumnKind, nullable| {
        move |world: &mut World| {
            world.columns[0] = Column { name: "id".to_owned(), kind, nullable };
        }
    };
    vec![
        Misfit::text("a key column that the query does not return")
            .with(|world| world.source.primary_key = vec!["number".to_owned()]),
        Misfit::text("a key that is not exact").with(key(ColumnKind::Float, false)),
        Misfit::text("a key that may be NULL").with(key(ColumnKind::Text, true)),
        Misfit::text("an external-id field that is not there")
            .with(|world| world.destination.external_id_field = "none".into()),
        Misfit::text("an external-id field that cannot hold keys")
            .with(|world| world.structure.fields[0].kind = FieldKind::Email),
        Misfit::text("an external-id field that another column fills").with(|world| {
            world.destination.fields[0].slug = "ext".into();
        }),
    ]
}

fn of_types() -> Vec<Misfit> {
    vec![
        Misfit::new(
            "a field of an unknown type",
            &ColumnKind::Text,
            FieldKind::Other("hologramfield".to_owned()),
        ),
        Misfit::new("a declared type that does not fit", &ColumnKind::Text, FieldKind::Date).with(
            |world| {
                let number = typed(FieldKind::Number, TypeOptions::default());
                world.destination.fields[0].conversion = number;
            },
        ),
        Misfit::new("another declared type that fits", &ColumnKind::Text, FieldKind::Email).with(
            |world| {
                let text = typed(FieldKind::Text, TypeOptions::default());
                world.destination.fields[0].conversion = text;
            },
        ),
        Misfit::new("days into a number", &ColumnKind::Date, FieldKind::Number),
        Misfit::new(
            "more digits than the field keeps",
            &ColumnKind::Decimal { scale: 4 },
            FieldKind::Currency,
        )
        .with(|world| world.structure.fields[1].precision = Some(2)),
        Misfit::new("a select without choices", &ColumnKind::Text, FieldKind::SingleSelect),
        Misfit::new("a wall-clock time without a zone", &ColumnKind::DateTime, FieldKind::Date),
        Misfit::new("a zone that is none", &ColumnKind::DateTime, FieldKind::Date)
            .with(|world| world.source.time_zone = Some("Europe/Atlantis".to_owned())),
        Misfit::new("a pattern that is none", &ColumnKind::Date, FieldKind::Text).with(|world| {
            world.destination.fields[0].conversion =
                Conversion::Transformed(crate::config::model::Transformation::Date {
                    format: Some("%Q%".to_owned()),
                });
        }),
        Misfit::new("numbers without a country", &ColumnKind::Text, FieldKind::Phone),
        Misfit::new("a country that is none", &ColumnKind::Text, FieldKind::Phone).with(|world| {
            options(
                world,
                TypeOptions { default_country: Some("XX".to_owned()), ..TypeOptions::default() },
            );
        }),
    ]
}

fn of_values() -> Vec<Misfit> {
    let computed = |text: &str| {
        let origin = Origin::Computed(Expression::parse(text).unwrap());
        move |world: &mut World| world.destination.fields[0].origin = origin
    };
    vec![
        Misfit::new("words that are no choices", &ColumnKind::Enum, FieldKind::SingleSelect)
            .with(|world| {
                world.structure.fields[1] =
                    to(FieldKind::SingleSelect).choices(&["a=New", "b=Old"]).field;
            })
            .values(ColumnValues { words: vec!["gone".to_owned()], ..ColumnValues::default() }),
        Misfit::text("texts that may be too long")
            .with(|world| world.structure.fields[1].length_max = Some(10))
            .values(ColumnValues { length_max: Some(20), ..ColumnValues::default() }),
        Misfit::new("a value map to no choice", &ColumnKind::Text, FieldKind::SingleSelect).with(
            |world| {
                world.structure.fields[1] = to(FieldKind::SingleSelect).choices(&["a=New"]).field;
                let value_map = map(&[("n", "Neu")]);
                options(world, TypeOptions { value_map, ..TypeOptions::default() });
            },
        ),
        Misfit::text("a sum of texts").with(computed("c * 2")),
        Misfit::new("a constant that is no number", &ColumnKind::Text, FieldKind::Number).with(
            |world| {
                world.destination.fields[0].origin = Origin::Computed(Expression::constant("many"));
            },
        ),
        Misfit::new("a part that an address does not have", &ColumnKind::Text, FieldKind::Address)
            .with(|world| {
                let part = ("town".to_owned(), Expression::parse("c").unwrap());
                world.destination.fields[0].origin = Origin::Parts([part].into());
            }),
        Misfit::text("an option that means nothing").with(|world| {
            let options = TypeOptions { include_time: Some(true), ..TypeOptions::default() };
            world.destination.fields[0].conversion = Conversion::Options(options);
        }),
    ]
}

fn of_policies() -> Vec<Misfit> {
    vec![
        Misfit::text("an archive field that is not there").with(|world| archived(world, "nowhere")),
        Misfit::new(
            "an archive value that its field does not take",
            &ColumnKind::Text,
            FieldKind::Text,
        )
        .with(|world| {
            world.structure.fields.push(field("a", "Number", FieldKind::Number));
            archived(world, "a");
        }),
        Misfit::new("matched by a tick", &ColumnKind::Bit { bits: 1 }, FieldKind::YesNo)
            .with(|world| world.destination.match_on = vec!["f".into()]),
        Misfit::new("filled where a box is empty", &ColumnKind::Bit { bits: 1 }, FieldKind::YesNo)
            .with(|world| world.destination.fields[0].write = WritePolicy::IfEmpty),
    ]
}

#[test]
fn every_finding_is_said_in_reviewed_words() {
    let mut codes = BTreeSet::new();
    let said: Vec<String> = misfits().iter().map(|misfit| misfit.said(&mut codes)).collect();
    insta::assert_snapshot!(said.join("\n"));
    // Those of room are about more than a mapping: `a_table_that_is_full_takes_no_field` shows them.
    codes.extend([FindingCode::TableFull, FindingCode::PlanTooSmall]);
    let all = FindingCode::ALL.iter().copied();
    let missing: Vec<FindingCode> = all.filter(|code| !codes.contains(code)).collect();
    assert_eq!(missing, [], "no definition shows these");
}

#[test]
fn a_table_that_is_full_takes_no_field() {
    use crate::config::{self, model::OnDrift};
    let text = "
syncs:
  - name: a
    on_drift: extend
    source: {table: t, primary_key: id}
    destination: {table_id: 6500000000000000000000c1, external_id_field: ext, field_mappings: {c: f}}
";
    let mut sync = config::parse(text, &|_| None).config.unwrap().syncs.remove(0);
    let mut structure = World::new(&ColumnKind::Text, &to(FieldKind::Text)).structure;
    let more = (structure.fields.len()..room::FIELDS_MAX - 1)
        .map(|number| field(&format!("s{number}"), "More", FieldKind::Text));
    structure.fields.extend(more.collect::<Vec<_>>());
    assert_eq!(room::finding(&sync, &structure), None, "one more has room");
    structure.fields.push(field("last", "Last", FieldKind::Text));
    let finding = room::finding(&sync, &structure).unwrap();
    assert_eq!(finding.code, FindingCode::TableFull);
    let sharers = vec![room::Sharers { rows: 1_000, candidates: 2 }];
    let filling = room::Filling {
        table: "Customers".to_owned(),
        solution: None,
        syncs: vec!["a".to_owned()],
        records: 3,
        sharers,
    };
    let of_plan = filling.finding(Plan::Free).unwrap();
    let said = [finding, of_plan].map(|one| {
        format!(
            "{:?} {}: {}\n    {}",
            one.severity(),
            one.code.code(),
            one.message,
            one.hint.unwrap()
        )
    });
    insta::assert_snapshot!("limits", said.join("\n"));
    sync.on_drift = OnDrift::Ignore;
    assert_eq!(room::finding(&sync, &structure), None);
}
