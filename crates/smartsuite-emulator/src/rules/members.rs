//! Members and teams (section 4.7; point 43).

use serde_json::{Value, json};

use crate::model::account::{Account, Member};
use crate::model::world::World;
use crate::reply::{Answer, Reply, bad, not_found};
use crate::rules::call::Call;

fn account<'w>(world: &'w World, call: &Call<'_>) -> Result<&'w Account, Reply> {
    world.accounts.get(&call.actor.account).ok_or_else(not_found)
}

/// System members, such as forms and automations, are listed like any other.
pub(crate) fn members(world: &World, call: &Call<'_>) -> Answer {
    page(call, account(world, call)?.members.iter().map(Member::shown).collect())
}

pub(crate) fn teams(world: &World, call: &Call<'_>) -> Answer {
    let teams = account(world, call)?.teams.iter();
    page(call, teams.map(|team| json!(team)).collect())
}

/// The envelope that lists share; the body's sort and filter are accepted and have no effect.
fn page(call: &Call<'_>, all: Vec<Value>) -> Answer {
    call.object()?;
    let number = |key: &str| match call.query.get(key) {
        None | Some("") => Ok(0),
        Some(text) => text.parse::<usize>().map_err(|_| bad(key, "A valid integer is required.")),
    };
    let (offset, limit) = (number("offset")?, number("limit")?);
    let total = all.len();
    let most = if limit == 0 { total } else { limit };
    let items: Vec<Value> = all.into_iter().skip(offset).take(most).collect();
    Ok(Reply::json(json!({
        "items": items,
        "total": total,
        "offset": offset,
        "limit": limit,
        "time": call.now.exact(),
    })))
}
