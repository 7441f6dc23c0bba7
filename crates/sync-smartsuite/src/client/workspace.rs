//! The workspace around a table: solutions, their tables, new fields. For `init` and `doctor`; syncs need none of it.

use http::Method;
use serde_json::{Map, Value, json};
use sync_core::{
    error::CallError,
    slug::Slug,
    table::{Choice, FieldKind, TableStructure},
};

use super::{LARGE_ANSWER_BYTES_MAX, SmartSuiteClient};
use crate::{answer::unreadable, transport::Limits, wire::structure};

/// Colours of new choices, as SmartSuite's own palette has them: without one a choice looks blank.
pub(super) const COLOURS: [&str; 6] =
    ["#3A86FF", "#4ECCFD", "#3EAC40", "#FF9210", "#FF5757", "#883CD0"];

/// A solution: a group of tables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Solution {
    /// Its id.
    pub id: String,
    /// The name people see.
    pub name: String,
    /// How many records its tables hold together, where the service says so.
    pub records: Option<u64>,
}

/// A field to be added to a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewField {
    /// Its slug; whoever makes it must see to it that the same field gets the same one each time.
    pub slug: Slug,
    /// The name people see.
    pub label: String,
    /// Its type.
    pub kind: FieldKind,
    /// Choices of a select field.
    pub choices: Vec<Choice>,
    /// Digits behind the point of a numeric field.
    pub precision: Option<u32>,
    /// For linked records: the table linked to.
    pub linked_table: Option<String>,
}

impl SmartSuiteClient {
    /// The solutions that the key can see, in one call. May be repeated.
    ///
    /// # Errors
    /// The call fails.
    pub async fn solutions(&self) -> Result<Vec<Solution>, CallError> {
        let request = self.requests.make(Method::GET, &["solutions"], &[], None)?;
        let asked = self.asked(None, 0);
        let body = self.send(request, self.listing_limits(), asked).await?.body;
        let listed = entries(&body).ok_or_else(|| unreadable(&body, asked))?;
        Ok(listed.iter().filter_map(solution).collect())
    }

    /// The tables of a solution with their structures, in one call. May be repeated.
    ///
    /// # Errors
    /// The call fails.
    pub async fn tables(&self, solution: &str) -> Result<Vec<TableStructure>, CallError> {
        let query = [("solution", solution)];
        let request = self.requests.make(Method::GET, &["applications"], &query, None)?;
        let asked = self.asked(None, 0);
        let body = self.send(request, self.listing_limits(), asked).await?.body;
        let listed = entries(&body).ok_or_else(|| unreadable(&body, asked))?;
        let table = |table: &Value| {
            let id = table.get("id")?.as_str()?;
            structure::read(&table.to_string(), id)
        };
        Ok(listed.iter().filter_map(table).collect())
    }

    /// How many records a table holds, in one call; with a field, only those in which it is not empty. `None`: the service
    /// does not say. May be repeated.
    ///
    /// # Errors
    /// The call fails.
    pub async fn record_count(
        &self,
        table: &str,
        filled: Option<&Slug>,
    ) -> Result<Option<u64>, CallError> {
        let clause = |slug: &Slug| json!({ "field": slug.as_str(), "comparison": "is_not_empty", "value": null });
        let filter = filled.map_or_else(
            || json!({}),
            |slug| json!({ "operator": "and", "fields": [clause(slug)] }),
        );
        let body = json!({ "sort": [], "filter": filter, "hydrated": false });
        let path = ["applications", table, "records", "list"];
        let query = [("offset", "0"), ("limit", "1")];
        let request = self.requests.make(Method::POST, &path, &query, Some(&body))?;
        let asked = self.asked(None, 0);
        let body = self.send(request, self.read_limits(), asked).await?.body;
        let answer: Value = serde_json::from_str(&body).map_err(|_| unreadable(&body, asked))?;
        Ok(["total", "count"].into_iter().find_map(|key| answer.get(key)?.as_u64()))
    }

    /// Adds a field at the end of a table, in one call. **Must not be repeated** without a look at the table: whether
    /// the service refuses a second field with the slug is not known. The field may take seconds to show.
    ///
    /// # Errors
    /// The call fails; unless the error is an answer, the field may have been added.
    pub async fn add_field(&self, table: &str, field: &NewField) -> Result<(), CallError> {
        let body = json!({
            "field": {
                "slug": field.slug.as_str(),
                "label": field.label,
                "field_type": field.kind.name(),
                "params": field.params(),
                "is_new": true,
            },
            "field_position": { "prev_sibling_slug": "" },
            "auto_fill_structure_layout": true,
        });
        let path = ["applications", table, "add_field"];
        let request = self.requests.make(Method::POST, &path, &[], Some(&body))?;
        self.send(request, self.read_limits(), self.asked(None, 0)).await?;
        Ok(())
    }

    fn listing_limits(&self) -> Limits {
        Limits { time: self.timeouts.bulk, body_bytes_max: LARGE_ANSWER_BYTES_MAX }
    }
}

impl NewField {
    fn params(&self) -> Value {
        let mut params = Map::new();
        if !self.choices.is_empty() {
            let choices = self.choices.iter().zip(COLOURS.iter().cycle()).enumerate();
            let choices: Vec<Value> = choices
                .map(|(place, (choice, colour))| {
                    json!({
                        "value": choice.id,
                        "label": choice.label,
                        "value_color": colour,
                        "value_order": place,
                    })
                })
                .collect();
            params.insert("choices".into(), choices.into());
        }
        if let Some(digits) = self.precision {
            params.insert("precision".into(), digits.into());
        }
        if let Some(table) = &self.linked_table {
            params.insert("linked_application".into(), table.as_str().into());
            params.insert("entries_allowed".into(), "single".into());
        }
        Value::Object(params)
    }
}

/// The entries of a list: public clients have seen it bare, and in several wrappings.
fn entries(body: &str) -> Option<Vec<Value>> {
    let mut json: Value = serde_json::from_str(body).ok()?;
    if let Value::Array(entries) = json {
        return Some(entries);
    }
    ["results", "items", "data"].into_iter().find_map(|key| match json.get_mut(key)?.take() {
        Value::Array(entries) => Some(entries),
        _ => None,
    })
}

fn solution(json: &Value) -> Option<Solution> {
    Some(Solution {
        id: json.get("id")?.as_str()?.to_owned(),
        name: json.get("name").and_then(Value::as_str).unwrap_or_default().to_owned(),
        records: json.get("records_count").and_then(Value::as_u64),
    })
}
