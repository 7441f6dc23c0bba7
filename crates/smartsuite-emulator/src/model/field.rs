//! A field of a table: its definition (section 4.5) and what is read off it often.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::dice::Dice;
use crate::model::field_type::FieldType;
use crate::moment::Moment;
use crate::object_id::ObjectId;

/// A choice as records and filters need it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Choice {
    pub(crate) value: String,
    pub(crate) label: String,
    pub(crate) is_completed: bool,
}

/// A field. `params` is what people see; the other members follow from it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(from = "StoredField", into = "StoredField")]
pub(crate) struct Field {
    pub(crate) slug: String,
    pub(crate) label: String,
    pub(crate) kind: FieldType,
    pub(crate) params: Map<String, Value>,
    /// The place of its values in a record, for types that store any.
    pub(crate) column: Option<usize>,
    /// When it became part of the structure that readers see.
    pub(crate) visible_at: Moment,
    pub(crate) deleted_at: Option<Moment>,
    pub(crate) choices: Vec<Choice>,
    pub(crate) linked_table: Option<ObjectId>,
    pub(crate) back_slug: Option<String>,
}

/// A field as the persistent file holds it.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct StoredField {
    slug: String,
    label: String,
    field_type: FieldType,
    params: Map<String, Value>,
    column: Option<usize>,
    visible_at: Moment,
    deleted_at: Option<Moment>,
}

impl From<StoredField> for Field {
    fn from(stored: StoredField) -> Self {
        let mut field = Self {
            slug: stored.slug,
            label: stored.label,
            kind: stored.field_type,
            params: Map::new(),
            column: stored.column,
            visible_at: stored.visible_at,
            deleted_at: stored.deleted_at,
            choices: Vec::new(),
            linked_table: None,
            back_slug: None,
        };
        field.set_params(stored.params);
        field
    }
}

impl From<Field> for StoredField {
    fn from(field: Field) -> Self {
        Self {
            slug: field.slug,
            label: field.label,
            field_type: field.kind,
            params: field.params,
            column: field.column,
            visible_at: field.visible_at,
            deleted_at: field.deleted_at,
        }
    }
}

impl Field {
    /// A new field; its params are completed with the defaults of its type (section 4.5).
    pub(crate) fn new(
        slug: &str,
        label: &str,
        kind: FieldType,
        params: Map<String, Value>,
        dice: &mut Dice,
    ) -> Self {
        let mut field = Self {
            slug: slug.to_owned(),
            label: label.to_owned(),
            kind,
            params: Map::new(),
            column: None,
            visible_at: Moment::default(),
            deleted_at: None,
            choices: Vec::new(),
            linked_table: None,
            back_slug: None,
        };
        field.set_params(completed(kind, params, dice));
        field
    }

    /// Replaces the params as they are and reads off them what follows.
    pub(crate) fn set_params(&mut self, params: Map<String, Value>) {
        self.choices = params.get("choices").map(choices_of).unwrap_or_default();
        let text = |key: &str| params.get(key).and_then(Value::as_str);
        self.linked_table = text("linked_application").and_then(|id| id.parse().ok());
        self.back_slug = text("linked_field_slug").filter(|slug| !slug.is_empty()).map(Into::into);
        self.params = params;
    }

    /// Replaces the params by a request's, completed with the defaults of the type.
    pub(crate) fn change(&mut self, params: Map<String, Value>, dice: &mut Dice) {
        self.set_params(completed(self.kind, params, dice));
    }

    /// Whether a param is `true`.
    pub(crate) fn flag(&self, key: &str) -> bool {
        self.params.get(key).and_then(Value::as_bool).unwrap_or(false)
    }

    /// A param as a whole number.
    pub(crate) fn whole(&self, key: &str) -> Option<i64> {
        let value = self.params.get(key)?;
        value.as_i64().or_else(|| value.as_str().and_then(|text| text.trim().parse().ok()))
    }

    /// A param as the text of a number.
    pub(crate) fn number(&self, key: &str) -> Option<String> {
        match self.params.get(key)? {
            Value::Number(number) => Some(number.to_string()),
            Value::String(text) if !text.trim().is_empty() => Some(text.trim().to_owned()),
            Value::Null
            | Value::Bool(_)
            | Value::String(_)
            | Value::Array(_)
            | Value::Object(_) => None,
        }
    }

    /// Whether it holds one entry at most.
    pub(crate) fn is_single(&self) -> bool {
        self.params.get("entries_allowed").and_then(Value::as_str) == Some("single")
    }

    /// Whether writes cannot set it (section 3.8); a generated title is one such.
    pub(crate) fn is_read_only(&self) -> bool {
        self.kind.is_read_only()
            || self.kind == FieldType::RecordTitle && self.flag("is_auto_generated")
    }

    /// Whether it is part of the structure at that moment.
    pub(crate) fn is_visible(&self, now: Moment) -> bool {
        self.deleted_at.is_none() && self.visible_at <= now
    }

    /// The choice with that id.
    pub(crate) fn choice(&self, value: &str) -> Option<&Choice> {
        self.choices.iter().find(|choice| choice.value == value)
    }

    /// The place of a choice in its list.
    pub(crate) fn choice_order(&self, value: &str) -> Option<usize> {
        self.choices.iter().position(|choice| choice.value == value)
    }

    /// The field as the API shows it.
    pub(crate) fn shown(&self) -> Value {
        let mut shown = json!({
            "slug": self.slug,
            "label": self.label,
            "field_type": self.kind.name(),
            "params": self.params,
        });
        if let (Some(nested), Some(object)) = (nested(self.kind), shown.as_object_mut()) {
            object.insert("nested".into(), nested);
        }
        shown
    }
}

/// The sub-columns of compound types (section 4.5).
fn nested(kind: FieldType) -> Option<Value> {
    let columns: &[(&str, &str)] = match kind {
        FieldType::Address => &[
            ("location_address", "textfield"),
            ("location_address2", "textfield"),
            ("location_city", "textfield"),
            ("location_state", "textfield"),
            ("location_zip", "textfield"),
            ("location_country", "textfield"),
            ("location_longitude", "numberfield"),
            ("location_latitude", "numberfield"),
        ],
        FieldType::FullName => &[
            ("title", "singleselectfield"),
            ("first_name", "textfield"),
            ("middle_name", "textfield"),
            ("last_name", "textfield"),
        ],
        FieldType::DateRange | FieldType::DueDate => {
            &[("from_date", "datefield"), ("to_date", "datefield")]
        }
        FieldType::SocialNetwork => &[
            ("facebook_username", "textfield"),
            ("twitter_username", "textfield"),
            ("instagram_username", "textfield"),
            ("linkedin_username", "textfield"),
        ],
        FieldType::SubItems => &[("title", "recordtitlefield")],
        _ => return None,
    };
    let shown = |(slug, kind): &(&str, &str)| json!({"slug": slug, "field_type": kind});
    Some(columns.iter().map(shown).collect())
}

fn choices_of(list: &Value) -> Vec<Choice> {
    let text = |choice: &Value, key: &str| {
        choice.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    let list = list.as_array().map(Vec::as_slice).unwrap_or_default();
    list.iter()
        .map(|choice| Choice {
            value: text(choice, "value"),
            label: text(choice, "label"),
            is_completed: choice.get("is_completed").and_then(Value::as_bool).unwrap_or(false),
        })
        .collect()
}

/// Fills in what a request left out: the common params, those of the type, and the choices' ids.
fn completed(
    kind: FieldType,
    mut params: Map<String, Value>,
    dice: &mut Dice,
) -> Map<String, Value> {
    let common = json!({
        "required": false, "unique": false, "hidden": false, "system": false, "primary": false,
        "help_text": "", "help_doc": null, "help_text_display_format": "tooltip",
        "placeholder": "", "width": 1, "valid": true, "is_migrating": false, "indexed": false,
    });
    let own = own_defaults(kind);
    for defaults in [common, own] {
        if let Value::Object(defaults) = defaults {
            for (key, value) in defaults {
                params.entry(key).or_insert(value);
            }
        }
    }
    if kind.has_choices()
        && let Some(Value::Array(choices)) = params.get_mut("choices")
    {
        complete_choices(kind, choices, dice);
    }
    params
}

fn own_defaults(kind: FieldType) -> Value {
    match kind {
        FieldType::SingleSelect | FieldType::MultipleSelect => json!({
            "choices": [], "new_choices_allowed": false, "edit_values": true,
            "control_type": "dropdown", "default_value": null,
        }),
        FieldType::Status => json!({"choices": [], "default_value": null}),
        FieldType::Tags => json!({"choices": []}),
        FieldType::Number | FieldType::Percent => json!({
            "precision": null, "separator": true, "min_value": null, "max_value": null,
            "value_increment": 1, "default_value": null,
        }),
        FieldType::Currency => json!({
            "precision": null, "separator": true, "min_value": null, "max_value": null,
            "value_increment": 1, "currency": "USD", "default_value": null,
        }),
        FieldType::Rating => json!({"scale": 5, "display_format": "star"}),
        FieldType::NumberSlider | FieldType::PercentComplete => json!({
            "min_value": 0, "max_value": 100, "value_increment": 1, "display_format": "bar",
        }),
        FieldType::LinkedRecord => json!({
            "linked_application": null, "linked_field_slug": null, "entries_allowed": "multiple",
            "visible_fields": [], "display_format": "pills",
        }),
        FieldType::User
        | FieldType::Email
        | FieldType::Phone
        | FieldType::Link
        | FieldType::File => {
            json!({"entries_allowed": "multiple"})
        }
        FieldType::Rollup => {
            json!({"linked_field": null, "field_selection": null, "function": "sum"})
        }
        FieldType::Lookup => json!({"linked_field": null, "field_selection": null}),
        FieldType::Count => json!({"linked_field": null}),
        FieldType::Formula => json!({
            "formula": "", "target_field_structure": {"field_type": "textfield"},
            "score": null,
        }),
        FieldType::AutoNumber => json!({
            "prefix": "", "suffix": "", "starting_number": 1, "leading_zeros": 0,
            "include_labels": false,
        }),
        FieldType::RecordTitle => {
            json!({"is_auto_generated": false, "template": null, "max_length": null})
        }
        FieldType::Text | FieldType::TextArea => json!({"max_length": null, "default_value": ""}),
        _ => json!({}),
    }
}

/// Gives an id to every choice that has none (point 22) and an order to all.
fn complete_choices(kind: FieldType, choices: &mut [Value], dice: &mut Dice) {
    for (order, choice) in choices.iter_mut().enumerate() {
        let Some(choice) = choice.as_object_mut() else { continue };
        let has_id = choice.get("value").and_then(Value::as_str).is_some_and(|id| !id.is_empty());
        if !has_id {
            choice.insert("value".into(), dice.alphanumeric(5).into());
        }
        choice.entry("value_color").or_insert(Value::Null);
        choice.entry("value_order").or_insert(order.into());
        // A status choice has no weight and no help text (section 4.5).
        if kind != FieldType::Status {
            choice.entry("weight").or_insert(1.into());
            choice.entry("value_help_text").or_insert("".into());
        }
    }
}
