//! A table's structure: its fields, their types and choices. Everything unknown is tolerated, as the service promises
//! to add more without notice.

use serde_json::value::RawValue;
use sync_core::{
    slug::Slug,
    table::{Choice, Field, FieldKind, NumberRange, TableStructure},
    value::Decimal,
};

use super::walk::{elements, members};

/// Ten times what a table may have; more is no table.
const FIELDS_MAX: usize = 7_000;

/// Types that SmartSuite computes.
const COMPUTED_TYPES: &[&str] = &[
    "autonumberfield",
    "availabilitystatusfield",
    "buttonfield",
    "commentscountfield",
    "countfield",
    "firstcreatedfield",
    "formulafield",
    "lastupdatedfield",
    "lookupfield",
    "recordidfield",
    "rollupfield",
    "votefield",
];

/// Fields that SmartSuite itself keeps on every record, whatever type they claim.
const SYSTEM_SLUGS: &[&str] = &[
    "application_id",
    "application_slug",
    "autonumber",
    "comments_count",
    "deleted_by",
    "deleted_date",
    "first_created",
    "id",
    "last_updated",
    "ranking",
];

/// Reads a table; nothing if there is no list of fields, which must not pass for a table without any.
pub(crate) fn read(json: &str, table: &str) -> Option<TableStructure> {
    let mut fields = None;
    let (mut id, mut name, mut solution, mut primary_field) = (None, None, None, None);
    members(json, |member, raw| match member.as_str() {
        "id" => id = text(raw),
        "name" => name = text(raw),
        "solution" => solution = text(raw),
        "primary_field" => primary_field = text(raw),
        "structure" => {
            let mut found = Vec::new();
            let all = elements(raw.get(), |raw| {
                if found.len() <= FIELDS_MAX {
                    found.extend(field(raw));
                }
            });
            fields = all.ok().map(|()| found);
        }
        _ => {}
    })
    .ok()?;
    let fields: Vec<Field> = fields.filter(|fields: &Vec<_>| fields.len() <= FIELDS_MAX)?;
    Some(TableStructure {
        id: id.unwrap_or_else(|| table.to_owned()),
        name: name.unwrap_or_default(),
        solution,
        primary_field: Slug::from(primary_field.unwrap_or_else(|| "title".to_owned())),
        fields,
        members: None,
    })
}

/// One field; nothing for an entry without slug or type, which could not be addressed anyway.
fn field(json: &RawValue) -> Option<Field> {
    let (mut slug, mut type_name, mut label, mut params) = (None, None, None, Params::default());
    members(json.get(), |member, raw| match member.as_str() {
        "slug" => slug = text(raw),
        "field_type" => type_name = text(raw),
        "label" => label = text(raw),
        "params" => params = Params::read(raw),
        _ => {}
    })
    .ok()?;
    let (slug, type_name) = (slug?, type_name?);
    let kind = FieldKind::named(&type_name);
    let read_only = COMPUTED_TYPES.contains(&type_name.as_str())
        || SYSTEM_SLUGS.contains(&slug.as_str())
        || (kind == FieldKind::Title && params.is_auto_generated);
    Some(Field {
        label: label.unwrap_or_else(|| slug.clone()),
        slug: Slug::from(slug),
        required: params.required,
        unique: params.unique,
        read_only,
        choices: params.choices,
        multiple: is_multiple(&kind, params.is_single),
        precision: params.precision,
        range: params.range,
        length_max: params.length_max,
        linked_table: params.linked_application,
        kind,
    })
}

/// What is used of a field's parameters.
#[derive(Default)]
struct Params {
    required: bool,
    unique: bool,
    is_auto_generated: bool,
    /// `entries_allowed` says `single`.
    is_single: bool,
    precision: Option<u32>,
    range: NumberRange,
    length_max: Option<u32>,
    linked_application: Option<String>,
    choices: Vec<Choice>,
}

impl Params {
    /// Whatever has not the expected shape counts as absent.
    fn read(json: &RawValue) -> Self {
        let mut params = Self::default();
        let yes = |raw: &RawValue| raw.get() == "true";
        let _malformed = members(json.get(), |member, raw| match member.as_str() {
            "required" => params.required = yes(raw),
            "unique" => params.unique = yes(raw),
            "is_auto_generated" => params.is_auto_generated = yes(raw),
            "entries_allowed" => params.is_single = text(raw).as_deref() == Some("single"),
            "precision" => params.precision = raw.get().trim_matches('"').trim().parse().ok(),
            "min_value" => params.range.least = decimal(raw),
            // A rating's scale is its greatest number.
            "max_value" | "scale" => params.range.greatest = decimal(raw),
            "max_length" => params.length_max = raw.get().parse().ok(),
            "linked_application" => params.linked_application = text(raw),
            "choices" => {
                let choices = &mut params.choices;
                let _malformed = elements(raw.get(), |raw| choices.extend(choice(raw)));
            }
            _ => {}
        });
        params
    }
}

/// `{"label": ..., "value": ...}`; a choice without an id cannot be written.
fn choice(json: &RawValue) -> Option<Choice> {
    let (mut id, mut label) = (None, None);
    members(json.get(), |member, raw| match member.as_str() {
        "value" => id = text(raw).or_else(|| number(raw)),
        "label" => label = text(raw),
        _ => {}
    })
    .ok()?;
    let id = id?;
    Some(Choice { label: label.unwrap_or_else(|| id.clone()), id })
}

/// A number, bare or as text.
fn decimal(json: &RawValue) -> Option<Decimal> {
    json.get().trim_matches('"').parse().ok()
}

/// A non-empty JSON string.
fn text(json: &RawValue) -> Option<String> {
    serde_json::from_str::<String>(json.get()).ok().filter(|text| !text.is_empty())
}

/// A JSON number, as it is written.
fn number(json: &RawValue) -> Option<String> {
    serde_json::from_str::<serde_json::Number>(json.get()).ok().map(|number| number.to_string())
}

/// Whether several entries fit. Where the field does not say, several do: nothing is refused on a guess.
fn is_multiple(kind: &FieldKind, is_single: bool) -> bool {
    match kind {
        FieldKind::MultipleSelect | FieldKind::Tags => true,
        FieldKind::User
        | FieldKind::Email
        | FieldKind::Phone
        | FieldKind::Link
        | FieldKind::IpAddress
        | FieldKind::ColorPicker
        | FieldKind::LinkedRecord => !is_single,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn table(fields: &Value) -> TableStructure {
        let json = json!({ "id": "t9", "name": "Customers", "primary_field": "title",
            "structure": fields, "permissions": { "level": "all_members" }, "tomorrow": [{}] });
        read(&json.to_string(), "t1").unwrap()
    }

    fn one(field: &Value) -> Field {
        table(&json!([field])).fields.remove(0)
    }

    #[test]
    fn a_table_is_read_with_its_fields_in_order() {
        let table = table(&json!([
            { "slug": "title", "label": "Title", "field_type": "recordtitlefield",
              "params": { "primary": true, "required": true, "unique": true } },
            { "slug": "s4f1c0a9b2", "label": "Status", "field_type": "statusfield",
              "params": { "choices": [
                { "value": "backlog", "label": "Backlog", "value_color": "#3A86FF", "value_order": 0 },
                { "value": 7, "label": "Seven" }, { "label": "no id" }, { "value": "x" }, null ] } },
            { "slug": "snew", "field_type": "hologramfield", "params": "soon" },
        ]));
        assert_eq!((table.id.as_str(), table.name.as_str()), ("t9", "Customers"));
        let slugs: Vec<_> = table.fields.iter().map(|field| field.slug.to_string()).collect();
        assert_eq!(slugs, ["title", "s4f1c0a9b2", "snew"]);
        let [title, status, new] = table.fields.as_slice() else { panic!("three fields") };
        assert!(title.required && title.unique && !title.read_only && !title.multiple);
        let choices: Vec<_> = status.choices.iter().map(|c| (&*c.id, &*c.label)).collect();
        assert_eq!(choices, [("backlog", "Backlog"), ("7", "Seven"), ("x", "x")]);
        assert_eq!(new.kind, FieldKind::Other("hologramfield".to_owned()));
        assert_eq!(new.label, "snew");
    }

    #[test]
    fn computed_and_system_fields_are_read_only() {
        for kind in COMPUTED_TYPES {
            assert!(one(&json!({ "slug": "s1", "field_type": kind })).read_only, "{kind}");
        }
        for slug in SYSTEM_SLUGS {
            assert!(one(&json!({ "slug": slug, "field_type": "textfield" })).read_only, "{slug}");
        }
        let title = |generated: bool| {
            one(&json!({ "slug": "title", "field_type": "recordtitlefield",
                "params": { "is_auto_generated": generated } }))
        };
        assert!(title(true).read_only && !title(false).read_only);
        assert!(!one(&json!({ "slug": "s1", "field_type": "textfield" })).read_only);
    }

    #[test]
    fn several_entries_are_allowed_unless_the_field_says_single() {
        let people = |params: Value| {
            one(&json!({ "slug": "s1", "field_type": "userfield", "params": params })).multiple
        };
        assert!(!people(json!({ "entries_allowed": "single" })));
        assert!(people(json!({ "entries_allowed": "multiple" })));
        assert!(people(json!({})));
    }

    #[test]
    fn precision_and_link_target_are_read() {
        let number = |precision: Value| {
            one(&json!({ "slug": "s1", "field_type": "numberfield",
                "params": { "precision": precision } }))
            .precision
        };
        assert_eq!(number(json!(2)), Some(2));
        assert_eq!(number(json!("2")), Some(2));
        assert_eq!(number(json!(null)), None);
        let link = one(&json!({ "slug": "s1", "field_type": "linkedrecordfield",
            "params": { "linked_application": "t2", "entries_allowed": "single" } }));
        assert_eq!(link.linked_table.as_deref(), Some("t2"));
        assert!(!link.multiple);
    }

    #[test]
    fn entries_that_are_no_fields_are_left_out() {
        let odd = json!([null, 5, {}, { "slug": "s1" }, { "field_type": "textfield" }, []]);
        assert!(table(&odd).fields.is_empty());
    }

    #[test]
    fn no_list_of_fields_is_no_table() {
        for json in ["", "[]", "{}", r#"{"structure":null}"#, r#"{"structure":{}}"#, "<html>"] {
            assert_eq!(read(json, "t1"), None, "{json}");
        }
        let many = vec![json!({ "slug": "s1", "field_type": "textfield" }); FIELDS_MAX + 1];
        assert_eq!(read(&json!({ "structure": many }).to_string(), "t1"), None);
    }
}
