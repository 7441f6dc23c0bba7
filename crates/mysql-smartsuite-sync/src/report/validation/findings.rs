//! What was found at the servers, as diagnostics of the mapping file: each leads back to the line to be mended.

use sync_core::{
    config::{
        diagnostic::{Diagnostic, Label, Severity},
        places::SyncPlaces,
        span::Span,
    },
    error::{CallError, Scope, SourceError, SourceErrorKind, SourcePart},
    mapping::{self, Finding, FindingCode},
};
use sync_mysql::{Severity as SourceSeverity, SourceFinding, SourceFindingCode};

use super::{CheckCode, SyncCheck};
use crate::mapping_file::MappingFile;

/// Everything found about a sync: the query first, then the table, then how they fit.
pub(super) fn diagnostics(check: &SyncCheck, file: &MappingFile) -> Vec<Diagnostic> {
    let Some(places) = file.places.sync(&check.definition.name) else { return Vec::new() };
    let lines = file.sources.lines();
    let diagnostic = |code, severity, message: &str, hint: &str, span| Diagnostic {
        code,
        severity,
        message: message.to_owned(),
        labels: vec![Label::new(&lines, span, "")],
        hint: hint.to_owned(),
    };
    let mut found = Vec::new();
    match &check.source {
        Ok(report) => found.extend(report.findings.iter().map(|finding| {
            let span = source_place(finding, places);
            let severity = source_severity(finding.severity);
            diagnostic(finding.code.code(), severity, &finding.message, &finding.hint, span)
        })),
        Err(error) if is_of_query(error) => {
            let code = error.kind.code();
            let spans = source_error_places(error, places);
            found.push(Diagnostic {
                labels: spans.into_iter().map(|span| Label::new(&lines, span, "")).collect(),
                ..diagnostic(code, Severity::Error, &error.message, &error.remedy, places.name)
            });
        }
        Err(_) => {}
    }
    if let Err(error) = &check.table
        && is_of_table(error)
    {
        let (code, message) = (error.kind.code(), error.kind.to_string());
        let span = places.table_id;
        found.push(diagnostic(code, Severity::Error, &message, error.kind.remedy(), span));
    }
    let source_knows = check.source.is_ok();
    for finding in &check.findings {
        // The database said the same of its own accord, and more exactly.
        let said = matches!(
            finding.code,
            FindingCode::KeyColumnNullable | FindingCode::KeyColumnUnsuitable
        );
        if said && source_knows {
            continue;
        }
        let severity = match finding.severity() {
            mapping::Severity::Error => Severity::Error,
            mapping::Severity::Warning => Severity::Warning,
            mapping::Severity::Note => Severity::Note,
        };
        let hint = finding.hint.as_deref().unwrap_or_default();
        let span = mapping_place(finding, places);
        found.push(diagnostic(finding.code.code(), severity, &finding.message, hint, span));
    }
    for drift in &check.drift {
        let message = format!("since the last run, {drift}");
        let (column, slug) = (drift.column(), drift.slug());
        let place = column.and_then(|name| places.column(name));
        let place = place.or_else(|| slug.and_then(|slug| places.slug(slug)));
        let hint = "the next run reads every row again where values may have changed";
        let hint = if drift.changes_values() { hint } else { "" };
        let span = place.unwrap_or(places.name);
        found.push(diagnostic(
            CheckCode::SchemaDrift.code(),
            Severity::Warning,
            &message,
            hint,
            span,
        ));
    }
    for one in &check.left_out {
        let message = format!("field `{}` is left as it is: {}", one.slug, one.reason);
        let hint = "put it back, or change the mapping; `on_drift` lets the sync go on without it";
        let span = places.slug(&one.slug).unwrap_or(places.name);
        found.push(diagnostic(CheckCode::LeftOut.code(), Severity::Warning, &message, hint, span));
    }
    for failed in &check.failed {
        let span = check.tests.get(failed.place).map_or(places.name, |test| test.at);
        let code = CheckCode::TestFailed.code();
        found.push(diagnostic(code, Severity::Error, &failed.message, &failed.hint, span));
    }
    found.sort_by_key(|one| one.severity);
    found
}

/// Whether the query itself is to blame, not the way to the server.
fn is_of_query(error: &SourceError) -> bool {
    match error.kind {
        SourceErrorKind::MissingPrivilege
        | SourceErrorKind::Sql
        | SourceErrorKind::MissingColumn => true,
        SourceErrorKind::Unreachable
        | SourceErrorKind::AccessDenied
        | SourceErrorKind::UnknownDatabase
        | SourceErrorKind::Tls
        | SourceErrorKind::Interrupted
        | SourceErrorKind::Protocol
        | SourceErrorKind::LogSettings
        | SourceErrorKind::PositionLost => false,
    }
}

fn is_of_table(error: &CallError) -> bool {
    matches!(error.kind.scope(), Scope::Table | Scope::Rows)
}

fn source_severity(severity: SourceSeverity) -> Severity {
    match severity {
        SourceSeverity::Error => Severity::Error,
        SourceSeverity::Warning => Severity::Warning,
        SourceSeverity::Note => Severity::Note,
    }
}

fn source_error_places(error: &SourceError, places: &SyncPlaces) -> Vec<Span> {
    let spans = match &error.about {
        SourcePart::Whole => Vec::new(),
        SourcePart::Query(at) => vec![places.query_at(*at)],
        SourcePart::Columns(names) => {
            names.iter().map(|name| places.column(name).unwrap_or(places.primary_key)).collect()
        }
    };
    if spans.is_empty() { vec![places.query_line(1)] } else { spans }
}

fn source_place(finding: &SourceFinding, places: &SyncPlaces) -> Span {
    match finding.code {
        SourceFindingCode::KeyKind
        | SourceFindingCode::KeyNullable
        | SourceFindingCode::KeyWithoutOrder => places.primary_key,
        _ => places.query_line(1),
    }
}

fn mapping_place(finding: &Finding, places: &SyncPlaces) -> Span {
    let column = finding.column.as_deref().and_then(|column| places.column(column));
    let slug = finding.slug.as_ref().and_then(|slug| places.slug(slug));
    match finding.code {
        FindingCode::KeyColumnMissing
        | FindingCode::KeyColumnUnsuitable
        | FindingCode::KeyColumnNullable => places.primary_key,
        FindingCode::ExternalIdFieldUnknown
        | FindingCode::ExternalIdFieldUnsuitable
        | FindingCode::ExternalIdFieldTaken => places.external_id_field,
        FindingCode::TimeZoneUnknown | FindingCode::TimeZoneMissing => places.time_zone,
        FindingCode::RequiredFieldUnmapped
        | FindingCode::ArchiveFieldUnusable
        | FindingCode::TableFull
        | FindingCode::PlanTooSmall => slug.unwrap_or(places.table_id),
        FindingCode::SlugUnknown
        | FindingCode::FieldReadOnly
        | FindingCode::FieldTypeUnsupported
        | FindingCode::ExpressionUnfit
        | FindingCode::ConstantUnfit
        | FindingCode::PartUnknown
        | FindingCode::OptionUnused
        | FindingCode::LengthUnfit
        | FindingCode::WordWithoutChoice
        | FindingCode::MatchFieldUnsuitable
        | FindingCode::WriteUnsuitable
        | FindingCode::ChoicesMissing => slug.or(column).unwrap_or(places.name),
        FindingCode::ColumnMissing
        | FindingCode::ColumnAmbiguous
        | FindingCode::TypeMismatch
        | FindingCode::TypeDiffers
        | FindingCode::ColumnTypeMisfit
        | FindingCode::ValueMapTargetUnknown
        | FindingCode::DatePatternInvalid
        | FindingCode::PrecisionLoss
        | FindingCode::LinkColumnUnsuitable
        | FindingCode::LinkFieldUnsuitable
        | FindingCode::LinkTableDiffers
        | FindingCode::PhoneCountryMissing
        | FindingCode::PhoneCountryUnknown => column.or(slug).unwrap_or(places.name),
    }
}
