//! Date range and due date.
//!
//! **Accepts** a JSON object with `from` and `to` (also `from_date` and `to_date`), which `parts` makes too, a JSON
//! array of two dates, text of two dates with `/` between them; a due date also a single date, the day it is due.
//! **Canonical form**: each end as [`super::date`] has it. **Empty**: neither end. **Faults**: as of a date, members
//! of other names.

use serde_json::{Map, Value as Json};

use super::{Cell, Coerce, date::Date, holds_text, source_text};
use crate::{
    field_value::{DateStamp, FieldValue},
    mapping::{
        fault::{FaultCode, Refusal},
        notes::Notes,
    },
    source::ColumnKind,
    value::Value,
};

/// The rule, with that of its ends.
#[derive(Debug)]
pub(in crate::mapping) struct DateRange {
    /// How each end is read.
    pub(in crate::mapping) date: Date,
    /// Whether a single date is the end.
    pub(in crate::mapping) due: bool,
}

/// The ends' names: ours, then SmartSuite's.
const FROM: [&str; 2] = ["from", "from_date"];
const TO: [&str; 2] = ["to", "to_date"];

impl Coerce for DateRange {
    fn misfit(&self, column: &ColumnKind) -> Option<&'static str> {
        let fits = holds_text(column) || (self.due && self.date.misfit(column).is_none());
        (!fits).then_some("give both ends: `parts: {from: FIRST_COLUMN, to: LAST_COLUMN}`")
    }

    fn parts(&self) -> &'static [&'static str] {
        &["from", "to", "from_date", "to_date"]
    }

    fn coerce(&self, cell: Cell<'_>, notes: &mut Notes) -> Result<FieldValue, Refusal> {
        if let Some(json) = source_text::compound_json(cell)? {
            let (from, to) = match &*json {
                Json::Object(members) => ends(members)?,
                Json::Array(items) => match items.as_slice() {
                    [] => (&Json::Null, &Json::Null),
                    [from, to] => (from, to),
                    _ => return Err(Refusal::new(FaultCode::NotADate)),
                },
                _ => return Err(Refusal::new(FaultCode::NotADate)),
            };
            let end = |json: &Json, notes: &mut Notes| self.end(&Value::Json(json.clone()), notes);
            return Ok(FieldValue::date_range(end(from, notes)?, end(to, notes)?));
        }
        if cell.is_text() {
            let text = source_text::text(cell)?;
            if let Some((from, to)) = text.split_once('/') {
                let end = |text: &str, notes: &mut Notes| {
                    self.end(&Value::Text(text.trim().to_owned()), notes)
                };
                return Ok(FieldValue::date_range(end(from, notes)?, end(to, notes)?));
            }
            if text.trim().is_empty() {
                return Ok(FieldValue::Empty);
            }
        }
        if !self.due {
            return Err(Refusal::unsuitable("a single date", "a date range"));
        }
        Ok(FieldValue::date_range(None, self.end(cell.value, notes)?))
    }
}

impl DateRange {
    fn end(&self, value: &Value, notes: &mut Notes) -> Result<Option<DateStamp>, Refusal> {
        let cell = Cell { value, column: &ColumnKind::Text };
        Ok(match super::lend(&self.date, cell, notes)?.into_own() {
            FieldValue::Date { at, include_time } => Some(DateStamp { at, include_time }),
            _ => None,
        })
    }
}

fn ends(members: &Map<String, Json>) -> Result<(&Json, &Json), Refusal> {
    let known = |name: &String| FROM.contains(&name.as_str()) || TO.contains(&name.as_str());
    if !members.keys().all(known) {
        return Err(Refusal::new(FaultCode::PartUnknown));
    }
    let end =
        |names: [&str; 2]| names.iter().find_map(|name| members.get(*name)).unwrap_or(&Json::Null);
    Ok((end(FROM), end(TO)))
}
