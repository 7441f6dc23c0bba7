//! Several files as one mapping.

use std::path::Path;

use crate::config::{Parsed, parse_files};

/// A file with one sync, and what else it says.
fn file(name: &str, more: &str) -> String {
    format!(
        "{more}
syncs:
  - name: {name}
    source: {{query: SELECT 1 AS id, primary_key: id}}
    destination:
      table_id: 65000000000000000000000{}
      external_id_field: skey
      field_mappings: {{id: title}}
",
        name.len()
    )
}

/// Reads `conf/main.yml`, with these files beside it.
fn read(main: &str, others: &[(&str, String)]) -> Parsed {
    let load = |path: &Path| {
        let found = others.iter().find(|(name, _)| Path::new(name) == path);
        found.map(|(_, text)| text.clone()).ok_or_else(|| "it is not there".to_owned())
    };
    parse_files("conf/main.yml", main, &|name| (name == "SECRET").then(|| "hunter2".into()), &load)
}

/// What is wrong, with its file, line and column.
fn wrong(parsed: &Parsed) -> Vec<String> {
    let place = |label: &crate::config::diagnostic::Label| {
        let file = label.file.as_deref().unwrap_or("conf/main.yml");
        format!("{file}:{}:{}", label.place.line, label.place.column)
    };
    let shown = parsed.diagnostics.iter();
    shown
        .map(|one| format!("{} {}", one.code, one.labels.first().map(place).unwrap_or_default()))
        .collect()
}

#[test]
fn included_files_are_one_mapping_with_places_of_their_own() {
    let parsed = read(
        &file("a", "include: [b.yml, sub/ccc.yaml]"),
        &[
            ("conf/b.yml", format!("\u{feff}{}", file("bb", ""))),
            ("conf/sub/ccc.yaml", file("ccc", "include: ../dddd.yml")),
            ("conf/dddd.yml", file("dddd", "")),
        ],
    );
    assert_eq!(wrong(&parsed), [""; 0]);
    let names: Vec<String> =
        parsed.config.unwrap().syncs.into_iter().map(|sync| sync.name).collect();
    assert_eq!(names, ["a", "bb", "ccc", "dddd"]);
    // The mapping file itself needs no sync of its own.
    let parsed = read("include: b.yml", &[("conf/b.yml", file("bb", ""))]);
    assert_eq!(wrong(&parsed), [""; 0]);
    assert_eq!(parsed.config.unwrap().syncs.len(), 1);
    // Everything that is wrong is said of all of them.
    let parsed = read(
        &file("a", "include: [b.yml, ccc.yml]").replace("primary_key", "primry_key"),
        &[
            ("conf/b.yml", file("a", "").replace("title}", "tittle} #")),
            ("conf/ccc.yml", "syncs:\n\t- x".to_owned()),
        ],
    );
    assert_eq!(
        wrong(&parsed),
        [
            "config_unknown_key conf/main.yml:4:37",
            "config_duplicate_sync conf/b.yml:3:11",
            "config_shared_table conf/b.yml:6:17",
            "config_yaml_syntax conf/ccc.yml:2:2",
        ]
    );
    assert!(parsed.config.is_none());
}

#[test]
fn includes_that_lead_nowhere_are_said() {
    for (include, expected) in [
        ("b.yml", "config_include_unreadable conf/main.yml:1:10"),
        ("/etc/passwd", "config_include_unreadable conf/main.yml:1:10"),
        ("'${SECRET}.yml'", "config_include_unreadable conf/main.yml:1:10"),
        ("main.yml", "config_include_twice conf/main.yml:1:10"),
        ("[x/../loop.yml]", "config_include_twice conf/loop.yml:1:10"),
        ("[ok.yml, ./ok.yml]", "config_include_twice conf/main.yml:1:19"),
    ] {
        let parsed = read(
            &file("a", &format!("include: {include}")),
            &[
                ("conf/loop.yml", file("bb", "include: ../conf/main.yml")),
                ("conf/ok.yml", file("bb", "")),
            ],
        );
        assert_eq!(wrong(&parsed), [expected], "{include}");
        let said = format!("{:?}", parsed.diagnostics);
        assert!(!said.contains("hunter2"), "{said}");
        assert!(parsed.config.is_none());
    }
}

#[test]
fn what_holds_for_all_stands_in_the_mapping_file() {
    let parsed = read(
        "include: b.yml",
        &[(
            "conf/b.yml",
            file("bb", "state: {daily_backups: 0}\nsmartsuite: {calls_per_second: 1}"),
        )],
    );
    assert_eq!(
        wrong(&parsed),
        ["config_unknown_key conf/b.yml:1:1", "config_unknown_key conf/b.yml:2:1"]
    );
}
