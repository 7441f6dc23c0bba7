//! The `schedule` of a sync, and time zones.

use jiff::tz::TimeZone;

use crate::{
    config::{
        decode::Given,
        defaults,
        diagnostic::Code,
        model::ScheduleDefinition,
        raw::RawSchedule,
        report::{Finding, Report},
        scalar::Scalar,
        suggestion::nearest,
    },
    schedule::{Schedule, ScheduleFault},
};

use super::in_range;

pub(super) fn lower(
    given: &Given<RawSchedule>,
    report: &mut Report<'_>,
) -> Option<ScheduleDefinition> {
    let raw = &given.value;
    let time_zone_text = raw.time_zone.as_ref().and_then(|given| time_zone(given, report));
    match (&raw.interval, &raw.cron) {
        (Some(interval), None) => {
            if let Some(zone) = &raw.time_zone {
                report.add(
                    Finding::new(Code::ConflictingKeys, zone.key, "an `interval` has no time zone")
                        .hint("remove `time_zone`; it belongs to `cron`"),
                );
            }
            let minutes =
                in_range(interval, 1..=defaults::INTERVAL_MINUTES_MAX, "interval", report)?;
            Some(ScheduleDefinition::Interval { minutes })
        }
        (None, Some(pattern)) => {
            let definition = ScheduleDefinition::Cron {
                pattern: pattern.value.text.trim().to_owned(),
                time_zone: time_zone_text.unwrap_or_else(|| defaults::TIME_ZONE.to_owned()),
            };
            cron(pattern, definition, report)
        }
        (Some(interval), Some(cron)) => {
            report.add(
                Finding::new(
                    Code::ConflictingKeys,
                    cron.key,
                    "a schedule has `interval` or `cron`, not both",
                )
                .also(interval.key, "the other")
                .hint("remove one of them"),
            );
            None
        }
        (None, None) if raw.has("interval") || raw.has("cron") => None,
        (None, None) => {
            report.add(
                Finding::new(Code::MissingKey, given.key, "`schedule` says no time")
                    .hint("add `interval: MINUTES` or `cron: \"PATTERN\"`"),
            );
            None
        }
    }
}

fn cron(
    given: &Given<Scalar>,
    definition: ScheduleDefinition,
    report: &mut Report<'_>,
) -> Option<ScheduleDefinition> {
    let (message, hint) = match Schedule::new(&definition) {
        // The zone has been reported at its own place.
        Ok(_) | Err(ScheduleFault::TimeZone { .. }) => return Some(definition),
        Err(fault @ ScheduleFault::Pattern { .. }) => (
            // The fault quotes the pattern; a variable's value may be a secret.
            if given.value.is_foreign(&(0..given.value.text.len())) {
                "the cron pattern cannot be understood".to_owned()
            } else {
                fault.to_string()
            },
            "minute, hour, day of month, month, day of week: `*/15 * * * *` is every quarter of an hour, `30 6 * * 1-5` is 06:30 on weekdays",
        ),
        Err(ScheduleFault::Never) => {
            (ScheduleFault::Never.to_string(), "check day and month: there is no 30 February")
        }
    };
    report.add(Finding::new(Code::BadCron, given.span, message).hint(hint));
    None
}

/// The zone's IANA name, if there is such a zone.
pub(super) fn time_zone(given: &Given<Scalar>, report: &mut Report<'_>) -> Option<String> {
    let name = given.value.text.trim();
    if !name.is_empty() && TimeZone::get(name).is_ok() {
        return Some(name.to_owned());
    }
    let message = format!("there is no time zone `{}`", given.value.shown());
    let finding = Finding::new(Code::BadTimeZone, given.span, message);
    let known: Vec<_> = jiff::tz::db().available().map(|zone| zone.to_string()).collect();
    let hint = match nearest(name, known.iter().map(String::as_str)) {
        Some(near) => format!("did you mean `{near}`?"),
        None => {
            "write an IANA name such as `Europe/Berlin` or `America/New_York`, or `UTC`".to_owned()
        }
    };
    report.add(finding.hint(hint));
    None
}
