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
        FieldKind::Email => Family::Email,
        FieldKind::Phone => Family::Phone,
        FieldKind::Link => Family::Link,
        FieldKind::User | FieldKind::LinkedRecord => Family::Ids,
        FieldKind::AutoNumber | FieldKind::Other(_) => Family::Unwritable,
    }
}

/// SmartSuite's own name of a field type.
pub fn type_name(kind: &FieldKind) -> &str {
    match kind {
        FieldKind::Text => "textfield",
        FieldKind::TextArea => "textareafield",
        FieldKind::Title => "recordtitlefield",
        FieldKind::RichText => "richtextareafield",
        FieldKind::Number => "numberfield",
        FieldKind::Currency => "currencyfield",
        FieldKind::Percent => "percentfield",
        FieldKind::Duration => "durationfield",
        FieldKind::NumberSlider => "numbersliderfield",
        FieldKind::PercentComplete => "percentcompletefield",
        FieldKind::Rating => "ratingfield",
        FieldKind::YesNo => "yesnofield",
        FieldKind::SingleSelect => "singleselectfield",
        FieldKind::MultipleSelect => "multipleselectfield",
        FieldKind::Status => "statusfield",
        FieldKind::Tags => "tagsfield",
        FieldKind::Date => "datefield",
        FieldKind::Email => "emailfield",
        FieldKind::Phone => "phonefield",
        FieldKind::Link => "linkfield",
        FieldKind::User => "userfield",
        FieldKind::LinkedRecord => "linkedrecordfield",
        FieldKind::AutoNumber => "autonumberfield",
        FieldKind::Other(name) => name,
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
        (Family::Ids, Family::Ids) if declared != live => Match::None,
        (a, b) if a == b => Match::Same,
        (Family::Text, _) | (Family::Number, Family::Text) => Match::Lenient,
        _ => Match::None,
    }
}
