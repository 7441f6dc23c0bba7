//! Comments on records (section 3.14).

use serde_json::{Value, json};

use crate::model::world::{Comment, World};
use crate::object_id::ObjectId;
use crate::reply::{Answer, Reply, bad, not_found};
use crate::rules::call::Call;
use crate::validate::rendered;

/// The record that `?record=` names, in a table that the call sees.
fn record(world: &World, call: &Call<'_>, id: &str) -> Result<ObjectId, Reply> {
    let id: ObjectId = id.parse().map_err(|_| not_found())?;
    let holds = |table: &&crate::model::table::Table| table.live(id).is_some();
    let table = world.tables.values().find(holds).ok_or_else(not_found)?;
    call.table(world, &table.id.to_string())?;
    Ok(id)
}

fn shown(comment: &Comment, record: ObjectId) -> Value {
    json!({
        "id": comment.id,
        "record": record,
        "message": comment.message,
        "assigned_to": comment.assigned_to,
        "member": comment.made.by,
        "created_on": comment.made.at.exact(),
        "updated_on": null,
        "resolved_by": null,
    })
}

pub(crate) fn list(world: &World, call: &Call<'_>) -> Answer {
    let id = call.query.get("record").ok_or_else(|| bad("record", "This field is required."))?;
    let record = record(world, call, id)?;
    let comments = world.comments.get(&record).map(Vec::as_slice).unwrap_or_default();
    let results: Vec<Value> = comments.iter().map(|comment| shown(comment, record)).collect();
    Ok(Reply::json(json!({"count": null, "results": results})))
}

pub(crate) fn create(world: &mut World, call: &Call<'_>) -> Answer {
    call.may_write()?;
    let body = call.object()?;
    let in_body = body.get("record").and_then(Value::as_str);
    let id = in_body.or_else(|| call.query.get("record"));
    let id = id.ok_or_else(|| bad("record", "This field is required."))?;
    let record = record(world, call, id)?;
    let message = body.get("message").ok_or_else(|| bad("message", "This field is required."))?;
    let message = match (message.get("data"), message.get("html").and_then(Value::as_str)) {
        (Some(data), _) => rendered(data),
        (None, Some(html)) => json!({"html": html, "preview": html}),
        (None, None) => return Err(bad("message", "This field is required.")),
    };
    let made = world.stamp(call.now, call.actor.member);
    let comment = Comment {
        id: world.dice.object_id(call.now),
        made,
        message,
        assigned_to: body.get("assigned_to").cloned().unwrap_or(Value::Null),
    };
    let answer = shown(&comment, record);
    world.comments.entry(record).or_default().push(comment);
    Ok(Reply::json(answer))
}
