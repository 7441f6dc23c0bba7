mod rules;

use insta::assert_snapshot;
use sync_core::config::{Parsed, parse, parse_files};

use super::*;

const PATH: &str = "config/sync_mappings.yml";

fn parsed(text: &str) -> Parsed {
    parse(text, &|name| (name == "PASSWORD").then(|| "hunter2".to_owned()))
}

/// What `validate` shows for a mapping file. Nobody's secret is ever on a screen.
fn shown(text: &str) -> String {
    let screen = screen(&parsed(text).diagnostics, &Sources::of(PATH, text), false);
    assert!(!screen.contains("hunter2"), "{screen}");
    screen
}

/// A file whose only sync has this source and destination.
fn sync(source: &str, destination: &str) -> String {
    format!(
        "syncs:
  - name: customers
    source:
      query: SELECT id, email, phone, status FROM customers
      primary_key: id
{source}    destination:
      table_id: 6500000000000000000000c1
      external_id_field: sexternal1
      field_mappings:
        email: semail0001
        phone: sphone0001
        status: sstatus001
{destination}"
    )
}

#[test]
fn nothing_wrong() {
    assert_snapshot!(shown(&sync("", "")), @"`config/sync_mappings.yml`: no problems");
}

#[test]
fn misspelt_and_misplaced_keys() {
    assert_snapshot!(shown(
        "syncs:
  - name: customers
    enabeld: true
    table_id: 6500000000000000000000c1
    source:
      quary: SELECT 1
      primary_key: id
    destination:
      tableId: 6500000000000000000000c1
      external_id_field: sexternal1
      field_mappings: {email: semail0001}
      colour: red
"
    ));
}

#[test]
fn missing_keys() {
    assert_snapshot!(shown(
        "syncs:
  - name: customers
    source:
      query: SELECT 1
  - description: no name
    source:
    destination: {}
    schedule: {}
"
    ));
}

#[test]
fn wrong_types() {
    assert_snapshot!(shown(
        "syncs:
  - name: [customers]
    enabled: \"no\"
    schedule: {interval: 2.5}
    source: SELECT 1
    destination:
      - table_id
  - enabled:
    name: {}
    source:
      query: 5
      primary_key: {id: 1}
    destination:
      table_id: 6500000000000000000000c1
      external_id_field: sexternal1
      field_mappings: [email]
      field_types: {email: emailfield}
smartsuite: {calls_per_second: -1}
"
    ));
}

#[test]
fn keys_given_twice() {
    assert_snapshot!(shown(&sync(
        "",
        "        email: semail0002
        fax: sphone0001
      on_missing: skip
      on_missing: skip
"
    )));
}

#[test]
fn names_given_twice_and_former_names() {
    let one = sync("", "      key_prefix: 'a:'\n");
    let two = one
        .replace("syncs:\n", "")
        .replace("'a:'", "'b:'")
        .replace("name: customers", "name: customers\n    previously: customers");
    let three = two.replace("name: customers", "name: orders").replace("'b:'", "'c:'");
    let three = three.replace("previously: customers", "previously: clients");
    let four = three.replace("name: orders", "name: ' '").replace("'c:'", "'d:'");
    assert_snapshot!(shown(&format!("{one}{two}{three}{four}")));
}

#[test]
fn unknown_values() {
    assert_snapshot!(shown(&sync(
        "",
        "      on_missing: delete
      field_types:
        email: {type: emial}
        phone: {type: blob}
      transformations:
        status: {type: chioce}
        phone: {type: number, format: flaot}
"
    )));
}

#[test]
fn options_of_other_types() {
    assert_snapshot!(shown(&sync(
        "",
        "      field_types:
        email:
          type: emailfield
          options: {include_time: true}
        phone:
          type: phonefield
          options:
            include_time: true
            default_country: Germany
            default_type: 3
        status:
          type: singleselect
          options: {default_type: 1, valuemap: {a: A}}
"
    )));
}

#[test]
fn value_maps() {
    assert_snapshot!(shown(&sync(
        "",
        "      field_types:
        status:
          type: singleselect
          options:
            value_map:
              active: [Active]
              inactive:
              ~: None
              1: Active
              true: Yes
              2.50: {label: Half}
        phone:
          type: singleselect
          options:
            value_map: [a, b]
"
    )));
}

#[test]
fn the_external_id_field_belongs_to_the_key() {
    assert_snapshot!(shown(&sync("", "        company: sexternal1\n")));
}

#[test]
fn conversions_without_effect() {
    assert_snapshot!(shown(&sync(
        "",
        "      field_types:
        emial: {type: emailfield}
        sphone0001: {type: phonefield}
        status: {type: status}
        nothing: {type: text}
      transformations:
        status: {type: choice, value_map: {a: A}}
"
    )));
}

#[test]
fn transformations() {
    assert_snapshot!(shown(&sync(
        "",
        "      transformations:
        email: {type: choice, format: int}
        phone: {type: date, format: '%E', value_map: {a: b}}
        status: {type: number, value_map: {a: b}}
"
    )));
}

#[test]
fn two_syncs_of_one_table() {
    let one = sync("", "");
    let two = one.replace("syncs:\n", "").replace("name: customers", "name: clients");
    let three = two.replace("name: clients", "name: leads") + "      key_prefix: 'lead:'\n";
    let disabled = two.replace("name: clients", "name: off\n    enabled: false");
    assert_snapshot!(shown(&format!("{one}{two}{three}{disabled}")));
}

#[test]
fn links() {
    assert_snapshot!(shown(&format!(
        "{}  - name: countries
    enabled: false
    source: {{query: SELECT 1, primary_key: [continent, code]}}
    destination: {{table_id: 6500000000000000000000d1, external_id_field: sexternal1, field_mappings: {{a: title}}}}
",
        sync(
            "",
            "      links:
        slink00001: {sync: custmers, from: status}
        slink00002: {sync: countries, from: status}
        slink00003: {sync: customers, from: [status, email], list: true}
        sexternal1: {sync: customers, from: status}
        semail0001: {sync: customers, from: status}
        slink00004: {sync: customers}
        slink00005: {sync: customers, form: status}
"
        )
    )));
}

#[test]
fn schedules_and_zones() {
    let schedules = [
        "{cron: '61 * * * *', time_zone: Europe/Berln}",
        "{cron: '0 0 30 2 *'}",
        "{cron: '0 * * * 13 *'}",
        "{cron: 'every day'}",
        "{cron: ''}",
        "{cron: '5 ${PASSWORD} * * *'}",
        "{interval: 5, cron: '* * * * *'}",
        "{interval: 5, time_zone: UTC}",
        "{interval: 0}",
        "{}",
    ];
    let syncs = schedules.into_iter().enumerate().map(|(number, schedule)| {
        format!(
            "  - name: sync{number}
    schedule: {schedule}
    source: {{query: SELECT 1, primary_key: id}}
    destination:
      table_id: 6500000000000000000000d{number}
      external_id_field: sexternal1
      field_mappings: {{email: semail0001}}
"
        )
    });
    let syncs: String = syncs.collect();
    let first = sync("      time_zone: Berlin\n", "");
    assert_snapshot!(shown(&format!("{first}{syncs}smartsuite: {{calls_per_second: 6}}\n")));
}

#[test]
fn empty_values() {
    assert_snapshot!(shown(
        "syncs:
  - name: ''
    source:
      query: ' '
      primary_key: []
      updated_at_field: ''
    destination:
      table_id: https://app.smartsuite.com/sv25cxf2/solution/1/2
      external_id_field: \"a\\tb\"
      field_mappings: {}
  - name: keys
    source: {query: SELECT 1, primary_key: [id, '', id]}
    destination:
      table_id: 6500000000000000000000c1
      external_id_field: a
      field_mappings: {'': b, c: ''}
"
    ));
    assert_snapshot!("an_empty_file", shown("# nothing yet\n"));
    assert_snapshot!("no_sync", shown("syncs: []\n"));
}

#[test]
fn variables() {
    assert_snapshot!(shown(&sync(
        "      updated_at_field: ${NOT_SET}
      time_zone: ${PASSWORD}
",
        "      on_missing: ${PASSWORD}
        # a comment may say ${NOT_SET}
      key_prefix: ${}${lower case}${NOT_SET:-}$${kept}
      ${PASSWORD}: x
"
    )));
}

/// The same mistakes in every way of writing a query.
#[test]
fn queries() {
    let query = |written: &str| {
        sync("", "").replace("SELECT id, email, phone, status FROM customers", written)
    };
    let screens: Vec<_> = [
        "|
        SELECT id, 'ü', DATE_FORMAT(d, '%%Y')
          FROM customers
        WHERE a = :id AND updated_at > :last_sync_time",
        ">-
        SELECT id, 'ü',
        DATE_FORMAT(d, '%%Y')

        FROM customers WHERE updated_at > :last_sync_time",
        "'SELECT id, ''ü'', DATE_FORMAT(d, ''%%Y'') FROM customers
        WHERE updated_at > :last_sync_time'",
        "\"SELECT id, '\\u00fc', DATE_FORMAT(d, \\\"%%Y\\\") \\
        FROM customers WHERE updated_at > :last_sync_time\"",
        "SELECT id FROM customers
        WHERE updated_at > :last_sync_time",
        "DELETE FROM customers; DROP TABLE customers",
        "SELECT '${PASSWORD}' + 5 %% 3 FROM customers WHERE a = :${PASSWORD} AND b = '",
    ]
    .into_iter()
    .map(|written| shown(&query(written)))
    .collect();
    assert_snapshot!(screens.join("\n"));
}

#[test]
fn text_that_is_not_yaml() {
    let screens: Vec<_> = [
        "syncs:\n\t- name: customers\n",
        "syncs:\n  - name: customers\n   enabled: true\n",
        "syncs:\n  - name: 'customers\n    enabled: true\n",
        "syncs:\n  - name: \"cust\\omers\"\n",
        "syncs:\n  - name: customers: all\n",
        "syncs:\n  - name: 'customers' all\n",
        "syncs:\n  - name: @customers\n",
        "syncs:\n  - name: *customers\n",
        "syncs:\n  - name: - customers\n",
        "syncs:\n  - name: cust\u{7}omers\n",
        "syncs:\n  - schedule: {interval: ${MINUTES}}\n",
        "syncs:\n  - name: customers\n    source\n",
        "syncs:\n  - source:\n      query: |SELECT\n        1\n",
        "syncs:\n  - source:\n      query: |\n        SELECT\n    1\n",
        "syncs: &all [*all]\n",
        "syncs:\n  - name: customers\n---\nsyncs:\n",
        "syncs: !include other.yml\n",
        "syncs:\n  - <<: customers\n",
        "? [a, b]\n: c\n",
        "%YAML 3.0\n---\nsyncs:\n",
        "[customers]",
        "customers",
    ]
    .into_iter()
    .map(shown)
    .collect();
    assert_snapshot!(screens.join("\n"));
}

#[test]
fn expressions_secrets_and_matches_that_cannot_be_meant() {
    let text = sync(
        "",
        "      match_on: [scompany01]
      fields:
        sgross0001: {expression: \"round(net * 1.19,, 2)\"}
        sname00001: {template: \"{first {last}\"}
        scity00001: {column: address, path: \"city..name\"}
        siban00001: {column: iban, hash: a secret in the file}
        snote00001: {column: note, hash: \"${PASSWORD}\"}
",
    );
    assert_snapshot!(shown(&text));
}

/// Sixty-four nodes of YAML that stand for ten to the ninth.
fn exploding() -> String {
    let levels = (1..9).map(|level| {
        let below = vec![format!("*a{}", level - 1); 10].join(", ");
        format!("a{level}: &a{level} [{below}]\n")
    });
    let first = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    std::iter::once(first).chain(levels).collect()
}

#[test]
fn a_file_that_explodes() {
    assert_snapshot!(shown(&exploding()));
}

#[test]
fn colours_mark_a_terminal_only() {
    let text = sync("", "      on_missing: delete\n");
    let diagnostics = parsed(&text).diagnostics;
    let colored = screen(&diagnostics, &Sources::of(PATH, &text), true);
    assert!(colored.contains("\u{1b}["));
    assert!(!screen(&diagnostics, &Sources::of(PATH, &text), false).contains('\u{1b}'));
}

#[test]
fn machines_get_the_same_as_json() {
    let text = sync("", "        fax: sphone0001\n");
    let diagnostics = parsed(&text).diagnostics;
    let value = serde_json::to_value(json(&diagnostics, PATH)).unwrap();
    assert_snapshot!(serde_json::to_string_pretty(&value).unwrap());
}

#[test]
fn tables_and_rows_that_are_gone() {
    let destination = |table: u8, more: &str| {
        format!(
            "    destination:
      table_id: 6500000000000000000000d{table}
      external_id_field: sexternal1
      field_mappings: {{email: semail0001}}
{more}"
        )
    };
    let syncs = [
        ("{query: SELECT 1, primary_key: id}", "      on_delete: delete\n"),
        (
            "{query: SELECT 1, table: t, where: a = 1, primary_key: id}",
            "      on_delete: archive\n",
        ),
        (
            "{table: t, where: 'a = 1) OR (b = 2', keys_query: SELECT 1}",
            "      delete_adopted: true\n",
        ),
        ("{table: ''}", "      on_delete: vanish\n"),
        (
            "{query: SELECT 1, primary_key: id, where: a, keys_query: 'SELECT id FROM t WHERE u > :last_sync_time'}",
            "      on_delete: ignore\n      archive: {field: a}\n",
        ),
        ("{primary_key: id}", ""),
    ];
    let syncs: Vec<String> = (0..)
        .zip(syncs)
        .map(|(number, (source, more))| {
            let destination = destination(number, more);
            format!(
                "  - name: sync{number}\n    capture: query\n    sweep: {{}}\n    source: {source}\n{destination}"
            )
        })
        .collect();
    assert_snapshot!(shown(&format!("syncs:\n{}", syncs.concat())));
}

#[test]
fn files_that_cannot_be_included() {
    let include = "include: [missing.yml, sync_mappings.yml]\n";
    let text = format!("{include}{}", sync("", ""));
    let load = |_: &std::path::Path| Err("it is not there".to_owned());
    let parsed = parse_files(PATH, &text, &|_| None, &load);
    assert_snapshot!(screen(&parsed.diagnostics, &parsed.sources, false));
}
