//! Values that follow from others: count, rollup, lookup, due date flags (section 5.1).

use bigdecimal::BigDecimal;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use crate::model::cell::Cell;
use crate::model::field::Field;
use crate::model::field_type::FieldType;
use crate::model::record::Record;
use crate::model::table::Table;
use crate::rules::read::View;
use crate::rules::{empty, read};
use crate::validate::{canonical, decimal};

/// The records that a computed field looks at, with their table.
fn linked<'v>(
    view: &View<'v>,
    field: &Field,
    record: &Record,
) -> Option<(&'v Table, Vec<(u64, &'v Record)>)> {
    let by = field.params.get("linked_field").and_then(Value::as_str)?;
    let link = view.table.field(by, view.now)?;
    let table = view.world.tables.get(&link.linked_table?)?;
    let ids = record.cell(link.column?).as_ids();
    let rows = ids.iter().filter_map(|id| {
        let rank = table.rank_of(*id)?;
        table.live(*id).map(|record| (rank, record))
    });
    Some((table, rows.collect()))
}

fn selected<'v>(view: &View<'v>, field: &Field, table: &'v Table) -> Option<&'v Field> {
    let slug = field.params.get("field_selection").and_then(Value::as_str)?;
    // A lookup of a lookup would have no end.
    table.field(slug, view.now).filter(|field| {
        !matches!(field.kind, FieldType::Lookup | FieldType::Rollup | FieldType::Count)
    })
}

/// How many records are linked.
pub(crate) fn count(view: &View<'_>, field: &Field, record: &Record) -> Value {
    linked(view, field, record).map_or(0, |(_, rows)| rows.len()).to_string().into()
}

/// One inner array per linked record.
pub(crate) fn lookup(view: &View<'_>, field: &Field, record: &Record) -> Value {
    let Some((table, rows)) = linked(view, field, record) else { return json!([]) };
    let Some(selected) = selected(view, field, table) else { return json!([]) };
    let there = View { table, ..*view };
    let one = |(rank, record): (u64, &Record)| {
        let is_empty = selected.kind.is_stored()
            && selected.column.is_none_or(|column| record.cell(column).is_empty());
        match is_empty {
            true if selected.kind == FieldType::YesNo => json!([false]),
            true => json!([null]),
            false => json!([there.field(selected, rank, record)]),
        }
    };
    rows.into_iter().map(one).collect()
}

/// A figure over the linked records.
pub(crate) fn rollup(view: &View<'_>, field: &Field, record: &Record) -> Value {
    let Some((table, rows)) = linked(view, field, record) else { return Value::Null };
    let Some(selected) = selected(view, field, table) else { return Value::Null };
    let function = field.params.get("function").and_then(Value::as_str).unwrap_or("sum");
    let there = View { table, hydrated: false, ..*view };
    let values = rows.iter().map(|(rank, record)| there.field(selected, *rank, record));
    if function == "concatenate" {
        let texts = values.filter_map(|value| value.as_str().map(str::to_owned));
        return texts.filter(|text| !text.is_empty()).collect::<Vec<_>>().join(", ").into();
    }
    if function == "count" {
        return shown(&BigDecimal::from(u64::try_from(rows.len()).unwrap_or(u64::MAX)));
    }
    let numbers: Vec<BigDecimal> = values.filter_map(|value| decimal(&value)).collect();
    let sum = || numbers.iter().cloned().sum::<BigDecimal>();
    let figure = match function {
        "min" => numbers.iter().min().cloned(),
        "max" => numbers.iter().max().cloned(),
        "average" if numbers.is_empty() => None,
        "average" => Some(sum() / u64::try_from(numbers.len()).unwrap_or(1)),
        _ => Some(sum()),
    };
    figure.map_or(Value::Null, |figure| shown(&figure))
}

fn shown(figure: &BigDecimal) -> Value {
    read::number(FieldType::Percent, &canonical(&figure.round(10)))
}

/// A due date with its flags: overdue when its day is over and no status says it is done.
pub(crate) fn due_date(view: &View<'_>, field: &Field, record: &Record) -> Value {
    let cell = field.column.map_or(&Cell::Absent, |column| record.cell(column));
    let mut value = empty::form(FieldType::DueDate);
    let status = view.table.visible_fields(view.now).find(|f| f.kind == FieldType::Status);
    let (done, updated_on) = status
        .and_then(|field| match record.cell(field.column?) {
            Cell::Status(status) => Some((
                field.choice(&status.choice).is_some_and(|choice| choice.is_completed),
                status.updated_on,
            )),
            _ => None,
        })
        .unwrap_or((false, None));
    if let (Cell::Range(ends), Some(parts)) = (cell, value.as_object_mut()) {
        parts.insert("from_date".into(), read::date(ends.0));
        parts.insert("to_date".into(), read::date(ends.1));
        parts.insert("is_overdue".into(), is_overdue(view, cell, done).into());
        parts.insert("status_is_completed".into(), done.into());
        let shown = updated_on.map_or(Value::Null, |at| view.moment(at).into());
        parts.insert("status_updated_on".into(), shown);
    }
    value
}

fn is_overdue(view: &View<'_>, cell: &Cell, done: bool) -> bool {
    let Cell::Range(ends) = cell else { return false };
    let day = |moment: crate::moment::Moment| moment.timestamp().to_zoned(TimeZone::UTC).date();
    !done && ends.1.is_some_and(|to| day(to.at) < day(view.now))
}
