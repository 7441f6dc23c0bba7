//! The screen of `plan`.

use sync_core::{delivery::Operation, port::BULK_MAX, state::CallKind};
use sync_engine::plan::PlannedWrite;

use super::{changes, count, exit, trouble};
use crate::{
    exit::Exit,
    plan::{Excess, Plan, SyncPlan},
    report::{Paint, calls_made, counted, seconds, thousands},
};

/// The whole screen.
pub(crate) fn text(plan: &Plan, paint: Paint) -> String {
    let width = plan.syncs.iter().map(|sync| sync.report.sync.chars().count()).max().unwrap_or(0);
    let mut parts: Vec<String> =
        plan.syncs.iter().map(|sync| of_sync(sync, paint, width)).collect();
    parts.push(total(plan, paint));
    parts.join("\n\n")
}

fn of_sync(sync: &SyncPlan, paint: Paint, width: usize) -> String {
    let margin = format!("\n{:width$}  ", "");
    let name = paint.strong(&format!("{:width$}", sync.report.sync));
    let mut out = format!("{name}  {}", summary(sync));
    out += &format!("{margin}{}", paint.faint(&calls(sync)));
    if sync.planned.taken_over > 0 {
        let rows = counted(sync.planned.taken_over, "row");
        out += &format!(
            "{margin}{rows} of these updates would take over a record that carries no key (`match_on`)"
        );
    }
    for (slug, choice) in &sync.planned.choices {
        let label = paint.good(&format!("+ choice \"{}\"", choice.label));
        out += &format!("{margin}{label} of field `{slug}`");
    }
    for kind in &sync.refused {
        let field = kind.slug.as_ref().map(|slug| format!(" (field `{slug}`)")).unwrap_or_default();
        let rows = counted(kind.rows, "row");
        out += &format!(
            "{margin}{}: {}{field}",
            paint.caution(&format!("{rows} cannot be written")),
            kind.code
        );
    }
    if let Some((code, message, remedy)) = trouble(sync).filter(|(code, ..)| code != "rows_refused")
    {
        out += &format!("{margin}{} {}", paint.bad(&message), paint.faint(&format!("[{code}]")));
        out += &format!("{margin}{} {remedy}", paint.strong("hint:"));
    }
    if let Some(holder) = &sync.running {
        out += &format!("{margin}{holder} is running it: what is on its way may be planned again");
    }
    for write in &sync.planned.shown {
        out += &record(sync, write, paint);
    }
    let shown = sync.planned.shown.len();
    let rest = sync.planned.writes.len().saturating_sub(shown);
    if rest > 0 {
        let rest = counted(u64::try_from(rest).unwrap_or(u64::MAX), "more record");
        out += &format!("\n  {}", paint.faint(&format!("… {rest}; `--all` shows every one")));
    }
    out
}

fn summary(sync: &SyncPlan) -> String {
    let planned = [
        (count(sync, Operation::Create), "create"),
        (count(sync, Operation::Update), "update"),
        (count(sync, Operation::Delete), "delete"),
        (count(sync, Operation::Archive), "archive"),
    ];
    let parts: Vec<String> = planned
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{word} {}", thousands(count)))
        .collect();
    let books = &sync.report.books;
    let read = format!("{} read", counted(books.read, "row"));
    let unchanged = books.unchanged + books.withdrawn + books.equal + books.adopted;
    let mut rest = String::new();
    for (count, words) in
        [(unchanged, "as they are already"), (books.recordless, "without a record to update")]
    {
        if count > 0 {
            rest += &format!(", {} {words}", thousands(count));
        }
    }
    match parts.as_slice() {
        [] => format!("would write nothing: {read}{rest}"),
        parts => format!("would {}: {read}{rest}", parts.join(", ")),
    }
}

fn calls(sync: &SyncPlan) -> String {
    let kinds: Vec<String> = sync
        .planned
        .calls
        .iter()
        .map(|(kind, calls)| format!("{} {}", thousands(*calls), word(*kind)))
        .collect();
    let mut said = match kinds.as_slice() {
        [] => calls_made(0),
        kinds => format!("{}: {}", calls_made(sync.calls()), kinds.join(", ")),
    };
    let more = sync.planned.fillable.div_ceil(BULK_MAX as u64);
    if more > 0 {
        said += &format!("; and up to {} more, for fields that are found empty", thousands(more));
    }
    said
}

fn word(kind: CallKind) -> &'static str {
    match kind {
        CallKind::LookUp => "look-up",
        other => other.word(),
    }
}

fn record(sync: &SyncPlan, write: &PlannedWrite, paint: Paint) -> String {
    let key = write.key.text();
    let record = write.record.as_ref().map(|record| {
        let id = if write.record_is_there() { record.to_string() } else { "that is new".into() };
        paint.faint(&format!("  record {id}"))
    });
    let record = record.unwrap_or_default();
    let mut out = match write.operation {
        Operation::Create => format!("\n  {} {key}", paint.good("+ create")),
        Operation::Update => format!("\n  {} {key}{record}", paint.caution("~ update")),
        Operation::Delete => format!("\n  {} {key}{record}", paint.bad("- delete")),
        Operation::Archive => format!("\n  {} {key}{record}", paint.bad("- archive")),
    };
    if matches!(write.operation, Operation::Delete | Operation::Archive) {
        return out;
    }
    let changes = changes(sync, write);
    let width = changes.iter().map(|change| change.label.chars().count()).max().unwrap_or(0);
    for change in changes {
        let label = format!("{:width$}", change.label);
        out += &match change.before {
            Some(before) => {
                format!("\n      {label}  {} -> {}", paint.faint(&before), change.after)
            }
            None => format!("\n      {label}  {}", change.after),
        };
    }
    out
}

fn total(plan: &Plan, paint: Paint) -> String {
    let mut out = format!("{}  {}", paint.strong("together"), calls_made(plan.calls()));
    if plan.calls() > 0 {
        let time = seconds(plan.time());
        out += &match plan.rate.0 {
            0 => String::new(),
            1 => format!(", at least {time} at 1 call a second"),
            rate => format!(", at least {time} at {rate} calls a second"),
        };
    }
    match (plan.share_in_thousandths(), &plan.budget) {
        (Some(share), Some((_, month))) => {
            out += &format!(
                "; {}.{} % of the month's {}, of which {} are used",
                share / 10,
                share % 10,
                thousands(month.monthly_calls),
                thousands(plan.calls_this_month)
            );
        }
        _ => {
            out += &format!(
                "; {} made this month (`smartsuite.monthly_calls` lets the share be said)",
                thousands(plan.calls_this_month)
            );
        }
    }
    if let Some(excess) = plan.excess() {
        out += &over_budget(&excess, paint);
    }
    if plan.reads() > 0 {
        out += &format!(
            "\n          {} made to read SmartSuite for this plan",
            calls_made(plan.reads())
        );
    }
    if plan.offline {
        out += "\n          SmartSuite was not asked: records that this state does not know of are not in the plan";
    }
    if let Some(reason) = &plan.unread {
        out += &format!("\n          what the records hold now could not be read: {reason}");
    }
    let updates = plan.syncs.iter().any(|sync| {
        sync.before.is_empty()
            && sync.planned.shown.iter().any(|write| write.operation == Operation::Update)
    });
    if updates && plan.unread.is_none() {
        out += &format!(
            "\n{} `--live` shows what the records hold now, and only the fields that change",
            paint.strong("hint:")
        );
    }
    if exit(plan) == Exit::Done && plan.calls() == 0 {
        out += "\n          nothing is to be done";
    }
    out
}

/// That the calls do not fit the month, what that costs, and what can be done.
fn over_budget(excess: &Excess, paint: Paint) -> String {
    let mut out = format!(
        "\n          {}: {} left until {}",
        paint.caution("this does not fit the month"),
        counted(excess.left, "call"),
        excess.until
    );
    if excess.cents > 0 {
        out += &format!(
            "; what is beyond the plan's calls costs about ${}.{:02}",
            thousands(excess.cents / 100),
            excess.cents % 100
        );
    }
    out + &format!(
        "\n{} `run --over-budget` sends it nonetheless; `schedule` spreads it, so that the month lasts",
        paint.strong("hint:")
    )
}
