//! The destination side's shape: a SmartSuite table with its fields and choices.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{slug::Slug, value::Decimal};

/// A table as SmartSuite describes it; cached in the state, so it can be stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableStructure {
    /// 24 hex digits.
    pub id: String,
    /// The name people see.
    pub name: String,
    /// Id of the solution that it is in, where the service says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub solution: Option<String>,
    /// Slug of the title field.
    pub primary_field: Slug,
    /// Every field, in the table's order.
    pub fields: Vec<Field>,
    /// The members of the workspace; `None`: nobody has asked for them.
    #[serde(default)]
    pub members: Option<Vec<Member>>,
}

/// A member of the workspace: who can stand in a field of people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// What records hold.
    pub id: String,
    /// Their e-mail addresses.
    pub emails: Vec<String>,
}

impl TableStructure {
    /// The field with this slug.
    pub fn field(&self, slug: &str) -> Option<&Field> {
        self.fields.iter().find(|field| &*field.slug == slug)
    }
}

/// One field of a table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Field {
    /// Stable name in the API.
    pub slug: Slug,
    /// The name people see.
    pub label: String,
    /// Its type.
    pub kind: FieldKind,
    /// Whether SmartSuite demands a value on a single create.
    pub required: bool,
    /// Whether SmartSuite refuses a second record with the same value.
    pub unique: bool,
    /// Whether it cannot be written: computed and system fields, generated titles.
    pub read_only: bool,
    /// Choices of select, status and tag fields, in order; empty for other types.
    pub choices: Vec<Choice>,
    /// Whether several entries are allowed (people, e-mail, phone, link, linked record).
    pub multiple: bool,
    /// Digits kept behind the point, for numeric fields that say so.
    pub precision: Option<u32>,
    /// The least and the greatest number taken, for numeric fields that say so.
    #[serde(default)]
    pub range: NumberRange,
    /// Most characters of a text, for text fields that say so.
    #[serde(default)]
    pub length_max: Option<u32>,
    /// For linked records: the id of the table linked to.
    pub linked_table: Option<String>,
}

/// Bounds of a numeric field, both inclusive.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NumberRange {
    /// The least number taken.
    pub least: Option<Decimal>,
    /// The greatest number taken.
    pub greatest: Option<Decimal>,
}

/// One choice of a select field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice {
    /// The id that records hold (`value` in SmartSuite's JSON).
    pub id: String,
    /// The label people see.
    pub label: String,
}

/// A field as SmartSuite describes it, whole and unread: what is changed about it goes back with all the rest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldText {
    /// Its slug.
    pub slug: Slug,
    /// Its JSON.
    pub json: String,
}

/// Declares every type once: its variant and SmartSuite's own name for it.
macro_rules! field_kinds {
    ($($variant:ident = $name:literal;)+) => {
        /// A field's type (`field_type` in SmartSuite's JSON).
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum FieldKind {
            $(#[doc = concat!("`", $name, "`")] $variant,)+
            /// Every other type, by its name; not written.
            Other(String),
        }

        impl FieldKind {
            /// Every type that is known by more than its name.
            pub const KNOWN: &'static [Self] = &[$(Self::$variant),+];

            /// SmartSuite's own name of the type.
            pub fn name(&self) -> &str {
                match self {
                    $(Self::$variant => $name,)+
                    Self::Other(name) => name,
                }
            }

            /// The type with this name.
            pub fn named(name: &str) -> Self {
                match name {
                    $($name => Self::$variant,)+
                    other => Self::Other(other.to_owned()),
                }
            }
        }
    };
}

field_kinds! {
    Text = "textfield";
    TextArea = "textareafield";
    Title = "recordtitlefield";
    RichText = "richtextareafield";
    Number = "numberfield";
    Currency = "currencyfield";
    Percent = "percentfield";
    Duration = "durationfield";
    NumberSlider = "numbersliderfield";
    PercentComplete = "percentcompletefield";
    Rating = "ratingfield";
    YesNo = "yesnofield";
    SingleSelect = "singleselectfield";
    MultipleSelect = "multipleselectfield";
    Status = "statusfield";
    Tags = "tagsfield";
    Date = "datefield";
    DateRange = "daterangefield";
    DueDate = "duedatefield";
    Time = "timefield";
    Email = "emailfield";
    Phone = "phonefield";
    Link = "linkfield";
    Address = "addressfield";
    FullName = "fullnamefield";
    IpAddress = "ipaddressfield";
    SocialNetwork = "socialnetworkfield";
    ColorPicker = "colorpickerfield";
    User = "userfield";
    LinkedRecord = "linkedrecordfield";
    AutoNumber = "autonumberfield";
}

/// How the names of SmartSuite's types end; what does not is of an older stored form and is not read.
const NAME_END: &str = "field";

impl Serialize for FieldKind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for FieldKind {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        if name.ends_with(NAME_END) {
            Ok(Self::named(&name))
        } else {
            Err(serde::de::Error::custom("not a type's name"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_is_stored_by_its_name_and_one_of_an_older_form_is_not_read() {
        for kind in FieldKind::KNOWN {
            let json = serde_json::to_string(kind).unwrap();
            assert_eq!(serde_json::from_str::<FieldKind>(&json).unwrap(), *kind, "{json}");
        }
        for old in [r#""Text""#, r#"{"Other":"timefield"}"#] {
            assert!(serde_json::from_str::<FieldKind>(old).is_err(), "{old}");
        }
    }
}
