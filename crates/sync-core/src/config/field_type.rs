//! The names that `field_types` takes, and which options go with each.

use crate::table::FieldKind;

/// A type of `field_types`.
#[derive(Debug)]
pub struct FieldType {
    /// The name of the reference, then its synonyms: SmartSuite's own names among them.
    pub names: &'static [&'static str],
    /// What it declares.
    pub kind: FieldKind,
    /// The options that mean something for it.
    pub options: &'static [&'static str],
}

const DATE: &[&str] = &["include_time"];
const CHOICES: &[&str] = &["value_map", "on_unknown"];
const PEOPLE: &[&str] = &["on_unknown"];
const PHONE: &[&str] = &["default_country", "default_type"];
const NONE: &[&str] = &[];

/// Every type that can be declared.
pub static FIELD_TYPES: &[FieldType] = &[
    of(&["text", "textfield"], FieldKind::Text, NONE),
    of(&["textarea", "textareafield"], FieldKind::TextArea, NONE),
    of(&["title", "recordtitlefield", "titlefield"], FieldKind::Title, NONE),
    of(&["richtextareafield", "richtext"], FieldKind::RichText, NONE),
    of(&["number", "numberfield"], FieldKind::Number, NONE),
    of(&["currency", "currencyfield"], FieldKind::Currency, NONE),
    of(&["percent", "percentfield"], FieldKind::Percent, NONE),
    of(&["durationfield", "duration"], FieldKind::Duration, NONE),
    of(&["numbersliderfield", "numberslider"], FieldKind::NumberSlider, NONE),
    of(&["percentcompletefield", "percentcomplete"], FieldKind::PercentComplete, NONE),
    of(&["ratingfield", "rating"], FieldKind::Rating, NONE),
    of(&["date", "datefield"], FieldKind::Date, DATE),
    of(&["yesno", "yesnofield"], FieldKind::YesNo, NONE),
    of(&["singleselect", "singleselectfield"], FieldKind::SingleSelect, CHOICES),
    of(&["multipleselectfield", "multipleselect"], FieldKind::MultipleSelect, CHOICES),
    of(&["status", "statusfield"], FieldKind::Status, CHOICES),
    of(&["tagsfield", "tags"], FieldKind::Tags, CHOICES),
    of(&["emailfield", "email"], FieldKind::Email, NONE),
    of(&["phonefield", "phone"], FieldKind::Phone, PHONE),
    of(&["linkfield", "link"], FieldKind::Link, NONE),
    of(&["linkedrecordfield", "linkedrecord"], FieldKind::LinkedRecord, NONE),
    of(&["memberfield", "userfield", "member", "user"], FieldKind::User, PEOPLE),
    of(&["daterangefield", "daterange"], FieldKind::DateRange, DATE),
    of(&["duedatefield", "duedate"], FieldKind::DueDate, DATE),
    of(&["timefield", "time"], FieldKind::Time, NONE),
    of(&["addressfield", "address"], FieldKind::Address, NONE),
    of(&["fullnamefield", "fullname"], FieldKind::FullName, NONE),
    of(&["ipaddressfield", "ipaddress"], FieldKind::IpAddress, NONE),
    of(&["socialnetworkfield", "socialnetwork"], FieldKind::SocialNetwork, NONE),
    of(&["colorpickerfield", "colorpicker"], FieldKind::ColorPicker, NONE),
];

const fn of(
    names: &'static [&'static str],
    kind: FieldKind,
    options: &'static [&'static str],
) -> FieldType {
    FieldType { names, kind, options }
}

/// The type with this name, whatever its case.
pub fn find(name: &str) -> Option<&'static FieldType> {
    FIELD_TYPES.iter().find(|of| of.names.iter().any(|own| own.eq_ignore_ascii_case(name)))
}

/// The first name of every type, as lists in messages give them.
pub fn first_names() -> Vec<&'static str> {
    FIELD_TYPES.iter().filter_map(|of| of.names.first().copied()).collect()
}

/// Every name, synonyms included.
pub fn all_names() -> impl Iterator<Item = &'static str> {
    FIELD_TYPES.iter().flat_map(|of| of.names.iter().copied())
}
