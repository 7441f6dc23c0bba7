//! One helper for every case: a cell of a column into a field, and the result as one line of text.

use std::collections::BTreeMap;

use crate::{
    config::model::{
        Conversion, DestinationDefinition, FieldMapping, OnDelete, OnMissing, OnUnknown,
        SourceDefinition, SourceRows, Transformation, Treatment, TypeOptions, WriteMode,
    },
    draft::Draft,
    field_value::FieldValue,
    mapping::{CompiledMapping, Finding, Notes, Printer, RowFault},
    slug::Slug,
    source::{Column, ColumnKind, Row},
    table::{Choice, Field, FieldKind, Member, NumberRange, TableStructure},
    value::Value,
};

/// A cell with its column's type.
#[derive(Clone, Debug)]
pub(super) struct Source(pub(super) ColumnKind, pub(super) Value);

pub(super) fn null(kind: ColumnKind) -> Source {
    Source(kind, Value::Null)
}
pub(super) fn text(text: &str) -> Source {
    Source(ColumnKind::Text, Value::Text(text.to_owned()))
}
pub(super) fn label(text: &str) -> Source {
    Source(ColumnKind::Enum, Value::Text(text.to_owned()))
}
pub(super) fn int(number: i128) -> Source {
    Source(
        ColumnKind::Int { unsigned: number > i128::from(i64::MAX), width: 11 },
        Value::Int(number),
    )
}
pub(super) fn year(number: i128) -> Source {
    Source(ColumnKind::Year, Value::Int(number))
}
pub(super) fn bit(bit: bool) -> Source {
    Source(ColumnKind::Bit { bits: 1 }, Value::Bool(bit))
}
/// A DECIMAL with as many digits behind the point as written.
pub(super) fn dec(number: &str) -> Source {
    let scale = number.split_once('.').map_or(0, |(_, digits)| digits.len());
    Source(
        ColumnKind::Decimal { scale: u8::try_from(scale).unwrap() },
        Value::Decimal(number.parse().unwrap()),
    )
}
pub(super) fn float(number: f32) -> Source {
    Source(ColumnKind::Float, Value::Float(f64::from(number)))
}
pub(super) fn double(number: f64) -> Source {
    Source(ColumnKind::Double, Value::Float(number))
}
pub(super) fn bytes(bytes: &[u8]) -> Source {
    Source(ColumnKind::Binary, Value::Bytes(bytes.to_vec()))
}
pub(super) fn date(text: &str) -> Source {
    Source(ColumnKind::Date, Value::Date(text.parse().unwrap()))
}
pub(super) fn datetime(text: &str) -> Source {
    Source(ColumnKind::DateTime, Value::DateTime(text.parse().unwrap()))
}
pub(super) fn timestamp(text: &str) -> Source {
    Source(ColumnKind::Timestamp, Value::Instant(text.parse().unwrap()))
}
pub(super) fn zero_date(text: &str) -> Source {
    Source(ColumnKind::DateTime, Value::ZeroDate(text.to_owned()))
}
pub(super) fn time(microseconds: i64) -> Source {
    Source(ColumnKind::Time, Value::Duration(microseconds))
}
pub(super) fn set(labels: &[&str]) -> Source {
    Source(ColumnKind::Set, Value::Labels(labels.iter().map(|l| (*l).to_owned()).collect()))
}
pub(super) fn json(text: &str) -> Source {
    Source(ColumnKind::Json, Value::Json(serde_json::from_str(text).unwrap()))
}
pub(super) fn geometry() -> Source {
    Source(ColumnKind::Other("GEOMETRY".to_owned()), Value::Bytes(vec![0, 0, 0, 0, 1, 1, 0, 0, 0]))
}

/// A field and how the column is mapped onto it.
#[derive(Clone, Debug)]
pub(super) struct Target {
    pub(super) field: Field,
    pub(super) conversion: Conversion,
    pub(super) zone: Option<String>,
    pub(super) treatment: Treatment,
    pub(super) members: Option<Vec<Member>>,
}

pub(super) fn field(slug: &str, label: &str, kind: FieldKind) -> Field {
    Field {
        slug: Slug::from(slug),
        label: label.to_owned(),
        kind,
        required: false,
        unique: false,
        read_only: false,
        choices: Vec::new(),
        multiple: false,
        precision: None,
        range: NumberRange::default(),
        length_max: None,
        linked_table: None,
    }
}

/// The field `f` of this type, mapped without any entry.
pub(super) fn to(kind: FieldKind) -> Target {
    Target {
        field: field("f", "Field", kind),
        conversion: Conversion::Automatic,
        zone: None,
        treatment: Treatment::default(),
        members: None,
    }
}

impl Target {
    pub(super) fn precision(mut self, digits: u32) -> Self {
        self.field.precision = Some(digits);
        self
    }
    pub(super) fn multiple(mut self) -> Self {
        self.field.multiple = true;
        self
    }
    pub(super) fn required(mut self) -> Self {
        self.field.required = true;
        self
    }
    /// Choices as `id=label`.
    pub(super) fn choices(mut self, choices: &[&str]) -> Self {
        let choice = |text: &&str| {
            let (id, label) = text.split_once('=').unwrap();
            Choice { id: id.to_owned(), label: label.to_owned() }
        };
        self.field.choices = choices.iter().map(choice).collect();
        self
    }
    pub(super) fn zone(mut self, name: &str) -> Self {
        self.zone = Some(name.to_owned());
        self
    }
    pub(super) fn typed(mut self, kind: FieldKind, options: TypeOptions) -> Self {
        self.conversion = Conversion::Typed { kind, options };
        self
    }
    /// Declared as what the field is, with options.
    pub(super) fn options(self, options: TypeOptions) -> Self {
        let kind = self.field.kind.clone();
        self.typed(kind, options)
    }
    pub(super) fn value_map(self, pairs: &[(&str, &str)]) -> Self {
        self.options(TypeOptions { value_map: map(pairs), ..TypeOptions::default() })
    }
    pub(super) fn include_time(self, include: bool) -> Self {
        self.options(TypeOptions { include_time: Some(include), ..TypeOptions::default() })
    }
    pub(super) fn on_unknown(self, on_unknown: OnUnknown) -> Self {
        self.options(TypeOptions { on_unknown, ..TypeOptions::default() })
    }
    pub(super) fn treated(mut self, treatment: Treatment) -> Self {
        self.treatment = treatment;
        self
    }
    /// Members as `id=address`.
    pub(super) fn members(mut self, members: &[&str]) -> Self {
        let member = |text: &&str| {
            let (id, email) = text.split_once('=').unwrap();
            Member { id: id.to_owned(), emails: vec![email.to_owned()] }
        };
        self.members = Some(members.iter().map(member).collect());
        self
    }
    pub(super) fn older(mut self, transformation: Transformation) -> Self {
        self.conversion = Conversion::Transformed(transformation);
        self
    }
    pub(super) fn older_date(self, format: Option<&str>) -> Self {
        self.older(Transformation::Date { format: format.map(str::to_owned) })
    }
}

pub(super) fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(source, target)| ((*source).to_owned(), (*target).to_owned())).collect()
}

/// A definition that maps column `c` onto the target, with key column `id` in text field `ext`.
pub(super) struct World {
    pub(super) destination: DestinationDefinition,
    pub(super) source: SourceDefinition,
    pub(super) columns: Vec<Column>,
    pub(super) structure: TableStructure,
}

impl World {
    pub(super) fn new(column: &ColumnKind, target: &Target) -> Self {
        let id = ColumnKind::Int { unsigned: false, width: 11 };
        let named = |name: &str, kind: &ColumnKind, nullable| Column {
            name: name.to_owned(),
            kind: kind.clone(),
            nullable,
        };
        Self {
            destination: DestinationDefinition {
                links: Vec::new(),
                table_id: "6500000000000000000000c1".to_owned(),
                external_id_field: Slug::from("ext"),
                key_prefix: String::new(),
                fields: vec![FieldMapping {
                    treatment: target.treatment.clone(),
                    ..FieldMapping::of_column("c", Slug::from("f"), target.conversion.clone())
                }],
                on_missing: OnMissing::Recreate,
                mode: WriteMode::Upsert,
                match_on: Vec::new(),
                on_delete: OnDelete::Ignore,
            },
            source: SourceDefinition {
                rows: SourceRows::query("SELECT id, c FROM t"),
                primary_key: vec!["id".to_owned()],
                updated_at_field: None,
                related: Vec::new(),
                deleted_field: None,
                time_zone: target.zone.clone(),
            },
            columns: vec![named("id", &id, false), named("c", column, true)],
            structure: TableStructure {
                id: "6500000000000000000000c1".to_owned(),
                name: "Customers".to_owned(),
                solution: None,
                primary_field: Slug::from("title"),
                fields: vec![field("ext", "External ID", FieldKind::Text), target.field.clone()],
                members: target.members.clone(),
            },
        }
    }

    pub(super) fn compile(&self) -> (Option<CompiledMapping>, Vec<Finding>) {
        CompiledMapping::compile(&self.destination, &self.source, &self.columns, &self.structure)
    }

    /// The codes of all findings.
    pub(super) fn codes(&self) -> Vec<&'static str> {
        self.compile().1.iter().map(|finding| finding.code.code()).collect()
    }
}

/// The row's draft. What is made of it without a draft must say the same: key, fingerprint, fault and notes.
#[track_caller]
pub(super) fn drafted_noting(
    mapping: &CompiledMapping,
    row: &Row,
    notes: &mut Notes,
) -> Result<Draft, RowFault> {
    let (mut of_draft, mut of_print) = (Notes::default(), Notes::default());
    let draft = mapping.draft_noting(row, &mut of_draft);
    let mut printer = Printer::default();
    // What a row before it left behind must not matter.
    drop(mapping.print_noting(row, &mut Notes::default(), &mut printer));
    let print = mapping.print_noting(row, &mut of_print, &mut printer);
    let expected = draft.clone().map(|draft| (draft.key, draft.fields.fingerprint()));
    assert!(print == expected, "{print:?} is not {expected:?} for {row:?}");
    assert_eq!(of_print, of_draft);
    notes.add(of_draft);
    draft
}

/// What becomes of the cell, with the notes taken.
pub(super) fn value_noting(
    Source(kind, cell): &Source,
    target: &Target,
) -> (Result<FieldValue, String>, Notes) {
    let mut notes = Notes::default();
    let (mapping, findings) = World::new(kind, target).compile();
    let Some(mapping) = mapping else {
        let blocking = findings.iter().find(|finding| finding.code.blocks()).unwrap();
        return (Err(format!("never: {}", blocking.code.code())), notes);
    };
    let row = Row(vec![Value::Int(1), cell.clone()]);
    let value = match drafted_noting(&mapping, &row, &mut notes) {
        Ok(draft) => Ok(draft.fields.get("f").unwrap().clone()),
        Err(fault) => Err(shown_fault(&fault)),
    };
    (value, notes)
}

pub(super) fn value(source: &Source, target: &Target) -> Result<FieldValue, String> {
    value_noting(source, target).0
}

/// One case. `expected` is written as [`shown`] writes it.
#[track_caller]
pub(super) fn check(source: &Source, target: &Target, expected: &str) {
    let shown = match value(source, target) {
        Ok(value) => shown(&value),
        Err(fault) => fault,
    };
    assert_eq!(shown, expected, "{:?} {:?} into {:?}", source.0, source.1, target.field.kind);
}

fn shown_fault(fault: &RowFault) -> String {
    format!("fault: {}", fault.code.code())
}

pub(super) fn shown(value: &FieldValue) -> String {
    match value {
        FieldValue::Empty => "empty".to_owned(),
        FieldValue::Text(text) => format!("text {text}"),
        FieldValue::Number(number) => format!("number {number}"),
        FieldValue::Yes => "yes".to_owned(),
        FieldValue::Choice(id) => format!("choice {id}"),
        FieldValue::Ids(ids) => {
            format!("ids {}", ids.iter().cloned().collect::<Vec<_>>().join(" "))
        }
        FieldValue::List(entries) => format!("list {}", entries.join(" ")),
        FieldValue::Phones(phones) => {
            let phone = |p: &crate::field_value::Phone| {
                let extension = if p.extension.is_empty() {
                    String::new()
                } else {
                    format!("x{}", p.extension)
                };
                format!("{} {}{extension} ({})", p.country, p.digits, p.kind)
            };
            format!("phones {}", phones.iter().map(phone).collect::<Vec<_>>().join(", "))
        }
        FieldValue::Parts(parts) => {
            let part = |(name, text): (&String, &String)| format!("{name}={text}");
            format!("parts {}", parts.iter().map(part).collect::<Vec<_>>().join(" "))
        }
        FieldValue::DateRange { from, to } => {
            let end = |end: &Option<crate::field_value::DateStamp>| {
                let end =
                    end.map(|end| FieldValue::Date { at: end.at, include_time: end.include_time });
                end.map_or_else(|| "open".to_owned(), |end| shown(&end))
            };
            format!("from {} to {}", end(from), end(to))
        }
        FieldValue::Date { at, include_time: true } => format!("instant {at}"),
        FieldValue::Date { at, include_time: false } => {
            let at = jiff::tz::TimeZone::UTC.to_datetime(*at);
            assert_eq!(at.time(), jiff::civil::Time::midnight(), "a day is midnight UTC");
            format!("day {}", at.date())
        }
    }
}
