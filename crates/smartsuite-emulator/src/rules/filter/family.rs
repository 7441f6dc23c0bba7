//! Which operators a field type allows (the table of section 3.5).

use serde_json::Value;

use crate::model::field::Field;
use crate::model::field_type::FieldType;
use crate::model::table::Table;
use crate::model::world::World;
use crate::moment::Moment;
use crate::profile::Profile;

/// An operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Op {
    Is,
    IsNot,
    IsEmpty,
    IsNotEmpty,
    Contains,
    NotContains,
    Equal,
    NotEqual,
    Greater,
    Less,
    EqualOrGreater,
    EqualOrLess,
    IsAnyOf,
    IsNoneOf,
    HasAnyOf,
    HasAllOf,
    IsExactly,
    HasNoneOf,
    IsBefore,
    IsOnOrBefore,
    IsOnOrAfter,
    IsAfter,
    IsOverdue,
    IsNotOverdue,
    FileNameContains,
    FileTypeIs,
}

impl Op {
    pub(crate) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "is" => Self::Is,
            "is_not" => Self::IsNot,
            "is_empty" => Self::IsEmpty,
            "is_not_empty" => Self::IsNotEmpty,
            "contains" => Self::Contains,
            "not_contains" => Self::NotContains,
            "is_equal_to" => Self::Equal,
            "is_not_equal_to" => Self::NotEqual,
            "is_greater_than" => Self::Greater,
            "is_less_than" => Self::Less,
            "is_equal_or_greater_than" => Self::EqualOrGreater,
            "is_equal_or_less_than" => Self::EqualOrLess,
            "is_any_of" => Self::IsAnyOf,
            "is_none_of" => Self::IsNoneOf,
            "has_any_of" => Self::HasAnyOf,
            "has_all_of" => Self::HasAllOf,
            "is_exactly" => Self::IsExactly,
            "has_none_of" => Self::HasNoneOf,
            "is_before" => Self::IsBefore,
            "is_on_or_before" => Self::IsOnOrBefore,
            "is_on_or_after" => Self::IsOnOrAfter,
            "is_after" => Self::IsAfter,
            "is_overdue" => Self::IsOverdue,
            "is_not_overdue" => Self::IsNotOverdue,
            "file_name_contains" => Self::FileNameContains,
            "file_type_is" => Self::FileTypeIs,
            _ => return None,
        })
    }
}

/// Types that share their operators.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Family {
    Text,
    /// Only whether something is there.
    Presence,
    Number,
    /// Numbers that are always there.
    Counter,
    Select,
    Many,
    Linked,
    YesNo,
    Date,
    DueDate,
    File,
    RecordId,
    /// Nothing at all.
    None,
}

impl Family {
    /// The family of a field; formulas and lookups have that of their result.
    pub(crate) fn of(world: &World, table: &Table, field: &Field, now: Moment) -> Self {
        match field.kind {
            FieldType::Formula => {
                let target = field.params.get("target_field_structure");
                let kind = target.and_then(|target| target.get("field_type"));
                let kind = kind.and_then(Value::as_str).and_then(FieldType::named);
                kind.map_or(Self::Text, Self::of_type)
            }
            FieldType::Lookup => {
                let text = |key: &str| field.params.get(key).and_then(Value::as_str);
                let looked_up = || {
                    let link = table.field(text("linked_field")?, now)?;
                    let other = world.tables.get(&link.linked_table?)?;
                    other.field(text("field_selection")?, now).map(|field| field.kind)
                };
                looked_up().map_or(Self::Text, Self::of_type)
            }
            kind => Self::of_type(kind),
        }
    }

    fn of_type(kind: FieldType) -> Self {
        match kind {
            FieldType::Text
            | FieldType::TextArea
            | FieldType::RecordTitle
            | FieldType::Email
            | FieldType::Phone
            | FieldType::Link
            | FieldType::Address
            | FieldType::FullName
            | FieldType::IpAddress
            | FieldType::SocialNetwork
            | FieldType::ColorPicker => Self::Text,
            FieldType::RichText | FieldType::Checklist | FieldType::Signature => Self::Presence,
            FieldType::Number
            | FieldType::Currency
            | FieldType::Percent
            | FieldType::Duration
            | FieldType::NumberSlider
            | FieldType::PercentComplete
            | FieldType::Rating
            | FieldType::Vote
            | FieldType::Time
            | FieldType::TimeTracking
            | FieldType::Rollup
            | FieldType::Count
            | FieldType::CommentsCount => Self::Number,
            FieldType::AutoNumber | FieldType::SubItems => Self::Counter,
            FieldType::SingleSelect | FieldType::Status => Self::Select,
            FieldType::MultipleSelect | FieldType::Tags | FieldType::User => Self::Many,
            FieldType::LinkedRecord => Self::Linked,
            FieldType::YesNo => Self::YesNo,
            FieldType::Date
            | FieldType::DateRange
            | FieldType::FirstCreated
            | FieldType::LastUpdated => Self::Date,
            FieldType::DueDate => Self::DueDate,
            FieldType::File => Self::File,
            FieldType::RecordId => Self::RecordId,
            FieldType::Formula
            | FieldType::Lookup
            | FieldType::Dependency
            | FieldType::Button
            | FieldType::AvailabilityStatus => Self::None,
        }
    }

    /// Whether it has the operator.
    pub(crate) fn allows(self, op: Op, profile: &Profile) -> bool {
        let presence = matches!(op, Op::IsEmpty | Op::IsNotEmpty);
        let comparison = matches!(
            op,
            Op::Equal
                | Op::NotEqual
                | Op::Greater
                | Op::Less
                | Op::EqualOrGreater
                | Op::EqualOrLess
        );
        let text = matches!(op, Op::Is | Op::IsNot | Op::Contains | Op::NotContains);
        let sets = matches!(op, Op::HasAnyOf | Op::HasAllOf | Op::IsExactly | Op::HasNoneOf);
        let date =
            matches!(op, Op::Is | Op::IsNot | Op::IsBefore | Op::IsOnOrBefore | Op::IsOnOrAfter)
                || op == Op::IsAfter && profile.is_after;
        match self {
            Self::Text => presence || text,
            Self::Presence => presence,
            Self::Number => presence || comparison,
            Self::Counter => comparison,
            Self::Select => {
                presence || matches!(op, Op::Is | Op::IsNot | Op::IsAnyOf | Op::IsNoneOf)
            }
            Self::Many => presence || sets,
            Self::Linked => presence || sets || matches!(op, Op::Contains | Op::NotContains),
            Self::YesNo => op == Op::Is,
            Self::Date => presence || date,
            Self::DueDate => presence || date || matches!(op, Op::IsOverdue | Op::IsNotOverdue),
            Self::File => presence || matches!(op, Op::FileNameContains | Op::FileTypeIs),
            Self::RecordId => text,
            Self::None => false,
        }
    }
}
