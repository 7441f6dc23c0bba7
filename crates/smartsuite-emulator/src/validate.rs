//! What each field type accepts in a write, and the refusal of what it does not (section 5).

mod choice;
mod contact;
mod date;
mod document;
mod file;
mod linked;
mod number;
mod other;
mod people;
mod phone;
mod text;

use serde_json::{Value, json};

use crate::model::account::Account;
use crate::model::cell::Cell;
use crate::model::field::Field;
use crate::model::field_type::FieldType;
use crate::model::world::World;
use crate::moment::Moment;
use crate::profile::{NullValues, Profile};

pub(crate) use date::parse_instant;
pub(crate) use document::rendered;
pub(crate) use file::file_object;
pub(crate) use number::{canonical, decimal};

/// What a value is checked against.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Writer<'a> {
    pub(crate) world: &'a World,
    pub(crate) account: &'a Account,
    pub(crate) profile: &'a Profile,
    pub(crate) now: Moment,
}

/// The cell a value becomes, or the messages that refuse it.
pub(crate) type Written = Result<Cell, Value>;

/// A refusal with one message.
pub(crate) fn refused(message: &str) -> Value {
    json!([message])
}

/// A refusal by a message.
pub(crate) fn no(message: &str) -> Written {
    Err(refused(message))
}

impl Writer<'_> {
    /// Turns a written value into what the field will hold.
    pub(crate) fn write(&self, field: &Field, value: &Value) -> Written {
        if value.is_null() {
            return match self.profile.null_values {
                NullValues::ScalarsOnly if !field.kind.is_scalar() => {
                    no("This field may not be null.")
                }
                NullValues::Clear | NullValues::ScalarsOnly => Ok(Cell::Empty),
            };
        }
        match field.kind {
            FieldType::Text | FieldType::TextArea | FieldType::RecordTitle => {
                text::write(self, field, value)
            }
            FieldType::Number
            | FieldType::Currency
            | FieldType::Percent
            | FieldType::Duration
            | FieldType::NumberSlider
            | FieldType::PercentComplete
            | FieldType::Rating => number::write(self, field, value),
            FieldType::YesNo => choice::yes_no(value),
            FieldType::SingleSelect => choice::single(self, field, value),
            FieldType::MultipleSelect | FieldType::Tags => choice::several(self, field, value),
            FieldType::Status => choice::status(self, field, value),
            FieldType::Date => date::date(self, value),
            FieldType::DateRange | FieldType::DueDate => date::range(self, value),
            FieldType::Time => date::time_of_day(value),
            FieldType::Email => contact::emails(self, field, value),
            FieldType::Link => contact::links(self, field, value),
            FieldType::Phone => phone::phones(self, field, value),
            FieldType::Address => contact::address(value),
            FieldType::FullName => contact::full_name(value),
            FieldType::IpAddress => contact::ip_addresses(value),
            FieldType::SocialNetwork => contact::social_networks(value),
            FieldType::User => people::users(self, field, value),
            FieldType::LinkedRecord => linked::links(self, field, value),
            FieldType::RichText => document::rich_text(self, value),
            FieldType::Checklist => document::checklist(value),
            FieldType::File => file::files(self, field, value),
            FieldType::ColorPicker => other::colors(value),
            FieldType::Signature => other::signature(value),
            FieldType::Dependency => other::dependency(value),
            FieldType::TimeTracking => other::time_tracking(value),
            FieldType::SubItems => other::sub_items(value),
            FieldType::Vote
            | FieldType::Count
            | FieldType::Rollup
            | FieldType::Lookup
            | FieldType::Formula
            | FieldType::AutoNumber
            | FieldType::RecordId
            | FieldType::FirstCreated
            | FieldType::LastUpdated
            | FieldType::CommentsCount
            | FieldType::Button
            | FieldType::AvailabilityStatus => no("This field is read-only."),
        }
    }
}

/// The items of a value that must be an array.
fn array<'v>(value: &'v Value, what: &str) -> Result<&'v [Value], Value> {
    match value {
        Value::Array(items) => Ok(items),
        _ => Err(refused(&format!("Expected a list of items: {what} must be arrays."))),
    }
}

/// The members of a value that must be an object.
fn object(value: &Value) -> Result<&serde_json::Map<String, Value>, Value> {
    value.as_object().ok_or_else(|| refused("Invalid data. Expected an object."))
}

/// What is left of several entries where the field takes one.
fn entries_allowed<T>(
    profile: &Profile,
    field: &Field,
    mut entries: Vec<T>,
) -> Result<Vec<T>, Value> {
    use crate::profile::SingleOverflow;
    if field.is_single() && entries.len() > 1 {
        match profile.single_overflow {
            SingleOverflow::Refuse => return Err(refused("Only one entry is allowed.")),
            SingleOverflow::KeepFirst => entries.truncate(1),
            SingleOverflow::Accept => {}
        }
    }
    Ok(entries)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Emulator;
    use crate::rules::empty;

    #[test]
    fn every_writable_type_takes_its_own_empty_form_and_a_null_as_a_clearing() {
        let mut emulator = Emulator::builder().build().unwrap();
        let mut dice = emulator.world.dice;
        let profile = Profile { incomplete_dates: true, ..Profile::default() };
        let now = Moment::default();
        emulator.advance_to(now);
        let world = &emulator.world;
        let account = world.accounts.values().next().unwrap();
        let writer = Writer { world, account, profile: &profile, now };
        for kind in FieldType::ALL.iter().copied().filter(|kind| !kind.is_read_only()) {
            let field = Field::new("sfield0001", "Field", kind, serde_json::Map::new(), &mut dice);
            for value in [Value::Null, empty::form(kind)] {
                let cell = writer.write(&field, &value);
                assert!(
                    cell.as_ref().is_ok_and(Cell::is_empty),
                    "{}: {value} became {cell:?}",
                    kind.name()
                );
            }
        }
    }
}
