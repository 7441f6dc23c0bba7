//! Whether a column, what is declared of it and its field go together.

use jiff::tz::TimeZone;

use super::{
    family::{Match, compare, type_name},
    finding::{Finding, FindingCode},
    pair::Pair,
    zone::Zone,
};
use crate::{source::ColumnKind, table::FieldKind};

/// Against the declared type.
pub(super) fn declared_type(pair: Pair<'_>, declared: &FieldKind) -> Option<Finding> {
    match compare(declared, &pair.field.kind) {
        Match::Same => None,
        Match::Lenient => Some(contradiction(pair, FindingCode::TypeDiffers, type_name(declared))),
        Match::None => Some(contradiction(pair, FindingCode::TypeMismatch, type_name(declared))),
    }
}

/// The declared type is not the field's.
pub(super) fn contradiction(pair: Pair<'_>, code: FindingCode, declared: &str) -> Finding {
    let message = format!("declared as {declared}, but the field is of type {}", pair.field_type());
    pair.finding(code, &message).hint(
        "remove the entry (the type is then the field's own), or map the column to another field",
    )
}

/// Against the digits that the field keeps.
pub(super) fn precision(pair: Pair<'_>, digits: Option<u32>) -> Option<Finding> {
    let (ColumnKind::Decimal { scale }, Some(digits)) = (&pair.column.kind, digits) else {
        return None;
    };
    (u32::from(*scale) > digits).then(|| {
        let message =
            format!("the column has {scale} digits behind the point, the field keeps {digits}");
        pair.finding(FindingCode::PrecisionLoss, &message).hint(
            "raise the field's precision in SmartSuite, or round in the query; numbers are rounded half away from zero",
        )
    })
}

/// Against the zone, where clocks become instants or an instant becomes a day.
pub(super) fn zone(pair: Pair<'_>, include_time: Option<bool>, zone: &Zone) -> Option<Finding> {
    let column = &pair.column.kind;
    let matters = match include_time {
        Some(true) => matches!(column, ColumnKind::DateTime | ColumnKind::Date),
        Some(false) => *column == ColumnKind::Timestamp,
        None => *column == ColumnKind::DateTime,
    };
    (matters && !zone.declared).then(|| {
        pair.finding(FindingCode::TimeZoneMissing, "no time zone is declared, so UTC is assumed")
            .hint(
            "declare the zone that the column is written in: `source.time_zone`, e.g. `Europe/Berlin`",
        )
    })
}

/// Against what strftime knows.
pub(super) fn date_pattern(pair: Pair<'_>, pattern: &str) -> Option<Finding> {
    let probe = jiff::Timestamp::UNIX_EPOCH.to_zoned(TimeZone::UTC);
    jiff::fmt::strtime::format(pattern, &probe).is_err().then(|| {
        pair.finding(
            FindingCode::DatePatternInvalid,
            &format!("`{pattern}` is no strftime pattern"),
        )
        .hint("e.g. `%Y-%m-%d` or `%d.%m.%Y %H:%M`")
    })
}
