//! A view read (section 3.13). The emulator keeps no views: every id shows the whole table.

use serde_json::{Value, json};

use crate::model::world::World;
use crate::profile::ReadEmpties;
use crate::reply::{Answer, Reply, bad, not_found};
use crate::rules::call::Call;
use crate::rules::read::View;

pub(crate) fn serve(world: &World, call: &Call<'_>, table: &str) -> Answer {
    let id = call.table(world, table)?;
    let table = world.tables.get(&id).ok_or_else(not_found)?;
    if call.query.get("report").is_none_or(str::is_empty) {
        return Err(bad("report", "This field is required."));
    }
    let shows_empties = call.query.get("with_empty_values") != Some("false");
    let empties = if shows_empties { ReadEmpties::Explicit } else { ReadEmpties::Omitted };
    let view = View { empties, ..View::of_read(world, call.profile, table, call.now) };
    let live = table.rows().filter(|(_, record)| record.deleted.is_none());
    let records: Vec<Value> =
        live.map(|(rank, record)| Value::Object(view.record(rank, record))).collect();
    let slugs: Vec<&str> = table.visible_fields(call.now).map(|f| f.slug.as_str()).collect();
    Ok(Reply::json(json!({
        "total_records_count": records.len(),
        "records": records,
        "related_records": {},
        "fields": slugs,
        "filter": {},
        "sort": [],
        "unfiltered": true,
        "lazy_fields": [],
    })))
}
