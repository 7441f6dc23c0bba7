//! The six calls (section 6; points 44, 46, 48 and 50).

use std::collections::BTreeSet;

use http::StatusCode;
use serde_json::{Map, Value, json};

use super::event::Kind;
use super::scope::Scope;
use super::{Webhook, twirp};
use crate::model::record::Stamp;
use crate::model::world::World;
use crate::object_id::ObjectId;
use crate::profile::{EmptyPageToken, Profile};
use crate::reply::{Answer, Reply, refusal};
use crate::rules::call::Call;

fn refused(code: &str, message: &str) -> Reply {
    let status = match code {
        "unauthenticated" => StatusCode::UNAUTHORIZED,
        "permission_denied" => StatusCode::FORBIDDEN,
        "not_found" | "bad_route" => StatusCode::NOT_FOUND,
        "resource_exhausted" => StatusCode::TOO_MANY_REQUESTS,
        "internal" => StatusCode::INTERNAL_SERVER_ERROR,
        _ => StatusCode::BAD_REQUEST,
    };
    refusal(status, twirp(code, message))
}

fn invalid(message: &str) -> Reply {
    refused("invalid_argument", message)
}

/// Serves one method.
pub(crate) fn serve(world: &mut World, call: &Call<'_>, method: &str) -> Answer {
    if call.method != http::Method::POST {
        return Err(refused("bad_route", "unsupported method (only POST is allowed)"));
    }
    let request: Value = match call.body {
        [] => json!({}),
        body => serde_json::from_slice(body)
            .map_err(|_| refused("malformed", "the json request could not be decoded"))?,
    };
    let answer = match method {
        "CreateWebhook" => create(world, call, &request)?,
        "GetWebhook" | "GetWebhooks" => {
            json!({"webhook": own(world, call, &request)?.shown(call.now)})
        }
        "ListWebhooks" => list(world, call, &request)?,
        "UpdateWebhook" => update(world, call, &request)?,
        "DeleteWebhook" => {
            call_may_write(call)?;
            let id = own(world, call, &request)?.id.clone();
            world.webhooks.remove(&id);
            world.changes += 1;
            json!({})
        }
        "ListEvents" => list_events(world, call, &request)?,
        other => return Err(refused("bad_route", &format!("no handler for path {other}"))),
    };
    Ok(Reply::json(if call.profile.rpc_omits_empty { without_empties(answer) } else { answer }))
}

fn call_may_write(call: &Call<'_>) -> Result<(), Reply> {
    call.may_write().map_err(|_| refused("permission_denied", "the key may only read"))
}

fn own<'w>(
    world: &'w mut World,
    call: &Call<'_>,
    request: &Value,
) -> Result<&'w mut Webhook, Reply> {
    let id = request.get("webhook_id").and_then(Value::as_str).unwrap_or_default();
    if id.is_empty() {
        return Err(invalid("webhook_id is required"));
    }
    world
        .webhooks
        .get_mut(id)
        .filter(|webhook| webhook.account == call.actor.account && call.sees(webhook.solution))
        .ok_or_else(|| refused("not_found", "webhook not found"))
}

fn create(world: &mut World, call: &Call<'_>, request: &Value) -> Result<Value, Reply> {
    call_may_write(call)?;
    let wanted = request.get("webhook").ok_or_else(|| invalid("webhook is required"))?;
    let solution = solution(world, call, wanted)?;
    let scope = scope(world, call, solution, wanted)?;
    let kinds = kinds(wanted)?;
    let url = notification(wanted)?;
    let stamp = world.stamp(call.now, call.actor.member);
    let webhook = Webhook {
        id: world.dice.uuid(),
        account: call.actor.account.clone(),
        solution,
        scope,
        kinds,
        url,
        created: stamp,
        updated: stamp,
        listed_at: call.now,
        events: std::collections::BTreeMap::new(),
        next_sequence: 1,
        ping: None,
    };
    let shown = webhook.shown(call.now);
    world.webhooks.insert(webhook.id.clone(), webhook);
    Ok(json!({"webhook": shown}))
}

fn update(world: &mut World, call: &Call<'_>, request: &Value) -> Result<Value, Reply> {
    call_may_write(call)?;
    let wanted = request.get("webhook").ok_or_else(|| invalid("webhook is required"))?;
    let solution = own(world, call, wanted)?.solution;
    let has = |key: &str| wanted.get(key).is_some();
    let scope = if has("filter") { Some(scope(world, call, solution, wanted)?) } else { None };
    let kinds = if has("kinds") { Some(kinds(wanted)?) } else { None };
    let url = if has("notification_status") { Some(notification(wanted)?) } else { None };
    let stamp: Stamp = world.stamp(call.now, call.actor.member);
    let webhook = own(world, call, wanted)?;
    webhook.updated = stamp;
    if let Some(scope) = scope {
        webhook.scope = scope;
    }
    if let Some(kinds) = kinds {
        webhook.kinds = kinds;
    }
    if let Some(url) = url {
        webhook.url = url;
        webhook.ping = None;
    }
    Ok(json!({"webhook": webhook.shown(call.now)}))
}

fn solution(world: &World, call: &Call<'_>, wanted: &Value) -> Result<ObjectId, Reply> {
    let locator = wanted.get("locator").ok_or_else(|| invalid("locator is required"))?;
    let account = locator.get("account_id").and_then(Value::as_str).unwrap_or_default();
    if account != call.actor.account {
        return Err(invalid("locator.account_id is not this workspace"));
    }
    let id = locator.get("solution_id").and_then(Value::as_str).unwrap_or_default();
    match call.solution(world, id) {
        Ok(solution) => Ok(solution.id),
        Err(reply) if reply.status == StatusCode::FORBIDDEN => {
            Err(refused("permission_denied", "no access to the solution"))
        }
        Err(_) => Err(refused("not_found", "solution not found")),
    }
}

fn scope(
    world: &World,
    call: &Call<'_>,
    solution: ObjectId,
    wanted: &Value,
) -> Result<Scope, Reply> {
    let filter = wanted.get("filter").unwrap_or(&Value::Null);
    let scope = Scope::parse(filter).ok_or_else(|| {
        invalid("filter must be exactly one of solution, applications, application")
    })?;
    let is_seen = |id: &ObjectId| {
        world.tables.get(id).is_some_and(|t| t.solution == solution && call.sees_table(t))
    };
    if !scope.tables().iter().all(is_seen) {
        return Err(refused("not_found", "application not found"));
    }
    Ok(scope)
}

fn kinds(wanted: &Value) -> Result<BTreeSet<Kind>, Reply> {
    let list = wanted.get("kinds").and_then(Value::as_array).filter(|list| !list.is_empty());
    let list = list.ok_or_else(|| invalid("kinds is required"))?;
    let kinds = list.iter().map(|kind| serde_json::from_value(kind.clone()));
    kinds.collect::<Result<_, _>>().map_err(|_| invalid("kinds holds an unknown kind"))
}

fn notification(wanted: &Value) -> Result<Option<String>, Reply> {
    let status = wanted.get("notification_status").unwrap_or(&Value::Null);
    let enabled = status.get("enabled").and_then(|enabled| enabled.get("url"));
    match (enabled.and_then(Value::as_str), status.get("disabled")) {
        (Some(url), None) if url.starts_with("https://") || url.starts_with("http://") => {
            Ok(Some(url.to_owned()))
        }
        (None, Some(Value::Object(_))) => Ok(None),
        _ => Err(invalid("notification_status must be enabled with a url, or disabled")),
    }
}

/// The page size: a number, mostly written as text.
fn page_size(request: &Value, profile: &Profile) -> Result<usize, Reply> {
    let most = usize::try_from(profile.webhook_page_max).unwrap_or(usize::MAX).max(1);
    let size = match request.get("page_size") {
        None | Some(Value::Null) => return Ok(most.min(50)),
        Some(Value::String(text)) if text.is_empty() => return Ok(most.min(50)),
        Some(Value::String(text)) => text.parse::<usize>().ok(),
        Some(other) => other.as_u64().and_then(|size| usize::try_from(size).ok()),
    };
    let size = size.ok_or_else(|| invalid("page_size must be a number"))?;
    Ok(if size == 0 { most.min(50) } else { size.min(most) })
}

fn list(world: &World, call: &Call<'_>, request: &Value) -> Result<Value, Reply> {
    let solution = request.get("solution_id").and_then(Value::as_str).unwrap_or_default();
    let locator = json!({"account_id": call.actor.account, "solution_id": solution});
    let solution = self::solution(world, call, &json!({"locator": locator}))?;
    let size = page_size(request, call.profile)?;
    let after = request.get("page_token").and_then(Value::as_str).unwrap_or_default();
    let mut page = world
        .webhooks
        .values()
        .filter(|webhook| webhook.account == call.actor.account && webhook.solution == solution)
        .filter(|webhook| webhook.id.as_str() > after);
    let shown: Vec<&Webhook> = page.by_ref().take(size).collect();
    let more = page.next().is_some();
    let token = shown.last().filter(|_| more).map(|last| last.id.clone()).unwrap_or_default();
    let shown: Vec<Value> = shown.into_iter().map(|webhook| webhook.shown(call.now)).collect();
    Ok(json!({"webhooks": shown, "next_page_token": token}))
}

/// A token is the sequence after which to go on, hidden behind an offset so that nobody takes it
/// for one.
const TOKEN_OFFSET: u64 = 8_990_000;

fn list_events(world: &mut World, call: &Call<'_>, request: &Value) -> Result<Value, Reply> {
    let size = page_size(request, call.profile)?;
    let token = match request.get("page_token") {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(token)) => token.clone(),
        Some(Value::Number(token)) => token.to_string(),
        Some(_) => return Err(invalid("page_token must be text")),
    };
    let webhook = own(world, call, request)?;
    let last = webhook.next_sequence.saturating_sub(1);
    let after = if token.is_empty() {
        0
    } else {
        let sequence = token.parse::<u64>().ok().and_then(|t| t.checked_sub(TOKEN_OFFSET));
        sequence.filter(|s| *s <= last).ok_or_else(|| invalid("page_token is not valid"))?
    };
    let forgotten = webhook.events.keys().next().map_or(last, |first| first - 1);
    if !token.is_empty() && after < forgotten {
        return Err(invalid("page_token is too old"));
    }
    // Whoever lists is alive: the webhook wakes up and lives on (point 48).
    webhook.listed_at = call.now;
    let page: Vec<(u64, Value)> = webhook
        .events
        .range(after + 1..)
        .take(size)
        .map(|(sequence, event)| (*sequence, event.shown.clone()))
        .collect();
    world.changes += 1;
    let mut answer = Map::new();
    match page.last() {
        Some((sequence, _)) => {
            answer.insert("next_page_token".into(), (TOKEN_OFFSET + sequence).to_string().into());
        }
        None if call.profile.empty_page_token == EmptyPageToken::Kept => {
            answer.insert("next_page_token".into(), token.into());
        }
        None => {}
    }
    answer.insert("events".into(), page.into_iter().map(|(_, shown)| shown).collect());
    Ok(Value::Object(answer))
}

/// Leaves out empty lists, messages and texts of the envelope, as the wire format does; records
/// inside events keep theirs.
fn without_empties(value: Value) -> Value {
    let Value::Object(members) = value else { return value };
    let kept = members.into_iter().filter_map(|(key, value)| {
        let value = match key.as_str() {
            // `disabled: {}` says something by being there.
            "disabled" | "record_event_data" => value,
            "webhooks" | "events" => match value {
                Value::Array(items) => items.into_iter().map(without_empties).collect(),
                other => other,
            },
            _ => without_empties(value),
        };
        let is_empty = match &value {
            Value::Array(items) => items.is_empty(),
            Value::Object(members) => members.is_empty() && key != "disabled",
            Value::String(text) => text.is_empty(),
            Value::Null => true,
            Value::Bool(_) | Value::Number(_) => false,
        };
        (!is_empty).then_some((key, value))
    });
    Value::Object(kept.collect())
}
