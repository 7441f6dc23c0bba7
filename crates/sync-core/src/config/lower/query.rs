//! What can be said of a query without a server.

use std::ops::Range;

use crate::{
    config::{
        decode::Given,
        diagnostic::Code,
        raw::RawSource,
        report::{Finding, Report},
        scalar::Scalar,
    },
    sql::{
        PARAMETER, SqlFinding, SqlTemplate, TemplateFault, TemplateFaultKind, TokenKind,
        doubled_percents, null_filter, tokens,
    },
};

/// The query as written, however doubtful; what is wrong with it is reported at its place in the file.
pub(super) fn lower(
    given: &Given<Scalar>,
    source: &RawSource,
    report: &mut Report<'_>,
) -> Option<String> {
    let query = &given.value;
    if query.text.trim().is_empty() {
        report.add(
            Finding::new(Code::EmptyValue, given.key, "`query` is empty")
                .hint(TemplateFaultKind::Empty.hint()),
        );
        return None;
    }
    match SqlTemplate::parse(&query.text) {
        Ok(_) => {
            if let Some(found) = null_filter(&query.text) {
                add(Code::QueryNullFilter, query, found, report);
            }
        }
        Err(faults) => {
            for fault in &faults {
                add_fault(query, fault, report);
            }
        }
    }
    for found in doubled_percents(&query.text) {
        add(Code::QueryPercent, query, found, report);
    }
    if !source.has("updated_at_field") {
        cursor(given, report);
    }
    Some(query.text.clone())
}

/// Reports what makes a query unusable.
pub(super) fn add_fault(query: &Scalar, fault: &TemplateFault, report: &mut Report<'_>) {
    add(code(&fault.kind), query, finding(fault), report);
}

fn code(kind: &TemplateFaultKind) -> Code {
    match kind {
        TemplateFaultKind::Empty => Code::EmptyValue,
        TemplateFaultKind::UnknownParameter { .. } => Code::QueryParameter,
        TemplateFaultKind::NotSelect { .. }
        | TemplateFaultKind::SeveralStatements
        | TemplateFaultKind::Unclosed { .. } => Code::QueryStatement,
    }
}

fn finding(fault: &TemplateFault) -> SqlFinding {
    SqlFinding {
        at: fault.at,
        length: fault.length,
        message: fault.kind.to_string(),
        hint: fault.kind.hint().to_owned(),
    }
}

/// Reports what was found in the text of the query, at the place in the file it came from.
fn add(code: Code, query: &Scalar, found: SqlFinding, report: &mut Report<'_>) {
    let part = found.at.offset..found.at.offset + found.length;
    let span = query.span_of(part.clone());
    // The words of the finding quote the query; a variable's value may be a secret.
    let (message, hint) = if query.is_foreign(&part) {
        (
            "a variable makes the query unusable here".to_owned(),
            format!("{} The value is not shown, as it may be a secret", code.meaning()),
        )
    } else {
        (found.message, found.hint)
    };
    report.add(Finding::new(code, span, message).hint(hint));
}

/// A parameter that is never more than NULL.
fn cursor(given: &Given<Scalar>, report: &mut Report<'_>) {
    let query = &given.value;
    let all = tokens(&query.text);
    let used =
        all.iter().find(|token| token.kind == TokenKind::Parameter && token.text == PARAMETER);
    if let Some(token) = used {
        let part: Range<usize> = token.offset..token.offset + token.text.len();
        report.add(
            Finding::new(
                Code::QueryCursor,
                query.span_of(part),
                format!("`{PARAMETER}` is always NULL here, so every run reads everything"),
            )
            .hint("add `updated_at_field:` with the column that says when a row last changed"),
        );
    }
}
