//! `status --json`.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Map, Value, json};
use sync_core::{budget::BudgetReport, state::CallKind};
use sync_store::{QuarantinedRow, RunReport, SyncReport};

use super::{Status, SyncStatus};

/// The whole answer.
pub(crate) fn json(status: &Status) -> Value {
    json!({
        "now": status.now,
        "syncs": status.syncs.iter().map(|sync| of_sync(sync, status.now)).collect::<Vec<_>>(),
        "calls": {
            "today": kinds(&status.today),
            "this_month": kinds(&status.this_month),
            "paused_until": status.paused_until,
        },
        "alerts": status.alerts.iter().map(|alert| json!({
            "kind": alert.condition.kind,
            "sync": (!alert.condition.subject.is_empty()).then_some(&alert.condition.subject),
            "since": alert.since,
            "text": alert.condition.text,
            "hint": alert.condition.hint,
            "told": alert.told.is_some(),
        })).collect::<Vec<_>>(),
        "alerts_unsent": status.unsent.iter().map(|message| json!({
            "channel": message.channel,
            "at": message.message.at,
            "title": message.message.title(),
            "attempts": message.attempts,
            "error": message.error,
        })).collect::<Vec<_>>(),
        "budget": status.budget.as_ref().map(budget),
    })
}

fn budget(budget: &BudgetReport) -> Value {
    json!({
        "from": budget.month.from,
        "until": budget.month.until,
        "monthly_calls": budget.monthly_calls,
        "reserve": budget.reserve,
        "used": budget.used,
        "left": budget.left,
        "forecast": budget.forecast,
        "used_up_on": budget.used_up_on,
        "stage": budget.stage.word(),
    })
}

fn kinds(kinds: &BTreeMap<CallKind, u64>) -> Value {
    let mut out: Map<String, Value> =
        kinds.iter().map(|(kind, calls)| (kind.word().to_owned(), json!(calls))).collect();
    out.insert("total".to_owned(), json!(kinds.values().sum::<u64>()));
    Value::Object(out)
}

fn of_sync(sync: &SyncStatus, now: Timestamp) -> Value {
    json!({
        "name": sync.name,
        "configured": sync.definition.is_some(),
        "enabled": sync.definition.as_ref().map(|definition| definition.enabled),
        "description": sync.definition.as_ref().and_then(|definition| definition.description.as_ref()),
        "state": sync.state.as_ref().map(|state| of_state(sync.linked, state, now)),
        "paused_at": sync.paused_at,
        "calls_this_month": sync.calls_this_month,
        "runs": sync.runs.iter().map(run).collect::<Vec<_>>(),
        "lacking_links": sync.lacking.iter().map(|one| json!({
            "field": one.slug.as_str(),
            "sync": one.parent,
            "links": one.links,
            "keys": one.keys.iter().map(sync_core::key::Key::text).collect::<Vec<_>>(),
        })).collect::<Vec<_>>(),
        "refused": sync.refused(),
        "refused_rows": sync.rows.iter().map(row).collect::<Vec<_>>(),
    })
}

fn of_state(linked: u64, state: &SyncReport, now: Timestamp) -> Value {
    json!({
        "destination": state.destination.as_ref().map(|place| json!({
            "host": place.host,
            "account": place.account,
            "table": place.table,
        })),
        "last_success": state.last_success,
        "last_sync_time": state.last_sync_time,
        "reads_everything_next": state.full_read.map(|reason| reason.word()),
        "linked": linked,
        "waiting": state.waiting,
        "next_send": state.next_send,
        "deletes_held": state.held,
        "delete_candidates": state.candidates,
        "swept_at": state.swept_at,
        "full_read_at": state.full_read_at,
        "sending": state.sending,
        "in_doubt": state.in_doubt,
        "in_doubt_elsewhere": state.in_doubt_elsewhere,
        "to_be_read_again": state.dirty,
        "binlog": state.stream.as_ref().map(|stream| json!({
            "position": stream.place(),
            "read_up_to": stream.as_of,
            "lag_seconds": stream.lag(now).as_secs(),
            "kept_seconds": stream.retention.map(|kept| kept.as_secs()),
            "in_danger": stream.is_in_danger(now),
        })),
        "left_out": state.left_out.iter().map(|(slug, reason)| json!({
            "field": slug,
            "reason": reason,
        })).collect::<Vec<_>>(),
        "stopped": state.stopped.as_ref().map(|stop| json!({
            "code": stop.code,
            "message": stop.message,
            "hint": stop.remedy,
            "until": stop.until,
            "only_creates": stop.only_creates,
        })),
        "holder": state.holder.as_ref().map(|holder| json!({
            "name": holder.name,
            "last_sign_of_life": holder.heartbeat_at,
            "seen": holder.is_seen,
        })),
    })
}

fn run(run: &RunReport) -> Value {
    json!({
        "id": run.id,
        "started_at": run.started_at,
        "completed_at": run.completed_at,
        "duration_ms": run.duration().map(|took| took.as_millis().max(0)).and_then(|ms| u64::try_from(ms).ok()),
        "status": run.status,
        "counts": run.books,
        "calls": run.calls,
        "code": run.code,
        "message": run.error,
    })
}

fn row(row: &QuarantinedRow) -> Value {
    json!({
        "key": row.key.text(),
        "code": row.fault.code,
        "field": row.fault.slug.as_ref().map(|slug| slug.as_str()),
        "reason": row.fault.reason.0,
        "hint": row.fault.remedy,
        "refusals": row.refusals,
        "since": row.since,
        "next_try": row.next_try,
    })
}
