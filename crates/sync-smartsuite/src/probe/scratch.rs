//! The table that may be experimented with: a text field for the marker, and no record that is not a probe's own.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use sync_core::{
    port::{BULK_MAX, PAGE_MAX},
    table::{Field, FieldKind},
};

use super::{
    MARKER, ProbeError,
    caller::{Caller, Heard},
};
use crate::wire::structure;

/// More leftovers than a few interrupted probes leave are not ours to explain.
const LEFTOVERS_MAX: usize = 200;
/// What the field for the marker must be called; case, spaces and punctuation do not matter.
const LABEL: &str = "externalid";

/// A table that may be used.
#[derive(Debug)]
pub(super) struct Scratch {
    /// Slug of the field that carries the marker.
    pub(super) key: String,
    /// Whether the service says that no two records may carry the same one.
    pub(super) key_is_unique: bool,
    /// The fields that can be written, but for the marker's and those that every record must have.
    fields: Vec<Field>,
    /// Texts that every record must have.
    required: Vec<String>,
    /// The parameters of each field.
    params: BTreeMap<String, Value>,
    /// Begins the external id of every record of this probe.
    prefix: String,
}

/// A record as a list shows it.
pub(super) type Records = BTreeMap<String, Value>;

impl Scratch {
    /// Looks at the table, and deletes what an earlier probe left.
    pub(super) async fn survey(caller: &mut Caller<'_>) -> Result<Self, ProbeError> {
        let json = caller.structure().await?;
        let scratch = Self::of(&json, caller.table(), caller.run_number())?;
        let records = scratch.every_record(caller).await?;
        let own = own_ids(&scratch, &records);
        if own.len() < records.len() {
            return Err(ProbeError::table(
                format!("the table has {} records that no probe made", records.len() - own.len()),
                "make an empty table for the probe; it deletes records",
            ));
        }
        if own.len() > LEFTOVERS_MAX {
            return Err(ProbeError::table(
                format!("the table has {} records of earlier probes", own.len()),
                "delete them by hand",
            ));
        }
        delete(caller, &own).await?;
        Ok(scratch)
    }

    /// The table of a structure, if it has what a probe needs.
    fn of(json: &Value, table: &str, run: i64) -> Result<Self, ProbeError> {
        let unusable = |reason: &str, remedy: &str| Err(ProbeError::table(reason, remedy));
        let Some(structure) = structure::read(&json.to_string(), table) else {
            return unusable("the answer describes no table", "check `--table`");
        };
        let is_key = |field: &&Field| {
            field.kind == FieldKind::Text && !field.read_only && plain(&field.label) == LABEL
        };
        let Some(key) = structure.fields.iter().find(is_key) else {
            return unusable(
                "the table has no text field called `External ID`",
                "add one: the probe marks its records in it, and touches no table without",
            );
        };
        let mut required = Vec::new();
        for field in structure.fields.iter().filter(|field| field.required && !field.read_only) {
            match field.kind {
                FieldKind::Text | FieldKind::TextArea | FieldKind::Title => {
                    required.push(field.slug.to_string());
                }
                _ => {
                    return unusable(
                        &format!("the field `{}` is required", field.label),
                        "make it optional: the probe fills required texts alone",
                    );
                }
            }
        }
        let is_free = |field: &&Field| {
            !field.read_only && !field.required && field.slug != key.slug && !field.unique
        };
        let params = json.get("structure").and_then(Value::as_array).into_iter().flatten();
        Ok(Self {
            key: key.slug.to_string(),
            key_is_unique: key.unique,
            fields: structure.fields.iter().filter(is_free).cloned().collect(),
            required,
            params: params
                .filter_map(|field| {
                    let params = field.get("params")?.clone();
                    Some((field.get("slug")?.as_str()?.to_owned(), params))
                })
                .collect(),
            prefix: format!("{MARKER}{run}-"),
        })
    }

    /// The marker of a record of this probe.
    pub(super) fn marker(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    /// A record to be created: the marker and what every record must have.
    pub(super) fn item(&self, name: &str) -> Map<String, Value> {
        let marker = Value::from(self.marker(name));
        let required = self.required.iter().map(|slug| (slug.clone(), marker.clone()));
        required.chain([(self.key.clone(), marker.clone())]).collect()
    }

    /// A text that every record must have, if the table asks for one.
    pub(super) fn required_text(&self) -> Option<&str> {
        self.required.iter().map(String::as_str).find(|slug| *slug != self.key)
    }

    /// Writable fields that may hold anything or nothing.
    pub(super) fn fields(&self) -> impl Iterator<Item = &Field> {
        self.fields.iter()
    }

    /// The first field of one of these types.
    pub(super) fn field_of(&self, kinds: &[FieldKind]) -> Option<&Field> {
        kinds.iter().find_map(|kind| self.fields.iter().find(|field| field.kind == *kind))
    }

    /// A parameter of a field.
    pub(super) fn param(&self, field: &Field, name: &str) -> Option<&Value> {
        self.params.get(field.slug.as_str())?.get(name)
    }

    /// The records of this probe by their id.
    pub(super) async fn records(&self, caller: &mut Caller<'_>) -> Result<Records, ProbeError> {
        let records = self.every_record(caller).await?;
        let is_own = |record: &Value| {
            record.get(&self.key).and_then(Value::as_str).is_some_and(|id| id.starts_with(MARKER))
        };
        Ok(records.into_iter().filter(|(_, record)| is_own(record)).collect())
    }

    /// Deletes every record that a probe made; how many remain all the same.
    pub(super) async fn clean_up(&self, caller: &mut Caller<'_>) -> Result<usize, ProbeError> {
        let mut left = 0;
        // Again, if there were any: a list may have been late, or a bulk delete have met one that was gone.
        for _ in 0..2 {
            caller.settle().await;
            let records = self.every_record(caller).await?;
            let own = own_ids(self, &records);
            left = own.len();
            if left == 0 {
                break;
            }
            left -= delete(caller, &own).await?;
        }
        Ok(left)
    }

    /// The first page of the table.
    async fn every_record(&self, caller: &mut Caller<'_>) -> Result<Records, ProbeError> {
        let body = json!({ "sort": [], "filter": {}, "hydrated": false });
        let limit = PAGE_MAX.to_string();
        let query = [("offset", "0"), ("limit", limit.as_str())];
        let json = caller.must_list(&query, &body).await?;
        let unusable =
            |reason: &str| ProbeError::table(reason, "make an empty table for the probe");
        let shown = items(&json).ok_or_else(|| unusable("the table cannot be listed"))?;
        let total = json.get("total").and_then(Value::as_u64).unwrap_or(0);
        if usize::try_from(total).is_ok_and(|total| total > shown.len()) {
            return Err(unusable("the table has more records than a page shows"));
        }
        let record =
            |record: &Value| Some((record.get("id")?.as_str()?.to_owned(), record.clone()));
        // One that cannot be read must not pass for one that is not there.
        let records: Option<Records> = shown.iter().map(record).collect();
        records.ok_or_else(|| unusable("the table has records without an id"))
    }
}

/// The records of a list or of a bulk answer, whatever they are wrapped in.
pub(super) fn items(json: &Value) -> Option<&[Value]> {
    let wrapped = || {
        ["items", "results", "records", "successful_items"].iter().find_map(|name| json.get(name))
    };
    json.as_array().or_else(|| wrapped()?.as_array()).map(Vec::as_slice)
}

/// The ids of records that carry the marker.
fn own_ids(scratch: &Scratch, records: &Records) -> Vec<String> {
    let marked = |record: &Value| {
        record.get(&scratch.key).and_then(Value::as_str).is_some_and(|id| id.starts_with(MARKER))
    };
    records.iter().filter(|(_, record)| marked(record)).map(|(id, _)| id.clone()).collect()
}

/// Deletes in bulk; how many the service says it deleted.
async fn delete(caller: &mut Caller<'_>, ids: &[String]) -> Result<usize, ProbeError> {
    let mut deleted = 0;
    for part in ids.chunks(BULK_MAX) {
        let part: Vec<&str> = part.iter().map(String::as_str).collect();
        if matches!(caller.delete(&part).await?, Heard::Taken(_)) {
            deleted += part.len();
        }
    }
    Ok(deleted)
}

/// Letters and digits in lower case.
fn plain(label: &str) -> String {
    label.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scratch(fields: &Value) -> Result<Scratch, ProbeError> {
        Scratch::of(&json!({ "structure": fields }), "t1", 7)
    }

    fn reason(result: Result<Scratch, ProbeError>) -> String {
        result.unwrap_err().to_string()
    }

    #[test]
    fn a_table_needs_a_text_field_called_external_id() {
        let with = |label: &str, kind: &str| {
            scratch(&json!([{ "slug": "sext", "label": label, "field_type": kind }]))
        };
        for label in ["External ID", "external_id", "externalId"] {
            assert_eq!(with(label, "textfield").unwrap().key, "sext");
        }
        for (label, kind) in [("Name", "textfield"), ("External ID", "numberfield")] {
            assert!(reason(with(label, kind)).contains("External ID"), "{label} {kind}");
        }
    }

    #[test]
    fn required_texts_are_filled_and_other_required_fields_refused() {
        let key = json!({ "slug": "sext", "label": "External ID", "field_type": "textfield" });
        let required = |kind: &str| {
            json!({ "slug": "sreq", "label": "Must", "field_type": kind,
                "params": { "required": true } })
        };
        let with_title = scratch(&json!([key, required("recordtitlefield")])).unwrap();
        assert_eq!(
            Value::from(with_title.item("x")),
            json!({ "sext": format!("{MARKER}7-x"), "sreq": format!("{MARKER}7-x") })
        );
        let with_number = scratch(&json!([key, required("numberfield")]));
        assert!(reason(with_number).contains("Must"));
    }
}
