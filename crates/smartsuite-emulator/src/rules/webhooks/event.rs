//! Events (section 6.1; points 45 and 46).

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::ping;
use crate::model::record::Record;
use crate::model::world::World;
use crate::moment::Moment;
use crate::object_id::ObjectId;
use crate::profile::{DeleteEvent, Previous, UpdateEvent};
use crate::rules::call::Call;
use crate::rules::read::View;

/// What happened to a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum Kind {
    #[serde(rename = "RECORD_CREATED")]
    Created,
    #[serde(rename = "RECORD_UPDATED")]
    Updated,
    #[serde(rename = "RECORD_DELETED")]
    Deleted,
}

/// An event of a webhook's log.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Event {
    pub(crate) at: Moment,
    pub(crate) shown: Value,
}

/// What the records of one call have in common.
#[derive(Debug, Clone)]
pub(crate) struct Batch {
    change_id: String,
    id: String,
    size: usize,
}

impl Batch {
    /// For a call that changes `size` records.
    pub(crate) fn new(world: &mut World, size: usize) -> Self {
        // Ids are drawn only where somebody sees them.
        if world.webhooks.is_empty() {
            return Self { change_id: String::new(), id: String::new(), size };
        }
        let id = format!("{:016x}", world.dice.next());
        Self { change_id: world.dice.uuid(), id, size }
    }
}

/// Writes an event to the log of every webhook that watches the record.
pub(crate) fn raise(
    world: &mut World,
    call: &Call<'_>,
    kind: Kind,
    table: ObjectId,
    rank: u64,
    before: Option<&Record>,
    batch: &Batch,
) {
    let is_silent = !call.actor.is_person && !call.profile.own_writes_raise_events;
    if world.webhooks.is_empty() || is_silent {
        return;
    }
    let Some(told) = told(world, call, kind, table, rank, before) else { return };
    let now = world.now;
    for webhook in world.webhooks.values_mut() {
        let watches = webhook.account == told.account
            && webhook.solution == told.solution
            && webhook.kinds.contains(&kind)
            && webhook.scope.covers(table, told.changed.as_ref());
        if !watches {
            continue;
        }
        let sequence = webhook.next_sequence;
        webhook.next_sequence += 1;
        let locator = json!({"account_id": told.account, "solution_id": told.solution});
        let shown = json!({
            "webhook_id": webhook.id,
            "event_id": format!("{}.{sequence}", webhook.id),
            "kind": kind,
            "event_at": now.timestamp().strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string(),
            "locator": locator,
            "record_event_data": {
                "record_id": told.record,
                "locator": {
                    "account_id": told.account,
                    "solution_id": told.solution,
                    "application_id": table,
                },
                "data": told.data,
                "previous": told.previous,
            },
            "ctx": {
                "change_id": batch.change_id,
                "change_size": 1,
                "batch_id": batch.id,
                "batch_size": batch.size,
                "source": "UNKNOWN",
                "handler": "INTERACTIVE",
            },
        });
        webhook.events.insert(sequence, Event { at: now, shown });
        ping::note(webhook, call.profile, now);
    }
}

/// What an event says of a record.
struct Told {
    account: String,
    solution: ObjectId,
    record: ObjectId,
    data: Value,
    previous: Value,
    /// The slugs that an update changed.
    changed: Option<BTreeSet<String>>,
}

fn told(
    world: &World,
    call: &Call<'_>,
    kind: Kind,
    table: ObjectId,
    rank: u64,
    before: Option<&Record>,
) -> Option<Told> {
    let table = world.tables.get(&table)?;
    let after = table.at(rank)?;
    let view = View::of_write(world, call.profile, table, call.now);
    let shown = view.record(rank, after);
    let was = before.map(|before| view.record(rank, before)).unwrap_or_default();
    // A stamp moves with every write; it is no field that somebody changed.
    let differs = |(slug, value): &(&String, &Value)| {
        *slug != "last_updated"
            && table.field(slug, call.now).is_some()
            && was.get(*slug) != Some(value)
    };
    let changed: BTreeSet<String> =
        shown.iter().filter(differs).map(|(slug, _)| slug.clone()).collect();
    let part = |all: &Map<String, Value>| -> Map<String, Value> {
        let kept = all.iter().filter(|(slug, _)| changed.contains(*slug));
        kept.map(|(slug, value)| (slug.clone(), value.clone())).collect()
    };
    let id = || json!({"id": after.id});
    let (data, previous) = match kind {
        Kind::Created => (Value::Object(shown.clone()), json!({})),
        Kind::Deleted => match call.profile.delete_event {
            DeleteEvent::FullState => (Value::Object(shown.clone()), json!({})),
            DeleteEvent::IdOnly => (id(), json!({})),
        },
        Kind::Updated => {
            let data = match call.profile.update_event {
                UpdateEvent::Full => Value::Object(shown.clone()),
                UpdateEvent::ChangedOnly => {
                    let mut data = part(&shown);
                    data.insert("id".into(), json!(after.id));
                    Value::Object(data)
                }
            };
            let previous = match call.profile.previous {
                Previous::Changed => Value::Object(part(&was)),
                Previous::Everything => Value::Object(was.clone()),
                Previous::Nothing => json!({}),
            };
            (data, previous)
        }
    };
    Some(Told {
        account: table.account.clone(),
        solution: table.solution,
        record: after.id,
        data,
        previous,
        changed: (kind == Kind::Updated).then_some(changed),
    })
}
