//! Titles that are made from other fields (sections 4.5 and 7.1, trap 13).

use serde_json::Value;

use crate::model::cell::Cell;
use crate::model::table::Table;
use crate::model::world::World;
use crate::object_id::ObjectId;
use crate::rules::call::Call;
use crate::rules::read::View;

/// Writes the title of a record anew where the table generates it from a template such as
/// `[[autonumber]] - [[slug]]`.
pub(crate) fn generate(world: &mut World, call: &Call<'_>, table: ObjectId, rank: u64) {
    let Some(shown) = generated(world, call, table, rank) else { return };
    if let Some(column) = world.tables.get(&table).and_then(Table::title_column) {
        world.write(table, rank, vec![(column, Cell::text(shown))]);
    }
}

fn generated(world: &World, call: &Call<'_>, table: ObjectId, rank: u64) -> Option<String> {
    let table = world.tables.get(&table)?;
    let title = table.fields.iter().find(|field| field.slug == table.primary)?;
    if !title.flag("is_auto_generated") {
        return None;
    }
    let template = title.params.get("template").and_then(Value::as_str)?;
    let record = table.at(rank)?;
    let view = View::of_write(world, call.profile, table, call.now);
    let mut shown = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("[[") {
        shown.push_str(before);
        let Some((slug, after)) = after.split_once("]]") else {
            rest = after;
            break;
        };
        if let Some(field) = table.field(slug, call.now).filter(|field| field.slug != title.slug) {
            let value = view.field(field, rank, record);
            shown.push_str(&words(&value));
        }
        rest = after;
    }
    shown.push_str(rest);
    Some(shown)
}

/// A value as a person would write it in a line of text.
fn words(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Bool(yes) => yes.to_string(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(words).collect::<Vec<_>>().join(", "),
        Value::Object(parts) => {
            let key = ["sys_title", "sys_root", "preview", "date", "value"];
            key.iter().find_map(|key| parts.get(*key)).map(words).unwrap_or_default()
        }
    }
}
