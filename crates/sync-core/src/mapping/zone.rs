//! The zone of a source's wall-clock times.

use jiff::tz::TimeZone;

use super::finding::{Finding, FindingCode};
use crate::config::model::SourceDefinition;

/// The zone, and whether anyone said so.
#[derive(Clone, Debug)]
pub(super) struct Zone {
    /// UTC where none is declared.
    pub(super) zone: TimeZone,
    /// Whether the definition names it.
    pub(super) declared: bool,
}

impl Zone {
    /// The declared zone. An unknown one is reported and taken for UTC, so that the rest can be checked too.
    pub(super) fn of(source: &SourceDefinition, findings: &mut Vec<Finding>) -> Self {
        let Some(name) = &source.time_zone else {
            return Self { zone: TimeZone::UTC, declared: false };
        };
        let zone = TimeZone::get(name).unwrap_or_else(|_| {
            findings.push(
                Finding::new(
                    FindingCode::TimeZoneUnknown,
                    format!("there is no time zone `{name}`"),
                )
                .hint("use an IANA name such as `Europe/Berlin`, or `UTC`"),
            );
            TimeZone::UTC
        });
        Self { zone, declared: true }
    }
}
