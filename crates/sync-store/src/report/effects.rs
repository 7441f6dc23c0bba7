//! What was done to the record of a row.

use jiff::Timestamp;
use rusqlite::{Row, params};
use sync_core::{key::Key, record::RecordId, slug::Slug, state::StateError};

use super::StateReader;
use crate::{
    EffectKind,
    column::{KeyParameter, RecordColumn, limit, time},
};

/// One thing that was done to a record, or could not be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Effect {
    /// When its answer was stored.
    pub at: Timestamp,
    /// What.
    pub kind: EffectKind,
    /// The record; `None` where none is known, as for a create that was refused.
    pub record: Option<RecordId>,
    /// The fields that were written, or the one that was refused; sorted, and empty where none is named.
    pub fields: Vec<Slug>,
    /// The code of a refusal.
    pub code: Option<String>,
    /// The run.
    pub run: Option<i64>,
    /// The number of the writing call, over the state's whole life; `None` for what no writing call led to. A record
    /// that was found after a create without an answer names that create's call.
    pub call: Option<i64>,
}

impl StateReader {
    /// What was done to the record of the row with this key, newest first, at most `effects_max`. A composite key is
    /// written as in `record_mappings`: its parts joined by `|`.
    pub fn effects(
        &self,
        name: &str,
        source_id: &str,
        effects_max: usize,
    ) -> Result<Vec<Effect>, StateError> {
        let effects = self.all(
            "SELECT e.at, e.kind, e.record_id, f.slugs, e.code, e.run, e.call
             FROM effects AS e LEFT JOIN field_sets AS f ON f.id = e.fields
             WHERE e.sync_id = (SELECT id FROM syncs WHERE name = ?) AND e.key = ? ORDER BY e.id DESC LIMIT ?",
            params![name, KeyParameter(&Key::from_text(source_id)), limit(effects_max)],
            effect,
        )?;
        Ok(effects.into_iter().flatten().collect())
    }
}

/// `None`: of a kind that only newer programs know.
fn effect(row: &Row<'_>) -> rusqlite::Result<Option<Effect>> {
    let Some(kind) = EffectKind::from_number(row.get(1)?) else { return Ok(None) };
    let slugs: Option<String> = row.get(3)?;
    Ok(Some(Effect {
        at: time(row.get(0)?),
        kind,
        record: row.get::<_, Option<RecordColumn>>(2)?.map(|record| record.0),
        fields: slugs.and_then(|slugs| serde_json::from_str(&slugs).ok()).unwrap_or_default(),
        code: row.get(4)?,
        run: row.get(5)?,
        call: row.get(6)?,
    }))
}
