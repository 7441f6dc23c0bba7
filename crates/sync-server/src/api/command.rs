//! The commands. None carries a value: a run is started, keys are marked to be read again, rows are let out of
//! quarantine.

use axum::{Json, extract::Request};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sync_core::key::Key;
use sync_store::QuarantineFilter;

use crate::{
    caller::Acting,
    desk::{Done, Wish},
    problem::Problem,
    request::{Answer, SyncName, json},
    router::Server,
};

/// Keys that one request may name.
const KEYS_MAX: usize = 1_000;

/// How a run is started.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct RunRequest {
    /// Though the breaker stopped the sync, and with the rows in quarantine.
    retry: bool,
}

/// Which rows are read again.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ResyncRequest {
    /// Those with these keys; a composite key is written with `|` between its parts. Without it: every row.
    keys: Option<Vec<String>>,
}

/// Which rows in quarantine are meant: those that meet every condition.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct RowsRequest {
    /// Of this sync. Without it: of every sync.
    sync: Option<String>,
    /// With this complaint.
    code: Option<String>,
    /// The row with this key.
    key: Option<String>,
    /// Every row that is in quarantine. Needed where nothing else is given.
    all: bool,
}

/// What was done.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct DoneView {
    /// `triggered`: the sync runs, or runs again after the run under way. `done`: it is as asked. `later`: it is done
    /// as soon as the run under way has ended.
    status: &'static str,
    /// How many rows were meant, where rows are.
    rows: Option<u64>,
}

impl From<Done> for DoneView {
    fn from(done: Done) -> Self {
        let (status, rows) = match done {
            Done::Triggered => ("triggered", None),
            Done::Done => ("done", None),
            Done::Rows(rows) => ("done", Some(rows)),
            Done::Later => ("later", None),
        };
        Self { status, rows }
    }
}

pub(crate) async fn run(
    Acting(server): Acting,
    SyncName(sync): SyncName,
    request: Request,
) -> Answer<DoneView> {
    let RunRequest { retry } = json(request).await?;
    Ok(Json(server.ask(sync, Wish::Run { retry }).await?.into()))
}

pub(crate) async fn pause(Acting(server): Acting, SyncName(sync): SyncName) -> Answer<DoneView> {
    Ok(Json(server.ask(sync, Wish::Pause).await?.into()))
}

pub(crate) async fn resume(Acting(server): Acting, SyncName(sync): SyncName) -> Answer<DoneView> {
    Ok(Json(server.ask(sync, Wish::Resume).await?.into()))
}

pub(crate) async fn resync(
    Acting(server): Acting,
    SyncName(sync): SyncName,
    request: Request,
) -> Answer<DoneView> {
    let ResyncRequest { keys } = json(request).await?;
    if keys.as_ref().is_some_and(|keys| keys.is_empty() || keys.len() > KEYS_MAX) {
        return Err(Problem::bad_request("`keys` names at least 1 and at most 1,000 keys"));
    }
    let keys = keys.map(|keys| keys.iter().map(|key| Key::from_text(key)).collect());
    Ok(Json(server.ask(sync, Wish::Resync(keys)).await?.into()))
}

pub(crate) async fn retry(Acting(server): Acting, request: Request) -> Answer<DoneView> {
    let rows: RowsRequest = json(request).await?;
    for_rows(&server, rows, Wish::Retry).await
}

pub(crate) async fn drop_rows(Acting(server): Acting, request: Request) -> Answer<DoneView> {
    let rows: RowsRequest = json(request).await?;
    for_rows(&server, rows, Wish::Drop).await
}

async fn for_rows(
    server: &Server,
    rows: RowsRequest,
    wish: fn(QuarantineFilter) -> Wish,
) -> Answer<DoneView> {
    let RowsRequest { sync, code, key, all } = rows;
    if sync.is_none() && code.is_none() && key.is_none() && !all {
        return Err(Problem::bad_request("which rows are meant? `\"all\": true` means every one"));
    }
    let filter = QuarantineFilter { code, key };
    let syncs = match sync {
        Some(sync) => vec![sync],
        None => with_rows(server, &filter).await?,
    };
    let (mut meant, mut is_later) = (0, false);
    for sync in syncs {
        match server.ask(sync, wish(filter.clone())).await? {
            Done::Rows(rows) => meant += rows,
            Done::Later => is_later = true,
            Done::Triggered | Done::Done => {}
        }
    }
    Ok(Json(if is_later { Done::Later } else { Done::Rows(meant) }.into()))
}

/// The syncs of the mapping file that have such rows.
async fn with_rows(server: &Server, filter: &QuarantineFilter) -> Result<Vec<String>, Problem> {
    let names: Vec<String> =
        server.desk.roster().iter().map(|entry| entry.definition.name.clone()).collect();
    let filter = filter.clone();
    let found = server.reading.read(move |reader| {
        let mut found = Vec::new();
        for name in names {
            if !reader.quarantine_where(&name, &filter, None, 1)?.is_empty() {
                found.push(name);
            }
        }
        Ok(found)
    });
    Ok(found.await?.unwrap_or_default())
}
