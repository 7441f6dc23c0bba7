//! The screen of `status`.

use std::{collections::BTreeMap, time::Duration};

use jiff::{SignedDuration, Timestamp};
use sync_core::{
    budget::{BudgetReport, Stage},
    config::model::OnDelete,
    schedule::Schedule,
    state::CallKind,
};
use sync_store::{QuarantinedRow, RunReport, StreamReport, SyncReport};

use super::{Status, SyncStatus};
use crate::report::{Paint, calls_made, counted, run::happened, seconds, thousands};

/// The whole screen.
pub(crate) fn text(status: &Status, paint: Paint) -> String {
    let mut parts: Vec<String> =
        status.syncs.iter().map(|sync| of_sync(sync, status.now, paint)).collect();
    parts.push(calls(status, paint));
    parts.extend(alerts(status, paint));
    parts.join("\n\n")
}

fn of_sync(sync: &SyncStatus, now: Timestamp, paint: Paint) -> String {
    let mut out = Lines { text: headline(sync, paint), paint };
    if let Some(at) = sync.paused_at {
        let since = when(at, now);
        out.line(
            "paused",
            &format!("by a person {since}: the service runs it no more until it is resumed"),
        );
    }
    let Some(state) = &sync.state else {
        out.line("runs", "it has not run yet");
        return out.text;
    };
    if let Some(stop) = &state.stopped {
        let code = paint.faint(&format!("[{}]", stop.code));
        out.line(stop.what(), &format!("{} {code}", stop.message));
        out.hint(&stop.advice());
    }
    if let Some(holder) = &state.holder {
        let sign = format!("last sign of life {}", when(holder.heartbeat_at, now));
        out.line(
            "running",
            &if holder.is_seen {
                format!("by {}; {sign}", holder.name)
            } else {
                format!("perhaps: {} is not seen from here; {sign}", holder.name)
            },
        );
    }
    match state.last_success {
        Some(at) => out.line("last success", &when(at, now)),
        None => out.line("last success", "never"),
    }
    next_run(&mut out, sync, now);
    out.line("records", &records(sync.linked, state));
    waiting(&mut out, state, now);
    sweep(&mut out, sync, now);
    lacking(&mut out, sync);
    for (slug, reason) in &state.left_out {
        out.line(
            "left out",
            &format!("field `{slug}` is left as it is, as its mapping fits no more: {reason}"),
        );
    }
    if !state.left_out.is_empty() {
        out.hint("put it back, or change the mapping; `validate --online` shows where");
    }
    refused(&mut out, sync, now);
    for (place, one) in sync.runs.iter().enumerate() {
        run(&mut out, if place == 0 { "last runs" } else { "" }, one);
    }
    out.text
}

/// Lines with a label in front.
struct Lines {
    text: String,
    paint: Paint,
}

/// Width of the labels.
const LABEL: usize = 13;

impl Lines {
    fn line(&mut self, label: &str, words: &str) {
        let label = format!("{label:LABEL$}");
        let line = format!("  {}  {words}", self.paint.faint(&label));
        self.text += &format!("\n{}", line.trim_end());
    }

    fn more(&mut self, words: &str) {
        self.line("", words);
    }

    fn hint(&mut self, hint: &str) {
        if !hint.is_empty() {
            self.more(&format!("{} {hint}", self.paint.strong("hint:")));
        }
    }
}

fn headline(sync: &SyncStatus, paint: Paint) -> String {
    let mut out = paint.strong(&sync.name);
    match &sync.definition {
        Some(definition) if !definition.enabled => out += &paint.caution("  (disabled)"),
        Some(_) => {}
        None => out += &paint.caution("  (not in the mapping file)"),
    }
    if let Some(words) = sync.definition.as_ref().and_then(|sync| sync.description.as_ref()) {
        out += &format!("  {}", paint.faint(words));
    }
    out
}

fn records(linked: u64, state: &SyncReport) -> String {
    let linked = format!("{} linked", thousands(linked));
    match &state.destination {
        Some(place) => format!(
            "{linked}, in table {} of account {} at {}",
            place.table, place.account, place.host
        ),
        None => linked,
    }
}

fn waiting(out: &mut Lines, state: &SyncReport, now: Timestamp) {
    let mut parts = Vec::new();
    if state.waiting > 0 {
        let next = state.next_send.filter(|at| *at > now);
        let next = next.map(|at| format!(", the first not before {}", clock(at)));
        parts.push(format!(
            "{} to be sent{}",
            counted(state.waiting, "row"),
            next.unwrap_or_default()
        ));
    }
    if state.held > 0 {
        parts.push(format!(
            "{} to go with their rows, as soon as somebody says yes: `run --allow-deletes {}`",
            counted(state.held, "record"),
            state.held
        ));
    }
    if state.candidates > 0 {
        parts.push(format!(
            "{} without a row, which go as soon as somebody says yes: `run --allow-deletes {}`",
            counted(state.candidates, "record"),
            state.candidates
        ));
    }
    if state.sending > 0 {
        parts.push(format!("{} being sent", counted(state.sending, "row")));
    }
    if state.in_doubt > 0 {
        parts.push(format!(
            "{} in doubt: nobody answered, so they are looked up before anything is created again",
            counted(state.in_doubt, "create")
        ));
    }
    if state.in_doubt_elsewhere > 0 {
        parts.push(format!(
            "{} in doubt in a table that this sync had before",
            counted(state.in_doubt_elsewhere, "create")
        ));
    }
    if state.dirty > 0 {
        parts.push(format!("{} to be read again", counted(state.dirty, "row")));
    }
    for (place, part) in parts.iter().enumerate() {
        out.line(if place == 0 { "waits" } else { "" }, part);
    }
    if let Some(stream) = &state.stream {
        followed(out, stream, now);
    }
    if let Some(reason) = state.full_read {
        out.line("next read", &format!("every row, because {}", reason.because()));
    }
}

/// How far the binlog was followed.
fn followed(out: &mut Lines, stream: &StreamReport, now: Timestamp) {
    let lag = counted(u64::try_from(stream.lag(now).as_secs()).unwrap_or(0), "second");
    let read = format!("read up to {}, {lag} behind", stream.place());
    out.line("binlog", &read);
    if stream.is_in_danger(now) {
        let kept = stream.retention.map_or(0, |kept| kept.as_hours());
        let warning =
            format!("the server keeps its binlog for {kept} hours, and half of that has passed");
        out.more(&out.paint.caution(&warning));
        out.hint("let `schedule` or `run` follow it soon, or let the server keep it longer");
    }
}

/// When a service runs the sync next, in its schedule's own zone too; not known of one without a schedule.
fn next_run(out: &mut Lines, sync: &SyncStatus, now: Timestamp) {
    let definition = sync.definition.as_ref().filter(|definition| definition.enabled);
    let schedule = definition.and_then(|definition| definition.schedule.as_ref());
    let Some(schedule) = schedule.and_then(|schedule| Schedule::new(schedule).ok()) else { return };
    let last = sync.runs.first().map(|run| run.started_at);
    if let Some(due) = schedule.next_after(now, last) {
        out.line("next run", &format!("{}, by `schedule`", schedule.in_words(due)));
    }
}

/// When keys were swept last and will be next, where records go with their rows.
fn sweep(out: &mut Lines, sync: &SyncStatus, now: Timestamp) {
    let (Some(definition), Some(state)) = (&sync.definition, &sync.state) else { return };
    if definition.destination.on_delete == OnDelete::Ignore {
        return;
    }
    let last = state.swept_at.map_or_else(|| "never".to_owned(), |at| when(at, now));
    let schedule = definition.sweep.as_ref().and_then(|sweep| Schedule::new(sweep).ok());
    let next = match schedule.and_then(|schedule| schedule.next_after(now, state.swept_at)) {
        Some(next) => format!("next {}", clock(next)),
        None => "next with each `run`, and every hour of `schedule`".to_owned(),
    };
    out.line("swept", &format!("{last}; {next}"));
}

/// Links to rows that have no record. Nothing is wrong with the rows that lack them.
fn lacking(out: &mut Lines, sync: &SyncStatus) {
    for (place, one) in sync.lacking.iter().enumerate() {
        let keys: Vec<_> = one.keys.iter().map(sync_core::key::Key::text).collect();
        let words = format!(
            "{} lacking in field `{}`: sync `{}` has no record for {}{}",
            counted(one.links, "link"),
            one.slug,
            one.parent,
            keys.join(", "),
            if one.links > keys.len() as u64 { ", ..." } else { "" }
        );
        out.line(if place == 0 { "links" } else { "" }, &words);
    }
    if !sync.lacking.is_empty() {
        out.hint("a link is made by itself when the row it leads to gets its record; until then it costs nothing");
    }
}

fn refused(out: &mut Lines, sync: &SyncStatus, now: Timestamp) {
    let refused = sync.refused();
    if refused == 0 {
        return;
    }
    out.line("refused", &out.paint.caution(&counted(refused, "row")));
    for row in &sync.rows {
        refused_row(out, row, now);
    }
    let shown = u64::try_from(sync.rows.len()).unwrap_or(u64::MAX);
    if shown < refused {
        out.more(&format!(
            "and {} more; `--rows {refused}` shows them all",
            thousands(refused - shown)
        ));
        let kinds = sync.state.iter().flat_map(|state| &state.quarantined);
        for kind in kinds {
            let field =
                kind.slug.as_ref().map(|slug| format!(" (field `{slug}`)")).unwrap_or_default();
            out.more(&format!("  {}: {}{field}", counted(kind.rows, "row"), kind.code));
        }
    }
}

fn refused_row(out: &mut Lines, row: &QuarantinedRow, now: Timestamp) {
    let code = out.paint.faint(&format!("[{}]", row.fault.code));
    out.more(&format!("key {}: {} {code}", row.key.text(), row.fault.reason.0));
    out.hint(&row.fault.remedy);
    let again = if row.next_try <= now {
        "by the next run".to_owned()
    } else {
        format!("at {}, or with `run --retry`", clock(row.next_try))
    };
    out.more(&out.paint.faint(&format!("tried again when the row changes, else {again}")));
}

/// When, how it ended, what it did, what it cost; and on a line of its own what went wrong.
fn run(out: &mut Lines, label: &str, run: &RunReport) {
    let status = format!("{:11}", run.status);
    let status = match run.status.as_str() {
        "success" => out.paint.good(&status),
        "failed" => out.paint.bad(&status),
        _ => out.paint.caution(&status),
    };
    let did = match &run.books {
        Some(books) if run.completed_at.is_none() => format!("so far {}", happened(books)),
        Some(books) => happened(books),
        None if run.completed_at.is_none() => "under way".to_owned(),
        None => format!(
            "{} read, {} created, {} updated",
            counted(run.processed, "row"),
            thousands(run.created),
            thousands(run.updated)
        ),
    };
    let took = run.duration().map(|took| format!(", {}", length(took))).unwrap_or_default();
    let cost = format!("({}{took})", calls_made(run.calls));
    let at = run.started_at.strftime("%Y-%m-%d %H:%M:%S");
    out.line(label, &format!("{at}  {status}  {did} {}", out.paint.faint(&cost)));
    if let Some(error) = run.error.as_ref().filter(|_| run.status != "success") {
        out.more(&format!("{:19}  {error}", ""));
    }
}

/// `calls  13 today, 13 this month: 4 create, 1 update`, and whether they are paused.
fn calls(status: &Status, paint: Paint) -> String {
    let sum = |kinds: &BTreeMap<CallKind, u64>| kinds.values().sum::<u64>();
    let mut out = Lines { text: paint.strong("API calls"), paint };
    for (label, kinds) in [("today", &status.today), ("this month", &status.this_month)] {
        let kinds_in_words: Vec<String> = kinds
            .iter()
            .map(|(kind, calls)| format!("{} {}", thousands(*calls), kind.word().replace('_', "-")))
            .collect();
        let words = match sum(kinds) {
            0 => "none".to_owned(),
            calls => format!("{} ({})", thousands(calls), kinds_in_words.join(", ")),
        };
        out.line(label, &words);
    }
    if let Some(month) = &status.budget {
        budget(&mut out, month);
    }
    if let Some(until) = status.paused_until {
        let words = format!("until {}: SmartSuite asked for a pause (429)", clock(until));
        out.line("paused", &words);
    }
    out.text
}

/// What a service has found wrong, and messages about it that did not arrive.
fn alerts(status: &Status, paint: Paint) -> Option<String> {
    if status.alerts.is_empty() && status.unsent.is_empty() {
        return None;
    }
    let mut out = Lines { text: paint.strong("alerts"), paint };
    for alert in &status.alerts {
        let condition = &alert.condition;
        let subject = if condition.subject.is_empty() { "all syncs" } else { &condition.subject };
        let label = condition.kind.word().replace('_', " ");
        out.line(&label, &format!("{subject}: {} since {}", condition.text, clock(alert.since)));
    }
    for message in &status.unsent {
        let why = message.error.as_deref().unwrap_or_default();
        let words = format!("by {}: {} ({why})", message.channel, message.message.title());
        out.line("unsent", &out.paint.bad(&words));
    }
    Some(out.text)
}

/// What is left of the month, what it will come to, and what follows where it does not suffice.
fn budget(out: &mut Lines, month: &BudgetReport) {
    let until = month.month.until;
    let mut left =
        format!("{} of {} until {until}", thousands(month.left), thousands(month.monthly_calls));
    if month.reserve > 0 {
        left += &format!("; {} are kept for others", thousands(month.reserve));
    }
    out.line("left", &left);
    let forecast = match month.used_up_on {
        Some(day) if month.stage < Stage::UsedUp => {
            format!("{} at the month's end, used up on {day}", thousands(month.forecast))
        }
        _ => format!("{} at the month's end", thousands(month.forecast)),
    };
    out.line("forecast", &forecast);
    let follows = match month.stage {
        Stage::Within | Stage::Near => return,
        Stage::UsedUp => {
            format!("used up: what waits is sent from {until} on, unless `when_used_up: go_on`")
        }
        Stage::Throttled => format!("used up: SmartSuite takes 2 calls a second until {until}"),
        Stage::Stopped => format!("used up: SmartSuite answers no more until {until}"),
    };
    out.line("month", &out.paint.caution(&follows));
}

/// `2026-11-23 19:11:03 UTC (2 min 5 s ago)`.
fn when(at: Timestamp, now: Timestamp) -> String {
    let age = now.duration_since(at);
    if age.as_secs() < 1 {
        return format!("{} (just now)", clock(at));
    }
    let ago = if age.as_secs() >= 86_400 {
        counted(u64::try_from(age.as_hours() / 24).unwrap_or(0), "day")
    } else {
        length(age)
    };
    format!("{} ({ago} ago)", clock(at))
}

fn clock(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

fn length(length: SignedDuration) -> String {
    seconds(Duration::try_from(length).unwrap_or_default())
}
