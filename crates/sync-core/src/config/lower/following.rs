//! What a sync does when it cannot simply go on: its log is lost, or the schemas have changed. And related tables.

use crate::config::{
    decode::Given,
    diagnostic::Code,
    model::{OnDrift, OnPositionLost, RelatedDefinition, SourceRows},
    raw::{ON_DRIFT, ON_POSITION_LOST, RawRelated, RawSource, RawSync},
    report::{Finding, Report},
    scalar::Scalar,
    suggestion::nearest,
};

use super::{conversion, filled_scalar};

pub(super) fn on_position_lost(raw: &RawSync, report: &mut Report<'_>) -> OnPositionLost {
    let Some(given) = &raw.on_position_lost else { return OnPositionLost::Stop };
    match given.value.text.as_str() {
        "stop" => {}
        "repair" => return OnPositionLost::Repair,
        other => {
            let near = nearest(other, ON_POSITION_LOST.iter().copied());
            let finding =
                conversion::unknown_value(given, "on_position_lost", near, ON_POSITION_LOST);
            report.add(finding);
        }
    }
    OnPositionLost::Stop
}

pub(super) fn on_drift(
    raw: &RawSync,
    rows: Option<&SourceRows>,
    report: &mut Report<'_>,
) -> OnDrift {
    let Some(given) = &raw.on_drift else { return OnDrift::default() };
    match given.value.text.as_str() {
        "freeze" => OnDrift::Freeze,
        "ignore" => OnDrift::Ignore,
        "extend" => {
            if let Some(SourceRows::Query { .. }) = rows {
                let message = "`on_drift: extend` needs `source.table`";
                report.add(Finding::new(Code::ConflictingKeys, given.span, message).hint(
                    "a query names its columns: add new ones there and map them, and write `on_drift: ignore` here",
                ));
            }
            OnDrift::Extend
        }
        other => {
            let near = nearest(other, ON_DRIFT.iter().copied());
            report.add(conversion::unknown_value(given, "on_drift", near, ON_DRIFT));
            OnDrift::default()
        }
    }
}

pub(super) fn related(raw: &RawSource, report: &mut Report<'_>) -> Vec<RelatedDefinition> {
    let Some(given) = &raw.related else { return Vec::new() };
    given.value.iter().filter_map(|related| one(related, report)).collect()
}

fn one(given: &Given<RawRelated>, report: &mut Report<'_>) -> Option<RelatedDefinition> {
    let raw = &given.value;
    let mut text = |scalar: &Option<Given<Scalar>>, key: &str| {
        filled_scalar(&scalar.as_ref()?.value, &format!("`{key}`"), report)
    };
    let (table, column, matches) = (
        text(&raw.table.0, "table"),
        text(&raw.column.0, "column"),
        text(&raw.matches.0, "matches"),
    );
    Some(RelatedDefinition { table: table?, column: column?, matches: matches? })
}
