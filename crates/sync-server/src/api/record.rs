//! Why a record is as it is.

use axum::{Json, extract::Query};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    caller::Looking,
    problem::Problem,
    request::{Answer, SyncName},
};

/// Which record.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct RecordQuery {
    /// The row's key; the parts of a composite key are joined by `|`.
    pub(crate) key: String,
    /// Whether the row itself is read, too; without it what the state knows is enough.
    #[serde(default)]
    pub(crate) live: bool,
}

/// The story of a record: the answer of `explain --json`.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct RecordStory {
    /// The sync.
    sync: String,
    /// The row's key.
    key: String,
    /// The key as the record carries it.
    external_id: String,
    /// What the database says; `null`: it was not asked.
    source: Option<SourceStory>,
    /// The record that is the key's own.
    link: Option<LinkStory>,
    /// What is wished for the record, the oldest first.
    entries: Vec<EntryStory>,
    /// Whether the next run reads the row again.
    read_again: bool,
    /// When the record is looked at once more.
    look_again_at: Option<Timestamp>,
    /// What was done to the record, newest first.
    effects: Vec<EffectStory>,
}

/// What the database says.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct SourceStory {
    /// Whether there is a row.
    found: bool,
    /// Why it could not be read.
    error: Option<String>,
    /// Its cells by column.
    row: Value,
    /// The fields that it becomes.
    becomes: Option<Value>,
    /// Of what it becomes.
    fingerprint: Option<String>,
    /// Why it becomes nothing.
    fault: Option<FaultStory>,
    /// Whether the mapping fits the table.
    fits: bool,
    /// What the next run does about it.
    next_run: Option<String>,
}

/// The record that is the key's own.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct LinkStory {
    /// Its id.
    record: String,
    /// Whether this tool created it.
    created_here: bool,
    /// `held`, `gone`, `missing` or `leftmissing`.
    standing: String,
    /// Of what it is believed to hold; `null`: not known for sure.
    fingerprint: Option<String>,
    /// When it was linked.
    since: Timestamp,
    /// When it was last written or compared.
    updated_at: Timestamp,
}

/// A wish.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct EntryStory {
    /// `waiting`, `sending`, `indoubt`, `quarantined` or `held`.
    standing: String,
    /// Whether no record is wished for.
    gone: bool,
    /// The fields that are wished for.
    fields: Option<Value>,
    /// Of what is wished.
    fingerprint: Option<String>,
    /// When the row was read.
    since: Timestamp,
    /// It is not sent before this.
    not_before: Timestamp,
    /// How often it was sent.
    attempts: u64,
    /// How often it was refused.
    refusals: u64,
    /// Why it is in quarantine.
    fault: Option<FaultStory>,
}

/// Why a row cannot be written.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct FaultStory {
    /// Stable code.
    code: String,
    /// The field to blame.
    #[serde(default)]
    field: Option<String>,
    /// In words.
    #[serde(alias = "reason")]
    message: String,
    /// What to do.
    hint: String,
}

/// What was done to the record.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct EffectStory {
    /// When.
    at: Timestamp,
    /// What.
    kind: String,
    /// To which record.
    record: Option<String>,
    /// The fields that were written or refused.
    fields: Vec<String>,
    /// Why it was refused.
    code: Option<String>,
    /// By which run.
    run: Option<i64>,
    /// By which writing call.
    call: Option<i64>,
}

pub(crate) async fn record(
    Looking(server): Looking,
    SyncName(sync): SyncName,
    query: Result<Query<RecordQuery>, axum::extract::rejection::QueryRejection>,
) -> Answer<RecordStory> {
    let Query(query) = query.map_err(|error| Problem::bad_request(error.body_text()))?;
    let story = server.desk.explain(sync, query.key, query.live).await?;
    let story = serde_json::from_value(story)
        .map_err(|error| sync_core::state::StateError::Other(error.to_string()))?;
    Ok(Json(story))
}
