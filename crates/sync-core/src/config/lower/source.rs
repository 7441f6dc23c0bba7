//! The `source` of a sync.

use crate::{
    config::{
        decode::Given,
        diagnostic::Code,
        model::{QueryText, SourceDefinition, SourceRows},
        raw::RawSource,
        report::{Finding, Report},
        scalar::Scalar,
    },
    sql::{ConditionFault, PARAMETER, SqlTemplate, whole_condition},
};

use super::{filled, filled_scalar, query, schedule};

pub(super) fn lower(given: &Given<RawSource>, report: &mut Report<'_>) -> Option<SourceDefinition> {
    let raw = &given.value;
    let rows = rows(given, report);
    let primary_key = primary_key(given, report);
    let updated_at_field =
        raw.updated_at_field.as_ref().and_then(|given| filled(given, "updated_at_field", report));
    let deleted_field =
        raw.deleted_field.as_ref().and_then(|given| filled(given, "deleted_field", report));
    let time_zone = raw.time_zone.as_ref().and_then(|given| schedule::time_zone(given, report));
    Some(SourceDefinition {
        rows: rows?,
        primary_key: primary_key?,
        updated_at_field,
        deleted_field,
        time_zone,
    })
}

/// Either a query or a table.
fn rows(source: &Given<RawSource>, report: &mut Report<'_>) -> Option<SourceRows> {
    let raw = &source.value;
    for (given, of) in [(&raw.filter, "table"), (&raw.keys_query, "query")]
        .into_iter()
        .filter(|(_, of)| !raw.has(of))
    {
        let Some(given) = given else { continue };
        let (key, other) = if of == "table" {
            ("where", "write the condition into the query")
        } else {
            ("keys_query", "remove it: the keys of a table are known")
        };
        let message = format!("`{key}` belongs to `source.{of}`");
        report.add(Finding::new(Code::ConflictingKeys, given.key, message).hint(other));
    }
    match (&raw.query, &raw.table) {
        (Some(query), Some(table)) => {
            report.add(
                Finding::new(
                    Code::ConflictingKeys,
                    table.key,
                    "a source has `query` or `table`, not both",
                )
                .also(query.key, "the other")
                .hint("remove one of them"),
            );
            None
        }
        (Some(given), None) => {
            let text = query::lower(given, raw, report)?;
            let query = QueryText { text, line: line(given, report) };
            let keys = raw.keys_query.as_ref().and_then(|given| keys_query(given, report));
            Some(SourceRows::Query { query, keys })
        }
        (None, Some(given)) => {
            let name = filled(given, "table", report);
            let filter = raw.filter.as_ref().and_then(|given| filter(given, report));
            Some(SourceRows::Table { name: name?, filter })
        }
        (None, None) => {
            if !raw.has("query") && !raw.has("table") {
                report.add(
                    Finding::new(Code::MissingKey, source.key, "`source` has no `query`")
                        .label("`query` is missing here")
                        .hint("add `query:` with a text, or `table:` with the name of a table"),
                );
            }
            None
        }
    }
}

/// Line of the file where the text of a key begins.
fn line(given: &Given<Scalar>, report: &Report<'_>) -> usize {
    report.lines().place(given.value.span_of(0..1).start).line
}

/// SQL that yields keys: one SELECT, without a parameter.
fn keys_query(given: &Given<Scalar>, report: &mut Report<'_>) -> Option<QueryText> {
    let query = &given.value;
    match SqlTemplate::parse(&query.text) {
        Ok(template) if template.has_parameter() => {
            let message =
                format!("`keys_query` must yield every key, so it takes no `{PARAMETER}`");
            report.add(
                Finding::new(Code::QueryParameter, given.span, message)
                    .hint("select the key columns of all rows"),
            );
            None
        }
        Ok(_) => Some(QueryText { text: query.text.clone(), line: line(given, report) }),
        Err(faults) => {
            for fault in &faults {
                query::add_fault(query, fault, report);
            }
            None
        }
    }
}

/// The condition that a table's rows must meet.
fn filter(given: &Given<Scalar>, report: &mut Report<'_>) -> Option<QueryText> {
    let condition = &given.value;
    if condition.text.trim().is_empty() {
        report.add(
            Finding::new(Code::EmptyValue, given.key, "`where` is empty")
                .hint("write the condition that rows must meet, or remove `where`"),
        );
        return None;
    }
    if let Err(unusable) = whole_condition(&condition.text) {
        let message = match unusable {
            ConditionFault::Brackets => "`where` has a bracket too many or too few",
            ConditionFault::Parameter => "`where` takes no parameter",
            ConditionFault::Statements => "`where` must be one condition, without `;`",
            ConditionFault::Unclosed => "a quote or comment in `where` has no end",
        };
        report.add(
            Finding::new(Code::TableFilter, given.span, message)
                .hint("write one condition, as after WHERE: `status <> 'draft' AND total > 0`"),
        );
        return None;
    }
    Some(QueryText { text: condition.text.clone(), line: line(given, report) })
}

/// The key columns; none where a table's are to be learnt from the schema.
fn primary_key(source: &Given<RawSource>, report: &mut Report<'_>) -> Option<Vec<String>> {
    let raw = &source.value;
    let Some(given) = &raw.primary_key else {
        if raw.has("primary_key") {
            return None;
        }
        if raw.has("table") {
            return Some(Vec::new());
        }
        report.add(
            Finding::new(Code::MissingKey, source.key, "`source` has no `primary_key`")
                .label("`primary_key` is missing here")
                .hint("add `primary_key:` with a column, or a list of columns"),
        );
        return None;
    };
    if given.value.0.is_empty() {
        report.add(
            Finding::new(Code::EmptyValue, given.span, "`primary_key` lists no column")
                .hint("name the column that identifies a row"),
        );
    }
    columns(&given.value.0, report)
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
