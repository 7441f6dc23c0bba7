//! All mistakes of a file are found together, each at its place.

use proptest::prelude::*;

use super::{EXAMPLE, parsed, sync};
use crate::config::{
    diagnostic::{Diagnostic, Severity},
    parse,
    span::Span,
};

/// Line, column and code of each diagnostic.
fn places(diagnostics: &[Diagnostic]) -> Vec<(usize, usize, &str)> {
    let place = |diagnostic: &Diagnostic| diagnostic.labels[0].place;
    diagnostics
        .iter()
        .map(|diagnostic| (place(diagnostic).line, place(diagnostic).column, diagnostic.code))
        .collect()
}

fn marked(text: &str, span: Span) -> &str {
    text.get(span.start..span.end).unwrap()
}

const TEN_MISTAKES: &str = "\
syncs:
  - name: customers
    enabeld: true
    source:
      query: |
        SELECT id, 'ü' AS umlaut, DATE_FORMAT(created_at, '%%Y') AS year
        FROM customers WHERE region = :region
      primary_key: id
      time_zone: Europe/Berln
    destination:
      table_id: ${CUSTOMERS_TABLE}
      field_mappings:
        id: sid0000001
        year: syear00001
        year: syear00002
        status: syear00001
      field_types:
        status:
          type: singelselect
        year: {type: number, options: {include_time: yes}}
";

#[test]
fn ten_mistakes_are_ten_diagnostics() {
    let parsed = parsed(TEN_MISTAKES);
    assert_eq!(
        places(&parsed.diagnostics),
        [
            (3, 5, "config_unknown_key"),
            (6, 59, "config_query_percent"),
            (7, 39, "config_query_parameter"),
            (9, 18, "config_bad_time_zone"),
            (10, 5, "config_missing_key"),
            (11, 17, "config_unset_variable"),
            (15, 9, "config_duplicate_key"),
            (16, 17, "config_mapped_twice"),
            (19, 17, "config_unknown_value"),
            (20, 40, "config_option_not_for_type"),
        ]
    );
    assert_eq!(parsed.config, None);
}

#[test]
fn line_ends_of_windows_and_a_byte_order_mark_change_no_place() {
    let windows = format!("\u{feff}{}", TEN_MISTAKES.replace('\n', "\r\n"));
    let said = |text: &str| {
        let diagnostics = parsed(text).diagnostics;
        let words: Vec<_> =
            diagnostics.iter().map(|found| format!("{} {}", found.message, found.hint)).collect();
        let places: Vec<_> = diagnostics.iter().map(|found| found.labels[0].place).collect();
        (words, places)
    };
    assert_eq!(said(&windows), said(TEN_MISTAKES));
}

#[test]
fn the_byte_span_of_a_label_is_what_is_meant() {
    let parsed = parsed(TEN_MISTAKES);
    let marked: Vec<_> =
        parsed.diagnostics.iter().map(|found| marked(TEN_MISTAKES, found.labels[0].span)).collect();
    assert_eq!(
        marked,
        [
            "enabeld",
            "'%%Y'",
            ":region",
            "Europe/Berln",
            "destination",
            "${CUSTOMERS_TABLE}",
            "year",
            "syear00001",
            "singelselect",
            "include_time",
        ]
    );
}

/// A misspelt section is read as the section it means.
#[test]
fn mistakes_below_a_misspelt_key_are_found_too() {
    let text = "
syncs:
  - name: customers
    source: {query: SELECT 1, primary_key: id}
    destinaton:
      table_id: 6500000000000000000000c1
      external_id_feild: sexternal1
      field_mapings: {a: b, a: c}
";
    assert_eq!(
        places(&parsed(text).diagnostics),
        [
            (5, 5, "config_unknown_key"),
            (7, 7, "config_unknown_key"),
            (8, 7, "config_unknown_key"),
            (8, 29, "config_duplicate_key"),
        ]
    );
}

#[test]
fn warnings_leave_the_configuration_usable() {
    let destination = "      field_mappings: {a: b}\n      field_types: {c: {type: text}}\n";
    let parsed = parsed(&sync(destination));
    assert_eq!(places(&parsed.diagnostics), [(8, 21, "config_unmapped_column")]);
    assert!(parsed.config.is_some());
}

#[test]
fn what_two_aliases_reach_is_reported_once() {
    let text = "
syncs:
  - name: a
    source: &source {query: SELECT 1, primary_key: id, colour: red}
    destination: {table_id: 6500000000000000000000c1, external_id_field: x, field_mappings: {a: b}}
  - name: b
    source: *source
    destination: {table_id: 6500000000000000000000c2, external_id_field: x, field_mappings: {a: b}}
";
    assert_eq!(places(&parsed(text).diagnostics), [(4, 56, "config_unknown_key")]);
}

#[test]
fn places_lead_from_what_servers_say_back_to_the_file() {
    let parsed = parsed(EXAMPLE);
    let places = parsed.places.sync("orders").unwrap();
    let marked = |span: Option<Span>| span.map(|span| marked(EXAMPLE, span));
    assert_eq!(marked(Some(places.name)), Some("orders"));
    assert_eq!(marked(Some(places.table_id)), Some("6500000000000000000000d1"));
    assert_eq!(marked(Some(places.external_id_field)), Some("sorderexid"));
    assert_eq!(marked(Some(places.primary_key)), Some("id"));
    assert_eq!(marked(places.column("order_date")), Some("order_date"));
    assert_eq!(marked(places.slug("sorderdate")), Some("sorderdate"));
    assert_eq!(marked(places.column("nothing")), None);
    assert_eq!(marked(Some(places.query_line(3))), Some("FROM orders"));
    assert_eq!(marked(Some(places.query_line(99))), Some(""));
    assert!(parsed.places.sync("nothing").is_none());
}

/// The example with some of its words dropped, doubled or replaced, which reaches further than noise does.
fn mutilated() -> impl Strategy<Value = String> {
    const MEAN: [&str; 10] = [": ", "- ", "${", "*a", "&a ", "'", "\"", "|", "\u{1}", "ü"];
    let words: Vec<&str> = EXAMPLE.split_inclusive([' ', '\n', ':', '{', '}']).collect();
    let edit = (0..words.len(), 0..words.len(), 0..3_u8);
    proptest::collection::vec(edit, 1..12).prop_map(move |edits| {
        let mut words = words.clone();
        for (at, from, kind) in edits {
            let (at, from) = (at % words.len(), from % words.len());
            match kind {
                0 => drop(words.remove(at)),
                1 => words.insert(at, words[from]),
                _ => words[at] = MEAN[from % MEAN.len()],
            }
        }
        words.concat()
    })
}

/// Nothing panics; every label can be shown; there is a configuration exactly if there is no error.
fn check_soundness(text: &str) {
    let parsed = parse(text, &|name| (name.len() % 2 == 0).then(|| "v:é\n'".to_owned()));
    for diagnostic in &parsed.diagnostics {
        assert!(!diagnostic.message.is_empty() && !diagnostic.hint.is_empty());
        for label in &diagnostic.labels {
            assert!(!marked(text, label.span).contains('\n'), "{diagnostic:?}");
            assert!((1..=text.split('\n').count()).contains(&label.place.line), "{diagnostic:?}");
        }
    }
    let errors = parsed.diagnostics.iter().any(|found| found.severity == Severity::Error);
    assert_eq!(parsed.config.is_none(), errors, "{:?}", parsed.diagnostics);
}

proptest! {
    #[test]
    fn no_text_makes_the_reader_panic(text in any::<String>()) {
        check_soundness(&text);
    }

    #[test]
    fn no_yaml_like_text_makes_the_reader_panic(
        text in "([ a-z:\\-{}\\[\\]'\"|>&*!$é\r#%@,?~]|\n|\n  |: |- |\\$\\{|syncs:){0,60}"
    ) {
        check_soundness(&text);
    }

    #[test]
    fn no_mutilated_file_makes_the_reader_panic(text in mutilated()) {
        check_soundness(&text);
    }
}
