//! Deleting records that share an id, or emptying it, and looking after what an answer leaves out.

use sync_core::{
    draft::Fields,
    error::{CallError, CallErrorKind, Scope},
    field_value::FieldValue,
    port::{BULK_MAX, RecordFilter, RecordShape},
    record::{RecordId, SeenRecord},
    state::CallKind,
};

use super::{
    dedupe::Applied,
    holding::{Broken, Held},
};
use crate::run::Trouble;

/// What is to be done about some shared ids.
pub(super) struct Doomed<'a> {
    pub(super) ids: Vec<String>,
    /// The records that carry them, as they were seen.
    pub(super) seen: &'a [SeenRecord],
    pub(super) deletes: &'a [RecordId],
    pub(super) clears: &'a [RecordId],
}

impl Doomed<'_> {
    /// Whether a later look at the ids shows that this record carries its own no more: it is not among those seen, and a
    /// record is that keeps the id.
    fn is_done_with(&self, record: &RecordId, seen: &[SeenRecord]) -> bool {
        let before = self.seen.iter().find(|one| one.id == *record);
        let stays = |one: &SeenRecord| {
            !self.deletes.contains(&one.id)
                && !self.clears.contains(&one.id)
                && before.is_some_and(|before| before.external_id == one.external_id)
        };
        seen.iter().all(|one| one.id != *record) && seen.iter().any(stays)
    }
}

/// Deletes and clears. What an answer leaves out was changed by somebody before, or by the call, or not at all: it is
/// looked after.
pub(super) async fn resolve(
    held: &Held<'_>,
    shape: &RecordShape,
    doomed: &Doomed<'_>,
    applied: &mut Applied,
) -> Result<(), Broken> {
    let undeleted = delete(held, shape, doomed.deletes, applied).await?;
    let uncleared = clear(held, shape, doomed.clears, applied).await?;
    if undeleted.is_empty() && uncleared.is_empty() {
        return Ok(());
    }
    let later = held.list(shape, &RecordFilter::ExternalIds(doomed.ids.clone())).await?;
    let is_whole = later.received as u64 >= later.total;
    let mut left = 0;
    for (records, done) in [(undeleted, &mut applied.deleted), (uncleared, &mut applied.cleared)] {
        for record in records {
            // Lists may lag, and may find nothing where there is something.
            let is_done = is_whole && doomed.is_done_with(&record, &later.records)
                || !still_carries(held, shape, doomed, &record).await?;
            if is_done {
                done.push(record);
            } else {
                left += 1;
            }
        }
    }
    if left > 0 {
        applied.left += left;
        applied.refused.get_or_insert_with(|| unconfirmed(left));
    }
    Ok(())
}

/// Whether the record is there and carries the id that it was seen with.
async fn still_carries(
    held: &Held<'_>,
    shape: &RecordShape,
    doomed: &Doomed<'_>,
    record: &RecordId,
) -> Result<bool, Broken> {
    let get = || held.task.target.get(shape, record);
    let now = held.calls.repeatable(CallKind::LookUp, get).await??;
    let before = doomed.seen.iter().find(|one| one.id == *record);
    Ok(now.is_some_and(|now| before.is_none_or(|before| before.external_id == now.external_id)))
}

fn unconfirmed(records: u64) -> Trouble {
    Trouble::new(
        "smartsuite_unconfirmed",
        format!("SmartSuite took the call, and left records of it as they were: {records}"),
        "run `dedupe` again; if it stays so, look at these records in SmartSuite",
    )
}

/// Deletes records; answers those that an answer left out.
async fn delete(
    held: &Held<'_>,
    shape: &RecordShape,
    records: &[RecordId],
    applied: &mut Applied,
) -> Result<Vec<RecordId>, Broken> {
    let mut left_out = Vec::new();
    for batch in records.chunks(BULK_MAX) {
        let target = &held.task.target;
        let delete = || target.delete(&shape.table, batch);
        match held.calls.repeatable(CallKind::Delete, delete).await? {
            Ok(named) => sort_out(batch, &named, &mut applied.deleted, &mut left_out),
            Err(error) => refused(error, batch.len(), applied)?,
        }
    }
    Ok(left_out)
}

/// Empties the external ids of records; answers those that an answer left out.
async fn clear(
    held: &Held<'_>,
    shape: &RecordShape,
    records: &[RecordId],
    applied: &mut Applied,
) -> Result<Vec<RecordId>, Broken> {
    let mut left_out = Vec::new();
    for batch in records.chunks(BULK_MAX) {
        let empty = || Fields::new(vec![(shape.external_id.slug.clone(), FieldValue::Empty)]);
        let items: Vec<(RecordId, Fields)> =
            batch.iter().map(|record| (record.clone(), empty())).collect();
        let target = &held.task.target;
        let update = || target.update(shape, &items);
        match held.calls.repeatable(CallKind::Update, update).await? {
            Ok(answer) => {
                let named: Vec<RecordId> =
                    answer.records.into_iter().map(|record| record.id).collect();
                sort_out(batch, &named, &mut applied.cleared, &mut left_out);
            }
            Err(error) => refused(error, batch.len(), applied)?,
        }
    }
    Ok(left_out)
}

/// Of the records of a call that was answered, those that the answer names are done with.
fn sort_out(
    batch: &[RecordId],
    named: &[RecordId],
    done: &mut Vec<RecordId>,
    left_out: &mut Vec<RecordId>,
) {
    for record in batch {
        let place = if named.contains(record) { &mut *done } else { &mut *left_out };
        place.push(record.clone());
    }
}

/// A no to single records leaves them; anything else ends it.
fn refused(error: CallError, records: usize, applied: &mut Applied) -> Result<(), Broken> {
    if error.kind != CallErrorKind::NotFound && error.kind.scope() != Scope::Rows {
        return Err(error.into());
    }
    applied.left += records as u64;
    applied.refused = Some(Trouble::from(&error));
    Ok(())
}
