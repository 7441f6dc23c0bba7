//! `docs/reference/types.md`: what the test found, for people.

use std::{collections::BTreeMap, env, fmt::Write as _, fs, path::PathBuf};

use serde_json::Value as Json;
use sync_core::table::FieldKind;

use super::{Fate, column::Column};
use crate::stage::project;

/// Longer cells are cut.
const CELL_CHARACTERS_MAX: usize = 100;
/// A column with more values has a line for each, and what is refused at its end.
const VALUES_ABREAST_MAX: usize = 5;
/// What the service adds of its own, or computes from the day.
const ADDED: &[&str] = &[
    "updated_on",
    "is_overdue",
    "status_is_completed",
    "status_updated_on",
    "sys_root",
    "html",
    "preview",
];

/// What became of the values of one column: fates by type of field, in the order of the values.
pub(super) type Fates = Vec<(&'static FieldKind, Vec<Fate>)>;

/// The section of one type of column.
pub(super) fn section(column: &Column, fates: &Fates) -> String {
    let mut text = format!("## {}\n\n", column.sql);
    if let Some(only) = column.only {
        writeln!(text, "On {only} alone.\n").unwrap();
    }
    let values: Vec<String> = column.values.iter().map(|value| code(value)).collect();
    if values.len() > VALUES_ABREAST_MAX {
        text += "| into | what becomes of it |\n|---|---|\n";
        for (kinds, cells) in grouped(fates) {
            writeln!(text, "| {} | {} |", kinds.join(", "), listed(&values, &cells)).unwrap();
        }
        return text;
    }
    writeln!(text, "| into | {} |", values.join(" | ")).unwrap();
    writeln!(text, "|---|{}", "---|".repeat(values.len())).unwrap();
    for (kinds, cells) in grouped(fates) {
        writeln!(text, "| {} | {} |", kinds.join(", "), cells.join(" | ")).unwrap();
    }
    text
}

/// Each value with its cell; those that are refused for one reason stand together.
fn listed(values: &[String], cells: &[String]) -> String {
    let mut lines = Vec::new();
    let mut refused: Vec<(&str, Vec<&str>)> = Vec::new();
    for (value, cell) in values.iter().zip(cells) {
        if !cell.starts_with("refused") && !cell.starts_with("never") {
            lines.push(format!("{value}: {cell}"));
        } else if let Some((_, values)) = refused.iter_mut().find(|(reason, _)| reason == cell) {
            values.push(value);
        } else {
            refused.push((cell, vec![value]));
        }
    }
    let whole = |(reason, of): (&str, Vec<&str>)| match of.len() {
        all if all == values.len() => reason.to_owned(),
        _ => format!("{reason}: {}", of.join(", ")),
    };
    lines.extend(refused.into_iter().map(whole));
    lines.join("<br>")
}

/// Types whose cells are the same stand in one line.
fn grouped(fates: &Fates) -> Vec<(Vec<&'static str>, Vec<String>)> {
    let mut lines: Vec<(Vec<&'static str>, Vec<String>)> = Vec::new();
    for (kind, fates) in fates {
        let cells: Vec<String> = fates.iter().map(cell).collect();
        match lines.iter_mut().find(|(_, known)| *known == cells) {
            Some((kinds, _)) => kinds.push(kind.name()),
            None => lines.push((vec![kind.name()], cells)),
        }
    }
    lines
}

fn cell(fate: &Fate) -> String {
    match fate {
        Fate::Empty => "*empty*".to_owned(),
        Fate::Kept(json) => code(&written(json).to_string()),
        Fate::Refused(reason) => format!("refused: {reason}"),
        Fate::Never(reason) => format!("never: {reason}"),
    }
}

/// What of a value was written: without what is empty, and without what the service adds. A document is its words.
fn written(json: &Json) -> Json {
    match json {
        Json::Object(members) if members.contains_key("data") => {
            let mut lines = Vec::new();
            words(&members["data"], &mut lines);
            lines.join("\n").into()
        }
        Json::Object(members) => {
            let kept = members.iter().filter(|(name, _)| !ADDED.contains(&name.as_str()));
            let kept = kept.map(|(name, value)| (name.clone(), written(value)));
            kept.filter(|(_, value)| *value != Json::Null && value != "").collect()
        }
        Json::Array(items) => items.iter().map(written).collect(),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => json.clone(),
    }
}

/// The texts in a document.
fn words(node: &Json, lines: &mut Vec<String>) {
    if let Some(text) = node["text"].as_str() {
        lines.push(text.to_owned());
    }
    for child in node["content"].as_array().into_iter().flatten() {
        words(child, lines);
    }
}

/// Text as code inside a table.
fn code(text: &str) -> String {
    let kept: String = text.chars().take(CELL_CHARACTERS_MAX).collect();
    let end = if kept.len() < text.len() { "..." } else { "" };
    let text = format!("{kept}{end}").replace('|', "\\|");
    if text.contains('`') { format!("`` {text} ``") } else { format!("`{text}`") }
}

const HEAD: &str = "<!-- Generated from what real servers and the emulator did; \
`UPDATE_GENERATED=1 cargo x with-servers -- cargo nextest run -p mysql-smartsuite-sync -j1 'types::'` writes it. -->

# Every MySQL type into every SmartSuite type

What becomes of a value where a column is mapped to a field without any option. Each cell is what SmartSuite's record holds
afterwards, as its API shows it, without what is empty and what the service adds of its own; a rich text is shown by its words.
It was written to the emulator in all of its profiles and read back, from MariaDB and from
MySQL, and compared equal to what was sent. *empty* is an empty field. *refused* parks the row in
[quarantine](../guide/operating.md) and harms no other; *never* is said by `validate --online` before anything is sent, as no
value of the type could be taken. The codes are those of the messages. NULL empties a field of any type.

The selects have the choices `new`, `done`, `yes` and `12`; the rating has five stars, the slider goes from 0 to 100; a
clock time without a zone is taken for UTC. Dates keep whole seconds, which a run says where it matters; texts keep all. A field
of type user takes people by their e-mail addresses, one of linked records ids; foreign keys become
[links](../guide/links.md). Zeros in front of a ZEROFILL number are a way to show it: `LPAD` in the query keeps them. YEAR 0000 is
the number 0: `NULLIF(year_column, 0)` makes it empty. What a mapping can say to change any of this is in the
[configuration](configuration.md).
";

/// Holds the sections of one server against the page; with `UPDATE_GENERATED` set, writes them into it.
pub(super) fn check(columns: &[Column], found: &BTreeMap<&'static str, String>) {
    let path = path();
    let page = fs::read_to_string(&path).unwrap_or_default();
    let known: BTreeMap<&str, String> = page
        .split("\n## ")
        .skip(1)
        .filter_map(|part| {
            let (name, _) = part.split_once('\n')?;
            Some((name, format!("## {}\n", part.trim_end())))
        })
        .collect();
    let mut text = HEAD.to_owned();
    for column in columns {
        let section = found.get(column.sql).or_else(|| known.get(column.sql));
        write!(text, "\n{}", section.map_or("", String::as_str)).unwrap();
    }
    if env::var_os("UPDATE_GENERATED").is_some() {
        return fs::write(&path, text).unwrap();
    }
    for (name, section) in found {
        let stands = known.get(name).map_or("nothing", String::as_str);
        assert_eq!(
            section, stands,
            "{name} in docs/reference/types.md is stale; see its first line"
        );
    }
    assert_eq!(page, text, "docs/reference/types.md is stale; see its first line");
}

fn path() -> PathBuf {
    project().join("docs/reference/types.md")
}
