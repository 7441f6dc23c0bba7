//! Which table goes where, and which column into which field, each with its reason. Pure.

use std::collections::{BTreeMap, BTreeSet};

use sync_core::{
    slug::Slug,
    table::{Choice, Field, FieldKind, TableStructure},
};
use sync_mysql::{SourceColumn, SourceTable};
use sync_smartsuite::NewField;

use super::{
    column_kind::ColumnSense,
    link::{LinkField, LinkProposal},
    name::{label, plain, singular, slug},
};

/// Labels under which people keep a foreign key.
const KEY_LABELS: [&str; 6] =
    ["externalid", "externalkey", "mysqlid", "sourceid", "databaseid", "syncid"];
/// The label of a field for keys that is to be made.
pub(crate) const KEY_LABEL: &str = "External ID";

/// One sync, as proposed.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct SyncProposal {
    /// Its name.
    pub(crate) name: String,
    /// Rows of this table.
    pub(crate) source: SourceTable,
    /// Into this table.
    pub(crate) table: TableStructure,
    /// The column that says when a row last changed.
    pub(crate) cursor: Option<String>,
    /// The field that carries the key.
    pub(crate) key_field: KeyField,
    /// Every column.
    pub(crate) columns: Vec<ColumnProposal>,
    /// Foreign keys that become links.
    pub(crate) links: Vec<LinkProposal>,
    /// A column that goes into the record's title too, where no other has it: its name, and its second name in the
    /// query.
    pub(crate) title: Option<(String, String)>,
}

/// The field that carries the key.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum KeyField {
    /// It is there.
    There(Slug, String),
    /// It is to be made.
    New(NewField),
}

impl KeyField {
    /// Its slug.
    pub(crate) fn slug(&self) -> &Slug {
        match self {
            Self::There(slug, _) => slug,
            Self::New(field) => &field.slug,
        }
    }
}

/// What becomes of a column.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ColumnProposal {
    /// The column.
    pub(crate) column: String,
    /// Where it goes.
    pub(crate) way: Way,
    /// Why.
    pub(crate) reason: String,
    /// The table that the column refers to, if it does.
    pub(crate) refers_to: Option<String>,
}

/// Where a column goes.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Way {
    /// Into a field that is there; its texts, each with a choice that is not called the same.
    Field {
        /// Its slug.
        slug: Slug,
        /// Its label.
        label: String,
        /// Texts with the labels of their choices.
        value_map: BTreeMap<String, String>,
    },
    /// Into a field that is to be made.
    New(NewField),
    /// Nowhere.
    Nowhere,
}

impl SyncProposal {
    /// The name of the type of the field that a column goes to, as the mapping file knows it.
    pub(crate) fn field_kind<'p>(&'p self, column: &'p ColumnProposal) -> &'p str {
        let field = match &column.way {
            Way::Field { slug, .. } => self.table.field(slug).map(|field| &field.kind),
            Way::New(field) => Some(&field.kind),
            Way::Nowhere => None,
        };
        field.map_or("", FieldKind::name)
    }

    /// Fields that are to be made, the one for keys first.
    pub(crate) fn new_fields(&self) -> Vec<&NewField> {
        let key = match &self.key_field {
            KeyField::New(field) => Some(field),
            KeyField::There(..) => None,
        };
        let columns = self.columns.iter().filter_map(|column| match &column.way {
            Way::New(field) => Some(field),
            Way::Field { .. } | Way::Nowhere => None,
        });
        let links = self.links.iter().filter_map(|link| match &link.field {
            LinkField::New(field) => Some(field),
            LinkField::There(..) => None,
        });
        key.into_iter().chain(columns).chain(links).collect()
    }

    /// Leaves out links into a field, or from a column where no field is named.
    pub(crate) fn leave_out_links(&mut self, column: Option<&str>, slug: Option<&Slug>) -> bool {
        let before = self.links.len();
        self.links.retain(|link| match (slug, column) {
            (Some(slug), _) => link.field.slug() != slug,
            (None, Some(column)) => !link.from.iter().any(|from| from == column),
            (None, None) => true,
        });
        self.links.len() < before
    }

    /// Leaves a column out.
    pub(crate) fn leave_out(&mut self, column: &str, reason: &str) {
        if self.title.as_ref().is_some_and(|(_, second)| second == column) {
            self.title = None;
        }
        for proposal in self.columns.iter_mut().filter(|proposal| proposal.column == column) {
            proposal.way = Way::Nowhere;
            reason.clone_into(&mut proposal.reason);
        }
    }

    /// Leaves out every column that would need a field that is not there.
    pub(crate) fn without_new_fields(&mut self) {
        self.links.retain(|link| matches!(link.field, LinkField::There(..)));
        for proposal in &mut self.columns {
            if matches!(proposal.way, Way::New(_)) {
                proposal.way = Way::Nowhere;
                "the table has no field for it".clone_into(&mut proposal.reason);
            }
        }
    }
}

/// The SmartSuite table that a source table seems to belong to, with the reason.
pub(crate) fn table_for<'t>(
    source: &SourceTable,
    tables: &'t [TableStructure],
) -> Option<(&'t TableStructure, &'static str)> {
    let find = |is_it: &dyn Fn(&TableStructure) -> bool| tables.iter().find(|table| is_it(table));
    find(&|table| plain(&table.name) == plain(&source.name))
        .map(|table| (table, "same name"))
        .or_else(|| {
            find(&|table| singular(&table.name) == singular(&source.name))
                .map(|table| (table, "same name but for the plural"))
        })
}

/// What to do with every column of a table.
pub(crate) fn propose(source: &SourceTable, table: &TableStructure) -> SyncProposal {
    let cursor = cursor(source);
    let key_field = key_field(source, table);
    let mut taken: BTreeSet<Slug> = BTreeSet::from([key_field.slug().clone()]);
    let mut ways: BTreeMap<&str, (Way, String)> = BTreeMap::new();
    for column in &source.columns {
        if let ColumnSense::Opaque(why) = ColumnSense::of(column) {
            ways.insert(&column.name, (Way::Nowhere, (*why).to_owned()));
        } else if let [key] = source.primary_key.as_slice()
            && *key == column.name
        {
            let reason = format!("the key, written into \"{KEY_LABEL}\" by itself");
            ways.insert(&column.name, (Way::Nowhere, reason));
        }
    }
    // Sure matches first, so that a later guess does not take their field.
    for rule in RULES {
        for column in &source.columns {
            if ways.contains_key(column.name.as_str()) {
                continue;
            }
            let free = |field: &&Field| {
                !field.read_only
                    && !taken.contains(&field.slug)
                    && ColumnSense::of(column).fits(&field.kind)
            };
            if let Some((field, reason)) = rule(source, column, table, &free) {
                taken.insert(field.slug.clone());
                ways.insert(&column.name, (into(column, &field), reason));
            }
        }
    }
    let columns = source
        .columns
        .iter()
        .map(|column| {
            let (way, reason) = ways.remove(column.name.as_str()).unwrap_or_else(|| {
                if Some(&column.name) == cursor.as_ref() {
                    return (Way::Nowhere, "it only says when a row last changed".to_owned());
                }
                match new_field(source, column, table) {
                    Ok(field) => (Way::New(field), "the table has no field for it".to_owned()),
                    Err(NoField) => (Way::Nowhere, "no field can show its type".to_owned()),
                }
            });
            let refers_to = source
                .foreign_keys
                .iter()
                .find(|key| key.columns == [column.name.clone()])
                .map(|key| key.table.clone());
            ColumnProposal { column: column.name.clone(), way, reason, refers_to }
        })
        .collect();
    SyncProposal {
        name: source.name.clone(),
        source: source.clone(),
        table: table.clone(),
        cursor,
        key_field,
        columns,
        links: Vec::new(),
        title: second_title(source, table, &taken),
    }
}

/// A record needs a title. Where every column that could be one has a field of its own, the one that names a row goes
/// into both.
fn second_title(
    source: &SourceTable,
    table: &TableStructure,
    taken: &BTreeSet<Slug>,
) -> Option<(String, String)> {
    let free = title(table).filter(|field| !field.read_only && !taken.contains(&field.slug))?;
    let fits = |column: &&SourceColumn| ColumnSense::of(column).fits(&free.kind);
    let columns = || source.columns.iter().filter(fits);
    let is_key = |column: &&SourceColumn| source.primary_key.contains(&column.name);
    let column = columns()
        .find(|column| names_a_row(source, column))
        .or_else(|| columns().find(|column| ColumnSense::of(column) == ColumnSense::Line))
        .or_else(|| columns().find(is_key))?;
    Some((column.name.clone(), format!("{}_as_title", column.name)))
}

type Rule = fn(
    &SourceTable,
    &SourceColumn,
    &TableStructure,
    &dyn Fn(&&Field) -> bool,
) -> Option<(Field, String)>;

/// The surest first.
const RULES: [Rule; 5] = [made_before, same_name, name_without_table, title_by_name, title_at_all];

fn made_before(
    source: &SourceTable,
    column: &SourceColumn,
    table: &TableStructure,
    free: &dyn Fn(&&Field) -> bool,
) -> Option<(Field, String)> {
    let slug = slug(&[&table.id, &source.name, &column.name]);
    let field = table.field(&slug).filter(|field| free(field))?;
    Some((field.clone(), "made for this column by `init`".to_owned()))
}

fn same_name(
    _source: &SourceTable,
    column: &SourceColumn,
    table: &TableStructure,
    free: &dyn Fn(&&Field) -> bool,
) -> Option<(Field, String)> {
    let name = plain(&column.name);
    let field = table
        .fields
        .iter()
        .filter(free)
        .find(|field| plain(&field.label) == name || plain(&field.slug) == name)?;
    Some((field.clone(), "same name".to_owned()))
}

fn name_without_table(
    source: &SourceTable,
    column: &SourceColumn,
    table: &TableStructure,
    free: &dyn Fn(&&Field) -> bool,
) -> Option<(Field, String)> {
    let (of_table, name) = (singular(&source.name), plain(&column.name));
    let bare = |text: &str| text.strip_prefix(&of_table).unwrap_or(text).to_owned();
    let short = bare(&name);
    // A date is often called by what happened: `created_at` and "Created".
    let stem = short.strip_suffix("at").or_else(|| short.strip_suffix("date")).unwrap_or(&short);
    let field = table.fields.iter().filter(free).find(|field| {
        let of_field = bare(&plain(&field.label));
        !of_field.is_empty() && (of_field == short || of_field == stem)
    })?;
    Some((field.clone(), "same name but for the table's".to_owned()))
}

fn title_by_name(
    source: &SourceTable,
    column: &SourceColumn,
    table: &TableStructure,
    free: &dyn Fn(&&Field) -> bool,
) -> Option<(Field, String)> {
    title(table)
        .filter(free)
        .filter(|_| names_a_row(source, column))
        .map(|field| (field.clone(), "the record's title: the column that names a row".to_owned()))
}

/// Whether a column is called as one that names a row.
fn names_a_row(source: &SourceTable, column: &SourceColumn) -> bool {
    let (of_table, name) = (singular(&source.name), plain(&column.name));
    let short = name.strip_prefix(&of_table).unwrap_or(&name);
    matches!(short, "name" | "title" | "label" | "subject" | "fullname" | "number" | "code" | "sku")
}

/// A record needs a title, so the first text will have to do.
fn title_at_all(
    _source: &SourceTable,
    column: &SourceColumn,
    table: &TableStructure,
    free: &dyn Fn(&&Field) -> bool,
) -> Option<(Field, String)> {
    let is_line = ColumnSense::of(column) == ColumnSense::Line;
    title(table)
        .filter(free)
        .filter(|_| is_line)
        .map(|field| (field.clone(), "the record's title: the first text of the table".to_owned()))
}

fn title(table: &TableStructure) -> Option<&Field> {
    table.field(&table.primary_field).filter(|field| field.kind == FieldKind::Title)
}

/// The way into a field that is there; texts of the column that a choice is called otherwise are mapped to it.
fn into(column: &SourceColumn, field: &Field) -> Way {
    let mut value_map = BTreeMap::new();
    if let ColumnSense::OneOf(words) | ColumnSense::SomeOf(words) = ColumnSense::of(column) {
        for word in words {
            let same = |choice: &&Choice| choice.label == word || choice.id == word;
            if field.choices.iter().any(|choice| same(&choice)) {
                continue;
            }
            let like = field.choices.iter().find(|choice| plain(&choice.label) == plain(&word));
            value_map.extend(like.map(|choice| (word, choice.label.clone())));
        }
    }
    Way::Field { slug: field.slug.clone(), label: field.label.clone(), value_map }
}

/// No field can show the column's type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NoField;

/// The field that is to be made for a column.
pub(crate) fn new_field(
    source: &SourceTable,
    column: &SourceColumn,
    table: &TableStructure,
) -> Result<NewField, NoField> {
    let sense = ColumnSense::of(column);
    let kind = sense.field_kind(&column.name).ok_or(NoField)?;
    let (choices, precision) = match sense {
        ColumnSense::OneOf(words) | ColumnSense::SomeOf(words) => (words, None),
        ColumnSense::Number(digits) => (Vec::new(), Some(digits.min(10))),
        _ => (Vec::new(), None),
    };
    let id = slug(&[&table.id, &source.name, &column.name]);
    let choices = choices
        .into_iter()
        .filter(|word| !word.is_empty())
        .map(|word| Choice {
            id: slug(&[&id, &word]).chars().skip(1).take(5).collect(),
            label: word,
        })
        .collect();
    let label = free_label(&label(&column.name), table);
    Ok(NewField { slug: Slug::from(id), label, kind, choices, precision, linked_table: None })
}

/// A label that no field of the table has yet.
pub(crate) fn free_label(wanted: &str, table: &TableStructure) -> String {
    let is_taken = |label: &str| table.fields.iter().any(|field| field.label == label);
    if is_taken(wanted) { format!("{wanted} (MySQL)") } else { wanted.to_owned() }
}

fn key_field(source: &SourceTable, table: &TableStructure) -> KeyField {
    let id = slug(&[&table.id, &source.name, "\0key"]);
    let is_usable = |field: &&Field| field.kind == FieldKind::Text && !field.read_only;
    let there = table.field(&id).or_else(|| {
        table.fields.iter().filter(is_usable).find(|field| {
            let label = plain(&field.label);
            KEY_LABELS.contains(&label.as_str())
        })
    });
    match there {
        Some(field) => KeyField::There(field.slug.clone(), field.label.clone()),
        None => KeyField::New(NewField {
            slug: Slug::from(id),
            label: free_label(KEY_LABEL, table),
            kind: FieldKind::Text,
            choices: Vec::new(),
            precision: None,
            linked_table: None,
        }),
    }
}

/// The column that the server keeps current, else one that is called so and indexed.
fn cursor(source: &SourceTable) -> Option<String> {
    let is_time = |column: &&SourceColumn| matches!(column.kind.as_str(), "datetime" | "timestamp");
    let named = |column: &&SourceColumn| {
        matches!(
            plain(&column.name).as_str(),
            "updatedat"
                | "modifiedat"
                | "changedat"
                | "lastupdated"
                | "lastmodified"
                | "updated"
                | "modified"
        )
    };
    let times = || source.columns.iter().filter(is_time);
    times()
        .find(|column| column.is_kept_current)
        .or_else(|| times().find(named))
        .map(|column| column.name.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(name: &str, kind: &str, full_kind: &str) -> SourceColumn {
        SourceColumn {
            name: name.into(),
            kind: kind.into(),
            full_kind: full_kind.into(),
            ..SourceColumn::default()
        }
    }

    fn field(slug: &str, label: &str, kind: FieldKind) -> Field {
        Field {
            slug: slug.into(),
            label: label.into(),
            kind,
            required: false,
            unique: false,
            read_only: false,
            choices: Vec::new(),
            multiple: false,
            precision: None,
            range: sync_core::table::NumberRange::default(),
            length_max: None,
            linked_table: None,
        }
    }

    fn customers() -> (SourceTable, TableStructure) {
        let source = SourceTable {
            name: "customers".into(),
            primary_key: vec!["id".into()],
            columns: vec![
                column("id", "int", "int(11)"),
                column("customer_name", "varchar", "varchar(100)"),
                column("email", "varchar", "varchar(100)"),
                column("status", "enum", "enum('active','gone')"),
                column("created_at", "datetime", "datetime"),
                column("photo", "blob", "blob"),
                column("credit_limit", "decimal", "decimal(10,2)"),
                column("updated_at", "timestamp", "timestamp"),
            ],
            ..SourceTable::default()
        };
        let mut status = field("sstatus001", "Status", FieldKind::SingleSelect);
        status.choices = vec![Choice { id: "x".into(), label: "Active".into() }];
        let table = TableStructure {
            id: "65c1".into(),
            name: "Customers".into(),
            solution: None,
            primary_field: "title".into(),
            members: None,
            fields: vec![
                field("title", "Customer", FieldKind::Title),
                field("semail0001", "E-Mail", FieldKind::Email),
                status,
                field("screated01", "Created", FieldKind::Date),
                field("skey000001", "External ID", FieldKind::Text),
            ],
        };
        (source, table)
    }

    #[test]
    fn columns_go_into_fields_of_the_same_name_and_the_rest_into_new_ones() {
        let (source, table) = customers();
        let proposal = propose(&source, &table);
        let ways: Vec<(&str, String)> = proposal
            .columns
            .iter()
            .map(|column| {
                let way = match &column.way {
                    Way::Field { slug, .. } => slug.to_string(),
                    Way::New(field) => format!("new {}", field.label),
                    Way::Nowhere => "-".to_owned(),
                };
                (column.column.as_str(), way)
            })
            .collect();
        let expected = [
            ("id", "-"),
            ("customer_name", "title"),
            ("email", "semail0001"),
            ("status", "sstatus001"),
            ("created_at", "screated01"),
            ("photo", "-"),
            ("credit_limit", "new Credit limit"),
            ("updated_at", "-"),
        ];
        assert_eq!(ways, expected.map(|(column, way)| (column, way.to_owned())));
        assert_eq!(proposal.key_field.slug().as_str(), "skey000001");
        assert_eq!(proposal.cursor.as_deref(), Some("updated_at"));
        assert_eq!(proposal.title, None, "a column has it already");
        let Way::Field { value_map, .. } = &proposal.columns[3].way else { panic!() };
        assert_eq!(value_map.get("active").map(String::as_str), Some("Active"));
    }

    #[test]
    fn what_was_made_once_is_found_again() {
        let (source, mut table) = customers();
        let first = propose(&source, &table);
        let Way::New(made) = &first.columns[6].way else { panic!() };
        table.fields.push(field(&made.slug, &made.label, made.kind.clone()));
        let second = propose(&source, &table);
        let Way::Field { slug, .. } = &second.columns[6].way else { panic!() };
        assert_eq!(*slug, made.slug);
    }

    #[test]
    fn a_record_without_a_title_takes_the_column_that_names_a_row() {
        let (mut source, mut table) = customers();
        table.fields.push(field("scname0001", "Customer name", FieldKind::Text));
        source.columns.retain(|column| column.name != "email");
        let proposal = propose(&source, &table);
        let (column, _) = proposal.title.unwrap();
        assert_eq!(column, "customer_name");
    }

    #[test]
    fn tables_are_found_by_name() {
        let (source, table) = customers();
        let tables = [table];
        assert!(table_for(&source, &tables).is_some());
        let other = SourceTable { name: "customer".into(), ..SourceTable::default() };
        let found = table_for(&other, &tables).map(|(_, reason)| reason);
        assert_eq!(found, Some("same name but for the plural"));
        let none = SourceTable { name: "stock".into(), ..SourceTable::default() };
        assert!(table_for(&none, &tables).is_none());
    }
}
