//! Drift: what has changed in the two schemas since a sync's mapping last fitted them, and what of the mapping still
//! fits. Pure.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::{
    config::model::{DestinationDefinition, SourceDefinition},
    mapping::{CompiledMapping, Finding},
    slug::Slug,
    source::Column,
    table::TableStructure,
};

/// The version of the stored form. Another one is not read: what it said is learnt anew.
const VERSION: u32 = 1;

/// What a mapping uses of the two schemas, as it was when it last fitted them. What is there no more is remembered, so
/// that it is known to have been there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KnownSchema {
    /// Types of columns, by name.
    columns: BTreeMap<String, String>,
    /// Types of fields, by slug.
    fields: BTreeMap<Slug, String>,
    /// Every column that the source table had, where new ones are taken up; none where nobody has looked.
    all_columns: BTreeSet<String>,
}

/// As it is stored.
#[derive(Serialize, Deserialize)]
struct Stored {
    version: u32,
    columns: BTreeMap<String, String>,
    fields: BTreeMap<Slug, String>,
    #[serde(default)]
    all_columns: BTreeSet<String>,
}

/// One change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Drift {
    /// The source shows a column no more.
    ColumnGone {
        /// Its name.
        column: String,
        /// Its type.
        was: String,
    },
    /// A column has another type.
    ColumnChanged {
        /// Its name.
        column: String,
        /// Its type before.
        was: String,
        /// Its type now.
        is: String,
    },
    /// The table has a field no more.
    FieldGone {
        /// Its slug.
        slug: Slug,
        /// Its type.
        was: String,
    },
    /// A field has another type.
    FieldChanged {
        /// Its slug.
        slug: Slug,
        /// Its type before.
        was: String,
        /// Its type now.
        is: String,
    },
}

impl std::fmt::Display for Drift {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::ColumnGone { column, was } => {
                write!(f, "column `{column}` ({was}) is there no more")
            }
            Self::ColumnChanged { column, was, is } => {
                write!(f, "column `{column}` was {was} and is {is}")
            }
            Self::FieldGone { slug, was } => write!(f, "field `{slug}` ({was}) is there no more"),
            Self::FieldChanged { slug, was, is } => {
                write!(f, "field `{slug}` was {was} and is {is}")
            }
        }
    }
}

impl Drift {
    /// The column, where it is about one.
    pub fn column(&self) -> Option<&str> {
        match self {
            Self::ColumnGone { column, .. } | Self::ColumnChanged { column, .. } => Some(column),
            Self::FieldGone { .. } | Self::FieldChanged { .. } => None,
        }
    }

    /// The field, where it is about one.
    pub fn slug(&self) -> Option<&Slug> {
        match self {
            Self::FieldGone { slug, .. } | Self::FieldChanged { slug, .. } => Some(slug),
            Self::ColumnGone { .. } | Self::ColumnChanged { .. } => None,
        }
    }

    /// Whether values of rows that did not change may have become others.
    pub fn changes_values(&self) -> bool {
        matches!(self, Self::ColumnChanged { .. })
    }
}

impl KnownSchema {
    /// What a mapping uses of these schemas. `columns` are those that it reads.
    pub fn of(
        destination: &DestinationDefinition,
        columns: &[Column],
        table: &TableStructure,
    ) -> Self {
        let columns = columns.iter().map(|column| (column.name.clone(), column.kind.words()));
        let fields = used_fields(destination).filter_map(|slug| table.field(slug));
        Self {
            columns: columns.collect(),
            fields: fields
                .map(|field| (field.slug.clone(), field.kind.name().to_owned()))
                .collect(),
            all_columns: BTreeSet::new(),
        }
    }

    /// From its stored form; nothing is known where that is another version's.
    pub fn from_text(text: &str) -> Option<Self> {
        let Stored { version, columns, fields, all_columns } = serde_json::from_str(text).ok()?;
        (version == VERSION).then_some(Self { columns, fields, all_columns })
    }

    /// Its stored form.
    pub fn text(&self) -> String {
        let Self { columns, fields, all_columns } = self.clone();
        let stored = Stored { version: VERSION, columns, fields, all_columns };
        serde_json::to_string(&stored).unwrap_or_default()
    }

    /// With what is there now; what is there no more stays known.
    #[must_use]
    pub fn renewed(mut self, now: Self) -> Self {
        self.columns.extend(now.columns);
        self.fields.extend(now.fields);
        self.all_columns.extend(now.all_columns);
        self
    }

    /// With the columns that the source table has.
    #[must_use]
    pub fn with_all_columns(self, names: impl IntoIterator<Item = String>) -> Self {
        Self { all_columns: names.into_iter().collect(), ..self }
    }

    /// Whether a column of the source table was added since the table was looked at first.
    pub fn is_added(&self, name: &str) -> bool {
        !self.all_columns.is_empty() && !self.all_columns.contains(name)
    }

    /// The columns that nothing reads: neither a mapping nor the sync itself.
    pub fn free_columns<'c>(
        destination: &DestinationDefinition,
        source: &SourceDefinition,
        all: impl IntoIterator<Item = &'c str>,
    ) -> Vec<&'c str> {
        let used: BTreeSet<&str> =
            used_columns(destination, source).chain(source.updated_at_field.as_deref()).collect();
        all.into_iter().filter(|name| !used.contains(name)).collect()
    }

    /// Whether a column was there when the mapping last fitted.
    pub fn knows_column(&self, name: &str) -> bool {
        self.columns.contains_key(name)
    }

    /// What is different now of what the mapping uses. `columns` are those that the source shows.
    pub fn drift(
        &self,
        destination: &DestinationDefinition,
        source: &SourceDefinition,
        columns: &[Column],
        table: &TableStructure,
    ) -> Vec<Drift> {
        let mut found = Vec::new();
        for name in used_columns(destination, source) {
            let Some(was) = self.columns.get(name) else { continue };
            match columns.iter().find(|column| column.name == name) {
                None => {
                    found.push(Drift::ColumnGone { column: name.to_owned(), was: was.clone() });
                }
                Some(column) if column.kind.words() != *was => found.push(Drift::ColumnChanged {
                    column: name.to_owned(),
                    was: was.clone(),
                    is: column.kind.words(),
                }),
                Some(_) => {}
            }
        }
        for slug in used_fields(destination) {
            let Some(was) = self.fields.get(slug) else { continue };
            match table.field(slug) {
                None => found.push(Drift::FieldGone { slug: slug.clone(), was: was.clone() }),
                Some(field) if field.kind.name() != was => found.push(Drift::FieldChanged {
                    slug: slug.clone(),
                    was: was.clone(),
                    is: field.kind.name().to_owned(),
                }),
                Some(_) => {}
            }
        }
        found
    }

    /// The destination without the mappings that fitted once and fit no more, each with the reason. Key, cursor and
    /// external id are never left out, and neither is a mapping that never fitted.
    pub fn fitting(
        &self,
        destination: &DestinationDefinition,
        source: &SourceDefinition,
        columns: &[Column],
        table: &TableStructure,
    ) -> (DestinationDefinition, Vec<LeftOut>) {
        let mut fitting = destination.clone();
        let mut left_out = Vec::new();
        loop {
            let (_, findings) = CompiledMapping::compile(&fitting, source, columns, table);
            let before = left_out.len();
            for finding in findings.iter().filter(|finding| finding.code.blocks()) {
                self.leave_out(&mut fitting, finding, &mut left_out);
            }
            if left_out.len() == before {
                return (fitting, left_out);
            }
        }
    }

    /// Leaves out what a finding blames.
    fn leave_out(
        &self,
        destination: &mut DestinationDefinition,
        finding: &Finding,
        left_out: &mut Vec<LeftOut>,
    ) {
        let blames = |slug: &Slug, columns: &[&str]| {
            finding.slug.as_ref() == Some(slug)
                || finding.slug.is_none()
                    && finding.column.as_deref().is_some_and(|name| columns.contains(&name))
        };
        let fitted = |slug: &Slug, columns: &[&str]| {
            self.fields.contains_key(slug)
                && columns.iter().all(|column| self.columns.contains_key(*column))
        };
        let mut leave = |slug: &Slug, columns: &[&str]| {
            let leaves = blames(slug, columns) && fitted(slug, columns);
            if leaves {
                let reason = finding.message.clone();
                left_out.push(LeftOut { slug: slug.clone(), reason });
            }
            leaves
        };
        destination
            .fields
            .retain(|field| !leave(&field.slug, &field.columns().into_iter().collect::<Vec<_>>()));
        destination.links.retain(|link| {
            let columns: Vec<&str> = link.from.iter().map(String::as_str).collect();
            !leave(&link.slug, &columns)
        });
    }
}

/// A field that is not written, because its mapping fits no more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// The field.
    pub slug: Slug,
    /// Why, in one line.
    pub reason: String,
}

/// The columns that a sync reads.
fn used_columns<'d>(
    destination: &'d DestinationDefinition,
    source: &'d SourceDefinition,
) -> impl Iterator<Item = &'d str> {
    let mapped = destination.fields.iter().flat_map(|field| field.columns());
    let linked = destination.links.iter().flat_map(|link| &link.from).map(String::as_str);
    let own = source.primary_key.iter().chain(&source.deleted_field).map(String::as_str);
    let names: BTreeSet<&str> = own.chain(mapped).chain(linked).collect();
    names.into_iter()
}

/// The fields that a sync writes.
fn used_fields(destination: &DestinationDefinition) -> impl Iterator<Item = &Slug> {
    let mapped = destination.fields.iter().map(|field| &field.slug);
    let linked = destination.links.iter().map(|link| &link.slug);
    let names: BTreeSet<&Slug> =
        mapped.chain(linked).chain([&destination.external_id_field]).collect();
    names.into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        config,
        source::ColumnKind,
        table::{Field, FieldKind, NumberRange},
    };

    const FILE: &str = "
syncs:
  - name: a
    source: {query: 'SELECT 1', primary_key: id}
    destination:
      table_id: 6500000000000000000000c1
      external_id_field: skey
      field_mappings: {name: sname, size: ssize}
      fields: {sboth: {template: '{name} {size}'}}
";

    fn column(name: &str, kind: ColumnKind) -> Column {
        Column { name: name.to_owned(), kind, nullable: true }
    }

    fn columns() -> Vec<Column> {
        let id = Column {
            nullable: false,
            ..column("id", ColumnKind::Int { unsigned: false, width: 11 })
        };
        vec![id, column("name", ColumnKind::Text), column("size", ColumnKind::Decimal { scale: 2 })]
    }

    fn table(fields: &[(&str, FieldKind)]) -> TableStructure {
        let field = |(slug, kind): &(&str, FieldKind)| Field {
            slug: Slug::from(*slug),
            label: (*slug).to_owned(),
            kind: kind.clone(),
            required: false,
            unique: false,
            read_only: false,
            choices: Vec::new(),
            multiple: false,
            precision: None,
            range: NumberRange::default(),
            length_max: None,
            linked_table: None,
        };
        TableStructure {
            id: "6500000000000000000000c1".into(),
            name: "A".into(),
            solution: None,
            primary_field: Slug::from("sname"),
            fields: fields.iter().map(field).collect(),
            members: None,
        }
    }

    fn whole() -> TableStructure {
        table(&[
            ("skey", FieldKind::Text),
            ("sname", FieldKind::Text),
            ("ssize", FieldKind::Number),
            ("sboth", FieldKind::Text),
        ])
    }

    /// What is said and left out when the schemas become these.
    fn check(columns_now: &[Column], table_now: &TableStructure, drift: &[&str], left: &[&str]) {
        let config = config::parse(FILE, &|_| None).config.unwrap();
        let sync = &config.syncs[0];
        let known = KnownSchema::of(&sync.destination, &columns(), &whole());
        let known = KnownSchema::from_text(&known.text()).unwrap();
        let (destination, source) = (&sync.destination, &sync.source);
        let found = known.drift(destination, source, columns_now, table_now);
        assert_eq!(found.iter().map(ToString::to_string).collect::<Vec<_>>(), drift);
        let (fitting, left_out) = known.fitting(destination, source, columns_now, table_now);
        let slugs: Vec<&str> = left_out.iter().map(|one| one.slug.as_str()).collect();
        assert_eq!(slugs, left);
        assert_eq!(fitting.fields.len() + left.len(), destination.fields.len());
        // Nothing is left out of a mapping that never fitted.
        let (untouched, none) =
            KnownSchema::default().fitting(destination, source, columns_now, table_now);
        assert_eq!((&untouched, none.len()), (destination, 0));
    }

    #[test]
    fn what_has_changed_is_named_and_what_fits_no_more_is_left_out() {
        check(&columns(), &whole(), &[], &[]);
        check(
            &columns()[..2],
            &whole(),
            &["column `size` (DECIMAL with 2 digits behind the point) is there no more"],
            &["ssize", "sboth"],
        );
        let mut wider = columns();
        wider[2].kind = ColumnKind::Decimal { scale: 4 };
        check(
            &wider,
            &whole(),
            &[
                "column `size` was DECIMAL with 2 digits behind the point and is DECIMAL with 4 digits behind the point",
            ],
            &[],
        );
        let lost = table(&[
            ("skey", FieldKind::Text),
            ("sname", FieldKind::Text),
            ("sboth", FieldKind::Text),
        ]);
        check(&columns(), &lost, &["field `ssize` (numberfield) is there no more"], &["ssize"]);
        let other = table(&[
            ("skey", FieldKind::Text),
            ("sname", FieldKind::Text),
            ("ssize", FieldKind::User),
            ("sboth", FieldKind::Text),
        ]);
        check(&columns(), &other, &["field `ssize` was numberfield and is userfield"], &["ssize"]);
        // The key is never left out: the mapping fits no more as a whole.
        check(&columns()[1..], &whole(), &["column `id` (INT) is there no more"], &[]);
    }

    #[test]
    fn what_is_there_no_more_stays_known() {
        let config = config::parse(FILE, &|_| None).config.unwrap();
        let destination = &config.syncs[0].destination;
        let before = KnownSchema::of(destination, &columns(), &whole());
        let now = KnownSchema::of(destination, &columns()[..2], &whole());
        assert_eq!(before.clone().renewed(now), before);
        let source = &config.syncs[0].source;
        assert!(!before.is_added("colour"), "nobody has looked");
        let looked = before.with_all_columns(["id".to_owned(), "name".to_owned()]);
        assert!(looked.is_added("colour") && !looked.is_added("name"));
        let all = ["id", "name", "size", "colour"];
        assert_eq!(KnownSchema::free_columns(destination, source, all), ["colour"]);
        assert_eq!(KnownSchema::from_text("{\"version\":0}"), None);
    }
}
