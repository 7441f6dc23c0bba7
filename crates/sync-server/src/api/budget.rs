//! The month's calls: what was used, by day and sync, and what is left.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    Extension, Json,
    extract::State,
    http::HeaderMap,
    response::{IntoResponse, Response},
};
use jiff::{SignedDuration, Timestamp, civil::Date, tz::TimeZone};
use schemars::JsonSchema;
use serde::Serialize;

use crate::{problem::Problem, request::Peer, router::Server};

/// Days shown.
const DAYS: i64 = 62;

/// The month's calls.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Budget {
    /// When it was asked.
    now: Timestamp,
    /// Calls that SmartSuite's plan includes each month, where the mapping file says so.
    pub(crate) monthly: Option<u64>,
    /// The first day of this month, UTC.
    #[schemars(with = "String")]
    from: Date,
    /// The first day of the next.
    #[schemars(with = "String")]
    until: Date,
    /// Calls made this month.
    pub(crate) used: u64,
    /// Calls that the whole month will have taken if it goes on as in the last seven days.
    pub(crate) forecast: u64,
    /// The day on which the month's calls will be used up, if they will.
    #[schemars(with = "Option<String>")]
    pub(crate) exhausted_on: Option<Date>,
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

pub(crate) async fn budget(
    State(server): State<Server>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    server.may_look(&headers, peer)?;
    Ok(Json(read(&server).await?.as_ref()).into_response())
}

/// The budget; the same for all who ask within a second.
pub(crate) async fn read(server: &Server) -> Result<Arc<Budget>, Problem> {
    let version = server.live.version();
    server.budget.get(server.clock.as_ref(), version, make(server)).await
}

async fn make(server: &Server) -> Result<Budget, Problem> {
    let now = server.clock.now();
    let today = now.to_zoned(TimeZone::UTC).date();
    let since = now.saturating_sub(SignedDuration::from_hours(24 * (DAYS - 1))).unwrap_or(now);
    let since = since.to_zoned(TimeZone::UTC).date();
    let calls = server.reading.read(move |reader| reader.calls(since)).await?.unwrap_or_default();
    let mut by_day: BTreeMap<Date, BTreeMap<String, u64>> = BTreeMap::new();
    for count in calls {
        *by_day.entry(count.day).or_default().entry(count.sync).or_default() += count.calls;
    }
    let (from, until) = (today.first_of_month(), today.last_of_month().tomorrow().unwrap_or(today));
    let sum = |since: Date| -> u64 {
        by_day.range(since..).map(|(_, syncs)| syncs.values().sum::<u64>()).sum()
    };
    let used = sum(from);
    let monthly = server.desk.monthly_calls().map(u64::from);
    Ok(Budget {
        now,
        monthly,
        from,
        until,
        used,
        forecast: used,
        exhausted_on: None,
        days: by_day.into_iter().map(|(day, syncs)| Day { day, syncs }).collect(),
    })
}
