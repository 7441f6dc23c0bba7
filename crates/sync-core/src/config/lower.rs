//! From what was typed to what it means, reporting everything that cannot be meant.

mod alerts;
mod budget;
mod conversion;
mod destination;
mod field;
mod following;
mod gone;
mod link;
mod matching;
mod overlap;
mod query;
mod schedule;
mod source;
mod test;

use std::collections::BTreeMap;

use super::{
    decode::Given,
    defaults,
    diagnostic::Code,
    model::{CaptureMode, Config, SourceRows, StateDefinition, SyncDefinition},
    raw::{CAPTURE, RawFile, RawSmartSuite, RawState, RawSync},
    report::{Finding, Report},
    scalar::Scalar,
    span::Span,
    suggestion::nearest,
};

/// The checked configuration; `None` when an error stands in its way, which is then reported.
pub(super) fn lower(file: &RawFile, report: &mut Report<'_>) -> Option<Config> {
    let raw_syncs = file.syncs.0.as_ref();
    if let Some(syncs) = raw_syncs.filter(|syncs| syncs.value.is_empty()) {
        report.add(
            Finding::new(Code::EmptyValue, syncs.key, "`syncs` lists no sync")
                .hint("add one, as in config/sync_mappings.example.yml"),
        );
    }
    let raw_syncs: Vec<_> =
        raw_syncs.into_iter().flat_map(|syncs| &syncs.value).map(|sync| &sync.value).collect();
    names(&raw_syncs, report);
    overlap::check(&raw_syncs, report);
    let syncs: Vec<_> =
        raw_syncs.iter().filter_map(|sync| lower_sync(sync, &raw_syncs, report)).collect();
    let smartsuite = file.smartsuite.as_ref().map(|given| &given.value);
    let plan = smartsuite.and_then(|section| budget::plan(section, report));
    let config = Config {
        syncs,
        dedicated_member: smartsuite
            .and_then(|section| section.dedicated_member.as_ref())
            .map_or(defaults::DEDICATED_MEMBER, |given| given.value),
        calls_per_second: calls_per_second(smartsuite, report),
        tests: raw_syncs.iter().filter_map(|sync| test::lower(sync, report)).collect(),
        plan,
        budget: smartsuite.and_then(|section| budget::lower(section, plan, report)),
        alerts: file.alerts.as_ref().and_then(|given| alerts::lower(given, report)),
        state: state(file.state.as_ref().map(|given| &given.value), report),
    };
    (!report.has_errors()).then_some(config)
}

fn lower_sync(
    raw: &RawSync,
    syncs: &[&RawSync],
    report: &mut Report<'_>,
) -> Option<SyncDefinition> {
    let name = raw.name.0.as_ref().and_then(|given| filled(given, "name", report));
    let schedule = raw.schedule.as_ref().map(|given| schedule::lower(given, report));
    let sweep = raw.sweep.as_ref().map(|given| schedule::lower(given, report));
    let reconcile = raw.reconcile.as_ref().map(|given| schedule::lower(given, report));
    let source = raw.source.0.as_ref().and_then(|given| source::lower(given, report));
    let capture = capture(raw, source.as_ref().map(|source| &source.rows), report);
    let on_drift = following::on_drift(raw, source.as_ref().map(|source| &source.rows), report);
    let destination = raw
        .destination
        .0
        .as_ref()
        .and_then(|given| destination::lower(&given.value, raw, syncs, report));
    Some(SyncDefinition {
        name: name?,
        enabled: is_enabled(raw),
        description: raw.description.as_ref().map(|given| given.value.text.clone()),
        previously: raw.previously.as_ref().map(|given| given.value.text.clone()),
        source: source?,
        destination: destination?,
        schedule: schedule.flatten(),
        freshness: raw.freshness.as_ref().and_then(|given| {
            in_range(given, 1..=defaults::INTERVAL_MINUTES_MAX, "freshness", report)
        }),
        priority: budget::priority(raw, report),
        capture: capture?,
        on_position_lost: following::on_position_lost(raw, report),
        on_drift,
        sweep: sweep.flatten(),
        reconcile: reconcile.flatten(),
    })
}

/// How changes are noticed: as what yields the rows allows.
fn capture(
    raw: &RawSync,
    rows: Option<&SourceRows>,
    report: &mut Report<'_>,
) -> Option<CaptureMode> {
    let natural = match rows? {
        SourceRows::Query { .. } => CaptureMode::Query,
        SourceRows::Table { .. } => CaptureMode::Table,
    };
    let Some(given) = &raw.capture else { return Some(natural) };
    let asked = match given.value.text.trim() {
        "query" => CaptureMode::Query,
        "table" => CaptureMode::Table,
        // Whatever yields the rows, the log may say which changed.
        "binlog" => return Some(CaptureMode::Binlog),
        other => {
            let near = nearest(other, CAPTURE.iter().copied());
            report.add(conversion::unknown_value(given, "capture", near, CAPTURE));
            return None;
        }
    };
    if asked == natural {
        return Some(asked);
    }
    let (key, other) =
        if asked == CaptureMode::Query { ("query", "table") } else { ("table", "query") };
    let message = format!("`capture: {key}` needs `source.{key}`");
    report.add(
        Finding::new(Code::ConflictingKeys, given.span, message)
            .hint(format!("remove `capture`: a `source.{other}` needs none")),
    );
    None
}

fn is_enabled(raw: &RawSync) -> bool {
    raw.enabled.as_ref().map_or(defaults::ENABLED, |given| given.value)
}

fn calls_per_second(section: Option<&RawSmartSuite>, report: &mut Report<'_>) -> u32 {
    let Some(given) = section.and_then(|section| section.calls_per_second.as_ref()) else {
        return defaults::CALLS_PER_SECOND;
    };
    in_range(given, 1..=defaults::CALLS_PER_SECOND_MAX, "calls_per_second", report)
        .unwrap_or(defaults::CALLS_PER_SECOND)
}

fn state(section: Option<&RawState>, report: &mut Report<'_>) -> StateDefinition {
    let mut state = StateDefinition::default();
    let Some(section) = section else { return state };
    let flag =
        |given: &Option<Given<bool>>, default| given.as_ref().map_or(default, |one| one.value);
    state.log_effects = flag(&section.log_effects, state.log_effects);
    state.keep_refused_values = flag(&section.keep_refused_values, state.keep_refused_values);
    state.keep_values = flag(&section.keep_values, state.keep_values);
    let mut number = |given: &Option<Given<u32>>, least, most, key, into: &mut u32| {
        if let Some(given) = given {
            *into = in_range(given, least..=most, key, report).unwrap_or(*into);
        }
    };
    let days = defaults::KEEP_DAYS_MAX;
    number(&section.keep_effects_days, 1, days, "keep_effects_days", &mut state.keep_effects_days);
    number(&section.keep_runs_days, 1, days, "keep_runs_days", &mut state.keep_runs_days);
    let most = defaults::DAILY_BACKUPS_MAX;
    number(&section.daily_backups, 0, most, "daily_backups", &mut state.daily_backups);
    state
}

/// Names are unique, and `previously` names a sync that is no longer there, once.
fn names(syncs: &[&RawSync], report: &mut Report<'_>) {
    let mut names: BTreeMap<&str, Span> = BTreeMap::new();
    for given in syncs.iter().filter_map(|sync| sync.name.0.as_ref()) {
        if let Some(first) = names.get(given.value.text.as_str()) {
            let message = format!("two syncs are named `{}`", given.value.shown());
            report.add(
                Finding::new(Code::DuplicateSync, given.span, message)
                    .label("again here")
                    .also(*first, "first used here")
                    .hint("give each sync a name of its own"),
            );
        } else {
            names.insert(&given.value.text, given.span);
        }
    }
    let mut former: BTreeMap<&str, Span> = BTreeMap::new();
    for given in syncs.iter().filter_map(|sync| sync.previously.as_ref()) {
        let text = given.value.text.as_str();
        let finding = |message: &str| Finding::new(Code::BadPreviously, given.span, message);
        if let Some(current) = names.get(text) {
            report.add(
                finding("`previously` names a sync that is still in this file")
                    .also(*current, "the sync of that name")
                    .hint("remove `previously`, unless the other sync is the one to be renamed"),
            );
        } else if let Some(first) = former.insert(text, given.span) {
            report.add(
                finding("two syncs claim to be the same former sync")
                    .also(first, "first claimed here")
                    .hint("links can move to one sync only: keep `previously` in that one"),
            );
        }
    }
}

/// The text, if there is any.
fn filled(given: &Given<Scalar>, key: &str, report: &mut Report<'_>) -> Option<String> {
    filled_scalar(&given.value, &format!("`{key}`"), report)
}

fn filled_scalar(scalar: &Scalar, what: &str, report: &mut Report<'_>) -> Option<String> {
    let problem = if scalar.text.trim().is_empty() {
        "is empty"
    } else if scalar.text.trim_end_matches('\n').chars().any(char::is_control) {
        "holds a control character or a line break"
    } else {
        return Some(scalar.text.trim().to_owned());
    };
    report.add(
        Finding::new(Code::EmptyValue, scalar.span, format!("{what} {problem}"))
            .hint("write it on one line, as it is called"),
    );
    None
}

/// The number, if it is one of those allowed.
fn in_range(
    given: &Given<u32>,
    allowed: std::ops::RangeInclusive<u32>,
    key: &str,
    report: &mut Report<'_>,
) -> Option<u32> {
    if allowed.contains(&given.value) {
        return Some(given.value);
    }
    let hint = format!("write a number from {} to {}", allowed.start(), allowed.end());
    report.add(
        Finding::new(Code::OutOfRange, given.span, format!("`{key}` cannot be {}", given.value))
            .label("out of range")
            .hint(hint),
    );
    None
}
