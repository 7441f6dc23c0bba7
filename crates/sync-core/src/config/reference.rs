//! The JSON schema for editors and the reference page, both made from the documentation of `raw`.

use schemars::{JsonSchema, schema_for};
use serde_json::Value;

use super::{
    code::{Code, Severity},
    field_type::FIELD_TYPES,
    raw::{
        RawAlerts, RawDestination, RawEmail, RawField, RawFieldType, RawFile, RawHeartbeat,
        RawLink, RawOptions, RawQuietHours, RawSchedule, RawSmartSuite, RawSource, RawState,
        RawSync, RawTest, RawTransformation, RawWebhook,
    },
};

/// The schema of mapping files: `config/sync_mappings.schema.json`.
pub fn schema() -> String {
    let mut schema = schema_for!(RawFile);
    schema.insert("title".to_owned(), "mysql-smartsuite-sync mapping file".into());
    format!("{:#}\n", schema.to_value())
}

/// The reference page: `docs/reference/configuration.md`.
pub fn page() -> String {
    let sections = [
        section::<RawFile>("The file", RawFile::KEYS),
        section::<RawSync>("`syncs[]`", RawSync::KEYS),
        section::<RawSource>("`syncs[].source`", RawSource::KEYS),
        section::<RawDestination>("`syncs[].destination`", RawDestination::KEYS),
        section::<RawField>("`syncs[].destination.fields.SLUG`", RawField::KEYS),
        section::<RawLink>("`syncs[].destination.links.SLUG`", RawLink::KEYS),
        section::<RawFieldType>("`syncs[].destination.field_types.COLUMN`", RawFieldType::KEYS),
        section::<RawOptions>("`syncs[].destination.field_types.COLUMN.options`", RawOptions::KEYS),
        section::<RawTransformation>(
            "`syncs[].destination.transformations.COLUMN`",
            RawTransformation::KEYS,
        ),
        section::<RawSchedule>("`syncs[].schedule`", RawSchedule::KEYS),
        section::<RawTest>("`syncs[].tests[]`", RawTest::KEYS),
        section::<RawSmartSuite>("`smartsuite`", RawSmartSuite::KEYS),
        section::<RawState>("`state`", RawState::KEYS),
        section::<RawAlerts>("`alerts`", RawAlerts::KEYS),
        section::<RawEmail>("`alerts.email`", RawEmail::KEYS),
        section::<RawWebhook>("`alerts.webhook`", RawWebhook::KEYS),
        section::<RawHeartbeat>("`alerts.heartbeat`", RawHeartbeat::KEYS),
        section::<RawQuietHours>("`alerts.quiet_hours`", RawQuietHours::KEYS),
    ];
    [INTRODUCTION.to_owned(), sections.concat(), field_types(), expressions(), codes()].concat()
}

const INTRODUCTION: &str = "\
<!-- Generated from the source's documentation; `UPDATE_GENERATED=1 cargo nextest run -p sync-core generated` writes it. -->

# The mapping file

`config/sync_mappings.yml`, or the file given by `--config`, says which rows become which records.
[`config/sync_mappings.example.yml`](../../config/sync_mappings.example.yml) shows every key in use; editors that know
JSON schemas check and complete the file by
[`config/sync_mappings.schema.json`](../../config/sync_mappings.schema.json). `validate` reports everything that is
wrong with a file at once, each with its line.

`${NAME}` in a value stands for an environment variable, `${NAME:-default}` for one that may be missing or empty; a
plain `${` is written `$${`. Variables are filled in after the YAML is read: whatever a value holds, it stays one
value. Inside `{...}` and `[...]` put the variable in quotes: `{interval: \"${MINUTES}\"}`.
";

/// A heading with the section's own documentation and a table of its keys.
fn section<T: JsonSchema>(title: &str, keys: &[&str]) -> String {
    let schema = schema_for!(T).to_value();
    let rows = keys.iter().map(|key| {
        let property = schema.pointer(&format!("/properties/{key}")).unwrap_or(&Value::Null);
        let required = schema
            .get("required")
            .and_then(Value::as_array)
            .is_some_and(|required| required.iter().any(|name| name == key));
        let presence = match property.get("default") {
            Some(Value::String(text)) if text.is_empty() => "optional, empty".to_owned(),
            Some(Value::String(text)) => format!("optional, `{text}`"),
            Some(default) => format!("optional, `{default}`"),
            None if required => "**required**".to_owned(),
            None => "optional".to_owned(),
        };
        format!("| `{key}` | {} | {presence} | {} |\n", kind(property), text(property))
    });
    let table: String = rows.collect();
    let about = text(&schema);
    format!(
        "\n## {title}\n\n{about}\n\n| key | value | default | meaning |\n|---|---|---|---|\n{table}"
    )
}

fn text(schema: &Value) -> String {
    let text = schema.get("description").and_then(Value::as_str).unwrap_or("");
    text.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|")
}

/// What a key takes, in words.
fn kind(property: &Value) -> String {
    if let Some(names) =
        property.get("enum").and_then(Value::as_array).filter(|names| names.len() < 9)
    {
        let names: Vec<_> = names.iter().map(|name| format!("`{}`", plain(name))).collect();
        return names.join(", ");
    }
    let types: Vec<_> = match property.get("type") {
        Some(Value::Array(types)) => {
            types.iter().map(plain).filter(|name| name != "null").collect()
        }
        Some(single) => vec![plain(single)],
        None => vec!["object".to_owned()],
    };
    let words: Vec<_> = types.iter().map(|name| word(name)).collect();
    let bounds = match (property.get("minimum"), property.get("maximum")) {
        (Some(least), Some(most)) => format!(", {least} to {most}"),
        _ => String::new(),
    };
    format!("{}{bounds}", words.join(" or "))
}

/// A JSON value without the quotes of a string.
fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn word(json_type: &str) -> &str {
    match json_type {
        "string" => "text",
        "integer" | "number" => "number",
        "array" => "list",
        "object" => "keys below it",
        other => other,
    }
}

fn field_types() -> String {
    let rows = FIELD_TYPES.iter().map(|of| {
        let mut names = of.names.iter().map(|name| format!("`{name}`"));
        let first = names.next().unwrap_or_default();
        let others = names.collect::<Vec<_>>().join(", ");
        let options: Vec<_> = of.options.iter().map(|name| format!("`{name}`")).collect();
        format!("| {first} | {others} | {} |\n", options.join(", "))
    });
    let table: String = rows.collect();
    format!(
        "\n## Types of `field_types`\n\n| type | also written | options |\n|---|---|---|\n{table}"
    )
}

const EXPRESSIONS: &str = "
## Expressions

An expression computes one value from the columns of a row. Numbers are exact decimals, never floats: `price * 1.19`
is what pen and paper give; a division is rounded half away from zero to 30 digits. A file is checked before any row
is read: the syntax offline, names and kinds of columns against the query.

- A column is written as it is called; one with an odd name, or the name of a word below, in backticks:
  `` `order no` ``. Texts stand in single or double quotes, which are doubled inside.
- `+ - * /` compute, `&` joins texts, `= <> < <= > >=` compare, `not`, `and` and `or` combine.
- NULL in arithmetic and comparisons gives NULL, as in SQL; `&` and templates take it for nothing. Zero dates are NULL.
- In texts a column reads as in MySQL: a DECIMAL keeps its digits.
- A row without a value (division by zero, a text that is no number) goes to quarantine.

| function | answers |
|---|---|
";

fn expressions() -> String {
    let rows = crate::expression::reference().into_iter();
    let lines: Vec<_> =
        rows.map(|(usage, meaning)| format!("| `{usage}` | {meaning} |\n")).collect();
    format!("{EXPRESSIONS}{}", lines.concat())
}

fn codes() -> String {
    let rows = Code::ALL.iter().map(|code| {
        let severity = match code.severity() {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "note",
        };
        format!("| `{code}` | {severity} | {} |\n", code.meaning().replace('|', "\\|"))
    });
    let table: String = rows.collect();
    format!(
        "\n## Codes\n\nA file with an error is not used; one with a warning is. The codes do not change between versions.\n\n\
         | code | severity | meaning |\n|---|---|---|\n{table}"
    )
}

#[cfg(test)]
mod tests {
    use std::{env, fs, path::Path};

    use super::*;

    /// Compares a committed file with what it should hold; writes it if `UPDATE_GENERATED` is set.
    #[track_caller]
    fn check(path: &str, expected: &str) {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path);
        if env::var_os("UPDATE_GENERATED").is_some() {
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(&file, expected).unwrap();
        }
        let found = fs::read_to_string(&file).unwrap_or_default();
        assert!(
            found == expected,
            "{path} is stale: run `UPDATE_GENERATED=1 cargo nextest run -p sync-core generated`"
        );
    }

    #[test]
    fn generated_schema_is_current() {
        check("config/sync_mappings.schema.json", &schema());
    }

    #[test]
    fn generated_page_is_current() {
        check("docs/reference/configuration.md", &page());
    }

    #[test]
    fn every_key_is_documented_and_in_the_example() {
        let example = include_str!("../../../../config/sync_mappings.example.yml");
        for keys in [
            RawFile::KEYS,
            RawSync::KEYS,
            RawSource::KEYS,
            RawDestination::KEYS,
            RawField::KEYS,
            RawFieldType::KEYS,
            RawOptions::KEYS,
            RawTransformation::KEYS,
            RawSchedule::KEYS,
            RawSmartSuite::KEYS,
            RawAlerts::KEYS,
            RawEmail::KEYS,
            RawWebhook::KEYS,
            RawHeartbeat::KEYS,
            RawQuietHours::KEYS,
        ] {
            for key in keys {
                assert!(example.contains(&format!("{key}:")), "{key}");
            }
        }
        for line in page().lines().filter(|line| line.starts_with("| `")) {
            assert!(!line.ends_with("|  |") || line.contains("field` |"), "{line}");
        }
    }

    #[test]
    fn codes_are_unique_and_do_not_change_unnoticed() {
        let mut names: Vec<_> = Code::ALL.iter().map(|code| code.name()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Code::ALL.len());
        for code in Code::ALL {
            let json = serde_json::to_value(code).unwrap();
            assert_eq!(json, code.name());
            assert!(code.name().starts_with("config_"));
        }
    }
}
