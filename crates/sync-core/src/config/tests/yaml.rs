//! YAML as people write it, and variables in it.

use proptest::prelude::*;

use super::{config, parsed, query_of, sync};
use crate::config::{
    model::ScheduleDefinition, node::Node, parse, report::Report, scalar::Scalar, tree,
};

/// A sync whose query is written so.
fn with_query(written: &str) -> String {
    sync("      field_mappings: {c: s}\n").replace(
        "source: {query: SELECT 1, primary_key: id}",
        &format!("source:\n      query: {written}\n      primary_key: id"),
    )
}

#[test]
fn a_query_may_be_written_in_every_style() {
    let lines = "SELECT a, 'it''s' AS b\nFROM t\n  WHERE c > 1";
    let block = lines.replace('\n', "\n        ");
    for (written, query) in [
        (format!("|\n        {block}\n"), format!("{lines}\n")),
        (format!("|-\n        {block}"), lines.to_owned()),
        (format!("|2-\n        {block}"), lines.to_owned()),
        (format!("|+\n        {block}\n"), format!("{lines}\n\n")),
        (format!("{lines:?}"), lines.to_owned()),
        (">-\n        SELECT a\n        FROM t".to_owned(), "SELECT a FROM t".to_owned()),
        ("SELECT a\n        FROM t # comment".to_owned(), "SELECT a FROM t".to_owned()),
        ("'SELECT ''x'' '".to_owned(), "SELECT 'x' ".to_owned()),
    ] {
        assert_eq!(query_of(&config(&with_query(&written)).syncs[0]).text, query, "{written}");
    }
}

#[test]
fn the_line_of_a_query_is_where_its_first_line_stands() {
    for (written, line) in [
        ("SELECT 1", 4),
        ("'SELECT 1'", 4),
        ("|\n        SELECT 1\n        FROM t", 5),
        ("|\n\n\n        SELECT 1", 5),
        (">\n        SELECT 1", 5),
    ] {
        let source = &config(&with_query(written)).syncs[0].source;
        assert_eq!(source.rows.query_text().unwrap().line, line, "{written}");
    }
}

#[test]
fn what_is_no_yaml_is_explained() {
    for (text, explained) in [
        ("syncs:\n\t- name: a\n", "a line is indented by a tab"),
        ("syncs: 'a\n", "this quote is never closed"),
        ("syncs: 'a' b\n", "something follows the closing quote"),
        ("syncs: a: b\n", "a `:` stands where no value can begin"),
    ] {
        let parsed = parsed(text);
        let messages: Vec<&str> =
            parsed.diagnostics.iter().map(|one| one.message.as_str()).collect();
        assert_eq!(messages, [explained], "{text}");
    }
}

#[test]
fn an_alias_counts_with_all_that_it_names() {
    let long = "x".repeat(100_000);
    for named in [format!("'{long}'"), format!("['{long}']"), format!("{{key: '{long}'}}")] {
        let is_too_large = |aliases: usize| {
            let text = format!("a: &long {named}\nb: [{}]\n", vec!["*long"; aliases].join(", "));
            parsed(&text).diagnostics.iter().any(|one| one.code == "config_too_large")
        };
        assert_eq!([15, 20].map(is_too_large), [false, true]);
    }
}

#[test]
fn anchors_aliases_and_merge_keys_are_followed() {
    let config = config(
        "
syncs:
  - name: a
    source: &source
      query: SELECT 1
      primary_key: id
      time_zone: Europe/Berlin
    destination: &destination
      table_id: 6500000000000000000000c1
      external_id_field: sexternal1
      key_prefix: 'a:'
      field_mappings: &fields {c: s}
  - name: b
    source:
      <<: *source
      query: SELECT 2
    destination:
      key_prefix: 'b:'
      <<: [{field_mappings: {d: t}}, *destination]
",
    );
    let [a, b] = config.syncs.as_slice() else { panic!("{config:?}") };
    assert_eq!((query_of(a).text.as_str(), query_of(b).text.as_str()), ("SELECT 1", "SELECT 2"));
    assert_eq!(b.source.time_zone.as_deref(), Some("Europe/Berlin"));
    assert_eq!(b.destination.key_prefix, "b:", "what is written wins over what is merged");
    assert_eq!(b.destination.fields[0].columns(), ["d"].into(), "the first of several wins");
    assert_eq!(b.destination.table_id, a.destination.table_id);
}

#[test]
fn truth_has_the_words_of_both_versions_of_yaml() {
    for (word, enabled) in [
        ("true", true),
        ("Yes", true),
        ("on", true),
        ("FALSE", false),
        ("no", false),
        ("Off", false),
    ] {
        let text = sync("      field_mappings: {c: s}\n")
            .replace("name: customers", &format!("name: a\n    enabled: {word}"));
        assert_eq!(config(&text).syncs[0].enabled, enabled, "{word}");
    }
}

#[test]
fn variables_are_filled_in_wherever_a_value_stands() {
    let lookup = |name: &str| match name {
        "TABLE" => Some("6500000000000000000000c1".to_owned()),
        "EMPTY" => Some(String::new()),
        "MINUTES" => Some("15".to_owned()),
        "NASTY" => Some("x'\n- y: {z} # ${TABLE} $${".to_owned()),
        _ => None,
    };
    let text = with_query("SELECT ${NASTY} $${KEPT} ${EMPTY:-e}${NONE:-} # ${NONE}")
        .replace("6500000000000000000000c1", "${TABLE}")
        .replace("{c: s}", "{'c_${NONE:-d}': \"s${EMPTY}\"}")
        .replace("name: customers", "name: a\n    schedule: {interval: \"${MINUTES}\"}");
    let parsed = parse(&text, &lookup);
    let codes: Vec<_> = parsed.diagnostics.iter().map(|found| found.code).collect();
    // The quote that the value brings has no end; that alone is wrong.
    assert_eq!(codes, ["config_query_statement"]);
    let parsed = parse(&text.replace("SELECT ${NASTY}", "SELECT '${NASTY}"), &lookup);
    assert_eq!(parsed.diagnostics, []);
    let sync = &parsed.config.unwrap().syncs[0];
    assert_eq!(sync.destination.table_id, "6500000000000000000000c1");
    assert_eq!(sync.destination.fields[0].columns(), ["c_d"].into());
    assert_eq!(sync.destination.fields[0].slug.as_str(), "s");
    assert_eq!(sync.schedule, Some(ScheduleDefinition::Interval { minutes: 15 }));
    // The value stands as it is: it is no YAML, and nothing in it is filled in.
    assert_eq!(query_of(sync).text, "SELECT 'x'\n- y: {z} # ${TABLE} $${ ${KEPT} e");
}

#[test]
fn an_empty_variable_is_an_empty_text() {
    let text = sync("      field_mappings: {c: s}\n").replace("6500000000000000000000c1", "${X}");
    let parsed = parse(&text, &|_| Some(String::new()));
    assert_eq!(parsed.diagnostics[0].message, "`table_id` is empty");
}

#[test]
fn places_hold_behind_variables() {
    let text = with_query(
        "|
        SELECT '${LONG}' FROM t
        WHERE u > 'ü${LONG}' AND a = :wrong",
    );
    let parsed = parse(&text, &|_| Some("line\n".repeat(50)));
    let place = parsed.diagnostics[0].labels[0].place;
    assert_eq!((place.line, place.column), (6, 38));
    assert_eq!(parsed.diagnostics.len(), 1);
}

/// Lines as people indent them.
fn lines() -> impl Strategy<Value = Vec<String>> {
    let line = "[a-zé0-9'\"\\\\%=,()]([a-zé0-9'\"\\\\%=,() ]{0,8}[a-zé0-9'\"\\\\%=,()])?";
    let line = prop_oneof![4 => (0..3_usize, line).prop_map(|(indent, text)| " ".repeat(indent) + &text), 1 => Just(String::new())];
    proptest::collection::vec(line, 1..5)
}

proptest! {
    /// Whatever the style, each letter of a query is found where it stands in the file.
    #[test]
    fn letters_are_found_where_they_stand(lines in lines(), style in 0..4_u8) {
        let indented = |lines: &[String]| lines.join("\n        ");
        let written = match style {
            0 => format!("|2-\n        {}", indented(&lines)),
            1 => format!(">2-\n        {}", indented(&lines)),
            2 => format!("'{}'", indented(&lines).replace('\'', "''")),
            _ => format!("{:?}", lines.join("\n")),
        };
        let text = with_query(&written);
        let tree = tree::read(&text, &|_| None, &mut Report::new(&text)).unwrap();
        let query = scalar_at(&tree, "query").unwrap();
        for (at, letter) in query.text.char_indices().filter(|(_, letter)| !letter.is_whitespace()) {
            let span = query.span_of(at..at + letter.len_utf8());
            let found = text.get(span.start..).unwrap().chars().next().unwrap();
            let escaped = found == '\\' && style == 3;
            prop_assert!(found == letter || escaped, "{letter} is not {found} in {text}");
        }
    }
}

/// The value of the first key of this name.
fn scalar_at<'n>(node: &'n Node, name: &str) -> Option<&'n Scalar> {
    match node {
        Node::List { items, .. } => items.iter().find_map(|item| scalar_at(item, name)),
        Node::Map { entries, .. } => entries.iter().find_map(|entry| match &entry.value {
            Node::Scalar(scalar) if entry.key.text == name => Some(scalar),
            value => scalar_at(value, name),
        }),
        Node::Scalar(_) | Node::Broken => None,
    }
}

/// What another reader of YAML would make something of is refused if that something is doubtful.
#[test]
fn what_is_doubtful_is_refused() {
    let good = sync("      field_mappings: {c: s}\n");
    assert!(parsed(&good).config.is_some());
    for bad in [
        format!("{good}syncs: []\n"),
        format!("{good}---\n{good}"),
        format!("{good}\u{0}"),
        good.replace("name: customers", "name: !!python/object:os.system x"),
        good.replace("name: customers", "name: ~"),
        good.replace("name: customers", "name: customers\n    enabled:"),
    ] {
        assert!(parsed(&bad).config.is_none(), "{bad}");
    }
}
