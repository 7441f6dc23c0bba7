//! `/metrics` in the text form of Prometheus. Each name stands in `docs/reference/metrics.md`, and once here.

mod page;

use axum::{
    http::header,
    response::{IntoResponse, Response},
};
use jiff::{Timestamp, civil::Date, tz::TimeZone};

use self::page::Page;
use crate::{
    api::{self, Budget, Overview},
    caller::Looking,
    live::Counts,
    problem::Problem,
};

const TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

pub(crate) async fn metrics(Looking(server): Looking) -> Result<Response, Problem> {
    let overview = api::read_overview(&server).await?;
    let budget = api::read_budget(&server).await?;
    let mut counts = server.live.counts();
    overview.syncs.iter().for_each(|sync| counts.begin(&sync.name));
    let page = page(&overview, &budget, &counts, (server.version, server.began));
    Ok(([(header::CONTENT_TYPE, TYPE)], page).into_response())
}

fn page(
    overview: &Overview,
    budget: &Budget,
    counts: &Counts,
    (version, began): (&str, Timestamp),
) -> String {
    let mut page = Page::default();
    page.gauge("sync_build_info", "The program's version; always 1");
    page.sample("sync_build_info", &[("version", version)], 1);
    page.gauge("sync_start_time_seconds", "When the service began, since 1970 UTC");
    page.sample("sync_start_time_seconds", &[], began.as_second());
    page.gauge(
        "sync_copy_age_seconds",
        "Seconds since the state was last copied, or first used where it never was",
    );
    if let Some(age) = overview.copy_age_seconds {
        page.sample("sync_copy_age_seconds", &[], age);
    }
    of_syncs(&mut page, overview);
    of_calls(&mut page, overview, budget);
    of_runs(&mut page, counts);
    page.text()
}

fn of_syncs(page: &mut Page, overview: &Overview) {
    let mut each = |name: &str, help: &str, value: fn(&api::SyncSummary) -> Option<i64>| {
        page.gauge(name, help);
        for sync in &overview.syncs {
            if let Some(value) = value(sync) {
                page.sample(name, &[("sync", &sync.name)], value);
            }
        }
    };
    each(
        "sync_freshness_seconds",
        "Seconds since when everything committed before is in SmartSuite or in quarantine",
        |sync| sync.age_seconds,
    );
    each("sync_freshness_goal_seconds", "Seconds that this may be", |sync| Some(sync.goal_seconds));
    each("sync_late", "1 while it is more, and nobody paused or disabled it", |sync| {
        Some(sync.is_late.into())
    });
    each(
        "sync_last_success_timestamp_seconds",
        "When a run last succeeded, since 1970 UTC",
        |sync| sync.last_success.map(Timestamp::as_second),
    );
    each("sync_stopped", "1 while the breaker has stopped it", |sync| {
        Some((sync.standing == api::Standing::Stopped).into())
    });
    each("sync_paused", "1 while a person has paused it", |sync| {
        Some(sync.paused_at.is_some().into())
    });
    each("sync_linked_records", "Records that rows are linked to", |sync| whole(sync.linked));
    each("sync_waiting_rows", "Rows waiting to be sent or on their way", |sync| {
        whole(sync.waiting)
    });
    each("sync_doubtful_creates", "Creates that no answer accounts for, to be looked up", |sync| {
        whole(sync.in_doubt)
    });
    each("sync_quarantined_rows", "Rows in quarantine", |sync| whole(sync.quarantined));
    each("sync_binlog_lag_seconds", "Seconds that the database's log is followed behind", |sync| {
        followed(sync).map(|log| log.lag_seconds)
    });
    each("sync_binlog_kept_seconds", "Seconds that the database keeps its log", |sync| {
        followed(sync).and_then(|log| log.kept_seconds)
    });
}

/// Whoever disables a sync gives up its place in the log.
fn followed(sync: &api::SyncSummary) -> Option<&api::BinlogView> {
    sync.binlog.as_ref().filter(|_| sync.standing != api::Standing::Disabled)
}

fn whole(count: u64) -> Option<i64> {
    i64::try_from(count).ok()
}

fn of_calls(page: &mut Page, overview: &Overview, budget: &Budget) {
    page.gauge(
        "sync_month_calls",
        "API calls since the first of the month, UTC, of the whole state",
    );
    for (kind, calls) in &overview.calls_by_kind {
        page.sample("sync_month_calls", &[("kind", kind)], *calls);
    }
    page.gauge("sync_month_calls_of_sync", "The same by sync");
    for sync in &overview.syncs {
        page.sample("sync_month_calls_of_sync", &[("sync", &sync.name)], sync.calls_this_month);
    }
    of_budget(page, budget);
    page.gauge("sync_gate_closed", "1 while every call waits after a 429");
    page.sample("sync_gate_closed", &[], u8::from(overview.paused_until.is_some()));
}

fn of_budget(page: &mut Page, budget: &Budget) {
    let mut one = |name: &str, help: &str, value: Option<i64>| {
        page.gauge(name, help);
        if let Some(value) = value {
            page.sample(name, &[], value);
        }
    };
    one("sync_budget_used_calls", "API calls of the billing period", whole(budget.used));
    one(
        "sync_budget_forecast_calls",
        "API calls that the whole period will have taken; no more than may be used",
        budget.forecast.and_then(whole),
    );
    one(
        "sync_budget_monthly_calls",
        "API calls that the plan includes",
        budget.monthly.and_then(whole),
    );
    one(
        "sync_budget_reserve_calls",
        "API calls of these that are left to others",
        budget.reserve.and_then(whole),
    );
    one(
        "sync_budget_exhausted_timestamp_seconds",
        "When the day begins on which the rest will be used up, since 1970 UTC; not there while it lasts",
        budget.exhausted_on.and_then(begin_of),
    );
    one(
        "sync_budget_end_timestamp_seconds",
        "When the billing period ends, since 1970 UTC",
        begin_of(budget.until),
    );
}

fn begin_of(day: Date) -> Option<i64> {
    day.to_zoned(TimeZone::UTC).ok().map(|at| at.timestamp().as_second())
}

fn of_runs(page: &mut Page, counts: &Counts) {
    page.counter("sync_runs_total", "Runs by how they ended, since the service began");
    for ((sync, status), runs) in &counts.runs {
        page.sample("sync_runs_total", &[("sync", sync), ("status", status)], *runs);
    }
    page.counter("sync_rows_read_total", "Rows read, since the service began");
    for (sync, rows) in &counts.rows {
        page.sample("sync_rows_read_total", &[("sync", sync)], *rows);
    }
    page.counter("sync_records_total", "Records by what was done, since the service began");
    for ((sync, done), records) in &counts.records {
        page.sample("sync_records_total", &[("sync", sync), ("done", done)], *records);
    }
    page.counter("sync_calls_total", "API calls by kind and outcome, since the service began");
    for ((sync, kind, outcome), calls) in &counts.calls {
        let labels = [("sync", sync.as_str()), ("kind", kind), ("outcome", outcome)];
        page.sample("sync_calls_total", &labels, *calls);
    }
    page.histogram("sync_run_duration_seconds", "How long runs took");
    for (sync, times) in &counts.run_times {
        page.times("sync_run_duration_seconds", ("sync", sync), times);
    }
    page.histogram(
        "sync_call_duration_seconds",
        "How long API calls took, the wait at the gate aside",
    );
    for (kind, times) in &counts.call_times {
        page.times("sync_call_duration_seconds", ("kind", kind), times);
    }
}

#[cfg(test)]
mod tests;
