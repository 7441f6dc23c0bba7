//! One bulk call on its way: its entries as the client takes them.

use std::collections::BTreeMap;

use sync_core::{
    delivery::Operation,
    draft::Fields,
    error::CallErrorKind,
    record::RecordId,
    slug::Slug,
    state::{Call, CallEntry, CallKind, EntryId, StateError},
};

use super::{Route, landing::Answer};

/// Sends one bulk call, which has passed the gate and is marked.
pub(super) async fn send(
    route: &Route,
    call: &Call,
    filled: &BTreeMap<EntryId, Vec<Slug>>,
) -> Result<Answer, StateError> {
    let (calls, target, shape) = (&route.calls, &route.target, &route.shape);
    let (items, number) = (call.entries.len(), Some(call.number));
    Ok(match call.operation {
        Operation::Create => {
            let drafts: Vec<Fields> =
                call.entries.iter().map(|entry| entry.fields.clone()).collect();
            Answer::Written(
                calls
                    .send_numbered(CallKind::Create, items, number, target.create(shape, &drafts))
                    .await?,
            )
        }
        Operation::Update => {
            let drafts: Vec<(RecordId, Fields)> = addressed(call)
                .map(|(record, entry)| (record, draft(route, entry, filled.get(&entry.id))))
                .collect();
            let shape = route.archive.as_ref().map_or(&**shape, |archive| &archive.shape);
            Answer::Written(
                calls
                    .send_numbered(CallKind::Update, items, number, target.update(shape, &drafts))
                    .await?,
            )
        }
        Operation::Archive => {
            let Some(archive) = &route.archive else {
                return Ok(Answer::Written(Err(CallErrorKind::NotSent.into())));
            };
            let items_of: Vec<(RecordId, Fields)> =
                addressed(call).map(|(record, _)| (record, archive.archived.clone())).collect();
            let update = target.update(&archive.shape, &items_of);
            Answer::Written(calls.send_numbered(CallKind::Update, items, number, update).await?)
        }
        Operation::Delete => {
            let ids: Vec<RecordId> = addressed(call).map(|(record, _)| record).collect();
            Answer::Deleted(
                calls
                    .send_numbered(
                        CallKind::Delete,
                        items,
                        number,
                        target.delete(&shape.table, &ids),
                    )
                    .await?,
            )
        }
    })
}

/// What is written for a row: its draft, with values for fields that were seen empty, and what brings an archived record
/// back where the row was gone.
fn draft(route: &Route, entry: &CallEntry, filled: Option<&Vec<Slug>>) -> Fields {
    let empty = entry
        .fields
        .if_empty()
        .filter(|(slug, _)| filled.is_some_and(|filled| filled.contains(slug)));
    let archive = route.archive.as_ref().filter(|_| entry.returns);
    let restored = archive.iter().flat_map(|archive| archive.restored.iter());
    let fields = entry.fields.iter().chain(empty).chain(restored);
    Fields::new(fields.map(|(slug, value)| (Slug::clone(slug), value.clone())).collect())
}

fn addressed(call: &Call) -> impl Iterator<Item = (RecordId, &CallEntry)> {
    call.entries.iter().filter_map(|entry| Some((entry.record.clone()?, entry)))
}
