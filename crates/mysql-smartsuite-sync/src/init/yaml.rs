//! Proposals as a mapping file, with a comment for each line that was decided.

use std::fmt::Write as _;

use super::proposal::{KeyField, SyncProposal, Way};

/// Where the file's text came from, for its first lines.
pub(crate) struct Origin<'a> {
    /// The database.
    pub(crate) database: &'a str,
    /// The solution.
    pub(crate) solution: &'a str,
    /// The zone in which DATETIME columns are written.
    pub(crate) time_zone: &'a str,
}

/// The whole file.
pub(crate) fn file(origin: &Origin<'_>, syncs: &[SyncProposal]) -> String {
    let mut out = format!(
        "# Which rows become which records. Written by `init` for database {} and solution {}.\n\
         # Change what you like: `validate --online` checks it, and `plan` shows what a run would do.\n\
         \n\
         syncs:\n",
        comment(origin.database),
        comment(origin.solution),
    );
    let blocks: Vec<String> = syncs.iter().map(|sync| block(origin, sync)).collect();
    out += &blocks.join("\n");
    out
}

/// A list with commas, in lines that fit beside each other on a screen.
fn in_lines(columns: &[String]) -> Vec<String> {
    const WIDTH: usize = 90;
    let mut lines: Vec<String> = Vec::new();
    for (at, column) in columns.iter().enumerate() {
        let comma = if at + 1 < columns.len() { "," } else { "" };
        match lines.last_mut() {
            Some(line) if line.chars().count() + column.chars().count() + 2 <= WIDTH => {
                line.push_str(&format!(" {column}{comma}"));
            }
            _ => lines.push(format!("{column}{comma}")),
        }
    }
    lines
}

fn block(origin: &Origin<'_>, sync: &SyncProposal) -> String {
    let mut out = String::new();
    let mut line = |indent: usize, text: &str| {
        // Writing to a string does not fail.
        let _always_ok = writeln!(out, "{:indent$}{text}", "");
    };
    line(2, &format!("- name: {}", scalar(&sync.name)));
    let description = format!("Rows of {} into {}", sync.source.name, sync.table.name);
    line(4, &format!("description: {}", scalar(&description)));
    line(4, "source:");
    line(6, "query: |");
    let mut columns: Vec<String> = needed(sync).iter().map(|name| quoted(name)).collect();
    if let Some((column, second)) = &sync.title {
        columns.push(format!("{} AS {}", quoted(column), quoted(second)));
    }
    for (number, listed) in in_lines(&columns).iter().enumerate() {
        line(8, &format!("{}{listed}", if number == 0 { "SELECT " } else { "       " }));
    }
    line(8, &format!("FROM {}", quoted(&sync.source.name)));
    if let Some(cursor) = &sync.cursor {
        let cursor = quoted(cursor);
        line(8, &format!("WHERE :last_sync_time IS NULL OR {cursor} >= :last_sync_time"));
    }
    match sync.source.primary_key.as_slice() {
        [single] => line(6, &format!("primary_key: {}", scalar(single))),
        several => {
            let all: Vec<String> = several.iter().map(|name| scalar(name)).collect();
            line(6, &format!("primary_key: [{}]", all.join(", ")));
        }
    }
    match &sync.cursor {
        Some(cursor) => line(6, &format!("updated_at_field: {}", scalar(cursor))),
        None => line(6, "# no column says when a row last changed: every run reads every row"),
    }
    line(6, &format!("time_zone: {}", scalar(origin.time_zone)));
    line(4, "destination:");
    line(6, &format!("table_id: {}", scalar(&sync.table.id)));
    let why = match &sync.key_field {
        KeyField::There(_, label) => format!("\"{label}\""),
        KeyField::New(field) => format!("\"{}\", made for the keys", field.label),
    };
    let slug = scalar(sync.key_field.slug());
    line(6, &format!("external_id_field: {slug} # {}", comment(&why)));
    line(6, "field_mappings:");
    for column in &sync.columns {
        let name = scalar(&column.column);
        let refers = column.refers_to.as_ref();
        let refers = refers.map(|table| format!("; refers to {table}")).unwrap_or_default();
        let reason = comment(&format!("{}{refers}", column.reason));
        match &column.way {
            Way::Field { slug, label, .. } => {
                line(8, &format!("{name}: {} # \"{}\": {reason}", scalar(slug), comment(label)));
            }
            Way::New(field) => {
                let (slug, label) = (scalar(&field.slug), comment(&field.label));
                line(8, &format!("{name}: {slug} # \"{label}\": {reason}"));
            }
            Way::Nowhere => {
                line(8, &format!("# {}: not mapped: {reason}", comment(&column.column)));
            }
        }
    }
    if let Some((column, second)) = &sync.title {
        let reason = format!("the record's title: {} goes there too", comment(column));
        line(8, &format!("{}: {} # {reason}", scalar(second), scalar(&sync.table.primary_field)));
    }
    for (place, link) in sync.links.iter().enumerate() {
        if place == 0 {
            line(6, "links:");
        }
        let from: Vec<String> = link.from.iter().map(|column| scalar(column)).collect();
        let from = match from.as_slice() {
            [single] => single.clone(),
            several => format!("[{}]", several.join(", ")),
        };
        let (slug, parent) = (scalar(link.field.slug()), scalar(&link.parent));
        let why = format!("\"{}\": {}", link.field.label(), link.reason);
        line(8, &format!("{slug}: {{sync: {parent}, from: {from}}} # {}", comment(&why)));
    }
    let mapped = sync.columns.iter().filter_map(|column| match &column.way {
        Way::Field { value_map, .. } if !value_map.is_empty() => Some((column, value_map)),
        _ => None,
    });
    for (place, (column, value_map)) in mapped.enumerate() {
        if place == 0 {
            line(6, "field_types:");
        }
        let kind = sync.field_kind(column);
        line(8, &format!("{}:", scalar(&column.column)));
        line(10, &format!("type: {kind}"));
        line(10, "options:");
        line(12, "value_map:");
        for (text, label) in value_map {
            line(14, &format!("{}: {}", scalar(text), scalar(label)));
        }
    }
    out
}

/// The columns that the query must return: keys, the cursor, and what is mapped.
fn needed(sync: &SyncProposal) -> Vec<String> {
    let mapped = |name: &String| {
        sync.columns.iter().any(|column| column.column == *name && column.way != Way::Nowhere)
    };
    let names = sync.source.columns.iter().map(|column| column.name.clone());
    names
        .filter(|name| {
            sync.source.primary_key.contains(name)
                || sync.cursor.as_ref() == Some(name)
                || mapped(name)
                || sync.links.iter().any(|link| link.from.contains(name))
        })
        .collect()
}

/// A name in SQL.
fn quoted(name: &str) -> String {
    format!("`{}`", name.replace('`', "``").replace("${", "$${"))
}

/// A text in YAML: bare where nobody could take it for something else.
pub(crate) fn scalar(text: &str) -> String {
    const SPOKEN_FOR: [&str; 10] =
        ["true", "false", "yes", "no", "on", "off", "null", "y", "n", "nan"];
    let is_bare = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && !SPOKEN_FOR.contains(&text.to_lowercase().as_str());
    if is_bare {
        return text.to_owned();
    }
    // A JSON string is a YAML string; `${` would be a variable.
    serde_json::Value::from(text.replace("${", "$${")).to_string()
}

/// Text that stays on the line of its comment.
fn comment(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect::<String>()
        .replace("${", "$${")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lists_take_several_lines() {
        let named = |count: usize| -> Vec<String> {
            (0..count).map(|at| format!("`column_{at:02}`")).collect()
        };
        assert_eq!(in_lines(&named(2)), ["`column_00`, `column_01`"]);
        let lines = in_lines(&named(30));
        assert!(
            lines.len() > 3 && lines.iter().all(|line| line.chars().count() <= 91),
            "{lines:#?}"
        );
        assert_eq!(lines.join(" "), named(30).join(", "));
    }

    #[test]
    fn odd_texts_are_quoted() {
        for (text, written) in [
            ("customers", "customers"),
            ("no", "\"no\""),
            ("6500", "\"6500\""),
            ("a b", "\"a b\""),
            ("it's \"x\"", "\"it's \\\"x\\\"\""),
            ("${HOME}", "\"$${HOME}\""),
            ("", "\"\""),
        ] {
            assert_eq!(scalar(text), written);
        }
        assert_eq!(quoted("a`b"), "`a``b`");
    }
}
