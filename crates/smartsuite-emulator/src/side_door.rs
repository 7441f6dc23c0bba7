//! `/_emulator/...`: what the service does not have (section 8.6; point 51).
//!
//! Seed, reset, faults, clock, profile, request log, counters, edits by a person, dumps, the page.

pub(crate) mod people;

use bytes::Bytes;
use http::{Request, StatusCode};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::emulator::Emulator;
use crate::faults::FaultScript;
use crate::moment::Moment;
use crate::page;
use crate::profile::{Profile, ProfileName, ReadEmpties};
use crate::query::Query;
use crate::reply::{Answer, Body, Reply, bad, not_found};
use crate::request_log::LogEntry;
use crate::rules::read::View;
use crate::seed::Seed;
use crate::validate::parse_instant;

/// Where the side door is.
pub(crate) const PREFIX: &str = "/_emulator";
/// The same with its slash.
pub(crate) const PREFIX_SLASH: &str = "/_emulator/";

/// Answers a request to the side door.
pub(crate) fn serve(emulator: &mut Emulator, now: Timestamp, request: &Request<Bytes>) -> Reply {
    answer(emulator, now, request).unwrap_or_else(|refusal| refusal)
}

fn answer(emulator: &mut Emulator, now: Timestamp, request: &Request<Bytes>) -> Answer {
    let path = request.uri().path().trim_end_matches('/');
    let rest = path.strip_prefix(PREFIX).unwrap_or_default().trim_start_matches('/');
    let parts: Vec<&str> = rest.split('/').collect();
    let query = Query::parse(request.uri().query().unwrap_or_default());
    let method = request.method();
    let moment = emulator.moment(now);
    match (parts.as_slice(), method.as_str()) {
        ([""], "GET") => Ok(html(page::overview(emulator, moment))),
        (["tables", id], "GET") => {
            let page = page::table(emulator, moment, id, query.get("page"));
            page.map(html).ok_or_else(not_found)
        }
        (["tables", id, "dump"], "GET") => dump(emulator, moment, id, &query),
        (["ready"], "GET") => Ok(Reply::json(json!({
            "ready": true,
            "emulator": true,
            "time": moment.exact(),
        }))),
        (["seed"], "POST") => seed(emulator, moment, request),
        (["reset"], "POST") => {
            emulator.reset(now).map_err(|error| bad("reset", &error.to_string()))?;
            Ok(Reply::json(json!({})))
        }
        (["faults"], "GET") => Ok(Reply::json(json!(emulator.faults))),
        (["faults"], "POST") => {
            let script = FaultScript::from_json(request.body());
            let script = script.map_err(|error| bad("faults", &error.to_string()))?;
            emulator.faults.faults.extend(script.faults);
            Ok(Reply::json(json!(emulator.faults)))
        }
        (["faults"], "DELETE") => {
            emulator.faults = FaultScript::default();
            Ok(Reply::json(json!(emulator.faults)))
        }
        (["clock"], "GET") => Ok(clock(emulator, now)),
        (["clock"], "POST") => set_clock(emulator, now, request),
        (["profile"], "GET") => Ok(Reply::json(json!(emulator.profile))),
        (["profile"], "PATCH") => change_profile(emulator, request),
        (["log"], "GET") => Ok(log(emulator, &query)),
        (["log"], "DELETE") => {
            emulator.log.clear();
            Ok(Reply::json(json!({})))
        }
        (["log"], "PATCH") => {
            let keeps = object(request)?.get("bodies").and_then(Value::as_bool);
            emulator.log.keeps_bodies = keeps.unwrap_or(false);
            Ok(Reply::json(json!({"bodies": emulator.log.keeps_bodies})))
        }
        (["counters"], "GET") => Ok(Reply::json(json!({
            "requests": emulator.log.counters(),
            "work": emulator.work(),
        }))),
        (["quota"], "POST") => quota(emulator, moment, request),
        (["people"], "POST") => Ok(emulator.edit(moment, &object(request)?)),
        _ => Err(not_found()),
    }
}

fn html(page: String) -> Reply {
    Reply::new(StatusCode::OK, Body::Html(page))
}

/// The body of a request to the side door.
fn object(request: &Request<Bytes>) -> Result<Value, Reply> {
    if request.body().is_empty() {
        return Ok(json!({}));
    }
    serde_json::from_slice(request.body()).map_err(|error| bad("body", &error.to_string()))
}

fn seed(emulator: &mut Emulator, now: Moment, request: &Request<Bytes>) -> Answer {
    let text = String::from_utf8_lossy(request.body());
    let wrong = |error: crate::seed::SeedError| bad("seed", &error.to_string());
    let seed = Seed::from_json(&text).map_err(wrong)?;
    emulator.add_seed(now, seed).map_err(wrong)?;
    Ok(Reply::json(json!({})))
}

fn clock(emulator: &Emulator, now: Timestamp) -> Reply {
    Reply::json(json!({
        "time": emulator.moment(now).exact(),
        "ahead_ms": emulator.ahead / 1000,
    }))
}

/// `{"advance_seconds": n}`, `{"advance_ms": n}` or `{"set": "2026-11-23T18:00:00Z"}`.
fn set_clock(emulator: &mut Emulator, now: Timestamp, request: &Request<Bytes>) -> Answer {
    let body = object(request)?;
    let number = |key: &str| body.get(key).and_then(Value::as_i64);
    let ahead = match (number("advance_seconds"), number("advance_ms"), body.get("set")) {
        (Some(seconds), None, None) => {
            emulator.ahead.saturating_add(seconds.saturating_mul(1_000_000))
        }
        (None, Some(millis), None) => emulator.ahead.saturating_add(millis.saturating_mul(1000)),
        (None, None, Some(set)) => {
            let at = set.as_str().and_then(parse_instant);
            let at = at.ok_or_else(|| bad("set", "a time such as 2026-11-23T18:00:00Z"))?;
            at.micros_since(Moment::of(now))
        }
        _ => return Err(bad("clock", "one of advance_seconds, advance_ms, set")),
    };
    emulator.set_ahead(ahead);
    emulator.advance(now);
    Ok(clock(emulator, now))
}

/// Some switches by name, or `{"profile": "strict"}` for all of them.
fn change_profile(emulator: &mut Emulator, request: &Request<Bytes>) -> Answer {
    let Value::Object(mut changes) = object(request)? else {
        return Err(bad("profile", "an object of switches"));
    };
    let mut profile: Profile = match changes.remove("profile") {
        Some(name) => {
            let name = name.as_str().unwrap_or_default().parse::<ProfileName>();
            name.map_err(|error| bad("profile", &error.to_string()))?.profile()
        }
        None => emulator.profile.clone(),
    };
    profile.apply(&changes).map_err(|error| bad("profile", &error.to_string()))?;
    emulator.set_profile(profile);
    Ok(Reply::json(json!(emulator.profile)))
}

/// The log, filtered by `after`, `route`, `method`, `status`, `path`.
fn log(emulator: &Emulator, query: &Query) -> Reply {
    let after: u64 = query.get("after").and_then(|text| text.parse().ok()).unwrap_or(0);
    let is_wanted = |entry: &&LogEntry| {
        entry.number > after
            && query.get("route").is_none_or(|route| entry.route.to_string() == route)
            && query.get("method").is_none_or(|method| entry.method == method)
            && query.get("status").is_none_or(|status| entry.status.to_string() == status)
            && query.get("path").is_none_or(|part| entry.path.contains(part))
    };
    let entries: Vec<&LogEntry> = emulator.log.entries().filter(is_wanted).collect();
    Reply::json(json!({"count": entries.len(), "requests": entries}))
}

/// Sets how many calls a workspace has used this month.
fn quota(emulator: &mut Emulator, now: Moment, request: &Request<Bytes>) -> Answer {
    let body = object(request)?;
    let account = body.get("account").and_then(Value::as_str).unwrap_or_default();
    let used = body.get("used").and_then(Value::as_u64);
    let used = used.ok_or_else(|| bad("used", "a number of calls"))?;
    if !emulator.set_calls(now, account, used) {
        return Err(not_found());
    }
    Ok(Reply::json(json!({"used": used})))
}

/// Every record of a table with every field, deleted ones with `all=true`.
fn dump(emulator: &Emulator, now: Moment, id: &str, query: &Query) -> Answer {
    let id = id.parse().map_err(|_| not_found())?;
    let table = emulator.world.tables.get(&id).ok_or_else(not_found)?;
    let view = View {
        empties: ReadEmpties::Explicit,
        ..View::of_read(&emulator.world, &emulator.profile, table, now)
    };
    let rows = table.rows().filter(|(_, record)| query.flag("all") || record.deleted.is_none());
    let records: Vec<Value> =
        rows.map(|(rank, record)| Value::Object(view.record(rank, record))).collect();
    Ok(Reply::json(json!({"count": records.len(), "records": records})))
}
