//! What is written to a record whose row is gone, and when the row is there again.

use std::borrow::Cow;

use jiff::tz::TimeZone;

use super::{
    coerce::{self, Cell},
    finding::{Finding, FindingCode},
    lent::Lent,
    notes::Notes,
    pair::Pair,
    rule, suggestion,
    zone::Zone,
};
use crate::{
    config::model::{ArchiveField, Conversion, DestinationDefinition, FieldMapping},
    draft::Fields,
    field_value::FieldValue,
    port::RecordShape,
    record::SeenRecord,
    slug::Slug,
    source::{Column, ColumnKind},
    table::{Field, FieldKind, TableStructure},
    value::Value,
};

/// How a record is archived and brought back.
#[derive(Clone, Debug, PartialEq)]
pub struct Archive {
    /// The part of the table that drafts write, and the archive field.
    pub shape: RecordShape,
    /// What archives a record.
    pub archived: Fields,
    /// What is written beside the draft of a row that is there again; empty where a column is mapped to the field.
    pub restored: Fields,
}

impl Archive {
    /// Whether a record that was read by [`Self::shape`] holds what archives it.
    pub fn is_marked(&self, record: &SeenRecord) -> bool {
        self.archived
            .iter()
            .all(|(slug, value)| record.fields.iter().any(|(of, held)| of == slug && held == value))
    }

    /// [`Self::is_marked`], for whoever compares. The field is taken out of it, so that
    /// it compares with drafts; where a column is mapped to it, it stays, and the draft's own value decides.
    pub fn take_mark(&self, record: &mut SeenRecord) -> bool {
        let is_mapped = self.restored.iter().next().is_none();
        let Some((slug, archived)) = self.archived.iter().next().filter(|_| !is_mapped) else {
            return false;
        };
        let place = record.fields.iter().position(|(of, _)| of == slug);
        place.is_some_and(|place| record.fields.remove(place).1 == *archived)
    }
}

/// The archive that a definition asks for; `None` if it asks for none, or for one that cannot be, which is then among
/// the findings.
pub(super) fn compile(
    destination: &DestinationDefinition,
    structure: &TableStructure,
    shape: &RecordShape,
    findings: &mut Vec<Finding>,
) -> Option<Archive> {
    let archive = destination.on_delete.archive()?;
    let about = |message: String| Finding::new(FindingCode::ArchiveFieldUnusable, message);
    let Some(field) = structure.field(&archive.slug) else {
        let message =
            format!("table \"{}\" has no field `{}` to archive by", structure.name, archive.slug);
        let hint = suggestion::for_slug(&archive.slug, structure);
        findings.push(about(message).hint(hint).slug(&archive.slug));
        return None;
    };
    let is_external = archive.slug == destination.external_id_field;
    if field.read_only || field.kind == FieldKind::AutoNumber || is_external {
        let message = format!(
            "field `{}` (\"{}\") cannot be set to archive a record",
            field.slug, field.label
        );
        findings.push(about(message).hint("name another field in `archive`").slug(&field.slug));
        return None;
    }
    let archived = value(archive, field, structure, &archive.value, findings)?;
    let is_mapped = shape.field(&field.slug).is_some();
    let restored = match &archive.restored {
        _ if is_mapped => None,
        Some(text) => Some(value(archive, field, structure, text, findings)?),
        None => Some(FieldValue::Empty),
    };
    let mut with_field = shape.clone();
    if !is_mapped {
        with_field.fields.push(field.clone());
        with_field.fields.sort_by(|a, b| a.slug.cmp(&b.slug));
    }
    let one = |value: FieldValue| (Slug::clone(&field.slug), value);
    Some(Archive {
        shape: with_field,
        archived: Fields::new(vec![one(archived)]),
        restored: Fields::new(restored.into_iter().map(one).collect()),
    })
}

/// The field's value for a text of the mapping file, by the rule that a column of text would have.
fn value(
    archive: &ArchiveField,
    field: &Field,
    structure: &TableStructure,
    text: &str,
    findings: &mut Vec<Finding>,
) -> Option<FieldValue> {
    let mapping = FieldMapping::of_column("archive", archive.slug.clone(), Conversion::Automatic);
    let column = Column { name: "archive".to_owned(), kind: ColumnKind::Text, nullable: false };
    let pair = Pair { mapping: &mapping, column: Cow::Borrowed(&column), field };
    // Only what the value itself comes to matters here.
    let rule = rule::choose(
        &pair,
        structure,
        &Zone { zone: TimeZone::UTC, declared: true },
        &mut Vec::new(),
    );
    let cell = Value::Text(text.to_owned());
    let cell = Cell { value: &cell, column: &column.kind };
    let coerced = rule.and_then(|rule| {
        coerce::lend(&*rule, cell, &mut Notes::default()).ok().map(Lent::into_own)
    });
    if coerced.is_none() {
        let message = format!(
            "field `{}` (\"{}\") does not take the text of `archive`",
            field.slug, field.label
        );
        let labels: Vec<&str> = field.choices.iter().map(|choice| choice.label.as_str()).collect();
        let hint = if labels.is_empty() {
            format!("write a value that a field of type {} takes", pair.field_type())
        } else {
            format!("its choices: {}", labels.join(", "))
        };
        findings.push(
            Finding::new(FindingCode::ArchiveFieldUnusable, message).hint(hint).slug(&field.slug),
        );
    }
    coerced
}
