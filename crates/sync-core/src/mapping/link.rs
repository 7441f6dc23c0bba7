//! Link fields: which rows of another sync a row points to.
//!
//! **Accepts** the parent's key: one column for each of its key columns, or one column that holds several keys, as
//! text between commas, a SET or a JSON array (of arrays, for a key of several columns). **Canonical form**: the keys
//! in order, each once. **Empty**: NULL in any column, an empty text, an empty list; the field is cleared.
//! **Faults**: a type that cannot be a key, a JSON entry that is none, several keys for a field that takes one record.

use serde_json::Value as Json;

use super::{
    coerce::{Cell, compound_json, entries},
    fault::{FaultCode, Refusal, RowFault},
    finding::{Finding, FindingCode},
    suggestion,
};
use crate::{
    config::model::LinkDefinition,
    draft::LinkWish,
    key::{Key, KeyFault},
    slug::Slug,
    source::{Column, ColumnKind, Row},
    table::{Field, FieldKind, TableStructure},
    value::Value,
};

/// A link field with the columns that point to its parents.
#[derive(Debug)]
pub(super) struct CompiledLink {
    slug: Slug,
    /// Name, position and type of the columns, in the order of the parent's key.
    columns: Vec<(String, usize, ColumnKind)>,
    /// Whether the one column holds several keys.
    list: bool,
    /// Whether the field takes several records.
    multiple: bool,
}

impl CompiledLink {
    /// The rows that a row points to.
    pub(super) fn wish(&self, key: &Key, row: &Row) -> Result<LinkWish, RowFault> {
        let first = self.columns.first().map_or("", |(column, ..)| column.as_str());
        let at = |refusal: Refusal, column: &str| {
            refusal.at(Some(key.clone()), column, Some(&self.slug))
        };
        let mut cells = Vec::with_capacity(self.columns.len());
        for (column, position, kind) in &self.columns {
            let value = row
                .0
                .get(*position)
                .ok_or_else(|| at(Refusal::new(FaultCode::CellMissing), column))?;
            cells.push((column.as_str(), value, kind));
        }
        let mut parents = match (self.list, cells.as_slice()) {
            (true, [(column, value, kind)]) => {
                let cell = Cell { value, column: kind };
                Self::listed(cell).map_err(|refusal| at(refusal, column))?
            }
            _ => single(&cells)
                .map_err(|(refusal, column)| at(refusal, &column))?
                .into_iter()
                .collect::<Vec<_>>(),
        };
        parents.sort();
        parents.dedup();
        if parents.len() > 1 && !self.multiple {
            return Err(at(Refusal::new(FaultCode::TooManyEntries), first));
        }
        Ok(LinkWish { slug: Slug::clone(&self.slug), parents })
    }

    fn listed(cell: Cell<'_>) -> Result<Vec<Key>, Refusal> {
        if matches!(cell.value, Value::Null | Value::Json(Json::Null)) {
            return Ok(Vec::new());
        }
        if let Some(Json::Array(items)) = compound_json(cell)?.as_deref()
            && items.iter().any(Json::is_array)
        {
            return items.iter().map(composite).collect();
        }
        Ok(entries(cell, &[','])?.iter().map(|entry| Key::from_text(entry)).collect())
    }
}

/// One entry of a JSON array of arrays, which holds one scalar for each key column.
fn composite(item: &Json) -> Result<Key, Refusal> {
    let parts: Option<Vec<String>> =
        item.as_array().and_then(|parts| parts.iter().map(part_text).collect());
    parts
        .filter(|parts| !parts.is_empty())
        .map(|parts| Key::from_parts(&parts))
        .ok_or_else(|| Refusal::unsuitable("nested JSON", "the key of another row"))
}

fn part_text(part: &Json) -> Option<String> {
    match part {
        Json::String(text) => Some(text.clone()),
        Json::Number(number) => Some(number.to_string()),
        Json::Null | Json::Bool(_) | Json::Array(_) | Json::Object(_) => None,
    }
}

/// The one key that the columns hold; none if any of them is NULL or all are blank, as a foreign key has it.
fn single(cells: &[(&str, &Value, &ColumnKind)]) -> Result<Option<Key>, (Refusal, String)> {
    let is_null = |value: &Value| matches!(value, Value::Null | Value::Json(Json::Null));
    if cells.iter().any(|(_, value, _)| is_null(value))
        || cells.iter().all(|(_, value, _)| is_blank(value))
    {
        return Ok(None);
    }
    match Key::from_cells(cells.iter().map(|(column, value, _)| (*column, *value))) {
        Ok(key) => Ok(Some(key)),
        Err(KeyFault::Null { .. }) => Ok(None),
        Err(KeyFault::Kind { column, kind }) => {
            Err((Refusal::unsuitable(kind, "the key of another row"), column))
        }
    }
}

fn is_blank(value: &Value) -> bool {
    match value {
        Value::Null | Value::Json(Json::Null) | Value::ZeroDate(_) => true,
        Value::Text(text) | Value::Json(Json::String(text)) => text.trim().is_empty(),
        Value::Bytes(bytes) => bytes.is_empty(),
        _ => false,
    }
}

/// Holds a link's definition against both schemas; answers the rule with its field, and what is wrong.
pub(super) fn compile(
    definition: &LinkDefinition,
    columns: &[Column],
    structure: &TableStructure,
) -> Result<(CompiledLink, Field), Vec<Finding>> {
    let mut findings = Vec::new();
    let about = |code, message: String| Finding::new(code, message).slug(&definition.slug);
    let mut found = Vec::new();
    for name in &definition.from {
        let mut named = columns.iter().enumerate().filter(|(_, column)| column.name == *name);
        match named.next() {
            Some((position, column)) => {
                if matches!(
                    column.kind,
                    ColumnKind::Float
                        | ColumnKind::Double
                        | ColumnKind::Time
                        | ColumnKind::Other(_)
                ) {
                    findings.push(
                        about(
                            FindingCode::LinkColumnUnsuitable,
                            format!("column `{name}` cannot hold keys of `{}`", definition.parent),
                        )
                        .hint("name the column that holds the other row's key, or convert it with CAST(... AS CHAR)")
                        .column(name),
                    );
                }
                found.push((name.clone(), position, column.kind.clone()));
            }
            None => findings.push(
                about(
                    FindingCode::ColumnMissing,
                    format!("the query does not return column `{name}`"),
                )
                .hint(suggestion::for_column(
                    name,
                    columns.iter().map(|column| column.name.as_str()),
                ))
                .column(name),
            ),
        }
    }
    let field = match structure.field(&definition.slug) {
        Some(field) => Some(field),
        None => {
            findings.push(
                about(
                    FindingCode::SlugUnknown,
                    format!("table \"{}\" has no field `{}`", structure.name, definition.slug),
                )
                .hint(suggestion::for_slug(&definition.slug, structure)),
            );
            None
        }
    };
    findings.extend(field.and_then(|field| unfit(definition, field)));
    match field.filter(|_| findings.is_empty()) {
        Some(field) => Ok((
            CompiledLink {
                slug: Slug::clone(&definition.slug),
                columns: found,
                list: definition.list,
                multiple: field.multiple,
            },
            field.clone(),
        )),
        None => Err(findings),
    }
}

/// Why the field cannot hold links to the parent's records.
fn unfit(definition: &LinkDefinition, field: &Field) -> Option<Finding> {
    let named = format!("field `{}` (\"{}\")", field.slug, field.label);
    let about = |code, message| Some(Finding::new(code, message).slug(&field.slug));
    if field.kind != FieldKind::LinkedRecord || field.read_only {
        return about(
            FindingCode::LinkFieldUnsuitable,
            format!("{named} holds no links to records"),
        )
        .map(|finding| finding.hint("name a field of type linked record"));
    }
    let table = field.linked_table.as_deref();
    if table.is_some_and(|table| table != definition.parent_table) {
        return about(
            FindingCode::LinkTableDiffers,
            format!("{named} links to another table than the one `{}` writes", definition.parent),
        )
        .map(|finding| {
            finding.hint("name the sync that writes the table which the field links to")
        });
    }
    None
}
