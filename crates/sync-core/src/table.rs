//! The destination side's shape: a SmartSuite table with its fields and choices.

use serde::{Deserialize, Serialize};

use crate::slug::Slug;

/// A table as SmartSuite describes it; cached in the state, so it can be stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableStructure {
    /// 24 hex digits.
    pub id: String,
    /// The name people see.
    pub name: String,
    /// Slug of the title field.
    pub primary_field: Slug,
    /// Every field, in the table's order.
    pub fields: Vec<Field>,
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
    /// For linked records: the id of the table linked to.
    pub linked_table: Option<String>,
}

/// One choice of a select field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice {
    /// The id that records hold (`value` in SmartSuite's JSON).
    pub id: String,
    /// The label people see.
    pub label: String,
}

/// A field's type (`field_type` in SmartSuite's JSON).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FieldKind {
    /// `textfield`
    Text,
    /// `textareafield`
    TextArea,
    /// `recordtitlefield`
    Title,
    /// `richtextareafield`
    RichText,
    /// `numberfield`
    Number,
    /// `currencyfield`
    Currency,
    /// `percentfield`
    Percent,
    /// `durationfield`
    Duration,
    /// `numbersliderfield`
    NumberSlider,
    /// `percentcompletefield`
    PercentComplete,
    /// `ratingfield`
    Rating,
    /// `yesnofield`
    YesNo,
    /// `singleselectfield`
    SingleSelect,
    /// `multipleselectfield`
    MultipleSelect,
    /// `statusfield`
    Status,
    /// `tagsfield`
    Tags,
    /// `datefield`
    Date,
    /// `emailfield`
    Email,
    /// `phonefield`
    Phone,
    /// `linkfield`
    Link,
    /// `userfield`
    User,
    /// `linkedrecordfield`
    LinkedRecord,
    /// `autonumberfield`
    AutoNumber,
    /// Every other type, by its name; not written yet.
    Other(String),
}
