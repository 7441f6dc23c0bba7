//! Holding a definition against both live schemas.

use super::{
    archive,
    compiled::{CompiledField, CompiledMapping},
    external_id,
    finding::{Finding, FindingCode},
    hash, key_columns, link,
    pair::Pair,
    rule, suggestion,
    zone::Zone,
};
use crate::{
    config::model::{DestinationDefinition, FieldMapping, SourceDefinition, SourceRows},
    port::RecordShape,
    source::Column,
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
        let mut shape_fields = Vec::new();
        for mapping in &self.destination.fields {
            let Some(pair) = self.pair(mapping) else { continue };
            let Some(rule) = rule::choose(pair, &zone, &mut self.findings) else { continue };
            shape_fields.push(pair.field.clone());
            fields.push(CompiledField {
                slug: pair.field.slug.clone(),
                column: pair.column.name.clone(),
                position: pair.position,
                kind: pair.column.kind.clone(),
                // An unticked box is an answer.
                required: pair.field.required && pair.field.kind != FieldKind::YesNo,
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
        };
        let archive =
            archive::compile(self.destination, self.structure, &shape, &mut self.findings);
        Some(CompiledMapping {
            archive,
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
    fn pair(&mut self, mapping: &'a FieldMapping) -> Option<Pair<'a>> {
        let column = self.column(&mapping.column, FindingCode::ColumnMissing);
        let about =
            |code, message| Finding::new(code, message).column(&mapping.column).slug(&mapping.slug);
        if mapping.slug == self.destination.external_id_field {
            // It always holds the key, whatever is mapped onto it: only the key itself may be.
            if self.source.primary_key != [mapping.column.as_str()] {
                let message = format!(
                    "column `{}` is mapped onto `{}`, which carries the key",
                    mapping.column, mapping.slug
                );
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
        let (position, column) = column?;
        Some(Pair { mapping, position, column, field })
    }

    fn report_unmapped_required(&mut self) {
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
