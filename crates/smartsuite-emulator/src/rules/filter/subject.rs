//! What a clause looks at in a record: texts, a number, ids, a date.

use std::borrow::Cow;

use bigdecimal::BigDecimal;
use serde_json::Value;

use crate::model::cell::{Cell, DateValue};
use crate::model::field::Field;
use crate::model::field_type::FieldType;
use crate::model::record::Record;
use crate::rules::read::View;
use crate::validate::{decimal, parse_instant};

/// Which end of a range a clause names; the end of it if none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum End {
    From,
    #[default]
    To,
}

/// One field of one record.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Subject<'a> {
    pub(crate) view: &'a View<'a>,
    pub(crate) field: &'a Field,
    pub(crate) rank: u64,
    pub(crate) record: &'a Record,
}

impl<'a> Subject<'a> {
    fn cell(&self) -> Option<&'a Cell> {
        self.field.column.map(|column| self.record.cell(column))
    }

    /// The value as it reads; for what is computed.
    fn shown(&self) -> Value {
        let plain = View { hydrated: false, ..*self.view };
        plain.field(self.field, self.rank, self.record)
    }

    /// Every text of the value.
    pub(crate) fn texts(&self) -> Vec<Cow<'a, str>> {
        match self.cell() {
            Some(Cell::Absent | Cell::Empty | Cell::Yes) => Vec::new(),
            Some(Cell::Texts(texts)) => texts.iter().map(|text| Cow::from(&**text)).collect(),
            Some(Cell::Ids(ids)) => ids.iter().map(|id| Cow::from(id.to_string())).collect(),
            Some(cell) if cell.as_text().is_some() => {
                cell.as_text().map(Cow::from).into_iter().collect()
            }
            _ => {
                let mut texts = Vec::new();
                collect(&self.shown(), &mut texts);
                texts
            }
        }
    }

    /// The value as a number.
    pub(crate) fn number(&self) -> Option<BigDecimal> {
        match self.field.kind {
            FieldType::AutoNumber => Some(self.rank.into()),
            FieldType::Time => self.cell()?.as_text().map(seconds_of_day),
            FieldType::Vote => decimal(self.shown().get("total_votes")?),
            FieldType::TimeTracking => decimal(self.shown().get("total_duration")?),
            FieldType::SubItems => decimal(self.shown().get("count")?),
            _ => match self.cell() {
                Some(Cell::Absent | Cell::Empty) => None,
                Some(Cell::Number(text)) => text.parse().ok(),
                _ => {
                    let shown = self.shown();
                    decimal(first_leaf(&shown))
                }
            },
        }
    }

    /// The date of the value, or that end of it.
    pub(crate) fn date(&self, end: End) -> Option<DateValue> {
        let stamp = |at| Some(DateValue { at, include_time: true });
        match self.field.kind {
            FieldType::FirstCreated => stamp(self.record.created.at),
            FieldType::LastUpdated => stamp(self.record.updated.at),
            _ => match self.cell() {
                Some(Cell::Absent | Cell::Empty) => None,
                Some(Cell::Date(value)) => Some(*value),
                Some(Cell::Range(ends)) => match end {
                    End::From => ends.0,
                    End::To => ends.1,
                },
                _ => {
                    let shown = self.shown();
                    let leaf = first_leaf(&shown);
                    let at = parse_instant(leaf.get("date").unwrap_or(leaf).as_str()?)?;
                    let include_time = leaf.get("include_time").and_then(Value::as_bool);
                    Some(DateValue { at, include_time: include_time.unwrap_or(true) })
                }
            },
        }
    }

    /// Whether there is nothing.
    pub(crate) fn is_empty(&self, end: Option<End>) -> bool {
        if let (Some(end), Some(Cell::Range(ends))) = (end, self.cell()) {
            return match end {
                End::From => ends.0.is_none(),
                End::To => ends.1.is_none(),
            };
        }
        match self.cell() {
            Some(cell) => cell.is_empty(),
            None => match self.shown() {
                Value::Null => true,
                Value::String(text) => text.is_empty(),
                Value::Array(items) => items.is_empty(),
                Value::Bool(_) | Value::Number(_) | Value::Object(_) => false,
            },
        }
    }

    /// Whether a yes-or-no value says yes.
    pub(crate) fn is_yes(&self) -> bool {
        match self.cell() {
            Some(Cell::Json(value)) => **value == Value::Bool(true),
            Some(cell) => *cell == Cell::Yes,
            None => *first_leaf(&self.shown()) == Value::Bool(true),
        }
    }

    /// The titles of the linked records.
    pub(crate) fn linked_titles(&self) -> Vec<&'a str> {
        let table = self.field.linked_table.and_then(|id| self.view.world.tables.get(&id));
        let Some((table, column)) = table.and_then(|t| Some((t, t.title_column()?))) else {
            return Vec::new();
        };
        let ids = self.cell().map(Cell::as_ids).unwrap_or_default();
        ids.iter().filter_map(|id| table.live(*id)?.cell(column).as_text()).collect()
    }

    /// A member of every file's description.
    pub(crate) fn files(&self, pointer: &str) -> Vec<String> {
        let shown = self.shown();
        let files = shown.as_array().into_iter().flatten();
        files.filter_map(|file| file.pointer(pointer)?.as_str().map(Into::into)).collect()
    }
}

/// Lookups nest their values in arrays.
fn first_leaf(value: &Value) -> &Value {
    match value {
        Value::Array(items) => items.first().map_or(&Value::Null, first_leaf),
        other => other,
    }
}

fn collect(value: &Value, texts: &mut Vec<Cow<'_, str>>) {
    match value {
        Value::String(text) if !text.is_empty() => texts.push(Cow::from(text.clone())),
        Value::Number(number) => texts.push(Cow::from(number.to_string())),
        Value::Array(items) => items.iter().for_each(|item| collect(item, texts)),
        // Phones, addresses and names are found by what a person reads of them.
        Value::Object(parts) => match (parts.get("sys_title"), parts.get("sys_root")) {
            (Some(title), Some(root)) => {
                collect(title, texts);
                collect(root, texts);
                parts.get("phone_number").into_iter().for_each(|number| collect(number, texts));
            }
            (None, Some(root)) => collect(root, texts),
            _ => parts.values().for_each(|part| collect(part, texts)),
        },
        Value::Null | Value::Bool(_) | Value::String(_) => {}
    }
}

fn seconds_of_day(text: &str) -> BigDecimal {
    let parts = text.split(':').map(|part| part.parse::<u32>().unwrap_or(0));
    BigDecimal::from(parts.fold(0, |seconds, part| seconds * 60 + part))
}
