//! One record: create, get, update, replace, delete, restore (sections 3.3 and 3.8 to 3.10).

use http::StatusCode;
use serde_json::Value;

use crate::model::table::Table;
use crate::model::world::World;
use crate::object_id::ObjectId;
use crate::profile::DeleteAnswer;
use crate::reply::{Answer, Body, Reply, not_found, refusal};
use crate::rules::call::Call;
use crate::rules::draft::{Checker, Draft, Mode};
use crate::rules::read::View;
use crate::rules::webhooks::event::Batch;
use crate::rules::{effect, plan};

pub(crate) fn create(world: &mut World, call: &Call<'_>, table: &str) -> Answer {
    let id = call.table_to_change(world, table)?;
    let body = call.object()?;
    let draft = {
        let table = world.tables.get(&id).ok_or_else(not_found)?;
        plan::check_records(world, call.profile, table, 1)?;
        let mut checker = Checker::new(world, call, table, false).ok_or_else(not_found)?;
        checked(call, checker.check(&body, Mode::Create, None))?
    };
    let batch = Batch::new(world, 1);
    let rank = effect::create(world, call, id, draft, &batch);
    written(world, call, id, rank)
}

pub(crate) fn get(world: &World, call: &Call<'_>, table: &str, record: &str) -> Answer {
    let id = call.table(world, table)?;
    let table = world.tables.get(&id).ok_or_else(not_found)?;
    let rank = live_rank(table, record)?;
    let record = table.at(rank).ok_or_else(not_found)?;
    let hydrated = call.query.flag("hydrated");
    let view = View { hydrated, ..View::of_read(world, call.profile, table, call.now) };
    Ok(Reply::json(Value::Object(view.record(rank, record))))
}

pub(crate) fn update(
    world: &mut World,
    call: &Call<'_>,
    table: &str,
    record: &str,
    mode: Mode,
) -> Answer {
    let id = call.table_to_change(world, table)?;
    let rank = live_rank(world.tables.get(&id).ok_or_else(not_found)?, record)?;
    let body = call.object()?;
    let draft = {
        let table = world.tables.get(&id).ok_or_else(not_found)?;
        let mut checker = Checker::new(world, call, table, false).ok_or_else(not_found)?;
        checked(call, checker.check(&body, mode, table.at(rank)))?
    };
    let batch = Batch::new(world, 1);
    effect::update(world, call, id, rank, draft, &batch);
    written(world, call, id, rank)
}

pub(crate) fn delete(world: &mut World, call: &Call<'_>, table: &str, record: &str) -> Answer {
    let id = call.table_to_change(world, table)?;
    let rank = live_rank(world.tables.get(&id).ok_or_else(not_found)?, record)?;
    let batch = Batch::new(world, 1);
    effect::delete(world, call, id, rank, &batch);
    match call.profile.delete_answer {
        DeleteAnswer::Body => written(world, call, id, rank),
        DeleteAnswer::NoContent => Ok(Reply::new(StatusCode::NO_CONTENT, Body::Empty)),
    }
}

pub(crate) fn restore(world: &mut World, call: &Call<'_>, table: &str, record: &str) -> Answer {
    let id = call.table_to_change(world, table)?;
    let table = world.tables.get(&id).ok_or_else(not_found)?;
    let record: ObjectId = record.parse().map_err(|_| not_found())?;
    let rank = table.rank_of(record).ok_or_else(not_found)?;
    let is_deleted = table.at(rank).is_some_and(|record| record.deleted.is_some());
    if !is_deleted {
        return Err(not_found());
    }
    plan::check_records(world, call.profile, table, 1)?;
    let batch = Batch::new(world, 1);
    effect::restore(world, call, id, rank, &batch);
    written(world, call, id, rank)
}

/// The rank of a record that is not deleted.
pub(crate) fn live_rank(table: &Table, record: &str) -> Result<u64, Reply> {
    let id: ObjectId = record.parse().map_err(|_| not_found())?;
    table.live(id).and_then(|_| table.rank_of(id)).ok_or_else(not_found)
}

fn checked(
    call: &Call<'_>,
    result: Result<Draft, crate::rules::draft::Refused>,
) -> Result<Draft, Reply> {
    result.map_err(|refused| {
        let status = refused.status(call.profile);
        refusal(status, Value::Object(refused.errors))
    })
}

/// The answer to a write: the whole record (point 28).
pub(crate) fn written(world: &World, call: &Call<'_>, table: ObjectId, rank: u64) -> Answer {
    let table = world.tables.get(&table).ok_or_else(not_found)?;
    let record = table.at(rank).ok_or_else(not_found)?;
    let view = View::of_write(world, call.profile, table, call.now);
    Ok(Reply::json(Value::Object(view.record(rank, record))))
}
