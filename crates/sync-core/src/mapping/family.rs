//! Which field types take the same values.

use crate::table::FieldKind;

/// Field types whose values have the same form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Family {
    /// Text, text area, title, rich text.
    Text,
    /// Number, currency, percent, duration, slider, percent complete, rating.
    Number,
    /// Yes/no.
    YesNo,
    /// Single select, status, multiple select, tags.
    Choice,
    /// Date.
    Date,
    /// Date range and due date.
    DateRange,
    /// Time of day.
    Time,
    /// Address, full name and social networks: texts under names of their own.
    Parts,
    /// IP addresses.
    IpAddress,
    /// Colours.
    Color,
    /// E-mail.
    Email,
    /// Phone.
    Phone,
    /// Link.
    Link,
    /// People and linked records.
    Ids,
    /// What cannot be written.
    Unwritable,
}

/// The family of a field type.
pub(super) fn family(kind: &FieldKind) -> Family {
    match kind {
        FieldKind::Text | FieldKind::TextArea | FieldKind::Title | FieldKind::RichText => {
            Family::Text
        }
        FieldKind::Number
        | FieldKind::Currency
        | FieldKind::Percent
        | FieldKind::Duration
        | FieldKind::NumberSlider
        | FieldKind::PercentComplete
        | FieldKind::Rating => Family::Number,
        FieldKind::YesNo => Family::YesNo,
        FieldKind::SingleSelect
        | FieldKind::MultipleSelect
        | FieldKind::Status
        | FieldKind::Tags => Family::Choice,
        FieldKind::Date => Family::Date,
        FieldKind::DateRange | FieldKind::DueDate => Family::DateRange,
        FieldKind::Time => Family::Time,
        FieldKind::Address | FieldKind::FullName | FieldKind::SocialNetwork => Family::Parts,
        FieldKind::IpAddress => Family::IpAddress,
        FieldKind::ColorPicker => Family::Color,
        FieldKind::Email => Family::Email,
        FieldKind::Phone => Family::Phone,
        FieldKind::Link => Family::Link,
        FieldKind::User | FieldKind::LinkedRecord => Family::Ids,
        FieldKind::AutoNumber | FieldKind::Other(_) => Family::Unwritable,
    }
}

/// How a declared type goes with the field's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Match {
    /// The same values.
    Same,
    /// Not the same, but the field's own type can take what the declared one names: `text` says no more than
    /// "as it is", and a number can stand in a text.
    Lenient,
    /// Contradictory.
    None,
}

/// Compares a declared type with the field's.
pub(super) fn compare(declared: &FieldKind, live: &FieldKind) -> Match {
    match (family(declared), family(live)) {
        (Family::Ids, Family::Ids) | (Family::Parts, Family::Parts) if declared != live => {
            Match::None
        }
        (Family::Date, Family::DateRange) if *live == FieldKind::DueDate => Match::Lenient,
        (a, b) if a == b => Match::Same,
        (Family::Text, _) | (Family::Number, Family::Text) => Match::Lenient,
        _ => Match::None,
    }
}
