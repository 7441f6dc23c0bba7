//! The `source` of a sync.

use crate::config::{
    diagnostic::Code,
    model::SourceDefinition,
    raw::RawSource,
    report::{Finding, Report},
    scalar::Scalar,
};

use super::{capture, filled, filled_scalar, query, schedule};

pub(super) fn lower(raw: &RawSource, report: &mut Report<'_>) -> Option<SourceDefinition> {
    let query = raw.query.0.as_ref().and_then(|given| query::lower(given, raw, report));
    let primary_key = raw.primary_key.0.as_ref().and_then(|given| {
        if given.value.0.is_empty() {
            report.add(
                Finding::new(Code::EmptyValue, given.span, "`primary_key` lists no column")
                    .hint("name the column that identifies a row"),
            );
        }
        columns(&given.value.0, report)
    });
    let updated_at_field =
        raw.updated_at_field.as_ref().and_then(|given| filled(given, "updated_at_field", report));
    let time_zone = raw.time_zone.as_ref().and_then(|given| schedule::time_zone(given, report));
    let query_line = raw
        .query
        .0
        .as_ref()
        .map(|given| report.lines().place(given.value.span_of(0..1).start).line);
    Some(SourceDefinition {
        query: query?,
        query_line: query_line?,
        primary_key: primary_key?,
        updated_at_field,
        related: capture::related(raw, report),
        time_zone,
    })
}

/// Key columns: named, and each once.
fn columns(scalars: &[Scalar], report: &mut Report<'_>) -> Option<Vec<String>> {
    let mut columns = Vec::new();
    for (index, scalar) in scalars.iter().enumerate() {
        columns.extend(filled_scalar(scalar, "a column of `primary_key`", report));
        let first = scalars.iter().take(index).find(|earlier| earlier.text == scalar.text);
        if let Some(first) = first {
            let message = format!("`{}` is twice in the key", scalar.shown());
            report.add(
                Finding::new(Code::MappedTwice, scalar.span, message)
                    .label("again here")
                    .also(first.span, "first named here")
                    .hint("name each column once"),
            );
        }
    }
    (!columns.is_empty()).then_some(columns)
}
