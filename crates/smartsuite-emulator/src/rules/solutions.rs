//! Accounts and solutions (sections 1.1 and 4.1; point 15).

use serde_json::{Value, json};

use crate::model::account::{Account, Solution};
use crate::model::world::World;
use crate::object_id::ObjectId;
use crate::reply::{Answer, Reply, bad, not_found};
use crate::rules::call::Call;

/// The workspaces of a key: those that know its token.
pub(crate) fn accounts(world: &World, call: &Call<'_>) -> Reply {
    let own = world.accounts.get(&call.actor.account).into_iter();
    let shown = own.map(|account| {
        json!({
            "id": account.id,
            "slug": account.slug,
            "name": account.name,
            "plan": {"category": account.plan.name()},
        })
    });
    Reply::json(shown.collect())
}

fn account<'w>(world: &'w World, call: &Call<'_>) -> Result<&'w Account, Reply> {
    world.accounts.get(&call.actor.account).ok_or_else(not_found)
}

fn shown(world: &World, account: &Account, solution: &Solution) -> Value {
    let tables = world.tables_of(solution.id);
    let (count, records) =
        tables.fold((0_u64, 0), |(count, records), t| (count + 1, records + t.live_count()));
    json!({
        "id": solution.id,
        "slug": solution.slug,
        "name": solution.name,
        "logo_icon": solution.logo_icon,
        "logo_color": solution.logo_color,
        "status": "in_use",
        "hidden": false,
        "applications_count": count,
        "records_count": records,
        "members_count": account.members.iter().filter(|member| !member.system).count(),
        "created": solution.created.exact(),
        "created_by": solution.created_by,
        "permissions": {"level": "all_members", "members": [], "teams": []},
    })
}

pub(crate) fn list(world: &World, call: &Call<'_>) -> Answer {
    let account = account(world, call)?;
    let seen = account.solutions.values().filter(|solution| call.sees(solution.id));
    Ok(Reply::json(seen.map(|solution| shown(world, account, solution)).collect()))
}

pub(crate) fn get(world: &World, call: &Call<'_>, id: &str) -> Answer {
    let solution = call.solution(world, id)?;
    Ok(Reply::json(shown(world, account(world, call)?, solution)))
}

pub(crate) fn create(world: &mut World, call: &Call<'_>) -> Answer {
    call.may_write()?;
    let body = call.object()?;
    let text = |key: &str| body.get(key).and_then(Value::as_str).unwrap_or_default();
    let name = text("name");
    if name.is_empty() {
        return Err(bad("name", "This field is required."));
    }
    let own = account(world, call)?;
    if own.plan.limits().solutions.is_some_and(|most| own.solutions.len() >= most) {
        return Err(bad("name", "The plan's limit of solutions has been reached."));
    }
    let made =
        add(world, call, name, text("logo_icon"), text("logo_color")).ok_or_else(not_found)?;
    get(world, call, &made.to_string())
}

/// Adds a solution to the workspace of the call.
pub(crate) fn add(
    world: &mut World,
    call: &Call<'_>,
    name: &str,
    icon: &str,
    color: &str,
) -> Option<ObjectId> {
    let stamp = world.stamp(call.now, call.actor.member);
    let id = world.dice.object_id(call.now);
    let slug = format!("s{}", world.dice.alphanumeric(7).to_lowercase());
    let solution = Solution {
        id,
        slug,
        name: name.to_owned(),
        logo_icon: icon.to_owned(),
        logo_color: color.to_owned(),
        created: stamp.at,
        created_by: stamp.by,
    };
    let account = world.accounts.get_mut(&call.actor.account)?;
    account.solutions.insert(id, solution);
    Some(id)
}

pub(crate) fn is_unique_name(world: &World, call: &Call<'_>) -> Answer {
    let body = call.object()?;
    let name = body.get("name").and_then(Value::as_str);
    let name = name.ok_or_else(|| bad("name", "This field is required."))?;
    let taken = account(world, call)?.solutions.values().any(|solution| solution.name == name);
    Ok(Reply::json(json!({"is_unique": !taken})))
}
