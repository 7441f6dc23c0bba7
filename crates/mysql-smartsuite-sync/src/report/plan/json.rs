//! `plan --json`, and what a plan's file shows.

use serde_json::{Map, Value, json};
use sync_core::delivery::Operation;
use sync_engine::{plan::PlannedWrite, run::RunOutcome};

use super::{changes, count, trouble};
use crate::{
    exit::Exit,
    plan::{PLAN_VERSION, Plan, SyncPlan},
};

/// The whole answer.
pub(crate) fn json(plan: &Plan, exit: Exit) -> Value {
    json!({
        "exit_code": exit.code(),
        "plan_version": PLAN_VERSION,
        "made_at": plan.made_at,
        "syncs": plan.syncs.iter().map(of_sync).collect::<Vec<_>>(),
        "calls": plan.calls(),
        "seconds": plan.time().as_secs_f64(),
        "monthly_calls": plan.budget.as_ref().map(|(_, month)| month.monthly_calls),
        "calls_left": plan.budget.as_ref().map(|(_, month)| month.left),
        "fits_the_month": plan.budget.as_ref().map(|_| plan.excess().is_none()),
        "overage_cents": plan.excess().map(|excess| excess.cents),
        "calls_this_month": plan.calls_this_month,
        "share_in_thousandths": plan.share_in_thousandths(),
        "calls_made": plan.reads(),
        "offline": plan.offline,
    })
}

fn of_sync(sync: &SyncPlan) -> Value {
    let trouble = trouble(sync);
    let calls: Map<String, Value> = sync
        .planned
        .calls
        .iter()
        .map(|(kind, calls)| (kind.word().to_owned(), json!(calls)))
        .collect();
    let refused: Vec<Value> = sync
        .refused
        .iter()
        .map(|kind| {
            let field = kind.slug.as_ref().map(|slug| slug.as_str());
            json!({ "code": kind.code, "field": field, "rows": kind.rows })
        })
        .collect();
    let choices: Vec<Value> = sync
        .planned
        .choices
        .iter()
        .map(|(slug, choice)| json!({ "field": slug.as_str(), "label": choice.label, "id": choice.id }))
        .collect();
    json!({
        "sync": sync.report.sync,
        "status": match &sync.report.outcome {
            RunOutcome::Ran { status, .. } => status.word(),
            RunOutcome::Busy => "busy",
            RunOutcome::Stopped(_) => "stopped",
        },
        "code": trouble.as_ref().map(|(code, ..)| code),
        "message": trouble.as_ref().map(|(_, message, _)| message),
        "hint": trouble.as_ref().map(|(.., hint)| hint),
        "create": count(sync, Operation::Create),
        "update": count(sync, Operation::Update),
        "delete": count(sync, Operation::Delete),
        "archive": count(sync, Operation::Archive),
        "counts": sync.report.books,
        "choices": choices,
        "taken_over": sync.planned.taken_over,
        "ambiguous": sync.planned.ambiguous,
        "quarantined": refused,
        "calls": sync.calls(),
        "calls_by_kind": calls,
        "fillable": sync.planned.fillable,
        "calls_made": sync.reads,
        "running": sync.running,
        "records": sync.planned.shown.iter().map(|write| record(sync, write)).collect::<Vec<_>>(),
    })
}

fn record(sync: &SyncPlan, write: &PlannedWrite) -> Value {
    let fields: Vec<Value> = changes(sync, write)
        .into_iter()
        .map(|change| {
            json!({
                "field": change.slug.as_str(),
                "label": change.label,
                "before": change.before,
                "after": change.after,
            })
        })
        .collect();
    json!({
        "operation": write.operation.word(),
        "key": write.key.text(),
        "record": write.record.as_ref().filter(|_| write.record_is_there()).map(|record| &record.0),
        "fields": fields,
    })
}
