//! How a record reads (sections 3.1, 3.2 and 5.1; points 28, 29 and 37).

use serde_json::{Map, Number, Value, json};

use crate::model::cell::{Cell, DateValue};
use crate::model::field::Field;
use crate::model::field_type::FieldType;
use crate::model::record::{Record, Stamp};
use crate::model::table::Table;
use crate::model::world::World;
use crate::moment::Moment;
use crate::object_id::ObjectId;
use crate::profile::{Profile, ReadEmpties};
use crate::rules::{computed, empty, hydrate};

/// How records are shown.
#[derive(Debug, Clone, Copy)]
pub(crate) struct View<'a> {
    pub(crate) world: &'a World,
    pub(crate) profile: &'a Profile,
    pub(crate) table: &'a Table,
    pub(crate) now: Moment,
    pub(crate) hydrated: bool,
    pub(crate) empties: ReadEmpties,
    /// Whether stamps keep their microseconds, as in a write's own answer.
    pub(crate) exact: bool,
}

impl<'a> View<'a> {
    /// As a read shows records.
    pub(crate) fn of_read(
        world: &'a World,
        profile: &'a Profile,
        table: &'a Table,
        now: Moment,
    ) -> Self {
        let empties = profile.read_empties;
        Self { world, profile, table, now, hydrated: false, empties, exact: false }
    }

    /// As the answer to a write shows records: every field, with microseconds (point 28).
    pub(crate) fn of_write(
        world: &'a World,
        profile: &'a Profile,
        table: &'a Table,
        now: Moment,
    ) -> Self {
        let empties = ReadEmpties::Explicit;
        Self { world, profile, table, now, hydrated: false, empties, exact: true }
    }

    /// A whole record.
    pub(crate) fn record(&self, rank: u64, record: &Record) -> Map<String, Value> {
        let mut shown = Map::new();
        for field in self.table.visible_fields(self.now) {
            let cell = field.column.map_or(&Cell::Absent, |column| record.cell(column));
            let left_out = field.kind.is_stored()
                && match self.empties {
                    ReadEmpties::Omitted => cell.is_empty(),
                    ReadEmpties::Mixed => *cell == Cell::Absent,
                    ReadEmpties::Explicit => false,
                };
            if !left_out {
                shown.insert(field.slug.clone(), self.field(field, rank, record));
            }
        }
        shown.insert("id".into(), record.id.to_string().into());
        shown.insert("application_id".into(), self.table.id.to_string().into());
        shown.insert("application_slug".into(), self.table.slug.clone().into());
        shown.insert("ranking".into(), json!({"default": ranking(rank)}));
        let (date, by) = match record.deleted.as_deref() {
            Some(stamp) => (
                json!({"date": self.moment(stamp.at), "include_time": true}),
                Some(Value::String(stamp.by.to_string())),
            ),
            None if self.empties == ReadEmpties::Mixed => (json!({"date": null}), None),
            None => (empty::no_date(), Some(Value::Null)),
        };
        shown.insert("deleted_date".into(), date);
        if let Some(by) = by.filter(|by| self.empties != ReadEmpties::Omitted || !by.is_null()) {
            shown.insert("deleted_by".into(), by);
        }
        shown
    }

    /// One field of a record.
    pub(crate) fn field(&self, field: &Field, rank: u64, record: &Record) -> Value {
        match field.kind {
            FieldType::FirstCreated => self.stamp(record.created),
            FieldType::LastUpdated => self.stamp(record.updated),
            FieldType::AutoNumber => self.autonumber(field, rank),
            FieldType::RecordId => record.id.to_string().into(),
            FieldType::CommentsCount => {
                self.world.comments.get(&record.id).map_or(0, Vec::len).into()
            }
            FieldType::Count => computed::count(self, field, record),
            FieldType::Rollup => computed::rollup(self, field, record),
            FieldType::Lookup => computed::lookup(self, field, record),
            FieldType::DueDate => computed::due_date(self, field, record),
            _ => {
                let cell = field.column.map_or(&Cell::Absent, |column| record.cell(column));
                self.cell(field, cell)
            }
        }
    }

    /// The stored value of a field.
    pub(crate) fn cell(&self, field: &Field, cell: &Cell) -> Value {
        if self.hydrated
            && let Some(value) = hydrate::cell(self, field, cell)
        {
            return value;
        }
        match cell {
            Cell::Absent | Cell::Empty => empty::form(field.kind),
            Cell::Text(text) => json!(text),
            Cell::Number(text) => number(field.kind, text),
            Cell::Yes => json!(true),
            Cell::Texts(texts) => json!(texts),
            Cell::Ids(ids) => json!(ids),
            Cell::Status(status) => json!({
                "value": status.choice,
                "updated_on": status.updated_on.map(|at| self.moment(at)),
            }),
            Cell::Date(value) => date(Some(*value)),
            Cell::Range(ends) => json!({"from_date": date(ends.0), "to_date": date(ends.1)}),
            Cell::Json(value) => (**value).clone(),
        }
    }

    /// A stamp with its member.
    fn stamp(&self, stamp: Stamp) -> Value {
        let by = self.hydrated.then(|| self.member(stamp.by)).flatten();
        json!({"on": self.moment(stamp.at), "by": by.unwrap_or_else(|| json!(stamp.by))})
    }

    /// A member as a hydrated record shows one.
    pub(crate) fn member(&self, id: ObjectId) -> Option<Value> {
        let account = self.world.accounts.get(&self.table.account)?;
        account.member(id).map(crate::model::account::Member::hydrated)
    }

    /// A point in time; reads round to the millisecond.
    pub(crate) fn moment(&self, at: Moment) -> String {
        if self.exact { at.exact() } else { at.rounded().exact() }
    }

    fn autonumber(&self, field: &Field, rank: u64) -> Value {
        let text = |key: &str| field.params.get(key).and_then(Value::as_str).unwrap_or_default();
        let (prefix, suffix) = (text("prefix"), text("suffix"));
        if !self.profile.autonumber_prefix || prefix.is_empty() && suffix.is_empty() {
            return rank.into();
        }
        let digits = field.whole("leading_zeros").unwrap_or(0).clamp(0, 20);
        let width = usize::try_from(digits).unwrap_or(0) + 1;
        format!("{prefix}{rank:0width$}{suffix}").into()
    }
}

/// A date value; its object with nulls where there is none.
pub(crate) fn date(value: Option<DateValue>) -> Value {
    match value {
        Some(value) => json!({"date": value.at.plain(), "include_time": value.include_time}),
        None => empty::no_date(),
    }
}

/// A number as its type reads: text for most, JSON for sliders and ratings (point 37).
pub(crate) fn number(kind: FieldType, text: &str) -> Value {
    match kind {
        FieldType::NumberSlider | FieldType::PercentComplete | FieldType::Rating => {
            serde_json::from_str::<Number>(text).map_or(Value::Null, Value::Number)
        }
        FieldType::Percent | FieldType::Duration if !text.contains('.') => {
            format!("{text}.0").into()
        }
        _ => text.into(),
    }
}

/// A key that sorts as the numbers do (section 3.1).
fn ranking(rank: u64) -> String {
    const WIDTH: usize = 10;
    let mut letters = [b'a'; WIDTH];
    // Steps leave room between neighbours, as manual ordering needs it.
    let mut rest = rank.wrapping_mul(677);
    for letter in letters.iter_mut().rev() {
        *letter = b'a' + u8::try_from(rest % 26).unwrap_or(0);
        rest /= 26;
    }
    letters.iter().map(|letter| char::from(*letter)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rankings_sort_as_the_records_were_created() {
        let keys: Vec<String> = [1, 2, 9, 10, 99, 100, 12_345, 10_000_000].map(ranking).into();
        let mut sorted = keys.clone();
        sorted.sort();
        assert_eq!(keys, sorted);
    }

    #[test]
    fn numbers_read_as_their_type_does() {
        assert_eq!(number(FieldType::Number, "120"), "120");
        assert_eq!(number(FieldType::Percent, "12"), "12.0");
        assert_eq!(number(FieldType::Duration, "94530.5"), "94530.5");
        assert_eq!(number(FieldType::Rating, "4"), json!(4));
    }
}
