//! Values that the source's schema allows and the mapping refuses, found before a row holds one.

use super::{
    CompiledMapping,
    compiled::CompiledField,
    fault::FaultCode,
    finding::{Finding, FindingCode},
    notes::Notes,
    origin::CompiledOrigin,
    suggestion,
};
use crate::{
    source::{ColumnKind, ColumnValues, Row},
    value::Value,
};

/// Longer texts are not tried: no field takes them, and few rows hold them.
const LENGTH_TRIED_MAX: u32 = 100_000;

impl CompiledMapping {
    /// Holds what the schema says of columns against the fields that they go to: words without a choice, and texts
    /// that may be longer than the field takes.
    pub fn refused_values(&self, columns: &[ColumnValues]) -> Vec<Finding> {
        let mut findings = Vec::new();
        for field in &self.fields {
            let CompiledOrigin::Cell { position } = field.origin else { continue };
            let values = columns.iter().find(|one| field.column.as_ref() == Some(&one.column));
            let Some(values) = values else { continue };
            findings.extend(words(field, position, values));
            findings.extend(length(field, position, values));
        }
        findings
    }
}

/// The code with which a field refuses a cell.
fn refusal(field: &CompiledField, position: usize, cell: Value) -> Option<FaultCode> {
    let mut cells = vec![Value::Null; position];
    cells.push(cell);
    field.lend(&Row(cells), &mut Notes::default(), |_| ()).err().map(|refusal| refusal.code())
}

fn words(field: &CompiledField, position: usize, values: &ColumnValues) -> Option<Finding> {
    let cell = |word: &String| match field.kind {
        ColumnKind::Set => Value::Labels(vec![word.clone()]),
        _ => Value::Text(word.clone()),
    };
    let is_unknown =
        |word: &&String| refusal(field, position, cell(word)) == Some(FaultCode::ChoiceUnknown);
    let unknown: Vec<String> =
        values.words.iter().filter(is_unknown).map(|word| format!("`{word}`")).collect();
    if unknown.is_empty() {
        return None;
    }
    let column = &values.column;
    let verb = if unknown.len() == 1 { "is no choice" } else { "are no choices" };
    let message = format!(
        "column `{column}` may hold {}, which {verb} of field `{}`",
        suggestion::listed(unknown.into_iter()),
        field.slug
    );
    Some(
        Finding::new(FindingCode::WordWithoutChoice, message)
            .hint("add the choice in SmartSuite, map the word in `value_map`, or say with `on_unknown` what such rows become")
            .column(column)
            .slug(&field.slug),
    )
}

fn length(field: &CompiledField, position: usize, values: &ColumnValues) -> Option<Finding> {
    let length = values.length_max.filter(|length| *length <= LENGTH_TRIED_MAX)?;
    let longest = Value::Text("x".repeat(usize::try_from(length).ok()?));
    if refusal(field, position, longest) != Some(FaultCode::TextTooLong) {
        return None;
    }
    let column = &values.column;
    let message = format!(
        "column `{column}` may hold {length} characters, more than field `{}` takes: such rows are set aside",
        field.slug
    );
    Some(
        Finding::new(FindingCode::LengthUnfit, message)
            .hint("raise what the field takes, or write `too_long: cut` for it in `fields`")
            .column(column)
            .slug(&field.slug),
    )
}
