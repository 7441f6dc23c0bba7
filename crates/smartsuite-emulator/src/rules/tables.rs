//! Tables: list, get, create, change, copy (sections 4.2 to 4.4; points 15 and 16).

use serde_json::{Map, Value, json};

use crate::model::field::Field;
use crate::model::field_type::FieldType;
use crate::model::record::{Record, Stamp};
use crate::model::table::{NewTable, Table};
use crate::model::world::World;
use crate::object_id::ObjectId;
use crate::profile::TablesAnswer;
use crate::reply::{Answer, Reply, bad, not_found};
use crate::rules::call::Call;
use crate::rules::fields;
use crate::rules::plan::{self, TABLES_A_SOLUTION};

/// How long a copy of a table takes.
const COPY_SECONDS: i64 = 2;

/// The table as the API shows it, or the parts that `fields=` names.
pub(crate) fn shown(table: &Table, call: &Call<'_>) -> Value {
    let fields: Vec<&Field> = table.visible_fields(call.now).collect();
    let links = fields.iter().filter(|f| f.kind == FieldType::LinkedRecord).count();
    let slugs: Vec<&str> = fields.iter().map(|field| field.slug.as_str()).collect();
    let layout = json!({
        "mode": "single_column",
        "single_column": {"rows": slugs, "sections": []},
    });
    let is_copy = table.copying_until.is_some_and(|until| call.now < until);
    let all = json!({
        "id": table.id,
        "name": table.name,
        "slug": table.slug,
        "solution": table.solution,
        "status": if is_copy { "in_process_of_duplication" } else { "active" },
        "record_term": table.record_term,
        "primary_field": table.primary,
        "order": table.order,
        "icon": "table",
        "hidden": false,
        "structure": fields.iter().map(|field| field.shown()).collect::<Vec<_>>(),
        "structure_layout": table.layout.as_ref().unwrap_or(&layout),
        "fields_count": {"total": fields.len(), "linkedrecordfield": links},
        "fields_metadata": {},
        "field_permissions": [],
        "permissions": {"level": "all_members", "members": [], "teams": []},
        "settings": {"emails": false, "meeting_notes": false, "call_log": false},
        "first_created": {"by": table.created.by, "on": table.created.at.exact()},
    });
    let wanted = call.query.all("fields");
    match all {
        Value::Object(members) if !wanted.is_empty() => {
            let kept = members.into_iter().filter(|(key, _)| wanted.contains(&key.as_str()));
            Value::Object(kept.collect())
        }
        other => other,
    }
}

pub(crate) fn get(world: &World, call: &Call<'_>, id: &str) -> Answer {
    let id = call.table(world, id)?;
    let table = world.tables.get(&id).ok_or_else(not_found)?;
    Ok(Reply::json(shown(table, call)))
}

pub(crate) fn list(world: &World, call: &Call<'_>) -> Reply {
    let solution = call.query.get("solution").filter(|text| !text.is_empty());
    let seen = |table: &&Table| {
        call.sees_table(table) && solution.is_none_or(|id| table.solution.to_string() == id)
    };
    let mut tables: Vec<&Table> = world.tables.values().filter(seen).collect();
    tables.sort_by_key(|table| (table.order, table.id));
    let tables: Vec<Value> = tables.into_iter().map(|table| shown(table, call)).collect();
    let total = tables.len();
    Reply::json(match call.profile.tables_answer {
        TablesAnswer::Array => Value::Array(tables),
        TablesAnswer::Results => {
            json!({"count": total, "next": null, "previous": null, "results": tables})
        }
        TablesAnswer::Items => json!({"total": total, "offset": 0, "limit": 0, "items": tables}),
    })
}

pub(crate) fn create(world: &mut World, call: &Call<'_>) -> Answer {
    call.may_write()?;
    let body = call.object()?;
    let text = |key: &str| match body.get(key) {
        Some(Value::String(text)) if !text.is_empty() => Ok(text.as_str()),
        Some(_) => Err(bad(key, "Not a valid string.")),
        None => Err(bad(key, "This field is required.")),
    };
    let name = text("name")?;
    let solution = text("solution")?;
    let structure = match body.get("structure") {
        Some(Value::Array(fields)) => fields.as_slice(),
        Some(_) => return Err(bad("structure", "Expected a list of items.")),
        None => return Err(bad("structure", "This field is required.")),
    };
    let solution = call.solution(world, solution)?.id;
    if world.tables_of(solution).count() >= TABLES_A_SOLUTION {
        return Err(bad("solution", "The limit of tables in a solution has been reached."));
    }
    let mut new_fields = Vec::new();
    for field in structure {
        new_fields.push(fields::parse_new(world, call, field, &new_fields)?);
    }
    let id = world.dice.object_id(call.now);
    let stamp = world.stamp(call.now, call.actor.member);
    add(world, NewTableRequest { id, slug: None, name, solution, stamp }, call, new_fields);
    get(world, call, &id.to_string())
}

/// A table to add.
#[derive(Debug)]
pub(crate) struct NewTableRequest<'a> {
    pub(crate) id: ObjectId,
    pub(crate) slug: Option<String>,
    pub(crate) name: &'a str,
    pub(crate) solution: ObjectId,
    pub(crate) stamp: Stamp,
}

/// Adds a table with the fields that every table has around its own (point 16).
pub(crate) fn add(world: &mut World, new: NewTableRequest<'_>, call: &Call<'_>, own: Vec<Field>) {
    let order = u64::try_from(world.tables_of(new.solution).count()).unwrap_or(0) + 1;
    let made_slug = || format!("s{}", world.dice.alphanumeric(7).to_lowercase());
    let slug = new.slug.unwrap_or_else(made_slug);
    let mut table = Table::new(NewTable {
        id: new.id,
        name: new.name.to_owned(),
        slug,
        account: call.actor.account.clone(),
        solution: new.solution,
        order: order * 100,
        created: new.stamp,
    });
    let has = |slug: &str| own.iter().any(|field| field.slug == slug);
    let mut all: Vec<Field> = Vec::new();
    let mut system = |slug: &str, label: &str, kind: FieldType, params: Value| {
        let mut params = match params {
            Value::Object(params) => params,
            _ => Map::new(),
        };
        params.entry("system").or_insert(true.into());
        Field::new(slug, label, kind, params, &mut world.dice)
    };
    match own.iter().find(|field| field.kind == FieldType::RecordTitle) {
        Some(title) => table.primary.clone_from(&title.slug),
        None => all.push(system(
            "title",
            "Title",
            FieldType::RecordTitle,
            json!({"primary": true, "required": true, "unique": false}),
        )),
    }
    let mut after = Vec::new();
    for (slug, label, kind) in [
        ("first_created", "First Created", FieldType::FirstCreated),
        ("last_updated", "Last Updated", FieldType::LastUpdated),
        ("followed_by", "Followed by", FieldType::User),
        ("comments_count", "Open Comments", FieldType::CommentsCount),
        ("autonumber", "Auto Number", FieldType::AutoNumber),
    ] {
        if !has(slug) {
            after.push(system(slug, label, kind, json!({})));
        }
    }
    all.extend(own);
    all.extend(after);
    let links: Vec<Field> =
        all.iter().filter(|f| f.kind == FieldType::LinkedRecord).cloned().collect();
    for field in all {
        let end = table.fields.len();
        table.add_field(field, end);
    }
    world.tables.insert(new.id, table);
    for link in links {
        fields::add_back_link(world, new.id, &link.slug);
    }
}

pub(crate) fn change(world: &mut World, call: &Call<'_>, id: &str) -> Answer {
    let table = call.table_to_change(world, id)?;
    let body = call.object()?;
    let text = |key: &str| match body.get(key) {
        None => Ok(None),
        Some(Value::String(text)) if !text.is_empty() => Ok(Some(text.clone())),
        Some(_) => Err(bad(key, "Not a valid string.")),
    };
    let (name, term) = (text("name")?, text("record_term")?);
    world.changes += 1;
    if let Some(table) = world.tables.get_mut(&table) {
        if let Some(name) = name {
            table.name = name;
        }
        if let Some(term) = term {
            table.record_term = term;
        }
        if let Some(layout) = body.get("structure_layout") {
            table.layout = Some(layout.clone());
        }
    }
    get(world, call, id)
}

/// Copies a table's fields and, on demand, its records; the copy takes a while (section 4.4).
pub(crate) fn copy(world: &mut World, call: &Call<'_>, id: &str) -> Answer {
    let from = call.table_to_change(world, id)?;
    let body = call.object()?;
    let name = body.get("name").and_then(Value::as_str);
    let name = name.ok_or_else(|| bad("name", "This field is required."))?.to_owned();
    let with_records = body.get("duplicate_records").and_then(Value::as_bool).unwrap_or(false);
    let source = world.tables.get(&from).ok_or_else(not_found)?;
    if with_records {
        plan::check_records(world, call.profile, source, source.live_count())?;
    }
    let mut copy = source.clone();
    let rows: Vec<Record> = source
        .rows()
        .filter(|(_, record)| with_records && record.deleted.is_none())
        .map(|(_, record)| record.clone())
        .collect();
    let stamp = world.stamp(call.now, call.actor.member);
    copy.id = world.dice.object_id(call.now);
    copy.name = name;
    copy.slug = format!("s{}", world.dice.alphanumeric(7).to_lowercase());
    copy.created = stamp;
    copy.copying_until = Some(call.now.plus_seconds(COPY_SECONDS));
    copy.clear_records();
    // A copy has no mirror on the other side of its links: the other table's field mirrors the
    // original.
    copy.fields.retain(|field| field.kind != FieldType::LinkedRecord);
    for mut record in rows {
        record.id = world.dice.object_id(call.now);
        record.created = stamp;
        record.updated = stamp;
        copy.insert(record, &world.work);
    }
    let new = copy.id;
    world.tables.insert(new, copy);
    get(world, call, &new.to_string())
}

/// Deleted tables of a solution; the API documents no way to delete one, a person can.
pub(crate) fn deleted(world: &World, call: &Call<'_>) -> Answer {
    let body = call.object()?;
    let id = body.get("solution_id").and_then(Value::as_str);
    let id = id.ok_or_else(|| bad("solution_id", "This field is required."))?;
    let solution = call.solution(world, id)?.id;
    let gone = world.tables.values().filter(|t| t.solution == solution && t.deleted.is_some());
    let shown = gone.map(|table| {
        json!({
            "id": table.id,
            "name": table.name,
            "slug": table.slug,
            "solution": table.solution,
            "deleted_date": table.deleted.map(|stamp| stamp.at.exact()),
            "deleted_by": table.deleted.map(|stamp| stamp.by),
        })
    });
    Ok(Reply::json(shown.collect()))
}
