//! Records listed: paging, the envelope, hydration, lag (section 3.4; points 30, 31 and 41).

use std::collections::BTreeSet;

use http::StatusCode;
use serde_json::{Map, Value, json};

use crate::model::record::Record;
use crate::model::table::Table;
use crate::model::world::World;
use crate::moment::Moment;
use crate::object_id::ObjectId;
use crate::profile::{ListDefault, ListOffset, OverLimit, Profile};
use crate::reply::{Answer, Reply, bad, not_found, refusal};
use crate::rules::call::Call;
use crate::rules::filter::{Filter, Plan};
use crate::rules::read::View;
use crate::rules::sort;

const MOST_RECORDS: u64 = 1000;

/// `offset` and `limit` of a request; a limit of none means all.
struct Page {
    offset: u64,
    limit: Option<u64>,
}

impl Page {
    fn parse(call: &Call<'_>) -> Result<Self, Reply> {
        let number = |key: &str| match call.query.get(key) {
            None | Some("") => Ok(None),
            Some(text) => {
                text.parse::<u64>().map(Some).map_err(|_| bad(key, "A valid integer is required."))
            }
        };
        let offset = number("offset")?.unwrap_or(0);
        let limit = match number("limit")?.filter(|limit| *limit > 0) {
            Some(limit) if limit > MOST_RECORDS => match call.profile.list_over_limit {
                OverLimit::Refuse => {
                    return Err(bad("limit", "Ensure this value is less than or equal to 1000."));
                }
                OverLimit::Cap => Some(MOST_RECORDS),
            },
            Some(limit) => Some(limit),
            None => match call.profile.list_default {
                ListDefault::All => None,
                ListDefault::FirstHundred => Some(100),
            },
        };
        Ok(Self { offset, limit })
    }
}

pub(crate) fn serve(world: &World, call: &Call<'_>, table: &str) -> Answer {
    let id = call.table(world, table)?;
    let table = world.tables.get(&id).ok_or_else(not_found)?;
    let page = Page::parse(call)?;
    let body = call.object()?;
    let refused = |errors: Value| refusal(StatusCode::BAD_REQUEST, errors);
    let filter = body.get("filter").unwrap_or(&Value::Null);
    let filter = Filter::parse(world, call, table, filter).map_err(refused)?;
    let order = sort::parse(call, table, body.get("sort")).map_err(refused)?;
    let wanted = ids(&body)?;
    let all = call.query.flag("all");
    let hydrated = body.get("hydrated").and_then(Value::as_bool).unwrap_or(false)
        || call.query.flag("hydrated");
    let view = View { hydrated, ..View::of_read(world, call.profile, table, call.now) };

    let seen = Seen { table, horizon: horizon(call.profile, call.now) };
    let mut matches: Vec<(u64, &Record)> = Vec::new();
    let mut consider = |rank: u64| {
        world.work.count(|work| work.records_examined += 1);
        let Some(record) = seen.record(rank) else { return };
        let is_wanted = (all || record.deleted.is_none())
            && wanted.as_ref().is_none_or(|ids| ids.contains(&record.id))
            && filter.matches(&view, rank, record);
        if is_wanted {
            matches.push((rank, record));
        }
    };
    match filter.plan(table) {
        Plan::Some(ranks, probes) => {
            world.work.count(|work| work.index_probes += probes);
            // A lagging list may see a value that the index has already forgotten.
            let lagging = seen.horizon.is_some().then(|| table.lagging()).into_iter().flatten();
            let ranks: BTreeSet<u64> = ranks.into_iter().chain(lagging).collect();
            ranks.into_iter().for_each(&mut consider);
        }
        Plan::From(first) => table.ranks_from(first).for_each(&mut consider),
    }
    sort::apply(&view, &order, &mut matches);

    let total = matches.len();
    let start = usize::try_from(page.offset).unwrap_or(usize::MAX).min(total);
    let length = page.limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(total);
    let items: Vec<Value> = matches
        .iter()
        .skip(start)
        .take(length)
        .map(|(rank, record)| Value::Object(trimmed(call, view.record(*rank, record))))
        .collect();
    let offset = match call.profile.list_offset {
        ListOffset::Echo => page.offset,
        ListOffset::Next => page.offset.saturating_add(u64::try_from(items.len()).unwrap_or(0)),
    };
    Ok(Reply::json(json!({
        "items": items,
        "total": total,
        "offset": offset,
        "limit": page.limit.unwrap_or(0),
        "time": call.now.exact(),
    })))
}

/// Records as a list sees them that may lag behind.
struct Seen<'a> {
    table: &'a Table,
    horizon: Option<Moment>,
}

impl<'a> Seen<'a> {
    fn record(&self, rank: u64) -> Option<&'a Record> {
        self.table.seen_at(rank, self.horizon)
    }
}

/// What happened after this moment is not seen; none when all is.
fn horizon(profile: &Profile, now: Moment) -> Option<Moment> {
    (profile.list_lag_ms > 0).then(|| now.plus_millis(-i64::from(profile.list_lag_ms)))
}

/// The undocumented restriction to some ids.
fn ids(body: &Map<String, Value>) -> Result<Option<BTreeSet<ObjectId>>, Reply> {
    match body.get("ids") {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Array(ids)) => {
            let known = ids.iter().filter_map(|id| id.as_str()?.parse().ok());
            Ok(Some(known.collect()))
        }
        Some(_) => Err(bad("ids", "Expected a list of items.")),
    }
}

fn trimmed(call: &Call<'_>, record: Map<String, Value>) -> Map<String, Value> {
    let wanted = call.query.all("fields");
    if wanted.is_empty() || !call.profile.fields_query {
        return record;
    }
    record.into_iter().filter(|(key, _)| key == "id" || wanted.contains(&key.as_str())).collect()
}
