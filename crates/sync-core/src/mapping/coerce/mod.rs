//! One value: from a cell of a row to the canonical value of a field.
//!
//! Each file is one rule, serving the field types that share it, and says the same four things: what it accepts,
//! the canonical form, what counts as empty, and its faults. NULL, zero dates and JSON `null` are empty for every
//! field and are settled before a rule is asked.
//!
//! | rule | field types |
//! |---|---|
//! | [`text`] | text, text area, title, rich text |
//! | [`number`] | number, currency, percent, slider, percent complete, rating |
//! | [`duration`] | duration |
//! | [`yes_no`] | yes/no |
//! | [`single_choice`] | single select, status |
//! | [`choice_set`] | multiple select, tags |
//! | [`date`], [`date_range`], [`time_of_day`] | date; date range, due date; time |
//! | [`email`], [`link`], [`phone`] | e-mail, link, phone |
//! | [`parts`] | address, full name, social networks |
//! | [`ip_address`], [`color`] | IP address, colour |
//! | [`people`], [`id_set`] | people; linked records |
//! | [`older_form`] | a number or date of `transformations` onto a text field |

pub(super) mod choice_set;
pub(super) mod choice_table;
pub(super) mod color;
pub(super) mod date;
pub(super) mod date_range;
pub(super) mod duration;
pub(super) mod email;
pub(super) mod id_set;
pub(super) mod ip_address;
mod json_text;
pub(super) mod link;
pub(super) mod number;
pub(super) mod older_form;
pub(super) mod parts;
pub(super) mod people;
pub(super) mod phone;
pub(super) mod single_choice;
mod source_text;
pub(super) mod text;
pub(super) mod time_of_day;
pub(super) mod yes_no;

use std::{borrow::Cow, fmt::Debug};

use serde_json::Value as Json;

pub(super) use source_text::{compound_json, decimal_text, entries};

use super::{
    fault::{FaultCode, Refusal},
    lent::Lent,
    notes::Notes,
};
use crate::{field_value::FieldValue, source::ColumnKind, value::Value};

/// One cell with what is known of its column.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cell<'a> {
    /// The cell.
    pub(super) value: &'a Value,
    /// Its column's type.
    pub(super) column: &'a ColumnKind,
}

impl Cell<'_> {
    /// Whether the value is text: a string, a JSON string, or bytes, which may be.
    fn is_text(self) -> bool {
        matches!(self.value, Value::Text(_) | Value::Bytes(_) | Value::Json(Json::String(_)))
    }
}

/// The text that a person sees for a cell in MySQL; refused for bytes that are no text.
pub(crate) fn cell_text<'v>(
    value: &'v Value,
    column: &'v ColumnKind,
) -> Result<Cow<'v, str>, NotText> {
    source_text::text(Cell { value, column }).map_err(|_| NotText)
}

/// The bytes are not UTF-8.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NotText;

/// A rule with its options, compiled once and asked for every row.
pub(super) trait Coerce: Debug + Send + Sync {
    /// Why no cell of such a column could ever be taken, as advice; `None` if some could.
    fn misfit(&self, column: &ColumnKind) -> Option<&'static str>;

    /// Names of the parts that a compound value may have; none for simple ones.
    fn parts(&self) -> &'static [&'static str] {
        &[]
    }

    /// The canonical value. Total: every value of every type gives a value or a refusal.
    fn coerce(&self, cell: Cell<'_>, notes: &mut Notes) -> Result<FieldValue, Refusal>;

    /// The same, lent by the cell or by the rule where no new value has to be made: what is asked for every row.
    fn lend<'v>(&'v self, cell: Cell<'v>, notes: &mut Notes) -> Result<Lent<'v>, Refusal> {
        self.coerce(cell, notes).map(Lent::Own)
    }
}

/// [`Coerce::lend`] behind what holds for every field: NULL and its like are empty.
pub(super) fn lend<'v>(
    rule: &'v dyn Coerce,
    cell: Cell<'v>,
    notes: &mut Notes,
) -> Result<Lent<'v>, Refusal> {
    match cell.value {
        Value::Null | Value::Json(Json::Null) => Ok(Lent::Own(FieldValue::Empty)),
        Value::ZeroDate(_) => {
            notes.zero_dates += 1;
            Ok(Lent::Own(FieldValue::Empty))
        }
        Value::Int(_)
        | Value::Bool(_)
        | Value::Decimal(_)
        | Value::Float(_)
        | Value::Text(_)
        | Value::Bytes(_)
        | Value::Date(_)
        | Value::DateTime(_)
        | Value::Instant(_)
        | Value::Duration(_)
        | Value::Labels(_)
        | Value::Json(_) => rule.lend(cell, notes),
    }
}

/// Refuses several entries where the field takes one.
fn check_count(count: usize, multiple: bool) -> Result<(), Refusal> {
    if multiple || count <= 1 { Ok(()) } else { Err(Refusal::new(FaultCode::TooManyEntries)) }
}

/// Columns whose cells are, or may hold, text. Expressions of text and numbers often arrive as binary.
fn holds_text(column: &ColumnKind) -> bool {
    matches!(column, ColumnKind::Text | ColumnKind::Enum | ColumnKind::Binary | ColumnKind::Json)
}

/// Columns whose cells are numbers.
fn holds_number(column: &ColumnKind) -> bool {
    matches!(
        column,
        ColumnKind::Int { .. }
            | ColumnKind::Year
            | ColumnKind::Bit { .. }
            | ColumnKind::Decimal { .. }
            | ColumnKind::Float
            | ColumnKind::Double
    )
}

/// Columns that have no form in words: GEOMETRY, VECTOR, types of tomorrow.
fn is_opaque(column: &ColumnKind) -> bool {
    matches!(column, ColumnKind::Other(_))
}

/// Advice for opaque columns.
const OPAQUE_HINT: &str =
    "convert the column in the query, e.g. ST_AsText(...), ST_AsGeoJSON(...) or HEX(...)";
