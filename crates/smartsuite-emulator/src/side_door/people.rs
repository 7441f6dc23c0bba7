//! A person working in the application: edits that no API call makes (points 45 and 51).

use http::Method;
use serde_json::{Map, Value, json};

use crate::model::world::World;
use crate::moment::Moment;
use crate::object_id::ObjectId;
use crate::profile::Profile;
use crate::query::Query;
use crate::reply::{Answer, Reply, bad, not_found, refusal};
use crate::rules::call::{Actor, Call};
use crate::rules::draft::{Checker, Draft, Mode};
use crate::rules::webhooks::event::Batch;
use crate::rules::{effect, single};

/// `{"action", "account", "member", "table", "record", "values"}`; the action is `create`,
/// `update`, `copy`, `delete` or `restore`. Without account and member, the only account and its
/// first member that no key uses.
pub(crate) fn edit(world: &mut World, own: &Profile, now: Moment, body: &Value) -> Answer {
    let text = |key: &str| body.get(key).and_then(Value::as_str);
    let actor = actor(world, text("account"), text("member"))?;
    // A person chooses from lists and date pickers: nothing is refused for its form.
    let profile = Profile {
        own_writes_raise_events: true,
        emulator_header: own.emulator_header,
        read_empties: own.read_empties,
        link_bumps: own.link_bumps,
        delete_event: own.delete_event,
        update_event: own.update_event,
        previous: own.previous,
        pings: own.pings,
        ping_debounce_ms: own.ping_debounce_ms,
        list_lag_ms: own.list_lag_ms,
        ..Profile::lenient()
    };
    let call = Call {
        profile: &profile,
        actor: &actor,
        now,
        method: &Method::POST,
        query: Query::default(),
        content_type: "application/json",
        body: &[],
    };
    let table = call.table(world, text("table").unwrap_or_default())?;
    let record = text("record").unwrap_or_default();
    let values = match body.get("values") {
        Some(Value::Object(values)) => values.clone(),
        None | Some(Value::Null) => Map::new(),
        Some(_) => return Err(bad("values", "an object of values by slug")),
    };
    let rank =
        |world: &World| single::live_rank(world.tables.get(&table).ok_or_else(not_found)?, record);
    let batch = Batch::new(world, 1);
    let rank = match text("action") {
        Some("create") => {
            let draft = draft(&call, world, table, &values, Mode::Create)?;
            effect::create(world, &call, table, draft, &batch)
        }
        Some("update") => {
            let rank = rank(world)?;
            let draft = draft(&call, world, table, &values, Mode::Update)?;
            effect::update(world, &call, table, rank, draft, &batch);
            rank
        }
        Some("copy") => {
            let rank = rank(world)?;
            let held = world.tables.get(&table).and_then(|table| table.at(rank));
            let cells = held.map(|record| record.cells.clone()).unwrap_or_default();
            let changes = draft(&call, world, table, &values, Mode::Update)?;
            let cells = cells.into_iter().enumerate().chain(changes.cells).collect();
            let draft = Draft { cells, attachments: Vec::new() };
            effect::create(world, &call, table, draft, &batch)
        }
        Some("delete") => {
            let rank = rank(world)?;
            effect::delete(world, &call, table, rank, &batch);
            rank
        }
        Some("restore") => {
            let id: ObjectId = record.parse().map_err(|_| not_found())?;
            let known = world.tables.get(&table).and_then(|table| table.rank_of(id));
            let rank = known.ok_or_else(not_found)?;
            effect::restore(world, &call, table, rank, &batch);
            rank
        }
        _ => return Err(bad("action", "one of create, update, copy, delete, restore")),
    };
    single::written(world, &call, table, rank)
}

fn actor(world: &World, account: Option<&str>, member: Option<&str>) -> Result<Actor, Reply> {
    let accounts = &world.accounts;
    let account = match account {
        Some(slug) => accounts.get(slug),
        None => accounts.values().next(),
    };
    let account = account.ok_or_else(not_found)?;
    let person = match member {
        Some(id) => {
            let id: Option<ObjectId> = id.parse().ok();
            account.members.iter().find(|member| Some(member.id) == id)
        }
        None => account.members.iter().find(|member| {
            !member.system && !account.keys.iter().any(|key| key.member == member.id)
        }),
    };
    let person = person.ok_or_else(|| bad("member", "no such member"))?;
    let actor = Actor::everything(account.slug.clone(), person.id);
    Ok(Actor { is_person: true, ..actor })
}

fn draft(
    call: &Call<'_>,
    world: &World,
    table: ObjectId,
    values: &Map<String, Value>,
    mode: Mode,
) -> Result<Draft, Reply> {
    let table = world.tables.get(&table).ok_or_else(not_found)?;
    let mut checker = Checker::new(world, call, table, true).ok_or_else(not_found)?;
    checker
        .check(values, mode, None)
        .map_err(|refused| refusal(http::StatusCode::BAD_REQUEST, json!(refused.errors)))
}
