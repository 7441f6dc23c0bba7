//! The month's calls: what was used, by day and sync, and what is left.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use jiff::{Timestamp, civil::Date, tz::TimeZone};
use schemars::JsonSchema;
use serde::Serialize;
use sync_core::budget::{BudgetDefinition, Ledger, Month};

use crate::{caller::Looking, problem::Problem, router::Server};

/// The month's calls.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Budget {
    /// When it was asked.
    now: Timestamp,
    /// Calls that SmartSuite's plan includes each month, where the mapping file says so.
    pub(crate) monthly: Option<u64>,
    /// Calls of them that are left to people and other integrations.
    pub(crate) reserve: Option<u64>,
    /// The first day of the billing month, UTC.
    #[schemars(with = "String")]
    from: Date,
    /// The first day of the next.
    #[schemars(with = "String")]
    pub(crate) until: Date,
    /// Calls made in the billing month.
    pub(crate) used: u64,
    /// Calls that may still be made.
    left: Option<u64>,
    /// Calls that will have been made at the month's end; where all waits for the next month that is more than may be
    /// used, no more than that.
    pub(crate) forecast: Option<u64>,
    /// The day on which what may be used will be used up, if it will.
    #[schemars(with = "Option<String>")]
    pub(crate) exhausted_on: Option<Date>,
    /// How far it is: `within`, `near`, `used_up`, `throttled` or `stopped`.
    stage: Option<&'static str>,
    /// Calls by day and sync, UTC, oldest first; days without calls are left out.
    days: Vec<Day>,
}

/// Calls of a day.
#[derive(Debug, Serialize, JsonSchema)]
struct Day {
    /// The day, UTC.
    #[schemars(with = "String")]
    day: Date,
    /// Calls by sync.
    syncs: BTreeMap<String, u64>,
}

pub(crate) async fn budget(Looking(server): Looking) -> Result<Response, Problem> {
    Ok(Json(read(&server).await?.as_ref()).into_response())
}

/// The budget; the same for all who ask within a second.
pub(crate) async fn read(server: &Server) -> Result<Arc<Budget>, Problem> {
    let version = server.live.version();
    server.budget.get(server.clock.as_ref(), version, make(server)).await
}

async fn make(server: &Server) -> Result<Budget, Problem> {
    let now = server.clock.now();
    let since = Ledger::since(now);
    let calls = server.reading.read(move |reader| reader.calls(since)).await?.unwrap_or_default();
    let counts = calls.into_iter().map(|count| (count.day, count.sync, count.calls));
    Ok(Budget::new(server.desk.budget(), counts, now))
}

impl Budget {
    /// What calls by day and sync come to.
    pub(crate) fn new(
        definition: Option<BudgetDefinition>,
        counts: impl IntoIterator<Item = (Date, String, u64)>,
        now: Timestamp,
    ) -> Self {
        let mut by_day: BTreeMap<Date, BTreeMap<String, u64>> = BTreeMap::new();
        let mut ledger = Ledger::default();
        for (day, sync, calls) in counts {
            ledger.add(day, &sync, calls);
            *by_day.entry(day).or_default().entry(sync).or_default() += calls;
        }
        let sum = |since: Date| -> u64 {
            by_day.range(since..).map(|(_, syncs)| syncs.values().sum::<u64>()).sum()
        };
        let report = definition.map(|definition| ledger.report(&definition, now));
        let today = now.to_zoned(TimeZone::UTC).date();
        let month = report.map_or(Month::of(today, 1), |report| report.month);
        Self {
            now,
            monthly: report.map(|report| report.monthly_calls),
            reserve: report.map(|report| report.reserve),
            from: month.from,
            until: month.until,
            used: report.map_or_else(|| sum(month.from), |report| report.used),
            left: report.map(|report| report.left),
            forecast: report.map(|report| report.forecast),
            exhausted_on: report.and_then(|report| report.used_up_on),
            stage: report.map(|report| report.stage.word()),
            days: by_day.into_iter().map(|(day, syncs)| Day { day, syncs }).collect(),
        }
    }
}
