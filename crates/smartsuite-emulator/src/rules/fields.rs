//! Fields: add, add in bulk, change, delete, restore (sections 4.5 and 4.6; points 17 to 22).

use serde_json::{Map, Value, json};

use crate::model::cell::Cell;
use crate::model::field::Field;
use crate::model::field_type::FieldType;
use crate::model::table::Table;
use crate::model::world::{Pending, World};
use crate::object_id::ObjectId;
use crate::profile::{DeleteFieldAnswer, FieldPosition};
use crate::reply::{Answer, Reply, bad, not_found, refusal};
use crate::rules::call::Call;
use crate::rules::{plan, tables};

const REQUIRED: &str = "This field is required.";

fn refused(body: Value) -> Reply {
    refusal(http::StatusCode::BAD_REQUEST, body)
}

/// `field` of the body of add, with its four members.
struct Definition<'v> {
    slug: &'v str,
    label: &'v str,
    kind: FieldType,
    params: Option<&'v Map<String, Value>>,
}

impl<'v> Definition<'v> {
    fn parse(field: &'v Value) -> Result<Self, Value> {
        let text = |key: &str| match field.get(key) {
            Some(Value::String(text)) if !text.is_empty() => Ok(text.as_str()),
            Some(Value::Null) => Err(json!({key: ["This field may not be null."]})),
            Some(Value::String(_)) => Err(json!({key: ["This field may not be blank."]})),
            Some(_) => Err(json!({key: ["Not a valid string."]})),
            None => Err(json!({key: [REQUIRED]})),
        };
        let (slug, label, name) = (text("slug")?, text("label")?, text("field_type")?);
        let kind = FieldType::named(name);
        let kind = kind
            .ok_or_else(|| json!({"field_type": [format!("\"{name}\" is not a valid choice.")]}))?;
        let params = match field.get("params") {
            None => None,
            Some(Value::Object(params)) => Some(params),
            Some(Value::Null) => return Err(json!({"params": ["This field may not be null."]})),
            Some(_) => return Err(json!({"params": ["Expected a dictionary."]})),
        };
        Ok(Self { slug, label, kind, params })
    }
}

fn check_slug(call: &Call<'_>, slug: &str) -> Result<(), Value> {
    let is_plain = slug.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if !is_plain || slug.len() > 64 {
        return Err(json!({"slug": ["Enter a valid slug."]}));
    }
    if call.profile.ten_character_slugs && slug.len() != 10 {
        return Err(json!({"slug": ["Ensure this field has exactly 10 characters."]}));
    }
    Ok(())
}

fn check_params(world: &World, call: &Call<'_>, new: &Definition<'_>) -> Result<(), Value> {
    if new.kind.has_choices()
        && let Some(choices) = new.params.and_then(|params| params.get("choices"))
    {
        check_choices(choices)?;
    }
    if new.kind == FieldType::LinkedRecord {
        let id = new.params.and_then(|params| params.get("linked_application"));
        let id = id.and_then(Value::as_str).unwrap_or_default();
        if call.table(world, id).is_err() {
            return Err(json!({"params": {"linked_application": ["The table does not exist."]}}));
        }
    }
    Ok(())
}

fn check_choices(choices: &Value) -> Result<(), Value> {
    let wrong = |said: &str| json!({"params": {"choices": [said]}});
    let Value::Array(choices) = choices else { return Err(wrong("Expected a list of items.")) };
    let mut ids: Vec<&str> = Vec::new();
    for choice in choices {
        if !choice.get("label").is_some_and(Value::is_string) {
            return Err(wrong("Every choice needs a label."));
        }
        match choice.get("value") {
            None | Some(Value::Null) => {}
            Some(Value::String(id)) if ids.contains(&id.as_str()) => {
                return Err(wrong("Choice values must be unique."));
            }
            Some(Value::String(id)) => ids.push(id),
            Some(_) => return Err(wrong("Choice values must be text.")),
        }
    }
    Ok(())
}

/// A field of the structure of a new table; `params` may be absent (section 4.4).
pub(crate) fn parse_new(
    world: &mut World,
    call: &Call<'_>,
    field: &Value,
    others: &[Field],
) -> Result<Field, Reply> {
    let wrong = |body: Value| refused(json!({"structure": [body]}));
    let new = Definition::parse(field).map_err(wrong)?;
    check_slug(call, new.slug).map_err(wrong)?;
    check_params(world, call, &new).map_err(wrong)?;
    if others.iter().any(|other| other.slug == new.slug) {
        return Err(wrong(json!({"slug": ["A field with this slug already exists."]})));
    }
    let params = new.params.cloned().unwrap_or_default();
    Ok(Field::new(new.slug, new.label, new.kind, params, &mut world.dice))
}

/// Checks a field that is added to a table.
fn check_added(
    world: &World,
    call: &Call<'_>,
    table: &Table,
    new: &Definition<'_>,
    in_bulk: bool,
) -> Result<(), Value> {
    if new.params.is_none() {
        return Err(json!({"params": [REQUIRED]}));
    }
    check_slug(call, new.slug)?;
    if new.kind.is_never_addable() || in_bulk && new.kind.is_refused_in_bulk_add() {
        return Err(json!({"field_type": ["This field type can't be added."]}));
    }
    if table.fields.iter().any(|field| field.slug == new.slug) {
        return Err(json!({"slug": ["A field with this slug already exists."]}));
    }
    let same_label = |field: &&Field| field.label == new.label && field.deleted_at.is_none();
    if !call.profile.duplicate_labels && table.fields.iter().any(|field| same_label(&field)) {
        return Err(json!({"label": ["A field with this label already exists."]}));
    }
    check_params(world, call, new)
}

/// Where a new field goes: behind its sibling, or at the end.
fn place(call: &Call<'_>, table: &Table, position: Option<&Value>) -> Result<usize, Value> {
    let wrong = |said: &str| json!({"field_position": {"prev_sibling_slug": [said]}});
    let lenient = call.profile.field_position == FieldPosition::Optional;
    let position = match position {
        None if lenient => return Ok(table.fields.len()),
        None => return Err(json!({"field_position": [REQUIRED]})),
        Some(position) => position,
    };
    match position.get("prev_sibling_slug") {
        None if lenient && position.is_object() => Ok(table.fields.len()),
        None => Err(wrong(REQUIRED)),
        Some(Value::String(slug)) if slug.is_empty() => Ok(table.fields.len()),
        Some(Value::String(slug)) => {
            let sibling =
                table.fields.iter().position(|f| f.slug == *slug && f.deleted_at.is_none());
            sibling.map(|at| at + 1).ok_or_else(|| wrong("The field does not exist."))
        }
        Some(Value::Null) => Err(wrong("This field may not be null.")),
        Some(_) => Err(wrong("Not a valid string.")),
    }
}

fn insert(world: &mut World, call: &Call<'_>, table: ObjectId, new: &Definition<'_>, at: usize) {
    let params = new.params.cloned().unwrap_or_default();
    let mut field = Field::new(new.slug, new.label, new.kind, params, &mut world.dice);
    field.visible_at = call.now.plus_millis(i64::from(call.profile.add_field_delay_ms));
    world.changes += 1;
    if let Some(table) = world.tables.get_mut(&table) {
        table.add_field(field, at);
    }
    if new.kind == FieldType::LinkedRecord {
        add_back_link(world, table, new.slug);
    }
}

pub(crate) fn add(world: &mut World, call: &Call<'_>, id: &str) -> Answer {
    let id = call.table_to_change(world, id)?;
    let body = call.object()?;
    let table = world.tables.get(&id).ok_or_else(not_found)?;
    let field = body.get("field").ok_or_else(|| bad("field", REQUIRED))?;
    let in_field = |errors: Value| refused(json!({"field": errors}));
    let new = Definition::parse(field).map_err(in_field)?;
    check_added(world, call, table, &new, false).map_err(in_field)?;
    let at = place(call, table, body.get("field_position")).map_err(refused)?;
    plan::check_fields(world, table, &[new.kind])?;
    insert(world, call, id, &new, at);
    Ok(Reply::empty())
}

pub(crate) fn add_in_bulk(world: &mut World, call: &Call<'_>, id: &str) -> Answer {
    let id = call.table_to_change(world, id)?;
    let body = call.object()?;
    let table = world.tables.get(&id).ok_or_else(not_found)?;
    let fields = match body.get("fields") {
        Some(Value::Array(fields)) => fields,
        Some(_) => return Err(bad("fields", "Expected a list of items.")),
        None => return Err(bad("fields", REQUIRED)),
    };
    let mut errors = Vec::new();
    let mut new: Vec<Definition<'_>> = Vec::new();
    for field in fields {
        let checked = Definition::parse(field).and_then(|one| {
            if new.iter().any(|other| other.slug == one.slug) {
                return Err(json!({"slug": ["A field with this slug already exists."]}));
            }
            check_added(world, call, table, &one, true).map(|()| one)
        });
        match checked {
            Ok(one) => {
                errors.push(json!({}));
                new.push(one);
            }
            Err(said) => errors.push(said),
        }
    }
    if new.len() < fields.len() {
        return Err(refused(json!({"fields": errors})));
    }
    let kinds: Vec<FieldType> = new.iter().map(|one| one.kind).collect();
    plan::check_fields(world, table, &kinds)?;
    for one in &new {
        let end = world.tables.get(&id).map_or(0, |table| table.fields.len());
        insert(world, call, id, one, end);
    }
    Ok(Reply::empty())
}

/// Makes the field on the other table that mirrors a new linked record field (point 21).
pub(crate) fn add_back_link(world: &mut World, id: ObjectId, slug: &str) {
    let Some(table) = world.tables.get(&id) else { return };
    let Some(field) = table.fields.iter().find(|field| field.slug == slug) else { return };
    let (Some(other), visible_at) = (field.linked_table, field.visible_at) else { return };
    let name = table.name.clone();
    let wanted = field.back_slug.clone();
    let made = wanted.unwrap_or_else(|| format!("s{}", world.dice.alphanumeric(7).to_lowercase()));
    let exists = world
        .tables
        .get(&other)
        .is_none_or(|other| other.fields.iter().any(|field| field.slug == made));
    let params = match json!({
        "linked_application": id, "linked_field_slug": slug, "entries_allowed": "multiple",
    }) {
        Value::Object(params) => params,
        _ => Map::new(),
    };
    if !exists {
        let mut back = Field::new(&made, &name, FieldType::LinkedRecord, params, &mut world.dice);
        back.visible_at = visible_at;
        if let Some(other) = world.tables.get_mut(&other) {
            let end = other.fields.len();
            other.add_field(back, end);
        }
    }
    let own = world.tables.get_mut(&id).and_then(|table| table.any_field_mut(slug));
    if let Some(own) = own {
        let mut params = own.params.clone();
        params.insert("linked_field_slug".into(), made.into());
        own.set_params(params);
    }
}

pub(crate) fn change(world: &mut World, call: &Call<'_>, id: &str) -> Answer {
    let id = call.table_to_change(world, id)?;
    let body = Value::Object(call.object()?);
    let new = Definition::parse(&body).map_err(refused)?;
    if new.params.is_none() {
        return Err(bad("params", REQUIRED));
    }
    let table = world.tables.get(&id).ok_or_else(not_found)?;
    let field = table.field(new.slug, call.now).ok_or_else(not_found)?;
    if field.kind != new.kind {
        // Converting a field loses values; a synchroniser never asks for it (section 4.6).
        return Err(bad("field_type", "The type of a field can't be changed here."));
    }
    check_params(world, call, &new).map_err(refused)?;
    let at = call.now.plus_millis(i64::from(call.profile.change_field_delay_ms));
    world.changes += 1;
    world.later(at, Pending::ChangeField { table: id, field: body });
    Ok(Reply::empty())
}

/// Applies a change of a field when its time has come.
pub(crate) fn apply_change(world: &mut World, table: ObjectId, body: &Value) {
    let Ok(new) = Definition::parse(body) else { return };
    let params = new.params.cloned().unwrap_or_default();
    let Some(table) = world.tables.get_mut(&table) else { return };
    let Some(field) = table.any_field_mut(new.slug) else { return };
    let (linked, back) = (field.linked_table, field.back_slug.clone());
    new.label.clone_into(&mut field.label);
    field.change(params, &mut world.dice);
    // A link stays what it is, whatever the request says.
    field.linked_table = linked;
    field.back_slug = back;
    let column = field.column.filter(|_| field.kind.has_choices());
    let kept: Vec<String> = field.choices.iter().map(|choice| choice.value.clone()).collect();
    let id = table.id;
    if let Some(column) = column {
        blank_dropped(world, id, column, &kept);
    }
    world.changes += 1;
}

/// Records that hold a choice which is gone go blank, silently (trap 7 of section 7.1).
fn blank_dropped(world: &mut World, id: ObjectId, column: usize, kept: &[String]) {
    let is_kept = |value: &str| kept.iter().any(|id| id == value);
    let Some(table) = world.tables.get(&id) else { return };
    let changed = table.rows().filter_map(|(rank, record)| match record.cell(column) {
        Cell::Texts(values) if !values.iter().all(|value| is_kept(value)) => {
            let left = values.iter().filter(|value| is_kept(value)).cloned().collect();
            Some((rank, Cell::texts(left)))
        }
        cell => cell.as_text().filter(|value| !is_kept(value)).map(|_| (rank, Cell::Empty)),
    });
    let changed: Vec<(u64, Cell)> = changed.collect();
    for (rank, cell) in changed {
        world.write(id, rank, vec![(column, cell)]);
    }
}

fn slug_of(call: &Call<'_>) -> Result<String, Reply> {
    let body = call.object()?;
    let slug = body.get("slug").and_then(Value::as_str);
    slug.map(Into::into).ok_or_else(|| bad("slug", REQUIRED))
}

pub(crate) fn delete(world: &mut World, call: &Call<'_>, text: &str) -> Answer {
    let id = call.table_to_change(world, text)?;
    let slug = slug_of(call)?;
    let table = world.tables.get_mut(&id).ok_or_else(not_found)?;
    let is_primary = table.primary == slug;
    let field = table.any_field_mut(&slug).filter(|field| field.is_visible(call.now));
    let field = field.ok_or_else(not_found)?;
    if is_primary || field.flag("system") {
        return Err(bad("slug", "This field can't be deleted."));
    }
    field.deleted_at = Some(call.now);
    let shown = field.shown();
    world.changes += 1;
    match call.profile.delete_field_answer {
        DeleteFieldAnswer::Field => Ok(Reply::json(shown)),
        DeleteFieldAnswer::Table => tables::get(world, call, text),
    }
}

pub(crate) fn restore(world: &mut World, call: &Call<'_>, id: &str) -> Answer {
    let id = call.table_to_change(world, id)?;
    let slug = slug_of(call)?;
    let table = world.tables.get_mut(&id).ok_or_else(not_found)?;
    let field = table.any_field_mut(&slug).filter(|field| field.deleted_at.is_some());
    let field = field.ok_or_else(not_found)?;
    field.deleted_at = None;
    let shown = field.shown();
    world.changes += 1;
    Ok(Reply::json(shown))
}

pub(crate) fn deleted(world: &World, call: &Call<'_>) -> Answer {
    let body = call.object()?;
    let id = body.get("solution_id").and_then(Value::as_str);
    let solution = call.solution(world, id.ok_or_else(|| bad("solution_id", REQUIRED))?)?.id;
    let tables = world.tables_of(solution).filter(|table| call.sees_table(table));
    let gone = tables.flat_map(|t| t.fields.iter().filter(|field| field.deleted_at.is_some()));
    Ok(Reply::json(gone.map(Field::shown).collect()))
}
