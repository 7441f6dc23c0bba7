use sync_core::config::parse;

use super::*;

/// What `validate` shows for a mapping file.
fn shown(text: &str) -> String {
    let lookup = |name: &str| (name == "SET").then(|| "hunter2".to_owned());
    screen(&parse(text, &lookup).diagnostics, text, "config/sync_mappings.yml", false)
}
#[test]
fn ten_mistakes() {
    let text = "\
syncs:
  - name: customers
    enabeld: true
    schedule: {interval: 0}
    source:
      quary: SELECT 1
      primary_key: id
      time_zone: Europe/Berln
    destination:
      table_id: ${TABLE}
      external_id_field: sid
      on_missing: recrate
      field_mappings:
        email: semail
        email: smail
        phone: semail
        status: sstatus
      field_types:
        status:
          type: singelselect
        phone:
          type: phonefield
          options: {include_time: true, default_country: Germany}
        emial: {type: emailfield}
        email: {type: date, options: {value_map: {a: [1, 2], ~: c}, include_time: \"no\"}}
  - source: []
    destination:
";
    println!("{}", shown(text));
}

#[test]
fn yaml() {
    for t in [
        "syncs:\n\t- name: a\n",
        "syncs:\n  - name: a\n   enabled: true\n",
        "syncs:\n  - name: 'a\n    enabled: true\n",
        "a: \"x\\d\"\n",
        "syncs:\n  - name: a: b\n",
        "a: [1, 2\nb: 3\n",
        "a: *x\n",
        "a: @x\n",
        "a: {b: ${C}}\n",
        "a: b\nc\nd: e\n",
        "query: SELECT a\nFROM b\nx: y\n",
        "a: |\n  x\n y: z\n",
        "a: |x\n  y\n",
        "a: 'x' y\n",
        "a: b\u{7}\n",
        "a: b\n--- \nc: d",
        "",
        "syncs:",
        "a: &x {b: *x}",
        "[1]",
        "syncs: []\nfoo: 1\nquery: 2\n",
        "syncs:\n- !foo {}",
        "syncs:\n- <<: 5",
    ] {
        println!("{}", shown(t));
    }
}
