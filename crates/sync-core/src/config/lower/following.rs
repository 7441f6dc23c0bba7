//! What following the binlog needs besides.

use crate::config::{
    decode::Given,
    model::{OnPositionLost, RelatedDefinition},
    raw::{ON_POSITION_LOST, RawRelated, RawSource, RawSync},
    report::Report,
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
