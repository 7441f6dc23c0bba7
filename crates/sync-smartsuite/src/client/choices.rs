//! Adding choices to a field. The service takes a field's whole list of choices and deletes those that are left out, with
//! what records hold of them: so everything that was read goes back as it was, in front of what is new.

use serde_json::{Value, json, value::RawValue};
use sync_core::table::{Choice, FieldText};

use crate::wire::walk::{elements, members};

use super::workspace::COLOURS;

/// A member of `params` that is said to have deleted every choice; it is never sent.
const DANGEROUS: &str = "options";

/// The text of a field in a table's JSON.
pub(super) fn text_of(table: &str, slug: &str) -> Option<FieldText> {
    let mut found = None;
    members(table, |member, raw| {
        if member == "structure" {
            let _malformed = elements(raw.get(), |field| {
                if is_named(field, slug) {
                    found = Some(FieldText { slug: slug.into(), json: field.get().to_owned() });
                }
            });
        }
    })
    .ok()?;
    found
}

fn is_named(field: &RawValue, slug: &str) -> bool {
    let mut is_it = false;
    let _malformed = members(field.get(), |member, raw| {
        is_it |= member == "slug"
            && serde_json::from_str::<&str>(raw.get()).is_ok_and(|own| own == slug);
    });
    is_it
}

/// The field with more choices; nothing where it is not one that can have some.
pub(super) fn with_more(field: &FieldText, more: &[Choice]) -> Option<Value> {
    let field: Value = serde_json::from_str(&field.json).ok()?;
    let mut params = field.get("params")?.as_object()?.clone();
    params.remove(DANGEROUS);
    if params.get("choices").is_none_or(Value::is_null) {
        params.insert("choices".into(), json!([]));
    }
    // What is no list is not understood, and would be lost.
    let choices = params.get_mut("choices")?.as_array_mut()?;
    let held = choices.len();
    let colours = COLOURS.iter().cycle().skip(held);
    for (place, (choice, colour)) in more.iter().zip(colours).enumerate() {
        choices.push(json!({
            "value": choice.id,
            "label": choice.label,
            "value_color": colour,
            "value_order": held + place,
        }));
    }
    Some(json!({
        "slug": field.get("slug")?,
        "label": field.get("label")?,
        "field_type": field.get("field_type")?,
        "params": params,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = r##"{"id": "t", "structure": [{"slug": "sother", "params": {}},
        {"slug": "sstatus", "label": "Status", "field_type": "singleselectfield", "icon": "x", "params":
          {"required": true, "options": [1], "unknown": {"deep": [1.5]},
           "choices": [{"value": "aB3", "label": "New", "weight": 2, "value_color": "#123456"}]}}]}"##;

    #[test]
    fn what_is_there_goes_back_as_it_was_before_what_is_new() {
        let field = text_of(TABLE, "sstatus").unwrap();
        let more = [Choice { id: "xYz12".into(), label: "Old".into() }];
        let changed = with_more(&field, &more).unwrap();
        assert_eq!(
            changed,
            json!({
                "slug": "sstatus", "label": "Status", "field_type": "singleselectfield",
                "params": {
                    "required": true, "unknown": {"deep": [1.5]},
                    "choices": [
                        {"value": "aB3", "label": "New", "weight": 2, "value_color": "#123456"},
                        {"value": "xYz12", "label": "Old", "value_color": "#4ECCFD", "value_order": 1},
                    ],
                },
            })
        );
    }

    #[test]
    fn what_is_not_understood_is_not_changed() {
        assert_eq!(text_of(TABLE, "snothing"), None);
        for field in
            [r#"{"slug": "s"}"#, r#"{"slug": "s", "params": {"choices": "many"}}"#, "[]", ""]
        {
            let text = FieldText { slug: "s".into(), json: field.into() };
            assert_eq!(with_more(&text, &[]), None, "{field}");
        }
    }
}
