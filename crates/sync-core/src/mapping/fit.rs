//! Whether a column, what is declared of it and its field go together.

use jiff::tz::TimeZone;

use super::{
    family::{Match, compare},
    finding::{Finding, FindingCode},
    pair::Pair,
    zone::Zone,
};
use crate::{
    config::{
        field_type::FIELD_TYPES,
        model::{OnUnknown, Origin, TypeOptions},
    },
    source::ColumnKind,
    table::FieldKind,
};

/// Against the declared type.
pub(super) fn declared_type(pair: &Pair<'_>, declared: &FieldKind) -> Option<Finding> {
    match compare(declared, &pair.field.kind) {
        Match::Same => None,
        Match::Lenient => Some(contradiction(pair, FindingCode::TypeDiffers, declared.name())),
        Match::None => Some(contradiction(pair, FindingCode::TypeMismatch, declared.name())),
    }
}

/// The declared type is not the field's.
pub(super) fn contradiction(pair: &Pair<'_>, code: FindingCode, declared: &str) -> Finding {
    let message = format!("declared as {declared}, but the field is of type {}", pair.field_type());
    pair.finding(code, &message).hint(
        "remove the entry (the type is then the field's own), or map the column to another field",
    )
}

/// Against the digits that the field keeps.
pub(super) fn precision(pair: &Pair<'_>, digits: Option<u32>) -> Option<Finding> {
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
pub(super) fn zone(pair: &Pair<'_>, include_time: Option<bool>, zone: &Zone) -> Option<Finding> {
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
pub(super) fn date_pattern(pair: &Pair<'_>, pattern: &str) -> Option<Finding> {
    let probe = jiff::Timestamp::UNIX_EPOCH.to_zoned(TimeZone::UTC);
    jiff::fmt::strtime::format(pattern, &probe).is_err().then(|| {
        pair.finding(
            FindingCode::DatePatternInvalid,
            &format!("`{pattern}` is no strftime pattern"),
        )
        .hint("e.g. `%Y-%m-%d` or `%d.%m.%Y %H:%M`")
    })
}

/// `parts` against the parts that the field's type has.
pub(super) fn parts(pair: &Pair<'_>, known: &[&str]) -> Vec<Finding> {
    let Origin::Parts(parts) = &pair.mapping.origin else { return Vec::new() };
    let unknown = parts.keys().filter(|name| !known.contains(&name.as_str()));
    unknown
        .map(|name| {
            let message = format!("type {} has no part `{name}`", pair.field_type());
            let hint = if known.is_empty() {
                "give it a `column` or an `expression` instead of `parts`".to_owned()
            } else {
                format!("its parts are {}", known.join(", "))
            };
            pair.finding(FindingCode::PartUnknown, &message).hint(hint)
        })
        .collect()
}

/// Options that mean nothing for the field's type.
pub(super) fn options(pair: &Pair<'_>, options: &TypeOptions) -> Vec<Finding> {
    let TypeOptions { include_time, value_map, on_unknown, default_country, default_type } =
        options;
    let given = [
        ("include_time", include_time.is_some()),
        ("value_map", !value_map.is_empty()),
        ("on_unknown", *on_unknown != OnUnknown::default()),
        ("default_country", default_country.is_some()),
        ("default_type", default_type.is_some()),
    ];
    let known = FIELD_TYPES.iter().find(|of| of.kind == pair.field.kind);
    let known = known.map_or(&[][..], |of| of.options);
    given
        .into_iter()
        .filter(|(option, is_given)| *is_given && !known.contains(option))
        .map(|(option, _)| {
            let message = format!("type {} has no option `{option}`", pair.field_type());
            pair.finding(FindingCode::OptionUnused, &message).hint("remove it")
        })
        .collect()
}
