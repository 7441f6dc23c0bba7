//! Holding a definition against both live schemas.

use std::borrow::Cow;

use super::{
    archive,
    compiled::{CompiledField, CompiledMapping},
    constant, external_id,
    finding::{Finding, FindingCode},
    hash, key_columns, link,
    origin::{CompiledOrigin, NamedColumns},
    pair::Pair,
    rule, suggestion,
    zone::Zone,
};
use crate::{
    config::model::{
        DestinationDefinition, FieldMapping, Origin, SourceDefinition, SourceRows, WriteMode,
        WritePolicy,
    },
    expression::{self, Expression, Kind},
    matching::{MATCHABLE, MatchFields},
    port::RecordShape,
    slug::Slug,
    source::{Column, ColumnKind},
    table::{Field, FieldKind, TableStructure},
};

impl CompiledMapping {
    /// Holds a sync's definition against the columns its query returns and the table as it is, and reports
    /// everything that is wrong or worth knowing, at once and in the order of the definition.
    ///
    /// There is a mapping unless a finding [blocks](FindingCode::blocks) it; with an error that does not, all rows
    /// but those it names can be written.
    pub fn compile(
        destination: &DestinationDefinition,
        source: &SourceDefinition,
        columns: &[Column],
        structure: &TableStructure,
    ) -> (Option<Self>, Vec<Finding>) {
        let mut compiler =
            Compiler { destination, source, columns, structure, findings: Vec::new() };
        let mapping = compiler.mapping();
        let blocked = compiler.findings.iter().any(|finding| finding.code.blocks());
        (mapping.filter(|_| !blocked), compiler.findings)
    }
}

struct Compiler<'a> {
    destination: &'a DestinationDefinition,
    source: &'a SourceDefinition,
    columns: &'a [Column],
    structure: &'a TableStructure,
    findings: Vec<Finding>,
}

impl<'a> Compiler<'a> {
    fn mapping(&mut self) -> Option<CompiledMapping> {
        let zone = Zone::of(self.source, &mut self.findings);
        let key_columns = self.key_columns();
        let external =
            external_id::find(self.destination, self.source, self.columns, self.structure)
                .map_err(|finding| self.findings.push(finding));
        let mut fields = Vec::new();
        let (mut shape_fields, mut on_create_fields, mut if_empty_fields) =
            (Vec::new(), Vec::new(), Vec::new());
        for mapping in &self.destination.fields {
            let Some((pair, origin)) = self.pair(mapping) else { continue };
            let Some(rule) = rule::choose(&pair, self.structure, &zone, &mut self.findings) else {
                continue;
            };
            self.findings.extend(constant::check(&pair, &*rule));
            // Where only new records are written, every field is written when its record is created.
            let write = match self.destination.mode {
                WriteMode::CreateOnly => WritePolicy::OnCreate,
                WriteMode::Upsert | WriteMode::UpdateOnly => mapping.write,
            };
            if write == WritePolicy::IfEmpty && pair.field.kind == FieldKind::YesNo {
                let message =
                    "is never seen to be empty: an unticked box looks like one never touched";
                self.findings.push(
                    pair.finding(FindingCode::WriteUnsuitable, message)
                        .hint("use `write: always` or `write: on_create`"),
                );
            }
            match write {
                WritePolicy::Always => shape_fields.push(pair.field.clone()),
                WritePolicy::OnCreate => on_create_fields.push(pair.field.clone()),
                WritePolicy::IfEmpty => if_empty_fields.push(pair.field.clone()),
            }
            fields.push(CompiledField {
                slug: pair.field.slug.clone(),
                column: match &mapping.origin {
                    Origin::Column { name, .. } => Some(name.clone()),
                    Origin::Computed(_) | Origin::Parts(_) => None,
                },
                origin,
                kind: pair.column.kind.clone(),
                // An unticked box is an answer.
                required: pair.field.required && pair.field.kind != FieldKind::YesNo,
                treatment: mapping.treatment.clone(),
                write,
                rule,
            });
        }
        let mut links = Vec::new();
        for definition in &self.destination.links {
            match link::compile(definition, self.columns, self.structure) {
                Ok((link, field)) => {
                    shape_fields.push(field);
                    links.push(link);
                }
                Err(findings) => self.findings.extend(findings),
            }
        }
        self.report_unmapped_required();
        let (external_id, carrier) = external.ok()?;
        shape_fields.push(external_id.clone());
        shape_fields.sort_by(|a, b| a.slug.cmp(&b.slug));
        fields.sort_by(|a, b| a.slug.cmp(&b.slug));
        let shape = RecordShape {
            table: self.structure.id.clone(),
            external_id: external_id.clone(),
            fields: shape_fields,
            on_create: on_create_fields,
            if_empty: if_empty_fields,
        };
        let match_on = self.match_fields(&shape);
        let archive =
            archive::compile(self.destination, self.structure, &shape, &mut self.findings);
        Some(CompiledMapping {
            archive,
            match_on,
            key_columns,
            key_prefix: self.destination.key_prefix.clone(),
            carrier,
            fields,
            links,
            hash: hash::definition_hash(self.destination, self.source),
            structure_hash: hash::shape_hash(&shape),
            shape,
        })
    }

    /// Name and position of the key columns that the query returns.
    fn key_columns(&mut self) -> Vec<(String, usize)> {
        let mut found = Vec::new();
        for name in &self.source.primary_key {
            if let Some((position, column)) = self.column(name, FindingCode::KeyColumnMissing) {
                self.findings.extend(key_columns::check(column));
                found.push((name.clone(), position));
            }
        }
        found
    }

    /// The one column of this name with its position; none and several are reported.
    fn column(&mut self, name: &str, missing: FindingCode) -> Option<(usize, &'a Column)> {
        let mut named = self.columns.iter().enumerate().filter(|(_, column)| column.name == name);
        let Some(found) = named.next() else {
            let names = self.columns.iter().map(|column| column.name.as_str());
            self.findings.push(
                Finding::new(missing, missing_column(&self.source.rows, name))
                    .hint(suggestion::for_column(name, names))
                    .column(name),
            );
            return None;
        };
        if named.next().is_some() {
            self.findings.push(
                Finding::new(
                    FindingCode::ColumnAmbiguous,
                    format!("the query returns more than one column `{name}`"),
                )
                .hint(format!("name them apart in the query, e.g. `... AS {name}_2`"))
                .column(name),
            );
        }
        Some(found)
    }

    /// Both ends of a mapping; `None` if one is missing (reported) or the field is not written by it.
    fn pair(&mut self, mapping: &'a FieldMapping) -> Option<(Pair<'a>, CompiledOrigin)> {
        let origin = self.origin(mapping);
        let about = |code, message| {
            let finding = Finding::new(code, message).slug(&mapping.slug);
            match &mapping.origin {
                Origin::Column { name, .. } => finding.column(name),
                Origin::Computed(_) | Origin::Parts(_) => finding,
            }
        };
        if mapping.slug == self.destination.external_id_field {
            // It always holds the key, whatever is mapped onto it: only the key itself may be.
            let is_key = matches!(
                &mapping.origin,
                Origin::Column { name, path: None } if self.source.primary_key == [name.as_str()]
            );
            if !is_key {
                let what = match &mapping.origin {
                    Origin::Column { name, .. } => format!("column `{name}`"),
                    Origin::Computed(_) | Origin::Parts(_) => "a computed value".to_owned(),
                };
                let message =
                    format!("{what} is mapped onto `{}`, which carries the key", mapping.slug);
                self.findings.push(
                    about(FindingCode::ExternalIdFieldTaken, message).hint(
                        "map the column to another field, or name another `external_id_field`",
                    ),
                );
            }
            return None;
        }
        let Some(field) = self.structure.field(&mapping.slug) else {
            let message =
                format!("table \"{}\" has no field `{}`", self.structure.name, mapping.slug);
            let hint = suggestion::for_slug(&mapping.slug, self.structure);
            self.findings.push(about(FindingCode::SlugUnknown, message).hint(hint));
            return None;
        };
        if field.read_only || field.kind == FieldKind::AutoNumber {
            let message = format!(
                "field `{}` (\"{}\") is filled by SmartSuite itself and is left out",
                field.slug, field.label
            );
            self.findings.push(
                about(FindingCode::FieldReadOnly, message)
                    .hint("remove the mapping, or map the column to another field"),
            );
            return None;
        }
        let (column, origin) = origin?;
        Some((Pair { mapping, column, field }, origin))
    }

    /// What a mapping reads, as a column; `None` if something is missing, which is reported.
    fn origin(&mut self, mapping: &'a FieldMapping) -> Option<(Cow<'a, Column>, CompiledOrigin)> {
        match &mapping.origin {
            Origin::Column { name, path } => {
                let (position, column) = self.column(name, FindingCode::ColumnMissing)?;
                let Some(path) = path else {
                    return Some((Cow::Borrowed(column), CompiledOrigin::Cell { position }));
                };
                let kind = ColumnKind::Json;
                let part = Column { name: name.clone(), kind, nullable: true };
                Some((Cow::Owned(part), CompiledOrigin::Part { position, path: path.clone() }))
            }
            Origin::Computed(expression) => {
                let columns = self.named_columns(expression.columns())?;
                let kind = self.kind_of(expression, &columns, &mapping.slug)?.column();
                let column = Column { name: expression.text().to_owned(), kind, nullable: true };
                let expression = expression.clone();
                Some((Cow::Owned(column), CompiledOrigin::Computed { expression, columns }))
            }
            Origin::Parts(parts) => {
                let columns = self.named_columns(mapping.columns())?;
                for expression in parts.values() {
                    self.kind_of(expression, &columns, &mapping.slug)?;
                }
                let column = Column {
                    name: mapping.slug.to_string(),
                    kind: ColumnKind::Json,
                    nullable: true,
                };
                let parts = parts.iter().map(|(name, part)| (name.clone(), part.clone())).collect();
                Some((Cow::Owned(column), CompiledOrigin::Parts { parts, columns }))
            }
        }
    }

    /// The columns that expressions read; `None` if one is missing, which is reported.
    fn named_columns<'n>(
        &mut self,
        names: impl IntoIterator<Item = &'n str>,
    ) -> Option<NamedColumns> {
        let mut found = Some(Vec::new());
        for name in names {
            match (self.column(name, FindingCode::ColumnMissing), &mut found) {
                (Some((position, column)), Some(found)) => {
                    found.push((name.to_owned(), position, column.kind.clone()));
                }
                (Some(_), None) => {}
                (None, _) => found = None,
            }
        }
        found.map(NamedColumns)
    }

    /// The kind of an expression's values; `None` if it can have none, which is reported.
    fn kind_of(
        &mut self,
        expression: &Expression,
        columns: &NamedColumns,
        slug: &Slug,
    ) -> Option<Kind> {
        let column = |name: &str| {
            let (.., kind) = columns.0.iter().find(|(own, ..)| own == name)?;
            Some(Kind::of_column(kind))
        };
        match expression::check(expression, &column) {
            Ok(kind) => Some(kind),
            Err(fault) => {
                let part = expression.text().get(fault.at).unwrap_or_default();
                let message =
                    format!("field `{slug}`: in its expression, `{part}`: {}", fault.message);
                let finding = Finding::new(FindingCode::ExpressionUnfit, message);
                self.findings.push(finding.hint(fault.hint).slug(slug));
                None
            }
        }
    }

    /// The fields that rows are matched by; `None`: none, or one by which records cannot be told apart, which is
    /// reported.
    fn match_fields(&mut self, shape: &RecordShape) -> Option<MatchFields> {
        let mut fields = Vec::new();
        for slug in &self.destination.match_on {
            // What is not there has been reported.
            let field = shape.field(slug)?;
            if !MATCHABLE.contains(&field.kind) {
                let message = format!(
                    "field `{slug}` (\"{}\") is of type {}, by which no record is found",
                    field.label,
                    field.kind.name()
                );
                self.findings.push(
                    Finding::new(FindingCode::MatchFieldUnsuitable, message)
                        .hint("match by an e-mail address, a text, a number or a date that tells records apart")
                        .slug(slug),
                );
                return None;
            }
            fields.push((slug.clone(), field.kind.clone()));
        }
        (!fields.is_empty()).then(|| MatchFields::new(fields))
    }

    fn report_unmapped_required(&mut self) {
        if self.destination.mode == WriteMode::UpdateOnly {
            // What makes the records must fill it.
            return;
        }
        let is_mapped = |field: &Field| {
            field.slug == self.destination.external_id_field
                || self.destination.fields.iter().any(|mapping| mapping.slug == field.slug)
                || self.destination.links.iter().any(|link| link.slug == field.slug)
        };
        let unmapped = self
            .structure
            .fields
            .iter()
            .filter(|field| field.required && !field.read_only && !is_mapped(field));
        self.findings.extend(unmapped.map(|field| {
            Finding::new(
                FindingCode::RequiredFieldUnmapped,
                format!(
                    "field `{}` (\"{}\") is required and nothing is mapped to it",
                    field.slug, field.label
                ),
            )
            .hint("map a column to it, or make it optional in SmartSuite")
            .slug(&field.slug)
        }));
    }
}

fn missing_column(rows: &SourceRows, name: &str) -> String {
    match rows {
        SourceRows::Query { .. } => format!("the query does not return column `{name}`"),
        SourceRows::Table { name: table, .. } => format!("table `{table}` has no column `{name}`"),
    }
}
