//! The recycle bin: what is in it, and when it is emptied (section 3.10; point 38).

use serde_json::{Value, json};

use crate::model::record::Record;
use crate::model::table::Table;
use crate::model::world::World;
use crate::moment::Moment;
use crate::object_id::ObjectId;
use crate::reply::{Answer, Reply, bad, not_found};
use crate::rules::call::Call;
use crate::rules::read::View;
use crate::rules::single;

/// The deleted records of a solution, latest first.
fn gone<'w>(
    world: &'w World,
    call: &Call<'_>,
    solution: ObjectId,
) -> Vec<(&'w Table, u64, &'w Record)> {
    let tables = world.tables_of(solution).filter(|table| call.sees_table(table));
    let mut gone: Vec<_> = tables
        .flat_map(|table| table.deleted_rows().map(move |(rank, record)| (table, rank, record)))
        .collect();
    gone.sort_by_key(|(_, _, record)| {
        std::cmp::Reverse((record.deleted.as_ref().map(|stamp| stamp.at), record.id))
    });
    gone
}

fn solution(world: &World, call: &Call<'_>) -> Result<ObjectId, Reply> {
    let body = call.object()?;
    let id = body.get("solution_id").and_then(Value::as_str);
    let id = id.ok_or_else(|| bad("solution_id", "This field is required."))?;
    Ok(call.solution(world, id)?.id)
}

fn shown(
    world: &World,
    call: &Call<'_>,
    (table, rank, record): (&Table, u64, &Record),
    is_preview: bool,
) -> Value {
    let view = View::of_read(world, call.profile, table, call.now);
    let title = table.title_column().and_then(|column| record.cell(column).as_text());
    let mut all = if is_preview { serde_json::Map::new() } else { view.record(rank, record) };
    let deleted = record.deleted.as_deref();
    let stamp = json!({"on": view.moment(record.updated.at), "by": record.updated.by});
    let preview = json!({
        "id": record.id,
        "title": title.unwrap_or_default(),
        "deleted_by": deleted.map(|stamp| stamp.by),
        "deleted_date": {"date": deleted.map(|s| view.moment(s.at)), "include_time": true},
        "last_updated": stamp,
        "application_slug": table.slug,
        "application_id": table.id,
        "application_name": table.name,
        "application_record_term": table.record_term,
        "solution_id": table.solution,
    });
    if let Value::Object(preview) = preview {
        all.extend(preview);
    }
    Value::Object(all)
}

pub(crate) fn list(world: &World, call: &Call<'_>) -> Answer {
    let solution = solution(world, call)?;
    let is_preview = call.query.flag("preview");
    let gone = gone(world, call, solution).into_iter();
    Ok(Reply::json(gone.map(|row| shown(world, call, row, is_preview)).collect()))
}

/// The same in pages with a cursor, which is the id of the last record shown.
pub(crate) fn pages(world: &World, call: &Call<'_>) -> Answer {
    let solution = solution(world, call)?;
    let body = call.object()?;
    let size = body.get("page_size").and_then(Value::as_u64).unwrap_or(100).clamp(1, 1000);
    let size = usize::try_from(size).unwrap_or(100);
    let cursor = body.get("cursor").and_then(Value::as_str).filter(|cursor| !cursor.is_empty());
    let gone = gone(world, call, solution);
    let start = match cursor {
        None => 0,
        Some(cursor) => {
            let last = gone.iter().position(|(_, _, record)| record.id.to_string() == cursor);
            last.map(|last| last + 1).ok_or_else(|| bad("cursor", "Invalid cursor."))?
        }
    };
    let page: Vec<_> = gone.iter().skip(start).take(size).copied().collect();
    let more = start + page.len() < gone.len();
    let next = page.last().filter(|_| more).map(|(_, _, record)| record.id);
    let records: Vec<Value> = page.into_iter().map(|row| shown(world, call, row, false)).collect();
    Ok(Reply::json(json!({"count": gone.len(), "records": records, "next_cursor": next})))
}

/// The path one client uses, without the table.
pub(crate) fn restore_by_id(world: &mut World, call: &Call<'_>, record: &str) -> Answer {
    let id: ObjectId = record.parse().map_err(|_| not_found())?;
    let table = world.tables.values().find(|table| table.any(id).is_some());
    let table = table.ok_or_else(not_found)?.id.to_string();
    single::restore(world, call, &table, record)
}

/// Removes for good what has lain in the bin for as long as the plan keeps it.
pub(crate) fn purge(world: &mut World, now: Moment) {
    for table in world.tables.values_mut() {
        let plan = world.accounts.get(&table.account).map(|account| account.plan);
        let Some(days) = plan.map(|plan| plan.limits().retention_days) else { continue };
        while let Some(rank) = table.oldest_deleted(now.plus_days(-days)) {
            table.purge(rank);
        }
    }
}
