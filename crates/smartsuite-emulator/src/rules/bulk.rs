//! Up to 25 records at once (section 3.11; point 39).

use std::collections::BTreeSet;

use http::StatusCode;
use serde_json::{Map, Value, json};

use crate::model::table::Table;
use crate::model::world::World;
use crate::object_id::ObjectId;
use crate::profile::{BulkAnswer, BulkBadItem, BulkDuplicates, BulkErrors, BulkOrder, UnknownIds};
use crate::reply::{Answer, Reply, bad, not_found, refusal};
use crate::rules::call::Call;
use crate::rules::draft::{Checker, Draft, Mode, Refused};
use crate::rules::read::View;
use crate::rules::webhooks::event::Batch;
use crate::rules::{effect, plan};

/// The most items of a call.
const MOST_ITEMS: usize = 25;

/// What becomes of one item.
enum Fate {
    /// It is written: for an update, to the record at a rank.
    Write(Option<u64>, Draft),
    /// It is refused.
    Refuse(Refused),
    /// Its record does not exist, and that is no error.
    Skip,
    /// The plan has no room for it.
    NoRoom,
}

/// The items of a body, checked for number.
fn items(call: &Call<'_>, body: Value) -> Result<Vec<Value>, Reply> {
    let items = match body {
        Value::Object(mut body) => body.remove("items"),
        _ => None,
    };
    match items {
        Some(Value::Array(items)) if items.len() > MOST_ITEMS => Err(refusal(
            StatusCode::UNPROCESSABLE_ENTITY,
            json!({"items": ["Ensure this field has no more than 25 elements."]}),
        )),
        Some(Value::Array(items)) if items.is_empty() && !call.profile.empty_bulk => {
            Err(bad("items", "This list may not be empty."))
        }
        Some(Value::Array(items)) => Ok(items),
        Some(_) => Err(bad("items", "Expected a list of items.")),
        None => Err(bad("items", "This field is required.")),
    }
}

pub(crate) fn create(world: &mut World, call: &Call<'_>, table: &str) -> Answer {
    let id = call.table_to_change(world, table)?;
    let items = items(call, call.json()?)?;
    let table = world.tables.get(&id).ok_or_else(not_found)?;
    let more = u64::try_from(items.len()).unwrap_or(u64::MAX);
    let mut room = plan::room(world, table).unwrap_or(u64::MAX);
    if room < more && (room == 0 || call.profile.record_limit_bulk == BulkBadItem::RefuseAll) {
        return Err(plan::full(call.profile));
    }
    let mut checker = Checker::new(world, call, table, true).ok_or_else(not_found)?;
    let fates = items.iter().map(|item| match item {
        Value::Object(body) => match checker.check(body, Mode::Create, None) {
            Ok(_) if room == 0 => Fate::NoRoom,
            Ok(draft) => {
                room -= 1;
                Fate::Write(None, draft)
            }
            Err(refused) => Fate::Refuse(refused),
        },
        _ => Fate::Refuse(Refused::not_an_object()),
    });
    let fates = fates.collect();
    apply(world, call, id, fates)
}

pub(crate) fn update(world: &mut World, call: &Call<'_>, table: &str, mode: Mode) -> Answer {
    let id = call.table_to_change(world, table)?;
    let items = items(call, call.json()?)?;
    let table = world.tables.get(&id).ok_or_else(not_found)?;
    let mut checker = Checker::new(world, call, table, true).ok_or_else(not_found)?;
    let mut seen = BTreeSet::new();
    let mut fates = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let Value::Object(body) = item else {
            fates.push(Fate::Refuse(Refused::not_an_object()));
            continue;
        };
        let Some(text) = body.get("id").and_then(Value::as_str) else {
            let mut errors = vec![json!({}); index];
            errors.push(json!({"id": ["This field is required."]}));
            return Err(refusal(StatusCode::BAD_REQUEST, json!({"items": errors})));
        };
        let record: Option<ObjectId> = text.parse().ok();
        if !seen.insert(text) && call.profile.bulk_duplicates == BulkDuplicates::Refuse {
            return Err(bad("items", "An id occurs twice."));
        }
        let live = record.filter(|id| table.live(*id).is_some()).and_then(|id| table.rank_of(id));
        fates.push(match (live, call.profile.bulk_unknown_id) {
            (Some(rank), _) => match checker.check(body, mode, table.at(rank)) {
                Ok(draft) => Fate::Write(Some(rank), draft),
                Err(refused) => Fate::Refuse(refused),
            },
            (None, UnknownIds::Skip) => Fate::Skip,
            (None, UnknownIds::RefuseAll) => return Err(not_found()),
        });
    }
    apply(world, call, id, fates)
}

/// Writes what is to be written and answers in the shape of the profile.
fn apply(world: &mut World, call: &Call<'_>, table: ObjectId, fates: Vec<Fate>) -> Answer {
    let first_bad = fates.iter().position(|fate| matches!(fate, Fate::Refuse(_)));
    let written_up_to = match (first_bad, call.profile.bulk_bad_item) {
        (Some(_), BulkBadItem::RefuseAll) => 0,
        (Some(first), BulkBadItem::PartialThenRefuse) => first,
        (Some(_), BulkBadItem::Partial) | (None, _) => fates.len(),
    };
    let refusal = first_bad
        .filter(|_| call.profile.bulk_bad_item != BulkBadItem::Partial)
        .map(|_| refused_call(call, &fates));
    let is_full = fates.iter().any(|fate| matches!(fate, Fate::NoRoom))
        && call.profile.record_limit_bulk != BulkBadItem::Partial;
    let refusal = refusal.or_else(|| is_full.then(|| plan::full(call.profile)));
    let batch = Batch::new(world, fates.len());
    let mut ranks = Vec::new();
    let mut failed = Vec::new();
    for (index, fate) in fates.into_iter().enumerate().take(written_up_to) {
        match fate {
            Fate::Write(None, draft) => {
                ranks.push(effect::create(world, call, table, draft, &batch));
            }
            Fate::Write(Some(rank), draft) => {
                effect::update(world, call, table, rank, draft, &batch);
                ranks.push(rank);
            }
            Fate::Refuse(refused) => {
                failed.push(json!({"index": index, "reason": refused.errors}));
            }
            Fate::Skip => failed.push(json!({"index": index, "reason": "Not found."})),
            Fate::NoRoom => failed.push(json!({"index": index, "reason": plan::FULL})),
        }
    }
    match refusal {
        Some(refusal) => Err(refusal),
        None => answer(world, call, table, ranks, &failed),
    }
}

/// The refusal of a whole call.
fn refused_call(call: &Call<'_>, fates: &[Fate]) -> Reply {
    let errors: Vec<Value> = fates
        .iter()
        .map(|fate| match fate {
            Fate::Refuse(refused) => Value::Object(refused.errors.clone()),
            Fate::Write(..) | Fate::Skip | Fate::NoRoom => json!({}),
        })
        .collect();
    let first = fates.iter().find_map(|fate| match fate {
        Fate::Refuse(refused) => Some(refused),
        Fate::Write(..) | Fate::Skip | Fate::NoRoom => None,
    });
    let status = first.map_or(StatusCode::BAD_REQUEST, |refused| refused.status(call.profile));
    let body = match call.profile.bulk_errors {
        BulkErrors::ItemsObject => json!({"items": errors}),
        BulkErrors::AlignedArray => Value::Array(errors),
        BulkErrors::FieldsOnly => json!(first.map(|refused| &refused.errors)),
    };
    refusal(status, body)
}

fn answer(
    world: &mut World,
    call: &Call<'_>,
    id: ObjectId,
    mut ranks: Vec<u64>,
    failed: &[Value],
) -> Answer {
    if call.profile.bulk_order == BulkOrder::Shuffled {
        world.dice.shuffle(&mut ranks);
    }
    let table = world.tables.get(&id).ok_or_else(not_found)?;
    let view = View::of_write(world, call.profile, table, call.now);
    let records = ranks.iter().filter_map(|rank| Some((*rank, table.at(*rank)?)));
    let shown: Vec<Value> =
        records.map(|(rank, record)| Value::Object(view.record(rank, record))).collect();
    Ok(Reply::json(match call.profile.bulk_answer {
        BulkAnswer::Array => Value::Array(shown),
        BulkAnswer::Items => json!({"items": shown}),
        BulkAnswer::Outcomes => json!({"successful_items": shown, "failed_items": failed}),
    }))
}

/// `PATCH bulk_delete` with ids, or `DELETE bulk` with `[{id}]`, `{ids}` where that is served.
pub(crate) fn delete(world: &mut World, call: &Call<'_>, table: &str) -> Answer {
    let id = call.table_to_change(world, table)?;
    let body = match call.json()? {
        Value::Array(items) if call.method == http::Method::DELETE => json!({
            "items": items
                .iter()
                .map(|item| item.get("id").unwrap_or(item).clone())
                .collect::<Vec<Value>>(),
        }),
        Value::Object(mut body) if call.method == http::Method::DELETE => {
            json!({"items": body.remove("ids").or_else(|| body.remove("items"))})
        }
        other => other,
    };
    let items = items(call, body)?;
    let table = world.tables.get(&id).ok_or_else(not_found)?;
    let mut ranks = Vec::new();
    for item in &items {
        let Some(text) = item.as_str() else {
            return Err(bad("items", "Not a valid string."));
        };
        let rank = text.parse().ok().and_then(|id| live_rank(table, id));
        match (rank, call.profile.bulk_delete_unknown) {
            (Some(rank), _) if ranks.contains(&rank) => {}
            (Some(rank), _) => ranks.push(rank),
            (None, UnknownIds::Skip) => {}
            (None, UnknownIds::RefuseAll) => return Err(not_found()),
        }
    }
    let batch = Batch::new(world, ranks.len());
    for rank in &ranks {
        effect::delete(world, call, id, *rank, &batch);
    }
    let table = world.tables.get(&id).ok_or_else(not_found)?;
    let view = View::of_write(world, call.profile, table, call.now);
    let wants_little = call.query.all("fields").contains(&"id");
    let shown = ranks.iter().filter_map(|rank| {
        let mut record = view.record(*rank, table.at(*rank)?);
        if wants_little {
            record = little(record);
        }
        Some(Value::Object(record))
    });
    Ok(Reply::json(shown.collect()))
}

fn live_rank(table: &Table, id: ObjectId) -> Option<u64> {
    table.live(id).and_then(|_| table.rank_of(id))
}

/// What is left of a deleted record with `?fields=id`.
fn little(record: Map<String, Value>) -> Map<String, Value> {
    const KEPT: [&str; 4] = ["application_id", "id", "application_slug", "deleted_date"];
    record.into_iter().filter(|(key, _)| KEPT.contains(&key.as_str())).collect()
}
